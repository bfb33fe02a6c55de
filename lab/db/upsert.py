"""Adding to a counted row that may not exist yet, in one statement on both engines."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from lab.db.base import Base


def add_to(
    session: Session, table: Table, key: dict[str, Any], by: int = 1, *, counter: str = "count"
) -> int:
    """Add `by` to the column `counter` of the row named by the unique `key`, made if needed; the new count.

    Atomic: simultaneous callers each see their own addition counted once.
    """
    statement = _adding(session.get_bind().dialect.name, table, tuple(key), counter)
    return int(session.execute(statement, {**key, "added": by}).scalar_one())


@cache
def _adding(dialect_name: str, table: Table, key: tuple[str, ...], counter: str) -> Any:
    # Every limit is counted by it: put together once.
    dialect = postgresql if dialect_name == "postgresql" else sqlite
    added = bindparam("added", type_=table.c[counter].type)
    named = {name: bindparam(name, type_=table.c[name].type) for name in key}
    statement = dialect.insert(table).values({**named, counter: added})
    return statement.on_conflict_do_update(
        index_elements=list(key), set_={counter: table.c[counter] + added}
    ).returning(table.c[counter])


def insert_once(session: Session, model: type[Base], values: dict[str, Any]) -> bool:
    """Insert a row unless one with the same unique key is there; whether it was inserted.

    Simultaneous callers with the same key: exactly one hears True.
    """
    session.flush()
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    key = model.__mapper__.primary_key[0]
    # A returned row says it for sure: psycopg leaves the row count of such an insert at -1.
    statement = insert(model).values(values).on_conflict_do_nothing().returning(key)
    return session.execute(statement).first() is not None
