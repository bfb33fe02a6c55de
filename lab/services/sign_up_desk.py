"""The list of who signed up, for those who run the meeting alone; every look is written down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, and_, case, exists, func, or_, select, tuple_
from sqlalchemy.orm import joinedload

from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.text import clean_line
from lab.models.accounts import Person
from lab.models.events import Event, EventState
from lab.models.operations import AuditEntry
from lab.models.registrations import Registration, RegistrationState, SignUp, Source
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import audit, hosting, registrations, seats, sign_up_changes
from lab.services.context import Context
from lab.services.registrations import STANDING, Party
from lab.services.sign_up_changes import Change

PAGE = 100
CALLED = "registration.called"
LOOK_PAGE = 100


@dataclass(frozen=True)
class Wish:
    """Which part of the list: a state, part of a name or a door code, and where the page begins."""

    state: RegistrationState | None = None
    words: str = ""
    after: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Need:
    """How many parties asked for something, and how many people they are."""

    code: str
    parties: int
    people: int


def people(ctx: Context, event: Event, wish: Wish) -> list[Registration]:
    """One page of the list and one row more: by name, the queue by number."""
    query = _list(event.id, wish)
    return list(ctx.session.execute(query.limit(PAGE + 1)).scalars())


#: Who comes, who waits, then who no longer counts.
_IN_ORDER = {state: place for place, state in enumerate((*STANDING, "cancelled", "merged"))}


def everybody(ctx: Context, event_id: int, state: RegistrationState | None = None) -> Iterator[Registration]:
    """The whole list, or those of one state, by state and name, read in portions: also who cancelled."""
    order = case(_IN_ORDER, value=Registration.state, else_=len(_IN_ORDER))
    mine = [Registration.event_id == event_id, *([Registration.state == state] if state else [])]
    query = (
        select(Registration)
        .where(*mine, Registration.forgotten_at.is_(None))
        .options(joinedload(Registration.group))
        .order_by(order, Registration.queue_no, Registration.name_key, Registration.id)
        .execution_options(yield_per=500)
    )
    yield from ctx.session.execute(query).scalars()


def _list(event_id: int, wish: Wish) -> Select[Registration]:
    states = [wish.state] if wish.state else [*STANDING, RegistrationState.MERGED]
    query = select(Registration).where(Registration.event_id == event_id, Registration.state.in_(states))
    words = registrations.name_key(wish.words)
    if words:
        named = [Registration.name_key.contains(word, autoescape=True) for word in words.split()[:6]]
        code = clean_line(wish.words, 12).upper().replace("-", "")
        query = query.where(or_(and_(*named), Registration.code == code))
    query = query.options(joinedload(Registration.group))
    if wish.state is RegistrationState.WAITING:
        key: Any = tuple_(Registration.queue_no, Registration.id)
        query = query.order_by(Registration.queue_no, Registration.id)
    else:
        key = tuple_(Registration.name_key, Registration.id)
        query = query.order_by(Registration.name_key, Registration.id)
    return query.where(key > wish.after) if wish.after else query


def key_of(registration: Registration, wish: Wish) -> tuple[Any, ...]:
    """Where the page after this row begins."""
    if wish.state is RegistrationState.WAITING:
        return registration.queue_no, registration.id
    return registration.name_key, registration.id


def needs(ctx: Context, event_id: int) -> list[Need]:
    """What those with a place asked for, summed up."""
    query = select(Registration.needs, Registration.party_size).where(
        Registration.event_id == event_id, Registration.state == RegistrationState.CONFIRMED
    )
    found: dict[str, Need] = {}
    for asked, size in ctx.session.execute(query):
        for code in asked:
            so_far = found.get(code, Need(code, 0, 0))
            found[code] = replace(so_far, parties=so_far.parties + 1, people=so_far.people + size)
    return sorted(found.values(), key=lambda need: (-need.parties, need.code))


def to_call(ctx: Context, event: Event) -> list[Registration]:
    """Who can only be told by telephone and has something to hear: a place after waiting, another day or
    place, that it will not take place. Whoever was called since then is left out.
    """
    news = [
        and_(
            Registration.state == RegistrationState.CONFIRMED,
            Registration.confirmed_at > Registration.created_at,
            ~_called_since(Registration.confirmed_at),
        )
    ]
    if event.changed_at is not None:
        stands = Registration.state.in_(STANDING)
        told_before = and_(stands, Registration.created_at < event.changed_at)
        news.append(and_(told_before, ~_called_since(event.changed_at)))
    elif event.state is EventState.CANCELLED:
        news.append(and_(Registration.state.in_(STANDING), ~_called_since(Registration.created_at)))
    query = (
        select(Registration)
        .where(
            Registration.event_id == event.id,
            Registration.phone.is_not(None),
            Registration.email.is_(None),
            Registration.person_id.is_(None),
            or_(*news),
        )
        .order_by(Registration.confirmed_at, Registration.id)
        .limit(PAGE)
    )
    return list(ctx.session.execute(query).scalars())


def _called_since(moment: Any) -> Any:
    return exists().where(
        AuditEntry.subject_kind == Registration.__tablename__,
        AuditEntry.subject_id == Registration.id,
        AuditEntry.verb == CALLED,
        AuditEntry.at >= moment,
    )


def looks(ctx: Context, code: str) -> tuple[Event, list[tuple[AuditEntry, str]]]:
    """Who looked at the names of a meeting and when, the newest first: for its hosts and for whoever reads
    the log. Raises `NotFound` for everybody else.
    """
    query = select(Event).where(Event.code == code).options(joinedload(Event.hosts))
    event = ctx.session.execute(query).unique().scalar_one_or_none()
    if event is None:
        raise NotFound("event")
    if not ctx.may(Permission.AUDIT_SEE):
        ctx.require(Permission.EVENT_RUN, event)
    seen = (
        select(AuditEntry, Person.name)
        .outerjoin(Person, Person.id == AuditEntry.person_id)
        .where(
            AuditEntry.subject_kind == Event.__tablename__,
            AuditEntry.subject_id == event.id,
            AuditEntry.verb == "event.people_seen",
        )
        .order_by(AuditEntry.id.desc())
        .limit(LOOK_PAGE)
    )
    return event, [(entry, name or "") for entry, name in ctx.session.execute(seen)]


def books_of(ctx: Context, event_id: int) -> SignUp | None:
    """The books of a meeting, for reading."""
    return ctx.session.get(SignUp, event_id)


def one(ctx: Context, event: Event, registration_id: int) -> Registration:
    """One sign-up of this meeting, with its group. Raises `NotFound`. The caller has the right."""
    query = select(Registration).where(Registration.id == registration_id, Registration.event_id == event.id)
    found = ctx.session.execute(query.options(joinedload(Registration.group))).scalar_one_or_none()
    if found is None:
        raise NotFound("registration")
    return found


# --- what a host does for somebody


def add(ctx: Context, party: Party) -> Registration:
    """Write somebody down by telephone. Raises as `registrations.sign_up`."""
    event, grant = hosting.run(ctx, party.event_id)
    party = replace(party, source=Source.DESK, person_id=None)
    if party.client_uuid is not None:
        again = registrations.repeated(ctx, party.client_uuid, registrations.payload_hash(party))
        if again is not None:
            return again
    registrations.ensure_books(ctx, event.id)
    registration = registrations.sign_up(ctx, party)
    ctx.session.flush()
    audit.record(ctx, "registration.typed", registration, grant, event=event.code)
    return registration


def _of(ctx: Context, event_id: int, registration_id: int) -> tuple[Registration, Event, Grant]:
    event, grant = hosting.run(ctx, event_id)
    registration = ctx.session.get(Registration, registration_id)
    if registration is None or registration.event_id != event.id:
        raise NotFound("registration")
    return registration, event, grant


def _reason(written: str) -> str:
    reason = clean_line(written, 200)
    if len(reason) < 3:
        raise Invalid("reason", "too_short")
    return reason


def change(ctx: Context, event_id: int, command: Change) -> Registration:
    """Put right what a sign-up says, also beyond the largest party. Raises as `sign_up_changes.change`."""
    registration, event, grant = _of(ctx, event_id, command.registration_id)
    registration = sign_up_changes.change(ctx, command, free_hand=True)
    audit.record(ctx, "registration.edited", registration, grant, event=event.code)
    return registration


def cancel(ctx: Context, event_id: int, registration_id: int, reason: str) -> Registration:
    """Take somebody off the list for them. Raises `Invalid("reason", "too_short")`."""
    registration, event, grant = _of(ctx, event_id, registration_id)
    reason = _reason(reason)
    registration = registrations.cancel(ctx, registration.id)
    audit.record(ctx, "registration.cancelled", registration, grant, reason=reason, event=event.code)
    return registration


def move(ctx: Context, event_id: int, registration_id: int, number: int, reason: str) -> Registration:
    """Put a waiting party at another number of the queue; if it fits it gets its places at once.

    Raises `Conflict("not_waiting")`, `Invalid` for number and reason.
    """
    registration, event, grant = _of(ctx, event_id, registration_id)
    reason = _reason(reason)
    with seats.books(ctx, event_id) as held:
        registration = registrations.locked_registration(ctx, registration_id)
        if registration.state is not RegistrationState.WAITING:
            raise Conflict("not_waiting")
        if not 1 <= number <= max(1, held.sign_up.waiting):
            raise Invalid("number", "out_of_range")
        held.move(registration, number)
        registration.version += 1
        audit.record(
            ctx, "registration.moved", registration, grant, reason=reason, event=event.code, number=number
        )
    return registration


def seat_over(ctx: Context, event_id: int, registration_id: int, reason: str) -> Registration:
    """Give a waiting party its places above the capacity. Raises as `move`."""
    registration, event, grant = _of(ctx, event_id, registration_id)
    reason = _reason(reason)
    with seats.books(ctx, event_id) as held:
        registration = registrations.locked_registration(ctx, registration_id)
        if registration.state is not RegistrationState.WAITING:
            raise Conflict("not_waiting")
        held.seat_over(registration)
        registration.override_reason = reason
        registration.version += 1
        registrations.tell(ctx, "registration.promoted", registration)
        audit.record(ctx, "registration.override", registration, grant, reason=reason, event=event.code)
    return registration


def set_apart(ctx: Context, event_id: int, registration_id: int) -> Registration:
    """Two people share an address or a telephone: the second one stands for itself, without that key.

    Raises `Conflict("not_merged")` for anything but such a second sign-up.
    """
    registration, event, grant = _of(ctx, event_id, registration_id)
    with seats.books(ctx, event_id) as held:
        registration = registrations.locked_registration(ctx, registration_id)
        if registration.state is not RegistrationState.MERGED or registration.cancelled_at is not None:
            raise Conflict("not_merged")
        registration.email_key = registration.phone_key = None
        held.bring_back(registration)
        registration.version += 1
        audit.record(ctx, "registration.set_apart", registration, grant, event=event.code)
        ctx.session.flush()
        registrations.tell(ctx, "registration.placed", registration)
    return registration


def called(ctx: Context, event_id: int, registration_id: int) -> None:
    """Somebody rang them up and told them."""
    registration, event, grant = _of(ctx, event_id, registration_id)
    audit.record(ctx, CALLED, registration, grant, event=event.code)


def unreachable(ctx: Context, event_id: int) -> int:
    """How many who stand can be reached neither by mail nor by telephone nor in their account."""
    query = select(func.count()).where(
        Registration.event_id == event_id,
        Registration.state.in_(STANDING),
        Registration.email.is_(None),
        Registration.phone.is_(None),
        Registration.person_id.is_(None),
    )
    return int(ctx.session.execute(query).scalar_one())
