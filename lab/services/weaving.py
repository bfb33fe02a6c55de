"""Tying inputs to actions and letting them go, and what that does to the inputs.

An input follows the actions it is woven into: taken up while a public one is on its way, done when all of
them are, back to its answer (or to the table) when none is left. Locks are taken on the action first, then
on inputs in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from lab.db.locking import locked
from lab.kernel.errors import Invalid, NotFound
from lab.kernel.text import clean_text
from lab.models.actions import PUBLIC_ACTION_STATES, Action, ActionContribution, ActionState
from lab.models.answers import Answer, Verdict
from lab.models.contributions import Contribution, Outcome, State, Step, StepKind
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import audit, contributions, outbox
from lab.services.context import Context

#: Longest reason and note, in characters.
REASON_LIMIT = 1000
#: States in which only the team knows of an action: its inputs are not told yet.
QUIET_STATES = frozenset({ActionState.DRAFT, ActionState.SENT_BACK})


@dataclass(frozen=True)
class Weave:
    """Tie inputs to an action; `note` says what of them went in, where it is not all."""

    action_id: int
    contribution_ids: tuple[int, ...]
    note: str = ""


@dataclass(frozen=True)
class Unweave:
    """Let one input go from an action, and say why."""

    action_id: int
    contribution_id: int
    reason: str


def weave(ctx: Context, command: Weave) -> Action:
    """Link inputs to an action, at any time. Linking twice does nothing; a merged one links its target.

    Raises `NotFound`, `Invalid("contributions", "at_least_one" | "unknown" | "withdrawn")`.
    """
    grant = ctx.require(Permission.ACTION_LINK)
    action = locked(ctx.session, Action, command.action_id)
    if not command.contribution_ids:
        raise Invalid("contributions", "at_least_one")
    fresh = link(ctx, action, command.contribution_ids, command.note)
    if fresh:
        audit.record(ctx, "action.weave", action, grant, contributions=fresh)
        tell_woven(ctx, action, fresh, grant)
        catch_up(ctx, action, fresh, grant)
    return action


def unweave(ctx: Context, command: Unweave) -> Action:
    """Undo one link; the input goes back to where it stands without this action.

    Raises `NotFound` when they are not linked, `Invalid("reason", "required")`.
    """
    grant = ctx.require(Permission.ACTION_LINK)
    action = locked(ctx.session, Action, command.action_id)
    reason = clean_text(command.reason, REASON_LIMIT)
    if not reason:
        raise Invalid("reason", "required")
    tie = ctx.session.get(ActionContribution, (action.id, command.contribution_id), populate_existing=True)
    if tie is None:
        raise NotFound("action_contribution")
    was_told = bool(_told(ctx, action, [command.contribution_id]))
    ctx.session.delete(tie)
    ctx.session.flush()
    _recount(ctx, action)
    audit.record(ctx, "action.unweave", action, grant, reason=reason, contributions=[command.contribution_id])
    if was_told:
        _write(ctx, action, StepKind.UNWOVEN, [command.contribution_id], grant, reason)
        outbox.announce(
            ctx, "contribution.unwoven", contribution_id=command.contribution_id, action_id=action.id
        )
    settle(ctx, [command.contribution_id])
    return action


def link(ctx: Context, action: Action, ids: Sequence[int], note: str = "") -> list[int]:
    """Write the links that are missing (the caller holds the action); gives the newly linked ids.

    Raises `Invalid("contributions", "unknown" | "withdrawn")`.
    """
    found = {
        row.id: row
        for row in ctx.session.execute(
            select(Contribution.id, Contribution.state, Contribution.merged_into_id).where(
                Contribution.id.in_(ids)
            )
        )
    }
    if len(found) < len(set(ids)):
        raise Invalid("contributions", "unknown")
    if any(row.state is State.WITHDRAWN for row in found.values()):
        raise Invalid("contributions", "withdrawn")
    wanted = dict.fromkeys(
        _root(ctx, found[item].merged_into_id) if found[item].merged_into_id else item for item in ids
    )
    known = set(linked_ids(ctx, action.id))
    fresh = [item for item in wanted if item not in known]
    for item in fresh:
        ctx.session.add(
            ActionContribution(
                action_id=action.id,
                contribution_id=item,
                at=ctx.now,
                person_id=ctx.actor.person_id,
                note=clean_text(note, REASON_LIMIT),
            )
        )
    ctx.session.flush()
    _recount(ctx, action)
    return fresh


def linked_ids(ctx: Context, action_id: int) -> list[int]:
    """The inputs woven into an action, oldest link first."""
    query = (
        select(ActionContribution.contribution_id)
        .where(ActionContribution.action_id == action_id)
        .order_by(ActionContribution.at, ActionContribution.contribution_id)
    )
    return list(ctx.session.execute(query).scalars())


def tell_woven(ctx: Context, action: Action, ids: Iterable[int], grant: Grant | None) -> None:
    """Say to these inputs that they are in the action, once the action has left the team's table."""
    if action.state in QUIET_STATES:
        return
    chosen = list(ids)
    _write(ctx, action, StepKind.WOVEN, chosen, grant)
    for contribution_id in chosen:
        outbox.announce(ctx, "contribution.woven", contribution_id=contribution_id, action_id=action.id)


def tell(ctx: Context, action: Action, kind: StepKind, grant: Grant | None, text: str = "") -> None:
    """Write a step on every input of the action and on what was merged into them."""
    _write(ctx, action, kind, linked_ids(ctx, action.id), grant, text)


