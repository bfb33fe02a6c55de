"""What nearly every request asks: sent on one kept connection of each thread, without a session.

A session, its transaction and the pool cost several times what such a question does. Nothing is begun here:
each question sees what is committed at that moment, in whichever process.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakSet, finalize

from sqlalchemy import Connection, Engine, Row, Select

from lab.db.pulse import Pulse

#: An execution option: on such a connection no transaction is begun.
GLANCE = "lab_glance"
_VERSION = "SELECT version FROM content_version WHERE id = 1"
_PREPARED = b"lab_version"


class _Line:
    """The kept connection of one thread; closed when the thread ends, or when it is of no more use."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.ask: Callable[[], int] | None = None
        self.end = finalize(self, _end, connection)
        self.end.atexit = False


class Glance:
    """Answers are None when the database does not give one; the caller then goes the long way round, where
    the failure is told properly.
    """

    def __init__(self, engine: Engine, pulse: Pulse | None = None) -> None:
        # PostgreSQL alone is told: SQLite begins nothing that our own "begin" event does not say.
        plain = {} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        self._pulse = pulse
        self._engine = engine.execution_options(**{GLANCE: True}, **plain)
        self._local = threading.local()
        # Weak: some servers give each request a thread of its own, whose line goes with it.
        self._open: WeakSet[_Line] = WeakSet()

    def version(self) -> int | None:
        """The public content version now, as cheaply as the driver allows."""
        try:
            line = self._line()
            if line.ask is None:
                line.ask = self._asker(line.connection)
            return line.ask()
        except Exception:  # whatever the driver raises, the connection is of no more use
            self._drop()
            return None

    def _asker(self, connection: Connection) -> Callable[[], int]:
        driver: Any = connection.connection.dbapi_connection
        if self._engine.dialect.name == "sqlite":
            cursor = driver.cursor()
            return lambda: int(cursor.execute(_VERSION).fetchone()[0])
        ask: Callable[[], int] = driver.prepare_number(_PREPARED, _VERSION)
        return ask

    def rows(
        self, statement: Select[*tuple[Any, ...]], values: Mapping[str, Any]
    ) -> Sequence[Row[*tuple[Any, ...]]] | None:
        """All rows of a statement that only reads."""
        try:
            return self._line().connection.execute(statement, values).all()
        except Exception:  # as above
            self._drop()
            return None

    def _line(self) -> _Line:
        if self._pulse is not None:
            self._pulse.check()
        found: _Line | None = getattr(self._local, "line", None)
        if found is None:
            connection = self._engine.connect()
            connection.detach()
            found = self._local.line = _Line(connection)
            self._open.add(found)
        return found

    def _drop(self) -> None:
        found: _Line | None = getattr(self._local, "line", None)
        self._local.line = None
        if found is not None:
            self._open.discard(found)
            found.end()

    def close(self) -> None:
        """Close what every thread has kept open."""
        for line in list(self._open):
            line.end()
        self._open.clear()
        self._local = threading.local()


def _end(connection: Connection) -> None:
    # The driver's own connection, at once: a rollback would be said over a line that may hang.
    with contextlib.suppress(Exception):
        driver: Any = connection.connection.dbapi_connection
        driver.close()
        connection.invalidate()
