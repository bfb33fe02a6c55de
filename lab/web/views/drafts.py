"""Half-written forms, kept while one types."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import NotFound
from lab.kernel.ids import new_token
from lab.services import drafts, limits, proposals
from lab.services.context import Context
from lab.services.drafts import Owner
from lab.web import entrance
from lab.web.access import public
from lab.web.app_state import context, transaction
from lab.web.forms.proposals import KEPT

blueprint = Blueprint("drafts", __name__)

_BROWSER = "browser"
#: Which forms keep drafts: the word in the address, the draft's name, the fields kept.
FORMS: dict[str, tuple[str, tuple[str, ...]]] = {"proposta": (proposals.DRAFT, (*KEPT, "idempotency_key"))}
#: Where one begins again.
_PAGES = {"proposta": "proposals.new"}
#: Longest kept value: more than any field takes, so that what is too long is not lost either.
_LONGEST = 20_000


def draft_owner(*, make: bool = False) -> Owner:
    """Whose drafts these are; with `make` a browser without account gets its random mark."""
    person_id = context().actor.person_id
    if make and person_id is None and _BROWSER not in session:
        session[_BROWSER] = new_token()
    return Owner(person_id, session.get(_BROWSER))


def keep(ctx: Context, name: str, data: dict[str, Any]) -> None:
    """Keep what this writer has typed so far. Those that strangers begin are counted: whoever throws the mark
    of their browser away begins another each time. Raises `RateLimited`.
    """
    owner = draft_owner(make=True)
    if owner.person_id is None and drafts.load(ctx, owner, name) is None:
        limits.spend(ctx, limits.NEW_DRAFT_PER_ADDRESS, entrance.address())
    drafts.save(ctx, owner, name, data)


def shortened(words: str) -> str:
    """A value as a draft keeps it."""
    return words[:_LONGEST].replace("\x00", "")


def spend_upload() -> None:
    """Count one picture to re-make. Raises `RateLimited`."""
    with transaction() as ctx:
        limits.spend(ctx, limits.PHOTO_PER_ADDRESS, entrance.address())


@blueprint.post("/bozze/<kind>")
@public
def save(kind: str) -> Response:
    """Keep the fields of a form as they stand; answers with the words to show."""
    if kind not in FORMS:
        raise NotFound("draft")
    name, fields = FORMS[kind]
    data = {field: shortened(request.form.get(field, "")) for field in fields}
    if "idempotency_key" in data:
        data["key"] = data.pop("idempotency_key")[:64]
    with transaction() as ctx:
        limits.spend(ctx, limits.DRAFT_PER_ADDRESS, entrance.address())
        keep(ctx, name, data)
    return jsonify(message=_("Salvato: se chiudi la pagina, lo ritrovi qui."))


@blueprint.post("/bozze/<kind>/via")
@public
def drop(kind: str) -> Response:
    """Throw a draft away and begin again."""
    if kind not in FORMS:
        raise NotFound("draft")
    with transaction() as ctx:
        drafts.drop(ctx, draft_owner(), FORMS[kind][0])
    return redirect(url_for(_PAGES[kind]), 303)
