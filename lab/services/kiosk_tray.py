"""The tray of a meeting: records of tablets that a person must look at, then take, correct or drop."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from lab.db.locking import locked
from lab.kernel.errors import Conflict, Invalid, LabError, NotFound
from lab.kernel.text import clean_line
from lab.kernel.tokens import Signer
from lab.models.events import Event
from lab.models.kiosk import Device, DeviceMode, TrayItem
from lab.models.registrations import Registration, RegistrationState
from lab.policy.actor import SYSTEM, Grant
from lab.services import (
    audit,
    devices,
    hosting,
    kiosk,
    kiosk_payload,
    kiosk_people,
    registrations,
    sealing,
    seats,
)
from lab.services.context import Context
from lab.services.kiosk import Result
from lab.services.kiosk_payload import Record, Sender

REASON_LIMIT = 200
#: Settled records shown on one page.
_SHOWN = 50
#: Kept as they came: their content is not known yet.
CLOSED = frozenset({"unreadable", "unknown_version", "other_event", "malformed"})
#: What a host may correct, by kind of record, in the order of the page.
FIELDS: dict[str, tuple[str, ...]] = {
    "sign_up": ("name", "email", "phone", "party_size", "needs_note"),
    "walk_in": ("name", "party_size"),
    "check_in": ("code", "people"),
    "idea": ("text", "name"),
    "question": ("text", "name"),
    "how_it_was": ("stars", "text"),
}
_NUMBERS = frozenset({"party_size", "people", "stars"})
#: Details that are left out when they do not fit: the rest of what was said still counts.
_MAY_GO = frozenset({"answers", "needs", "group_id", "place_code", "lease_id", "claim"})


@dataclass(frozen=True)
class Take:
    """Take a record in, as corrected. `override`: why the party comes in although it is full or late."""

    item_id: int
    changes: dict[str, str] = field(default_factory=dict)
    override: str = ""


def open_items(ctx: Context, event_id: int) -> Sequence[TrayItem]:
    """What still waits for a person, the oldest first; the caller has checked who looks."""
    query = select(TrayItem).where(TrayItem.event_id == event_id, TrayItem.settled_at.is_(None))
    return ctx.session.execute(query.order_by(TrayItem.id)).scalars().all()


def settled_items(ctx: Context, event_id: int) -> Sequence[TrayItem]:
    """What somebody has looked at, the latest first."""
    query = select(TrayItem).where(TrayItem.event_id == event_id, TrayItem.settled_at.is_not(None))
    return ctx.session.execute(query.order_by(TrayItem.settled_at.desc()).limit(_SHOWN)).scalars().all()


def look(ctx: Context, event_code: str, item_id: int) -> tuple[Event, TrayItem]:
    """One record with its content, for the hosts; the look is written down. Raises `NotFound`."""
    event, item, grant = of_host(ctx, event_code, item_id)
    hosting.look(ctx, event, grant, "tray")
    return event, item


def of_host(ctx: Context, event_code: str, item_id: int) -> tuple[Event, TrayItem, Grant]:
    """One record of a meeting that the actor runs. Raises `NotFound`."""
    event, grant = hosting.by_code(ctx, event_code)
    item = ctx.session.get(TrayItem, item_id)
    if item is None or item.event_id != event.id:
        raise NotFound("tray_item")
    return event, item, grant


def take(ctx: Context, command: Take, signer: Signer) -> Result:
    """Take a record in as a host corrected it.

    Raises `NotFound`, `Conflict("already_settled")`, `Conflict("still_closed")` for what nobody can read, and
    what the record itself raises (`Invalid` on one of its fields, `Conflict`).
    """
    item, event, grant = _locked(ctx, command.item_id)
    if item.reason in CLOSED:
        raise Conflict("still_closed")
    override = clean_line(command.override, REASON_LIMIT)
    if item.reason == kiosk_people.PROMISED:
        result = _keep_promise(ctx, item, override)
    else:
        record = _corrected(item, command.changes, override)
        result = _act(replace(ctx, actor=SYSTEM), _sender(ctx, item, event), record, signer)
    _settle(ctx, item, grant, "taken", result.result, override)
    return result


def drop(ctx: Context, item_id: int, reason: str) -> TrayItem:
    """Leave a record out, with a reason. Its content stays until the meeting's names are deleted.

    Raises `NotFound`, `Invalid("reason", "required")`, `Conflict("already_settled")`.
    """
    item, _event, grant = _locked(ctx, item_id)
    words = clean_line(reason, REASON_LIMIT)
    if not words:
        raise Invalid("reason", "required")
    _settle(ctx, item, grant, "dropped", words, words)
    return item


def try_again(ctx: Context, item_id: int, signer: Signer) -> Result:
    """Read again what could not be read: the site is newer now, or it belongs to another meeting of the host.

    Raises `Conflict("still_closed")` when it still cannot be read, and whatever the record raises.
    """
    item, event, grant = _locked(ctx, item_id)
    envelope = item.payload["envelope"]
    if item.reason == "other_event":
        event = _other_event(ctx, str(envelope.get("event")))
    sender = _sender(ctx, item, event)
    record = kiosk_payload.read(sealing.keys(ctx), sender, envelope, item.received_at)
    if record.trouble:
        raise Conflict("still_closed")
    result = kiosk.act(replace(ctx, actor=SYSTEM), sender, record, signer)
    _settle(ctx, item, grant, "taken", result.result, "")
    return result


def _locked(ctx: Context, item_id: int) -> tuple[TrayItem, Event, Grant]:
    item = locked(ctx.session, TrayItem, item_id)
    event, grant = hosting.run(ctx, item.event_id)
    if item.settled_at is not None:
        raise Conflict("already_settled")
    return item, event, grant


def _other_event(ctx: Context, code: str) -> Event:
    try:
        return hosting.by_code(ctx, code)[0]
    except LabError:
        raise Conflict("other_hosts") from None


def _sender(ctx: Context, item: TrayItem, event: Event) -> Sender:
    device = ctx.session.get(Device, item.device_id) if item.device_id else None
    is_door = device is not None and device.mode is DeviceMode.DOOR
    return Sender(event.id, event.code, devices.closes_at(event), item.device_id, is_door=is_door)


def _corrected(item: TrayItem, changes: dict[str, str], override: str) -> Record:
    payload = dict(item.payload.get("said") or {})
    for name in FIELDS[item.kind]:
        if name in changes:
            payload[name] = _typed(name, changes[name])
    # Another person's record stands under the same id: this one gets an id of its own, always the same.
    own = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{item.client_uuid}:{item.payload_hash}"))
    return Record(
        client_uuid=own if item.reason == kiosk.CONFLICT else item.client_uuid,
        kind=item.kind,
        digest=item.payload_hash,
        said_at=datetime.fromisoformat(item.payload["said_at"]),
        payload=payload,
        override=override,
    )


def _act(ctx: Context, sender: Sender, record: Record, signer: Signer) -> Result:
    """Do what the record asks for, without the details that the page cannot correct and that do not fit."""
    try:
        with ctx.session.begin_nested():
            return kiosk.act(ctx, sender, record, signer)
    except Invalid as error:
        detail = error.field.partition(".")[0]
        if detail not in _MAY_GO or detail not in record.payload:
            raise
    rest = {name: value for name, value in record.payload.items() if name != detail}
    return _act(ctx, sender, replace(record, payload=rest), signer)


def _typed(name: str, value: str) -> Any:
    if name not in _NUMBERS:
        return value
    if not value.strip():
        return None
    if not value.strip().isdecimal() or len(value) > 6:
        raise Invalid(name, "bad_number")
    return int(value)


def _keep_promise(ctx: Context, item: TrayItem, override: str) -> Result:
    """Let in, above the places, whom a tablet had told that they have one."""
    if not override:
        raise Invalid("override", "override_reason")
    found = registrations.by_client_uuid(ctx, item.client_uuid, item.event_id)
    if found is None:
        raise Conflict("still_closed")
    with seats.books(ctx, item.event_id) as held:
        registration = registrations.locked_registration(ctx, found.id)
        if registration.state is RegistrationState.WAITING:
            held.seat_over(registration)
            _say_why(ctx, registration, override)
    return Result(item.client_uuid, 200, "confirmed")


def _say_why(ctx: Context, registration: Registration, reason: str) -> None:
    registration.override_reason = reason
    registration.version += 1
    registrations.tell(ctx, "registration.promoted", registration)


def _settle(ctx: Context, item: TrayItem, grant: Grant, how: str, what: str, reason: str) -> None:
    item.settled_at = ctx.now
    item.settled_by_id = ctx.actor.person_id
    item.settlement = f"{how}:{what}"
    audit.record(ctx, f"kiosk.{how}", item, grant, reason=reason, was=item.reason, kind=item.kind)
    ctx.session.flush()
