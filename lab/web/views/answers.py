"""What an office answers: kept as a draft, or published; then the next one that waits."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask_babel import gettext as _

from lab.models.answers import Verdict
from lab.policy.permissions import Permission
from lab.services import answers, desk
from lab.services.answers import Reply
from lab.services.context import Context
from lab.web.access import allow
from lab.web.app_state import context
from lab.web.desk_page import Shown, perform
from lab.web.forms import desk as forms
from lab.web.views.desk import blueprint


@blueprint.post("/<code>/risposta")
@allow(Permission.ANSWER_DRAFT)
def answer(code: str) -> Shown:
    """Keep the draft, or publish the answer."""
    form = forms.AnswerForm()
    publishing = request.form.get("act") == "publish"

    def run(ctx: Context, one: int) -> Any:
        reply = _reply(form, one)
        return answers.publish(ctx, reply) if publishing else answers.save(ctx, reply)

    if not publishing:
        return perform(code, form, run, _("Bozza tenuta da parte: la vede solo il tuo ufficio."))
    done = _("Risposta pubblicata. Chi l'ha scritta e chi la segue ricevono un avviso.")
    return perform(code, form, run, done, lambda made: _next(made.contribution_id))


def _reply(form: forms.AnswerForm, contribution_id: int) -> Reply:
    return Reply(
        contribution_id,
        form.version.data,
        Verdict(form.verdict.data),
        form.reason.data or "",
        form.body.data,
        form.draft_version.data,
    )


def _next(done_id: int) -> str:
    """The next one that waits for this office; the list when there is none."""
    ctx = context()
    if desk.sees_all(ctx):
        return url_for("desk.inbox")
    following = desk.next_to_answer(ctx, done_id)
    return url_for("desk.show", code=following.code) if following else url_for("desk.inbox")
