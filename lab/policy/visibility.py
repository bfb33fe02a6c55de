"""SQL twins of the reading rules: the same answer as `rules`, asked of the database for whole lists."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, or_, true

from lab.models.accounts import Role
from lab.models.actions import PUBLIC_ACTION_STATES, Action, ActionState
from lab.models.contributions import Contribution, Visibility
from lab.policy.actor import Actor


def readable_contributions(actor: Actor) -> ColumnElement[bool]:
    """Twin of `rules.may_read`."""
    if actor.is_system or actor.grant_of(Role.MODERATOR, Role.FACILITATOR, Role.COORDINATOR):
        return true()
    conditions: list[ColumnElement[bool]] = [Contribution.visibility == Visibility.PUBLIC]
    if actor.person_id is not None:
        conditions.append(Contribution.person_id == actor.person_id)
    if actor.office_ids:
        conditions.append(Contribution.office_id.in_(actor.office_ids))
    return or_(*conditions)


def workable_contributions(actor: Actor) -> ColumnElement[bool]:
    """Twin of `rules.may_work`."""
    if actor.is_system or actor.grant_of(Role.MODERATOR, Role.FACILITATOR, Role.COORDINATOR):
        return true()
    return Contribution.office_id.in_(actor.office_ids) if actor.office_ids else false()


def readable_actions(actor: Actor) -> ColumnElement[bool]:
    """Twin of `rules.may_read_action`."""
    if actor.is_system or actor.grant_of(Role.MODERATOR, Role.FACILITATOR, Role.COORDINATOR):
        return true()
    public = Action.state.in_(PUBLIC_ACTION_STATES)
    if not actor.office_ids:
        return public
    return or_(public, (Action.office_id.in_(actor.office_ids)) & (Action.state != ActionState.DRAFT))
