"""One input at the desk: everything its page shows, and its many small forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import SelectChoice

from lab.kernel.clock import local_date
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.contributions import Contribution, Visibility
from lab.policy.permissions import Permission
from lab.services import answers, appeals, desk, desk_alike, desk_item, merging, moderation_queue, routing
from lab.services.context import Context
from lab.services.desk import Choices
from lab.web import desk_list, held
from lab.web.app_state import context, transaction
from lab.web.desk_words import VERB_OF
from lab.web.errors import page as error_page
from lab.web.forms import desk as forms
from lab.web.forms.base import refuse
from lab.web.labels import error_words

Shown = str | tuple[str, int] | Response


@dataclass
class ItemPage:
    """What the page of one input is drawn from."""

    item: Contribution
    choices: Choices
    wish: desk_list.Asked
    forms: dict[str, forms.DeskForm]
    #: The act whose form comes back with something to put right.
    again: str = ""
    #: Why it was not done, when somebody else was quicker or the state does not admit it.
    refusal: str = ""
    meanwhile: list[desk_item.Act] = field(default_factory=list)

    @property
    def promise_late(self) -> bool:
        """Whether the promise of the receipt is over."""
        ctx = context()
        return local_date(self.item.promise_due_at, ctx.timezone) < local_date(ctx.now, ctx.timezone)

    @property
    def office_late(self) -> bool:
        """Whether the office's day is over."""
        ctx, day = context(), self.item.office_due_on
        return day is not None and day < local_date(ctx.now, ctx.timezone)


def page(code: str, again: forms.DeskForm | None = None, refusal: str = "") -> ItemPage:
    """Load one input; `again` is the form that was sent and could not be taken."""
    ctx = context()
    item = desk_item.item(ctx, code)
    choices = desk.choices(ctx)
    fresh = _forms(ctx, item, choices)
    found = ItemPage(item, choices, desk_list.asked(ctx, choices), fresh, refusal=refusal)
    if again is not None:
        _keep_typed(ctx, found, again)
    return found


def _keep_typed(ctx: Context, found: ItemPage, again: forms.DeskForm) -> None:
    again.offer(found.choices)
    if "twins" in again:
        again["twins"].choices = found.forms["merge"]["twins"].choices
    seen = again["version"].data if "version" in again else None
    if isinstance(seen, int):
        found.meanwhile = desk_item.acts_since(ctx, found.item, seen)
        # Sending again is deciding knowingly: the page now shows what the others did.
        again["version"].data = found.item.version
        again["version"].raw_data = None
    if "draft_version" in again:
        own = desk_item.own_draft(ctx, found.item)
        again["draft_version"].data, again["draft_version"].raw_data = own.version if own else None, None
    found.forms[again.slug] = again
    found.again = again.slug


def _forms(ctx: Context, item: Contribution, choices: Choices) -> dict[str, forms.DeskForm]:
    """Every form of the page, filled with how things stand; what was sent belongs to one of them only."""
    own = desk_item.own_draft(ctx, item)
    now = {"version": item.version}
    answer = {"verdict": own.verdict.value, "body": own.body_id, "reason": own.reason} if own else {}
    made: list[forms.DeskForm] = [
        forms.PlainForm(formdata=None, data=now),
        forms.SortForm(
            formdata=None,
            data={
                **now, "kind": item.kind.value, "theme": item.theme_id, "place": item.place_id,
                "projects": desk_item.project_ids(ctx, item.id),
            },
        ),
        forms.RouteForm(
            formdata=None,
            data={
                **now,
                "office": item.office_id or _usual_office(item),
                "due_on": item.office_due_on or routing.default_due(ctx, item),
            },
        ),
        forms.PrivateForm(formdata=None, data=now),
        forms.NoteForm(formdata=None),
        forms.MergeForm(formdata=None, data={**now, "lives_on": item.code}),
        forms.SplitForm(formdata=None, data={**now, "text": item.text}),
        forms.RetypeForm(formdata=None, obj=item),
        forms.AnswerForm(
            formdata=None, data={**now, **answer, "draft_version": own.version if own else None}
        ),
        *(
            kind(formdata=None, data=now)
            for kind in (
                forms.TakeBackForm, forms.GiveBackForm, forms.HideForm, forms.RestoreForm, forms.ReopenForm,
                forms.SeparateForm, forms.WithdrawForForm,
            )
        ),
    ]  # fmt: skip
    for one in made:
        one.offer(choices)
    return {one.slug: one for one in made}


