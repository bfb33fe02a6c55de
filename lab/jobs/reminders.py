"""Before a promise breaks, and when it has: team and office are told, once for each input and day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import and_, select

from lab.kernel.clock import end_of_local_day, local_date, start_of_local_day
from lab.models.contributions import IS_OPEN, Contribution
from lab.services import audience, desk, notifications
from lab.services.context import Context
from lab.services.notifications import Hearer

#: Days before the promised day on which the team hears, and before the office's day on which it hears.
PROMISE_NEAR = 5
OFFICE_NEAR = 3
#: Days after the day on which lateness is still told; older things stand on top of the desk anyway.
LATE_TOLD = 3
#: Inputs named in one run: a backlog of thousands is a matter for the desk, not for a mailbox.
MOST = 50

#: What was hidden waits for no answer.
_WAITS = and_(IS_OPEN, desk.NOT_HIDDEN)


def remind(ctx: Context, group_wait: timedelta) -> int:
    """Tell whoever can still keep the promise; how many were told."""
    team = audience.team(ctx)
    return _promises(ctx, team, group_wait) + _office_days(ctx, team, group_wait)


def _promises(ctx: Context, team: list[int], group_wait: timedelta) -> int:
    today = local_date(ctx.now, ctx.timezone)
    told = 0
    for contribution in _promised(
        ctx, ctx.now, end_of_local_day(today + timedelta(PROMISE_NEAR), ctx.timezone)
    ):
        told += _tell_holder(ctx, contribution, "promise_near", team, group_wait)
    late_from = start_of_local_day(today - timedelta(LATE_TOLD), ctx.timezone)
    for contribution in _promised(ctx, late_from, ctx.now):
        told += _tell_holder(ctx, contribution, "promise_late", team, group_wait)
    return told


def _promised(ctx: Context, start: datetime, end: datetime) -> list[Contribution]:
    query = (
        select(Contribution)
        .where(_WAITS, Contribution.promise_due_at >= start, Contribution.promise_due_at < end)
        .order_by(Contribution.promise_due_at, Contribution.id)
        .limit(MOST)
    )
    return list(ctx.session.execute(query).scalars())


def _tell_holder(
    ctx: Context, contribution: Contribution, kind: str, team: list[int], group_wait: timedelta
) -> int:
    day = local_date(contribution.promise_due_at, ctx.timezone)
    # Who has it in hand hears; where nobody has, everybody.
    people = [contribution.holder_id] if contribution.holder_id else team
    return _tell(ctx, contribution, kind, day, people, group_wait)


def _office_days(ctx: Context, team: list[int], group_wait: timedelta) -> int:
    today = local_date(ctx.now, ctx.timezone)
    query = (
        select(Contribution)
        .where(
            _WAITS,
            Contribution.office_id.is_not(None),
            Contribution.office_due_on >= today - timedelta(LATE_TOLD),
            Contribution.office_due_on <= today + timedelta(OFFICE_NEAR),
        )
        .order_by(Contribution.office_due_on, Contribution.id)
        .limit(MOST)
    )
    told = 0
    offices: dict[int, list[int]] = {}
    for contribution in ctx.session.execute(query).scalars().all():
        day, office_id = contribution.office_due_on, contribution.office_id
        if day is None or office_id is None:
            continue
        late = day < today
        if office_id not in offices:
            offices[office_id] = audience.office_people(ctx, office_id)
        people = offices[office_id]
        told += _tell(ctx, contribution, "office_late" if late else "office_due", day, people, group_wait)
        if late:
            told += _tell(ctx, contribution, "team_office_late", day, team, group_wait)
    return told


def _tell(
    ctx: Context,
    contribution: Contribution,
    kind: str,
    day: date,
    people: list[int],
    group_wait: timedelta,
) -> int:
    details = {"due": day.isoformat(), "office_id": contribution.office_id}
    hearers = [Hearer(person, kind, contribution_id=contribution.id, details=details) for person in people]
    key = f"{kind}:{contribution.id}:{day.isoformat()}"
    return notifications.tell(ctx, hearers, key, ctx.now, group_wait)