def untold(ctx: Context, action: Action) -> list[int]:
    """Inputs of the action that have not heard yet that they are in it."""
    linked = linked_ids(ctx, action.id)
    told = _told(ctx, action, linked)
    return [item for item in linked if item not in told]


def follow_merges(ctx: Context, action: Action) -> None:
    """Inputs that were merged after they were linked bring the action to the one they went into."""
    query = (
        select(Contribution.merged_into_id)
        .join(ActionContribution, ActionContribution.contribution_id == Contribution.id)
        .where(ActionContribution.action_id == action.id, Contribution.merged_into_id.is_not(None))
    )
    targets = [item for item in ctx.session.execute(query).scalars() if item is not None]
    if targets:
        link(ctx, action, targets)


def catch_up(ctx: Context, action: Action, ids: Iterable[int], grant: Grant | None) -> None:
    """Inputs linked to a public action go at once as far as the action has come."""
    if action.state not in PUBLIC_ACTION_STATES:
        return
    chosen = list(ids)
    kinds = [StepKind.ADOPTED]
    if action.state is ActionState.UNDER_WAY:
        kinds.append(StepKind.UNDER_WAY)
    if action.state is ActionState.DONE:
        kinds.append(StepKind.DONE)
    for kind in kinds:
        _write(ctx, action, kind, chosen, grant)
    settle(ctx, chosen)


def settle(ctx: Context, ids: Iterable[int]) -> None:
    """Bring each input where its public actions say; the answers it has had stay."""
    for contribution_id in sorted(set(ids)):
        with contributions.changing(ctx, contribution_id) as contribution:
            # Read after the lock: whoever settles last sees what the others have committed.
            query = (
                select(Action.state)
                .join(ActionContribution, ActionContribution.action_id == Action.id)
                .where(
                    ActionContribution.contribution_id == contribution_id,
                    Action.state.in_(PUBLIC_ACTION_STATES),
                )
            )
            _stand(ctx, contribution, list(ctx.session.execute(query).scalars()))


def _stand(ctx: Context, contribution: Contribution, states: list[ActionState]) -> None:
    if contribution.state in (State.MERGED, State.WITHDRAWN):
        return
    if not states:
        if contribution.state in (State.TAKEN_UP, State.DONE):
            _go_back(ctx, contribution)
        return
    contribution.read_at = contribution.read_at or ctx.now
    contribution.holder_id = None
    if contribution.state not in (State.TAKEN_UP, State.DONE):
        contributions.move(ctx, contribution, State.TAKEN_UP, Outcome.ACTION)
    done = all(state is ActionState.DONE for state in states)
    contributions.move(ctx, contribution, State.DONE if done else State.TAKEN_UP, Outcome.ACTION)


def _go_back(ctx: Context, contribution: Contribution) -> None:
    query = (
        select(Answer.verdict, Answer.published_at)
        .where(Answer.contribution_id == contribution.id, Answer.published_at.is_not(None))
        .order_by(Answer.published_at.desc())
        .limit(1)
    )
    answer = ctx.session.execute(query).first()
    contributions.move(ctx, contribution, State.IN_REVIEW)
    if answer is not None:
        state = State.DECLINED if answer.verdict is Verdict.DECLINED else State.ANSWERED
        contributions.move(ctx, contribution, state, Outcome(answer.verdict.value))
        contribution.decided_at = answer.published_at


def _write(
    ctx: Context,
    action: Action,
    kind: StepKind,
    ids: Sequence[int],
    grant: Grant | None,
    text: str = "",
) -> None:
    if not ids:
        return
    everybody = _with_sources(ctx, ids)
    for contribution in everybody:
        contributions.add_step(
            ctx, contribution, kind, grant, text=text, action_id=action.id, office_id=action.office_id
        )
    ctx.session.flush()


def _with_sources(ctx: Context, ids: Sequence[int]) -> list[Contribution]:
    """The inputs and all that was merged into them, however many times over."""
    found: dict[int, Contribution] = {}
    asked = Contribution.id.in_(ids)
    while True:
        level = ctx.session.execute(select(Contribution).where(asked)).scalars().all()
        fresh = [item for item in level if item.id not in found]
        if not fresh:
            return list(found.values())
        found.update((item.id, item) for item in fresh)
        asked = Contribution.merged_into_id.in_([item.id for item in fresh])


def _root(ctx: Context, contribution_id: int) -> int:
    seen = {contribution_id}
    while True:
        query = select(Contribution.merged_into_id).where(Contribution.id == contribution_id)
        target = ctx.session.execute(query).scalar_one_or_none()
        if target is None or target in seen:
            return contribution_id
        seen.add(target)
        contribution_id = target


def _told(ctx: Context, action: Action, ids: Sequence[int]) -> set[int]:
    """Which of these inputs heard that they are in the action, and nothing else since. One statement."""
    query = (
        select(Step.contribution_id, Step.kind)
        .where(
            Step.contribution_id.in_(ids),
            Step.action_id == action.id,
            Step.kind.in_((StepKind.WOVEN, StepKind.UNWOVEN)),
        )
        .order_by(Step.id)
    )
    latest = {row.contribution_id: row.kind for row in ctx.session.execute(query)}
    return {item for item, kind in latest.items() if kind is StepKind.WOVEN}


def _recount(ctx: Context, action: Action) -> None:
    counted = select(func.count()).where(ActionContribution.action_id == action.id)
    action.contributions_count = ctx.session.execute(counted).scalar_one()
