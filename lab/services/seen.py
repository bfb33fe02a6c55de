"""Rows without a number of their version: what a page showed or made against what stands there now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import inspect

from lab.db.base import Base
from lab.kernel.errors import Conflict, Invalid
from lab.kernel.ids import token_digest
from lab.kernel.text import fold

Row = TypeVar("Row", bound=Base)


def fingerprint(row: Base | None) -> str:
    """What a row holds, in a few letters: two people editing it at once are told apart by it."""
    if row is None:
        return ""
    values = [str(getattr(row, column.key)) for column in inspect(type(row)).column_attrs]
    return token_digest("\x1f".join(values))[:16]


@contextmanager
def changing(row: Base | None, shown: str) -> Iterator[None]:
    """Around what is written into a locked row: `shown` is what its page was drawn with.

    Raises `Conflict("changed_meanwhile")` when the row was another by then. Sending once more what stands
    there already is no conflict.
    """
    before = fingerprint(row)
    yield
    if before != shown and (row is None or fingerprint(row) != before):
        raise Conflict("changed_meanwhile")


def made_already(rows: Iterable[Row], name: str, values: dict[str, Any]) -> Row | None:
    """The one of `rows` that holds all of `values`: the second of two clicks makes no second one.

    `name` is the column people tell them apart by, accents and capitals aside: raises
    `Invalid(name, "name_taken")` where one of that name holds something else. The caller keeps others from
    making one meanwhile.
    """
    namesakes = [row for row in rows if fold(getattr(row, name)) == fold(values[name])]
    for row in namesakes:
        if all(getattr(row, key) == value for key, value in values.items()):
            return row
    if namesakes:
        raise Invalid(name, "name_taken")
    return None
