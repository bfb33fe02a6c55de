"""Engines: SQLite tuned for durable, simultaneous use; PostgreSQL with deadlines on every wait."""

from __future__ import annotations

import logging
import select
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg.errors import ConnectionTimeout
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from lab.db import sums, version, vocabulary
from lab.db.glance import GLANCE, Glance
from lab.db.pulse import PatientConnection, Pulse
from lab.db.turn import Turn

log = logging.getLogger("lab.db")

_WRITE = "lab_write"
#: Seconds after which a connection that was not used is asked whether it still stands.
_REST = 30.0
_USED = "lab_used"


class Database:
    """One engine and the two ways to use it: a reading session, and a writing transaction.

    `url` is an SQLAlchemy address (`sqlite:///…` or `postgresql+psycopg://…`);
    statements slower than `slow_ms` milliseconds are logged without their values.
    """

    def __init__(self, url: str, *, slow_ms: int = 200, pool_size: int = 16) -> None:
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine, pulse = (
            (_sqlite_engine(url, pool_size), None) if self.is_sqlite else _postgresql_engine(url, pool_size)
        )
        self._writing: dict[str, Any] = {_WRITE: True}
        reading = self.engine
        if not self.is_sqlite:
            # Each statement of READ COMMITTED sees a moment of its own anyway: reading needs no BEGIN and no
            # ROLLBACK. On SQLite both cost nothing, and give a request one moment.
            reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
            self._writing["isolation_level"] = "READ COMMITTED"
        self._sessions = sessionmaker(reading, expire_on_commit=False)
        if not self.is_sqlite:
            event.listen(self._sessions, "do_orm_execute", _begin_to_stream)
        event.listen(self._sessions, "before_flush", _only_while_writing)
        # Other processes are still met by the busy timeout.
        self._turn = Turn() if self.is_sqlite else None
        self.glance = Glance(self.engine, pulse)
        _tell_slow_statements(self.engine, slow_ms)

    def session(self) -> Session:
        """A session for reading, which refuses to write anything. Close it when done."""
        return self._sessions()

    @contextmanager
    def writing(self, session: Session | None = None) -> Iterator[Session]:
        """Own one transaction: commits at the end, rolls back on any error.

        An open session given here first ends its reading transaction, so that what is read next is the
        newest state. Raises `Unavailable` when no turn to write came (see `lab.db.turn`).
        """
        own = session is None
        current = session if session is not None else self._sessions()
        current.rollback()
        if self._turn is not None:
            self._turn.take()
        try:
            current.connection(execution_options=self._writing)
            if self._turn is not None:
                self._turn.has_begun()
            current.info[_WRITE] = True
            yield current
            vocabulary.settle(current)
            sums.settle(current)
            version.settle_version(current)
            current.commit()
        except BaseException:
            current.rollback()
            vocabulary.unlearn(current)
            sums.forget(current)
            version.forget_changes(current)
            raise
        finally:
            current.info.pop(_WRITE, None)
            if self._turn is not None:
                self._turn.give_back()
            if own:
                current.close()

    def dispose(self) -> None:
        """Close every connection (end of a process, or before a fork)."""
        self.glance.close()
        self.engine.dispose()


def _sqlite_engine(url: str, pool_size: int) -> Engine:
    path = make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    # An error that reaches the log names the statement, never what people typed.
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=pool_size, pool_timeout=5, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's "begin" event below says BEGIN, and which
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # "saved" means on disk, also after a power cut
            "foreign_keys=ON",
            "busy_timeout=5000",
            "temp_store=MEMORY",
            "cache_size=-32000",
            "mmap_size=268435456",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(GLANCE):
            return
        writing = options.get(_WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _only_while_writing(session: Session, _context: Any, _instances: Any) -> None:
    if not session.info.get(_WRITE):
        raise RuntimeError("something was changed in a session for reading")


def _begin_to_stream(state: ORMExecuteState) -> None:
    """Rows that are fetched portion by portion live in a transaction, which closing the session ends."""
    options = state.execution_options
    if options.get("yield_per") or options.get("stream_results"):
        driver: Any = state.session.connection().connection.driver_connection
        if driver.autocommit:
            driver.autocommit = False


def _postgresql_engine(url: str, pool_size: int) -> tuple[Engine, Pulse]:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        hide_parameters=True,
        connect_args={
            "connect_timeout": 3,
            "options": "-c timezone=UTC -c statement_timeout=20000 -c lock_timeout=5000"
            " -c idle_in_transaction_session_timeout=60000",
            "tcp_user_timeout": 10000,
        },
    )
    pulse = _patient(engine)

    @event.listens_for(engine, "checkin")
    def _note_when(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_USED] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ask_whether_there(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        pulse.check()
        try:
            # A server that went away or restarted has closed the line: something is there to be read. That
            # is seen without asking; only after a longer rest a line may have been cut unnoticed.
            if _has_word(connection.pgconn.socket):
                raise DisconnectionError("the database has closed the connection")
            if time.monotonic() - record.info.get(_USED, 0.0) > _REST:
                engine.dialect.do_ping(connection)
        except DisconnectionError:
            raise
        except Exception as error:  # whatever the driver raises, the connection is of no more use
            raise DisconnectionError("the database does not answer on this connection") from error

    return engine, pulse


def _patient(engine: Engine) -> Pulse:
    """Give this engine connections on which nobody waits for a server that stands still."""
    given, words = engine.dialect.create_connect_args(engine.url)
    pulse = Pulse(lambda: PatientConnection.connect(*given, **{**words, "connect_timeout": 2}).close())

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, args: Any, values: Any) -> PatientConnection:
        pulse.check()
        try:
            made = PatientConnection.connect(*args, **values)
        except ConnectionTimeout:
            pulse.lost()
            raise
        made.pulse = pulse
        return made

    return pulse


def _has_word(socket: int) -> bool:
    waiting = select.poll()
    waiting.register(socket, select.POLLIN | select.POLLERR | select.POLLHUP)
    return bool(waiting.poll(0))


def _tell_slow_statements(engine: Engine, slow_ms: int) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def _start(conn: Connection, cursor: Any, statement: str, params: Any, context: Any, many: bool) -> None:
        context.lab_started = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def _stop(conn: Connection, cursor: Any, statement: str, params: Any, context: Any, many: bool) -> None:
        spent = (time.perf_counter() - context.lab_started) * 1000
        if spent >= slow_ms:
            log.warning(
                "slow statement", extra={"ms": round(spent), "sql": " ".join(statement.split())[:400]}
            )
