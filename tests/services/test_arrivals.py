"""The door: who is in is counted once, whatever is scanned, sent or clicked twice."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.events import Event, EventState
from lab.models.operations import AuditEntry
from lab.models.registrations import Arrival, Registration, RegistrationState, SignUp, Source
from lab.policy.actor import SYSTEM, Actor
from lab.services import arrivals, registration_retention, registrations
from lab.services.arrivals import Arrive, WalkIn
from lab.services.context import Context
from tests.db.test_two_at_once import together
from tests.meetings import make_event, signed_up
from tests.world import NOW, World


@pytest.fixture
def event_id(database: Database, world: World) -> int:
    with database.writing() as session:
        return make_event(session, world).id


def check_books(session: Session, event_id: int) -> SignUp:
    """The kept counters equal what the rows say."""
    books = session.get(SignUp, event_id)
    assert books is not None
    session.refresh(books)
    inside = select(func.coalesce(func.sum(Arrival.people), 0)).where(
        Arrival.event_id == event_id, Arrival.undone_at.is_(None)
    )
    size = func.coalesce(func.sum(Registration.party_size), 0)
    mine = Registration.event_id == event_id
    seated = select(size).where(mine, Registration.state == RegistrationState.CONFIRMED)
    waiting = select(func.count()).where(mine, Registration.state == RegistrationState.WAITING)
    assert books.arrived == session.scalar(inside)
    assert books.taken == session.scalar(seated)
    assert books.waiting == session.scalar(waiting)
    return books


def at_door(session: Session, world: World) -> Context:
    return Context(session, world.actor("facilitator"), NOW)


def party(database: Database, event_id: int, name: str = "Rosa", **more: Any) -> int:
    with database.writing() as session:
        event = session.get(Event, event_id)
        assert event is not None
        return signed_up(session, event, name, **more).id


def test_a_second_scan_says_since_when_they_are_in(database: Database, world: World, event_id: int) -> None:
    rosa = party(database, event_id, party_size=2)
    with database.writing() as session:
        first = arrivals.arrive(at_door(session, world), Arrive(event_id, rosa))
        assert not first.again and first.registration.arrived_count == 2
    with database.writing() as session:
        later = Context(session, world.actor("facilitator"), NOW.replace(hour=18))
        again = arrivals.arrive(later, Arrive(event_id, code=first.registration.code.lower()))
        assert again.again and again.at == NOW
        assert check_books(session, event_id).arrived == 2


def test_the_same_message_gets_the_same_answer_for_ever(
    database: Database, world: World, event_id: int
) -> None:
    rosa = party(database, event_id)
    sent = Arrive(event_id, rosa, client_uuid="u-1")
    scanned_again = Arrive(event_id, rosa, client_uuid="u-2")
    with database.writing() as session:
        ctx = at_door(session, world)
        first = arrivals.arrive(ctx, sent)
        assert arrivals.arrive(ctx, scanned_again).again
        repeat = arrivals.arrive(ctx, sent)
        assert repeat.repeated and not repeat.again and repeat.arrival.id == first.arrival.id
        arrivals.undo(ctx, event_id, first.arrival.id)
    with database.writing() as session:
        ctx = at_door(session, world)
        # Late repeats of old messages do not bring back what a host took away.
        assert arrivals.arrive(ctx, sent).repeated
        assert arrivals.arrive(ctx, scanned_again).again
        assert check_books(session, event_id).arrived == 0
        with pytest.raises(Conflict, match="same_id_other_content"):
            arrivals.arrive(ctx, Arrive(event_id, rosa, people=3, client_uuid="u-1"))


def test_three_of_four_came_and_the_fourth_later(database: Database, world: World, event_id: int) -> None:
    four = party(database, event_id, party_size=4)
    with database.writing() as session:
        ctx = at_door(session, world)
        inside = arrivals.arrive(ctx, Arrive(event_id, four, people=3))
        assert check_books(session, event_id).arrived == 3
        arrivals.recount(ctx, event_id, inside.arrival.id, 4)
        books = check_books(session, event_id)
        assert (books.arrived, books.taken) == (4, 4)


def test_who_waits_comes_in_with_a_reason_and_goes_back_where_they_were(
    database: Database, world: World
) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=2)
        event_id = event.id
        signed_up(session, event, "Ada", party_size=2)
        first, second = (signed_up(session, event, name) for name in ("Bice", "Carla"))
        assert second.queue_no and first.queue_no and first.queue_no < second.queue_no
        numbers = first.queue_no, second.queue_no
    with database.writing() as session:
        ctx = at_door(session, world)
        with pytest.raises(Conflict, match="waiting_list"):
            arrivals.arrive(ctx, Arrive(event_id, first.id))
    with database.writing() as session:
        ctx = at_door(session, world)
        inside = arrivals.arrive(ctx, Arrive(event_id, first.id, override_reason="C'è ancora una sedia"))
        books = check_books(session, event_id)
        assert (books.taken, books.waiting, books.arrived) == (3, 1, 1)
        told = select(AuditEntry.reason).where(AuditEntry.verb == "arrival.over")
        assert session.scalar(told) == "C'è ancora una sedia"
        arrivals.undo(ctx, event_id, inside.arrival.id)
    with database.writing() as session:
        books = check_books(session, event_id)
        assert (books.taken, books.waiting, books.arrived) == (2, 2, 0)
        rows = [session.get_one(Registration, one.id) for one in (first, second)]
        assert tuple(row.queue_no for row in rows) == numbers


def test_a_name_is_enough_to_walk_in(database: Database, world: World, event_id: int) -> None:
    with database.writing() as session:
        ctx = at_door(session, world)
        inside = arrivals.walk_in(ctx, WalkIn(event_id, "  Nonna   Pina ", 2, client_uuid="w-1"))
        assert inside.registration.name == "Nonna Pina" and inside.registration.source is Source.DOOR
        assert arrivals.walk_in(ctx, WalkIn(event_id, "  Nonna   Pina ", 2, client_uuid="w-1")).repeated
        with pytest.raises(Conflict, match="same_id_other_content"):
            arrivals.walk_in(ctx, WalkIn(event_id, "Un altro", client_uuid="w-1"))
        books = check_books(session, event_id)
        assert (books.arrived, books.taken) == (2, 2)
        arrivals.undo(ctx, event_id, inside.arrival.id)
        books = check_books(session, event_id)
        assert (books.arrived, books.taken) == (0, 0)


def test_walking_into_a_full_room_needs_a_reason(database: Database, world: World) -> None:
    with database.writing() as session:
        event_id = make_event(session, world, sign_up_capacity=1).id
    with database.writing() as session:
        ctx = at_door(session, world)
        with pytest.raises(Conflict, match="no_place_left"):
            arrivals.walk_in(ctx, WalkIn(event_id, "Pina", 2))
    with database.writing() as session:
        ctx = at_door(session, world)
        arrivals.walk_in(ctx, WalkIn(event_id, "Pina", 2, override_reason="In piedi"))
        books = check_books(session, event_id)
        assert (books.arrived, books.taken) == (2, 2)


def test_what_a_tablet_at_the_door_wrote_without_network_is_a_fact(database: Database, world: World) -> None:
    with database.writing() as session:
        event_id = make_event(session, world, sign_up_capacity=0).id
    with database.writing() as session:
        ctx = Context(session, SYSTEM, NOW)
        said = NOW.replace(hour=8)
        written = WalkIn(event_id, "Pina", client_uuid="w-2", payload_hash="h", device_id=None, said_at=said)
        # No tablet stands behind this one: places count.
        with pytest.raises(Conflict, match="no_place_left"):
            arrivals.walk_in(ctx, written)
        inside = arrivals.walk_in(
            ctx, WalkIn(event_id, "Pina", source=Source.PAPER, sheet_no=1, line_no=1, said_at=said)
        )
        assert inside.at == said and check_books(session, event_id).arrived == 1


def test_the_door_works_where_nobody_need_sign_up(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world)
        session.delete(session.get_one(SignUp, event.id))
        event_id = event.id
    with database.writing() as session:
        arrivals.walk_in(at_door(session, world), WalkIn(event_id, "Pina", 3))
        assert check_books(session, event_id).arrived == 3


def test_who_cancelled_and_comes_has_a_place_if_there_is_one(
    database: Database, world: World, event_id: int
) -> None:
    rosa = party(database, event_id)
    with database.writing() as session:
        registrations.cancel(Context(session, SYSTEM, NOW), rosa)
    with database.writing() as session:
        ctx = at_door(session, world)
        inside = arrivals.arrive(ctx, Arrive(event_id, rosa))
        assert check_books(session, event_id).arrived == 1
        arrivals.undo(ctx, event_id, inside.arrival.id)
        row = session.get_one(Registration, rosa)
        assert row.state is RegistrationState.CANCELLED and row.cancelled_at == NOW
        assert check_books(session, event_id).taken == 0


def test_after_the_promised_day_no_name_is_written_and_a_late_repeat_is_answered(
    database: Database, world: World, event_id: int
) -> None:
    with database.writing() as session:
        ctx = at_door(session, world)
        arrivals.walk_in(ctx, WalkIn(event_id, "Pina", client_uuid="w-9"))
        registration_retention.forget(ctx, event_id)
    with database.writing() as session:
        ctx = at_door(session, world)
        assert arrivals.walk_in(ctx, WalkIn(event_id, "Pina", client_uuid="w-9")).repeated
        with pytest.raises(Conflict, match="list_closed"):
            arrivals.walk_in(ctx, WalkIn(event_id, "Rosa"))
        assert check_books(session, event_id).arrived == 1


def test_only_hosts_mark_arrivals(database: Database, world: World, event_id: int) -> None:
    rosa = party(database, event_id)
    with database.writing() as session:
        for who in ("rosa", "office", "moderator"):
            ctx = Context(session, world.actor(who), NOW)
            with pytest.raises(NotFound):
                arrivals.arrive(ctx, Arrive(event_id, rosa))
            with pytest.raises(NotFound):
                arrivals.walk_in(ctx, WalkIn(event_id, "Pina"))
            with pytest.raises(NotFound):
                arrivals.undo(ctx, event_id, 1)


def test_nonsense_is_refused(database: Database, world: World, event_id: int) -> None:
    rosa = party(database, event_id)
    with database.writing() as session:
        other = make_event(session, world, code="EV91")
        ctx = at_door(session, world)
        for people in (0, 51):
            with pytest.raises(Invalid):
                arrivals.arrive(ctx, Arrive(event_id, rosa, people=people))
        for missing in (Arrive(event_id, code="ZZZZ"), Arrive(event_id), Arrive(other.id, rosa)):
            with pytest.raises(NotFound):
                arrivals.arrive(ctx, missing)
        session.get_one(Event, event_id).state = EventState.CANCELLED
        with pytest.raises(Conflict, match="event_cancelled"):
            arrivals.arrive(ctx, Arrive(event_id, rosa))


def test_many_who_mark_the_same_party_at_once_count_it_once(
    database: Database, world: World, event_id: int
) -> None:
    rosa = party(database, event_id, party_size=2)
    volunteers: tuple[Actor, ...] = (world.actor("facilitator"), SYSTEM)

    def mark(number: int) -> bool:
        with database.writing() as session:
            ctx = Context(session, volunteers[number % 2], NOW)
            uuid = "same" if number < 4 else f"own-{number}"
            return arrivals.arrive(ctx, Arrive(event_id, rosa, client_uuid=uuid)).again

    results = together(mark)
    assert not [one for one in results if isinstance(one, BaseException)], results
    with database.session() as session:
        assert check_books(session, event_id).arrived == 2
        assert session.scalar(select(func.count()).where(Arrival.undone_at.is_(None))) == 1
