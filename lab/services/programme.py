"""The programme, read: phases, who leads, who takes part, and how each office keeps the promise."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from lab.kernel.clock import local_date
from lab.kernel.errors import NotFound
from lab.models.actions import Action, ActionBody
from lab.models.contributions import ANY, IS_OPEN, OPEN_STATES, Contribution, Tally
from lab.models.programme import Body, Office, Phase, Programme
from lab.models.projects import Project, ProjectBody
from lab.services import projects
from lab.services.context import Context
from lab.services.projects import ActionLine

#: The oldest waiting inputs an office's page shows.
WAITING = 6


@dataclass(frozen=True)
class OfficeWork:
    """An office with the formal projects it leads."""

    office: Office
    projects: list[Project]


@dataclass(frozen=True)
class Overview:
    """The programme in whole; None before anybody has written it down."""

    programme: Programme | None
    phases: list[Phase]
    #: The phase that today falls in.
    current: Phase | None
    bodies: list[Body]
    offices: list[OfficeWork]


@dataclass(frozen=True)
class BodyPage:
    """A body with the projects it is involved in and the public actions it takes part in."""

    body: Body
    projects: list[Project]
    actions: list[ActionLine]


@dataclass
class Promise:
    """How the promise of an answer is kept, counted in inputs."""

    waiting: int = 0
    in_time: int = 0
    late: int = 0

    @property
    def answered(self) -> int:
        """All that got an outcome."""
        return self.in_time + self.late


@dataclass(frozen=True)
class OfficePage:
    """An office: what it leads, how it answers, what waits for it longest."""

    office: Office
    projects: list[Project]
    actions: list[ActionLine]
    promise: Promise
    waiting: list[Contribution] = field(default_factory=list)


def the_programme(ctx: Context) -> Programme | None:
    """The one programme with its two leading offices; None before it is written down."""
    query = (
        select(Programme)
        .options(joinedload(Programme.political_office), joinedload(Programme.technical_office))
        .order_by(Programme.id)
        .limit(1)
    )
    return ctx.session.execute(query).scalar_one_or_none()


def overview(ctx: Context) -> Overview:
    """The whole programme in four statements."""
    phases = list(ctx.session.execute(select(Phase).order_by(Phase.position, Phase.id)).scalars())
    return Overview(
        programme=the_programme(ctx),
        phases=phases,
        current=current_phase(ctx, phases),
        bodies=bodies(ctx),
        offices=offices(ctx),
    )


def current_phase(ctx: Context, phases: list[Phase]) -> Phase | None:
    """The phase that today falls in; of overlapping ones the one that began last."""
    today = local_date(ctx.now, ctx.timezone)
    running = [p for p in phases if p.starts_on <= today and (p.ends_on is None or today <= p.ends_on)]
    return max(running, key=lambda p: (p.starts_on, p.position)) if running else None


def bodies(ctx: Context) -> list[Body]:
    """All bodies by code, signatories first. One statement."""
    query = select(Body).order_by(Body.is_signatory.desc(), Body.code)
    return list(ctx.session.execute(query).scalars())


def offices(ctx: Context) -> list[OfficeWork]:
    """The offices in being, each with the projects it leads. One statement."""
    query = (
        select(Office, Project)
        .outerjoin(Project, Project.office_id == Office.id)
        .where(Office.closed_on.is_(None))
        .order_by(Office.code, Project.position, Project.id)
    )
    found: dict[int, OfficeWork] = {}
    for office, project in ctx.session.execute(query):
        work = found.setdefault(office.id, OfficeWork(office, []))
        if project is not None:
            work.projects.append(project)
    return list(found.values())


def closed_offices(ctx: Context) -> list[Office]:
    """The offices that are no more, by code: their past names them. One statement."""
    query = select(Office).where(Office.closed_on.is_not(None)).order_by(Office.code)
    return list(ctx.session.execute(query).scalars())


def body_page(ctx: Context, code: str) -> BodyPage:
    """One body. Two statements. Raises `NotFound`."""
    query = (
        select(Body, Project)
        .outerjoin(ProjectBody, ProjectBody.body_id == Body.id)
        .outerjoin(Project, Project.id == ProjectBody.project_id)
        .where(Body.code == code)
        .order_by(Project.position, Project.id)
    )
    rows = ctx.session.execute(query).all()
    if not rows:
        raise NotFound("body")
    body = rows[0][0]
    taken = select(ActionBody.action_id).where(ActionBody.body_id == body.id)
    led = projects.joined(rows)
    return BodyPage(body, led, projects.actions(ctx, Action.id.in_(taken)))


def office_page(ctx: Context, code: str) -> OfficePage:
    """One office. Four statements. Raises `NotFound`."""
    query = (
        select(Office, Project)
        .outerjoin(Project, Project.office_id == Office.id)
        .where(Office.code == code)
        .options(joinedload(Office.body))
        .order_by(Project.position, Project.id)
    )
    rows = ctx.session.execute(query).all()
    if not rows:
        raise NotFound("office")
    office = rows[0][0]
    waiting = (
        select(Contribution)
        .where(Contribution.office_id == office.id, IS_OPEN, Contribution.is_listed)
        .options(joinedload(Contribution.place), joinedload(Contribution.theme))
        .order_by(Contribution.office_due_on, Contribution.id)
        .limit(WAITING)
    )
    return OfficePage(
        office=office,
        projects=projects.joined(rows),
        actions=projects.actions(ctx, Action.office_id == office.id),
        promise=promise(ctx, office.id),
        waiting=list(ctx.session.execute(waiting).scalars()),
    )


def promise(ctx: Context, office_id: int) -> Promise:
    """How one office keeps the promise, read from the tally. One statement."""
    query = (
        select(Tally.state, Tally.timeliness, func.sum(Tally.count))
        .where(Tally.office_id == office_id, Tally.theme_id == ANY)
        .group_by(Tally.state, Tally.timeliness)
    )
    found = Promise()
    for state, timeliness, count in ctx.session.execute(query):
        if state in OPEN_STATES:
            found.waiting += int(count)
        elif timeliness == "in_time":
            found.in_time += int(count)
        elif timeliness == "late":
            found.late += int(count)
    return found
