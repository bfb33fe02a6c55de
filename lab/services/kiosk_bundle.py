"""What a tablet needs of a meeting to work without network, and what it hears whenever it speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lab.kernel.errors import NotFound
from lab.models.events import Event
from lab.models.kiosk import Device, KioskKey, SeatLease
from lab.models.registrations import EventQuestion, Registration, SeatGroup, SignUp
from lab.services import audit, leases, registrations, room, sealing
from lab.services.context import Context
from lab.services.devices import Tablet


@dataclass(frozen=True)
class Facts:
    """A meeting as tablets show it."""

    event: Event
    sign_up: SignUp
    groups: Sequence[SeatGroup]
    questions: Sequence[EventQuestion]
    key: KioskKey
    #: Whether the room is open and takes questions now.
    takes_questions: bool


@dataclass(frozen=True)
class News:
    """What changes during the evening."""

    paused: bool
    lease: SeatLease | None
    head_count: int


def facts(ctx: Context, event_id: int) -> Facts:
    """Everything that goes into the bundle. Five statements. Raises `NotFound`."""
    query = select(SignUp).where(SignUp.event_id == event_id)
    sign_up = ctx.session.execute(
        query.options(joinedload(SignUp.event).joinedload(Event.place))
    ).scalar_one_or_none()
    key = sealing.public_key(ctx)
    if sign_up is None or key is None:
        raise NotFound("event")
    groups = select(SeatGroup).where(SeatGroup.event_id == event_id)
    questions = select(EventQuestion).where(EventQuestion.event_id == event_id)
    return Facts(
        sign_up.event,
        sign_up,
        ctx.session.execute(groups.order_by(SeatGroup.position, SeatGroup.id)).scalars().all(),
        ctx.session.execute(questions.order_by(EventQuestion.position, EventQuestion.id)).scalars().all(),
        key,
        room.takes_questions(ctx, event_id),
    )


def news(ctx: Context, tablet: Tablet) -> News:
    """Whether the tablet is to pause, which places it holds, how many people are in. Three statements."""
    arrived = select(SignUp.arrived).where(SignUp.event_id == tablet.event_id)
    return News(
        ctx.session.get_one(Device, tablet.id).paused_at is not None,
        leases.standing(ctx, tablet.id),
        ctx.session.execute(arrived).scalar() or 0,
    )


def people(ctx: Context, tablet: Tablet) -> Sequence[Registration]:
    """Who stands on the list, for the tablet at the door, by name; the look is written down.

    The caller owns the transaction and has checked that this is a tablet of the door.
    """
    event = ctx.session.get_one(Event, tablet.event_id)
    audit.record(ctx, "event.people_seen", event, what="tablet", device_id=tablet.id)
    query = select(Registration).where(
        Registration.event_id == tablet.event_id, Registration.state.in_(registrations.STANDING)
    )
    return ctx.session.execute(query.order_by(Registration.name_key, Registration.id)).scalars().all()
