"""A month as a calendar draws it: weeks of seven days, and the months beside it."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from babel.dates import get_day_names

from lab.web.i18n import language

#: Nobody plans outside these years, and a robot that follows "next month" comes to an end.
FIRST_YEAR, LAST_YEAR = 2020, 2050
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


@dataclass
class Day:
    """A day with what happens on it; `inside` is false for those of the months beside."""

    day: date
    inside: bool
    events: list[Any] = field(default_factory=list)


def parse(written: str | None, today: date) -> date | None:
    """The first day of a month written as 2026-12; this month for none; None when it makes no sense."""
    if not written:
        return today.replace(day=1)
    found = _MONTH.fullmatch(written)
    if not found:
        return None
    year, month = int(found[1]), int(found[2])
    return date(year, month, 1) if FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12 else None


def beside(first: date, by: int) -> date | None:
    """The first day of the month so many months away; None outside the years that have a page."""
    year, month = divmod(first.year * 12 + first.month - 1 + by, 12)
    return date(year, month + 1, 1) if FIRST_YEAR <= year <= LAST_YEAR else None


def after(first: date) -> date:
    """The first day after this month."""
    year, month = divmod(first.year * 12 + first.month, 12)
    return date(year, month + 1, 1)


def weeks(first: date, events: list[tuple[date, Any]]) -> list[list[Day]]:
    """The weeks of the month, each from Monday to Sunday, with what is on each day."""
    by_day: dict[date, list[Any]] = {}
    for day, event in events:
        by_day.setdefault(day, []).append(event)
    grid = calendar.Calendar().monthdatescalendar(first.year, first.month)
    return [[Day(day, day.month == first.month, by_day.get(day, [])) for day in week] for week in grid]


def weekdays() -> list[tuple[str, str]]:
    """The seven days from Monday, short and long, in the reader's language."""
    short = get_day_names("abbreviated", locale=language())
    long = get_day_names("wide", locale=language())
    return [(short[day], long[day]) for day in range(7)]


def code(first: date) -> str:
    """A month as it stands in addresses."""
    return f"{first.year:04d}-{first.month:02d}"
