"""Work recorded in the transaction of the change that asks for it; `lab.jobs` carries it out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from lab.models.operations import OutboxItem
from lab.services.context import Context


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
    put(ctx, "announce", {"event": event, "at": ctx.now.isoformat(), "by": ctx.actor.person_id, **ids})
