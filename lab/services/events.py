"""Meetings of the lab, read: what comes, what has been, and what was said there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import joinedload

from lab.kernel.clock import local_date, start_of_local_day
from lab.kernel.errors import NotFound
from lab.models.contributions import Contribution
from lab.models.events import Event, EventProject, EventState
from lab.models.projects import Project
from lab.services.context import Context

#: Past meetings and remarks on one page.
PER_PAGE = 20
#: More meetings than this are never in sight at once; the list of what comes stops there.
COMING_LIMIT = 60

#: Where a list goes on: the moment and id of the last thing shown.
Mark = tuple[datetime, int]


@dataclass(frozen=True)
class Calendar:
    """What comes (soonest first) and one page of what has been (latest first)."""

    coming: list[Event]
    past: list[Event]
    has_more: bool
    #: Formal projects by event id.
    projects: dict[int, list[Project]]


@dataclass(frozen=True)
class EventPage:
    """One meeting with the projects it serves and a page of what was said there (earliest first)."""

    event: Event
    projects: list[Project]
    said: list[Contribution]
    has_more: bool


def is_past(ctx: Context, event: Event) -> bool:
    """Whether its day is over (all of today still comes)."""
    return event.starts_at < _today(ctx)


def _today(ctx: Context) -> datetime:
    return start_of_local_day(local_date(ctx.now, ctx.timezone), ctx.timezone)


def coming(ctx: Context, limit: int = COMING_LIMIT) -> list[Event]:
    """The next meetings, soonest first, cancelled ones left out; with their places. One statement."""
    query = (
        select(Event)
        .where(Event.starts_at >= _today(ctx), Event.state != EventState.CANCELLED)
        .options(joinedload(Event.place))
        .order_by(Event.starts_at, Event.id)
        .limit(limit)
    )
    return list(ctx.session.execute(query).scalars())


def calendar(ctx: Context, after: Mark | None = None) -> Calendar:
    """The list of meetings; on pages after the first only the past goes on. Three statements."""
    ahead = [] if after else _ahead(ctx)
    past = (
        select(Event)
        .where(Event.starts_at < _today(ctx))
        .options(joinedload(Event.place))
        .order_by(Event.starts_at.desc(), Event.id.desc())
        .limit(PER_PAGE + 1)
    )
    if after:
        past = past.where(tuple_(Event.starts_at, Event.id) < after)
    found = list(ctx.session.execute(past).scalars())
    shown = found[:PER_PAGE]
    return Calendar(ahead, shown, len(found) > PER_PAGE, projects_of(ctx, [e.id for e in ahead + shown]))


def _ahead(ctx: Context) -> list[Event]:
    query = (
        select(Event)
        .where(Event.starts_at >= _today(ctx))
        .options(joinedload(Event.place))
        .order_by(Event.starts_at, Event.id)
        .limit(COMING_LIMIT)
    )
    return list(ctx.session.execute(query).scalars())


def projects_of(ctx: Context, event_ids: list[int]) -> dict[int, list[Project]]:
    """The formal projects that these meetings serve, in the programme's order. One statement."""
    query = (
        select(EventProject.event_id, Project)
        .join(Project, Project.id == EventProject.project_id)
        .where(EventProject.event_id.in_(event_ids))
        .order_by(Project.position, Project.id)
    )
    found: dict[int, list[Project]] = {}
    for event_id, project in ctx.session.execute(query):
        found.setdefault(event_id, []).append(project)
    return found


def page(ctx: Context, code: str, after: Mark | None = None) -> EventPage:
    """One meeting. Three statements. Raises `NotFound`."""
    query = select(Event).where(Event.code == code).options(joinedload(Event.place))
    event = ctx.session.execute(query).scalar_one_or_none()
    if event is None:
        raise NotFound("event")
    said = (
        select(Contribution)
        .where(Contribution.event_id == event.id, Contribution.is_listed)
        .options(joinedload(Contribution.place), joinedload(Contribution.theme))
        .order_by(Contribution.created_at, Contribution.id)
        .limit(PER_PAGE + 1)
    )
    if after:
        said = said.where(tuple_(Contribution.created_at, Contribution.id) > after)
    found = list(ctx.session.execute(said).scalars())
    projects = projects_of(ctx, [event.id]).get(event.id, [])
    return EventPage(event, projects, found[:PER_PAGE], len(found) > PER_PAGE)
