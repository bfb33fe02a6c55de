"""Meetings as the desk reads them: one's own or all, in lists; one with all its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import joinedload, selectinload

from lab.kernel.errors import NotFound
from lab.models.events import AgendaItem, Event, EventBody, EventDocument, EventHost, EventProject, EventState
from lab.models.programme import Body, Place
from lab.models.projects import Project
from lab.models.registrations import SignUp
from lab.policy.permissions import Permission
from lab.policy.visibility import editable_events
from lab.services import event_documents, event_editing, events
from lab.services.context import Context
from lab.services.events import Mark

PER_PAGE = 30
#: What comes and drafts are never more than one can look over.
AHEAD = 200


@dataclass(frozen=True)
class Lists:
    """Drafts and what comes (soonest first), and a page of what has been (latest first)."""

    drafts: list[Event]
    coming: list[Event]
    past: list[Event]
    has_more: bool
    #: Places taken, given out and waiting parties by event id, where one signs up.
    books: dict[int, SignUp]


@dataclass(frozen=True)
class File:
    """One meeting with everything the desk shows."""

    event: Event
    books: SignUp | None
    agenda: Sequence[AgendaItem]
    documents: Sequence[EventDocument]
    project_ids: frozenset[int]
    body_ids: frozenset[int]


@dataclass(frozen=True)
class Choices:
    """What the form of a meeting offers, as (id, name)."""

    places: list[tuple[int, str]]
    projects: list[tuple[int, str]]
    bodies: list[tuple[int, str]]


def _mine(ctx: Context) -> Select[Event]:
    return select(Event).options(joinedload(Event.place)).where(editable_events(ctx.actor))


def lists(ctx: Context, after: Mark | None = None) -> Lists:
    """The meetings this person prepares. Raises `NotFound` for outsiders. Three statements."""
    event_editing.may_create(ctx)
    ahead = [] if after else _ahead(ctx)
    query = _mine(ctx).where(Event.starts_at < events.today(ctx))
    if after:
        query = query.where(tuple_(Event.starts_at, Event.id) < after)
    query = query.order_by(Event.starts_at.desc(), Event.id.desc()).limit(PER_PAGE + 1)
    past = list(ctx.session.execute(query).scalars())
    shown = past[:PER_PAGE]
    return Lists(
        drafts=[one for one in ahead if not one.is_public],
        coming=[one for one in ahead if one.is_public],
        past=shown,
        has_more=len(past) > PER_PAGE,
        books=_books(ctx, [one.id for one in ahead + shown]),
    )


def _ahead(ctx: Context) -> list[Event]:
    query = _mine(ctx).where(Event.starts_at >= events.today(ctx))
    return list(ctx.session.execute(query.order_by(Event.starts_at, Event.id).limit(AHEAD)).scalars())


def _books(ctx: Context, ids: list[int]) -> dict[int, SignUp]:
    query = select(SignUp).where(SignUp.event_id.in_(ids), SignUp.is_offered)
    return {row.event_id: row for row in ctx.session.execute(query).scalars()}


def own(ctx: Context, code: str) -> Event:
    """A meeting that the actor may edit, with hosts, place and series. Raises `NotFound`."""
    hosts = selectinload(Event.hosts).joinedload(EventHost.person)
    query = select(Event).where(Event.code == code)
    query = query.options(hosts, joinedload(Event.place), joinedload(Event.series))
    event = ctx.session.execute(query).scalar_one_or_none()
    if event is None:
        raise NotFound("event")
    ctx.require(Permission.EVENT_EDIT, event)
    return event


def file(ctx: Context, code: str) -> File:
    """One meeting that the actor may edit with all its parts. Raises `NotFound`."""
    event = own(ctx, code)
    points = select(AgendaItem).where(AgendaItem.event_id == event.id).order_by(AgendaItem.position)
    projects = select(EventProject.project_id).where(EventProject.event_id == event.id)
    bodies = select(EventBody.body_id).where(EventBody.event_id == event.id)
    return File(
        event,
        ctx.session.get(SignUp, event.id),
        ctx.session.execute(points).scalars().all(),
        event_documents.of(ctx, event.id),
        frozenset(ctx.session.execute(projects).scalars()),
        frozenset(ctx.session.execute(bodies).scalars()),
    )


def choices(ctx: Context, keep_place: int | None = None) -> Choices:
    """Places in use (and the one that is chosen already), projects and bodies. Three statements."""
    places = select(Place.id, Place.name).where(Place.retired.is_(False) | (Place.id == keep_place))
    projects = select(Project.id, Project.code, Project.title).order_by(Project.position, Project.id)
    bodies = select(Body.id, Body.name).order_by(Body.name)
    return Choices(
        [(row.id, row.name) for row in ctx.session.execute(places.order_by(Place.name))],
        [(row.id, f"{row.code} · {row.title}") for row in ctx.session.execute(projects)],
        [(row.id, row.name) for row in ctx.session.execute(bodies)],
    )


def is_over(ctx: Context, event: Event) -> bool:
    """Whether it has begun, so that one can say what came of it."""
    return event.starts_at <= ctx.now and event.state is not EventState.CANCELLED
