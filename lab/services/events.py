"""Meetings of the lab, read by everybody: what comes, what has been, and what was said there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import joinedload, selectinload

from lab.kernel.clock import local_date, start_of_local_day
from lab.kernel.errors import NotFound
from lab.models.events import Event, EventBody, EventKind, EventProject, EventState
from lab.models.programme import Body
from lab.models.projects import Project
from lab.policy.permissions import Permission
from lab.services import event_outcome, event_parts
from lab.services.context import Context
from lab.services.event_outcome import EventOutcome
from lab.services.event_parts import Parts

#: Meetings on one page.
PER_PAGE = 20
COMING = 30
#: More meetings than this in one month, or in one calendar file, belong into another calendar.
MOST = 400
#: A subscribed calendar keeps what has been for this long.
_KEPT = timedelta(days=400)

#: Where a list goes on: the moment and id of the last thing shown.
Mark = tuple[datetime, int]


@dataclass(frozen=True)
class Wish:
    """Which meetings are wanted; None: all."""

    kind: EventKind | None = None
    place_id: int | None = None
    project_id: int | None = None
    series_id: int | None = None


@dataclass(frozen=True)
class Calendar:
    """A page of what comes (soonest first) and one of what has been (latest first)."""

    coming: list[Event]
    more_coming: bool
    past: list[Event]
    more_past: bool


@dataclass(frozen=True)
class EventPage:
    """One meeting with what hangs on it and what became of it."""

    event: Event
    parts: Parts
    outcome: EventOutcome


def is_past(ctx: Context, event: Event) -> bool:
    """Whether its day is over (all of today still comes)."""
    return event.starts_at < today(ctx)


def today(ctx: Context) -> datetime:
    """The first instant of today in the neighbourhood."""
    return start_of_local_day(local_date(ctx.now, ctx.timezone), ctx.timezone)


def public(wish: Wish | None = None) -> Select[Event]:
    """The meetings that everybody may know of, with their places, as wished."""
    query = select(Event).where(Event.is_public).options(joinedload(Event.place))
    if wish is None:
        return query
    for column, value in (
        (Event.kind, wish.kind),
        (Event.place_id, wish.place_id),
        (Event.series_id, wish.series_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wish.project_id is not None:
        serving = select(EventProject.event_id).where(EventProject.project_id == wish.project_id)
        query = query.where(Event.id.in_(serving))
    if wish.series_id is not None:
        query = query.options(joinedload(Event.series))
    return query


def coming(ctx: Context, limit: int = COMING) -> list[Event]:
    """The next meetings, soonest first, cancelled ones left out; with their places. One statement."""
    query = public().where(Event.starts_at >= today(ctx), Event.state != EventState.CANCELLED)
    return list(ctx.session.execute(_soonest(query).limit(limit)).scalars())


def calendar(
    ctx: Context, wish: Wish | None = None, after: Mark | None = None, ahead: Mark | None = None
) -> Calendar:
    """The lists of meetings. Two statements.

    `after` goes on with the past only, `ahead` with what comes only.
    """
    coming_now, more = ([], False) if after else _ahead(ctx, wish, ahead)
    past, older = ([], False) if ahead else _past(ctx, wish, after)
    return Calendar(coming_now, more, past, older)


def _ahead(ctx: Context, wish: Wish | None, mark: Mark | None) -> tuple[list[Event], bool]:
    query = public(wish).where(Event.starts_at >= today(ctx))
    if mark:
        query = query.where(tuple_(Event.starts_at, Event.id) > mark)
    found = list(ctx.session.execute(_soonest(query).limit(COMING + 1)).scalars())
    return found[:COMING], len(found) > COMING


def _past(ctx: Context, wish: Wish | None, mark: Mark | None) -> tuple[list[Event], bool]:
    query = public(wish).where(Event.starts_at < today(ctx))
    if mark:
        query = query.where(tuple_(Event.starts_at, Event.id) < mark)
    query = query.order_by(Event.starts_at.desc(), Event.id.desc()).limit(PER_PAGE + 1)
    found = list(ctx.session.execute(query).scalars())
    return found[:PER_PAGE], len(found) > PER_PAGE


def _soonest(query: Select[Event]) -> Select[Event]:
    return query.order_by(Event.starts_at, Event.id)


def between(ctx: Context, wish: Wish | None, first: date, after_last: date) -> list[Event]:
    """The meetings that begin on these local days, `after_last` not among them. One statement."""
    query = public(wish).where(
        Event.starts_at >= start_of_local_day(first, ctx.timezone),
        Event.starts_at < start_of_local_day(after_last, ctx.timezone),
    )
    return list(ctx.session.execute(_soonest(query).limit(MOST)).scalars())


def subscribed(ctx: Context, wish: Wish | None = None) -> list[Event]:
    """What a calendar file holds: all that comes and a year of what has been; cancelled ones too, so that
    calendars learn of it. One statement."""
    query = public(wish).where(Event.starts_at >= today(ctx) - _KEPT)
    # The latest first under the limit: what comes is never cut off by what has been.
    query = query.order_by(Event.starts_at.desc(), Event.id.desc()).limit(MOST)
    return list(reversed(ctx.session.execute(query).scalars().all()))


def projects_of(ctx: Context, event_ids: Sequence[int]) -> dict[int, list[Project]]:
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


def bodies_of(ctx: Context, event_ids: Sequence[int]) -> dict[int, list[Body]]:
    """The bodies that invite to these meetings, by name. One statement."""
    query = (
        select(EventBody.event_id, Body)
        .join(Body, Body.id == EventBody.body_id)
        .where(EventBody.event_id.in_(event_ids))
        .order_by(Body.name, Body.id)
    )
    found: dict[int, list[Body]] = {}
    for event_id, body in ctx.session.execute(query):
        found.setdefault(event_id, []).append(body)
    return found


def public_id(ctx: Context, code: str | None) -> int | None:
    """The id of a public meeting; None without a code, and where there is none of this code."""
    query = select(Event.id).where(Event.code == code, Event.is_public)
    return ctx.session.execute(query).scalar() if code else None


def readable(ctx: Context, code: str, *options: Any) -> Event:
    """One meeting that the actor may read, with its place and series. One statement, or two for one that
    is still being prepared. Raises `NotFound`."""
    query = select(Event).where(Event.code == code)
    query = query.options(joinedload(Event.place), joinedload(Event.series), *options)
    event = ctx.session.execute(query).unique().scalar_one_or_none()
    if event is None:
        raise NotFound("event")
    if not event.is_public:
        with_hosts = select(Event).where(Event.id == event.id).options(selectinload(Event.hosts))
        event = ctx.session.execute(with_hosts).scalar_one()
        ctx.require(Permission.EVENT_READ, event)
    return event


def page(ctx: Context, code: str, after: int | None = None) -> EventPage:
    """One meeting; `after` is where a further page of what was said there goes on. Three statements.

    Raises `NotFound`, also while it is prepared by others.
    """
    event = readable(ctx, code)
    return EventPage(event, event_parts.parts(ctx, event), event_outcome.of(ctx, event.id, after=after))
