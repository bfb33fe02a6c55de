"""The life of an action: drafted by the lab, adopted by its office, reported on until it is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lab.db import search
from lab.db.constraints import is_violation
from lab.db.locking import expect_version, locked
from lab.kernel.errors import Conflict, Invalid
from lab.kernel.text import clean_line, clean_text, excerpt
from lab.models.accounts import Role
from lab.models.actions import (
    PUBLIC_ACTION_STATES,
    Action,
    ActionMilestone,
    ActionState,
    ActionUpdate,
)
from lab.models.contributions import StepKind
from lab.models.programme import Office
from lab.policy import transitions
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import action_plan, audit, codes, once, outbox, site, weaving
from lab.services.action_plan import TITLE_LIMIT, Plan
from lab.services.context import Context

#: Longest update, in characters.
UPDATE_LIMIT = 3000
#: States an update may bring an action to.
REPORTABLE = (ActionState.TO_START, ActionState.UNDER_WAY, ActionState.SUSPENDED, ActionState.DONE)


@dataclass(frozen=True)
class Draft:
    """A new action out of one or more inputs. `code` is given when it comes with a past."""

    plan: Plan
    contribution_ids: tuple[int, ...]
    idempotency_key: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Amend:
    """Other contents for an action."""

    action_id: int
    version: int | None
    plan: Plan


@dataclass(frozen=True)
class Propose:
    """Hand a draft to its office."""

    action_id: int
    version: int | None = None


@dataclass(frozen=True)
class Adopt:
    """The office takes it on: as it is, or with changes; `under_way` when work has begun already."""

    action_id: int
    version: int | None = None
    changes: Plan | None = None
    under_way: bool = False


@dataclass(frozen=True)
class SendBack:
    """The office does not take it on like this, and says why."""

    action_id: int
    version: int | None
    reason: str


@dataclass(frozen=True)
class Report:
    """News of an action: words, how far it is (per cent), a new state, milestones reached today."""

    action_id: int
    text: str
    version: int | None = None
    progress: int | None = None
    state: ActionState | None = None
    milestone_ids: tuple[int, ...] = ()
    idempotency_key: str | None = None


def draft(ctx: Context, command: Draft) -> Action:
    """Begin an action out of inputs; the same key gives the same action.

    Raises `Invalid` on field contributions, projects, title, aim, office, bodies, needs, milestones,
    starts_on or due_on.
    """
    grant = ctx.require(Permission.ACTION_DRAFT)
    key = once.own_key(ctx, command.idempotency_key)
    again = _with_key(ctx, key)
    if again is not None:
        return again
    if not command.contribution_ids and not ctx.actor.is_system:
        raise Invalid("contributions", "at_least_one")
    action_plan.check(ctx, command.plan)
    action = Action(
        code=command.code or codes.next_code(ctx, "A"),
        title=clean_line(command.plan.title, TITLE_LIMIT),
        kind=command.plan.kind,
        office_id=command.plan.office_id,
        created_at=ctx.now,
        created_by_id=ctx.actor.person_id,
        updated_at=ctx.now,
        idempotency_key=key,
    )
    try:
        with ctx.session.begin_nested():
            ctx.session.add(action)
            ctx.session.flush()
    except IntegrityError as error:
        again = _with_key(ctx, key)
        if again is None or not is_violation(error, "uq_action_idempotency_key"):
            raise
        return again
    action_plan.apply(ctx, action, command.plan)
    if command.contribution_ids:
        weaving.link(ctx, action, command.contribution_ids)
    audit.record(ctx, "action.draft", action, grant)
    _index(ctx, action)
    return action


def amend(ctx: Context, command: Amend) -> Action:
    """Change the contents: the team while it is theirs, the leading office once it is public.

    Raises `NotFound`, `Conflict`, `Invalid`.
    """
    action = _hold(ctx, command.action_id, command.plan.needs_ids)
    if action.state in weaving.QUIET_STATES:
        grant = ctx.require(Permission.ACTION_DRAFT, action)
    else:
        grant = ctx.require(Permission.ACTION_DECIDE, action)
        if action.state not in PUBLIC_ACTION_STATES:
            raise Conflict(f"action_{action.state}")
    if command.version == action.version - 1 and action_plan.is_so(ctx, action, command.plan):
        return action  # the second of two clicks
    expect_version(action, command.version)
    action_plan.check(ctx, command.plan, action)
    action_plan.apply(ctx, action, command.plan, keep_office=action.state in PUBLIC_ACTION_STATES)
    _touch(ctx, action)
    audit.record(ctx, "action.amend", action, grant)
    return action


def _with_key(ctx: Context, key: str | None) -> Action | None:
    if not key:
        return None
    return ctx.session.execute(select(Action).where(Action.idempotency_key == key)).scalar_one_or_none()


def propose(ctx: Context, command: Propose) -> Action:
    """Put a draft on its office's table; its inputs hear that they are in it.

    Raises `Conflict`, `Invalid("due_on", "required")` while it has no date to be done by,
    `Invalid("contributions", "at_least_one")` while no input is in it.
    """
    grant = ctx.require(Permission.ACTION_DRAFT)
    action = _hold(ctx, command.action_id)
    transitions.require_action(action.state, ActionState.PROPOSED)
    expect_version(action, command.version)
    if action.due_on is None:
        raise Invalid("due_on", "required")
    if not action.contributions_count and not ctx.actor.is_system:
        raise Invalid("contributions", "at_least_one")
    action.state = ActionState.PROPOSED
    _touch(ctx, action)
    audit.record(ctx, "action.propose", action, grant)
    outbox.announce(ctx, "action.proposed", action_id=action.id)
    weaving.tell_woven(ctx, action, weaving.untold(ctx, action), grant)
    return action


def adopt(ctx: Context, command: Adopt) -> Action:
    """The leading office takes the action on; from here on it is public and its inputs are taken up.

    Raises `NotFound` for everybody else, `Conflict`, `Invalid` when the changes cannot be.
    """
    action = _hold(ctx, command.action_id, command.changes.needs_ids if command.changes else ())
    grant = ctx.require(Permission.ACTION_DECIDE, action)
    state = ActionState.UNDER_WAY if command.under_way else ActionState.TO_START
    if action.state is not ActionState.PROPOSED:
        raise Conflict(f"action_{action.state}")
    expect_version(action, command.version)
    if command.changes is not None:
        action_plan.check(ctx, command.changes, action)
        action_plan.apply(ctx, action, command.changes, keep_office=True)
    action.state = state
    action.is_public = True
    action.adopted_at = ctx.now
    action.sent_back_reason = ""
    _touch(ctx, action)
    audit.record(ctx, "action.adopt", action, grant, changed=command.changes is not None)
    outbox.announce(ctx, "action.adopted", action_id=action.id)
    weaving.follow_merges(ctx, action)
    weaving.tell_woven(ctx, action, weaving.untold(ctx, action), grant)
    weaving.catch_up(ctx, action, weaving.linked_ids(ctx, action.id), grant)
    return action


def send_back(ctx: Context, command: SendBack) -> Action:
    """The leading office returns the proposal to the lab with a reason; inputs stay as they were.

    Raises `NotFound` for everybody else, `Conflict`, `Invalid("reason", "required")`.
    """
    action = _hold(ctx, command.action_id)
    grant = ctx.require(Permission.ACTION_DECIDE, action)
    transitions.require_action(action.state, ActionState.SENT_BACK)
    expect_version(action, command.version)
    reason = clean_text(command.reason, weaving.REASON_LIMIT)
    if not reason:
        raise Invalid("reason", "required")
    action.state = ActionState.SENT_BACK
    action.sent_back_reason = reason
    _touch(ctx, action)
    audit.record(ctx, "action.send_back", action, grant, reason=reason)
    outbox.announce(ctx, "action.sent_back", action_id=action.id)
    return action


def report(ctx: Context, command: Report) -> ActionUpdate:
    """Tell how a public action goes on; the same key gives the same update.

    Raises `NotFound`, `Conflict`, `Invalid` on field text, progress, state or milestones.
    """
    action = _hold(ctx, command.action_id)
    grant = ctx.require(Permission.ACTION_UPDATE, action)
    if command.idempotency_key:
        mine = ActionUpdate.idempotency_key == once.own_key(ctx, command.idempotency_key)
        again = ctx.session.execute(select(ActionUpdate).where(mine)).scalar_one_or_none()
        if again is not None:
            return again
    if action.state not in PUBLIC_ACTION_STATES:
        raise Conflict(f"action_{action.state}")
    expect_version(action, command.version)
    state = command.state if command.state is not action.state else None
    update = _update(ctx, action, command, grant, state)
    _reach(ctx, action, command.milestone_ids)
    _move_on(ctx, action, state, command.progress)
    audit.record(ctx, "action.report", action, grant, state=str(state or ""), progress=action.progress)
    _tell_news(ctx, action, update, grant, state)
    return update


def signed_as(ctx: Context, grant: Grant | None) -> str:
    """The words under which somebody signs in this capacity: the office's name, or the lab's."""
    if grant is not None and grant.role is Role.OFFICE and grant.office_id is not None:
        name = select(Office.name).where(Office.id == grant.office_id)
        return ctx.session.execute(name).scalar_one()
    return site.profile(ctx).name


def is_late(action: Action, today: date) -> bool:
    """Whether the day promised has gone by and it is not done."""
    return action.due_on is not None and action.due_on < today and action.state is not ActionState.DONE


def _hold(ctx: Context, action_id: int, needs_ids: tuple[int, ...] = ()) -> Action:
    # With dependencies in hand every action concerned is locked, lowest id first: two people who make two
    # actions wait for each other at the same moment are taken one after the other.
    for other in sorted({action_id, *needs_ids}) if needs_ids else ():
        held = select(Action.id).where(Action.id == other).with_for_update()
        ctx.session.execute(held)
    return locked(ctx.session, Action, action_id)


def _touch(ctx: Context, action: Action) -> None:
    action.version += 1
    action.updated_at = ctx.now
    ctx.session.flush()
    _index(ctx, action)


def _index(ctx: Context, action: Action) -> None:
    words = f"{action.title} {action.aim} {action.code}"
    search.put_document(ctx.session, "action", action.id, words, is_public=action.is_public)


def _update(
    ctx: Context, action: Action, command: Report, grant: Grant, state: ActionState | None
) -> ActionUpdate:
    text = clean_text(command.text, UPDATE_LIMIT)
    if not text:
        raise Invalid("text", "reason_needed" if state is ActionState.SUSPENDED else "required")
    if command.progress is not None and not 0 <= command.progress <= 100:
        raise Invalid("progress", "out_of_range")
    if state is not None:
        if state not in REPORTABLE:
            raise Invalid("state", "unknown")
        transitions.require_action(action.state, state)
    update = ActionUpdate(
        action_id=action.id,
        at=ctx.now,
        text=text,
        progress=100 if state is ActionState.DONE else command.progress,
        state=state,
        person_id=ctx.actor.person_id,
        capacity=str(grant.role),
        signed_as=signed_as(ctx, grant),
        idempotency_key=once.own_key(ctx, command.idempotency_key),
    )
    ctx.session.add(update)
    return update


def _reach(ctx: Context, action: Action, milestone_ids: tuple[int, ...]) -> None:
    for milestone_id in milestone_ids:
        milestone = ctx.session.get(ActionMilestone, milestone_id)
        if milestone is None or milestone.action_id != action.id:
            raise Invalid("milestones", "unknown")
        milestone.done_on = milestone.done_on or action_plan.today(ctx)


def _move_on(ctx: Context, action: Action, state: ActionState | None, progress: int | None) -> None:
    if progress is not None:
        action.progress = progress
    if state is ActionState.DONE:
        action.progress = 100
        action.done_at = ctx.now
    elif action.state is ActionState.DONE and state is not None:
        action.done_at = None
    action.state = state or action.state
    _touch(ctx, action)


def _tell_news(
    ctx: Context, action: Action, update: ActionUpdate, grant: Grant, state: ActionState | None
) -> None:
    kind = {ActionState.DONE: StepKind.DONE, ActionState.UNDER_WAY: StepKind.UNDER_WAY}.get(
        state or action.state, StepKind.UPDATED
    )
    weaving.tell(
        ctx, action, kind if state is not None else StepKind.UPDATED, grant, excerpt(update.text, 200)
    )
    event = "action.done" if state is ActionState.DONE else "action.updated"
    outbox.announce(ctx, event, action_id=action.id, update_id=update.id)
    if state is not None:
        weaving.settle(ctx, weaving.linked_ids(ctx, action.id))
