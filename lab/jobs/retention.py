"""What is kept only for a time, and dropped when the time is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import and_, delete, func, or_, select

from lab.jobs import meetings
from lab.models.accounts import SignInCode, WebSession
from lab.models.operations import HeldForm, OutboxItem
from lab.services import drafts, limits, outbox, photos
from lab.services.context import Context

CODES = timedelta(days=1)
HELD_FORMS = timedelta(days=1)
SESSIONS = timedelta(days=90)
DONE_WORK = timedelta(days=90)
#: Mails with a code that never left (no server is set, or it is away): the code is of no more use.
UNSENT_CODES = timedelta(hours=1)
#: Mails to one address that staff could not get out.
PARKED_MAILS = timedelta(days=30)
#: Photographs asked about in one statement.
_NAMES = 400


def clean_up(ctx: Context, uploads: Path) -> dict[str, int]:
    """Drop everything whose time is over; how many rows and photographs of each kind."""
    now = ctx.now
    ended = or_(WebSession.ended_at < now - SESSIONS, WebSession.expires_at < now - SESSIONS)
    newest = select(func.max(OutboxItem.id)).scalar_subquery()
    # The newest row stays, so that SQLite never gives its number to another: event keys are built on it.
    done = and_(OutboxItem.done_at < now - DONE_WORK, OutboxItem.id < newest)
    return {
        "photos": _drop_photos(ctx, uploads),
        "drafts": drafts.forget_old(ctx),
        "sign_in_codes": _drop(ctx, SignInCode, SignInCode.created_at < now - CODES),
        "rate_counters": limits.forget_old(ctx),
        "held_forms": _drop(ctx, HeldForm, HeldForm.created_at < now - HELD_FORMS),
        "sessions": _drop(ctx, WebSession, ended),
        "outbox": _drop(ctx, OutboxItem, done),
        "unsent_mails": _forget_unsent(ctx),
        "sign_ups": meetings.forget(ctx),
    }


def _drop(ctx: Context, model: Any, condition: Any) -> int:
    gone = ctx.session.execute(delete(model).where(condition).execution_options(synchronize_session=False))
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _drop_photos(ctx: Context, folder: Path) -> int:
    """Files of photographs that were uploaded and never used, a day later."""
    stored = dict(_stored_before(folder, ctx.now - drafts.KEEP_PHOTOS))
    names = sorted(stored)
    gone = 0
    for start in range(0, len(names), _NAMES):
        for name in photos.strangers(ctx, names[start : start + _NAMES]):
            gone += 1
            for path in stored[name]:
                path.unlink(missing_ok=True)
    return gone


def _stored_before(folder: Path, moment: datetime) -> Iterator[tuple[str, list[Path]]]:
    for shelf in folder.iterdir() if folder.is_dir() else ():
        found: dict[str, list[Path]] = {}
        for path in shelf.glob("*-*.webp"):
            if path.stat().st_mtime < moment.timestamp():
                found.setdefault(path.name.partition("-")[0], []).append(path)
        yield from found.items()


def _forget_unsent(ctx: Context) -> int:
    query = select(OutboxItem).where(
        OutboxItem.topic == "mail",
        OutboxItem.done_at.is_(None),
        or_(OutboxItem.leased_until.is_(None), OutboxItem.leased_until <= ctx.now),
        OutboxItem.created_at < ctx.now - UNSENT_CODES,
    )
    gone = 0
    for item in ctx.session.execute(query.with_for_update()).scalars():
        has_code = "code" in item.payload.get("values", {})
        given_up = item.parked_at is not None and item.parked_at < ctx.now - PARKED_MAILS
        if has_code or given_up:
            item.payload = outbox.scrubbed(item.payload)
            item.done_at, item.parked_at = ctx.now, None
            item.last_error = "not sent: too late"
            gone += 1
    ctx.session.flush()
    return gone
