"""Acts of many at the same moment: one transaction for all who wait, an answer for each."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from lab.db.together import Together
from lab.kernel.errors import Conflict, Unavailable


class Counter:
    """Carries acts out and remembers which came together. The first batch waits to be let go."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.begun = threading.Event()
        self.go = threading.Event()

    def __call__(self, acts: Sequence[str]) -> list[str]:
        self.batches.append(list(acts))
        if not self.begun.is_set():
            self.begun.set()
            assert self.go.wait(10)
        if "down" in acts:
            raise Unavailable
        if "refused" in acts:
            raise Conflict("no")
        return [f"done {act}" for act in acts]


def everybody(counter: Counter, acts: list[str]) -> dict[str, str]:
    """The first act begins; the others come while it is carried out."""
    together = Together()
    said: dict[str, str] = {}

    def come(act: str) -> None:
        try:
            said[act] = together.do("thing", act, counter)
        except (Conflict, Unavailable) as error:
            said[act] = type(error).__name__

    threads = [threading.Thread(target=come, args=(act,)) for act in acts]
    threads[0].start()
    assert counter.begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    # They are in the queue before the first one ends: nobody leaves it until then.
    while sum(len(queue.places) for queue in together._queues.values()) < len(acts) - 1:
        threading.Event().wait(0.005)
    counter.go.set()
    for thread in threads:
        thread.join(10)
    assert not together._queues
    return said


def test_who_waits_is_served_together() -> None:
    counter = Counter()
    said = everybody(counter, ["first", "a", "b", "c"])
    assert said == {act: f"done {act}" for act in ("first", "a", "b", "c")}
    assert [sorted(batch) for batch in counter.batches] == [["first"], ["a", "b", "c"]]


def test_one_who_is_refused_does_not_refuse_the_others() -> None:
    counter = Counter()
    said = everybody(counter, ["first", "a", "refused", "b"])
    assert said == {"first": "done first", "a": "done a", "refused": "Conflict", "b": "done b"}


def test_a_database_that_is_away_is_asked_once_for_all() -> None:
    counter = Counter()
    said = everybody(counter, ["first", "a", "down", "b"])
    assert said["a"] == said["b"] == said["down"] == "Unavailable"
    assert len(counter.batches) == 2


def test_a_database_that_goes_away_while_each_is_tried_alone_is_asked_no_more() -> None:
    asked: list[list[str]] = []

    class Leaving(Counter):
        def __call__(self, acts: Sequence[str]) -> list[str]:
            asked.append(list(acts))
            if len(asked) == 3:
                raise Unavailable
            return super().__call__(acts)

    said = everybody(Leaving(), ["first", "refused", "b", "c"])
    assert said["first"] == "done first"
    assert [len(acts) for acts in asked] == [1, 3, 1]
    assert {said[act] for act in ("refused", "b", "c")} == {"Unavailable"}


def test_different_things_do_not_wait_for_each_other() -> None:
    together = Together()

    def within(acts: Sequence[str]) -> list[str]:
        return [
            together.do("another thing", act, lambda inner: [f"inner {one}" for one in inner]) for act in acts
        ]

    assert together.do("one thing", "act", within) == "inner act"


def test_what_is_raised_is_what_the_act_itself_raised() -> None:
    def fails(_acts: Sequence[str]) -> list[str]:
        raise Conflict("mine")

    with pytest.raises(Conflict, match="mine"):
        Together().do("thing", "act", fails)
