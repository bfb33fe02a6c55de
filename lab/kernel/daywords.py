"""Days as people say them: weekday and month in full, in any language."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from babel import Locale
from babel.dates import format_date

#: Where a language alone would give the dates of another continent.
_REGION = {"en": "en_GB"}


@lru_cache(maxsize=20_000)
def day_words(day: date, locale: str, *, with_year: bool) -> str:
    """mercoledì 23 dicembre, with the year if asked. Raises `babel.UnknownLocaleError`."""
    locale = _REGION.get(locale, locale)
    if with_year:
        return format_date(day, "full", locale=locale)
    return format_date(day, _pattern(locale), locale=locale)


@lru_cache(maxsize=64)
def _pattern(locale: str) -> str:
    # Asked for the long form without a year, Babel gives "mer 23 dic": the nearest pattern it has. Its order
    # and signs are right, so only the letters are made longer.
    short = str(Locale.parse(locale).datetime_skeletons["MMMEd"].pattern)
    return re.sub(r"M{3,}", "MMMM", re.sub(r"E+|c+", "EEEE", short))
