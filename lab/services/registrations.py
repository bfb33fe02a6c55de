"""Signing up for a meeting, changing it, giving it back: from the site, a tablet, the door or paper.

One person once: a second sign-up with the same address or telephone is answered like a first one, holds
no place, and is kept beside the one that stands. Whoever typed somebody else's address learns nothing;
its owner hears of it by mail.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import phonenumbers
from sqlalchemy import Table, bindparam, select

from lab.db.locking import expect_version, locked
from lab.db.upsert import insert_once
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.text import clean_line, clean_text, fold, fold_email, valid_email
from lab.models.events import EventState, Offer
from lab.models.registrations import (
    Registration,
    RegistrationState,
    SignUp,
    Source,
)
from lab.services import audit, hosting, outbox, seats, twins
from lab.services.context import Context
from lab.services.sign_up_answers import check_answers, check_size

NAME_LIMIT = 80
NOTE_LIMIT = 500
STANDING = (RegistrationState.CONFIRMED, RegistrationState.WAITING)
#: Whoever writes down others: hosts, at the door, from paper, at the telephone.
STAFF_SOURCES = (Source.DOOR, Source.PAPER, Source.DESK)
#: Telephone numbers without a country are numbers of this one.
_COUNTRY = "IT"
#: By any of these two sign-ups are one person's.
_TABLE = Registration.__table__
assert isinstance(_TABLE, Table)
# A thousand people press at once: what every sign-up asks is put together once, and reads plain columns.
_REPEATED = select(_TABLE.c.id, _TABLE.c.client_uuid, _TABLE.c.payload_hash, _TABLE.c.forgotten_at).where(
    _TABLE.c.client_uuid.in_(bindparam("uuids", expanding=True))
)


@dataclass(frozen=True)
class Party:
    """Who wants to come. Only `event_id`, `name` and the yes to the conditions are needed."""

    event_id: int
    name: str
    consent: bool = True
    email: str = ""
    phone: str = ""
    party_size: int = 1
    group_id: int | None = None
    needs: tuple[str, ...] = ()
    needs_note: str = ""
    #: By id of the question, as text: one value, or a list where several may be chosen.
    answers: dict[str, Any] = field(default_factory=dict)
    locale: str = "it"
    consent_version: int | None = None
    source: Source = Source.SITE
    person_id: int | None = None
    client_uuid: str | None = None
    #: A code made by a tablet; None: the books give one.
    code: str | None = None
    claim_digest: str | None = None
    device_id: int | None = None
    #: The lease out of which a tablet promised the place; `lab.services.leases` has checked it.
    lease_id: int | None = None
    said_at: datetime | None = None
    sheet_no: int | None = None
    line_no: int | None = None
    #: A host lets them in whatever the count, or after the end of sign-ups, and says why.
    override_reason: str = ""


def payload_hash(party: Party) -> str:
    """What identifies the content of a sign-up, so that one id cannot carry two."""
    said = {
        "event": party.event_id,
        "name": party.name.strip(),
        "email": party.email.strip(),
        "phone": party.phone.strip(),
        "size": party.party_size,
        "group": party.group_id,
        "needs": sorted(party.needs),
        "note": party.needs_note.strip(),
        "answers": party.answers,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def sign_up(ctx: Context, party: Party) -> Registration:
    """Put a party on the list: confirmed, or waiting when it does not fit. Six statements for the plainest
    meeting; groups and questions take one each.

    The same `client_uuid` again gives the same registration; with other content it raises
    `Conflict("same_id_other_content")`. Account holders who already stand on the list get
    `Conflict("already_signed_up")`. Raises `Invalid` for name, email, phone, party_size, group_id, needs,
    answers.<id>, consent; `Conflict` for event_cancelled, no_sign_up, not_open_yet, sign_up_closed.
    """
    return sign_up_all([(ctx, party)])[0]


def sign_up_all(wishes: Sequence[tuple[Context, Party]]) -> list[Registration]:
    """Put parties on the list of one event, in this order, under one lock. Their contexts share one session.

    When one is refused this raises as `sign_up` does, and the transaction must not be kept.
    """
    earlier = _earlier(wishes)
    placed: list[Registration] = []
    new: list[tuple[Context, Party, Registration]] = []
    for ctx, party in wishes:
        again = earlier.get(party.client_uuid)
        placed.append(again or _fresh(ctx, party))
        if again is None:
            new.append((ctx, party, placed[-1]))
    if new:
        _enter_all(new)
    return placed


def _enter_all(new: Sequence[tuple[Context, Party, Registration]]) -> None:
    session = new[0][0].session
    with seats.books(new[0][0], new[0][1].event_id) as held:
        met = twins.contacts_standing(new[0][0], [one for _ctx, _party, one in new])
        written: set[tuple[str, object]] = set()
        for ctx, party, one in new:
            contacts = twins.contacts_of(one)
            # Sign-ups of this same moment are on no list yet where the next could be found.
            if contacts & written:
                session.flush()
            _enter(ctx, held, party, one, is_met=bool(contacts & (met | written)))
            written |= contacts
    heard = [(ctx, one) for ctx, _party, one in new if _reachable(one)]
    outbox.announce_all([(ctx, "registration.placed", {"registration_id": one.id}) for ctx, one in heard])


def _enter(
    ctx: Context, held: seats.Books, party: Party, registration: Registration, *, is_met: bool
) -> None:
    by_staff = _is_by_staff(party)
    if held.has_questions or party.answers:
        # A tablet may have been away when a question was added; staff ask nothing more.
        check_answers(ctx, party.event_id, party.answers, asks_all=party.source is Source.SITE)
    _check_open(ctx, held.sign_up, party)
    _check_needs(held.sign_up, party)
    check_size(held.sign_up, party.party_size, free_hand=by_staff)
    if party.group_id is not None and party.group_id not in held.groups:
        raise Invalid("group_id", "unknown")
    registration.consent_version = party.consent_version or held.sign_up.consent_version
    registration.code = party.code or held.next_code()
    # Whoever has the turn lends the others their moment: nobody has waited who was seated at once.
    registration.created_at = max(registration.created_at, held.ctx.now)
    if party.person_id is not None and twins.has_own(ctx, registration, party.person_id):
        raise Conflict("already_signed_up")
    standing = twins.standing(ctx, registration) if is_met else None
    if standing is None:
        held.add(registration, over=bool(party.override_reason), lent=party.lease_id is not None)
    else:
        twins.keep_beside(held, registration, standing)


def _is_by_staff(party: Party) -> bool:
    return bool(party.override_reason) or party.source in STAFF_SOURCES


def repeated(ctx: Context, client_uuid: str | None, digest: str) -> Registration | None:
    """What an earlier sending of the same id placed. Raises `Conflict("same_id_other_content")`."""
    return _repeated(ctx, {client_uuid: digest}).get(client_uuid) if client_uuid else None


def _earlier(wishes: Sequence[tuple[Context, Party]]) -> dict[str | None, Registration]:
    digests = {party.client_uuid: payload_hash(party) for _ctx, party in wishes if party.client_uuid}
    return _repeated(wishes[0][0], digests)


def _repeated(ctx: Context, digests: dict[str, str]) -> dict[str | None, Registration]:
    found = ctx.session.execute(_REPEATED, {"uuids": list(digests)}).all() if digests else []
    for one in found:
        # Once names are deleted nothing is left to compare with: the id alone says that it is the same.
        if one.forgotten_at is None and one.payload_hash != digests[one.client_uuid]:
            raise Conflict("same_id_other_content")
    return {one.client_uuid: ctx.session.get_one(Registration, one.id) for one in found}


def by_client_uuid(ctx: Context, client_uuid: str | None, event_id: int) -> Registration | None:
    """The sign-up that was sent under this id for this meeting."""
    if not client_uuid:
        return None
    mine = (Registration.client_uuid == client_uuid) & (Registration.event_id == event_id)
    return ctx.session.execute(select(Registration).where(mine)).scalar_one_or_none()


def cancel(ctx: Context, registration_id: int, expected_version: int | None = None) -> Registration:
    """Give the places back; whoever waits and fits gets them in this transaction.

    Cancelling again changes nothing. Who may: the caller has opened the ticket or is a host.
    """
    with seats.books(ctx, event_of(ctx, registration_id)) as held:
        registration = locked_registration(ctx, registration_id)
        expect_version(registration, expected_version)
        if registration.state in STANDING:
            number = registration.queue_no
            held.remove(registration, RegistrationState.CANCELLED)
            _ended(ctx, registration)
            tell(ctx, "registration.cancelled", registration)
            for one in twins.take_over(held, registration, number):
                tell(ctx, "registration.placed", one)
        elif registration.state is RegistrationState.MERGED and registration.cancelled_at is None:
            # It holds no place: only its own page changes.
            _ended(ctx, registration)
            tell(ctx, "registration.cancelled", registration)
    return registration


def _ended(ctx: Context, registration: Registration) -> None:
    registration.cancelled_at = ctx.now
    registration.version += 1


def tell(ctx: Context, event: str, registration: Registration) -> None:
    """Announce what happened to a sign-up, if there is a way to reach who made it."""
    if _reachable(registration):
        outbox.announce(ctx, event, registration_id=registration.id)


def _reachable(registration: Registration) -> bool:
    return bool(registration.email or registration.person_id)


def locked_registration(ctx: Context, registration_id: int) -> Registration:
    """One sign-up, newest state. Callers that change it hold the books, which serialise everything."""
    return locked(ctx.session, Registration, registration_id)


def event_of(ctx: Context, registration_id: int) -> int:
    """The event a sign-up is for, read without a lock: the books are locked first, then its rows. The other
    way round two who change their sign-ups wait for each other. Raises `NotFound`.
    """
    query = select(Registration.event_id).where(Registration.id == registration_id)
    event_id = ctx.session.execute(query).scalar_one_or_none()
    if event_id is None:
        raise NotFound("registration")
    return event_id


def ensure_books(ctx: Context, event_id: int) -> None:
    """Make sure an event has books, also where nobody need sign up (doors, tablets)."""
    insert_once(ctx.session, SignUp, _empty_books(event_id))


def _empty_books(event_id: int) -> dict[str, Any]:
    counters = dict.fromkeys(("taken", "waiting", "lent", "arrived", "queue_last", "code_last"), 0)
    rules = {"is_offered": False, "party_most": 10, "keep_days": 30, "remind_days": 0, "has_groups": False}
    words = {"asks": [], "consent_note": "", "consent_version": 1, "version": 1}
    return {"event_id": event_id, **counters, **rules, **words}


def _run_by(ctx: Context, party: Party) -> None:
    """Only a host, or a tablet that a host paired (the program acts for it), writes people down."""
    event, grant = hosting.run(ctx, party.event_id)
    if party.override_reason:
        audit.record(ctx, "registration.override", event, grant, reason=party.override_reason)


def _fresh(ctx: Context, party: Party) -> Registration:
    if _is_by_staff(party):
        _run_by(ctx, party)
    if not party.consent:
        raise Invalid("consent", "consent_needed")
    return Registration(
        event_id=party.event_id,
        person_id=party.person_id,
        **who(party.name, party.email, party.phone),
        party_size=party.party_size,
        group_id=party.group_id,
        needs=sorted(set(party.needs)),
        needs_note=clean_text(party.needs_note, NOTE_LIMIT),
        answers=party.answers,
        locale=party.locale,
        source=party.source,
        device_id=party.device_id,
        lease_id=party.lease_id,
        typed_by_id=ctx.actor.person_id if party.source in STAFF_SOURCES else None,
        sheet_no=party.sheet_no,
        line_no=party.line_no,
        client_uuid=party.client_uuid,
        payload_hash=payload_hash(party) if party.client_uuid else None,
        claim_digest=party.claim_digest,
        said_at=party.said_at,
        override_reason=clean_line(party.override_reason, 200),
        created_at=ctx.now,
    )


def who(name: str, email: str, phone: str) -> dict[str, Any]:
    """The columns that say who it is, with their keys. Raises `Invalid` for name, email, phone."""
    name = clean_line(name, NAME_LIMIT)
    if not name:
        raise Invalid("name", "name_missing")
    email = clean_line(email, 254)
    if email and not valid_email(email):
        raise Invalid("email", "bad_email")
    return {
        "name": name,
        "name_key": name_key(name),
        "email": email or None,
        "email_key": fold_email(email) if email else None,
        "phone": clean_line(phone, 32) or None,
        "phone_key": phone_key_of(phone),
    }


def name_key(name: str) -> str:
    """A name without case, accents, apostrophes and order: "D'Angelo Maria" is "maria d angelo"."""
    words = "".join(c if c.isalnum() else " " for c in fold(name)).split()
    return " ".join(sorted(words))[:120]


def phone_key_of(phone: str) -> str | None:
    """A telephone number as E.164, None for none. Raises `Invalid("phone", "bad_phone")`."""
    written = phone.strip()
    if not written:
        return None
    try:
        number = phonenumbers.parse(written, _COUNTRY)
    except phonenumbers.NumberParseException:
        raise Invalid("phone", "bad_phone") from None
    if not phonenumbers.is_possible_number(number):
        raise Invalid("phone", "bad_phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _check_open(ctx: Context, sign_up: SignUp, party: Party) -> None:
    event = sign_up.event
    if not event.is_public and party.source is Source.SITE:
        raise NotFound("event")
    if event.state is EventState.CANCELLED:
        raise Conflict("event_cancelled")
    # What was said in time on a tablet counts as in time; a host may always.
    if party.override_reason or party.source in STAFF_SOURCES:
        return
    if not sign_up.is_offered and party.source is Source.SITE:
        raise Conflict("no_sign_up")
    said = party.said_at if party.source is Source.KIOSK and party.said_at else ctx.now
    if sign_up.opens_at and said < sign_up.opens_at:
        raise Conflict("not_open_yet")
    # Tablets stand in the room: people sign up there also after it has begun.
    if party.source is Source.SITE and said >= closing(sign_up):
        raise Conflict("sign_up_closed")


def closing(sign_up: SignUp) -> datetime:
    """When sign-ups on the site end. `sign_up.event` must be loaded."""
    starts = sign_up.event.starts_at
    return min(sign_up.closes_at, starts) if sign_up.closes_at else starts


def _check_needs(sign_up: SignUp, party: Party) -> None:
    # A tablet may have been away when a need was taken off the form; staff write what they are told.
    offered = set(sign_up.asks) if party.source is Source.SITE else set(Offer)
    if not set(party.needs) <= offered:
        raise Invalid("needs", "unknown")
