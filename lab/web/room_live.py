"""Keeping screens and phones up to date: a beat over server-sent events, polling where that fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from werkzeug.wrappers import Response

#: Streams one process keeps at once. Each takes a thread: screens get them, phones ask by themselves.
STREAMS = 3
#: Seconds a stream lives before the screen opens the next, and between two looks.
_LIFE = 25.0
_LOOK = 1.0

_free = threading.BoundedSemaphore(STREAMS)


def stream(beat: Callable[[], str]) -> Response:
    """A stream that says the beat whenever it changes; 204 when no thread is left for one.

    `beat` opens and closes its own database session: nothing is held between two looks.
    """
    if not _free.acquire(blocking=False):
        return Response(status=204)
    answer = Response(_beats(beat), mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    # nginx would keep the beats until its buffer is full.
    answer.headers["X-Accel-Buffering"] = "no"
    answer.call_on_close(_free.release)
    return answer


def _beats(beat: Callable[[], str]) -> Iterator[str]:
    said = ""
    end = time.monotonic() + _LIFE
    yield "retry: 1000\n\n"
    while time.monotonic() < end:
        now = beat()
        if now != said:
            said = now
            yield f"data: {now}\n\n"
        else:
            # A comment finds out that the screen is gone, and its thread is free again.
            yield ": \n\n"
        time.sleep(_LOOK)
