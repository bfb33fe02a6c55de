"""What pages about actions read: the list, one action with all that hangs on it, the desk's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Date,
    Text,
    and_,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import joinedload

from lab.db import search
from lab.db.parts import Shape
from lab.db.types import UtcDateTime
from lab.kernel.errors import NotFound
from lab.models.actions import (
    PUBLIC_ACTION_STATES,
    Action,
    ActionBody,
    ActionContribution,
    ActionDependency,
    ActionEvent,
    ActionKind,
    ActionMilestone,
    ActionProject,
    ActionState,
    ActionUpdate,
)
from lab.models.contributions import Contribution, ContributionProject, State
from lab.models.events import Event
from lab.models.pictures import Photo
from lab.models.programme import Body
from lab.models.projects import Project
from lab.policy.permissions import Permission
from lab.policy.visibility import readable_actions, readable_contributions
from lab.services import trace
from lab.services.action_plan import today
from lab.services.context import Context
from lab.services.photos import StoredPhoto
from lab.services.trace import Trace

PAGE = 18
UPDATES = 40
#: Rows of one table of the desk.
DESK = 100
#: A day after all days: actions without a date come last.
_NEVER = date(9999, 12, 31)


class Order(StrEnum):
    """What comes first."""

    RECENT = "recent"
    DUE = "due"
    VOICES = "voices"


@dataclass(frozen=True)
class Wish:
    """What a reader asked to see of the public actions."""

    state: ActionState | None = None
    late: bool = False
    kind: ActionKind | None = None
    project_id: int | None = None
    office_id: int | None = None
    order: Order = Order.RECENT


@dataclass(frozen=True)
class Found:
    """A page of actions with the codes of their projects; `more` in the direction one was going."""

    items: list[Action]
    projects: dict[int, list[Project]]
    more: bool


@dataclass(frozen=True)
class Reached:
    """A milestone."""

    id: int
    title: str
    due_on: date | None
    done_on: date | None


@dataclass(frozen=True)
class News:
    """An update with its photographs."""

    id: int
    at: datetime
    text: str
    progress: int | None
    state: ActionState | None
    signed_as: str
    photos: list[StoredPhoto] = field(default_factory=list)


@dataclass(frozen=True)
class Other:
    """Another action, a body or a meeting that this one has to do with."""

    id: int
    code: str
    title: str
    state: ActionState | None = None
    day: date | None = None


@dataclass(frozen=True)
class ActionPage:
    """One action with all that hangs on it."""

    action: Action
    walk: Trace
    milestones: list[Reached]
    bodies: list[Other]
    updates: list[News]
    needs: list[Other]
    needed_by: list[Other]
    events: list[Other]

    def next_milestone(self) -> Reached | None:
        """The first milestone that has a date and is not reached."""
        ahead = [one for one in self.milestones if one.done_on is None and one.due_on is not None]
        return min(ahead, key=lambda one: one.due_on or _NEVER, default=None)


def key_of(action: Action, order: Order) -> tuple[Any, ...]:
    """The mark of a line, to go on from."""
    first: Any = {
        Order.RECENT: action.updated_at.isoformat(),
        Order.DUE: (action.due_on or _NEVER).isoformat(),
        Order.VOICES: action.contributions_count,
    }[order]
    return (first, action.id)


def listing(
    ctx: Context, wish: Wish, key: Sequence[Any] | None = None, *, backwards: bool = False, limit: int = PAGE
) -> Found:
    """Public actions after `key` (before it going `backwards`), in two statements."""
    column, descending = {
        Order.RECENT: (Action.updated_at, True),
        Order.DUE: (func.coalesce(Action.due_on, _NEVER), False),
        Order.VOICES: (Action.contributions_count, True),
    }[wish.order]
    down = descending is not backwards
    query = select(Action).options(joinedload(Action.office)).where(Action.is_public, *_conditions(ctx, wish))
    value = _value(wish.order, key)
    if key is not None and value is not None:
        beyond = column < value if down else column > value
        tie = Action.id < key[1] if down else Action.id > key[1]
        query = query.where(or_(beyond, and_(column == value, tie)))
    ordered = (column.desc(), Action.id.desc()) if down else (column.asc(), Action.id.asc())
    rows = list(ctx.session.execute(query.order_by(*ordered).limit(limit + 1)).scalars())
    items = rows[:limit][::-1] if backwards else rows[:limit]
    return Found(items, projects_of(ctx, [item.id for item in items]), more=len(rows) > limit)


def _conditions(ctx: Context, wish: Wish) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wish.state is not None:
        conditions.append(Action.state == wish.state)
    if wish.late:
        conditions += [Action.due_on < today(ctx), Action.state != ActionState.DONE]
    if wish.kind is not None:
        conditions.append(Action.kind == wish.kind)
    if wish.office_id is not None:
        conditions.append(Action.office_id == wish.office_id)
    if wish.project_id is not None:
        served = select(ActionProject.action_id).where(ActionProject.project_id == wish.project_id)
        conditions.append(Action.id.in_(served))
    return conditions


def _value(order: Order, key: Sequence[Any] | None) -> Any:
    """The first part of a key as its column compares it; None when it makes no sense."""
    if key is None or len(key) != 2 or not isinstance(key[1], int):
        return None
    try:
        if order is Order.RECENT:
            moment = datetime.fromisoformat(key[0])
            return moment if moment.tzinfo else None
        if order is Order.DUE:
            return date.fromisoformat(key[0])
    except (TypeError, ValueError):
        return None
    return key[0] if isinstance(key[0], int) else None


def projects_of(ctx: Context, action_ids: Iterable[int]) -> dict[int, list[Project]]:
    """The projects that each of these actions serves."""
    query = (
        select(ActionProject.action_id, Project)
        .join(Project, Project.id == ActionProject.project_id)
        .where(ActionProject.action_id.in_(list(action_ids)))
        .order_by(Project.position, Project.id)
    )
    found: dict[int, list[Project]] = {}
    for action_id, project in ctx.session.execute(query):
        found.setdefault(action_id, []).append(project)
    return found


def spoken_of(ctx: Context, contribution_ids: Iterable[int]) -> list[int]:
    """Ids of the projects that any of these words speak of."""
    query = select(ContributionProject.project_id).where(
        ContributionProject.contribution_id.in_(list(contribution_ids))
    )
    return sorted(set(ctx.session.execute(query).scalars()))


def by_code(ctx: Context, code: str) -> Action:
    """An action this reader may see, with its office. Raises `NotFound`."""
    if not code.isprintable():  # PostgreSQL cannot even compare some of the rest
        raise NotFound("action")
    query = select(Action).options(joinedload(Action.office)).where(Action.code == code)
    action = ctx.session.execute(query).scalar_one_or_none()
    if action is None:
        raise NotFound("action")
    ctx.require(Permission.ACTION_READ, action)
    return action


def page(ctx: Context, code: str) -> ActionPage:
    """One action and all that hangs on it, in three statements. Raises `NotFound`."""
    action = by_code(ctx, code)
    rows = ctx.session.execute(_parts(action.id)).all()
    of = {part: [row for row in rows if row.part == part] for part in {row.part for row in rows}}
    photos: dict[int, list[StoredPhoto]] = {}
    for row in sorted(of.get("photo", ()), key=lambda row: row.number):
        widths = tuple(int(width) for width in row.more.split(","))
        picture = StoredPhoto(row.code, row.width, row.height, widths, row.title)
        photos.setdefault(row.owner, []).append(picture)
    return ActionPage(
        action=action,
        walk=trace.of_action(ctx, action.id),
        milestones=[
            Reached(row.id, row.title, row.day, row.other_day)
            for row in sorted(of.get("milestone", ()), key=lambda row: row.number)
        ],
        bodies=_others(of.get("body", ())),
        updates=[
            News(row.id, row.at, row.more, row.number, ActionState(row.state) if row.state else None,
                 row.title, photos.get(row.id, []))
            for row in sorted(of.get("update", ()), key=lambda row: (row.at, row.id), reverse=True)
        ],
        needs=_others(of.get("need", ())),
        needed_by=_others(of.get("needed_by", ())),
        events=_others(of.get("event", ())),
    )  # fmt: skip


def _others(rows: Iterable[Any]) -> list[Other]:
    return [
        Other(row.id, row.code, row.title, ActionState(row.state) if row.state else None, row.day)
        for row in rows
    ]


_part = Shape(
    id=BigInteger(),
    owner=BigInteger(),
    number=BigInteger(),
    width=BigInteger(),
    height=BigInteger(),
    at=UtcDateTime(),
    day=Date(),
    other_day=Date(),
    code=Text(),
    title=Text(),
    more=Text(),
    state=Text(),
).part


def _parts(action_id: int) -> CompoundSelect[Any]:
    latest = (
        select(ActionUpdate)
        .where(ActionUpdate.action_id == action_id)
        .order_by(ActionUpdate.at.desc(), ActionUpdate.id.desc())
        .limit(UPDATES)
        .subquery()
    )
    news, step, tie = latest.c, ActionMilestone, ActionDependency
    public = Action.state.in_(PUBLIC_ACTION_STATES)
    other = {"id": Action.id, "code": Action.code, "title": Action.title, "state": Action.state,
             "day": Action.due_on}  # fmt: skip
    return union_all(
        _part("milestone", id=step.id, number=step.position, title=step.title, day=step.due_on,
              other_day=step.done_on).where(step.action_id == action_id),
        _part("body", id=Body.id, code=Body.code, title=Body.name)
        .join_from(Body, ActionBody, ActionBody.body_id == Body.id)
        .where(ActionBody.action_id == action_id),
        _part("event", id=Event.id, code=Event.code, title=Event.title)
        .join_from(Event, ActionEvent, ActionEvent.event_id == Event.id)
        .where(ActionEvent.action_id == action_id, Event.is_public),
        _part("need", **other).join_from(Action, tie, tie.needs_id == Action.id)
        .where(tie.action_id == action_id, public),
        _part("needed_by", **other).join_from(Action, tie, tie.action_id == Action.id)
        .where(tie.needs_id == action_id, public),
        _part("update", id=news.id, at=news.at, more=news.text, number=news.progress, state=news.state,
              title=news.signed_as).select_from(latest),
        _part("photo", id=Photo.id, owner=Photo.action_update_id, number=Photo.position, code=Photo.name,
              title=Photo.alt, more=Photo.widths, width=Photo.width, height=Photo.height)
        .join_from(Photo, latest, Photo.action_update_id == news.id),
    )  # fmt: skip


def desk(ctx: Context) -> list[Action]:
    """What this person works on: open actions they may see, newest first, with their offices."""
    query = (
        select(Action)
        .options(joinedload(Action.office))
        .where(readable_actions(ctx.actor))
        .order_by(Action.updated_at.desc(), Action.id.desc())
        .limit(DESK)
    )
    if not ctx.actor.is_team and ctx.actor.office_ids:
        query = query.where(Action.office_id.in_(ctx.actor.office_ids))
    return list(ctx.session.execute(query).scalars())


def woven(ctx: Context, action_id: int) -> list[Contribution]:
    """The inputs linked to an action that the actor may read, oldest link first (for the desk)."""
    query = (
        select(Contribution)
        .join(ActionContribution, ActionContribution.contribution_id == Contribution.id)
        .where(ActionContribution.action_id == action_id, readable_contributions(ctx.actor))
        .order_by(ActionContribution.at, Contribution.id)
    )
    return list(ctx.session.execute(query).scalars())


def by_codes(ctx: Context, codes: Iterable[str]) -> list[Contribution]:
    """The inputs with these codes that the actor may read, in that order; others are left out."""
    named = (code.strip().upper() for code in codes)
    wanted = list(dict.fromkeys(code for code in named if code and code.isprintable()))[:200]
    query = select(Contribution).where(Contribution.code.in_(wanted), readable_contributions(ctx.actor))
    found = {item.code: item for item in ctx.session.execute(query).scalars()}
    return [found[code] for code in wanted if code in found]


def find(ctx: Context, words: str, limit: int = 8) -> list[Contribution]:
    """Inputs that can be woven, by code or by words, newest first."""
    exact = by_codes(ctx, words.replace(";", ",").split(","))
    ids = [item for _document, item in search.found_ids(ctx.session, "contribution", words, limit=limit)]
    query = (
        select(Contribution)
        .where(
            Contribution.id.in_(ids), Contribution.state != State.WITHDRAWN, readable_contributions(ctx.actor)
        )
        .order_by(Contribution.created_at.desc())
    )
    found = {item.id: item for item in [*exact, *ctx.session.execute(query).scalars()]}
    return list(found.values())[:limit]


def others(ctx: Context, action_id: int | None = None) -> list[Action]:
    """Actions that another may wait for: those on their way."""
    query = (
        select(Action)
        .where(Action.state.in_(PUBLIC_ACTION_STATES - {ActionState.DONE}))
        .order_by(Action.code)
        .limit(DESK)
    )
    if action_id is not None:
        query = query.where(Action.id != action_id)
    return list(ctx.session.execute(query).scalars())


def needs_of(ctx: Context, action_id: int) -> list[int]:
    """The actions that this one waits for."""
    query = select(ActionDependency.needs_id).where(ActionDependency.action_id == action_id)
    return list(ctx.session.execute(query).scalars())
