"""Meetings as calendar files (RFC 5545), made by the icalendar library: one, many, or to subscribe to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import icalendar

from lab.kernel.text import clean_line, clean_text
from lab.models.events import Event, EventState

#: How often a subscribed calendar asks again.
REFRESH = timedelta(hours=4)
_PRODUCT = "-//Laboratorio di quartiere//Incontri//IT"
#: The stamp of meetings older than stamps.
_EARLY = datetime(2026, 1, 1, tzinfo=UTC)
_TITLE, _WORDS = 250, 4000


@dataclass(frozen=True)
class Entry:
    """A meeting with what only its reader's side knows: its address and its place in words."""

    event: Event
    url: str
    place: str = ""
    #: Said below the description, for instance the door code of a ticket.
    note: str = ""
    #: Whether its reader waits for a place: the day stays free in their calendar.
    is_tentative: bool = False


def calendar_file(
    entries: Sequence[Entry], *, timezone: str, base_url: str, name: str = "", now: datetime | None = None
) -> bytes:
    """One calendar. With a `name` it is one to subscribe to.

    `base_url` gives the host in the UIDs: a meeting keeps its UID whatever else changes. `now` is the stamp
    where an event has none of its own; two files made of the same data are equal without it.
    """
    file = icalendar.Calendar()
    file.add("prodid", _PRODUCT)
    file.add("version", "2.0")
    file.add("calscale", "GREGORIAN")
    file.add("method", "PUBLISH")
    if name:
        file.add("name", clean_line(name, _TITLE))
        file.add("x-wr-calname", clean_line(name, _TITLE))
        file.add("x-wr-timezone", timezone)
        file.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
        file.add("x-published-ttl", REFRESH)
    zone, host = ZoneInfo(timezone), urlsplit(base_url).hostname or "localhost"
    for entry in entries:
        file.add_component(_event(entry, zone, host, now))
    if entries:
        # Whole years around what is there, so that the zone says the same for a meeting moved by months.
        years = [entry.event.starts_at.year for entry in entries]
        file.add_missing_timezones(
            first_date=date(min(years) - 1, 1, 1), last_date=date(max(years) + 2, 1, 1)
        )
    made: bytes = file.to_ical()
    return made


def _event(entry: Entry, zone: ZoneInfo, host: str, now: datetime | None) -> icalendar.Event:
    event = entry.event
    made = icalendar.Event()
    made.add("uid", f"{event.code}@{host}")
    made.add("dtstamp", event.changed_at or now or _EARLY)
    made.add("sequence", event.sequence)
    # By the wall clock of the place, with its zone: it stays at half past eight when the law moves summer.
    made.add("dtstart", event.starts_at.astimezone(zone))
    made.add("duration", timedelta(minutes=event.minutes))
    made.add("summary", clean_line(event.title, _TITLE))
    made.add("url", entry.url)
    where = ", ".join(part for part in (clean_line(event.place_note, _TITLE), entry.place) if part)
    if where:
        made.add("location", where)
    made.add("description", _words(entry))
    cancelled = event.state is EventState.CANCELLED
    made.add("status", "CANCELLED" if cancelled else "TENTATIVE" if entry.is_tentative else "CONFIRMED")
    made.add("transp", "TRANSPARENT" if cancelled or entry.is_tentative else "OPAQUE")
    if event.changed_at:
        made.add("last-modified", event.changed_at)
    return made


def _words(entry: Entry) -> str:
    event = entry.event
    parts = (event.cancelled_reason, event.purpose, event.text, event.access_note, entry.note, entry.url)
    return "\n\n".join(clean_text(part, _WORDS) for part in parts if part)
