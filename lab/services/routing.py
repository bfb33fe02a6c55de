"""Passing an input to the office that answers it, with the day by which it is asked to, and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from lab.kernel.clock import local_date
from lab.kernel.errors import Conflict, Invalid
from lab.kernel.text import clean_text
from lab.models.contributions import OPEN_STATES, Contribution, StepKind
from lab.models.operations import AuditEntry
from lab.policy.permissions import Permission
from lab.services import audience, audit, contributions, desk_item, outbox, references, triage
from lab.services.context import Context

#: Days the lab keeps for itself between the office's answer and the promise on the receipt.
MARGIN_DAYS = 5
REASON_LIMIT = 2000


@dataclass(frozen=True)
class Route:
    """Which office, by which day (None: a few days before the promise)."""

    contribution_id: int
    version: int | None
    office_id: int
    due_on: date | None = None


def default_due(ctx: Context, contribution: Contribution) -> date:
    """A few days before the promise; tomorrow when that is over already."""
    today = local_date(ctx.now, ctx.timezone)
    promised = local_date(contribution.promise_due_at, ctx.timezone)
    return max(promised - timedelta(days=MARGIN_DAYS), today + timedelta(days=1))


def route(ctx: Context, command: Route) -> Contribution:
    """Pass it to an office, which hears of it; the same office and day again changes nothing.

    Raises `Invalid("office", "unknown")`, `Invalid("due_on", "past")`, `Conflict("state_…")` once settled.
    """
    grant = ctx.require(Permission.CONTRIBUTION_ROUTE)
    office = references.office_in_being(ctx, command.office_id)
    today = local_date(ctx.now, ctx.timezone)
    if command.due_on is not None and command.due_on < today:
        raise Invalid("due_on", "past")
    with contributions.changing(ctx, command.contribution_id, command.version) as contribution:
        if contribution.state not in OPEN_STATES:
            raise Conflict(f"state_{contribution.state}")
        due_on = command.due_on or default_due(ctx, contribution)
        if (contribution.office_id, contribution.office_due_on) == (office.id, due_on):
            return contribution
        anew = contribution.office_id != office.id
        triage.acknowledge(ctx, contribution, grant)
        contribution.office_id, contribution.office_due_on = office.id, due_on
        audit.record(
            ctx, "contribution.route", contribution, grant, to_office_id=office.id, due=due_on.isoformat()
        )
        if anew:
            contributions.add_step(ctx, contribution, StepKind.ROUTED, grant, office_id=office.id)
            outbox.announce(ctx, "contribution.routed", contribution_id=contribution.id, office_id=office.id)
    return contribution


def take_back(ctx: Context, contribution_id: int, version: int | None, reason: str) -> Contribution:
    """Take it back from the office that has it, with a reason in the public trace.

    Raises `Invalid("reason", "required")`, `Conflict("not_routed")`, `Conflict("state_…")` once settled.
    """
    grant = ctx.require(Permission.CONTRIBUTION_ROUTE)
    words = clean_text(reason, REASON_LIMIT)
    if not words:
        raise Invalid("reason", "required")
    with contributions.changing(ctx, contribution_id, version) as contribution:
        if contribution.state not in OPEN_STATES:
            raise Conflict(f"state_{contribution.state}")
        if contribution.office_id is None:
            raise Conflict("not_routed")
        before = contribution.office_id
        contribution.office_id = contribution.office_due_on = None
        contributions.add_step(ctx, contribution, StepKind.TAKEN_BACK, grant, text=words)
        audit.record(ctx, "contribution.take_back", contribution, grant, reason=words, from_office_id=before)
    return contribution


def give_back(ctx: Context, contribution_id: int, version: int | None, reason: str) -> Contribution:
    """The office says that it is not theirs, and why: whoever passed it on has it in hand again.

    The reason is in the public trace. Raises `NotFound` for what another office has,
    `Invalid("reason", "required")`, `Conflict("state_…")` once settled.
    """
    words = clean_text(reason, REASON_LIMIT)
    with contributions.changing(ctx, contribution_id, version) as contribution:
        grant = ctx.require(Permission.ANSWER_DRAFT, contribution)
        if not words:
            raise Invalid("reason", "required")
        if contribution.state not in OPEN_STATES:
            raise Conflict(f"state_{contribution.state}")
        before = contribution.office_id
        contribution.holder_id = _who_passed_it_on(ctx, contribution.id)
        contribution.office_id = contribution.office_due_on = None
        contributions.add_step(ctx, contribution, StepKind.TAKEN_BACK, grant, text=words)
        audit.record(ctx, "contribution.give_back", contribution, grant, reason=words, from_office_id=before)
        outbox.announce(ctx, "contribution.given_back", contribution_id=contribution.id, office_id=before)
    return contribution


def gave_back(ctx: Context, code: str) -> bool:
    """Whether the reader's last act on this input, a moment ago, was to give it back."""
    query = select(Contribution).where(Contribution.code == code)
    found = ctx.session.execute(query).scalar_one_or_none()
    return found is not None and desk_item.just_done(ctx, found, "contribution.give_back")


def _who_passed_it_on(ctx: Context, contribution_id: int) -> int | None:
    """The last one to route it who still has a place in the team; None leaves it to everybody."""
    query = (
        select(AuditEntry.person_id)
        .where(
            AuditEntry.subject_kind == Contribution.__tablename__,
            AuditEntry.subject_id == contribution_id,
            AuditEntry.verb == "contribution.route",
        )
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(1)
    )
    person_id = ctx.session.execute(query).scalar_one_or_none()
    return person_id if person_id in audience.team(ctx) else None
