"""Amounts of money as people type them, into integer cents. No binary fractions anywhere."""

import re

#: The largest amount, in cents: a hundred thousand million euros.
MOST_CENTS = 10**13

# Thousands in groups of three by dot, space or apostrophe, or none at all; then a comma (or a dot that
# cannot be a group) and one or two decimals.
_AMOUNT = re.compile(r"(?P<whole>\d{1,3}(?:[. ']\d{3})+|\d{1,15})(?:[.,](?P<cents>\d{1,2}))?")


def parse_euro(text: str) -> int:
    """An amount such as 1.250.000,50 or 1250000 or € 1 200, in cents.

    Raises ValueError for anything else, signs included.
    """
    plain = text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2019", "'")
    plain = plain.replace("€", " ").strip()
    match = _AMOUNT.fullmatch(plain)
    if match is None or not plain.isascii():
        raise ValueError("not an amount of money")
    whole = int(re.sub(r"\D", "", match["whole"]))
    cents = whole * 100 + int((match["cents"] or "0").ljust(2, "0"))
    if cents > MOST_CENTS:
        raise ValueError("not an amount of money")
    return cents


def write_euro(cents: int) -> str:
    """Cents as a person types them, for editing: 1250000,50."""
    return f"{cents // 100},{cents % 100:02d}"
