"""A PostgreSQL that neither answers nor closes anything: nobody waits for it, and it is found again."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from lab.db import pulse
from lab.db.engine import Database
from lab.kernel.errors import Unavailable
from tests.databases import PostgresqlFactory


class Freezer:
    """Stands between the application and the server, and passes nothing on while it is cold."""

    def __init__(self, server: str, folder: Path) -> None:
        self.server = server
        self.warm = threading.Event()
        self.warm.set()
        self.door = socket.socket(socket.AF_UNIX)
        self.door.bind(str(folder / ".s.PGSQL.5432"))
        self.door.listen(64)
        self.ends: list[socket.socket] = [self.door]
        threading.Thread(target=self._let_in, daemon=True).start()

    def _let_in(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self.door.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(self.server)
                self.ends += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while said := one.recv(65536):
                self.warm.wait()
                other.sendall(said)
            other.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.warm.set()
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def freezer(postgresql_factory: PostgresqlFactory) -> Iterator[Freezer]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # sockets want short paths
        made = Freezer(f"{postgresql_factory.folder}/.s.PGSQL.5432", Path(folder))
        yield made
        made.close()


@pytest.fixture
def database(
    freezer: Freezer, postgresql_factory: PostgresqlFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    # Longer than a busy machine takes for an answer; what was found out holds until a test says otherwise.
    monkeypatch.setattr(pulse, "PATIENCE", 1.0)
    monkeypatch.setattr(pulse, "_COUNTS", 3600)
    url = postgresql_factory.make()
    folder = Path(str(freezer.door.getsockname())).parent
    made = Database(url.replace(str(postgresql_factory.folder), str(folder)))
    yield made
    made.dispose()
    postgresql_factory.drop(url)


def _in_time(act: Callable[[], object]) -> object:
    """What an act gives or raises; a test that waited for ever would tell nothing."""
    seen: list[object] = []

    def run() -> None:
        try:
            seen.append(act())
        except Exception as error:
            seen.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(30)
    assert seen, "still waiting"
    return seen[0]


def _ask(database: Database) -> object:
    with database.session() as session:
        return session.execute(text("SELECT 1")).scalar_one()


def test_nobody_waits_for_a_server_that_stands_still_and_it_is_found_again(
    database: Database, freezer: Freezer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _ask(database) == 1
    assert database.glance.version()
    with database.session() as begun:
        assert begun.execute(text("SELECT 1")).scalar_one() == 1
        freezer.warm.clear()
        assert isinstance(_in_time(lambda: begun.execute(text("SELECT 1"))), OperationalError)
    # Who comes now is told at once, and nobody is kept by asking.
    monkeypatch.setattr(database.glance._pulse, "_ask", lambda: pytest.fail("asked again at once"))
    assert isinstance(_in_time(lambda: _ask(database)), Unavailable)
    assert _in_time(database.glance.version) is None
    monkeypatch.undo()
    freezer.warm.set()
    monkeypatch.setattr(pulse, "_COUNTS", 0)
    assert _in_time(lambda: _ask(database)) == 1
    assert _in_time(database.glance.version)


def test_the_quick_question_of_every_request_does_not_wait_either(
    database: Database, freezer: Freezer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody_answers() -> None:
        raise psycopg.errors.ConnectionTimeout

    monkeypatch.setattr(database.glance._pulse, "_ask", nobody_answers)
    assert database.glance.version()
    freezer.warm.clear()
    assert _in_time(database.glance.version) is None


def test_who_waits_for_a_slow_statement_gets_its_answer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is asked meanwhile, and is there."""
    monkeypatch.setattr(pulse, "PATIENCE", 0.2)
    with database.session() as session:
        assert session.execute(text("SELECT 1 FROM pg_sleep(0.5)")).scalar_one() == 1


def test_one_at_a_time_asks_whether_the_server_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Event(), threading.Event()

    def ask() -> None:
        begun.set()
        go.wait(30)

    heart = pulse.Pulse(ask)
    heart.lost()
    with pytest.raises(Unavailable):
        heart.check()
    assert not begun.is_set()
    monkeypatch.setattr(pulse, "_COUNTS", 0)
    first = threading.Thread(target=heart.check)
    first.start()
    assert begun.wait(30)
    with pytest.raises(Unavailable):
        heart.check()
    go.set()
    first.join(30)
    heart.check()
    assert not heart.is_gone
