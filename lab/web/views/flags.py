"""Saying that a text should not stand: two touches, no account."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict
from lab.models.moderation import FlagReason
from lab.services import flags, limits
from lab.services.flags import Flagged
from lab.web import entrance
from lab.web.access import cached, public
from lab.web.app_state import context, transaction
from lab.web.forms.conversation import FlagForm
from lab.web.forms.proposals import TRAP
from lab.web.labels import error_words
from lab.web.numbers import whole

blueprint = Blueprint("flags", __name__)


@blueprint.get("/segnala")
@public
def new() -> str:
    """Choose why; the touch on the reason sends it."""
    return _page(FlagForm(), _asked())


@blueprint.post("/segnala")
@public
def create() -> tuple[str, int] | Response:
    """Write the flag down."""
    flagged, form = _asked(), FlagForm()
    reason = _reason(form.reason.data)
    if request.form.get(TRAP):
        return _thanks(flagged)
    if not form.validate_on_submit() or reason is None:
        return _page(form, flagged), 422
    _spend()
    try:
        with transaction() as ctx:
            flags.raise_flag(ctx, _command(flagged, form, reason))
    except Conflict as error:
        return _page(form, flagged, said=str(error_words(error.code))), 409
    return _thanks(flagged)


@blueprint.get("/segnala/grazie")
@cached
def thanks() -> str:
    """What happens now."""
    return render_template(
        "pages/flags/thanks.html", code=request.args.get("contributo", "")[:24], rate=False
    )


def _asked() -> Flagged:
    """What the address names: `contributo` is a public code, `commento` an id. 404 for anything else."""
    code, comment = request.args.get("contributo"), request.args.get("commento")
    if comment is not None:
        comment_id = whole(comment)
        if comment_id is None:
            abort(404)
        return flags.find(context(), comment_id=comment_id)
    return flags.find(context(), code=code)


def _reason(written: str | None) -> FlagReason | None:
    return FlagReason(written) if written in set(FlagReason) else None


def _spend() -> None:
    with transaction() as ctx:
        if ctx.actor.person_id is not None:
            limits.spend(ctx, limits.FLAG_PER_PERSON, str(ctx.actor.person_id))
        else:
            limits.spend(ctx, limits.FLAG_PER_ADDRESS, entrance.address())


def _command(flagged: Flagged, form: FlagForm, reason: FlagReason) -> flags.RaiseFlag:
    return flags.RaiseFlag(
        reason=reason,
        contribution_id=None if flagged.comment else flagged.contribution.id,
        comment_id=flagged.comment.id if flagged.comment else None,
        note=form.note.data or "",
        idempotency_key=form.idempotency_key.data or None,
    )


def _thanks(flagged: Flagged) -> Response:
    return redirect(url_for("flags.thanks", contributo=flagged.contribution.code), 303)


def _page(form: FlagForm, flagged: Flagged, said: str = "") -> str:
    return render_template(
        "pages/flags/new.html",
        form=form,
        flagged=flagged,
        reasons=list(FlagReason),
        said=said,
        trap=TRAP,
        exit_url=url_for("proposals.show", code=flagged.contribution.code),
        canonical_url=None,
    )
