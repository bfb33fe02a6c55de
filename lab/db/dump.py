"""All rows out of one database and into another, on either engine, while the first is in use."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, select, text, update

from lab.db.base import Base
from lab.db.types import UtcDateTime

BATCH = 500


def tables() -> list[Table]:
    """Every table, parents before children."""
    return list(Base.metadata.sorted_tables)


def snapshot(engine: Engine) -> Connection:
    """A connection that sees one moment of the database until it is closed."""
    connection = engine.connect()
    if engine.dialect.name == "postgresql":
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    connection.begin()
    return connection


def lines(connection: Connection, table: Table) -> Iterator[str]:
    """Each row of a table as one line of JSON, in key order, streamed."""
    columns = [column.name for column in table.columns]
    query = select(table).order_by(*table.primary_key.columns)
    for row in connection.execution_options(stream_results=True, max_row_buffer=1000).execute(query):
        yield json.dumps(dict(zip(columns, row, strict=True)), default=_plain, ensure_ascii=False)


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written")


def load(connection: Connection, table: Table, rows: Iterable[str]) -> int:
    """Insert the lines of one table; how many. References of a table to itself are set at the end."""
    inward = [
        key.parent.name for key in table.foreign_keys if key.column.table is table and key.parent.nullable
    ]
    pending: list[dict[str, Any]] = []
    count = 0
    stream = iter(rows)
    while chunk := [_typed(table, json.loads(line)) for line in islice(stream, BATCH)]:
        for row in chunk:
            held = {name: row[name] for name in inward if row[name] is not None}
            if held:
                pending.append({"id": row["id"], **held})
                row.update(dict.fromkeys(held))
        connection.execute(insert(table), chunk)
        count += len(chunk)
    for row in pending:
        identity = row.pop("id")
        connection.execute(update(table).where(table.c.id == identity).values(**row))
    return count


def _typed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    for column in table.columns:
        value = row.get(column.name)
        if isinstance(value, str):
            if isinstance(column.type, UtcDateTime):
                row[column.name] = datetime.fromisoformat(value)
            elif column.type.python_type is date:
                row[column.name] = date.fromisoformat(value)
    return row


def is_empty(connection: Connection) -> bool:
    """Whether no table but the content version holds a row."""
    return all(
        connection.execute(select(table).limit(1)).first() is None
        for table in tables()
        if table.name != "content_version"
    )


def empty(connection: Connection, table: Table) -> None:
    """Remove the one row that a migration has put into a table."""
    connection.execute(table.delete())


def settle_sequences(connection: Connection) -> None:
    """After rows came in with their ids: the next id comes after the highest (PostgreSQL keeps a counter)."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables():
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": table.name, "column": column.name},
        ).scalar()
        highest = connection.execute(select(func.max(column))).scalar()
        if sequence and highest:
            connection.execute(text("SELECT setval(:name, :value)"), {"name": sequence, "value": highest})
