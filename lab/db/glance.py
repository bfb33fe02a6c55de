"""What nearly every request asks: sent on one kept connection of each thread, without a session.

A session, its transaction and the pool cost several times what such a question does. Nothing is begun here:
each question sees what is committed at that moment, in whichever process.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select

#: An execution option: on such a connection no transaction is begun.
GLANCE = "lab_glance"
_VERSION = "SELECT version FROM content_version WHERE id = 1"
_PREPARED = b"lab_version"


class Glance:
    """Answers are None when the database does not give one; the caller then goes the long way round, where
    the failure is told properly.
    """

    def __init__(self, engine: Engine) -> None:
        # PostgreSQL alone is told: SQLite begins nothing that our own "begin" event does not say.
        plain = {} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        self._engine = engine.execution_options(**{GLANCE: True}, **plain)
        self._local = threading.local()
        self._open: set[Connection] = set()

    def version(self) -> int | None:
        """The public content version now, as cheaply as the driver allows."""
        try:
            ask: Callable[[], int] | None = getattr(self._local, "ask", None)
            if ask is None:
                ask = self._local.ask = self._asker()
            return ask()
        except Exception:  # whatever the driver raises, the connection is of no more use
            self._drop()
            return None

    def _asker(self) -> Callable[[], int]:
        line: Any = self._connection().connection.dbapi_connection
        if self._engine.dialect.name == "sqlite":
            cursor = line.cursor()
            return lambda: int(cursor.execute(_VERSION).fetchone()[0])
        # A cursor of psycopg costs as much again as the question itself.
        server = line.pgconn
        server.prepare(_PREPARED, _VERSION.encode())
        return lambda: int(server.exec_prepared(_PREPARED, None).get_value(0, 0))

    def rows(
        self, statement: Select[*tuple[Any, ...]], values: Mapping[str, Any]
    ) -> Sequence[Row[*tuple[Any, ...]]] | None:
        """All rows of a statement that only reads."""
        try:
            return self._connection().execute(statement, values).all()
        except Exception:  # as above
            self._drop()
            return None

    def _connection(self) -> Connection:
        found: Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._engine.connect()
            found.detach()
            self._local.connection = found
            self._open.add(found)
        return found

    def _drop(self) -> None:
        found: Connection | None = getattr(self._local, "connection", None)
        self._local.connection = self._local.ask = None
        if found is not None:
            self._open.discard(found)
            _end(found)

    def close(self) -> None:
        """Close what every thread has kept open."""
        while self._open:
            _end(self._open.pop())
        self._local = threading.local()


def _end(connection: Connection) -> None:
    # The driver's own connection, at once: a rollback would be said over a line that may hang.
    with contextlib.suppress(Exception):
        driver: Any = connection.connection.dbapi_connection
        driver.close()
        connection.invalidate()
