"""The screen in the room: what it shows now, and who changes that.

Everything on the screen is public. One cheap reading, the *beat*, tells whether anything on it has changed;
screens and phones ask for the rest only then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import joinedload, selectinload

from lab.db.locking import locked
from lab.db.upsert import insert_once
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.text import clean_line
from lab.models.contributions import Contribution
from lab.models.events import AgendaItem, Event, EventState
from lab.models.pictures import Photo
from lab.models.registrations import SignUp
from lab.models.rooms import QuestionState, Room, RoomPoll, RoomQuestion, RoomView
from lab.policy.permissions import Permission
from lab.services import audit
from lab.services.context import Context

MESSAGE_LIMIT = 160
#: Questions that fit on a wall.
ON_SCREEN = 6
#: Pins and photographs drawn at most.
_PINS = 400
_PHOTOS = 60


@dataclass(frozen=True)
class Steer:
    """What the room shall see. None leaves a thing as it is."""

    view: RoomView | None = None
    agenda_item_id: int | None = None
    poll_id: int | None = None
    question_id: int | None = None
    photo_id: int | None = None
    message: str | None = None
    questions_open: bool | None = None
    is_moderated: bool | None = None


@dataclass(frozen=True)
class AgendaPoint:
    """A point of the agenda with the time at which it begins; `now` is the one that is on."""

    item: AgendaItem
    starts_at: datetime
    ends_at: datetime
    now: bool
    over: bool


@dataclass
class Screen:
    """All that the room's screen may draw."""

    event: Event
    room: Room
    beat: str
    head_count: int
    agenda: list[AgendaPoint] = field(default_factory=list)
    questions: list[RoomQuestion] = field(default_factory=list)
    poll: RoomPoll | None = None
    #: What was said here that has a point on the plan.
    pins: list[Contribution] = field(default_factory=list)
    photos: list[Photo] = field(default_factory=list)


def event_of(ctx: Context, code: str) -> Event:
    """A public meeting with its place and hosts. Two statements. Raises `NotFound`."""
    query = (
        select(Event)
        .where(Event.code == code, Event.is_public)
        .options(joinedload(Event.place), selectinload(Event.hosts))
    )
    event = ctx.session.execute(query).unique().scalar_one_or_none()
    if event is None:
        raise NotFound("event")
    return event


def of(ctx: Context, event: Event) -> Room:
    """The room of a meeting; one that was never opened shows the welcome."""
    room = ctx.session.get(Room, event.id)
    if room is not None:
        return room
    return Room(event_id=event.id, view=RoomView.WELCOME, message="", questions_open=False, is_moderated=True,
                version=0)  # fmt: skip


def is_open(room: Room) -> bool:
    """Whether phones may take part now."""
    return room.opened_at is not None and room.closed_at is None


def takes_questions(ctx: Context, event_id: int) -> bool:
    """Whether somebody in the hall may ask now. One statement."""
    query = select(Room).where(Room.event_id == event_id)
    found = ctx.session.execute(query).scalar_one_or_none()
    return found is not None and is_open(found) and found.questions_open


def beat(ctx: Context, event_id: int) -> str:
    """Changes whenever the screen or the phones should be drawn anew. One statement."""
    said = select(func.count()).where(Contribution.event_id == event_id, Contribution.is_listed)
    photos = select(func.count()).where(Photo.event_id == event_id)
    arrived = select(SignUp.arrived).where(SignUp.event_id == event_id)
    version = select(Room.version).where(Room.event_id == event_id)
    written = select(Event.version).where(Event.id == event_id)
    row = ctx.session.execute(
        select(
            version.scalar_subquery(),
            arrived.scalar_subquery(),
            said.scalar_subquery(),
            photos.scalar_subquery(),
            written.scalar_subquery(),
        )
    ).one()
    return ".".join(str(part or 0) for part in row)


def touch(ctx: Context, event_id: int) -> None:
    """Something on the screen or the phones changed."""
    rise = update(Room).where(Room.event_id == event_id).values(version=Room.version + 1)
    ctx.session.execute(rise, execution_options={"synchronize_session": False})


def screen(ctx: Context, event: Event) -> Screen:
    """What the room sees now. At most six statements, whatever was said."""
    room = of(ctx, event)
    arrived = ctx.session.execute(select(SignUp.arrived).where(SignUp.event_id == event.id)).scalar()
    found = Screen(event, room, beat(ctx, event.id), arrived or 0)
    if room.view is RoomView.AGENDA:
        found.agenda = agenda(ctx, event, room)
    elif room.view is RoomView.QUESTIONS:
        found.questions = _on_the_wall(ctx, event, room)
    elif room.view is RoomView.POLL and room.poll_id is not None:
        query = select(RoomPoll).where(RoomPoll.id == room.poll_id).options(selectinload(RoomPoll.options))
        found.poll = ctx.session.execute(query).scalar_one_or_none()
    elif room.view is RoomView.PLAN:
        found.pins = _pins(ctx, event)
    elif room.view is RoomView.PHOTOS:
        found.photos = photos(ctx, event)
    return found


def _on_the_wall(ctx: Context, event: Event, room: Room) -> list[RoomQuestion]:
    """The questions with most hands; when one is put large, that one alone."""
    query = public_questions(event.id)
    if room.question_id is not None:
        query = query.where(RoomQuestion.contribution_id == room.question_id)
    else:
        query = query.where(RoomQuestion.state == QuestionState.SHOWN)
    query = query.order_by(RoomQuestion.hands.desc(), RoomQuestion.contribution_id).limit(ON_SCREEN)
    return list(ctx.session.execute(query).scalars())


