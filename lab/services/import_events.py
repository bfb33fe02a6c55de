"""Meetings from elsewhere: checked as at the desk, written once, nobody is mailed.

A meeting is known by its source and its id there, kept in its idempotency key; the same row read again is
skipped, also after somebody changed the meeting here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from lab.kernel.errors import Invalid
from lab.kernel.ids import token_digest
from lab.kernel.text import clean_text, fold
from lab.models.events import Event, EventKind, EventState
from lab.models.programme import Place
from lab.models.projects import Project
from lab.services import codes, event_plan, imports, registrations
from lab.services.context import Context
from lab.services.event_editing import PREFIX, REASON_LIMIT
from lab.services.event_plan import Plan
from lab.services.import_rows import BadRow, Mapping, check_fields, moment, plain, ref_of

FIELDS = frozenset(
    {
        "id", "title", "date", "time", "ends", "minutes", "kind", "text", "purpose", "promise", "place",
        "access", "languages", "offers", "organisers", "projects", "seats", "attendance", "result",
        "cancelled",
    }
)  # fmt: skip
NEEDED = frozenset({"id", "title", "date"})
#: Meetings in one transaction.
BATCH = 200
#: What a source writes where a meeting was not called off.
_NOT_CALLED_OFF = frozenset({"", "0", "no", "false", "falso"})
_CLOCK = re.compile(r"\d{1,2}:\d{2}")


@dataclass(frozen=True)
class EventRow:
    """One meeting as it will be written."""

    line: int
    ref: str
    plan: Plan
    #: Why it was called off; empty for one that stands.
    cancelled: str


@dataclass(frozen=True)
class Known:
    """What rows may name: places by code and name, projects by code."""

    places: dict[str, int]
    projects: dict[str, int]


def known(ctx: Context) -> Known:
    """The places and projects there are."""
    places: dict[str, int] = {}
    for key, code, name in ctx.session.execute(select(Place.id, Place.code, Place.name)):
        places |= {fold(name): key, fold(code): key}
    projects = ctx.session.execute(select(Project.code, Project.id))
    return Known(places, {code.casefold(): key for code, key in projects})


def read(ctx: Context, path: Path, mapping: Mapping) -> Iterator[EventRow | BadRow]:
    """Every row of the file, checked against what is here. Raises `Invalid("map", …)`."""
    check_fields(mapping, FIELDS, NEEDED)
    found = known(ctx)

    def make(line: int, values: dict[str, str], mapping: Mapping) -> EventRow:
        plan = _plan(values, mapping, found)
        event_plan.check(ctx, plan)
        return EventRow(line, ref_of(values), plan, _called_off(values.get("cancelled", "")))

    return imports.read(path, mapping, make)


def _plan(values: dict[str, str], mapping: Mapping, found: Known) -> Plan:
    begins = _begins(values, mapping)
    place = plain(values.get("place", ""))
    place_id = found.places.get(fold(place)) if place else None
    return Plan(
        kind=_kind(values.get("kind", ""), mapping),
        title=plain(values["title"]),
        day=begins.date(),
        hour=begins.time(),
        minutes=_minutes(values, begins),
        place_id=place_id,
        place_note="" if place_id else place,
        text=plain(values.get("text", "")),
        purpose=plain(values.get("purpose", "")),
        promise=plain(values.get("promise", "")),
        access_note=plain(values.get("access", "")),
        offers_note=plain(values.get("offers", "")),
        organisers=plain(values.get("organisers", "")),
        result=plain(values.get("result", "")),
        languages=tuple(_words(values.get("languages", ""))) or (mapping.lang,),
        project_ids=frozenset(_project(code, found) for code in _words(values.get("projects", ""))),
        seats=_number(values, "seats"),
        attendance=_number(values, "attendance"),
    )


def _begins(values: dict[str, str], mapping: Mapping) -> datetime:
    """The wall clock's day and hour, without zone. A meeting without an hour would lead people wrong."""
    written = values["date"]
    hour = _clock(values.get("time", "") or written[10:])
    if hour is None:
        raise Invalid("time", "required")
    noon = moment(written[:10], "", mapping.timezone, "date").astimezone(ZoneInfo(mapping.timezone))
    return datetime.combine(noon.date(), hour)


def _clock(text: str) -> time | None:
    found = _CLOCK.search(text)
    if found is None:
        return None
    hour, minute = map(int, found[0].split(":"))
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _minutes(values: dict[str, str], begins: datetime) -> int | None:
    if values.get("minutes"):
        return _number(values, "minutes")
    clock = _clock(values.get("ends", ""))
    if clock is None:
        return None
    lasts = datetime.combine(begins.date(), clock) - begins
    return int((lasts if lasts > timedelta(0) else lasts + timedelta(days=1)).total_seconds() // 60)


def _kind(word: str, mapping: Mapping) -> EventKind:
    if not word:
        return mapping.event_kind
    chosen = mapping.event_kinds.get(word.casefold())
    if chosen is None and word not in set(EventKind):
        raise Invalid("kind", "unknown_kind", word=word)
    return chosen or EventKind(word)


def _project(code: str, found: Known) -> int:
    if code not in found.projects:
        raise Invalid("projects", "no_such_project", word=code)
    return found.projects[code]


def _words(text: str) -> list[str]:
    return [word.casefold() for word in re.split(r"[\s,;|/]+", text) if word]


def _number(values: dict[str, str], name: str) -> int | None:
    text = values.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Invalid(name, "not_a_number")
    return int(text)


def _called_off(word: str) -> str:
    return "" if word.casefold() in _NOT_CALLED_OFF else clean_text(plain(word), REASON_LIMIT)


def write(ctx: Context, mapping: Mapping, batch: Sequence[EventRow], *, drafts: bool = False) -> int:
    """Write one batch in the caller's transaction; how many were new. Drafts are seen by the team alone."""
    keys = {row.ref: token_digest(f"import\n{mapping.source}\n{row.ref}") for row in batch}
    query = select(Event.idempotency_key).where(Event.idempotency_key.in_(keys.values()))
    there = set(ctx.session.execute(query).scalars())
    fresh = [row for row in batch if keys[row.ref] not in there]
    if not fresh:
        return 0
    first = codes.reserve(ctx, PREFIX, len(fresh))
    for number, row in enumerate(fresh, start=first):
        _event(ctx, row, codes.format_code(PREFIX, number), keys[row.ref], is_public=not drafts)
    imports.note(ctx, mapping, "events", batch, len(fresh))
    return len(fresh)


def _event(ctx: Context, row: EventRow, code: str, key: str, *, is_public: bool) -> None:
    plan = row.plan
    event = Event(
        code=code, kind=plan.kind, title="", is_public=is_public, changed_at=ctx.now, idempotency_key=key,
        starts_at=event_plan.starts_at(ctx, plan.day, plan.hour),
    )  # fmt: skip
    ctx.session.add(event)
    ctx.session.flush()
    event_plan.apply(ctx, event, plan)
    event.state = _state(row, event, ctx.now)
    event.cancelled_reason = row.cancelled
    registrations.ensure_books(ctx, event.id)
    event_plan.index(ctx, event)


def _state(row: EventRow, event: Event, now: datetime) -> EventState:
    if row.cancelled:
        return EventState.CANCELLED
    over = event.starts_at + timedelta(minutes=event.minutes) <= now
    return EventState.HELD if over else EventState.PLANNED
