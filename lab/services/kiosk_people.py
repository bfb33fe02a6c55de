"""Sign-ups, walk-ins and arrivals, as tablets send them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lab.kernel.errors import Conflict, Denied, Invalid
from lab.kernel.ids import ALPHABET, token_digest
from lab.kernel.tokens import Signer
from lab.models.events import Offer
from lab.models.registrations import Registration, RegistrationState, SignUp, Source
from lab.services import arrivals, leases, registrations, tickets
from lab.services import kiosk_payload as said
from lab.services.context import Context
from lab.services.kiosk_payload import Record, Sender, Told

_PREFIX = 2
_CODE_SYMBOLS = 4
#: They were told "confirmed" by a tablet, and their places were given to others since.
PROMISED = "promised_place"


def sign_up(ctx: Context, sender: Sender, record: Record, signer: Signer) -> Told:
    """A party signs up; places that this tablet was lent and promised are theirs.

    Raises `Invalid` for what was said, `Conflict("sign_up_closed")` once the meeting is long over, and as
    `registrations.sign_up`.
    """
    if record.said_at > sender.until and not record.override:
        raise Conflict("sign_up_closed")
    party = _party(sender, record)
    promised = None if record.again else said.number(record.payload, "lease_id")
    if promised is not None:
        leases.hold(ctx, sender.event_id)
        # Somebody who sent the same at the same moment has used the promise already.
        if registrations.by_client_uuid(ctx, record.client_uuid, sender.event_id):
            promised = None
        elif leases.use(ctx, promised, party):
            party = replace(party, lease_id=promised)
    placed = registrations.sign_up(ctx, party)
    ctx.session.flush()
    broken = promised is not None and placed.state is RegistrationState.WAITING
    return Told(200 if record.again else 201, *_where(ctx, placed), aside=PROMISED if broken else "")


def _party(sender: Sender, record: Record) -> registrations.Party:
    payload = record.payload
    needs = said.words(payload, "needs")
    if set(needs) - {offer.value for offer in Offer}:
        raise Invalid("needs", "unknown")
    claim = said.text(payload, "claim", 64)
    return registrations.Party(
        event_id=sender.event_id,
        name=said.text(payload, "name", registrations.NAME_LIMIT),
        consent=payload.get("consent") is True,
        email=said.text(payload, "email", 254),
        phone=said.text(payload, "phone", 32),
        party_size=said.number(payload, "party_size", 1) or 0,
        group_id=said.number(payload, "group_id"),
        needs=needs,
        needs_note=said.text(payload, "needs_note", registrations.NOTE_LIMIT),
        answers=_answers(record),
        locale=said.language(payload, "it"),
        consent_version=said.number(payload, "consent_version"),
        source=Source.KIOSK,
        client_uuid=record.client_uuid,
        code=_code(record),
        claim_digest=token_digest(claim) if len(claim) >= 20 else None,
        device_id=sender.device_id,
        said_at=record.said_at,
        override_reason=record.override,
    )


def _answers(record: Record) -> dict[str, Any]:
    """The answers as the site's own pages send them: every value a text, or a list of them."""
    given = record.payload.get("answers") or {}
    if not isinstance(given, dict):
        raise Invalid("answers", "unknown")
    words = {True: "yes", False: "no"}
    return {
        key: words[value] if isinstance(value, bool) else str(value) if isinstance(value, int) else value
        for key, value in given.items()
    }


def _code(record: Record) -> str | None:
    """The short code that the tablet has shown; None lets the books give one."""
    code = said.text(record.payload, "code", 12).replace("-", "").upper()
    # Longer than those of the books, which it therefore never meets.
    is_ours = len(code) == _PREFIX + _CODE_SYMBOLS and set(code) <= set(ALPHABET)
    return code if is_ours and record.own_code else None


def _where(ctx: Context, registration: Registration) -> tuple[str, dict[str, Any]]:
    code = {"code": registration.code}
    sign_up = ctx.session.get_one(SignUp, registration.event_id)
    standing = tickets.standing(ctx, registration, sign_up)
    if standing.state is RegistrationState.CONFIRMED:
        return "confirmed", {"place": standing.number, "of": standing.of, **code}
    if standing.state is RegistrationState.WAITING:
        return "waiting", {"number": standing.number, **code}
    # It came, and was given back since.
    return "received", code


def walk_in(ctx: Context, sender: Sender, record: Record, signer: Signer) -> Told:
    """Somebody on no list stands at the door. Raises `Denied("door_only")`, and as `arrivals.walk_in`."""
    payload = record.payload
    if not sender.is_door:
        raise Denied("door_only")
    command = arrivals.WalkIn(
        event_id=sender.event_id,
        name=said.text(payload, "name", registrations.NAME_LIMIT),
        party_size=said.number(payload, "party_size", 1) or 0,
        override_reason=record.override or said.text(payload, "override_reason", arrivals.REASON_LIMIT),
        source=Source.DOOR,
        code=_code(record),
        client_uuid=record.client_uuid,
        payload_hash=said.content_hash(record),
        device_id=sender.device_id,
        said_at=record.said_at,
    )
    return _came(ctx, sender, arrivals.walk_in(ctx, command))


def check_in(ctx: Context, sender: Sender, record: Record, signer: Signer) -> Told:
    """A party on the list is here."""
    payload = record.payload
    claim, ticket = said.text(payload, "claim", 64), said.text(payload, "ticket", 4096)
    registration_id = said.number(payload, "registration_id") if sender.is_door else None
    if ticket:
        registration_id = tickets.open_key(ctx, signer, ticket).id
    command = arrivals.Arrive(
        event_id=sender.event_id,
        registration_id=registration_id,
        code=said.text(payload, "code", 20),
        claim_digest=token_digest(claim) if claim else None,
        people=said.number(payload, "people"),
        override_reason=record.override,
        source=Source.DOOR if sender.is_door else Source.KIOSK,
        client_uuid=record.client_uuid,
        payload_hash=said.content_hash(record),
        device_id=sender.device_id,
        said_at=record.said_at,
    )
    return _came(ctx, sender, arrivals.arrive(ctx, command))


def _came(ctx: Context, sender: Sender, arrived: arrivals.Arrived) -> Told:
    ctx.session.flush()
    more: dict[str, Any] = {"at": arrived.at.isoformat(), "people": arrived.arrival.people}
    if sender.is_door:
        more |= {"name": arrived.registration.name, "code": arrived.registration.code}
    status = 200 if arrived.repeated else 201
    return Told(status, "already_in" if arrived.again else "arrived", more)
