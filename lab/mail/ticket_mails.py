"""Mails to whoever signed up for a meeting. The outbox holds ids only; what they say is looked up now, and
what is no longer so is not said."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import segno
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lab.kernel.tokens import Signer
from lab.mail import links
from lab.mail.render import translations
from lab.models.accounts import MailRhythm, Person
from lab.models.events import EventState
from lab.models.registrations import Registration, RegistrationState
from lab.services import audience, event_calendar, tickets
from lab.services.context import Context
from lab.services.tickets import Ticket
from lab.settings import Settings

CONFIRMED, WAITING = RegistrationState.CONFIRMED, RegistrationState.WAITING
#: The states in which each mail is still true. Mails that are not here are true in any.
_TRUE_IN = {
    "sign_up_confirmed": {CONFIRMED},
    "sign_up_waiting": {WAITING},
    "sign_up_promoted": {CONFIRMED},
    "sign_up_cancelled": {RegistrationState.CANCELLED},
    "sign_up_changed": {CONFIRMED, WAITING},
    "sign_up_repeated": {CONFIRMED, WAITING},
    "event_moved": {CONFIRMED, WAITING},
    "event_off": {CONFIRMED, WAITING},
    "event_reminder": {CONFIRMED},
    "event_minutes": {CONFIRMED},
}
#: What holds the parts of an address together, with nothing but letters and numbers around it.
_JOINED = re.compile(r"(?<=\w)[.\u2024\u3002\uff0e\uff61/\\:@]+(?=\w)")
#: About what has been, or will not be.
_AFTERWARDS = frozenset({"event_off", "event_minutes", "sign_up_cancelled"})
#: They carry the day for one's calendar; a cancelled day too, so that it vanishes from there.
_WITH_CALENDAR = frozenset(
    {"sign_up_confirmed", "sign_up_promoted", "sign_up_changed", "event_moved", "event_off", "event_reminder"}
)


@dataclass(frozen=True)
class Picture:
    """A PNG inside a mail, under the name by which its HTML shows it."""

    cid: str
    png: bytes


@dataclass(frozen=True)
class TicketMail:
    """Where a mail about a sign-up goes, in which language, with which values, calendar file and picture."""

    to: str
    locale: str
    values: dict[str, Any]
    calendar: bytes | None
    #: The code to show at the door, for the part in HTML; the words beside it say the same.
    picture: Picture | None


def compose(ctx: Context, settings: Settings, signer: Signer, payload: dict[str, Any]) -> TicketMail | None:
    """What the mail says now; None when it is no longer true or there is nobody to send it to."""
    query = select(Registration).where(Registration.id == payload["registration_id"])
    registration = ctx.session.execute(query.options(joinedload(Registration.person))).scalar_one_or_none()
    to = address_of(registration) if registration is not None else None
    if registration is None or to is None:
        return None
    ticket = tickets.of_registration(ctx, registration)
    if not _still_true(ticket, payload["tag"]):
        return None
    event = ticket.event
    url = settings.base_url + links.path("ticket", tickets.key_for(signer, registration))
    place = str(event.place.names.get(registration.locale) or event.place.name) if event.place else ""
    event_url = settings.base_url + links.path("event", event.code)
    calendar = None
    if payload["tag"] in _WITH_CALENDAR:
        waits = ticket.standing.state is WAITING
        note = _door_words(registration, settings, waits=waits)
        entry = event_calendar.Entry(event, event_url, place, note, is_tentative=waits)
        calendar = event_calendar.calendar_file(
            [entry], timezone=settings.timezone, base_url=settings.base_url, now=ctx.now
        )
    picture = None
    if payload["tag"] not in _AFTERWARDS:
        # A name of its own: mail programs keep pictures by name.
        host = urlsplit(settings.base_url).hostname or "localhost"
        picture = Picture(f"ticket.{registration.id}@{host}", _qr_png(url))
    values = {
        "ticket": ticket, "event": event, "registration": registration, "name": unlinked(registration.name),
        "ticket_url": url, "event_url": event_url, "place": place, "what": payload.get("what", []),
        "qr_cid": picture.cid if picture else "",
    }  # fmt: skip
    return TicketMail(to, registration.locale, values, calendar, picture)


def unlinked(name: str) -> str:
    """A name in which no mail program finds an address to make a link of: whoever signs up types the name and
    the mailbox, and we would carry the link there.
    """
    return _JOINED.sub(lambda match: ". " if match[0] == "." else " ", name)


def _door_words(registration: Registration, settings: Settings, *, waits: bool) -> str:
    locale = registration.locale if registration.locale in settings.locales else settings.default_locale
    say = translations(locale).gettext
    words = say("Il codice per l'ingresso è %(code)s.") % {"code": registration.code}
    if not waits:
        return words
    return " ".join([say("Sei in lista d'attesa: vieni se ti diciamo che c'è posto."), words])


def _qr_png(address: str) -> bytes:
    """A kilobyte: one bit a module, drawn large by the mail program."""
    drawing = io.BytesIO()
    segno.make(address, micro=False, error="m").save(drawing, kind="png", scale=4, border=4)
    return drawing.getvalue()


def _still_true(ticket: Ticket, tag: str) -> bool:
    # As its holder reads it: a second sign-up hears what a first one would.
    if ticket.standing.is_doubled or ticket.standing.state not in _TRUE_IN[tag]:
        return False
    if (tag == "event_off") != (ticket.event.state is EventState.CANCELLED) and tag != "sign_up_cancelled":
        return False
    return tag in _AFTERWARDS or not ticket.is_over


def address_of(registration: Registration) -> str | None:
    """Where mail about a sign-up goes: the address given with it, else the account's unless it wants none.

    `registration.person` must be loaded.
    """
    if registration.email:
        return registration.email
    person: Person | None = registration.person
    if person is None or not person.email or not audience.reachable(person):
        return None
    return None if person.mail_rhythm is MailRhythm.NEVER else person.email
