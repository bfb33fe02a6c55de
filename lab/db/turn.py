"""The turn to write into SQLite, which has one writer at a time."""

from __future__ import annotations

import threading
import time

from lab.kernel.errors import Unavailable

#: Seconds a writer waits for its turn before the person is told to try again.
WRITE_WAIT = 8.0
#: Seconds after which whoever has the turn is known to wait for another program that holds the file: all but
#: the whole busy timeout, since in a rush two busy workers keep each other waiting for a while.
_STUCK = 4.5
#: Seconds between two looks at that.
_LOOK = 0.5


class Turn:
    """The writers of a process queue here, which wakes the next at once; SQLite's own busy handler sleeps and
    starves late comers.

    Where another program holds the file, one of them waits for it; the others are told at once to come again,
    so that the threads of the process stay free for readers.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: float | None = None
        self._is_held = False

    def take(self) -> None:
        """Wait for the turn. Raises `Unavailable` when it does not come, or cannot."""
        end = time.monotonic() + WRITE_WAIT
        wait = 0.0
        while not self._lock.acquire(timeout=wait):
            if self._is_stuck() or time.monotonic() >= end:
                raise Unavailable
            wait = _LOOK
        self._begun = time.monotonic()

    def _is_stuck(self) -> bool:
        return self._begun is not None and (self._is_held or self._has_waited_long())

    def _has_waited_long(self) -> bool:
        begun = self._begun
        return begun is not None and time.monotonic() - begun > _STUCK

    def has_begun(self) -> None:
        """The file is ours: writing takes as long as it takes."""
        self._begun, self._is_held = None, False

    def give_back(self) -> None:
        """The next one's turn; who had it has written, or has waited for the file in vain."""
        self._is_held, self._begun = self._has_waited_long(), None
        self._lock.release()
