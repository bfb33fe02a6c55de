"""The bundle: what a tablet keeps so that it works without network, in every language of the site."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _

from lab.kernel.locales import SUPPORTED
from lab.models.events import EventState
from lab.models.kiosk import SeatLease
from lab.services import devices, kiosk_versions, tickets
from lab.services.kiosk_bundle import Facts
from lab.web import kiosk_shell
from lab.web.app_state import context, lab
from lab.web.formats import date_words
from lab.web.kiosk_texts import texts_in

Json = dict[str, Any]

#: What rises with every sign-up; the version of the bundle does not.
_COUNTS = ("taken", "lent", "waiting")


def bundle(facts: Facts) -> Json:
    """All that docs/kiosk.md promises. `version` changes when anything but the counts does."""
    settings = lab().settings
    made = {
        "application": kiosk_shell.version(),
        "event": _event(facts),
        "sign_up": _sign_up(facts),
        "room": {"takes_questions": facts.takes_questions},
        "locales": [
            {"code": code, "name": SUPPORTED[code].native_name, "dir": SUPPORTED[code].direction}
            for code in settings.locales
        ],
        "texts": {code: texts_in(code) for code in settings.locales},
        "consent": {code: _consent(facts, code) for code in settings.locales},
        "seal": {"key_id": facts.key.id, "public_key": facts.key.public_key},
        "payload_version": kiosk_versions.VERSION,
        "ticket_base": f"{settings.base_url}/biglietto/",
    }
    return {"version": _version(made), "made_at": lab().clock.now().isoformat(), **made}


def etag(made: Json) -> str:
    """Changes with everything in the bundle but the moment at which it was made."""
    counts = ".".join(str(made["sign_up"][name]) for name in _COUNTS)
    return f"{made['version']}.{counts}"


def lease(found: SeatLease | None) -> Json | None:
    """A lease as tablets read it; `seats` counts all places ever lent by it, used ones too."""
    if found is None:
        return None
    return {
        "id": found.id,
        "seats": found.seats,
        "used": found.used,
        "expires_at": found.expires_at.isoformat(),
    }


def _version(made: Json) -> str:
    sign_up = {name: value for name, value in made["sign_up"].items() if name not in _COUNTS}
    text = json.dumps({**made, "sign_up": sign_up}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _event(facts: Facts) -> Json:
    event = facts.event
    parts = [event.place.name if event.place else "", event.place_note]
    return {
        "code": event.code,
        "title": event.title,
        "kind": event.kind.value,
        "starts_at": event.starts_at.isoformat(),
        "ends_at": devices.ends_at(event).isoformat(),
        "place": ", ".join(part for part in parts if part),
        "timezone": lab().settings.timezone,
        "cancelled": event.state is EventState.CANCELLED,
    }


def _sign_up(facts: Facts) -> Json:
    books = facts.sign_up
    return {
        "is_offered": books.is_offered,
        "capacity": books.capacity,
        "taken": books.taken,
        "lent": books.lent,
        "waiting": books.waiting,
        "party_most": books.party_most,
        "opens_at": books.opens_at.isoformat() if books.opens_at else None,
        "closes_at": devices.closes_at(facts.event).isoformat(),
        "asks": list(books.asks),
        "groups": [{"id": group.id, "name": group.name} for group in facts.groups],
        "questions": [
            {
                "id": one.id,
                "kind": one.kind.value,
                "label": one.label,
                "options": list(one.options),
                "is_required": one.is_required,
            }
            for one in facts.questions
        ],
        "consent_version": books.consent_version,
    }


def _consent(facts: Facts, code: str) -> str:
    """The words people agree to, as on the site."""
    books = facts.sign_up
    with force_locale(code):
        day = date_words(tickets.day_of_forgetting(context(), facts.event, books))
        words = _(
            "Usiamo questi dati solo per questo incontro. Li vede solo chi lo prepara. "
            "Li teniamo fino a %(day)s, poi li cancelliamo.",
            day=day,
        )
    return f"{words} {books.consent_note}".strip()
