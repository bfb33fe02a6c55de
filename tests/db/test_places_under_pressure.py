"""Places when everybody comes at once: exact with the lock, and not without it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from lab.db.engine import Database
from lab.kernel.errors import Invalid
from lab.models.registrations import Registration, RegistrationState, SeatGroup, SignUp
from lab.policy.actor import ANONYMOUS
from lab.services import registrations, seats, sign_up_changes, sign_up_desk, sign_up_settings
from lab.services.context import Context
from lab.services.registrations import Party
from lab.services.sign_up_changes import Change
from lab.services.sign_up_settings import Settings
from tests.db.test_two_at_once import together
from tests.meetings import make_event
from tests.world import NOW, World, build

CONFIRMED, WAITING = RegistrationState.CONFIRMED, RegistrationState.WAITING


def ctx_of(session: Session, minutes: int = 0) -> Context:
    return Context(session, ANONYMOUS, NOW + timedelta(minutes=minutes))


def made(database: Database, world: World, **changes: Any) -> int:
    with database.writing() as session:
        return make_event(session, world, **changes).id


def people(session: Session, event_id: int, state: RegistrationState) -> int:
    query = select(func.coalesce(func.sum(Registration.party_size), 0)).where(
        Registration.event_id == event_id, Registration.state == state
    )
    return int(session.execute(query).scalar_one())


def books_agree(session: Session, event_id: int) -> SignUp:
    """The counters say what the rows say, and nobody waits who would fit."""
    books = session.get_one(SignUp, event_id, populate_existing=True)
    query = select(Registration).where(Registration.event_id == event_id)
    rows = list(session.execute(query.order_by(Registration.queue_no, Registration.id)).scalars())
    groups = list(session.execute(select(SeatGroup).where(SeatGroup.event_id == event_id)).scalars())
    waiting = [row for row in rows if row.state is WAITING]
    assert books.taken == sum(row.party_size for row in rows if row.state is CONFIRMED)
    assert books.waiting == len(waiting)
    for group in groups:
        mine = [row for row in rows if row.state is CONFIRMED and row.group_id == group.id]
        assert group.taken == sum(row.party_size for row in mine)
    held = seats.Books(ctx_of(session), books, {group.id: group for group in groups}, seats.fullness(books))
    assert not [row for row in waiting if held.fits(row)]
    numbers = [row.queue_no for row in waiting]
    assert len(set(numbers)) == len(numbers)
    assert None not in numbers
    return books


def test_forty_people_for_ten_places(database: Database, world: World) -> None:
    event_id = made(database, world, sign_up_capacity=10)

    def work(number: int) -> RegistrationState:
        with database.writing() as session:
            party = Party(event_id, f"Persona {number}", client_uuid=f"u{number}")
            return registrations.sign_up(ctx_of(session), party).state

    results = together(work, 40)
    assert sorted(results) == [CONFIRMED] * 10 + [WAITING] * 30
    with database.session() as session:
        books = books_agree(session, event_id)
        assert (books.taken, books.waiting, books.queue_last, books.code_last) == (10, 30, 30, 40)


def test_places_given_back_while_others_come(database: Database, world: World) -> None:
    event_id = made(database, world, sign_up_capacity=8)
    with database.writing() as session:
        rows = [registrations.sign_up(ctx_of(session), Party(event_id, f"P{n}")).id for n in range(16)]

    def work(number: int) -> None:
        with database.writing() as session:
            ctx = ctx_of(session, number + 1)
            if number % 3 == 0:
                registrations.sign_up(ctx, Party(event_id, f"Nuovo {number}", party_size=2))
            elif number % 3 == 1:
                registrations.cancel(ctx, rows[number // 3])
            else:
                change = Change(rows[8 + number // 3], None, "Cambia", party_size=1 + number % 2)
                with contextlib.suppress(Invalid):  # said to whoever has a place and finds no second one
                    sign_up_changes.change(ctx, change)

    assert together(work, 24) == [None] * 24
    with database.session() as session:
        books = books_agree(session, event_id)
        assert books.taken <= 8


def test_the_same_form_sent_by_eight_hands_is_one_sign_up(database: Database, world: World) -> None:
    event_id = made(database, world)

    def work(_number: int) -> int:
        with database.writing() as session:
            return registrations.sign_up(ctx_of(session), Party(event_id, "Rosa", client_uuid="same")).id

    results = together(work)
    # The view answers such an error with what the quicker one placed.
    assert len({one for one in results if isinstance(one, int)}) == 1
    assert all(isinstance(one, int | IntegrityError) for one in results)
    with database.session() as session:
        assert books_agree(session, event_id).taken == 1


def _pause_after_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody waits, after they have seen whether there is a place, until the other has seen it too."""
    gate = threading.Barrier(2)
    count = seats.Books.fits

    def fits(self: seats.Books, registration: Registration) -> bool:
        seen = count(self, registration)
        with contextlib.suppress(threading.BrokenBarrierError):
            gate.wait(0.5)
        return seen

    monkeypatch.setattr(seats.Books, "fits", fits)


def _two_for_one_place(
    writing: Callable[[], contextlib.AbstractContextManager[Session]], event_id: int
) -> list[Any]:
    def work(number: int) -> RegistrationState:
        with writing() as session:
            return registrations.sign_up(ctx_of(session), Party(event_id, f"Persona {number}")).state

    return together(work, 2)


