"""One action at the desk: everything its page shows, and its many small forms."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid, LabError
from lab.models.actions import PUBLIC_ACTION_STATES, Action, ActionState
from lab.policy.permissions import Permission
from lab.services import action_pages, desk_item, weaving
from lab.services.action_pages import ActionPage
from lab.web import action_words, held
from lab.web.app_state import context
from lab.web.forms.actions import DecideForm, NewsForm, SendBackForm, UnweaveForm, WeaveForm
from lab.web.labels import error_words
from lab.web.numbers import version_of


def draw(page: ActionPage, **forms: Any) -> str:
    """The page; `forms` are those sent that could not be taken, `refused` says why nothing was done."""
    ctx = context()
    action = page.action
    version = {"version": str(action.version)}
    public = action.state in PUBLIC_ACTION_STATES
    news: NewsForm = forms.get("news") or NewsForm(formdata=None, data=version)
    news.offer(action.state, page.milestones)
    return render_template(
        "pages/weaving/show.html",
        page=page,
        action=action,
        inputs=action_pages.woven(ctx, action.id),
        is_public=public,
        can={
            "link": ctx.may(Permission.ACTION_LINK),
            "propose": action.state in weaving.QUIET_STATES and ctx.may(Permission.ACTION_DRAFT),
            "decide": action.state is ActionState.PROPOSED and ctx.may(Permission.ACTION_DECIDE, action),
            "report": public and ctx.may(Permission.ACTION_UPDATE, action),
            "edit": may_edit(action),
        },
        news=news,
        decide=DecideForm(formdata=None, data=version),
        send_back=forms.get("send_back") or SendBackForm(formdata=None, data=version),
        weave=forms.get("weave") or WeaveForm(formdata=None),
        unweave=forms.get("unweave") or UnweaveForm(formdata=None),
        refused=forms.get("refused"),
        meanwhile=forms.get("meanwhile"),
        acts=desk_item.acts_on(ctx, action),
        words=forms.get("kept", ""),
        standing=action_words.standing(action),
        deadline=action_words.deadline(action),
        late=action_words.is_late_now(action),
        breadcrumb=crumbs(None, action.code),
    )


def refused(code: str, error: LabError, verb: str = "", **forms: Any) -> tuple[str, int] | Response:
    """The page again with the reason on top, what colleagues did, and what was typed.

    A second click on what one did oneself (`verb` in the log), or one with nothing typed, just goes on.
    """
    ctx = context()
    page = action_pages.page(ctx, code)
    settled = isinstance(error, Conflict) and error.code == f"action_{page.action.state}"
    if settled and (not held.words() or desk_item.was_mine(ctx, page.action, verb)):
        flash(str(error_words(getattr(error, "code", ""))), "info")
        return redirect(url_for("weaving.show", code=code), 303)
    words = error_words(getattr(error, "code", ""))
    if isinstance(error, Invalid) and error.field == "due_on":
        words = _("Prima scrivi entro quando va finita: usa «Cambia».")
    if isinstance(error, Invalid) and error.field == "contributions" and error.code == "at_least_one":
        words = _("Prima collega almeno una voce.")
    if isinstance(error, Conflict):
        told = {"refused": words, "meanwhile": since_drawn(page.action), **forms}
        for form in forms.values():
            answer_to(form, page.action)
        return draw(page, kept=held.words() if settled else "", **told), 409
    return draw(page, refused=None if forms else words, **forms), 422


def since_drawn(action: Action) -> list[desk_item.Act]:
    """What colleagues did to an action since the page that sent this request was drawn."""
    seen = version_of(request.form.get("version"))
    return desk_item.acts_since(context(), action, seen) if seen >= 0 else []


def answer_to(form: FlaskForm, action: Action) -> None:
    """Let what was typed answer to the action as it has become: sending it again is deciding knowingly."""
    if "version" in form:
        form["version"].data = str(action.version)


def may_edit(action: Action) -> bool:
    """Whether it is this person's turn to change its contents: the team's first, then the office's."""
    ctx = context()
    if action.state in weaving.QUIET_STATES:
        return ctx.may(Permission.ACTION_DRAFT)
    return ctx.may(Permission.ACTION_DECIDE, action)


def crumbs(action: Action | None, last: str | None) -> list[tuple[str, str | None]]:
    """The way to a page of the weaving desk; without an action it starts at the list."""
    found: list[tuple[str, str | None]] = [(_("Azioni"), url_for("weaving.index"))]
    if action is not None:
        found.append((action.code, url_for("weaving.show", code=action.code)))
    if last:
        found.append((last, None))
    return found
