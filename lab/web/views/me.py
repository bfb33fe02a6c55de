"""My things: what I said and follow, where I am signed in, my data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import refresh
from werkzeug.wrappers import Response

from lab.kernel.errors import Invalid
from lab.kernel.text import excerpt
from lab.models.accounts import MailRhythm
from lab.models.contributions import Contribution
from lab.policy.permissions import Permission
from lab.services import accounts, overview, privacy, sessions
from lab.web import filo
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.forms.base import LabForm, refuse
from lab.web.forms.me import PreferencesForm
from lab.web.i18n import COOKIE
from lab.web.own_pages import draw, me
from lab.web.pagination import decode_key, encode_key, page_url

blueprint = Blueprint("me", __name__, url_prefix="/io")
_TITLE = 90


# --- what I said and follow


@dataclass(frozen=True)
class Followed:
    """One line of what I follow."""

    title: str
    url: str
    state: Any
    kind: str


@blueprint.get("", strict_slashes=False)
@allow(Permission.ACCOUNT_SELF)
def index() -> ResponseReturnValue:
    """Everything of mine at a glance."""
    ctx = context()
    mark = decode_key(request.args.get("after"), 2)
    found = overview.said_by_me(ctx, _before(mark))
    more = len(found) > overview.PAGE
    last = found[overview.PAGE - 1] if more else None
    return draw(
        "index",
        said=[_card(item) for item in found[: overview.PAGE]],
        next_url=page_url(after=encode_key(last.created_at.isoformat(), last.id)) if last else None,
        prev_url=url_for("me.index") if mark else None,
        follows=[] if mark else [_followed(row) for row in overview.followed(ctx)],
        leave=LabForm(),
    )


def _before(mark: list[Any] | None) -> tuple[datetime, int] | None:
    try:
        if mark and isinstance(mark[1], int):
            at = datetime.fromisoformat(str(mark[0]))
            return (at, mark[1]) if at.tzinfo else None
    except ValueError:
        pass
    return None


def _card(one: Contribution) -> dict[str, Any]:
    ctx = context()
    stops, here = filo.stops(one.state)
    return {
        "url": url_for("proposals.show", code=one.code),
        "title": one.title or excerpt(one.text, _TITLE),
        "excerpt": one.excerpt if one.title else None,
        "lang": one.lang,
        "state": one.state,
        "visibility": one.visibility,
        "place": one.place.name if one.place else None,
        "theme": one.theme.name if one.theme else None,
        "supports": one.supports_count,
        "comments": one.comments_count,
        "office": one.office.name if one.office and one.is_open else None,
        "due": one.promise_due_at if one.is_open else None,
        "late": one.is_open and one.promise_due_at < ctx.now,
        "date": one.created_at,
        "filo": stops,
        "filo_at": here,
        "receipt": one.receipt_code,
    }


def _followed(row: Any) -> Followed:
    _follow, said, action, project = row
    if said is not None:
        words = said.title or excerpt(said.text, _TITLE)
        return Followed(words, url_for("proposals.show", code=said.code), said.state, _("Proposta"))
    if action is not None:
        return Followed(action.title, url_for("actions.show", code=action.code), action.state, _("Azione"))
    return Followed(project.title, url_for("projects.show", code=project.code), project.state, _("Progetto"))


# --- where I am signed in


@blueprint.get("/accessi")
@allow(Permission.ACCOUNT_SELF)
def accesses() -> ResponseReturnValue:
    """The browsers in which I am signed in."""
    return draw("accesses", sessions=sessions.mine(context()), form=LabForm())


@blueprint.post("/accessi/<int:session_id>/chiudi")
@allow(Permission.ACCOUNT_SELF)
def end_access(session_id: int) -> ResponseReturnValue:
    """Close one of them; the one in use goes out through the door."""
    if session_id == me().session_id:
        return redirect(url_for("accounts.leave"), 303)
    with transaction() as ctx:
        sessions.end(ctx, session_id)
    flash(_("Accesso chiuso."), "success")
    return redirect(url_for("me.accesses"), 303)


@blueprint.post("/accessi/chiudi")
@allow(Permission.ACCOUNT_SELF)
def end_others() -> ResponseReturnValue:
    """Close all but this one."""
    with transaction() as ctx:
        sessions.end_all(ctx, me().person_id, but=me().session_id)
    flash(_("Gli altri accessi sono chiusi. Resti dentro solo qui."), "success")
    return redirect(url_for("me.accesses"), 303)


# --- my data


@blueprint.get("/dati")
@allow(Permission.ACCOUNT_SELF)
def data() -> ResponseReturnValue:
    """Name, language, mail; and the ways to everything else."""
    person = privacy.by_id(context(), me().person_id)
    form = PreferencesForm(formdata=None, obj=person).offer(lab().settings.locales)
    form.mail_rhythm.data = person.mail_rhythm.value
    return _draw_data(form)


def _draw_data(form: PreferencesForm) -> str:
    ctx = context()
    person = privacy.by_id(ctx, me().person_id)
    return draw("data", form=form, person=person, has_password=accounts.has_password(ctx, person.id))


@blueprint.post("/dati")
@allow(Permission.ACCOUNT_SELF)
def save_data() -> ResponseReturnValue:
    """Keep name, language and rhythm."""
    form = PreferencesForm().offer(lab().settings.locales)
    try:
        if not form.validate_on_submit():
            return _draw_data(form), 422
        rhythm = MailRhythm(form.mail_rhythm.data)
        wanted = accounts.Preferences(form.name.data or "", form.locale.data, rhythm)
        with transaction() as ctx:
            accounts.save_preferences(ctx, wanted)
    except Invalid as error:
        refuse(form, error)
        return _draw_data(form), 422
    refresh()
    flash(_("Salvato."), "success")
    answer = redirect(url_for("me.data"), 303)
    answer.set_cookie(COOKIE, wanted.locale, max_age=31536000, path="/", samesite="Lax")
    return answer


@blueprint.get("/scarica")
@allow(Permission.ACCOUNT_SELF)
def download() -> ResponseReturnValue:
    """A copy of everything kept about me."""
    body = json.dumps(privacy.copy_of(context()), ensure_ascii=False, indent=1)
    answer = Response(body, content_type="application/json; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="i-miei-dati.json"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
