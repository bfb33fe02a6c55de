"""Projects as the desk sees them: whose they are, what is late, and every part with its id for editing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from lab.kernel.clock import local_date
from lab.kernel.errors import NotFound
from lab.models.programme import Body, Place
from lab.models.projects import (
    Milestone,
    Project,
    ProjectBody,
    ProjectChange,
    ProjectFunding,
    ProjectIndicator,
    ProjectState,
)
from lab.policy.permissions import Permission
from lab.services import projects
from lab.services.context import Context


@dataclass(frozen=True)
class DeskLine:
    """A project in the list of the desk."""

    project: Project
    #: Whether this person may move it on.
    is_mine: bool
    #: Whether a body they stand for takes part in it.
    is_ours: bool
    #: Stretches that should be over and are not finished.
    late: int
    #: Day of the last change anybody wrote down; None before the first.
    changed_on: date | None


@dataclass(frozen=True)
class Dossier:
    """One project with all its parts, for its office."""

    project: Project
    milestones: list[Milestone]
    funding: list[ProjectFunding]
    indicators: list[ProjectIndicator]
    bodies: list[Body]


def changes_since(ctx: Context, project: Project, version: int | None) -> Sequence[ProjectChange]:
    """What others wrote down since the page with this version was drawn, the oldest first; at most ten."""
    meanwhile = min(max(project.version - version, 0), 10) if version is not None else 0
    query = (
        select(ProjectChange)
        .where(ProjectChange.project_id == project.id)
        .order_by(ProjectChange.at.desc(), ProjectChange.id.desc())
        .limit(meanwhile)
    )
    return ctx.session.execute(query).scalars().all()[::-1]


def lines(ctx: Context) -> list[DeskLine]:
    """All projects, one's own first, in four statements at most. Raises `NotFound` outside the desk."""
    ctx.require(Permission.DESK_SEE)
    today = local_date(ctx.now, ctx.timezone)
    late = _count_late(ctx, today)
    changed = select(ProjectChange.project_id, func.max(ProjectChange.at)).group_by(ProjectChange.project_id)
    last = {project_id: local_date(at, ctx.timezone) for project_id, at in ctx.session.execute(changed)}
    part = select(ProjectBody.project_id).where(ProjectBody.body_id.in_(ctx.actor.body_ids))
    ours = set(ctx.session.execute(part).scalars()) if ctx.actor.body_ids else set()
    query = select(Project).options(joinedload(Project.office)).order_by(Project.position, Project.id)
    found = [
        DeskLine(
            project=project,
            is_mine=ctx.may(Permission.PROJECT_EDIT, project),
            is_ours=project.id in ours,
            late=0 if project.state is ProjectState.COMPLETED else late.get(project.id, 0),
            changed_on=last.get(project.id),
        )
        for project in ctx.session.execute(query).scalars()
    ]
    return sorted(found, key=lambda line: not line.is_mine)


def _count_late(ctx: Context, today: date) -> dict[int, int]:
    query = (
        select(Milestone.project_id, func.count())
        .where(Milestone.ends_on < today, Milestone.progress < 100)
        .group_by(Milestone.project_id)
    )
    return {project_id: int(count) for project_id, count in ctx.session.execute(query)}


def own(ctx: Context, code: str) -> Project:
    """A project of one's own office. Raises `NotFound` for everybody else's."""
    project = projects.by_code(ctx, code)
    ctx.require(Permission.PROJECT_EDIT, project)
    return project


def dossier(ctx: Context, code: str) -> Dossier:
    """A project of one's own office with every part. Raises `NotFound` for everybody else's."""
    project = own(ctx, code)
    milestones = (
        select(Milestone)
        .where(Milestone.project_id == project.id)
        .order_by(Milestone.starts_on, Milestone.ends_on, Milestone.id)
    )
    funding = (
        select(ProjectFunding).where(ProjectFunding.project_id == project.id).order_by(ProjectFunding.id)
    )
    indicators = (
        select(ProjectIndicator)
        .where(ProjectIndicator.project_id == project.id)
        .order_by(ProjectIndicator.id)
    )
    involved = (
        select(Body)
        .join(ProjectBody, ProjectBody.body_id == Body.id)
        .where(ProjectBody.project_id == project.id)
        .order_by(Body.name)
    )
    return Dossier(
        project,
        list(ctx.session.execute(milestones).scalars()),
        list(ctx.session.execute(funding).scalars()),
        list(ctx.session.execute(indicators).scalars()),
        list(ctx.session.execute(involved).scalars()),
    )


Part = TypeVar("Part", Milestone, ProjectFunding, ProjectIndicator)


def part(ctx: Context, model: type[Part], project: Project, key: int) -> Part:
    """One part of a project. Raises `NotFound` when it belongs to another project or is gone."""
    row = ctx.session.get(model, key)
    if row is None or row.project_id != project.id:
        raise NotFound(model.__tablename__)
    return row


def body_ids(ctx: Context, project: Project) -> list[int]:
    """The bodies involved in a project."""
    query = select(ProjectBody.body_id).where(ProjectBody.project_id == project.id)
    return list(ctx.session.execute(query).scalars())


def all_bodies(ctx: Context) -> list[Body]:
    """Every body, by name."""
    return list(ctx.session.execute(select(Body).order_by(Body.name)).scalars())


def all_places(ctx: Context) -> list[Place]:
    """The places in use, by code."""
    query = select(Place).where(Place.retired.is_(False)).order_by(Place.code)
    return list(ctx.session.execute(query).scalars())
