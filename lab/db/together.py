"""Acts of several requests that wait for the same lock, done in one transaction by one of them.

When a thousand people press the same button, each alone would pay for the lock and for the disk. Here
whoever gets the turn carries out what everybody else is waiting for as well, and each is answered only once
that transaction stands. Between processes the database's own lock decides, as ever.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lab.kernel.errors import Unavailable

Act = TypeVar("Act")
Result = TypeVar("Result")
CarryOut = Callable[[Sequence[Act]], Sequence[Result]]
#: The database does not answer: asking again for each would let the last one wait for all.
_AWAY = (Unavailable, OperationalError, PoolTimeout)

#: Most acts in one transaction: its lock is held for as long as they take.
_MOST = 16


@dataclass
class _Place(Generic[Act, Result]):
    act: Act
    results: list[Result] = field(default_factory=list)
    error: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return bool(self.results) or self.error is not None


@dataclass
class _Queue(Generic[Act, Result]):
    turn: threading.Lock = field(default_factory=threading.Lock)
    places: deque[_Place[Act, Result]] = field(default_factory=deque)
    #: Threads that are here; the queue goes when the last one leaves.
    inside: int = 0


class Together:
    """Queues of acts, one queue for each thing that they lock."""

    def __init__(self) -> None:
        self._queues: dict[Hashable, _Queue[Any, Any]] = {}
        self._guard = threading.Lock()

    def do(self, key: Hashable, act: Act, carry_out: CarryOut[Act, Result]) -> Result:
        """The result of this act, once it is on disk. Raises what `carry_out` raises for it alone.

        `key` stands for one kind of act on one thing. `carry_out` does a few acts in one transaction of its
        own, in this order, and gives a result for each; when it raises, nothing of them stands. Acts that
        were refused together are then tried one by one, so that each gets its own answer.
        """
        place: _Place[Act, Result] = _Place(act)
        with self._waiting(key, place) as queue, queue.turn:
            # Who had the turn before may have done it along with their own.
            while not place.is_done:
                _serve([queue.places.popleft() for _ in range(min(_MOST, len(queue.places)))], carry_out)
        if place.error is not None:
            raise place.error
        return place.results[0]

    @contextmanager
    def _waiting(self, key: Hashable, place: _Place[Any, Any]) -> Iterator[_Queue[Any, Any]]:
        with self._guard:
            queue = self._queues.setdefault(key, _Queue())
            queue.inside += 1
            queue.places.append(place)
        try:
            yield queue
        finally:
            with self._guard:
                queue.inside -= 1
                if not queue.inside:
                    del self._queues[key]


def _serve(places: Sequence[_Place[Act, Result]], carry_out: CarryOut[Act, Result]) -> None:
    try:
        results = carry_out([place.act for place in places])
    except _AWAY as error:
        _fail(places, error)
    except Exception as error:
        if len(places) == 1:
            _fail(places, error)
        else:
            _serve_each(places, carry_out)
    except BaseException as error:
        _fail(places, error)
        raise
    else:
        for place, result in zip(places, results, strict=True):
            place.results.append(result)


def _serve_each(places: Sequence[_Place[Act, Result]], carry_out: CarryOut[Act, Result]) -> None:
    for number, place in enumerate(places):
        _serve([place], carry_out)
        if isinstance(place.error, _AWAY):
            _fail(places[number + 1 :], place.error)
            break


def _fail(places: Sequence[_Place[Any, Any]], error: BaseException) -> None:
    for place in places:
        place.error = error
