"""Tablets that come back together, repeat themselves and meet a database that goes away: each record once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.errors import Unavailable
from lab.models.contributions import Contribution
from lab.models.events import Event
from lab.models.kiosk import KioskKey, SeatLease, TrayItem
from lab.models.registrations import Registration, RegistrationState, SignUp
from lab.policy.actor import SYSTEM
from lab.services import kiosk, sealing
from lab.services.context import Context
from tests.meetings import make_event
from tests.tablets import Tablet, paired
from tests.world import NOW, World

PLACES = 20
EACH = 24


@pytest.fixture
def event(database: Database, world: World) -> Event:
    with database.writing() as session:
        return make_event(session, world, sign_up_capacity=PLACES)


def deliver(tablet: Tablet, records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Send in batches of twenty until each record has its final answer."""
    final: dict[str, dict[str, Any]] = {}
    while waiting := [one for one in records if one["client_uuid"] not in final]:
        for result in tablet.send(*waiting[:20]):
            if result["status"] != 503:
                final[result["client_uuid"]] = result
    return final


def test_two_tablets_back_at_once_lose_and_double_nothing(
    app: Flask, database: Database, event: Event
) -> None:
    tablets = [paired(app, database, event) for _ in range(2)]
    lease = tablets[0].post("lease", {"seats": 10}).get_json()["lease"]
    written = []
    for tablet in tablets:
        promised: dict[str, Any] = {"lease_id": lease["id"]} if tablet is tablets[0] else {}
        people = [tablet.sign_up(f"P{n}", **(promised if n < 10 else {})) for n in range(EACH)]
        ideas = [tablet.write("idea", text=f"Idea {n}") for n in range(5)]
        written.append([*ideas, *people])
    # each outbox is sent by two tabs at once: the second sending repeats the first
    with ThreadPoolExecutor(4) as pool:
        sendings = [
            pool.submit(deliver, replace(tablet, client=app.test_client()), records)
            for tablet, records in zip(tablets, written, strict=True)
            for _ in range(2)
        ]
        answers = [sending.result() for sending in sendings]
    assert all({one["status"] for one in answer.values()} <= {200, 201} for answer in answers)
    for first, second in zip(answers[::2], answers[1::2], strict=True):
        assert set(first) == set(second)
        # at the same moment both may be the first
        assert all(201 in (first[one]["status"], second[one]["status"]) for one in first)
        assert all(first[one].get("code") == second[one].get("code") for one in first)
    with database.session() as session:
        assert rows(session, Registration) == 2 * EACH
        assert rows(session, Contribution) == 10
        assert rows(session, TrayItem) == 0
        confirmed = select(func.count()).where(Registration.state == RegistrationState.CONFIRMED)
        assert session.execute(confirmed).scalar_one() == PLACES
        books = session.get_one(SignUp, event.id)
        assert (books.taken, books.lent, books.waiting) == (PLACES, 0, 2 * EACH - PLACES)
        kept = session.execute(select(SeatLease)).scalar_one()
        assert (kept.used, kept.seats) == (10, 10)
        numbers = select(Registration.queue_no).where(Registration.queue_no.is_not(None))
        assert len(set(session.execute(numbers).scalars())) == books.waiting
    promised_ones = [one["client_uuid"] for one in written[0][5:15]]
    assert {answers[0][one]["result"] for one in promised_ones} == {"confirmed"}


def rows(session: Session, model: Any) -> int:
    return session.execute(select(func.count()).select_from(model)).scalar_one()


def test_a_database_that_goes_away_makes_the_tablet_wait(
    app: Flask, database: Database, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    tablet = paired(app, database, event)
    # One without a name is refused: from then on each stands alone.
    records = [tablet.sign_up(name) for name in ("P0", " ", "P2", "P3", "P4", "P5")]
    writing, left = database.writing, [6]

    @contextmanager
    def away(session: Session | None = None) -> Iterator[Session]:
        left[0] -= 1
        if left[0] < 0:
            raise Unavailable
        with writing(session) as current:
            yield current

    monkeypatch.setattr(database, "writing", away)
    # one transaction for the tablet's sign of life, one for all, two taken in, two for the one refused
    assert [one["status"] for one in tablet.send(*records)] == [201, 422, 201, 503, 503, 503]
    answer = tablet.post("records", {"records": records})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    monkeypatch.undo()
    assert [one["status"] for one in tablet.send(*records)] == [200, 422, 200, 201, 201, 201]


def test_people_and_words_share_no_transaction(
    app: Flask, database: Database, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tablets that lock the books and the counter of codes in another order wait for each other."""
    tablet = paired(app, database, event)
    records = [
        tablet.write("idea", text="Una panchina"),
        tablet.sign_up("P0"),
        tablet.write("question", text="Quando?"),
        tablet.sign_up("P1"),
    ]
    writing, take = database.writing, kiosk.take
    together: list[list[str]] = []

    @contextmanager
    def noted(session: Session | None = None) -> Iterator[Session]:
        together.append([])
        with writing(session) as current:
            yield current

    def noting(*given: Any) -> Any:
        together[-1].append(given[2].kind)
        return take(*given)

    monkeypatch.setattr(database, "writing", noted)
    monkeypatch.setattr(kiosk, "take", noting)
    told = tablet.send(*records)
    assert [one["client_uuid"] for one in told] == [one["client_uuid"] for one in records]
    assert [one["status"] for one in told] == [201] * 4
    assert [kinds for kinds in together if kinds] == [["sign_up", "sign_up"], ["idea", "question"]]


def test_away_in_the_middle_of_a_sending_everything_is_sent_again(
    app: Flask, database: Database, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    tablet = paired(app, database, event)
    records = [tablet.sign_up(f"P{n}") for n in range(3)]
    take, left = kiosk.take, [2]

    def away(*given: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise Unavailable
        return take(*given)

    monkeypatch.setattr(kiosk, "take", away)
    assert [one["status"] for one in tablet.send(*records)] == [503] * 3
    monkeypatch.undo()
    with database.session() as session:
        assert rows(session, Registration) == 0
    assert [one["status"] for one in tablet.send(*records)] == [201] * 3


def test_two_processes_that_need_the_first_key_agree(database: Database) -> None:
    def key(_: int) -> str:
        with database.writing() as session:
            return sealing.current_key(Context(session, SYSTEM, NOW)).public_key

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(key, range(8)))) == 1
    with database.session() as session:
        assert rows(session, KioskKey) == 1