def test_with_a_pause_after_the_count_the_lock_still_holds(
    database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = made(database, world, sign_up_capacity=1)
    _pause_after_the_count(monkeypatch)
    assert sorted(_two_for_one_place(database.writing, event_id)) == [CONFIRMED, WAITING]
    with database.session() as session:
        assert people(session, event_id, CONFIRMED) == 1


def test_without_the_lock_the_same_pause_breaks_it(
    database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If this ever holds without the lock, the test above proves nothing."""
    event_id = made(database, world, sign_up_capacity=1)
    _pause_after_the_count(monkeypatch)

    def no_lock(ctx: Context, of: int) -> seats.Books:
        query = select(SignUp).where(SignUp.event_id == of).options(joinedload(SignUp.event))
        sign_up = ctx.session.execute(query).scalar_one()
        return seats.Books(ctx, sign_up, {}, seats.fullness(sign_up))

    @contextlib.contextmanager
    def no_turn() -> Iterator[Session]:
        with Session(database.engine, expire_on_commit=False) as session:
            yield session
            session.commit()

    monkeypatch.setattr(seats, "_lock", no_lock)
    results = _two_for_one_place(no_turn, event_id)
    with database.session() as session:
        in_the_room = people(session, event_id, CONFIRMED)
        counted = session.get_one(SignUp, event_id).taken
    errors = [one for one in results if isinstance(one, BaseException)]
    assert errors or in_the_room > 1 or counted != in_the_room


class Places(RuleBasedStateMachine):
    """Anything that can happen to a list, in any order; the books must agree after each step."""

    database: Database
    world: World
    standing = Bundle("standing")

    @initialize(
        capacity=st.one_of(st.none(), st.integers(0, 8)), reserved=st.integers(0, 3), most=st.integers(3, 5)
    )
    def begin(self, capacity: int | None, reserved: int, most: int) -> None:
        self.session = Session(self.database.engine, expire_on_commit=False)
        self.minute = 0
        event = make_event(
            self.session, self.world, sign_up_capacity=capacity, sign_up_has_groups=True,
            sign_up_party_most=4,
        )  # fmt: skip
        self.event_id = event.id
        if capacity is not None:
            reserved = min(reserved, capacity)
        group = SeatGroup(event_id=event.id, name="Scala B", reserved=reserved, most=most)
        self.session.add(group)
        self.session.flush()
        self.group = group.id
        self.over = 0
        self.limit = capacity

    def ctx(self) -> Context:
        self.minute += 1
        return ctx_of(self.session, self.minute)

    def host(self) -> Context:
        self.minute += 1
        return Context(self.session, self.world.actor("facilitator"), NOW + timedelta(minutes=self.minute))

    @rule(target=standing, size=st.integers(1, 4), grouped=st.booleans())
    def sign_up(self, size: int, grouped: bool) -> int:
        group = self.group if grouped else None
        party = Party(self.event_id, "Qualcuno", party_size=size, group_id=group)
        return registrations.sign_up(self.ctx(), party).id

    @rule(target=standing, one=consumes(standing), again=st.booleans())
    def cancel(self, one: int, again: bool) -> Any:
        registrations.cancel(self.ctx(), one)
        if again:
            registrations.cancel(self.ctx(), one)
        return multiple()

    @rule(one=standing, size=st.integers(1, 4), grouped=st.booleans())
    def change(self, one: int, size: int, grouped: bool) -> None:
        group = self.group if grouped else None
        with contextlib.suppress(Invalid):
            command = Change(one, None, "Qualcuno", party_size=size, group_id=group)
            sign_up_changes.change(self.ctx(), command)

    @rule(one=standing, number=st.integers(1, 3))
    def move(self, one: int, number: int) -> None:
        row = self.session.get_one(Registration, one)
        if row.state is WAITING and number <= self.session.get_one(SignUp, self.event_id).waiting:
            sign_up_desk.move(self.host(), self.event_id, one, number, "una ragione")

    @rule(one=standing)
    def let_in(self, one: int) -> None:
        row = self.session.get_one(Registration, one)
        if row.state is WAITING:
            sign_up_desk.seat_over(self.host(), self.event_id, one, "una ragione")
            self.over += row.party_size

    @rule(seats_more=st.integers(0, 3))
    def more_places(self, seats_more: int) -> None:
        if self.limit is not None:
            self.limit += seats_more
            group = sign_up_settings.groups(self.ctx(), self.event_id)[0]
            kept = sign_up_settings.Group(group.name, group.reserved, group.most, group.id)
            command = Settings(self.event_id, capacity=self.limit, groups=(kept,), under_taken=True)
            sign_up_settings.save(self.host(), command)

    @invariant()
    def books(self) -> None:
        if hasattr(self, "session"):
            taken = books_agree(self.session, self.event_id).taken
            assert self.limit is None or taken <= self.limit + self.over

    def teardown(self) -> None:
        if hasattr(self, "session"):
            self.session.rollback()
            self.session.close()


def test_whatever_happens_the_books_agree(sqlite_factory: Any) -> None:
    """On SQLite alone: the rules are the same on both, and rows in one transaction are quick here."""
    url = sqlite_factory.make()
    database = Database(url)
    with database.writing() as session:
        Places.world = build(session)
    Places.database = database
    run_state_machine_as_test(
        Places,
        settings=settings(
            max_examples=25,
            stateful_step_count=16,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    database.dispose()
    sqlite_factory.drop(url)