def _usual_office(item: Contribution) -> int | None:
    return item.theme.office_id if item.theme else None


def show(found: ItemPage, status: int = 200) -> Shown:
    """Draw the page of one input."""
    ctx, item = context(), found.item
    twins = desk_alike.alike(ctx, item) if ctx.may(Permission.CONTRIBUTION_MERGE) else []
    found.forms["merge"]["twins"].choices = [
        SelectChoice(f"{one.code}:{one.version}", one.code) for one in twins
    ]
    body = render_template(
        "pages/desk/show.html",
        page=found,
        item=item,
        forms=found.forms,
        plain=found.forms["plain"],
        wish=found.wish,
        empty=desk_list.empty(found.wish),
        list=desk_list.listing(ctx, found.wish, found.choices, current=item.code),
        twins=twins,
        history=desk_item.history(ctx, item.id),
        notes=desk_item.notes(ctx, item.id),
        handed=desk_item.passed_on(ctx, item.id),
        originals=merging.merged_here(ctx, item.id),
        lives_on=desk_item.other(ctx, item.merged_into_id),
        split_from=desk_item.other(ctx, item.split_from_id),
        answers=answers.published(ctx, item.id),
        draft=desk_item.own_draft(ctx, item),
        flags=moderation_queue.flags_on(ctx, item.id) if ctx.may(Permission.FLAG_SETTLE) else [],
        hiding=appeals.hiding(ctx, item.id) if item.visibility is Visibility.HIDDEN else None,
        answers_here=item.office_id is not None and item.office_id in ctx.actor.office_ids,
        sees_all=desk.sees_all(ctx),
        breadcrumb=[(_("Da fare"), found.wish.url()), (item.code, None)],
    )
    return (body, status) if status != 200 else body


def perform(
    code: str,
    form: forms.DeskForm,
    run: Callable[[Context, int], Any],
    done: str,
    goto: Callable[[Any], str | None] | None = None,
) -> Shown:
    """Do one act: check the form, ask the service; what is refused comes back as it was typed."""
    try:
        return _performed(code, form, run, done, goto)
    except NotFound:
        # It was theirs when they began to write; the page says the same of what never was, to tell nothing.
        words = held.words()
        if not words:
            raise
        reason = error_words("no_longer_yours")
        return error_page(409, reason=reason, words=words, back_url=url_for("desk.inbox")), 404


def _performed(
    code: str,
    form: forms.DeskForm,
    run: Callable[[Context, int], Any],
    done: str,
    goto: Callable[[Any], str | None] | None,
) -> Shown:
    ctx = context()
    form.offer(desk.choices(ctx))
    item_id = desk_item.item(ctx, code).id
    if not form.validate_on_submit():
        return show(page(code, again=form), 422)
    try:
        with transaction() as writing:
            result = run(writing, item_id)
    except Invalid as error:
        refuse(form, error)
        return show(page(code, again=form), 422)
    except Conflict as error:
        # The second of two clicks goes where the first one went; what it returned is on the page there.
        verb = VERB_OF.get(request.endpoint or "", "")
        if not desk_item.just_done(context(), desk_item.item(context(), code), verb):
            return show(page(code, again=form, refusal=str(error_words(error.code))), 409)
        result, goto = None, None
    flash(done, "success")
    wish = desk_list.asked(ctx, desk.choices(ctx))
    return redirect((goto(result) if goto else None) or wish.url("desk.show", code=code), 303)
