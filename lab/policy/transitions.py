"""Which state may follow which. Services ask here before they move anything."""

from __future__ import annotations

from lab.kernel.errors import Conflict
from lab.models.actions import ActionState
from lab.models.contributions import OPEN_STATES, State

#: What is answered or declined can still be merged; undoing a merge restores what was before.
CONTRIBUTION: dict[State, frozenset[State]] = {
    State.RECEIVED: frozenset(set(State) - {State.RECEIVED, State.DONE}),
    State.IN_REVIEW: frozenset(set(State) - {State.RECEIVED, State.IN_REVIEW, State.DONE}),
    State.CO_DESIGN: frozenset(set(State) - {State.RECEIVED, State.CO_DESIGN, State.DONE}),
    State.ANSWERED: frozenset(
        {State.TAKEN_UP, State.IN_REVIEW, State.ANSWERED, State.DECLINED, State.MERGED}
    ),
    State.TAKEN_UP: frozenset({State.DONE, State.IN_REVIEW, State.ANSWERED}),
    State.DONE: frozenset({State.TAKEN_UP, State.IN_REVIEW}),
    State.DECLINED: frozenset(
        {State.IN_REVIEW, State.TAKEN_UP, State.ANSWERED, State.DECLINED, State.MERGED}
    ),
    State.MERGED: frozenset(OPEN_STATES | {State.ANSWERED, State.DECLINED}),
    State.WITHDRAWN: frozenset(),
}

ACTION: dict[ActionState, frozenset[ActionState]] = {
    ActionState.DRAFT: frozenset({ActionState.PROPOSED}),
    ActionState.PROPOSED: frozenset({ActionState.SENT_BACK, ActionState.TO_START, ActionState.UNDER_WAY}),
    ActionState.SENT_BACK: frozenset({ActionState.DRAFT, ActionState.PROPOSED}),
    ActionState.TO_START: frozenset({ActionState.UNDER_WAY, ActionState.SUSPENDED, ActionState.DONE}),
    ActionState.UNDER_WAY: frozenset({ActionState.SUSPENDED, ActionState.DONE}),
    ActionState.SUSPENDED: frozenset({ActionState.UNDER_WAY, ActionState.TO_START, ActionState.DONE}),
    ActionState.DONE: frozenset({ActionState.UNDER_WAY}),
}


def require_contribution(before: State, after: State) -> None:
    """Raises `Conflict("state_<before>")` when an input cannot go from one state to the other."""
    if after not in CONTRIBUTION[before]:
        raise Conflict(f"state_{before}")


def require_action(before: ActionState, after: ActionState) -> None:
    """Raises `Conflict("action_<before>")` when an action cannot go from one state to the other."""
    if after not in ACTION[before]:
        raise Conflict(f"action_{before}")
