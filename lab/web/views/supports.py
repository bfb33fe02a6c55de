"""Supporting and following: two buttons, each with its way back."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.policy.permissions import Permission
from lab.services import follows, supports
from lab.services.follows import Followed, FollowThis
from lab.web.access import allow
from lab.web.app_state import transaction
from lab.web.item_parts import FOLLOWED, page_of

blueprint = Blueprint("supports", __name__)


@blueprint.post("/proposte/<code>/sostegno")
@allow(Permission.CONTRIBUTION_SUPPORT)
def add(code: str) -> Response:
    """Add one's hand, and follow unless the person has taken the tick away."""
    wants_news = bool(request.form.get("follow"))
    with transaction() as ctx:
        subject = follows.subject_id(ctx, Followed.CONTRIBUTION, code)
        new = supports.add(ctx, supports.AddSupport(subject, follow=wants_news))
    if not new:
        flash(_("La sostenevi già: il tuo sostegno conta una volta."), "info")
    elif wants_news:
        flash(_("Il tuo sostegno c'è. Ti avvisiamo quando succede qualcosa."), "success")
    else:
        flash(_("Il tuo sostegno c'è."), "success")
    return redirect(page_of("proposte", code, "sostegno"), 303)


@blueprint.post("/proposte/<code>/sostegno/togli")
@allow(Permission.CONTRIBUTION_SUPPORT)
def remove(code: str) -> Response:
    """Take one's hand back."""
    with transaction() as ctx:
        subject = follows.subject_id(ctx, Followed.CONTRIBUTION, code)
        was = supports.remove(ctx, subject)
        still = follows.is_following(ctx, FollowThis(Followed.CONTRIBUTION, subject))
    if was and still:
        flash(_("Hai tolto il tuo sostegno. Continui a ricevere le novità."), "success")
    elif was:
        flash(_("Hai tolto il tuo sostegno."), "success")
    return redirect(page_of("proposte", code, "sostegno"), 303)


@blueprint.post("/segui/<what>/<code>")
@allow(Permission.ACCOUNT_SELF)
def follow(what: str, code: str) -> Response:
    """Hear of what happens to it."""
    kind = FOLLOWED.get(what) or abort(404)
    with transaction() as ctx:
        follows.follow(ctx, FollowThis(kind, follows.subject_id(ctx, kind, code)))
    flash(_("Ti avvisiamo quando succede qualcosa."), "success")
    return redirect(page_of(what, code, "segui"), 303)


@blueprint.post("/segui/<what>/<code>/basta")
@allow(Permission.ACCOUNT_SELF)
def unfollow(what: str, code: str) -> Response:
    """Hear of it no more."""
    kind = FOLLOWED.get(what) or abort(404)
    with transaction() as ctx:
        follows.unfollow(ctx, FollowThis(kind, follows.subject_id(ctx, kind, code)))
    flash(_("Non ti avvisiamo più."), "success")
    return redirect(page_of(what, code, "segui"), 303)
