"""The table of rules: one small predicate with business words for each permission.

A predicate returns the grant that gives the right (so that the audit log can name the capacity), or a
refusal with its reason. Reasons are codes; words for them live in `lab.web.labels`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lab.kernel.errors import Denied, NotFound
from lab.models.accounts import Role
from lab.models.actions import PUBLIC_ACTION_STATES, ActionState
from lab.models.contributions import State, Visibility
from lab.policy.actor import OVERSEERS, STAFF, Actor, Grant
from lab.policy.permissions import Permission

RESIDENT = Grant(Role.RESIDENT)


@dataclass(frozen=True)
class Decision:
    """Allowed or not, why not, and in which capacity. `hidden` refusals look like "not found"."""

    allowed: bool
    reason: str = ""
    grant: Grant | None = None
    hidden: bool = False


def yes(grant: Grant | None = None) -> Decision:
    """Allowed, by this grant."""
    return Decision(True, grant=grant)


def no(reason: str) -> Decision:
    """Refused, and the person may know why."""
    return Decision(False, reason)


def unknown() -> Decision:
    """Refused as if the thing did not exist."""
    return Decision(False, "not_found", hidden=True)


Rule = Callable[[Actor, Any, datetime], Decision]


def _role(*roles: Role) -> Rule:
    def holds(actor: Actor, subject: Any, now: datetime) -> Decision:
        if actor.is_system:
            return yes()
        grant = actor.grant_of(*roles)
        return yes(grant) if grant else unknown()

    return holds


def signed_in(actor: Actor, subject: Any, now: datetime) -> Decision:
    """Anybody with an account or a card."""
    return yes(RESIDENT) if actor.is_signed_in or actor.is_system else no("sign_in")


def anybody(actor: Actor, subject: Any, now: datetime) -> Decision:
    """Everybody, account or not."""
    return yes(RESIDENT)


def may_read(actor: Actor, contribution: Any, now: datetime) -> Decision:
    """Public: all. Otherwise its author, the team and the coordinator; an office once routed to it."""
    if contribution.visibility is Visibility.PUBLIC:
        return yes(RESIDENT)
    if actor.is_system:
        return yes()
    if actor.is_signed_in and contribution.person_id == actor.person_id:
        return yes(RESIDENT)
    team = actor.overseer
    if team:
        return yes(team)
    return _of_its_office(actor, contribution, now)


def _of_its_office(actor: Actor, subject: Any, now: datetime) -> Decision:
    if actor.is_system:
        return yes()
    for grant in actor.grants:
        if grant.role is Role.OFFICE and grant.office_id is not None and grant.office_id == subject.office_id:
            return yes(grant)
    return unknown()


def may_edit_proposal(actor: Actor, subject: Any, now: datetime) -> Decision:
    """Only its author, only inside the window, only while it is still open. `subject` is a Proposal."""
    contribution = subject.contribution
    if not actor.is_signed_in or contribution.person_id != actor.person_id:
        return unknown()
    if contribution.visibility is Visibility.HIDDEN or not contribution.is_open:
        return no("already_decided")
    return yes(RESIDENT) if now < subject.edit_until else no("edit_window_over")


def may_withdraw(actor: Actor, contribution: Any, now: datetime) -> Decision:
    """Only its author, until it has been woven into an action or decided."""
    if not actor.is_signed_in or contribution.person_id != actor.person_id:
        return unknown()
    return yes(RESIDENT) if contribution.is_open else no("already_decided")


def may_take_part(actor: Actor, contribution: Any, now: datetime) -> Decision:
    """Support or follow: signed in, on what is public and neither merged nor withdrawn."""
    return _shut(actor, contribution) or yes(RESIDENT)


def _shut(actor: Actor, contribution: Any) -> Decision | None:
    """Why nobody new may join in; None where they may."""
    if not actor.is_signed_in:
        return no("sign_in")
    if contribution.visibility is not Visibility.PUBLIC:
        return unknown()
    return no("set_aside") if contribution.state in (State.MERGED, State.WITHDRAWN) else None


def may_comment(actor: Actor, contribution: Any, now: datetime) -> Decision:
    """Signed in, on what is neither merged nor withdrawn; staff also where comments are closed."""
    shut = _shut(actor, contribution)
    if shut is not None:
        return shut
    staff = actor.grant_of(Role.MODERATOR, Role.FACILITATOR) or next(
        (grant for grant in actor.grants if grant.role is Role.OFFICE), None
    )
    if contribution.comments_closed and not staff:
        return no("comments_closed")
    return yes(staff or RESIDENT)


def may_change_comment(actor: Actor, comment: Any, now: datetime) -> Decision:
    """Only its author, while it stands."""
    if not actor.is_signed_in or comment.person_id != actor.person_id:
        return unknown()
    if comment.deleted_at or comment.hidden_at:
        return no("already_gone")
    return yes(RESIDENT)


def may_work(actor: Actor, contribution: Any, now: datetime) -> Decision:
    """See it at the desk: the team and the coordinator all, an office what is routed to it."""
    grant = actor.overseer
    if grant or actor.is_system:
        return yes(grant)
    return _of_its_office(actor, contribution, now)


def may_moderate(actor: Actor, subject: Any, now: datetime) -> Decision:
    """Hide or restore: a moderator, never on their own words."""
    if actor.is_system:
        return yes()
    grant = actor.grant_of(Role.MODERATOR)
    if not grant:
        return unknown()
    return no("own_words") if subject.person_id == actor.person_id else yes(grant)


def may_settle_appeal(actor: Actor, act: Any, now: datetime) -> Decision:
    """A moderator other than the one who acted, or the coordinator. `act` is a ModerationAct."""
    grant = actor.grant_of(Role.MODERATOR, Role.COORDINATOR)
    if not grant:
        return unknown()
    return no("own_act") if act.person_id == actor.person_id else yes(grant)


def may_appeal(actor: Actor, subject: Any, now: datetime) -> Decision:
    """The author of what was hidden."""
    if not actor.is_signed_in or subject.person_id != actor.person_id:
        return unknown()
    return yes(RESIDENT)


def may_read_action(actor: Actor, action: Any, now: datetime) -> Decision:
    """Public once adopted; before, the team, the coordinator and the leading office once proposed."""
    if action.state in PUBLIC_ACTION_STATES:
        return yes(RESIDENT)
    team = actor.overseer
    if team or actor.is_system:
        return yes(team)
    return unknown() if action.state is ActionState.DRAFT else _of_its_office(actor, action, now)


def may_update_action(actor: Actor, action: Any, now: datetime) -> Decision:
    """Report progress: the leading office, and the team that accompanies it."""
    office = _of_its_office(actor, action, now)
    if office.allowed:
        return office
    grant = actor.grant_of(Role.MODERATOR, Role.FACILITATOR)
    return yes(grant) if grant else unknown()


HOSTS = (*OVERSEERS, Role.OFFICE, Role.DELEGATE)


def may_read_event(actor: Actor, event: Any, now: datetime) -> Decision:
    """Public: all. While it is being prepared: the team, the coordinator and its hosts."""
    if event.is_public:
        return yes(RESIDENT)
    team = actor.overseer
    return yes(team) if team or actor.is_system else may_run_event(actor, event, now)


def may_edit_event(actor: Actor, event: Any, now: datetime) -> Decision:
    """Prepare, change, cancel, say who hosts: the team and the coordinator all, others what they host."""
    team = actor.overseer
    return yes(team) if team or actor.is_system else may_run_event(actor, event, now)


def may_run_event(actor: Actor, event: Any, now: datetime) -> Decision:
    """See who signed up and who came, pair tablets, steer the room, publish minutes: its hosts alone.

    `event.hosts` must be loaded. A host needs a function in force: it ends with the function.
    """
    if actor.is_system:
        return yes()
    grant = actor.grant_of(*HOSTS)
    if grant and any(host.person_id == actor.person_id for host in event.hosts):
        return yes(grant)
    return unknown()


def may_capture(actor: Actor, event: Any, now: datetime) -> Decision:
    """Write down what is said at a meeting: the team at every one, hosts at theirs."""
    team = actor.grant_of(Role.FACILITATOR, Role.MODERATOR)
    return yes(team) if team or actor.is_system else may_run_event(actor, event, now)


def may_update_commitment(actor: Actor, commitment: Any, now: datetime) -> Decision:
    """Say how it ended: the office or body that took it on, the team and the coordinator."""
    team = actor.overseer
    if team or actor.is_system:
        return yes(team)
    for grant in actor.grants:
        if grant.role is Role.DELEGATE and grant.body_id and grant.body_id == commitment.body_id:
            return yes(grant)
    return _of_its_office(actor, commitment, now)


_team = _role(Role.MODERATOR, Role.FACILITATOR)

RULES: dict[Permission, Rule] = {
    Permission.ACCOUNT_SELF: signed_in,
    Permission.CONTRIBUTION_READ: may_read,
    Permission.PROPOSAL_SUBMIT: anybody,
    Permission.PROPOSAL_EDIT: may_edit_proposal,
    Permission.PROPOSAL_WITHDRAW: may_withdraw,
    Permission.CONTRIBUTION_SUPPORT: may_take_part,
    Permission.CONTRIBUTION_FOLLOW: may_take_part,
    Permission.COMMENT_WRITE: may_comment,
    Permission.COMMENT_EDIT: may_change_comment,
    Permission.FLAG_RAISE: anybody,
    Permission.APPEAL_MAKE: may_appeal,
    Permission.DESK_SEE: _role(*STAFF),
    Permission.INBOX_SEE: _role(*OVERSEERS, Role.OFFICE),
    Permission.CONTRIBUTION_WORK: may_work,
    Permission.CONTRIBUTION_TYPE: _team,
    Permission.CONTRIBUTION_SORT: _team,
    Permission.CONTRIBUTION_ROUTE: _role(*OVERSEERS),
    Permission.CONTRIBUTION_MERGE: _team,
    Permission.CONTRIBUTION_HIDE: may_moderate,
    Permission.CONTRIBUTION_KEEP_PRIVATE: _team,
    Permission.COMMENT_HIDE: may_moderate,
    Permission.FLAG_SETTLE: _role(Role.MODERATOR),
    Permission.APPEAL_SETTLE: may_settle_appeal,
    Permission.ANSWER_DRAFT: _of_its_office,
    Permission.ANSWER_PUBLISH: _of_its_office,
    Permission.ACTION_READ: may_read_action,
    Permission.ACTION_DRAFT: _team,
    Permission.ACTION_LINK: _team,
    Permission.ACTION_DECIDE: _of_its_office,
    Permission.ACTION_UPDATE: may_update_action,
    Permission.PROJECT_EDIT: _of_its_office,
    Permission.PROGRAMME_EDIT: _role(Role.COORDINATOR, Role.ADMINISTRATOR),
    Permission.EVENT_READ: may_read_event,
    Permission.EVENT_SIGN_UP: anybody,
    Permission.EVENT_EDIT: may_edit_event,
    Permission.EVENT_RUN: may_run_event,
    Permission.EVENT_CAPTURE: may_capture,
    Permission.COMMITMENT_UPDATE: may_update_commitment,
    Permission.PERSON_REGISTER: _role(Role.MODERATOR, Role.FACILITATOR, Role.ADMINISTRATOR),
    Permission.PERSON_BLOCK: _role(Role.ADMINISTRATOR, Role.MODERATOR),
    Permission.CARD_ISSUE: _role(Role.MODERATOR, Role.FACILITATOR, Role.ADMINISTRATOR),
    Permission.LETTER_PRINT: _team,
    Permission.ROLE_GRANT: _role(Role.ADMINISTRATOR),
    Permission.SETTINGS_EDIT: _role(Role.ADMINISTRATOR, Role.MODERATOR),
    Permission.OUTBOX_SEE: _role(Role.ADMINISTRATOR),
    Permission.AUDIT_SEE: _role(Role.ADMINISTRATOR, Role.COORDINATOR),
}

#: Permissions whose rule looks at a subject. Without one, routes let in whoever could hold it on some
#: subject, and the service decides on the real one.
ON_SUBJECT: dict[Permission, Rule] = {
    Permission.CONTRIBUTION_READ: anybody,
    Permission.PROPOSAL_EDIT: signed_in,
    Permission.PROPOSAL_WITHDRAW: signed_in,
    Permission.CONTRIBUTION_SUPPORT: signed_in,
    Permission.CONTRIBUTION_FOLLOW: signed_in,
    Permission.COMMENT_WRITE: signed_in,
    Permission.COMMENT_EDIT: signed_in,
    Permission.APPEAL_MAKE: signed_in,
    Permission.CONTRIBUTION_WORK: RULES[Permission.INBOX_SEE],
    Permission.CONTRIBUTION_HIDE: _role(Role.MODERATOR),
    Permission.COMMENT_HIDE: _role(Role.MODERATOR),
    Permission.APPEAL_SETTLE: _role(Role.MODERATOR, Role.COORDINATOR),
    Permission.ANSWER_DRAFT: _role(Role.OFFICE),
    Permission.ANSWER_PUBLISH: _role(Role.OFFICE),
    Permission.ACTION_READ: anybody,
    Permission.ACTION_DECIDE: _role(Role.OFFICE),
    Permission.ACTION_UPDATE: _role(Role.OFFICE, Role.MODERATOR, Role.FACILITATOR),
    Permission.PROJECT_EDIT: _role(Role.OFFICE),
    Permission.EVENT_READ: anybody,
    Permission.EVENT_EDIT: _role(*HOSTS),
    Permission.EVENT_RUN: _role(*HOSTS),
    Permission.EVENT_CAPTURE: _role(*HOSTS),
    Permission.COMMITMENT_UPDATE: _role(*HOSTS),
}


def decide(actor: Actor, permission: Permission, subject: Any, now: datetime) -> Decision:
    """Whether the actor may do this to the subject now."""
    return RULES[permission](actor, subject, now)


def decide_route(actor: Actor, permission: Permission, now: datetime) -> Decision:
    """Whether the actor may come as far as the door: the subject is not known yet."""
    rule = ON_SUBJECT.get(permission, RULES[permission])
    return rule(actor, None, now)


def require(actor: Actor, permission: Permission, subject: Any, now: datetime) -> Grant:
    """The grant that gives the right. Raises `NotFound` for outsiders, `Denied(reason)` for the others."""
    decision = decide(actor, permission, subject, now)
    if decision.allowed:
        return decision.grant or RESIDENT
    if decision.hidden:
        raise NotFound(str(permission))
    raise Denied(decision.reason)
