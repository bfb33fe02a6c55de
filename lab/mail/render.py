"""A mail is three files: templates/emails/<tag>/subject.txt, body.txt, body.html.

They are rendered in the recipient's language outside any request; values are looked up by `lab.mail.post`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, get_day_names
from babel.support import NullTranslations, Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from lab.kernel.daywords import day_words
from lab.kernel.ids import format_receipt_code
from lab.kernel.locales import direction
from lab.kernel.text import clean_line
from lab.mail import links, sentences
from lab.services.site import Profile
from lab.services.telling import Told
from lab.settings import Settings, resource_dir

#: Longest subject, in characters.
SUBJECT = 120


@dataclass(frozen=True)
class Words:
    """The three parts of a mail as its reader gets them."""

    subject: str
    text: str
    html: str


def render(
    settings: Settings, profile: Profile, tag: str, locale: str, now: datetime, values: Mapping[str, Any]
) -> Words:
    """The words of a mail in a language; a language that is not enabled falls back to the first one.

    Raises `jinja2.TemplateNotFound` for an unknown tag and `jinja2.UndefinedError` for a missing value.
    """
    code = locale if locale in settings.locales else settings.default_locale
    context = {
        "site": profile,
        "hours": opening_hours(profile, code),
        "base_url": settings.base_url,
        "links": links,
        "lang": code,
        "dir": direction(code),
        "day": _day_words(settings.timezone, code, now),
        "sentence": _sentences(settings.timezone, code, now),
        "clock": _clock(settings.timezone, code),
        **values,
    }
    subject, text, html = (
        _environment(code, part.endswith(".html")).get_template(f"emails/{tag}/{part}").render(context)
        for part in ("subject.txt", "body.txt", "body.html")
    )
    return Words(clean_line(subject, SUBJECT), _tidy(text), html.strip() + "\n")


def opening_hours(profile: Profile, locale: str) -> list[str]:
    """One line for each opening time: "martedì, dalle 15:00 alle 18:00"."""
    gettext = translations(locale).gettext
    names = get_day_names(locale=locale)
    return [
        gettext("%(day)s, dalle %(opens)s alle %(closes)s")
        % {"day": names[line.day], "opens": line.opens, "closes": line.closes}
        for line in profile.opening_times
    ]


@lru_cache(maxsize=16)
def translations(locale: str) -> NullTranslations:
    """The catalogue of a language; Italian stands in the code and has none."""
    return Translations.load(str(resource_dir("translations")), [locale])


@lru_cache(maxsize=32)
def _environment(locale: str, html: bool) -> Environment:
    # In plain text every line end counts, also the one after a tag.
    environment = Environment(
        loader=FileSystemLoader(str(resource_dir("templates"))),
        autoescape=select_autoescape(("html",), default_for_string=False),
        extensions=["jinja2.ext.i18n"],
        trim_blocks=html,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.policies["ext.i18n.trimmed"] = True
    catalogue = translations(locale)
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        catalogue.gettext, catalogue.ngettext, newstyle=True
    )
    ltr = _isolated if direction(locale) == "rtl" and not html else str
    environment.filters["ltr"] = ltr
    environment.filters["receipt"] = lambda code: ltr(format_receipt_code(code))
    return environment


def _isolated(text: str) -> str:
    # Plain text has no markup to say it: two groups of digits would change places in a line of Arabic.
    return f"\N{LEFT-TO-RIGHT ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def _day_words(timezone: str, locale: str, now: datetime) -> Callable[[date], str]:
    zone = ZoneInfo(timezone)

    def words(value: date) -> str:
        day = value.astimezone(zone).date() if isinstance(value, datetime) else value
        return day_words(day, locale, with_year=day.year != now.astimezone(zone).year)

    return words


def _clock(timezone: str, locale: str) -> Callable[[datetime], str]:
    """The hour where the neighbourhood is: 18:30."""
    zone = ZoneInfo(timezone)
    return lambda value: format_datetime(value.astimezone(zone), "HH:mm", locale=locale)


def _sentences(timezone: str, locale: str, now: datetime) -> Callable[[Told], str]:
    gettext = translations(locale).gettext
    day = _day_words(timezone, locale, now)
    return lambda told: sentences.sentence(told, gettext, day)


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for n, line in enumerate(lines) if line or (n and lines[n - 1])]
    return "\n".join(kept) + "\n"
