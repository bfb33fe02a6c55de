"""Formal projects, read: where each stands and since when, what was said about it, what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Date,
    Integer,
    Text,
    cast,
    exists,
    false,
    func,
    select,
    union_all,
)
from sqlalchemy.orm import joinedload

from lab.db.parts import Shape
from lab.db.types import UtcDateTime
from lab.kernel.clock import local_date
from lab.kernel.errors import NotFound
from lab.models.actions import Action, ActionProject, ActionState
from lab.models.contributions import Contribution, ContributionProject
from lab.models.conversation import Follow
from lab.models.programme import Body, Office
from lab.models.projects import (
    Milestone,
    Project,
    ProjectBody,
    ProjectChange,
    ProjectFunding,
    ProjectIndicator,
    ProjectState,
)
from lab.services.context import Context

#: How many of the latest voices and changes a project's page shows.
VOICES = 4
CHANGES = 12
ACTIONS = 24


@dataclass(frozen=True)
class Stage:
    """One stretch of the timeline as the drawing takes it; progress in per cent."""

    label: str
    start: date
    end: date
    progress: int


@dataclass(frozen=True)
class Standing:
    """A project in a list, with the stretch that is being worked on today (None between stretches)."""

    project: Project
    now: Stage | None


@dataclass(frozen=True)
class Funding:
    """A share of the money, in integer cents; None while not known."""

    source: str
    cents: int | None


@dataclass(frozen=True)
class Partner:
    """An involved body."""

    code: str
    name: str
    is_signatory: bool


@dataclass(frozen=True)
class Indicator:
    """A number the project is measured by."""

    name: str
    value: int
    goal: int | None


@dataclass(frozen=True)
class ActionLine:
    """A public action as lists show it."""

    code: str
    title: str
    aim: str
    state: ActionState
    office: str
    due_on: date | None
    progress: int


@dataclass(frozen=True)
class Change:
    """What changed, when, why, and under which office's name. `what` is a code."""

    at: datetime
    what: str
    before: str
    after: str
    why: str
    office: str


@dataclass
class ProjectPage:
    """Everything the page of one project shows."""

    project: Project
    stages: list[Stage] = field(default_factory=list)
    funding: list[Funding] = field(default_factory=list)
    partners: list[Partner] = field(default_factory=list)
    indicators: list[Indicator] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    voices: list[Contribution] = field(default_factory=list)
    actions: list[ActionLine] = field(default_factory=list)
    #: Whether the signed-in reader follows it.
    followed: bool = False

    @property
    def known_cents(self) -> int:
        """What the known shares add up to, in cents."""
        return sum(share.cents or 0 for share in self.funding)

    @property
    def has_unknown_share(self) -> bool:
        """Whether some share is not known yet, so that the sum is not the whole."""
        return any(share.cents is None for share in self.funding)


def under_way(stages: list[Stage], today: date) -> Stage | None:
    """The stretch that is worked on: begun and not finished; of several, the one that ends first."""
    begun = [s for s in stages if s.start <= today and s.progress < 100]
    return min(begun, key=lambda s: (s.end, s.start)) if begun else None


def listing(ctx: Context) -> list[Standing]:
    """All projects in the programme's order, with their offices. Two statements."""
    query = select(Project).options(joinedload(Project.office)).order_by(Project.position, Project.id)
    projects = list(ctx.session.execute(query).scalars())
    rows = ctx.session.execute(
        select(Milestone)
        .where(Milestone.project_id.in_([p.id for p in projects]), Milestone.progress < 100)
        .order_by(Milestone.position, Milestone.id)
    )
    stages: dict[int, list[Stage]] = {}
    for row in rows.scalars():
        stages.setdefault(row.project_id, []).append(_stage(row))
    today = local_date(ctx.now, ctx.timezone)
    return [Standing(p, _now(p, stages.get(p.id, []), today)) for p in projects]


def _now(project: Project, stages: list[Stage], today: date) -> Stage | None:
    return None if project.state is ProjectState.COMPLETED else under_way(stages, today)


def _stage(row: Milestone) -> Stage:
    return Stage(row.title, row.starts_on, row.ends_on, row.progress)


def joined(rows: Iterable[Any]) -> list[Project]:
    """The projects of rows (something, project) from an outer join: some have none."""
    return [row[1] for row in rows if row[1] is not None]


def by_code(ctx: Context, code: str) -> Project:
    """One project with its office and place. Raises `NotFound`."""
    query = (
        select(Project)
        .where(Project.code == code)
        .options(joinedload(Project.office), joinedload(Project.place), joinedload(Project.programme))
    )
    project = ctx.session.execute(query).scalar_one_or_none()
    if project is None:
        raise NotFound("project")
    return project


