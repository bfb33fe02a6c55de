"""Another program holds the file of SQLite: one writer waits for it, others are told, readers read on."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from sqlalchemy import text

from lab.db import turn
from lab.db.engine import Database
from lab.kernel.errors import Unavailable
from tests.databases import SqliteFactory


def test_one_writer_waits_for_another_program_and_nobody_else_does(
    sqlite_factory: SqliteFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = sqlite_factory.make()
    database = Database(url)
    begun, written = threading.Event(), []

    class Told(turn.Turn):
        def take(self) -> None:
            super().take()
            begun.set()

    monkeypatch.setattr(database, "_turn", Told())

    def write() -> None:
        with database.writing() as session:
            session.execute(text("UPDATE content_version SET version = version + 1"))
            written.append(True)

    monkeypatch.setattr(turn, "_STUCK", 0.0)
    monkeypatch.setattr(turn, "_LOOK", 0.01)
    # Were this one told only at the end of its patience, the test would be too.
    monkeypatch.setattr(turn, "WRITE_WAIT", 3600.0)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    first = threading.Thread(target=write)
    first.start()
    assert begun.wait(30)
    with pytest.raises(Unavailable), database.writing():
        pass
    with database.session() as session:
        assert session.execute(text("SELECT version FROM content_version")).scalar_one()
    other.execute("ROLLBACK")
    other.close()
    first.join(30)
    write()
    assert written == [True, True]
    database.dispose()
    sqlite_factory.drop(url)
