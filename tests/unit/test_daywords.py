"""Days are written out, not shortened."""

from datetime import date

import pytest

from lab.kernel.daywords import day_words
from lab.kernel.locales import SUPPORTED

DAY = date(2026, 12, 23)


@pytest.mark.parametrize(
    ("locale", "words", "with_year"),
    [
        ("it", "mercoledì 23 dicembre", "mercoledì 23 dicembre 2026"),
        ("en", "Wednesday 23 December", "Wednesday, 23 December 2026"),
        ("de", "Mittwoch, 23. Dezember", "Mittwoch, 23. Dezember 2026"),
        ("ar", "الأربعاء، 23 ديسمبر", "الأربعاء، 23 ديسمبر 2026"),
    ],
)
def test_a_day_has_its_whole_name(locale: str, words: str, with_year: str) -> None:
    assert day_words(DAY, locale, with_year=False) == words
    assert day_words(DAY, locale, with_year=True) == with_year


@pytest.mark.parametrize("locale", sorted(SUPPORTED))
def test_every_language_of_ours_can_say_a_day(locale: str) -> None:
    assert day_words(DAY, locale, with_year=False)
