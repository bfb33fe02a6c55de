"""Money is typed in many ways and counted in one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.kernel.money import MOST_CENTS, parse_euro, write_euro


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("1.250.000", 125_000_000),
        ("1.250.000,5", 125_000_050),
        ("980,50", 98_050),
        ("12.50", 1_250),
        ("€ 1 200", 120_000),
        ("1\u00a0200,00 €", 120_000),
        ("1'200", 120_000),
        ("0", 0),
        ("007", 700),
    ],
)
def test_amounts_as_people_type_them(typed: str, cents: int) -> None:
    assert parse_euro(typed) == cents


@pytest.mark.parametrize(
    "typed",
    ["", "-3", "+3", "1e9", "1.25.000", "12,345", "dieci", "1,2,3", "NaN", "1" * 40, "٣", "9" * 15, "1.2500"],
)
def test_anything_else_is_refused_instead_of_guessed(typed: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        parse_euro(typed)


@given(st.integers(0, MOST_CENTS))
def test_what_is_shown_for_editing_reads_back_as_the_same(cents: int) -> None:
    assert parse_euro(write_euro(cents)) == cents
