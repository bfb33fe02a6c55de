"""What needs a second look: flags, hidden texts, appeals; and in public how often the lab stepped in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid
from lab.models.contributions import Contribution, Visibility
from lab.models.conversation import Comment
from lab.models.moderation import Flag, ModerationAct
from lab.policy.permissions import Permission
from lab.services import appeals, moderation, moderation_queue
from lab.services.context import Context
from lab.services.moderation import Subject
from lab.web import held
from lab.web.access import allow, cached
from lab.web.app_state import context, transaction
from lab.web.forms import desk as forms
from lab.web.forms.base import refuse
from lab.web.labels import error_words

blueprint = Blueprint("moderation", __name__)

Shown = str | tuple[str, int] | Response


@dataclass
class Flagged:
    """A text with all the flags on it."""

    key: str
    contribution: Contribution | None
    comment: Comment | None
    flags: list[Flag] = field(default_factory=list)

    @property
    def row(self) -> Any:
        """The text itself."""
        return self.comment or self.contribution

    @property
    def hidden(self) -> bool:
        """Whether it stepped aside already."""
        if self.comment is not None:
            return self.comment.hidden_at is not None
        return self.contribution is not None and self.contribution.visibility is Visibility.HIDDEN


@blueprint.get("/regia/moderazione")
@allow(Permission.APPEAL_SETTLE)
def index() -> str:
    """Everything that waits for a moderator."""
    return _queue()


def _queue(sent: forms.DeskForm | None = None, key: str = "", refusal: str = "") -> str:
    """The queue. What was sent comes back in its own card; where that is gone, as words to copy."""
    ctx = context()
    queue = _waiting(ctx)
    hidings = moderation_queue.hidings(ctx, queue["hidden"], queue["hidden_comments"])
    acts = [act for act, _subject in queue["appeals"]]
    return render_template(
        "pages/moderation/index.html",
        **queue,
        hidings=hidings,
        names=moderation_queue.names(ctx, [*acts, *hidings.values()]),
        homes=moderation_queue.homes(ctx, _comments(queue)),
        sent_key=key,
        refusal=refusal,
        words=held.words() if refusal or (sent is not None and key not in _keys(queue)) else "",
        form_for=lambda one: _form(forms.FlagForm, one, sent, key),
        appeal_form_for=lambda one: _form(forms.AppealAnswerForm, one, sent, key),
        breadcrumb=[(_("Moderazione"), None)],
    )


def _waiting(ctx: Context) -> dict[str, Any]:
    unanswered = appeals.waiting(ctx)
    found: dict[str, Any] = {
        "appeals": list(zip(unanswered, appeals.subjects_of(ctx, unanswered), strict=True)),
        "flagged": [], "waiting": [], "hidden": [], "hidden_comments": [],
    }  # fmt: skip
    if ctx.may(Permission.FLAG_SETTLE):
        found["flagged"] = _by_subject(moderation_queue.open_flags(ctx))
        # One card each: where the author asked to think again, who hid it does not decide.
        elsewhere = {one.key for one in found["flagged"]} | {_about(act) for act in unanswered}
        hidden = moderation_queue.in_visibility(ctx, Visibility.HIDDEN)
        comments = moderation_queue.hidden_comments(ctx)
        found["waiting"] = moderation_queue.in_visibility(ctx, Visibility.WAITING)
        found["hidden"] = [one for one in hidden if f"p{one.id}" not in elsewhere]
        found["hidden_comments"] = [one for one in comments if f"c{one.id}" not in elsewhere]
    return found


def _about(act: ModerationAct) -> str:
    return f"c{act.comment_id}" if act.comment_id else f"p{act.contribution_id}"


def _keys(queue: dict[str, Any]) -> set[str]:
    """The cards that a form can come back in."""
    return {
        *(f"a{act.id}" for act, _subject in queue["appeals"]),
        *(one.key for one in queue["flagged"]),
        *(f"p{one.id}" for one in queue["hidden"]),
        *(f"c{one.id}" for one in queue["hidden_comments"]),
    }


def _comments(queue: dict[str, Any]) -> list[int | None]:
    return [
        *(act.comment_id for act, _subject in queue["appeals"]),
        *(one.comment.id for one in queue["flagged"] if one.comment is not None),
        *(one.id for one in queue["hidden_comments"]),
    ]


def _form(kind: type[forms.DeskForm], one: str, sent: forms.DeskForm | None, key: str) -> forms.DeskForm:
    """The form of one text; what was sent for it comes back as it was typed."""
    form = sent if sent is not None and one == key else kind(formdata=None)
    for item in form:
        item.id = f"{one}-{item.short_name}"
        item.label.field_id = item.id
    return form


def _by_subject(flags: Any) -> list[Flagged]:
    found: dict[str, Flagged] = {}
    for flag in flags:
        key = f"c{flag.comment_id}" if flag.comment_id else f"p{flag.contribution_id}"
        found.setdefault(key, Flagged(key, flag.contribution, flag.comment)).flags.append(flag)
    return list(found.values())


@blueprint.post("/regia/moderazione/<any(proposta, commento):what>/<int:number>")
@allow(Permission.FLAG_SETTLE)
def settle(what: str, number: int) -> Shown:
    """Leave a text as it is, hide it or show it again, with the reason its author is told."""
    form = forms.FlagForm()
    subject = Subject(comment_id=number) if what == "commento" else Subject(contribution_id=number)
    key = f"c{number}" if what == "commento" else f"p{number}"
    if not form.validate_on_submit():
        return _queue(form, key), 422
    try:
        with transaction() as ctx:
            done = _settle(ctx, subject, form)
    except Invalid as error:
        refuse(form, error)
        return _queue(form, key), 422
    except Conflict as error:
        return _queue(refusal=str(error_words(error.code))), 409
    flash(done, "success")
    return redirect(url_for("moderation.index"), 303)


def _settle(ctx: Context, subject: Subject, form: forms.FlagForm) -> str:
    reason = form.reason.data or ""
    if form.act.data == "hide":
        moderation.hide(ctx, subject, reason)
        return str(_("Nascosta: chi l'ha scritta sa perché e può chiedere di ripensarci."))
    if form.act.data == "restore":
        moderation.restore(ctx, subject, reason)
        return str(_("Di nuovo visibile."))
    moderation.leave(ctx, subject)
    return str(_("Lasciata com'è."))


@blueprint.post("/regia/moderazione/appello/<int:act_id>")
@allow(Permission.APPEAL_SETTLE)
def settle_appeal(act_id: int) -> Shown:
    """Answer an appeal with a reason."""
    form, key = forms.AppealAnswerForm(), f"a{act_id}"
    if not form.validate_on_submit():
        return _queue(form, key), 422
    try:
        with transaction() as ctx:
            upheld = form.upheld.data == "yes"
            appeals.settle(ctx, act_id, form.answer.data or "", upheld=upheld)
    except Invalid as error:
        refuse(form, error)
        return _queue(form, key), 422
    except Conflict as error:
        return _queue(refusal=str(error_words(error.code))), 409
    flash(_("Risposta mandata a chi l'ha scritta."), "success")
    return redirect(url_for("moderation.index"), 303)


@blueprint.get("/appello/<int:act_id>")
@allow(Permission.APPEAL_MAKE)
def appeal(act_id: int) -> str:
    """The author reads why their words were hidden, and can ask to think again."""
    return _appeal(act_id, forms.AppealForm(formdata=None))


@blueprint.get("/appello/proposta/<code>")
@allow(Permission.APPEAL_MAKE)
def appeal_of(code: str) -> Response:
    """From one's own hidden words to the act that hid them."""
    return redirect(url_for("moderation.appeal", act_id=appeals.hiding_of(context(), code)), 303)