def page(ctx: Context, code: str) -> ProjectPage:
    """Everything about one project, in three statements however much was said. Raises `NotFound`."""
    mine = (
        exists().where(Follow.project_id == Project.id, Follow.person_id == ctx.actor.person_id)
        if ctx.actor.is_signed_in
        else false()
    )
    query = (
        select(Project, mine.label("followed"))
        .where(Project.code == code)
        .options(joinedload(Project.office), joinedload(Project.place), joinedload(Project.programme))
    )
    row = ctx.session.execute(query).one_or_none()
    if row is None:
        raise NotFound("project")
    found = ProjectPage(row[0], followed=bool(row.followed))
    _add_parts(ctx, found)
    found.voices = voices(ctx, found.project.id)
    return found


def voices(ctx: Context, project_id: int, limit: int = VOICES) -> list[Contribution]:
    """The latest public inputs about a project. One statement."""
    # By the date of the link: the newest few are found without sorting all that was ever said.
    query = (
        select(Contribution)
        .join(ContributionProject, ContributionProject.contribution_id == Contribution.id)
        .where(ContributionProject.project_id == project_id, Contribution.is_listed)
        .options(joinedload(Contribution.place), joinedload(Contribution.theme))
        .order_by(ContributionProject.said_at.desc(), ContributionProject.contribution_id.desc())
        .limit(limit)
    )
    return list(ctx.session.execute(query).scalars())


def actions(ctx: Context, *conditions: ColumnElement[bool], limit: int = ACTIONS) -> list[ActionLine]:
    """The public actions for which all this holds, latest first. One statement."""
    query = (
        select(Action)
        .where(Action.is_public, *conditions)
        .options(joinedload(Action.office))
        .order_by(Action.updated_at.desc(), Action.id.desc())
        .limit(limit)
    )
    found = ctx.session.execute(query).scalars()
    return [ActionLine(a.code, a.title, a.aim, a.state, a.office.name, a.due_on, a.progress) for a in found]


#: The columns in which every part of a project fits, each empty where a part has no use for it.
_part = Shape(
    position=BigInteger(),
    words=Text(),
    more=Text(),
    starts=Date(),
    ends=Date(),
    at=UtcDateTime(),
    first=BigInteger(),
    second=BigInteger(),
    before=Text(),
    after=Text(),
    office=Text(),
).part


def _parts_of(project_id: int) -> CompoundSelect[Any]:
    """Timeline, money, numbers, bodies, latest changes and public actions of a project in one statement."""
    latest = (
        select(ProjectChange)
        .where(ProjectChange.project_id == project_id)
        .order_by(ProjectChange.at.desc(), ProjectChange.id.desc())
        .limit(CHANGES)
        .subquery()
    )
    change = latest.c
    recent = (
        select(Action.__table__, func.row_number().over(order_by=Action.updated_at.desc()).label("place"))
        .join(ActionProject, ActionProject.action_id == Action.id)
        .where(ActionProject.project_id == project_id, Action.is_public)
        .order_by(Action.updated_at.desc(), Action.id.desc())
        .limit(ACTIONS)
        .subquery()
    )
    public = recent.c
    stage, money, number = Milestone, ProjectFunding, ProjectIndicator
    signed = cast(Body.is_signatory, Integer)
    return union_all(
        _part(
            "stage", position=stage.position, words=stage.title, starts=stage.starts_on, ends=stage.ends_on,
            first=stage.progress,
        ).where(stage.project_id == project_id),
        _part("money", position=money.id, words=money.source, first=money.cents)
        .where(money.project_id == project_id),
        _part("number", position=number.id, words=number.name, first=number.value, second=number.goal)
        .where(number.project_id == project_id),
        _part("body", position=Body.id, words=Body.name, more=Body.code, first=signed)
        .join_from(Body, ProjectBody, Body.id == ProjectBody.body_id)
        .where(ProjectBody.project_id == project_id),
        _part(
            "change", position=-change.id, words=change.why, more=change.what, at=change.at,
            before=change.before, after=change.after, office=Office.name,
        ).join_from(latest, Office, Office.id == change.office_id, isouter=True),
        _part(
            "action", position=public.place, words=public.title, more=public.code, ends=public.due_on,
            first=public.progress, before=cast(public.state, Text), after=public.aim, office=Office.name,
        ).join_from(recent, Office, Office.id == public.office_id),
    )  # fmt: skip


def _add_parts(ctx: Context, found: ProjectPage) -> None:
    parts = _parts_of(found.project.id).subquery()
    rows = ctx.session.execute(select(parts).order_by(parts.c.position)).all()
    of = {part: [row for row in rows if row.part == part] for part in {row.part for row in rows}}
    stages = [Stage(r.words, r.starts, r.ends, r.first) for r in of.get("stage", ())]
    found.stages = sorted(stages, key=lambda stage: (stage.start, stage.end))
    found.funding = [Funding(r.words, r.first) for r in of.get("money", ())]
    found.indicators = [Indicator(r.words, r.first, r.second) for r in of.get("number", ())]
    found.partners = [Partner(r.more, r.words, bool(r.first)) for r in of.get("body", ())]
    found.actions = [
        ActionLine(r.more, r.words, r.after, ActionState(r.before), r.office, r.ends, r.first)
        for r in of.get("action", ())
    ]
    found.changes = [
        Change(r.at, r.more, r.before, r.after, r.words, r.office or "") for r in of.get("change", ())
    ]