def public_questions(event_id: int):  # type: ignore[no-untyped-def]  # a Select of RoomQuestion
    """Questions that everybody may read, with their words."""
    return (
        select(RoomQuestion)
        .join(RoomQuestion.contribution)
        .where(RoomQuestion.event_id == event_id, Contribution.is_listed)
        .options(joinedload(RoomQuestion.contribution))
    )


def _pins(ctx: Context, event: Event) -> list[Contribution]:
    query = (
        select(Contribution)
        .where(Contribution.event_id == event.id, Contribution.is_listed)
        .where(Contribution.place_id.is_not(None) | Contribution.x.is_not(None))
        .options(joinedload(Contribution.place))
        .order_by(Contribution.id.desc())
        .limit(_PINS)
    )
    return list(ctx.session.execute(query).scalars())


def photos(ctx: Context, event: Event) -> list[Photo]:
    """Photographs of sheets and of the room, the newest first."""
    query = select(Photo).where(Photo.event_id == event.id).order_by(Photo.id.desc()).limit(_PHOTOS)
    return list(ctx.session.execute(query).scalars())


def agenda(ctx: Context, event: Event, room: Room) -> list[AgendaPoint]:
    """The points with their times: planned ones before the room moves on, then counted from the one that is
    on."""
    query = select(AgendaItem).where(AgendaItem.event_id == event.id).order_by(AgendaItem.position)
    items = list(ctx.session.execute(query).scalars())
    here = next((n for n, item in enumerate(items) if item.id == room.agenda_item_id), None)
    points: list[AgendaPoint] = []
    starts = event.starts_at
    for number, item in enumerate(items):
        if number == here and room.agenda_since is not None:
            starts = room.agenda_since
        ends = starts + timedelta(minutes=item.minutes)
        points.append(AgendaPoint(item, starts, ends, number == here, here is not None and number < here))
        starts = ends
    return points


def open_room(ctx: Context, event_id: int) -> Room:
    """Let phones in. Opening an open room changes nothing; a closed one opens again.

    Raises `NotFound` for outsiders, `Conflict("event_cancelled")`.
    """
    event = hosted(ctx, event_id)
    grant = ctx.require(Permission.EVENT_RUN, event)
    if event.state is EventState.CANCELLED:
        raise Conflict("event_cancelled")
    fresh = {"event_id": event_id, "view": RoomView.WELCOME, "message": "", "questions_open": True,
             "is_moderated": True, "version": 1}  # fmt: skip
    insert_once(ctx.session, Room, fresh)
    room = locked(ctx.session, Room, event_id)
    if room.opened_at is None or room.closed_at is not None:
        room.opened_at = room.opened_at or ctx.now
        room.closed_at = None
        room.version += 1
        audit.record(ctx, "room.open", event, grant)
    ctx.session.flush()
    return room


def close_room(ctx: Context, event_id: int) -> Room:
    """The phones may only read from now on; the screen says goodbye."""
    grant = ctx.require(Permission.EVENT_RUN, hosted(ctx, event_id))
    room = locked(ctx.session, Room, event_id)
    if room.closed_at is None:
        room.closed_at = ctx.now
        room.view = RoomView.WELCOME
        room.version += 1
        audit.record(ctx, "room.close", hosted(ctx, event_id), grant)
    ctx.session.flush()
    return room


def call_off(ctx: Context, event_id: int) -> None:
    """The meeting will not be: the wall says so, and phones may only read. The caller may call it off."""
    query = select(Room).where(Room.event_id == event_id).with_for_update()
    room = ctx.session.execute(query).scalar_one_or_none()
    if room is not None:
        room.closed_at = room.closed_at or ctx.now
        room.version += 1


def steer(ctx: Context, event_id: int, command: Steer) -> Room:
    """Change what the room sees. The last of two who steer at once is what is seen.

    Raises `NotFound` for outsiders and for rooms never opened, `Invalid` for a point, poll, question or
    photograph of another meeting, `Conflict("room_closed")`.
    """
    ctx.require(Permission.EVENT_RUN, hosted(ctx, event_id))
    _check_own(ctx, event_id, command)
    room = locked(ctx.session, Room, event_id)
    if not is_open(room):
        raise Conflict("room_closed")
    if command.agenda_item_id is not None and command.agenda_item_id != room.agenda_item_id:
        room.agenda_item_id = command.agenda_item_id
        room.agenda_since = ctx.now
    for name in ("view", "poll_id", "photo_id", "questions_open", "is_moderated"):
        value = getattr(command, name)
        if value is not None:
            setattr(room, name, value)
    if command.question_id is not None:
        # 0: all of them again.
        room.question_id = command.question_id or None
    if command.message is not None:
        room.message = clean_line(command.message, MESSAGE_LIMIT)
    room.version += 1
    ctx.session.flush()
    return room


def _check_own(ctx: Context, event_id: int, command: Steer) -> None:
    for name, model, key in (
        ("agenda_item_id", AgendaItem, AgendaItem.id),
        ("poll_id", RoomPoll, RoomPoll.id),
        ("question_id", RoomQuestion, RoomQuestion.contribution_id),
        ("photo_id", Photo, Photo.id),
    ):
        value = getattr(command, name)
        if not value:
            continue
        own = select(key).where(key == value, model.event_id == event_id)
        if ctx.session.execute(own).first() is None:
            raise Invalid(name, "unknown")


def hosted(ctx: Context, event_id: int) -> Event:
    """A meeting with its hosts, for the question who may run it. Raises `NotFound`."""
    query = select(Event).where(Event.id == event_id).options(selectinload(Event.hosts))
    event = ctx.session.execute(query).scalar_one_or_none()
    if event is None:
        raise NotFound("event")
    return event
