"""Numbers from outside: no larger than what a column holds, so that a made-up one is simply not found."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

#: The largest number both engines store.
LARGEST = 2**63 - 1
#: So many digits are always below it.
_DIGITS = 18


class Number(IntegerConverter):
    """`<int:…>` with a bound; a rule may set a lower one."""

    def __init__(
        self, map: Map, fixed_digits: int = 0, min: int | None = None, max: int | None = None
    ) -> None:
        super().__init__(map, fixed_digits, min, LARGEST if max is None else max)


def whole(written: str | None) -> int | None:
    """The whole number a page carried, a key or a version; None for what is none of ours."""
    text = written or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None


def version_of(written: str | None) -> int:
    """The version a page was drawn with; what is none was not drawn by us and matches no version."""
    found = whole(written)
    return -1 if found is None else found


def init_app(app: Flask) -> None:
    """Use it for every `<int:…>` of routes added from now on."""
    app.url_map.converters["int"] = Number
