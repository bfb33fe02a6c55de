"""A PostgreSQL that stands still (a frozen machine, a cut line) without having closed anything.

Its own deadlines stand still with it, and the driver would wait for ever. So nobody waits long here: after
`PATIENCE` somebody asks with a new connection whether the server is still there. If it is, the statement is
only slow and is waited for; if not, the wait ends, and who comes later is refused at once, but for one at a
time who asks again.
"""

from __future__ import annotations

import logging
import select
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.errors import _WaitTimeout
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from lab.kernel.errors import Unavailable

log = logging.getLogger("lab.db")

#: Seconds of silence after which it is asked whether the server is there.
PATIENCE = 3.0
#: Seconds after which even a server that is there has lost this statement: more than its own deadline.
LONGEST = 25.0
#: Seconds for which an answer, or the lack of one, counts.
_COUNTS = 2.0
_GOOD = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


class Pulse:
    """Whether one server answers. `ask` opens a new connection and closes it again, with a short deadline;
    it raises `psycopg.errors.ConnectionTimeout` where nobody answers.
    """

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._asking = threading.Lock()
        self._asked = float("-inf")
        #: Whether the last question got no answer.
        self.is_gone = False

    def check(self) -> None:
        """Before a connection is used: raises `Unavailable` while the server is known not to answer."""
        if not self.is_gone:
            return
        # Whoever finds somebody else asking does not wait for the answer.
        if not self._asking.acquire(blocking=False):
            raise Unavailable
        try:
            if self._asked_lately() or not self._find_out():
                raise Unavailable
        finally:
            self._asking.release()

    def lost(self) -> None:
        """A connection just asked for got no answer."""
        self.is_gone, self._asked = True, time.monotonic()

    def is_there(self) -> bool:
        """Asks the server, or waits for the answer that another thread is about to get."""
        with self._asking:
            return not self.is_gone if self._asked_lately() else self._find_out()

    def _asked_lately(self) -> bool:
        return time.monotonic() - self._asked < _COUNTS

    def _find_out(self) -> bool:
        gone = False
        try:
            self._ask()
        except psycopg.errors.ConnectionTimeout:
            gone = True
        except psycopg.Error:
            # It refuses, because it is full or starts: that is an answer, and waiting ends by itself.
            log.info("the database refuses a connection")
        self.is_gone, self._asked = gone, time.monotonic()
        return not gone


class PatientConnection(psycopg.Connection[Any]):
    """A connection on which no wait lasts for ever."""

    pulse: Pulse | None = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Every wait of the driver, for statements and for the ends of transactions, comes here."""
        if timeout is not None or self.pulse is None:
            return super().wait(gen, interval, timeout)
        began = time.monotonic()
        while True:
            try:
                return super().wait(gen, interval, PATIENCE)
            except _WaitTimeout as error:
                if time.monotonic() - began > LONGEST or not self.pulse.is_there():
                    # Closed at once: a rollback would be said to somebody who does not listen.
                    self.pgconn.finish()
                    raise psycopg.OperationalError("the database does not answer") from error

    def prepare_number(self, name: bytes, statement: str) -> Callable[[], int]:
        """A way to ask for one number again and again, without a cursor, which costs as much again."""
        self.pgconn.send_prepare(name, statement.encode())
        self._answer()

        def ask() -> int:
            self.pgconn.send_query_prepared(name, None)
            value = self._answer().get_value(0, 0)
            if value is None:
                raise psycopg.OperationalError("no such row")
            return int(value)

        return ask

    def _answer(self) -> PGresult:
        server = self.pgconn
        server.flush()
        line = select.poll()
        line.register(server.socket, select.POLLIN)
        while True:
            if not line.poll(PATIENCE * 1000):
                server.finish()
                if self.pulse is not None:
                    self.pulse.is_there()
                raise psycopg.OperationalError("the database does not answer")
            server.consume_input()
            if not server.is_busy():
                break
        result = server.get_result()
        while server.get_result() is not None:
            pass
        if result is None or result.status not in _GOOD:
            raise psycopg.OperationalError("no answer")
        return result
