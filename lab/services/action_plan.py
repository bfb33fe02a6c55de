"""What an action is to be: its contents, what may not be said in them, and how they are written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import delete, select

from lab.db.base import Base
from lab.kernel.clock import local_date
from lab.kernel.errors import Invalid
from lab.kernel.text import clean_line, clean_text
from lab.models.actions import (
    Action,
    ActionBody,
    ActionDependency,
    ActionKind,
    ActionMilestone,
    ActionProject,
)
from lab.models.programme import Body
from lab.models.projects import Project
from lab.services import references
from lab.services.context import Context

#: Longest texts, in characters, and how many milestones an action may have.
TITLE_LIMIT = 160
AIM_LIMIT = 2000
CREDITS_LIMIT = 1000
MILESTONES = 12
#: Years that a date of an action may fall in: anything else is a slip of the finger.
YEARS = range(2000, 2100)


@dataclass(frozen=True)
class MilestonePlan:
    """One step on the way; `id` names the milestone it replaces."""

    title: str
    due_on: date | None = None
    done_on: date | None = None
    id: int | None = None


@dataclass(frozen=True)
class Plan:
    """What an action is to be. `office_id` leads it; `needs_ids` are actions it waits for."""

    title: str
    kind: ActionKind
    aim: str
    project_ids: tuple[int, ...]
    office_id: int
    body_ids: tuple[int, ...] = ()
    milestones: tuple[MilestonePlan, ...] = ()
    starts_on: date | None = None
    due_on: date | None = None
    credits: str = ""
    needs_ids: tuple[int, ...] = ()


def today(ctx: Context) -> date:
    """The day it is in the neighbourhood."""
    return local_date(ctx.now, ctx.timezone)


def check(ctx: Context, plan: Plan, action: Action | None = None) -> None:
    """Refuse a plan that cannot be. Raises `Invalid(field, code)`."""
    for name, text, limit in (
        ("title", plan.title, TITLE_LIMIT),
        ("aim", plan.aim, AIM_LIMIT),
        ("credits", plan.credits, CREDITS_LIMIT),
    ):
        if name != "credits" and not clean_text(text, limit):
            raise Invalid(name, "required")
        if len(text) > limit:
            raise Invalid(name, "too_long")
    if not plan.project_ids:
        raise Invalid("projects", "at_least_one")
    references.known(ctx, "projects", Project, *plan.project_ids)
    references.known(ctx, "bodies", Body, *plan.body_ids)
    references.known(ctx, "needs", Action, *plan.needs_ids)
    references.office_in_being(ctx, plan.office_id)
    _check_dates(plan)
    if action is not None:
        _check_needs(ctx, action.id, plan.needs_ids)


def _check_dates(plan: Plan) -> None:
    for name, day in (("starts_on", plan.starts_on), ("due_on", plan.due_on)):
        if day is not None and day.year not in YEARS:
            raise Invalid(name, "unlikely_date")
    if plan.starts_on and plan.due_on and plan.due_on < plan.starts_on:
        raise Invalid("due_on", "before_start")
    if len(plan.milestones) > MILESTONES:
        raise Invalid("milestones", "too_many")
    for milestone in plan.milestones:
        if not clean_line(milestone.title, TITLE_LIMIT):
            raise Invalid("milestones", "required")
        if milestone.due_on is not None and milestone.due_on.year not in YEARS:
            raise Invalid("milestones", "unlikely_date")


def _check_needs(ctx: Context, action_id: int, needs_ids: tuple[int, ...]) -> None:
    """No action may wait for itself, nor in a ring. Raises `Invalid("needs", "ring")`."""
    edges: dict[int, list[int]] = {}
    for waiting, needed in ctx.session.execute(select(ActionDependency.action_id, ActionDependency.needs_id)):
        edges.setdefault(waiting, []).append(needed)
    ahead, seen = list(needs_ids), set()
    while ahead:
        current = ahead.pop()
        if current == action_id:
            raise Invalid("needs", "ring")
        if current not in seen:
            seen.add(current)
            ahead.extend(edges.get(current, ()))


def apply(ctx: Context, action: Action, plan: Plan, *, keep_office: bool = False) -> None:
    """Write a checked plan into an action; the office stays its own when `keep_office`."""
    action.title = clean_line(plan.title, TITLE_LIMIT)
    action.kind = plan.kind
    action.aim = clean_text(plan.aim, AIM_LIMIT)
    action.starts_on = plan.starts_on
    action.due_on = plan.due_on
    action.credits = clean_text(plan.credits, CREDITS_LIMIT)
    if not keep_office:
        action.office_id = plan.office_id
    for model, column, ids in (
        (ActionProject, "project_id", plan.project_ids),
        (ActionBody, "body_id", plan.body_ids),
        (ActionDependency, "needs_id", plan.needs_ids),
    ):
        _replace(ctx, action.id, model, column, ids)
    _replace_milestones(ctx, action.id, plan.milestones)
    ctx.session.flush()


def _replace(ctx: Context, action_id: int, model: type[Base], column: str, ids: tuple[int, ...]) -> None:
    table = model.__mapper__.local_table
    rows = ctx.session.execute(select(table.c[column]).where(table.c.action_id == action_id))
    before = set(rows.scalars())
    gone = before - set(ids)
    if gone:
        ctx.session.execute(delete(model).where(table.c.action_id == action_id, table.c[column].in_(gone)))
    for item in dict.fromkeys(ids):
        if item not in before:
            ctx.session.add(model(action_id=action_id, **{column: item}))


def _replace_milestones(ctx: Context, action_id: int, plans: tuple[MilestonePlan, ...]) -> None:
    query = select(ActionMilestone).where(ActionMilestone.action_id == action_id)
    before = {item.id: item for item in ctx.session.execute(query).scalars()}
    for position, plan in enumerate(plans):
        milestone = before.pop(plan.id, None) if plan.id else None
        if milestone is None:
            milestone = ActionMilestone(action_id=action_id, done_on=plan.done_on)
            ctx.session.add(milestone)
        milestone.position = position
        milestone.title = clean_line(plan.title, TITLE_LIMIT)
        milestone.due_on = plan.due_on
    for gone in before.values():
        ctx.session.delete(gone)


def is_so(ctx: Context, action: Action, plan: Plan) -> bool:
    """Whether an action already is what the plan says; the office aside."""

    def ids(column: Any) -> set[int]:
        query = select(column).where(column.class_.action_id == action.id)
        return set(ctx.session.execute(query).scalars())

    steps = (
        select(ActionMilestone.title, ActionMilestone.due_on)
        .where(ActionMilestone.action_id == action.id)
        .order_by(ActionMilestone.position)
    )
    return (
        (action.title, action.kind, action.aim) == (
            clean_line(plan.title, TITLE_LIMIT), plan.kind, clean_text(plan.aim, AIM_LIMIT),
        )
        and (action.starts_on, action.due_on) == (plan.starts_on, plan.due_on)
        and action.credits == clean_text(plan.credits, CREDITS_LIMIT)
        and ids(ActionProject.project_id) == set(plan.project_ids)
        and ids(ActionBody.body_id) == set(plan.body_ids)
        and ids(ActionDependency.needs_id) == set(plan.needs_ids)
        and [tuple(row) for row in ctx.session.execute(steps)]
        == [(clean_line(one.title, TITLE_LIMIT), one.due_on) for one in plan.milestones]
    )  # fmt: skip
