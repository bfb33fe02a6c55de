"""The quick questions of every request: always the newest answer, never an error."""

from __future__ import annotations

import gc
import sqlite3
import threading
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text

from lab.db.engine import Database
from lab.db.version import content_version, mark_public_change

DBAPI_CLOSED = (sqlite3.ProgrammingError, psycopg.OperationalError)
VERSION = select(content_version.c.version)


def _move(database: Database) -> None:
    with database.writing() as session:
        mark_public_change(session)


def test_each_question_sees_what_was_just_committed(database: Database) -> None:
    before = database.glance.version()
    assert before is not None
    for step in (1, 2):
        _move(database)
        rows = database.glance.rows(VERSION, {})
        assert rows is not None
        assert [row.version for row in rows] == [before + step]
        assert database.glance.version() == before + step


def test_whoever_writes_never_waits_for_a_question(database: Database) -> None:
    """Nothing stays begun: on SQLite a reader who never ends would keep the log from being folded in."""
    assert database.glance.rows(VERSION, {})
    if database.is_sqlite:
        with database.engine.connect() as connection:
            assert connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0] == 0
    else:
        with database.session() as session:
            idle = text(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
            )
            assert session.execute(idle).scalar_one() == 0


def test_a_broken_line_is_no_answer_and_the_next_question_has_one(database: Database) -> None:
    for question in (database.glance.version, lambda: database.glance.rows(VERSION, {})):
        assert question()
        database.glance._line().connection.connection.dbapi_connection.close()  # type: ignore[union-attr]
        assert question() is None
        assert question()


def test_each_thread_asks_on_a_line_of_its_own_and_all_are_closed(database: Database) -> None:
    seen: list[int | None] = []
    asked, closed = threading.Barrier(5, timeout=30), threading.Event()

    def ask() -> None:
        seen.append(database.glance.version())
        asked.wait()
        closed.wait(30)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    asked.wait()
    assert seen == [database.glance.version()] * 4
    lines = [line.connection.connection.dbapi_connection for line in database.glance._open]
    assert len(lines) == 5
    database.glance.close()
    assert not database.glance._open
    closed.set()
    for thread in threads:
        thread.join()
    if not database.is_sqlite:
        assert all(line.closed for line in lines)  # type: ignore[union-attr]


def test_a_thread_that_ends_leaves_no_line_open(database: Database) -> None:
    lines: list[Any] = []

    def ask() -> None:
        assert database.glance.version()
        assert database.glance.rows(VERSION, {})
        lines.extend(line.connection.connection.dbapi_connection for line in database.glance._open)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    gc.collect()
    assert not database.glance._open
    with pytest.raises(DBAPI_CLOSED):
        lines[0].execute("SELECT 1")
