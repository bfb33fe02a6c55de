"""Work recorded in the transaction of the change that asks for it; `lab.jobs` carries it out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select

from lab.db.locking import locked
from lab.models.operations import OutboxItem
from lab.policy.permissions import Permission
from lab.services import audit
from lab.services.context import Context

_INSERT = insert(OutboxItem.__table__)  # type: ignore[arg-type]  # declared as any selectable


def put(
    ctx: Context,
    topic: str,
    payload: dict[str, Any],
    *,
    at: datetime | None = None,
    dedupe_key: str | None = None,
) -> None:
    """Ask for one piece of work, from `at` on (now when None).

    With a `dedupe_key` the work is asked for once: a second request while the first stands does nothing.
    """
    if dedupe_key is not None:
        known = select(OutboxItem.id).where(OutboxItem.dedupe_key == dedupe_key)
        if ctx.session.execute(known).first():
            return
    ctx.session.add(
        OutboxItem(
            topic=topic,
            payload=payload,
            dedupe_key=dedupe_key,
            created_at=ctx.now,
            available_at=at or ctx.now,
        )
    )


def announce(ctx: Context, event: str, **ids: Any) -> None:
    """Say that something happened which people should hear of (`contribution.answered`, …).

    `ids` name the rows concerned. The fan-out in `lab.jobs.handlers` finds who is to be told; `key` is
    unique to this happening, so telling can be repeated without anybody hearing twice.
    """
    announce_all([(ctx, event, ids)])


def announce_all(happenings: Sequence[tuple[Context, str, dict[str, Any]]]) -> None:
    """The same for several happenings of one transaction: in whose context, which, and the ids."""
    rows = [
        {
            "topic": "announce",
            "payload": {"event": event, "at": ctx.now.isoformat(), "by": ctx.actor.person_id, **ids},
            "created_at": ctx.now,
            "available_at": ctx.now,
        }
        for ctx, event, ids in happenings
    ]
    if rows:
        # Rows of which nobody wants an object: every act of everybody says something.
        happenings[0][0].session.execute(_INSERT, rows)


def waiting(ctx: Context, limit: int = 100) -> Sequence[OutboxItem]:
    """Work that is still to do, the next first."""
    ctx.require(Permission.OUTBOX_SEE)
    query = select(OutboxItem).where(OutboxItem.done_at.is_(None), OutboxItem.parked_at.is_(None))
    query = query.order_by(OutboxItem.available_at, OutboxItem.id).limit(limit)
    return ctx.session.execute(query).scalars().all()


def parked(ctx: Context, limit: int = 100) -> Sequence[OutboxItem]:
    """Work that failed too often and waits for somebody to look, the newest first."""
    ctx.require(Permission.OUTBOX_SEE)
    query = select(OutboxItem).where(OutboxItem.parked_at.is_not(None), OutboxItem.done_at.is_(None))
    query = query.order_by(OutboxItem.parked_at.desc(), OutboxItem.id.desc()).limit(limit)
    return ctx.session.execute(query).scalars().all()


def scrubbed(payload: dict[str, Any]) -> dict[str, Any]:
    """What stays of a mail that is out or given up: which one it was, not what it said nor to whom."""
    return {"tag": payload.get("tag", "")}


def forget(ctx: Context, person_id: int, addresses: Iterable[str]) -> int:
    """Give up the mails that still wait for somebody who leaves, and what stands in them; how many."""
    to_them = or_(
        OutboxItem.payload["to"].as_string().in_(sorted(addresses)),
        OutboxItem.payload["person_id"].as_integer() == person_id,
    )
    query = select(OutboxItem).where(OutboxItem.topic == "mail", OutboxItem.done_at.is_(None), to_them)
    items = ctx.session.execute(query.order_by(OutboxItem.id).with_for_update()).scalars().all()
    for item in items:
        item.payload = scrubbed(item.payload)
        item.done_at, item.parked_at = ctx.now, None
        # Mail servers repeat the address in what they answer.
        item.last_error = "not sent: the person left"
    return len(items)


def retry(ctx: Context, item_id: int) -> OutboxItem:
    """Let parked or postponed work be tried again now, from the first attempt.

    Raises `NotFound` when there is no such work; done work stays done.
    """
    grant = ctx.require(Permission.OUTBOX_SEE)
    item = locked(ctx.session, OutboxItem, item_id)
    if item.done_at is None:
        item.parked_at = None
        item.attempts = 0
        item.available_at = ctx.now
        audit.record(ctx, "outbox.retry", item, grant, topic=item.topic)
        ctx.session.flush()
    return item
