"""A meeting again: one copy on another day, or a whole series at once, each with a code of its own."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from lab.db.locking import expect_version
from lab.kernel.errors import Conflict, Invalid
from lab.models.events import (
    AgendaItem,
    Event,
    EventBody,
    EventDocument,
    EventHost,
    EventProject,
    EventSeries,
    EventState,
)
from lab.models.registrations import EventQuestion, SeatGroup, SignUp
from lab.services import audit, event_editing, event_plan, once, registrations, seats
from lab.services.context import Context

#: Dates made at once.
LEAST, MOST = 1, 30


class Rhythm(StrEnum):
    """How often a series meets."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"


@dataclass(frozen=True)
class Duplicate:
    """One copy, as a draft, on another local day and hour."""

    event_id: int
    day: date
    hour: time
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Repeat:
    """`times` further dates after this one; public when this one is."""

    event_id: int
    version: int | None
    rhythm: Rhythm
    times: int
    idempotency_key: str | None = None


_COPIED = (
    "kind", "title", "text", "purpose", "influence", "promise", "minutes", "place_id", "place_note",
    "access_note", "languages", "offers", "offers_note", "organisers", "seats",
)  # fmt: skip
_SIGN_UP = ("is_offered", "capacity", "party_most", "asks", "consent_note", "keep_days", "remind_days",
            "has_groups")  # fmt: skip


def days_after(first: date, rhythm: Rhythm, times: int) -> list[date]:
    """The next days in this rhythm. Monthly keeps the weekday: the third Wednesday stays the third, the
    fifth becomes the last."""
    if rhythm is not Rhythm.MONTHLY:
        step = timedelta(days=7 if rhythm is Rhythm.WEEKLY else 14)
        return [first + step * n for n in range(1, times + 1)]
    nth = (first.day - 1) // 7
    return [_nth_weekday(first, ahead, nth) for ahead in range(1, times + 1)]


def _nth_weekday(first: date, months: int, nth: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    begins, length = calendar.monthrange(year, month + 1)
    day = 1 + (first.weekday() - begins) % 7 + 7 * nth
    return date(year, month + 1, day if day <= length else day - 7)


def duplicate(ctx: Context, command: Duplicate) -> Event:
    """Copy everything but who signed up, what came of it, and files. The same key gives the same copy.

    Raises `NotFound`, `Invalid("day"|"hour", …)`.
    """
    source, grant = event_editing.hold(ctx, command.event_id)
    key = once.own_key(ctx, command.idempotency_key)
    again = event_editing.with_key(ctx, key)
    if again is not None:
        return again
    event = _copy(ctx, source, event_plan.starts_at(ctx, command.day, command.hour), key)
    audit.record(ctx, "event.create", event, grant, code=event.code, copy_of=source.code)
    event_plan.index(ctx, event)
    ctx.session.flush()
    return event


def repeat(ctx: Context, command: Repeat) -> EventSeries:
    """Make the further dates of a meeting, at the same hour of the wall clock, and join them to a series.

    Sending the same key again makes nothing more. Raises `NotFound`, `Invalid("times"|"hour", …)`,
    `Conflict("changed_meanwhile"|"event_cancelled")`.
    """
    source, grant = event_editing.hold(ctx, command.event_id)
    key = once.own_key(ctx, command.idempotency_key)
    if key and event_editing.with_key(ctx, _numbered(key, 1)) is not None and source.series_id:
        return ctx.session.get_one(EventSeries, source.series_id)
    expect_version(source, command.version)
    if source.state is EventState.CANCELLED:
        raise Conflict("event_cancelled")
    if not LEAST <= command.times <= MOST:
        raise Invalid("times", "series_times")
    series = _series(ctx, source)
    local = source.starts_at.astimezone(ZoneInfo(ctx.timezone))
    for number, day in enumerate(days_after(local.date(), command.rhythm, command.times), start=1):
        starts_at = event_plan.starts_at(ctx, day, local.time())
        event = _copy(ctx, source, starts_at, _numbered(key, number) if key else None)
        event.series_id = series.id
        event.is_public = source.is_public
        event_plan.index(ctx, event)
        audit.record(ctx, "event.create", event, grant, code=event.code, copy_of=source.code)
    source.version += 1
    ctx.session.flush()
    return series


def _numbered(key: str, number: int) -> str:
    # Room for the number: a digest is 64 characters long and so is the column.
    return f"{key[:58]}-{number}"


def _series(ctx: Context, source: Event) -> EventSeries:
    if source.series_id is not None:
        return ctx.session.get_one(EventSeries, source.series_id)
    series = EventSeries(title=source.title)
    ctx.session.add(series)
    ctx.session.flush()
    source.series_id = series.id
    return series


def _copy(ctx: Context, source: Event, starts_at: datetime, key: str | None) -> Event:
    fields: dict[str, Any] = {name: getattr(source, name) for name in _COPIED}
    event = Event(
        **fields,
        code=event_editing.next_code(ctx),
        starts_at=starts_at,
        is_public=False,
        created_by_id=ctx.actor.person_id,
        changed_at=ctx.now,
        idempotency_key=key,
    )
    ctx.session.add(event)
    ctx.session.flush()
    _copy_rows(ctx, source, event, EventProject, EventProject.event_id, ("project_id",))
    _copy_rows(ctx, source, event, EventBody, EventBody.event_id, ("body_id",))
    _copy_rows(ctx, source, event, EventHost, EventHost.event_id, ("person_id",))
    _copy_rows(ctx, source, event, AgendaItem, AgendaItem.event_id, ("position", "title", "minutes"))
    _copy_links(ctx, source, event)
    if not any(host.person_id == ctx.actor.person_id for host in source.hosts):
        event_editing.add_host(ctx, event)
    _copy_sign_up(ctx, source, event)
    return event


def _copy_rows(
    ctx: Context, source: Event, event: Event, model: Any, mine: Any, columns: tuple[str, ...]
) -> None:
    for row in ctx.session.execute(select(model).where(mine == source.id)).scalars().all():
        ctx.session.add(model(event_id=event.id, **{name: getattr(row, name) for name in columns}))


def _copy_links(ctx: Context, source: Event, event: Event) -> None:
    """Files stay with their meeting: two rows would hold one file."""
    links = select(EventDocument).where(EventDocument.event_id == source.id, EventDocument.url != "")
    for row in ctx.session.execute(links).scalars().all():
        ctx.session.add(EventDocument(event_id=event.id, position=row.position, title=row.title, url=row.url))


def _copy_sign_up(ctx: Context, source: Event, event: Event) -> None:
    """How one signs up, never who did. Opening and closing hours belong to the day and are not copied."""
    registrations.ensure_books(ctx, event.id)
    rules = ctx.session.get(SignUp, source.id)
    if rules is None:
        return
    _copy_rows(ctx, source, event, SeatGroup, SeatGroup.event_id, ("position", "name", "reserved", "most"))
    _copy_rows(
        ctx, source, event, EventQuestion, EventQuestion.event_id,
        ("position", "kind", "label", "options", "is_required"),
    )  # fmt: skip
    ctx.session.flush()
    with seats.books(ctx, event.id) as held:
        for name in _SIGN_UP:
            setattr(held.sign_up, name, getattr(rules, name))
