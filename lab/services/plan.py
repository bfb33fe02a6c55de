"""The schematic plan of the neighbourhood, read: its places and what is at each of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lab.kernel.errors import NotFound
from lab.models.actions import Action, ActionProject
from lab.models.contributions import Contribution
from lab.models.events import Event
from lab.models.programme import Place
from lab.models.projects import Project
from lab.services import projects
from lab.services.context import Context
from lab.services.projects import ActionLine

#: How many of the latest things of each sort a place shows.
LATEST = 6


@dataclass(frozen=True)
class PlaceWork:
    """A place with the formal projects that lie there."""

    place: Place
    projects: list[Project]


@dataclass(frozen=True)
class PlacePage:
    """What is at one place."""

    place: Place
    projects: list[Project]
    voices: list[Contribution]
    actions: list[ActionLine]
    events: list[Event]


def places(ctx: Context) -> list[PlaceWork]:
    """All places in use with their projects. One statement."""
    query = (
        select(Place, Project)
        .outerjoin(Project, Project.place_id == Place.id)
        .where(Place.retired.is_(False))
        .order_by(Place.code, Project.position, Project.id)
    )
    found: dict[int, PlaceWork] = {}
    for place, project in ctx.session.execute(query):
        work = found.setdefault(place.id, PlaceWork(place, []))
        if project is not None:
            work.projects.append(project)
    return list(found.values())


def page(ctx: Context, code: str) -> PlacePage:
    """One place. Four statements. Raises `NotFound`."""
    query = (
        select(Place, Project)
        .outerjoin(Project, Project.place_id == Place.id)
        .where(Place.code == code)
        .order_by(Project.position, Project.id)
    )
    rows = ctx.session.execute(query).all()
    if not rows:
        raise NotFound("place")
    place = rows[0][0]
    here = projects.joined(rows)
    return PlacePage(place, here, _voices(ctx, place), _actions(ctx, here), _events(ctx, place))


def _voices(ctx: Context, place: Place) -> list[Contribution]:
    query = (
        select(Contribution)
        .where(Contribution.is_listed, Contribution.place_id == place.id)
        .options(joinedload(Contribution.place), joinedload(Contribution.theme))
        .order_by(Contribution.created_at.desc(), Contribution.id.desc())
        .limit(LATEST)
    )
    return list(ctx.session.execute(query).scalars())


def _actions(ctx: Context, here: list[Project]) -> list[ActionLine]:
    """Public actions of the projects that lie here."""
    serves = select(ActionProject.action_id).where(ActionProject.project_id.in_([p.id for p in here]))
    return projects.actions(ctx, Action.id.in_(serves), limit=LATEST)


def _events(ctx: Context, place: Place) -> list[Event]:
    query = (
        select(Event)
        .where(Event.place_id == place.id, Event.is_public)
        .options(joinedload(Event.place))
        .order_by(Event.starts_at.desc(), Event.id.desc())
        .limit(LATEST)
    )
    return list(ctx.session.execute(query).scalars())
