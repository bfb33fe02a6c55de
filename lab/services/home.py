"""What the first page shows: meetings, projects, where people spoke lately, how the promise is kept."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Label, func, literal, select, true
from sqlalchemy.orm import joinedload

from lab.models.contributions import Contribution, State, Tally
from lab.models.events import Event
from lab.models.projects import Project
from lab.services import events, tally
from lab.services.context import Context

EVENTS = 3
PROJECTS = 4
OUTCOMES = 3
PINS = 8
#: Pins are looked for among this many of the latest inputs, so that a set without pins costs nothing.
_RECENT = 200


@dataclass(frozen=True)
class Pin:
    """A point on the plan where somebody said something, with where that stands."""

    x: int
    y: int
    state: State


@dataclass(frozen=True)
class Kept:
    """How many inputs got an outcome, and how many of them within the promise."""

    answered: int
    in_time: int


@dataclass(frozen=True)
class Front:
    """The first page. Three statements."""

    events: list[Event]
    projects: list[Project]
    pins: list[Pin]
    #: None while nothing has been answered yet.
    kept: Kept | None


def front(ctx: Context) -> Front:
    """Everything of the first page except the latest outcomes."""
    pins, kept = _pins_and_promise(ctx)
    return Front(events.coming(ctx, EVENTS), _projects(ctx), pins, kept)


def _projects(ctx: Context) -> list[Project]:
    """The projects that moved last: on the first page one looks for what is new."""
    query = (
        select(Project)
        .options(joinedload(Project.office))
        .order_by(Project.state_since.desc(), Project.position, Project.id)
        .limit(PROJECTS)
    )
    return list(ctx.session.execute(query).scalars())


def _pins_and_promise(ctx: Context) -> tuple[list[Pin], Kept | None]:
    recent = (
        select(Contribution.id, Contribution.x, Contribution.y, Contribution.state)
        .where(Contribution.is_listed)
        .order_by(Contribution.created_at.desc(), Contribution.id.desc())
        .limit(_RECENT)
        .subquery()
    )
    pinned = select(recent).where(recent.c.x.is_not(None)).limit(PINS).subquery()
    one = select(literal(1).label("one")).subquery()
    in_time, late = _tallied("in_time"), _tallied("late")
    query = select(in_time, late, pinned.c.x, pinned.c.y, pinned.c.state).select_from(
        one.outerjoin(pinned, true())
    )
    rows = ctx.session.execute(query).all()
    kept = Kept(int(rows[0].in_time) + int(rows[0].late), int(rows[0].in_time))
    pins = [Pin(row.x, row.y, row.state) for row in rows if row.x is not None]
    return pins, kept if kept.answered else None


def _tallied(timeliness: str) -> Label[int]:
    total = func.coalesce(func.sum(Tally.count), 0)
    answered = select(total).where(*tally.whole(), Tally.timeliness == timeliness)
    return answered.scalar_subquery().label(timeliness)
