"""Offices move their own projects on. Every change says why, and whoever follows the project hears of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import delete, func, select

from lab.db import search
from lab.db.locking import expect_version, locked
from lab.kernel.clock import local_date
from lab.kernel.errors import Invalid, NotFound
from lab.kernel.money import MOST_CENTS
from lab.kernel.text import clean_line, clean_text
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
from lab.services import audit, outbox, references, wording
from lab.services.context import Context

#: Longest texts in characters; the names are those of the columns.
TITLE_LIMIT = 200
LINE_LIMIT = 160
TEXT_LIMIT = 8000
WHY_LIMIT = 1000
#: Room for what was and what is in the list of changes.
_SIDE = 200
#: More stretches or shares than this belong into another document.
_MOST_PARTS = 60
_EARLIEST, _LATEST = date(1990, 1, 1), date(2100, 12, 31)
#: Indicators count things people can see; more digits than this are a slip.
_LARGEST_NUMBER = 10**12


Part = TypeVar("Part", Milestone, ProjectFunding, ProjectIndicator)


@dataclass(frozen=True)
class Edit:
    """What every change carries: which project, the version its page was drawn with, and why."""

    project_id: int
    version: int | None
    why: str


@dataclass(frozen=True)
class ChangeState:
    """Where it stands now, and since which day."""

    edit: Edit
    state: ProjectState
    since: date


@dataclass(frozen=True)
class ChangeWords:
    """How the project is told, and where it lies."""

    edit: Edit
    title: str
    description: str
    continuity: str
    axis: str
    place_id: int | None


@dataclass(frozen=True)
class SaveMilestone:
    """A stretch of the timeline; a new one when `milestone_id` is None. Progress in per cent."""

    edit: Edit
    milestone_id: int | None
    title: str
    starts_on: date
    ends_on: date
    progress: int


@dataclass(frozen=True)
class SaveFunding:
    """A share of the money in cents, None while not known; a new one when `funding_id` is None."""

    edit: Edit
    funding_id: int | None
    source: str
    cents: int | None


@dataclass(frozen=True)
class SaveIndicator:
    """A number the project is measured by; a new one when `indicator_id` is None."""

    edit: Edit
    indicator_id: int | None
    name: str
    value: int
    goal: int | None


@dataclass(frozen=True)
class ChangeBodies:
    """Who is involved, all of them."""

    edit: Edit
    body_ids: frozenset[int]


@dataclass(frozen=True)
class Remove:
    """Take one milestone, share or indicator out."""

    edit: Edit
    part_id: int


@dataclass
class _Change:
    """Filled by a change while the project is held; nothing is told while `after` equals `before`."""

    project: Project
    what: str
    before: str = ""
    after: str = ""
    #: For changes that two sides cannot show (long texts).
    happened: bool = False


@contextmanager
def _changing(ctx: Context, edit: Edit, what: str) -> Iterator[_Change]:
    """Hold a project of one's own office, let the caller change it, then write down and tell what changed.

    Raises `NotFound` for everybody outside the leading office, `Invalid("why", "required")` without a
    reason and `Conflict("changed_meanwhile")` when the project moved on since its page was drawn.
    """
    project = locked(ctx.session, Project, edit.project_id)
    grant = ctx.require(Permission.PROJECT_EDIT, project)
    expect_version(project, edit.version)
    why = clean_text(edit.why, WHY_LIMIT)
    if not why:
        raise Invalid("why", "required")
    change = _Change(project, what)
    yield change
    if change.before == change.after and not change.happened:
        return
    project.version += 1
    row = ProjectChange(
        project_id=project.id,
        at=ctx.now,
        what=what,
        before=change.before[:_SIDE],
        after=change.after[:_SIDE],
        why=why,
        person_id=ctx.actor.person_id,
        office_id=grant.office_id or project.office_id,
    )
    ctx.session.add(row)
    ctx.session.flush()
    audit.record(ctx, "project.change", project, grant, reason=why, what=what, change_id=row.id)
    outbox.announce(ctx, "project.changed", project_id=project.id, change_id=row.id)


def change_state(ctx: Context, command: ChangeState) -> Project:
    """Move a project to another state, or correct since when it stands there.

    Raises `Invalid("since", "in_future")` for a day that has not come.
    """
    with _changing(ctx, command.edit, "state") as change:
        _check_day("since", command.since)
        if command.since > local_date(ctx.now, ctx.timezone):
            raise Invalid("since", "in_future")
        project = change.project
        change.before, change.after = str(project.state), str(command.state)
        change.happened = project.state_since != command.since
        project.state, project.state_since = command.state, command.since
    return project


def change_words(ctx: Context, command: ChangeWords) -> Project:
    """Rewrite title, description, continuity, axis and place. Raises `Invalid` on these."""
    with _changing(ctx, command.edit, "text") as change:
        project = change.project
        references.known(ctx, "place", Place, command.place_id)
        new = {
            "title": wording.line("title", command.title, TITLE_LIMIT, needed=True),
            "description": wording.text("description", command.description, TEXT_LIMIT),
            "continuity": wording.text("continuity", command.continuity, TEXT_LIMIT),
            "axis": clean_line(command.axis, 80),
            "place_id": command.place_id,
        }
        change.happened = any(getattr(project, name) != value for name, value in new.items())
        for name, value in new.items():
            setattr(project, name, value)
        words = f"{project.title} {project.description} {project.axis} {project.code}"
        search.put_document(ctx.session, "project", project.id, words, is_public=True)
    return project


def save_milestone(ctx: Context, command: SaveMilestone) -> Project:
    """Add a stretch or change its words, days and progress.

    Raises `NotFound`, `Invalid` for days out of order ("ends_on", "dates_order") and progress outside 0-100.
    """
    with _changing(ctx, command.edit, "milestone") as change:
        title = wording.line("title", command.title, TITLE_LIMIT, needed=True)
        _check_day("starts_on", command.starts_on)
        _check_day("ends_on", command.ends_on)
        if command.ends_on < command.starts_on:
            raise Invalid("ends_on", "dates_order")
        if not 0 <= command.progress <= 100:
            raise Invalid("progress", "percent")
        row = _part(ctx, Milestone, change.project, command.milestone_id)
        if row is None:
            position = _next_position(ctx, change.project)
            row = Milestone(project_id=change.project.id, position=position)
            ctx.session.add(row)
        else:
            change.before = milestone_side(row)
        row.title, row.progress = title, command.progress
        row.starts_on, row.ends_on = command.starts_on, command.ends_on
        change.after = milestone_side(row)
    return change.project


def remove_milestone(ctx: Context, command: Remove) -> Project:
    """Take a stretch out of the timeline; what it was stays readable among the changes.

    Raises `NotFound`, `Invalid("why", "required")`.
    """
    return _remove(ctx, command, "milestone", Milestone, milestone_side)


def save_funding(ctx: Context, command: SaveFunding) -> Project:
    """Add a share of the money or change it. Raises `NotFound`, `Invalid("amount", "amount")` below zero."""
    with _changing(ctx, command.edit, "funding") as change:
        source = wording.line("source", command.source, LINE_LIMIT, needed=True)
        if command.cents is not None and not 0 <= command.cents <= MOST_CENTS:
            raise Invalid("amount", "amount")
        row = _part(ctx, ProjectFunding, change.project, command.funding_id)
        if row is None:
            _count_parts(ctx, ProjectFunding, change.project)
            row = ProjectFunding(project_id=change.project.id)
            ctx.session.add(row)
        else:
            change.before = funding_side(row)
        row.source, row.cents = source, command.cents
        change.after = funding_side(row)
    return change.project


def remove_funding(ctx: Context, command: Remove) -> Project:
    """Take a share of the money out. Raises as `remove_milestone`."""
    return _remove(ctx, command, "funding", ProjectFunding, funding_side)


def save_indicator(ctx: Context, command: SaveIndicator) -> Project:
    """Add a number or change its value and goal. Raises `NotFound`, `Invalid` for numbers out of range."""
    with _changing(ctx, command.edit, "indicator") as change:
        name = wording.line("name", command.name, LINE_LIMIT, needed=True)
        for field, number in (("value", command.value), ("goal", command.goal)):
            if number is not None and not 0 <= number <= _LARGEST_NUMBER:
                raise Invalid(field, "number")
        row = _part(ctx, ProjectIndicator, change.project, command.indicator_id)
        if row is None:
            _count_parts(ctx, ProjectIndicator, change.project)
            row = ProjectIndicator(project_id=change.project.id)
            ctx.session.add(row)
        else:
            change.before = indicator_side(row)
        row.name, row.value, row.goal = name, command.value, command.goal
        change.after = indicator_side(row)
    return change.project


def remove_indicator(ctx: Context, command: Remove) -> Project:
    """Stop measuring a number. Raises as `remove_milestone`."""
    return _remove(ctx, command, "indicator", ProjectIndicator, indicator_side)


def change_bodies(ctx: Context, command: ChangeBodies) -> Project:
    """Say anew who is involved. Raises `Invalid("bodies", "unknown")` for bodies that are not there."""
    with _changing(ctx, command.edit, "bodies") as change:
        mine = ProjectBody.project_id == change.project.id
        before = set(ctx.session.execute(select(ProjectBody.body_id).where(mine)).scalars())
        after = set(command.body_ids)
        asked = select(Body.id, Body.name).where(Body.id.in_(before | after)).order_by(Body.name)
        names = {row.id: row.name for row in ctx.session.execute(asked)}
        if after - set(names):
            raise Invalid("bodies", "unknown")
        if before - after:
            gone = ProjectBody.body_id.in_(before - after)
            ctx.session.execute(delete(ProjectBody).where(mine, gone))
        ctx.session.add_all(ProjectBody(project_id=change.project.id, body_id=key) for key in after - before)
        change.before = ", ".join(name for key, name in names.items() if key in before - after)
        change.after = ", ".join(name for key, name in names.items() if key in after - before)
    return change.project


def _remove(
    ctx: Context, command: Remove, what: str, model: type[Part], tell: Callable[[Part], str]
) -> Project:
    with _changing(ctx, command.edit, what) as change:
        row = _part(ctx, model, change.project, command.part_id)
        if row is None:
            raise NotFound(what)
        change.before = tell(row)
        ctx.session.delete(row)
    return change.project


def _part(ctx: Context, model: type[Part], project: Project, key: int | None) -> Part | None:
    """The part of this project under this id; None asks for a new one. Raises `NotFound`."""
    if key is None:
        return None
    row = ctx.session.get(model, key, populate_existing=True)
    if row is None or row.project_id != project.id:
        raise NotFound(model.__tablename__)
    return row


def _count_parts(ctx: Context, model: type[Part], project: Project) -> None:
    count = select(func.count()).select_from(model).where(model.project_id == project.id)
    if ctx.session.execute(count).scalar_one() >= _MOST_PARTS:
        raise Invalid("", "too_many")


def _next_position(ctx: Context, project: Project) -> int:
    _count_parts(ctx, Milestone, project)
    last = select(func.max(Milestone.position)).where(Milestone.project_id == project.id)
    return int(ctx.session.execute(last).scalar() or 0) + 1


def _check_day(field: str, day: date) -> None:
    if not _EARLIEST <= day <= _LATEST:
        raise Invalid(field, "day")


def milestone_side(row: Milestone) -> str:
    """One side of a change, kept as days and numbers: the web floor makes a sentence of it."""
    return f"{row.starts_on}/{row.ends_on}/{row.progress}/{row.title}"


def funding_side(row: ProjectFunding) -> str:
    """The same for a share of the money, in cents."""
    return f"{'' if row.cents is None else row.cents}/{row.source}"


def indicator_side(row: ProjectIndicator) -> str:
    """The same for an indicator."""
    return f"{row.value}/{'' if row.goal is None else row.goal}/{row.name}"
