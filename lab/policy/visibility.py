"""SQL twins of the reading rules: the same answer as `rules`, asked of the database for whole lists."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, or_, select, true

from lab.models.actions import PUBLIC_ACTION_STATES, Action, ActionState
from lab.models.capture import Commitment
from lab.models.contributions import Contribution, Visibility
from lab.models.events import Event, EventHost
from lab.policy.actor import Actor
from lab.policy.rules import HOSTS


def readable_contributions(actor: Actor) -> ColumnElement[bool]:
    """Twin of `rules.may_read`."""
    if actor.is_system or actor.overseer:
        return true()
    conditions: list[ColumnElement[bool]] = [Contribution.visibility == Visibility.PUBLIC]
    if actor.person_id is not None:
        conditions.append(Contribution.person_id == actor.person_id)
    if actor.office_ids:
        conditions.append(Contribution.office_id.in_(actor.office_ids))
    return or_(*conditions)


def workable_contributions(actor: Actor) -> ColumnElement[bool]:
    """Twin of `rules.may_work`."""
    if actor.is_system or actor.overseer:
        return true()
    return Contribution.office_id.in_(actor.office_ids) if actor.office_ids else false()


def readable_actions(actor: Actor) -> ColumnElement[bool]:
    """Twin of `rules.may_read_action`."""
    if actor.is_system or actor.overseer:
        return true()
    public = Action.state.in_(PUBLIC_ACTION_STATES)
    if not actor.office_ids:
        return public
    return or_(public, (Action.office_id.in_(actor.office_ids)) & (Action.state != ActionState.DRAFT))


def editable_events(actor: Actor) -> ColumnElement[bool]:
    """Twin of `rules.may_edit_event`."""
    if actor.is_system or actor.overseer:
        return true()
    if actor.grant_of(*HOSTS) is None:
        return false()
    return Event.id.in_(select(EventHost.event_id).where(EventHost.person_id == actor.person_id))


def answerable_commitments(actor: Actor) -> ColumnElement[bool]:
    """Twin of `rules.may_update_commitment`."""
    if actor.is_system or actor.overseer:
        return true()
    return or_(false(), Commitment.office_id.in_(actor.office_ids), Commitment.body_id.in_(actor.body_ids))
