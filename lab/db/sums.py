"""Kept sums: noted while a transaction works, added up and written in one statement right before it commits.

Rows in which many transactions count are so held for one fsync only, and always taken in the same order:
two acts that move things in opposite directions cannot wait for each other.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, SessionTransaction

_NOTED = "lab.sums"
_MARKS = "lab.sums.marks"
#: Rows in one statement; engines bound the number of values.
_AT_ONCE = 500
_Key = tuple[tuple[str, Any], ...]


def add(session: Session, table: Table, key: dict[str, Any], by: int) -> None:
    """Have `by` added to `count` of the row named by the unique `key` when this transaction commits."""
    session.info.setdefault(_NOTED, []).append((table, tuple(key.items()), by))


def settle(session: Session) -> None:
    """Write what was noted. Called right before the commit."""
    sums: Counter[tuple[Table, _Key]] = Counter()
    for table, key, by in session.info.pop(_NOTED, ()):
        sums[table, key] += by
    for table in sorted({table for table, _ in sums}, key=lambda one: one.name):
        rows = [(key, by) for (of, key), by in sums.items() if of is table and by]
        ordered = iter(sorted(rows, key=lambda row: [str(value) for _, value in row[0]]))
        while chunk := list(islice(ordered, _AT_ONCE)):
            _write(session, table, chunk)


def _write(session: Session, table: Table, rows: list[tuple[_Key, int]]) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values([{**dict(key), "count": by} for key, by in rows])
    added = table.c["count"] + statement.excluded["count"]
    unique = [name for name, _ in rows[0][0]]
    session.execute(statement.on_conflict_do_update(index_elements=unique, set_={"count": added}))


def forget(session: Session) -> None:
    """After a rollback nothing is to be added."""
    session.info.pop(_NOTED, None)


@event.listens_for(Session, "after_transaction_create")
def _mark(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        marks = session.info.setdefault(_MARKS, WeakKeyDictionary())
        marks[transaction] = len(session.info.get(_NOTED, ()))


@event.listens_for(Session, "after_soft_rollback")
def _back_to_mark(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        del session.info.get(_NOTED, [])[session.info[_MARKS][transaction] :]
