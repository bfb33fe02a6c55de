"""Keeping screens and phones up to date: a beat over server-sent events, polling where that fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from werkzeug.wrappers import Response

#: Streams one process keeps at once. Each takes a thread: screens get them, phones ask by themselves. Most
#: are kept for screens that a host opened: whoever opens the public page can hold the rest, and no more.
KEPT, OPEN = 2, 1
#: Seconds a stream lives before the screen opens the next, and between two looks.
_LIFE = 25.0
_LOOK = 1.0

_kept = threading.BoundedSemaphore(KEPT)
_open = threading.BoundedSemaphore(OPEN)


def stream(beat: Callable[[], str], *, is_hosted: bool) -> Response:
    """A stream that says the beat whenever it changes; 204 when no thread is left for one: then one asks.

    `beat` opens and closes its own database session: nothing is held between two looks. `is_hosted` says that
    a host opened this screen.
    """
    taken = next((free for free in _for(is_hosted) if free.acquire(blocking=False)), None)
    if taken is None:
        return Response(status=204)
    answer = Response(_beats(beat), mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    # nginx would keep the beats until its buffer is full.
    answer.headers["X-Accel-Buffering"] = "no"
    answer.call_on_close(taken.release)
    return answer


def _for(is_hosted: bool) -> list[threading.BoundedSemaphore]:
    return [_kept, _open] if is_hosted else [_open]


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
