"""Taking work from the outbox: one worker at a time for each piece, and nothing lost when a worker dies.

A lease is a compare-and-swap on the row. The transaction that carries out the work checks the lease again
and marks the work done, so that its effects in the database happen once whatever the race.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.ids import new_token
from lab.models.operations import OutboxItem

#: How long a piece of work may take before another worker may have it.
LEASE = timedelta(minutes=5)
#: Waits before the next try; after the last one the work is parked for staff to look at.
BACK_OFF = tuple(
    timedelta(seconds=seconds) for seconds in (30, 120, 600, 3600, 3 * 3600, 6 * 3600, 12 * 3600)
)
MOST_ATTEMPTS = len(BACK_OFF) + 1
#: While a mail server is away its mails wait, never longer than this between two tries, and are not parked.
AWAY_AT_MOST = timedelta(minutes=10)
#: How the errors of postponed work begin.
_AWAY = "away: "
#: Candidates looked at in one go: when others are quicker, the next one is tried.
_CANDIDATES = 8


@dataclass(frozen=True)
class Leased:
    """A piece of work that is ours for `LEASE`, or as long as the row still bears this token."""

    id: int
    token: str
    topic: str
    attempts: int


def due(now: datetime) -> ColumnElement[bool]:
    """Work whose time has come and that nobody has in hand."""
    return and_(
        OutboxItem.done_at.is_(None),
        OutboxItem.parked_at.is_(None),
        OutboxItem.available_at <= now,
        or_(OutboxItem.leased_until.is_(None), OutboxItem.leased_until <= now),
    )


def take(database: Database, now: datetime, without: frozenset[str] = frozenset()) -> Leased | None:
    """Lease the next due piece of work whose topic is not in `without`; None when there is none.

    Looking costs one reading statement; the write lock is asked for only when there is something to take.
    """
    query = select(OutboxItem.id).where(due(now), OutboxItem.topic.not_in(sorted(without)))
    query = query.order_by(OutboxItem.available_at, OutboxItem.id).limit(_CANDIDATES)
    with database.session() as reading:
        candidates = list(reading.execute(query).scalars())
    for item_id in candidates:
        leased = _lease(database, item_id, now)
        if leased is not None:
            return leased
    return None


def _lease(database: Database, item_id: int, now: datetime) -> Leased | None:
    token = new_token(128)
    # The try is counted before it is made: work that kills its worker does not come back for ever.
    swap = (
        update(OutboxItem)
        .where(OutboxItem.id == item_id, due(now))
        .values(lease_token=token, leased_until=now + LEASE, attempts=OutboxItem.attempts + 1)
        .returning(OutboxItem.topic, OutboxItem.attempts)
    )
    with database.writing() as session:
        row = session.execute(swap).one_or_none()
        if row is None:
            return None
        if row.attempts > MOST_ATTEMPTS:
            _park(session, item_id, now)
            return None
    return Leased(item_id, token, row.topic, row.attempts)


def held(session: Session, leased: Leased) -> OutboxItem | None:
    """The row, locked, if the lease is still ours; None when it ran out and somebody else has it."""
    query = (
        select(OutboxItem)
        .where(
            OutboxItem.id == leased.id,
            OutboxItem.lease_token == leased.token,
            OutboxItem.done_at.is_(None),
        )
        .with_for_update()
    )
    return session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()


def finish(item: OutboxItem, now: datetime) -> None:
    """Mark it done, in the transaction of its effects. Its dedupe key stays, so it is not asked for again."""
    item.done_at = now
    item.lease_token = item.leased_until = None
    item.last_error = ""


def fail(database: Database, leased: Leased, now: datetime, error: str, *, hopeless: bool = False) -> None:
    """Put it back for later, or park it when it failed too often or can never succeed."""
    values: dict[str, Any] = {"lease_token": None, "leased_until": None, "last_error": error[:500]}
    if hopeless or leased.attempts >= MOST_ATTEMPTS:
        values["parked_at"] = now
    else:
        values["available_at"] = now + BACK_OFF[leased.attempts - 1]
    _release(database, leased, values)


def postpone(database: Database, leased: Leased, now: datetime, error: str) -> None:
    """Put it back because something around it is away; that is no failure of this work."""
    wait = min(BACK_OFF[min(leased.attempts, len(BACK_OFF)) - 1], AWAY_AT_MOST)
    values = {
        "lease_token": None,
        "leased_until": None,
        "last_error": f"{_AWAY}{error}"[:500],
        "available_at": now + wait,
        "attempts": min(leased.attempts, len(BACK_OFF) - 1),
    }
    _release(database, leased, values)


def hurry(session: Session, topic: str, now: datetime) -> None:
    """What was away is back: let everything of this topic that is waiting for another try go now."""
    session.execute(
        update(OutboxItem)
        .where(
            OutboxItem.topic == topic,
            OutboxItem.done_at.is_(None),
            OutboxItem.parked_at.is_(None),
            OutboxItem.last_error.startswith(_AWAY),
            OutboxItem.leased_until.is_(None),
            OutboxItem.available_at > now,
        )
        .values(available_at=now)
    )


def _release(database: Database, leased: Leased, values: dict[str, Any]) -> None:
    ours = and_(OutboxItem.id == leased.id, OutboxItem.lease_token == leased.token)
    with database.writing() as session:
        session.execute(update(OutboxItem).where(ours).values(**values))


def _park(session: Session, item_id: int, now: datetime) -> None:
    session.execute(
        update(OutboxItem)
        .where(OutboxItem.id == item_id)
        .values(parked_at=now, lease_token=None, leased_until=None, last_error="the worker died each time")
    )
