"""Days and hours of meetings: the clock that jumps, months drawn, series, calendar files read back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.kernel.clock import local_instant
from lab.models.events import Event, EventKind, EventState
from lab.services.event_calendar import Entry, calendar_file
from lab.services.event_documents import looks_like_pdf
from lab.services.event_plan import Point
from lab.services.event_series import Rhythm, days_after
from lab.web import month
from lab.web.forms.events import read_agenda, write_agenda

ROME = "Europe/Rome"
DAYS = st.dates(date(2021, 1, 1), date(2049, 12, 31))
HOURS = st.times().map(lambda at: at.replace(second=0, microsecond=0))


@given(DAYS, HOURS)
def test_an_hour_is_kept_as_written_or_refused(day: date, hour: time) -> None:
    wall = datetime.combine(day, hour)
    try:
        instant = local_instant(day, hour, ROME)
    except ValueError:
        # only in the night in which the clocks go forward, and only in the hour they jump over
        assert (day.month, hour.hour) == (3, 2)
        assert day.weekday() == 6
        return
    assert instant.tzinfo is UTC
    assert instant.astimezone(ZoneInfo(ROME)).replace(tzinfo=None) == wall


def test_the_hour_that_comes_twice_is_the_first_of_the_two() -> None:
    assert local_instant(date(2026, 10, 25), time(2, 30), ROME) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="does not exist"):
        local_instant(date(2027, 3, 28), time(2, 30), ROME)


def meeting(**changes: object) -> Event:
    fields = {
        "code": "EV90", "kind": EventKind.ASSEMBLY, "title": "Assemblea", "text": "", "purpose": "",
        "minutes": 90, "state": EventState.PLANNED, "sequence": 0, "place_note": "", "access_note": "",
        "cancelled_reason": "", "changed_at": None,
        "starts_at": datetime(2026, 11, 26, 19, 45, tzinfo=UTC), **changes,
    }  # fmt: skip
    return Event(**fields)


def read_back(*events: Event, name: str = "") -> icalendar.Calendar:
    entries = [Entry(event, f"https://lab.example.org/eventi/{event.code}", "Parco") for event in events]
    file = calendar_file(entries, timezone=ROME, base_url="https://lab.example.org", name=name)
    return icalendar.Calendar.from_ical(file)


@settings(max_examples=30)
@given(DAYS, HOURS, st.integers(5, 4320))
def test_a_calendar_shows_the_hour_on_the_wall(day: date, hour: time, minutes: int) -> None:
    try:
        starts_at = local_instant(day, hour, ROME)
    except ValueError:
        return
    calendar = read_back(meeting(starts_at=starts_at, minutes=minutes))
    (event,) = calendar.walk("VEVENT")
    assert event["dtstart"].params["TZID"] == ROME
    assert event["dtstart"].dt.replace(tzinfo=None) == datetime.combine(day, hour)
    assert event["duration"].dt == timedelta(minutes=minutes)
    # the zone in the file says the same as the one on this machine
    (zone,) = calendar.walk("VTIMEZONE")
    told = zone.to_tz(lookup_tzid=False)
    wall = datetime.combine(day, hour)
    if (day.month, day.weekday()) not in ((3, 6), (10, 6)):
        assert wall.replace(tzinfo=told).utcoffset() == wall.replace(tzinfo=ZoneInfo(ROME)).utcoffset()


def test_no_text_of_ours_can_write_lines_into_a_calendar_file() -> None:
    hostile = "Festa\r\nATTENDEE:mailto:x@example.org\nBEGIN:VALARM\u2028X:1;TZID=a\\n,"
    event = meeting(title=hostile, text=hostile, place_note=hostile, cancelled_reason=hostile)
    (found,) = read_back(event, name=hostile).walk("VEVENT")
    assert not found.walk("VALARM")
    assert {"ATTENDEE", "X", "TZID"}.isdisjoint(found.keys())


def test_a_cancelled_meeting_says_so_and_keeps_its_name() -> None:
    before, after = meeting(), meeting(state=EventState.CANCELLED, sequence=3, cancelled_reason="Piove")
    (first,), (second,) = read_back(before).walk("VEVENT"), read_back(after).walk("VEVENT")
    assert first["uid"] == second["uid"] == "EV90@lab.example.org"
    assert (first["status"], second["status"]) == ("CONFIRMED", "CANCELLED")
    assert (first["sequence"], second["sequence"]) == (0, 3)
    assert "Piove" in second["description"]


def test_a_subscribed_calendar_asks_again_and_an_empty_one_is_a_calendar() -> None:
    calendar = read_back(meeting(), meeting(code="EV91"), name="Incontri")
    assert calendar["refresh-interval"].params["VALUE"] == "DURATION"
    assert len(calendar.walk("VTIMEZONE")) == 1
    assert read_back(name="Incontri").walk("VEVENT") == []


@given(DAYS, st.sampled_from(Rhythm), st.integers(1, 30))
def test_a_series_keeps_its_weekday_and_its_order(first: date, rhythm: Rhythm, times: int) -> None:
    days = days_after(first, rhythm, times)
    assert len(days) == times
    assert all(day.weekday() == first.weekday() for day in days)
    assert [first, *days] == sorted({first, *days})
    if rhythm is Rhythm.MONTHLY:
        months = [day.year * 12 + day.month for day in [first, *days]]
        assert months == list(range(months[0], months[0] + times + 1))


@given(DAYS)
def test_a_month_has_each_of_its_days_once_in_weeks_of_seven(day: date) -> None:
    first = day.replace(day=1)
    weeks = month.weeks(first, [(day, "x")])
    inside = [cell.day for week in weeks for cell in week if cell.inside]
    assert inside == [first + timedelta(days=n) for n in range(len(inside))]
    assert inside[-1] + timedelta(days=1) == month.after(first)
    assert {len(week) for week in weeks} == {7}
    assert [cell.day for week in weeks for cell in week if cell.events] == [day]


@pytest.mark.parametrize("written", ["2026-13", "1999-01", "2051-01", "2026-1", "x", "2026-01-01", "٢٠٢٦-٠١"])
def test_a_month_that_makes_no_sense_is_none(written: str) -> None:
    assert month.parse(written, date(2026, 11, 23)) is None


def test_an_agenda_is_read_as_people_write_it() -> None:
    points = read_agenda("Benvenuto, 10\n\nDomande 40 minuti\n I lavori del 2026 \nChi fa che cosa: 5'")
    assert points == (
        Point("Benvenuto", 10), Point("Domande", 40), Point("I lavori del 2026", 10),
        Point("Chi fa che cosa", 5),
    )  # fmt: skip
    assert read_agenda(write_agenda(points)) == points


def test_only_a_pdf_looks_like_one() -> None:
    assert looks_like_pdf(b"%PDF-1.7\n...\n%%EOF\n")
    for other in (b"", b"%PDF-1.7 cut short", b"<html>%%EOF", b"MZ" + b"x" * 2000 + b"%PDF-%%EOF"):
        assert not looks_like_pdf(other)
