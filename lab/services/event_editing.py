"""The desk of meetings: prepare, publish, change, cancel; who signed up hears of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from lab.db.constraints import is_violation
from lab.db.locking import expect_version, locked
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.text import clean_text
from lab.models.events import Event, EventHost, EventState
from lab.policy import rules
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import audit, codes, event_plan, events, once, outbox, registrations, room, seats
from lab.services.context import Context
from lab.services.event_plan import Plan

REASON_LIMIT = 600
#: Codes of meetings begin with this.
PREFIX = "EV"


@dataclass(frozen=True)
class Create:
    """A new meeting; `with_sign_up` opens sign-ups for `plan.seats` places (None: as many as come)."""

    plan: Plan
    with_sign_up: bool = False
    publish: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Change:
    """The whole plan anew; `version` is the one its page was drawn with."""

    event_id: int
    version: int | None
    plan: Plan


@dataclass(frozen=True)
class Publish:
    """Show it to everybody."""

    event_id: int
    version: int | None


@dataclass(frozen=True)
class Cancel:
    """It will not be; people read why."""

    event_id: int
    version: int | None
    reason: str


def may_create(ctx: Context) -> Grant | None:
    """The function in which the actor may begin a meeting. Raises `NotFound` for outsiders."""
    decision = rules.decide_route(ctx.actor, Permission.EVENT_EDIT, ctx.now)
    if not decision.allowed:
        raise NotFound("event")
    return decision.grant


def create(ctx: Context, command: Create) -> Event:
    """Begin a meeting, hosted by who makes it; the same key gives the same one.

    Raises `NotFound` for outsiders, `Invalid` on the fields of the plan.
    """
    grant = may_create(ctx)
    key = once.own_key(ctx, command.idempotency_key)
    again = with_key(ctx, key)
    event = again or new_event(ctx, command.plan, key)
    if again is not None or event.version > 1:
        return event  # the second of two clicks
    offer_places(ctx, event, command.with_sign_up)
    add_host(ctx, event)
    audit.record(ctx, "event.create", event, grant, code=event.code)
    if command.publish:
        _show(ctx, event)
    event_plan.index(ctx, event)
    ctx.session.flush()
    return event


def with_key(ctx: Context, key: str | None) -> Event | None:
    """What an earlier sending of the same form made."""
    if not key:
        return None
    return ctx.session.execute(select(Event).where(Event.idempotency_key == key)).scalar_one_or_none()


def new_event(ctx: Context, plan: Plan, key: str | None = None) -> Event:
    """A draft with all its parts; of two at once with one key both get the one that stands.

    Raises `Invalid`.
    """
    starts_at = event_plan.starts_at(ctx, plan.day, plan.hour)
    event = Event(
        code=next_code(ctx), kind=plan.kind, title=plan.title[: event_plan.TITLE_LIMIT],
        starts_at=starts_at, is_public=False, created_by_id=ctx.actor.person_id, changed_at=ctx.now,
        idempotency_key=key,
    )  # fmt: skip
    try:
        with ctx.session.begin_nested():
            ctx.session.add(event)
            ctx.session.flush()
    except IntegrityError as error:
        known = with_key(ctx, key)
        if known is None or not is_violation(error, "uq_event_idempotency_key"):
            raise
        return known
    event_plan.apply(ctx, event, plan)
    return event


def next_code(ctx: Context) -> str:
    """EV21 after EV20."""
    return codes.next_code(ctx, PREFIX)


def offer_places(ctx: Context, event: Event, is_offered: bool) -> None:
    """Open the books of a new meeting."""
    registrations.ensure_books(ctx, event.id)
    if is_offered:
        with seats.books(ctx, event.id) as held:
            held.sign_up.is_offered = True
            held.sign_up.capacity = event.seats
            held.sign_up.party_most = 4
            held.sign_up.remind_days = 1
            held.sign_up.asks = list(event.offers)


def add_host(ctx: Context, event: Event) -> None:
    """Who makes a meeting runs it."""
    if ctx.actor.person_id is not None:
        ctx.session.add(EventHost(event_id=event.id, person_id=ctx.actor.person_id))
        ctx.session.flush()


def hold(ctx: Context, event_id: int, version: int | None = None) -> tuple[Event, Grant]:
    """Lock a meeting that the actor may edit. Raises `NotFound`, `Conflict("changed_meanwhile")`."""
    event = locked(ctx.session, Event, event_id, selectinload(Event.hosts))
    grant = ctx.require(Permission.EVENT_EDIT, event)
    expect_version(event, version)
    return event, grant


def change(ctx: Context, command: Change) -> Event:
    """Write a meeting anew. When day, hour or place moved, who signed up hears of it.

    Raises `NotFound`, `Conflict("changed_meanwhile"|"event_cancelled")`, `Invalid`.
    """
    event, grant = hold(ctx, command.event_id)
    if command.version not in (None, event.version) and _says_so_already(ctx, event, command.plan):
        return event
    expect_version(event, command.version)
    if event.state is EventState.CANCELLED:
        raise Conflict("event_cancelled")
    was_ahead = event.starts_at >= events.today(ctx)
    moved = sorted(event_plan.apply(ctx, event, command.plan))
    event_plan.settle_state(ctx, event)
    event.version += 1
    if moved:
        event.sequence += 1
        event.changed_at = ctx.now
    event_plan.index(ctx, event)
    audit.record(ctx, "event.change", event, grant, code=event.code, what=moved)
    if moved and event.is_public and was_ahead:
        outbox.announce(ctx, "event.changed", event_id=event.id, what=moved)
    room.touch(ctx, event.id)
    ctx.session.flush()
    return event


def _says_so_already(ctx: Context, event: Event, plan: Plan) -> bool:
    """Whether an earlier sending of the same page wrote it so: two clicks are one change."""
    before = event_plan.written(ctx, event)
    # Tried inside, and taken back where it says something else.
    with suppress(_SaysMore), ctx.session.begin_nested():
        event_plan.apply(ctx, event, plan)
        if event_plan.written(ctx, event) != before:
            raise _SaysMore
        return True
    return False


class _SaysMore(Exception):
    """The plan is not what stands there."""


def publish(ctx: Context, command: Publish) -> Event:
    """Show a draft to everybody. One that is public stays so. Raises `NotFound`, `Conflict`."""
    event, grant = hold(ctx, command.event_id)
    if event.is_public:
        return event
    expect_version(event, command.version)
    if event.state is EventState.CANCELLED:
        raise Conflict("event_cancelled")
    _show(ctx, event)
    event_plan.index(ctx, event)
    audit.record(ctx, "event.publish", event, grant, code=event.code)
    ctx.session.flush()
    return event


def _show(ctx: Context, event: Event) -> None:
    event.is_public = True
    event.version += 1
    event.changed_at = ctx.now


def cancel(ctx: Context, command: Cancel) -> Event:
    """Call a meeting off, for good: nobody signs up after, who had signed up hears why.

    Raises `NotFound`, `Invalid("reason", …)`, `Conflict("changed_meanwhile"|"already_held")`.
    """
    query = select(Event).where(Event.id == command.event_id).options(selectinload(Event.hosts))
    known = ctx.session.execute(query).scalar_one_or_none()
    if known is None:
        raise NotFound("event")
    ctx.require(Permission.EVENT_EDIT, known)
    reason = clean_text(command.reason, REASON_LIMIT + 1)
    if not reason or len(reason) > REASON_LIMIT:
        raise Invalid("reason", "too_long" if reason else "required")
    registrations.ensure_books(ctx, command.event_id)
    # The books first, then the event, as whoever gives places does it: nobody signs up meanwhile.
    with seats.books(ctx, command.event_id) as held:
        event = _call_off(ctx, command, reason)
        # A sign-up that waits for these books read the event before: the books themselves refuse it.
        held.sign_up.closes_at = min(held.sign_up.closes_at or ctx.now, ctx.now)
    return event


def _call_off(ctx: Context, command: Cancel, reason: str) -> Event:
    event, grant = hold(ctx, command.event_id)
    if event.state is EventState.CANCELLED:
        return event
    expect_version(event, command.version)
    if event.state is EventState.HELD:
        raise Conflict("already_held")
    event.state = EventState.CANCELLED
    event.cancelled_reason = reason
    event.sequence += 1
    event.version += 1
    event.changed_at = ctx.now
    event_plan.index(ctx, event)
    audit.record(ctx, "event.cancel", event, grant, reason=reason, code=event.code)
    if event.is_public:
        outbox.announce(ctx, "event.cancelled", event_id=event.id)
    room.call_off(ctx, event.id)
    ctx.session.flush()
    return event
