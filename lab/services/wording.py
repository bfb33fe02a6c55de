"""Words as they are kept: clean, there where they are needed, and refused when too long, never cut."""

from __future__ import annotations

from lab.kernel.errors import Invalid
from lab.kernel.text import clean_line, clean_text


def line(field: str, words: str, limit: int, *, needed: bool = False) -> str:
    """One clean line of at most `limit` characters. Raises `Invalid(field, "required" | "too_long")`."""
    return _within(field, clean_line(words, limit + 1), limit, needed)


def text(field: str, words: str, limit: int, *, needed: bool = False) -> str:
    """Clean paragraphs of at most `limit` characters. Raises `Invalid(field, "required" | "too_long")`."""
    return _within(field, clean_text(words, limit + 1), limit, needed)


def _within(field: str, cleaned: str, limit: int, needed: bool) -> str:
    if needed and not cleaned:
        raise Invalid(field, "required")
    if len(cleaned) > limit:
        raise Invalid(field, "too_long")
    return cleaned
