"""Races, with threads against a real database: the right result, and nobody gets an error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Table, select

from lab.db.engine import Database
from lab.db.locking import expect_version, locked
from lab.db.upsert import add_to, insert_once
from lab.kernel.errors import Conflict, NotFound
from lab.models.accounts import Person
from lab.models.conversation import Support
from lab.models.operations import CodeCounter, SiteSetting
from lab.models.programme import BodyKind
from lab.policy.actor import SYSTEM
from lab.services import codes
from lab.services.context import Context
from lab.services.contributions import Placement, place
from lab.services.programme_editing import SaveBody, save_body
from tests.world import NOW, World

THREADS, EACH = 8, 12


def together(work: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """Run the work in threads that begin at the same moment; results, errors among them."""
    gate = threading.Barrier(threads)
    results: list[Any] = [None] * threads

    def run(number: int) -> None:
        gate.wait()
        try:
            results[number] = work(number)
        except BaseException as error:
            results[number] = error

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
    return results


def test_everybody_who_adds_is_counted(database: Database) -> None:
    table = CodeCounter.__table__
    assert isinstance(table, Table)

    def work(_number: int) -> list[int]:
        seen = []
        for _ in range(EACH):
            with database.writing() as session:
                seen.append(add_to(session, table, {"prefix": "X"}, counter="last"))
        return seen

    results = together(work)
    assert sorted(number for seen in results for number in seen) == list(range(1, THREADS * EACH + 1))


def test_codes_are_given_once(database: Database) -> None:
    def work(_number: int) -> str:
        with database.writing() as session:
            return codes.next_code(Context(session, SYSTEM, NOW), "PR")

    results = together(work)
    assert len(set(results)) == THREADS
    assert all(isinstance(code, str) for code in results)


def test_a_body_sent_by_many_at_once_is_one(database: Database) -> None:
    command = SaveBody(None, "Orti in comune", BodyKind.ASSOCIATION, False, "")

    def work(_number: int) -> int:
        with database.writing() as session:
            return save_body(Context(session, SYSTEM, NOW), command).id

    assert len(set(together(work))) == 1


def test_of_many_who_insert_the_same_row_one_hears_yes(database: Database, world: World) -> None:
    with database.writing() as session:
        said = place(Context(session, SYSTEM, NOW), Placement(text="Una panchina al parco")).id

    def work(_number: int) -> bool:
        with database.writing() as session:
            values = {"contribution_id": said, "person_id": world.people["rosa"], "at": NOW}
            return insert_once(session, Support, values)

    assert sorted(together(work)) == [False] * (THREADS - 1) + [True]
    with database.session() as session:
        assert len(session.execute(select(Support)).scalars().all()) == 1


def test_nobody_overwrites_what_another_has_just_written(database: Database, world: World) -> None:
    """Read, add one, write: under lock no addition is lost."""

    def work(_number: int) -> None:
        for _ in range(EACH):
            with database.writing() as session:
                locked(session, Person, world.people["rosa"]).unread_count += 1

    assert together(work) == [None] * THREADS
    with database.session() as session:
        assert session.get_one(Person, world.people["rosa"]).unread_count == THREADS * EACH


def test_of_two_who_change_the_same_version_the_second_is_told(database: Database) -> None:
    with database.writing() as session:
        session.add(SiteSetting(key="x", value={}, changed_at=NOW, version=1))

    def work(_number: int) -> str:
        try:
            with database.writing() as session:
                row = session.get(SiteSetting, "x", with_for_update=True, populate_existing=True)
                expect_version(row, 1)
                assert row is not None
                row.version += 1
        except Conflict as error:
            return error.code
        return "done"

    assert sorted(together(work)) == ["changed_meanwhile"] * (THREADS - 1) + ["done"]


def test_locking_what_is_not_there_says_so(database: Database) -> None:
    with pytest.raises(NotFound), database.writing() as session:
        locked(session, Person, 2**40)


def test_reading_goes_on_while_somebody_writes(database: Database, world: World) -> None:
    """A reader neither waits for the writer nor sees what is not committed."""
    rosa = world.people["rosa"]
    with database.writing() as writing:
        locked(writing, Person, rosa).name = "Cambiata"
        writing.flush()
        with database.session() as reading:
            assert reading.get_one(Person, rosa).name == "Rosa"
    with database.session() as reading:
        assert reading.get_one(Person, rosa).name == "Cambiata"


def test_what_fails_leaves_nothing_and_the_next_one_can_write(database: Database, world: World) -> None:
    with pytest.raises(RuntimeError), database.writing() as session:
        locked(session, Person, world.people["rosa"]).name = "Mai"
        session.flush()
        raise RuntimeError
    with database.writing() as session:
        assert locked(session, Person, world.people["rosa"]).name == "Rosa"
