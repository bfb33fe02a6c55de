"""Tablets of a meeting: the codes that pair them, their tokens, what they say of themselves.

A token opens the addresses of tablets for one meeting and nothing else, until it expires after the meeting
or a host revokes it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from lab.db.locking import locked
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.ids import ALPHABET, new_token, token_digest
from lab.kernel.pins import KeptPin, is_pin, keep_pin, read_pin
from lab.kernel.text import clean_line
from lab.models.events import Event, EventState
from lab.models.kiosk import Device, DeviceMode, PairingCode
from lab.models.registrations import SignUp
from lab.services import audit, hosting, registrations, sealing
from lab.services.context import Context

#: Longest thing a tablet may say of itself, in characters.
REPORT_LIMIT = 4000
CODE_LENGTH = 8
CODE_LIFE = timedelta(minutes=15)
#: A tablet forgotten in a cupboard still delivers for so long after its meeting.
LIFE_AFTER = timedelta(days=30)
#: People still sign up while the chairs are put away; what is said later is looked at by a person.
LATE = timedelta(hours=12)
#: The demonstration's own code lives until the demonstration is loaded anew.
_STANDING_LIFE = timedelta(days=3650)
NAME_LIMIT = 60
_PREFIXES = [first + second for first in ALPHABET if first.isalpha() for second in ALPHABET]


@dataclass(frozen=True)
class NewCode:
    """A tablet to be paired: its name ("Ingresso"), what it is for, and the PIN of its corner."""

    event_id: int
    name: str
    pin: str
    mode: DeviceMode = DeviceMode.KIOSK


@dataclass(frozen=True)
class Paired:
    """What the tablet is handed once: its token is kept nowhere else."""

    device: Device
    token: str
    pin: KeptPin


@dataclass(frozen=True)
class Tablet:
    """A paired device as its requests know it; rows read before a transaction do not live in it."""

    id: int
    event_id: int
    event_code: str
    mode: DeviceMode
    prefix: str
    #: When the first tablet of this meeting was paired: nothing can have been said before.
    since: datetime
    #: Sign-ups said later are looked at by a person.
    until: datetime


def closes_at(event: Event) -> datetime:
    """Until when tablets in the room take sign-ups."""
    return ends_at(event) + LATE


def ends_at(event: Event) -> datetime:
    """When a meeting is over, as announced."""
    return event.starts_at + timedelta(minutes=event.minutes)


def make_code(ctx: Context, command: NewCode) -> tuple[PairingCode, str]:
    """A code that pairs one tablet within a quarter of an hour; the second value is what people type.

    Raises `NotFound` for all but the hosts, `Invalid` for name and pin, `Conflict` for event_cancelled and
    event_over.
    """
    event, grant = hosting.run(ctx, command.event_id)
    _check_pairing(ctx, event, command)
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    made = _code_row(ctx, command, code, CODE_LIFE)
    sealing.current_key(ctx)
    registrations.ensure_books(ctx, event.id)
    audit.record(ctx, "kiosk.code", event, grant, mode=str(command.mode), code_id=made.id)
    return made, code


def code_of(ctx: Context, event_id: int, code_id: int) -> PairingCode:
    """A pairing code that was made for this meeting. Raises `NotFound`."""
    row = ctx.session.get(PairingCode, code_id)
    if row is None or row.event_id != event_id:
        raise NotFound("pairing_code")
    return row


def _check_pairing(ctx: Context, event: Event, command: NewCode) -> None:
    if event.state is EventState.CANCELLED:
        raise Conflict("event_cancelled")
    if ctx.now > ends_at(event) + LIFE_AFTER:
        raise Conflict("event_over")
    if not clean_line(command.name, NAME_LIMIT):
        raise Invalid("name", "required")
    if not is_pin(command.pin):
        raise Invalid("pin", "bad_pin")


def _code_row(
    ctx: Context, command: NewCode, code: str, life: timedelta, *, many_uses: bool = False
) -> PairingCode:
    made = PairingCode(
        event_id=command.event_id,
        code_digest=_digest(code),
        mode=command.mode,
        name=clean_line(command.name, NAME_LIMIT),
        pin_hash=keep_pin(command.pin),
        made_at=ctx.now,
        made_by_id=ctx.actor.person_id,
        expires_at=ctx.now + life,
        many_uses=many_uses,
    )
    ctx.session.add(made)
    ctx.session.flush()
    return made


def standing_code(ctx: Context, code: str, pin: str) -> Event | None:
    """The demonstration's own code, for the next meeting to come; None when there is none.

    It pairs as many tablets as ask. The caller makes sure that this is no installation of real people.
    """
    coming = select(Event).where(
        Event.starts_at > ctx.now, Event.state == EventState.PLANNED, Event.is_public
    )
    event = ctx.session.execute(coming.order_by(Event.starts_at, Event.id).limit(1)).scalar_one_or_none()
    if event is None:
        return None
    known = select(PairingCode).where(PairingCode.code_digest == _digest(code))
    row = ctx.session.execute(known).scalar_one_or_none()
    if row is None:
        _code_row(ctx, NewCode(event.id, "Totem", pin), code, _STANDING_LIFE, many_uses=True)
        sealing.current_key(ctx)
    else:
        row.event_id = event.id
    registrations.ensure_books(ctx, event.id)
    ctx.session.flush()
    return event


def spoken_code(text: str) -> str:
    """A pairing code as people may type it: any case, with spaces and hyphens. "" when it cannot be one."""
    code = "".join(text[:40].upper().replace("-", "").split())
    return code if len(code) == CODE_LENGTH and all(symbol in ALPHABET for symbol in code) else ""


def pair(ctx: Context, code: str, *, standing_too: bool) -> Paired:
    """Make a browser a device.

    `standing_too`: whether a code that may be used again and again is good here (demonstrations only).
    Raises `NotFound("pairing_code")` for unknown, used and expired codes alike, and
    `Conflict("too_many_devices")`.
    """
    query = select(PairingCode).where(PairingCode.code_digest == _digest(spoken_code(code)))
    found = ctx.session.execute(query.with_for_update()).scalar_one_or_none()
    if found is None or found.expires_at <= ctx.now or (found.used_at and not found.many_uses):
        raise NotFound("pairing_code")
    if found.many_uses and not standing_too:
        raise NotFound("pairing_code")
    event = ctx.session.get_one(Event, found.event_id)
    token, pin = new_token(), found.pin_hash
    found.used_at = ctx.now
    device = Device(
        event_id=event.id,
        name=found.name,
        mode=found.mode,
        prefix=_prefix(ctx, event.id),
        token_digest=token_digest(token),
        pin_hash=pin,
        paired_at=ctx.now,
        paired_by_id=found.made_by_id,
        expires_at=max(ends_at(event), ctx.now) + LIFE_AFTER,
        last_seen_at=ctx.now,
        event=event,
    )
    ctx.session.add(device)
    ctx.session.flush()
    audit.record(ctx, "kiosk.pair", device, event=event.code)
    return Paired(device, token, read_pin(pin))


def _digest(code: str) -> str:
    return token_digest(f"pairing:{code}")


def _prefix(ctx: Context, event_id: int) -> str:
    # Whoever pairs holds the lock of the books, so that two tablets never get the same.
    registrations.ensure_books(ctx, event_id)
    locked(ctx.session, SignUp, event_id)
    used = set(ctx.session.execute(select(Device.prefix).where(Device.event_id == event_id)).scalars())
    free = [prefix for prefix in _PREFIXES if prefix not in used]
    if not free:
        raise Conflict("too_many_devices")
    return secrets.choice(free)


def by_token(ctx: Context, token: str) -> Tablet | None:
    """The tablet behind a token, while it may speak; else None. One statement."""
    other = aliased(Device)
    first = select(func.min(other.paired_at)).where(other.event_id == Device.event_id).scalar_subquery()
    query = select(Device, Event.code, Event.starts_at, Event.minutes, first)
    query = query.join(Event, Event.id == Device.event_id)
    row = ctx.session.execute(query.where(Device.token_digest == token_digest(token))).one_or_none()
    if row is None or row.Device.revoked_at is not None or row.Device.expires_at <= ctx.now:
        return None
    device = row.Device
    until = row.starts_at + timedelta(minutes=row.minutes) + LATE
    return Tablet(device.id, device.event_id, row.code, device.mode, device.prefix, row[4], until)


def heard(ctx: Context, device_id: int, report: dict[str, Any]) -> None:
    """Write down that a tablet spoke, and what it said of itself."""
    device = locked(ctx.session, Device, device_id)
    device.last_seen_at = ctx.now
    if report:
        device.report = report
    ctx.session.flush()


def of_event(ctx: Context, event_id: int) -> Sequence[Device]:
    """The tablets of a meeting, those in use first; the caller has checked who looks."""
    query = select(Device).where(Device.event_id == event_id)
    found = ctx.session.execute(query.order_by(Device.id)).scalars().all()
    return sorted(found, key=lambda device: device.revoked_at is not None)


def hosted(ctx: Context, event_code: str, device_id: int) -> tuple[Event, Device]:
    """One tablet of a meeting that the actor runs. Raises `NotFound`."""
    event, _grant = hosting.by_code(ctx, event_code)
    device = ctx.session.get(Device, device_id)
    if device is None or device.event_id != event.id:
        raise NotFound("device")
    return event, device


def pause(ctx: Context, device_id: int, *, paused: bool) -> Device:
    """Let a tablet show "in pause", or go on; it learns of it when it next speaks."""
    device = locked(ctx.session, Device, device_id)
    _event, grant = hosting.run(ctx, device.event_id)
    if (device.paused_at is not None) is not paused:
        device.paused_at = ctx.now if paused else None
        audit.record(ctx, "kiosk.pause" if paused else "kiosk.resume", device, grant)
        ctx.session.flush()
    return device


def revoke(ctx: Context, device_id: int) -> Device:
    """End a token: from the next call on the tablet is a stranger, and keeps what it has.

    Places lent to it stay lent: it may have promised them. They are taken back by hand.
    """
    device = locked(ctx.session, Device, device_id)
    _event, grant = hosting.run(ctx, device.event_id)
    if device.revoked_at is None:
        device.revoked_at = ctx.now
        device.revoked_by_id = ctx.actor.person_id
        audit.record(ctx, "kiosk.revoke", device, grant)
        ctx.session.flush()
    return device
