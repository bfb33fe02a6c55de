"""What is late, what came of the words lately, and every input for a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Subquery, and_, func, select
from sqlalchemy.orm import aliased

from lab.kernel.clock import start_of_local_day
from lab.models.actions import PUBLIC_ACTION_STATES, Action, ActionContribution
from lab.models.answers import Answer
from lab.models.contributions import IS_OPEN, Contribution, Outcome, State, Visibility
from lab.models.programme import Office, Theme
from lab.services import contributions
from lab.services.context import Context
from lab.services.tally import Filter

#: Late inputs listed on the page, and how far they are counted there.
LATE = 10
LATE_COUNTED = 1000
LATEST = 6
#: Inputs looked through for each outcome shown, since many may share one action.
_SPREAD = 5
#: Rows read at once for the file.
_BATCH = 2000


@dataclass(frozen=True)
class Late:
    """What waits beyond the promise: how many (counted as far as `LATE_COUNTED`) and the longest waiting."""

    count: int
    items: list[Contribution]

    @property
    def is_more(self) -> bool:
        """Whether there are more than were counted."""
        return self.count > LATE_COUNTED


def late(ctx: Context, wish: Filter) -> Late:
    """Open inputs whose promised day has gone by, longest waiting first; private ones count, unnamed."""
    overdue = and_(IS_OPEN, Contribution.promise_due_at < ctx.now, *_of(ctx, wish))
    if wish.since is not None:
        # Said before, promised after: lets the walk of the index begin where the filter does.
        overdue &= Contribution.promise_due_at >= start_of_local_day(wish.since, ctx.timezone)
    counted = select(Contribution.id).where(overdue).limit(LATE_COUNTED + 1).subquery()
    how_many = select(func.count()).select_from(counted).scalar_subquery()
    query = (
        select(Contribution, how_many)
        .where(overdue)
        .order_by(Contribution.promise_due_at, Contribution.id)
        .limit(LATE * 3)
    )
    rows = ctx.session.execute(query).all()
    listed = [row[0] for row in rows if row[0].visibility is Visibility.PUBLIC]
    return Late(rows[0][1] if rows else 0, listed[:LATE])


def _after(ctx: Context, month: date) -> datetime:
    """When this month is over."""
    return start_of_local_day(date(month.year + month.month // 12, month.month % 12 + 1, 1), ctx.timezone)


def _of(ctx: Context, wish: Filter) -> list[ColumnElement[bool]]:
    """The filter asked of the inputs themselves."""
    conditions: list[ColumnElement[bool]] = []
    if wish.since is not None:
        conditions.append(Contribution.created_at >= start_of_local_day(wish.since, ctx.timezone))
    if wish.until is not None:
        conditions.append(Contribution.created_at < _after(ctx, wish.until))
    for column, chosen in ((Contribution.theme_id, wish.theme_id), (Contribution.office_id, wish.office_id)):
        if chosen is not None:
            conditions.append(column == chosen if chosen else column.is_(None))
    if wish.kind is not None:
        conditions.append(Contribution.kind == wish.kind)
    return conditions


@dataclass(frozen=True)
class Told:
    """One outcome with the words that started it; the action, if it became one."""

    code: str
    title: str
    words: str
    lang: str
    by: str
    state: State
    outcome: Outcome | None
    office: str
    at: datetime
    action_code: str
    action_title: str


def latest(ctx: Context, limit: int = LATEST, wish: Filter | None = None) -> list[Told]:
    """The last public inputs that got an outcome other than being merged or withdrawn, in one statement.

    Of several inputs in one action the first found stands for all: each line tells something else. Of a time
    gone by, those said last come first: what was decided since would have to be gone through.
    """
    given = aliased(Contribution, _recent(ctx, limit * _SPREAD, wish))
    action_id = (
        select(func.max(Action.id))
        .join(ActionContribution, ActionContribution.action_id == Action.id)
        .where(ActionContribution.contribution_id == given.id, Action.state.in_(PUBLIC_ACTION_STATES))
        .correlate(given)
        .scalar_subquery()
    )
    answered_by = (
        select(func.max(Answer.office_id))
        .where(Answer.contribution_id == given.id, Answer.published_at.is_not(None))
        .correlate(given)
        .scalar_subquery()
    )
    query = (
        select(given, Action, Office.name)
        .select_from(given)
        .outerjoin(Action, Action.id == action_id)
        .outerjoin(Office, Office.id == func.coalesce(Action.office_id, answered_by, given.office_id))
        .order_by(given.decided_at.desc(), given.id.desc())
    )
    told: dict[str, Told] = {}
    for row in ctx.session.execute(query):
        one = _told(*row)
        told.setdefault(one.action_code or one.code, one)
    return list(told.values())[:limit]


def _recent(ctx: Context, most: int, wish: Filter | None) -> Subquery:
    """The last inputs with such an outcome, found by walking an index from its end."""
    gone_by = wish is not None and wish.until is not None
    at = Contribution.created_at if gone_by else Contribution.decided_at
    decided = Contribution.decided_at.is_not(None)
    if gone_by:
        # In other words, which no index of decisions understands: the days on which it was said are walked.
        decided = func.coalesce(Contribution.decided_at, Contribution.decided_at).is_not(None)
    return (
        select(Contribution)
        .where(
            decided,
            # Listed and decided: taken up, done, answered or declined, and public. Not written as equality,
            # which would lead SQLite to sort half the table instead of walking the dates from the end.
            Contribution.is_listed.expression if gone_by else Contribution.is_listed.is_not(False),
            *(_of(ctx, wish) if wish else ()),
        )
        .order_by(at.desc(), Contribution.id.desc())
        .limit(most)
        .subquery()
    )


def _told(given: Contribution, action: Action | None, office: str | None) -> Told:
    assert given.decided_at is not None
    at = given.decided_at
    if action is not None and given.state is State.DONE and action.done_at is not None:
        at = action.done_at
    return Told(
        code=given.code,
        title=given.title,
        words=given.excerpt,
        lang=given.lang,
        by=given.author_name,
        state=given.state,
        outcome=given.outcome,
        office=office or "",
        at=at,
        action_code=action.code if action else "",
        action_title=action.title if action else "",
    )


def every_input(ctx: Context, wish: Filter) -> Iterator[tuple[Any, ...]]:
    """One row for each public input that fits, by key in batches: nothing of its author, no words.

    code, said at, kind, theme, office, state, outcome, promised by, decided at, timeliness.
    """
    last = 0
    while True:
        query = (
            select(Contribution, Theme.code, Office.name)
            .outerjoin(Theme, Theme.id == Contribution.theme_id)
            .outerjoin(Office, Office.id == Contribution.office_id)
            .where(Contribution.id > last, Contribution.visibility == Visibility.PUBLIC, *_of(ctx, wish))
            .order_by(Contribution.id)
            .limit(_BATCH)
        )
        rows = ctx.session.execute(query).all()
        for item, theme, office in rows:
            yield (
                item.code, item.created_at, item.kind, theme or "", office or "", item.state,
                item.outcome or "", item.promise_due_at, item.decided_at,
                "overdue" if item.is_open and item.promise_due_at < ctx.now
                else contributions.timeliness(item),
            )  # fmt: skip
        if len(rows) < _BATCH:
            return
        last = rows[-1][0].id
        ctx.session.expunge_all()
