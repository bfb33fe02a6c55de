"""Who came: marked at the door by name, code or ticket; walk-ins by name alone; undone by a host.

A party is in once. A second scan is answered with the first; the same client's UUID is answered with what
it did the first time, for ever. Whoever stands in the room is a fact: a host may let in people who wait, who
cancelled, or for whom nobody kept a place, and says why. What a tablet of the door wrote down without
network, and what stands on paper, has happened already and is never refused for want of places.

The people in the room are the sum of the arrivals that stand, kept in `SignUp.arrived` under the books.
A row that was merged into another keeps in `arrived_count` how many it said came: the count after the
meeting (`lab.services.head_count`) compares what the sources say with who was there.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from lab.db.locking import locked
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.ids import parse_door_code
from lab.kernel.text import clean_line
from lab.models.events import Event, EventState
from lab.models.registrations import Arrival, Registration, RegistrationState, Source
from lab.policy.actor import Grant
from lab.services import audit, hosting, registrations, seats, twins
from lab.services.context import Context

PEOPLE_MOST = 50
REASON_LIMIT = 200


@dataclass(frozen=True)
class Arrive:
    """A party on the list came. One of `registration_id`, `code`, `claim_digest` says which."""

    event_id: int
    registration_id: int | None = None
    code: str | None = None
    claim_digest: str | None = None
    #: How many of them came; None: the whole party.
    people: int | None = None
    #: Why they come in although they wait, cancelled, or are more than there are places.
    override_reason: str = ""
    source: Source = Source.DOOR
    client_uuid: str | None = None
    #: What identifies the content; None: made from the fields above.
    payload_hash: str | None = None
    device_id: int | None = None
    said_at: datetime | None = None


@dataclass(frozen=True)
class WalkIn:
    """Somebody who is on no list came. Only the name is needed."""

    event_id: int
    name: str
    party_size: int = 1
    override_reason: str = ""
    source: Source = Source.DOOR
    needs_note: str = ""
    sheet_no: int | None = None
    line_no: int | None = None
    code: str | None = None
    client_uuid: str | None = None
    payload_hash: str | None = None
    device_id: int | None = None
    said_at: datetime | None = None


@dataclass(frozen=True)
class Arrived:
    """The arrival that stands for the party, and the row of the party that stands.

    `again`: they were in already, since `at`. `repeated`: this very message came before.
    """

    arrival: Arrival
    registration: Registration
    again: bool = False
    repeated: bool = False

    @property
    def at(self) -> datetime:
        """When they came in, as whoever stood at the door would say it."""
        return self.arrival.said_at or self.arrival.at


def arrive(ctx: Context, command: Arrive) -> Arrived:
    """Mark a party on the list as arrived.

    Raises `NotFound` for a party that is not on this event's list, `Invalid("people", "out_of_range")`, and
    `Conflict`: event_cancelled, same_id_other_content; without an `override_reason` also waiting_list,
    cancelled_before and no_place_left, when there are no places for them.
    """
    event, grant = hosting.run(ctx, command.event_id)
    digest = command.payload_hash or _content(command)
    first = _repeated(ctx, command.client_uuid, digest)
    if first is not None:
        return first
    _check(event, command.people)
    found = _find(ctx, command)
    with seats.books(ctx, event.id) as held:
        # Two sendings of one message at once: the second finds the first here.
        first = _repeated(ctx, command.client_uuid, digest)
        if first is not None:
            return first
        registration = standing_row(ctx, found)
        people = command.people or registration.party_size
        arrival = _new(ctx, command, digest, registration, people)
        inside = standing_arrival(ctx, registration.id)
        if inside is not None:
            return _beside(ctx, arrival, inside, registration)
        arrival.before = _let_in(held, registration, people, _Way.of(command), grant)
        _mark(held, registration, arrival)
    return Arrived(arrival, registration)


def walk_in(ctx: Context, command: WalkIn) -> Arrived:
    """Put somebody on the list and mark them as arrived, in one go.

    Raises `Invalid` for name and party_size, and `Conflict`: event_cancelled, same_id_other_content,
    no_place_left (full, and no `override_reason`), list_closed (its names were deleted as promised).
    """
    event, grant = hosting.run(ctx, command.event_id)
    digest = command.payload_hash or _content(command)
    first = _repeated(ctx, command.client_uuid, digest)
    if first is not None:
        return first
    _check(event, None)
    registrations.ensure_books(ctx, event.id)
    with seats.books(ctx, event.id) as held:
        first = _repeated(ctx, command.client_uuid, digest)
        if first is not None:
            return first
        if held.sign_up.forgotten_at is not None:
            raise Conflict("list_closed")
        room, way = held.room_for(None), _Way.of(command)
        if room is not None and room < command.party_size and not way.over:
            raise Conflict("no_place_left")
        registration = registrations.sign_up(ctx, _party(command))
        if registration.state is RegistrationState.WAITING:
            held.seat_over(registration)
            _say_over(ctx, registration, way, grant)
        arrival = _new(ctx, command, digest, registration, command.party_size)
        arrival.before = {"new": True}
        _mark(held, registration, arrival)
    return Arrived(arrival, registration)


def undo(ctx: Context, event_id: int, arrival_id: int) -> Registration:
    """Take a mark back: the party is as it was before it. Undoing again changes nothing.

    Raises `NotFound` for an arrival of another event.
    """
    event, grant = hosting.run(ctx, event_id)
    with seats.books(ctx, event.id) as held:
        arrival = locked(ctx.session, Arrival, arrival_id)
        if arrival.event_id != event.id:
            raise NotFound("arrival")
        registration = registrations.locked_registration(ctx, arrival.registration_id)
        if arrival.undone_at is not None:
            return registration
        arrival.undone_at, arrival.undone_by_id = ctx.now, ctx.actor.person_id
        held.sign_up.arrived -= arrival.people
        _unmark(ctx, registration)
        _restore(held, registration, arrival.before)
        audit.record(ctx, "arrival.undo", registration, grant, people=arrival.people)
    return registration


def recount(ctx: Context, event_id: int, arrival_id: int, people: int, override_reason: str = "") -> Arrived:
    """Say anew how many of a party came: the fourth came later, or they were counted wrong.

    Raises `NotFound`, `Invalid("people", "out_of_range")`, `Conflict("no_place_left")` when they are more
    than there are places and no reason is given, `Conflict("undone")` when the mark was taken back.
    """
    event, grant = hosting.run(ctx, event_id)
    _check(event, people)
    with seats.books(ctx, event.id) as held:
        arrival = locked(ctx.session, Arrival, arrival_id)
        if arrival.event_id != event.id:
            raise NotFound("arrival")
        if arrival.undone_at is not None:
            raise Conflict("undone")
        registration = registrations.locked_registration(ctx, arrival.registration_id)
        changed = _let_in(held, registration, people, _Way(override_reason, False), grant)
        # What stood before the first mark is what undoing brings back.
        arrival.before = {**changed, **arrival.before}
        held.sign_up.arrived += people - arrival.people
        arrival.people = registration.arrived_count = people
        registration.version += 1
    return Arrived(arrival, registration)


def standing_row(ctx: Context, registration_id: int) -> Registration:
    """The row under which this party stands now, locked: merged rows lead to the one that was kept, and a
    cancelled one to a newer sign-up of the same contact. The caller holds the books."""
    row = registrations.locked_registration(ctx, registration_id)
    while row.merged_into_id is not None and row.state is RegistrationState.MERGED:
        row = registrations.locked_registration(ctx, row.merged_into_id)
    if row.state is RegistrationState.CANCELLED:
        newer = twins.standing(ctx, row)
        return registrations.locked_registration(ctx, newer.id) if newer else row
    return row


def standing_arrival(ctx: Context, registration_id: int) -> Arrival | None:
    """The mark that stands for this row; None when they are not in."""
    query = select(Arrival).where(Arrival.registration_id == registration_id, Arrival.undone_at.is_(None))
    return ctx.session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()


@dataclass(frozen=True)
class _Way:
    """How somebody comes in who has no place: with a reason, or because it has happened already."""

    reason: str
    is_fact: bool

    @property
    def over(self) -> bool:
        return self.is_fact or bool(self.reason)

    @classmethod
    def of(cls, command: Arrive | WalkIn) -> _Way:
        fact = command.source is Source.PAPER or (
            command.source is Source.DOOR and command.device_id is not None
        )
        return cls(clean_line(command.override_reason, REASON_LIMIT), fact)


def _check(event: Event, people: int | None) -> None:
    if event.state is EventState.CANCELLED:
        raise Conflict("event_cancelled")
    if people is not None and not 1 <= people <= PEOPLE_MOST:
        raise Invalid("people", "out_of_range")


def _content(command: Arrive | WalkIn) -> str:
    said = asdict(command)
    for name in ("client_uuid", "payload_hash", "said_at"):
        said.pop(name)
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _repeated(ctx: Context, client_uuid: str | None, digest: str) -> Arrived | None:
    if not client_uuid:
        return None
    query = select(Arrival).where(Arrival.client_uuid == client_uuid)
    said = ctx.session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if said is None:
        return None
    # Once the list was forgotten the digest is gone too; what was said then is not said again.
    if said.payload_hash is not None and said.payload_hash != digest:
        raise Conflict("same_id_other_content")
    other = said.before.get("beside")
    first = ctx.session.get(Arrival, other) if other else said
    assert first is not None
    row = ctx.session.get(Registration, first.registration_id)
    assert row is not None
    return Arrived(first, row, again=bool(other), repeated=True)


def _find(ctx: Context, command: Arrive) -> int:
    query = select(Registration.id).where(Registration.event_id == command.event_id)
    if command.registration_id is not None:
        query = query.where(Registration.id == command.registration_id)
    elif command.claim_digest:
        query = query.where(Registration.claim_digest == command.claim_digest)
    else:
        query = query.where(Registration.code == (parse_door_code(command.code or "") or ""))
    found = ctx.session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound("registration")
    return found


def _new(
    ctx: Context, command: Arrive | WalkIn, digest: str, registration: Registration, people: int
) -> Arrival:
    # A tablet's clock may run ahead; nobody came in the future.
    said = min(command.said_at, ctx.now) if command.said_at else None
    return Arrival(
        event_id=command.event_id, registration_id=registration.id, at=ctx.now, said_at=said, people=people,
        source=command.source, device_id=command.device_id, person_id=ctx.actor.person_id,
        client_uuid=command.client_uuid, payload_hash=digest if command.client_uuid else None, before={},
    )  # fmt: skip


def _beside(ctx: Context, said: Arrival, inside: Arrival, registration: Registration) -> Arrived:
    """Keep a second mark beside the first, counted nowhere, so that its repeat gets the same answer."""
    if said.client_uuid:
        said.undone_at = ctx.now
        said.before = {"beside": inside.id}
        ctx.session.add(said)
        ctx.session.flush()
    return Arrived(inside, registration, again=True)


def _let_in(
    held: seats.Books, registration: Registration, people: int, way: _Way, grant: Grant
) -> dict[str, Any]:
    """Give the party the places it needs to be in; what that changed."""
    before: dict[str, Any] = {}
    over = False
    if registration.state is RegistrationState.WAITING:
        over = not held.fits(registration)
        if over and not way.over:
            raise Conflict("waiting_list")
        before = {"state": "waiting", "queue_no": registration.queue_no}
        held.seat_over(registration)
    elif registration.state is RegistrationState.CANCELLED:
        over = not held.fits(registration)
        if over and not way.over:
            raise Conflict("cancelled_before")
        cancelled = registration.cancelled_at
        before = {"state": "cancelled", "cancelled_at": cancelled.isoformat() if cancelled else None}
        held.bring_back(registration, over=True)
    if people > registration.party_size:
        fits = held.could_be(registration, people, registration.group_id)
        if not fits and not way.over:
            raise Conflict("no_place_left")
        over = over or not fits
        before["party_size"] = registration.party_size
        held.resize(registration, people, registration.group_id)
    if over:
        _say_over(held.ctx, registration, way, grant)
    return before


def _say_over(ctx: Context, registration: Registration, way: _Way, grant: Grant) -> None:
    ctx.session.flush()
    registration.override_reason = way.reason
    audit.record(ctx, "arrival.over", registration, grant, reason=way.reason, is_fact=way.is_fact)


def _mark(held: seats.Books, registration: Registration, arrival: Arrival) -> None:
    held.ctx.session.add(arrival)
    held.sign_up.arrived += arrival.people
    registration.arrived_at = arrival.said_at or arrival.at
    registration.arrived_count = arrival.people
    registration.version += 1


def _unmark(ctx: Context, registration: Registration) -> None:
    """Neither this row nor those merged into it say any more that somebody came."""
    ctx.session.flush()
    ids = [registration.id]
    for one in ids:
        merged = select(Registration.id).where(Registration.merged_into_id == one)
        ids.extend(ctx.session.execute(merged).scalars())
    rows = update(Registration).where(Registration.id.in_(ids))
    ctx.session.execute(
        rows.values(arrived_at=None, arrived_count=0, version=Registration.version + 1),
        execution_options={"synchronize_session": False},
    )
    ctx.session.refresh(registration)


def _restore(held: seats.Books, registration: Registration, before: dict[str, Any]) -> None:
    if registration.state is not RegistrationState.CONFIRMED:
        return
    if "party_size" in before:
        held.resize(registration, int(before["party_size"]), registration.group_id)
    if before.get("state") == "waiting":
        held.back_to_queue(registration, before["queue_no"])
    elif before.get("state") == "cancelled" or before.get("new"):
        held.remove(registration, RegistrationState.CANCELLED)
        said = before.get("cancelled_at")
        registration.cancelled_at = datetime.fromisoformat(said) if said else held.ctx.now
    if before.get("state"):
        registration.override_reason = ""


def _party(command: WalkIn) -> registrations.Party:
    way = _Way.of(command)
    return registrations.Party(
        event_id=command.event_id, name=command.name, party_size=command.party_size,
        needs_note=command.needs_note, source=command.source, client_uuid=command.client_uuid,
        code=command.code, device_id=command.device_id, said_at=command.said_at,
        sheet_no=command.sheet_no, line_no=command.line_no, override_reason=way.reason,
    )  # fmt: skip