def _appeal(act_id: int, form: forms.AppealForm) -> str:
    ctx = context()
    act = appeals.act_of_mine(ctx, act_id)
    return render_template(
        "pages/moderation/appeal.html", act=act, subject=appeals.subject_of(ctx, act), form_=form
    )


@blueprint.post("/appello/<int:act_id>")
@allow(Permission.APPEAL_MAKE)
def make_appeal(act_id: int) -> Shown:
    """Ask somebody else to look again."""
    form = forms.AppealForm()
    appeals.act_of_mine(context(), act_id)
    if not form.validate_on_submit():
        return _appeal(act_id, form), 422
    try:
        with transaction() as ctx:
            appeals.make(ctx, act_id, form.words.data or "")
    except (Invalid, Conflict) as error:
        status = refuse(form, error)
        return _appeal(act_id, form), status
    flash(_("Ricevuto. Guarda un'altra persona, e ti rispondiamo."), "success")
    return redirect(url_for("moderation.appeal", act_id=act_id), 303)


@blueprint.get("/moderazione")
@cached
def public_counts() -> str:
    """How often the lab hid or restored something, month by month, for everybody."""
    return render_template(
        "pages/moderation/public_counts.html",
        months=moderation_queue.acts_by_month(context()),
        breadcrumb=[(_("Come moderiamo"), None)],
    )
