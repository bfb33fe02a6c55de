"""What programs read of the lab: the same public things as the pages, in lists that lead through all of them.

Everything here is asked as somebody without account, whoever sends the request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import and_, literal, or_, select, true, tuple_, union_all
from sqlalchemy.orm import aliased, joinedload

from lab.kernel.errors import Invalid, NotFound
from lab.models.actions import Action, ActionBody, ActionKind, ActionProject, ActionState, ActionUpdate
from lab.models.contributions import Contribution, ContributionProject, Visibility
from lab.models.events import Event, EventKind, EventProject, EventState
from lab.models.programme import Body, BodyKind, Office, Place, Theme
from lab.models.projects import Project, ProjectState
from lab.policy.actor import ANONYMOUS
from lab.services import action_pages, events, listing, receipts
from lab.services.context import Context
from lab.services.listing import Wish
from lab.services.receipts import Receipt

T = TypeVar("T")

#: Longest code anything public has.
CODE = 32
#: The latest reports told in the trace of one input.
UPDATES = 100
_BY_CODE: dict[str, Any] = {
    "theme": Theme,
    "place": Place,
    "office": Office,
    "project": Project,
    "event": Event,
    "body": Body,
}


@dataclass(frozen=True)
class Page(Generic[T]):
    """A stretch of a list. `key` is where the next one goes on; None at the end."""

    items: list[T]
    key: tuple[Any, ...] | None
    #: Formal projects by the id of the item that has to do with them.
    projects: Mapping[int, list[Project]] = field(default_factory=dict)
    #: Who invites, by the id of the meeting.
    bodies: Mapping[int, list[Body]] = field(default_factory=dict)


@dataclass(frozen=True)
class Voice:
    """An input with its theme, place, office and event, and the public one it was merged into."""

    contribution: Contribution
    merged_into: Contribution | None


@dataclass(frozen=True)
class InputTrace:
    """All that became of one input, for whoever holds its receipt code.

    `fate` is the input it lives on in; the input itself when it was not merged.
    """

    receipt: Receipt
    own: Contribution
    fate: Contribution
    took_in: list[Contribution]
    actions: list[Action]
    action_projects: Mapping[int, list[Project]]
    projects: list[Project]
    #: Reports with the code of their action, latest first.
    updates: list[tuple[str, ActionUpdate]]


def anonymous(ctx: Context) -> Context:
    """The same moment for somebody without account."""
    return replace(ctx, actor=ANONYMOUS)


def known_code(code: str, thing: str) -> str:
    """A public code as far as it can be one. Raises `NotFound`."""
    if len(code) > CODE or not code.isprintable():
        raise NotFound(thing)
    return code


def ids(ctx: Context, codes: Mapping[str, str]) -> dict[str, int]:
    """The ids behind the codes of filters, in one statement. Raises `Invalid(name, "unknown")`."""
    if not codes:
        return {}
    for name, code in codes.items():
        if len(code) > CODE or not code.isprintable():
            raise Invalid(name, "unknown")
    parts = [
        select(literal(name).label("name"), _BY_CODE[name].id.label("id")).where(
            _BY_CODE[name].code == code, Event.is_public if name == "event" else true()
        )
        for name, code in codes.items()
    ]
    found = {row.name: row.id for row in ctx.session.execute(union_all(*parts))}
    for name in codes:
        if name not in found:
            raise Invalid(name, "unknown")
    return found


def proposals(ctx: Context, wish: Wish, after: Sequence[Any] | None, limit: int) -> Page[Voice]:
    """What people said, newest first, as the site lists it. Three statements."""
    key = [part.isoformat() if isinstance(part, datetime) else part for part in after] if after else None
    found = listing.page(ctx, wish, key, limit=limit)
    order = [line.id for line in found.items]
    target = aliased(Contribution)
    query = (
        select(Contribution, target)
        .outerjoin(
            target, and_(target.id == Contribution.merged_into_id, target.visibility == Visibility.PUBLIC)
        )
        # Asked again: on a busy day something may be hidden between the two statements.
        .where(Contribution.id.in_(order), Contribution.visibility == Visibility.PUBLIC)
        .options(*_around())
    )
    voices = {row[0].id: Voice(row[0], row[1]) for row in ctx.session.execute(query)}
    return Page(
        [voices[one] for one in order if one in voices],
        tuple(found.items[-1].key) if found.more else None,
        _spoken_of(ctx, order),
    )


def _around() -> tuple[Any, ...]:
    return (
        joinedload(Contribution.theme),
        joinedload(Contribution.place),
        joinedload(Contribution.office),
        joinedload(Contribution.event),
    )


def _spoken_of(ctx: Context, contribution_ids: Sequence[int]) -> dict[int, list[Project]]:
    query = (
        select(ContributionProject.contribution_id, Project)
        .join(Project, Project.id == ContributionProject.project_id)
        .where(ContributionProject.contribution_id.in_(contribution_ids))
        .order_by(Project.position, Project.id)
    )
    found: dict[int, list[Project]] = {}
    for contribution_id, project in ctx.session.execute(query):
        found.setdefault(contribution_id, []).append(project)
    return found


@dataclass(frozen=True)
class ActionWish:
    """Which adopted actions are wanted."""

    state: ActionState | None = None
    kind: ActionKind | None = None
    office_id: int | None = None
    project_id: int | None = None
    body_id: int | None = None


def actions(ctx: Context, wish: ActionWish, after: Sequence[Any] | None, limit: int) -> Page[Action]:
    """Adopted actions, youngest first, with their projects. Two statements."""
    # By id: an action that is worked on while a program reads would change its place by date.
    query = select(Action).where(Action.is_public).options(joinedload(Action.office))
    query = _equal(
        query, (Action.state, wish.state), (Action.kind, wish.kind), (Action.office_id, wish.office_id)
    )
    if wish.project_id is not None:
        serving = select(ActionProject.action_id).where(ActionProject.project_id == wish.project_id)
        query = query.where(Action.id.in_(serving))
    if wish.body_id is not None:
        taking = select(ActionBody.action_id).where(ActionBody.body_id == wish.body_id)
        query = query.where(Action.id.in_(taking))
    if after:
        query = query.where(Action.id < after[0])
    items, more = _stretch(ctx, query.order_by(Action.id.desc()), limit)
    key = (items[-1].id,) if more else None
    return Page(items, key, action_pages.projects_of(ctx, [item.id for item in items]))


def projects(
    ctx: Context,
    state: ProjectState | None,
    office_id: int | None,
    after: Sequence[Any] | None,
    limit: int,
) -> Page[Project]:
    """Formal projects in the order in which they were entered. One statement."""
    query = select(Project).options(joinedload(Project.office), joinedload(Project.place))
    query = _equal(query, (Project.state, state), (Project.office_id, office_id))
    if after:
        query = query.where(Project.id > after[0])
    items, more = _stretch(ctx, query.order_by(Project.id), limit)
    return Page(items, (items[-1].id,) if more else None)


@dataclass(frozen=True)
class EventWish:
    """Which meetings are wanted."""

    state: EventState | None = None
    kind: EventKind | None = None
    place_id: int | None = None
    project_id: int | None = None


def meetings(ctx: Context, wish: EventWish, after: Sequence[Any] | None, limit: int) -> Page[Event]:
    """Meetings with places and projects, those furthest ahead first. Three statements."""
    query = events.public().options(joinedload(Event.series))
    query = _equal(query, (Event.state, wish.state), (Event.kind, wish.kind), (Event.place_id, wish.place_id))
    if wish.project_id is not None:
        serving = select(EventProject.event_id).where(EventProject.project_id == wish.project_id)
        query = query.where(Event.id.in_(serving))
    if after:
        query = query.where(tuple_(Event.starts_at, Event.id) < tuple(after))
    items, more = _stretch(ctx, query.order_by(Event.starts_at.desc(), Event.id.desc()), limit)
    key = (items[-1].starts_at, items[-1].id) if more else None
    return _with_parts(ctx, items, key)


def meeting(ctx: Context, code: str) -> Page[Event]:
    """One meeting with the projects it serves and the bodies that invite, as a page of one. Three
    statements. Raises `NotFound`."""
    query = events.public().where(Event.code == code).options(joinedload(Event.series))
    event = ctx.session.execute(query).scalar_one_or_none()
    if event is None:
        raise NotFound("event")
    return _with_parts(ctx, [event], None)


def _with_parts(ctx: Context, items: list[Event], key: tuple[Any, ...] | None) -> Page[Event]:
    ids = [item.id for item in items]
    return Page(items, key, events.projects_of(ctx, ids), events.bodies_of(ctx, ids))


def bodies(ctx: Context, kind: BodyKind | None, after: Sequence[Any] | None, limit: int) -> Page[Body]:
    """Partner bodies in the order in which they were entered. One statement."""
    query = _equal(select(Body), (Body.kind, kind))
    if after:
        query = query.where(Body.id > after[0])
    items, more = _stretch(ctx, query.order_by(Body.id), limit)
    return Page(items, (items[-1].id,) if more else None)


def _equal(query: Any, *pairs: tuple[Any, Any]) -> Any:
    for column, value in pairs:
        if value is not None:
            query = query.where(column == value)
    return query


def _stretch(ctx: Context, query: Any, limit: int) -> tuple[list[Any], bool]:
    rows = list(ctx.session.execute(query.limit(limit + 1)).scalars())
    return rows[:limit], len(rows) > limit


def of_receipt(ctx: Context, written: str) -> InputTrace:
    """The whole trace of the input with this receipt code, however the code was written.

    Raises `NotFound("receipt")` for a code that nobody was given.
    """
    found = receipts.read(ctx, written)
    mine = Contribution.receipt_code == found.code
    own_id = select(Contribution.id).where(mine).scalar_subquery()
    taken = and_(Contribution.merged_into_id == own_id, Contribution.visibility == Visibility.PUBLIC)
    query = (
        select(Contribution)
        .where(or_(mine, Contribution.code == (found.merged_code or found.number), taken))
        .options(*_around())
        .order_by(Contribution.id)
    )
    rows = list(ctx.session.execute(query).scalars())
    own = next(row for row in rows if row.receipt_code == found.code)
    fate = next((row for row in rows if row.code == found.merged_code), own)
    known = select(Action).where(Action.code.in_([one.code for one in found.actions]), Action.is_public)
    woven = ctx.session.execute(
        known.options(joinedload(Action.office)).order_by(Action.adopted_at, Action.id)
    )
    grown = list(woven.scalars())
    serving = action_pages.projects_of(ctx, [action.id for action in grown])
    spoken = _spoken_of(ctx, [own.id, fate.id])
    every = {project.id: project for some in (*serving.values(), *spoken.values()) for project in some}
    return InputTrace(
        receipt=found,
        own=own,
        fate=fate,
        took_in=[row for row in rows if row.merged_into_id == own.id],
        actions=grown,
        action_projects=serving,
        projects=sorted(every.values(), key=lambda project: (project.position, project.id)),
        updates=_updates(ctx, grown),
    )


def _updates(ctx: Context, grown: Sequence[Action]) -> list[tuple[str, ActionUpdate]]:
    codes = {action.id: action.code for action in grown}
    query = (
        select(ActionUpdate)
        .where(ActionUpdate.action_id.in_(list(codes)))
        .order_by(ActionUpdate.at.desc(), ActionUpdate.id.desc())
        .limit(UPDATES)
    )
    return [(codes[update.action_id], update) for update in ctx.session.execute(query).scalars()]
