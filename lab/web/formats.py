"""How dates, numbers and money are written for people. Kept once made: Babel is slow, days are few."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import format_currency, format_decimal
from flask import Flask
from markupsafe import Markup

from lab.kernel import html, text
from lab.kernel.daywords import day_words
from lab.web.app_state import lab
from lab.web.i18n import language


def _local(value: datetime | date) -> datetime | date:
    if isinstance(value, datetime):
        return value.astimezone(ZoneInfo(lab().settings.timezone))
    return value


def _day(value: datetime | date) -> date:
    local = _local(value)
    return local.date() if isinstance(local, datetime) else local


def date_words(value: datetime | date | None) -> str:
    """giovedì 12 dicembre, with the year unless it is this one."""
    if value is None:
        return ""
    day = _day(value)
    return day_words(day, language(), with_year=day.year != _day(lab().clock.now()).year)


@lru_cache(maxsize=20_000)
def _time_words(value: datetime, locale: str) -> str:
    return format_datetime(value, "H:mm" if locale != "en" else "HH:mm", locale=locale)


def datetime_words(value: datetime | None) -> str:
    """giovedì 12 dicembre, 17:30, in the neighbourhood's time."""
    if value is None:
        return ""
    local = _local(value)
    assert isinstance(local, datetime)
    comma = "،" if language() == "ar" else ","
    return f"{date_words(value)}{comma} {_time_words(local, language())}"


def time_words(value: datetime | None) -> str:
    """17:30, in the neighbourhood's time."""
    if value is None:
        return ""
    local = _local(value)
    assert isinstance(local, datetime)
    return _time_words(local, language())


@lru_cache(maxsize=20_000)
def _short(day: date, locale: str) -> str:
    return format_date(day, "d MMM y", locale=locale)


def day_short(value: datetime | date | None) -> str:
    """12 dic 2026."""
    return "" if value is None else _short(_day(value), language())


@lru_cache(maxsize=5_000)
def _month(day: date, locale: str) -> str:
    return format_skeleton("yMMMM", day, locale=locale)


@dataclass(frozen=True)
class DayParts:
    """A day torn off a calendar: gio, 12, dic."""

    weekday: str
    day: str
    month: str


@lru_cache(maxsize=5_000)
def _parts(day: date, locale: str) -> DayParts:
    return DayParts(*(format_date(day, part, locale=locale) for part in ("EEE", "d", "MMM")))


def day_parts(value: datetime | date) -> DayParts:
    """The three words of a calendar leaf, in the neighbourhood's time."""
    return _parts(_day(value), language())


def month_words(value: date) -> str:
    """dicembre 2026."""
    return _month(value, language())


def iso(value: datetime | date) -> str:
    """For the datetime attribute of <time>."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="minutes")
    return value.isoformat()


def money(cents: int | None) -> str:
    """An amount in cents as euros; the cents only where there are some."""
    if cents is None:
        return ""
    pattern = "#,##0.00 ¤" if cents % 100 else "#,##0 ¤"
    return format_currency(
        Decimal(cents) / 100, "EUR", format=pattern, locale=language(), currency_digits=False
    )


def number(value: float) -> str:
    """A number with the separators of the language."""
    return format_decimal(value, locale=language())


@lru_cache(maxsize=2_000)
def _people(words: str) -> Markup:
    return Markup(html.render_people_text(words))  # noqa: S704  # cleaned by the one sanitiser


def people_text(words: str | None) -> Markup:
    """What somebody wrote, cleaned, as paragraphs."""
    return _people(words or "")


@lru_cache(maxsize=500)
def _staff(words: str) -> Markup:
    return Markup(html.render_markdown(words))  # noqa: S704  # cleaned by the one sanitiser


def staff_text(words: str | None) -> Markup:
    """What staff wrote in Markdown, cleaned."""
    return _staff(words or "")


def init_app(app: Flask) -> None:
    """Give the filters to the templates."""
    app.jinja_env.filters.update(
        date_words=date_words,
        datetime_words=datetime_words,
        time_words=time_words,
        day=day_short,
        day_parts=day_parts,
        month_words=month_words,
        iso=iso,
        money=money,
        number=number,
        people_text=people_text,
        staff_text=staff_text,
        excerpt=text.excerpt,
    )
