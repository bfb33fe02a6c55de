"""What is written about a meeting: checked as a whole, then put onto the event and its parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.orm import InstrumentedAttribute

from lab.db import search
from lab.kernel.clock import local_instant
from lab.kernel.errors import Invalid
from lab.kernel.locales import SUPPORTED
from lab.kernel.text import clean_line
from lab.models.events import (
    AgendaItem,
    Event,
    EventBody,
    EventKind,
    EventProject,
    EventState,
    Influence,
    Offer,
)
from lab.models.programme import Body, Place
from lab.models.projects import Project
from lab.models.rooms import Room
from lab.services import references, wording
from lab.services.context import Context

#: Longest texts in characters; the names are those of the columns.
TITLE_LIMIT = 200
LINE_LIMIT = 200
ORGANISERS_LIMIT = 300
SHORT_LIMIT = 600
TEXT_LIMIT = 8000
#: A meeting lasts at least five minutes and at most three days; points of an agenda at most a day.
SHORTEST, LONGEST = 5, 3 * 24 * 60
POINT_LONGEST = 24 * 60
MOST_POINTS = 40
MOST_SEATS = 100_000
_EARLIEST, _LATEST = date(2000, 1, 1), date(2100, 12, 31)

#: How long each kind usually lasts, in minutes, and how much weighs what is said there.
USUAL: dict[EventKind, tuple[int, Influence]] = {
    EventKind.ASSEMBLY: (120, Influence.CONSULT),
    EventKind.STAIR_ASSEMBLY: (90, Influence.CONSULT),
    EventKind.WALK: (120, Influence.INVOLVE),
    EventKind.PLANNING_FOR_REAL: (180, Influence.CO_DESIGN),
    EventKind.OPEN_SPACE: (210, Influence.INVOLVE),
    EventKind.WORLD_CAFE: (150, Influence.INVOLVE),
    EventKind.THEMATIC_TABLE: (120, Influence.CO_DESIGN),
    EventKind.WORKING_GROUP: (90, Influence.CO_DESIGN),
    EventKind.SITE_MEETING: (60, Influence.CONSULT),
    EventKind.PARTY: (240, Influence.INFORM),
    EventKind.OPENING: (180, Influence.INFORM),
    EventKind.COURSE: (90, Influence.INFORM),
    EventKind.WORKSHOP: (120, Influence.CO_DESIGN),
    EventKind.FIELD_TRIAL: (60, Influence.INVOLVE),
    EventKind.MEETING: (90, Influence.INVOLVE),
    EventKind.COMMITTEE_SESSION: (120, Influence.INFORM),
}


@dataclass(frozen=True)
class Point:
    """A point of the agenda, in minutes."""

    title: str
    minutes: int = 10


@dataclass(frozen=True)
class Plan:
    """Everything the desk writes about a meeting. `day` and `hour` are those of the neighbourhood's clock;
    `minutes` and `influence` None stand for what is usual for the kind."""

    kind: EventKind
    title: str
    day: date
    hour: time
    minutes: int | None = None
    text: str = ""
    purpose: str = ""
    influence: Influence | None = None
    promise: str = ""
    place_id: int | None = None
    place_note: str = ""
    access_note: str = ""
    languages: tuple[str, ...] = ("it",)
    offers: tuple[str, ...] = ()
    offers_note: str = ""
    organisers: str = ""
    seats: int | None = None
    project_ids: frozenset[int] = frozenset()
    body_ids: frozenset[int] = frozenset()
    agenda: tuple[Point, ...] = ()
    result: str = ""
    attendance: int | None = None


#: Lines and texts of a plan with their limits.
_LINES = {"place_note": LINE_LIMIT, "organisers": ORGANISERS_LIMIT}
_TEXTS = {
    "text": TEXT_LIMIT,
    "purpose": SHORT_LIMIT,
    "promise": SHORT_LIMIT,
    "access_note": SHORT_LIMIT,
    "offers_note": SHORT_LIMIT,
    "result": TEXT_LIMIT,
}


def starts_at(ctx: Context, day: date, hour: time) -> datetime:
    """The instant of a local day and hour.

    Raises `Invalid("day", "day")` for a year that cannot be, `Invalid("hour", "no_such_hour")` for an hour
    that the clocks jump over.
    """
    if not _EARLIEST <= day <= _LATEST:
        raise Invalid("day", "day")
    try:
        return local_instant(day, hour, ctx.timezone)
    except ValueError:
        raise Invalid("hour", "no_such_hour") from None


def apply(ctx: Context, event: Event, plan: Plan) -> set[str]:
    """Put a plan onto an event and say what changed of when and where: a set of "when", "where".

    The event must have an id. Raises `Invalid` on the field concerned.
    """
    before = (event.starts_at, event.minutes, event.place_id, event.place_note)
    check(ctx, plan)
    usual_minutes, usual_influence = USUAL[plan.kind]
    event.kind, event.title = plan.kind, wording.line("title", plan.title, TITLE_LIMIT, needed=True)
    event.starts_at = starts_at(ctx, plan.day, plan.hour)
    event.minutes = plan.minutes or usual_minutes
    event.influence = plan.influence or usual_influence
    for name, limit in _LINES.items():
        setattr(event, name, wording.line(name, getattr(plan, name), limit))
    for name, limit in _TEXTS.items():
        setattr(event, name, wording.text(name, getattr(plan, name), limit))
    event.place_id = plan.place_id
    event.languages = list(dict.fromkeys(plan.languages))
    event.offers = [str(offer) for offer in Offer if offer in plan.offers]
    event.seats, event.attendance = plan.seats, plan.attendance
    ctx.session.flush()
    _relink(ctx, event, EventProject.event_id, EventProject.project_id, plan.project_ids)
    _relink(ctx, event, EventBody.event_id, EventBody.body_id, plan.body_ids)
    _write_agenda(ctx, event, plan.agenda)
    when = before[:2] != (event.starts_at, event.minutes)
    where = before[2:] != (event.place_id, event.place_note)
    return {word for word, changed in (("when", when), ("where", where)) if changed}


def written(ctx: Context, event: Event) -> tuple[Any, ...]:
    """All that a plan can change of an event, to be compared with what stands after another one."""
    ctx.session.flush()
    linked = [
        set(ctx.session.execute(select(other).where(mine == event.id)).scalars())
        for mine, other in (
            (EventProject.event_id, EventProject.project_id),
            (EventBody.event_id, EventBody.body_id),
        )
    ]
    points = select(AgendaItem.title, AgendaItem.minutes).where(AgendaItem.event_id == event.id)
    agenda = [tuple(row) for row in ctx.session.execute(points.order_by(AgendaItem.position))]
    columns = [getattr(event, column.key) for column in Event.__table__.columns]
    return columns, linked, agenda


def check(ctx: Context, plan: Plan) -> None:
    """Whether a plan can be put onto a meeting. Raises `Invalid` on the field concerned."""
    starts_at(ctx, plan.day, plan.hour)
    wording.line("title", plan.title, TITLE_LIMIT, needed=True)
    for name, limit in _LINES.items():
        wording.line(name, getattr(plan, name), limit)
    for name, limit in _TEXTS.items():
        wording.text(name, getattr(plan, name), limit)
    if plan.minutes is not None and not SHORTEST <= plan.minutes <= LONGEST:
        raise Invalid("minutes", "event_length")
    for field, number in (("seats", plan.seats), ("attendance", plan.attendance)):
        if number is not None and not 0 <= number <= MOST_SEATS:
            raise Invalid(field, "number")
    if not plan.languages or any(code not in SUPPORTED for code in plan.languages):
        raise Invalid("languages", "at_least_one" if not plan.languages else "unknown")
    if any(offer not in set(Offer) for offer in plan.offers):
        raise Invalid("offers", "unknown")
    references.known(ctx, "place", Place, plan.place_id)
    references.known(ctx, "projects", Project, *plan.project_ids)
    references.known(ctx, "bodies", Body, *plan.body_ids)
    if len(plan.agenda) > MOST_POINTS:
        raise Invalid("agenda", "too_many")
    if any(not 1 <= point.minutes <= POINT_LONGEST for point in plan.agenda):
        raise Invalid("agenda", "point_length")


def _relink(
    ctx: Context,
    event: Event,
    mine: InstrumentedAttribute[int],
    other: InstrumentedAttribute[int],
    wanted: frozenset[int],
) -> None:
    model: Any = mine.class_
    before = set(ctx.session.execute(select(other).where(mine == event.id)).scalars())
    if before - wanted:
        ctx.session.execute(delete(model).where(mine == event.id, other.in_(before - wanted)))
    ctx.session.add_all(model(**{mine.key: event.id, other.key: key}) for key in sorted(wanted - before))


def _write_agenda(ctx: Context, event: Event, points: Iterable[Point]) -> None:
    """Rows stay where they can: the room may be showing one of them."""
    mine = select(AgendaItem).where(AgendaItem.event_id == event.id).order_by(AgendaItem.position)
    rows = list(ctx.session.execute(mine).scalars())
    wanted = list(points)
    for position, point in enumerate(wanted, start=1):
        title = wording.line("agenda", point.title, TITLE_LIMIT, needed=True)
        if position <= len(rows):
            row = rows[position - 1]
            row.title, row.minutes = title, point.minutes
        else:
            ctx.session.add(
                AgendaItem(event_id=event.id, position=position, title=title, minutes=point.minutes)
            )
    gone = rows[len(wanted) :]
    if gone:
        room = ctx.session.get(Room, event.id)
        if room is not None and room.agenda_item_id in {row.id for row in gone}:
            room.agenda_item_id = None
            ctx.session.flush()
        for row in gone:
            ctx.session.delete(row)
    ctx.session.flush()


def index(ctx: Context, event: Event) -> None:
    """Let people find it by its words, once it is public."""
    words = (event.title, event.text, event.purpose, event.result, event.place_note, event.code)
    search.put_document(ctx.session, "event", event.id, " ".join(words), is_public=event.is_public)


def settle_state(ctx: Context, event: Event) -> None:
    """A meeting that has begun and has a result, or a count of who came, has been held."""
    told = bool(event.result) or event.attendance is not None
    if told and event.state is EventState.PLANNED and event.starts_at <= ctx.now:
        event.state = EventState.HELD


def web_address(field: str, url: str) -> str:
    """An https address as written. Raises `Invalid(field, "bad_address")`."""
    cleaned = clean_line(url, 501)
    try:
        parts = urlsplit(cleaned)
        fits = parts.scheme == "https" and bool(parts.hostname) and "." in (parts.hostname or "")
        fits = fits and not parts.username and len(cleaned) <= 500 and " " not in cleaned
    except ValueError:
        fits = False
    if not fits:
        raise Invalid(field, "bad_address")
    return cleaned
