"""Rows without a number of their version: what a page showed against what stands there now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import inspect

from lab.db.base import Base
from lab.kernel.errors import Conflict
from lab.kernel.ids import token_digest


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
