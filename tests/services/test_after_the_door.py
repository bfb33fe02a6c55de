"""After the meeting: sheets typed in by two people, doubles merged and parted, one count that adds up."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.events import Event
from lab.models.registrations import Arrival, Registration, RegistrationState, SeatGroup, SignUp, Source
from lab.services import arrivals, door_list, doubles, head_count, paper, registrations
from lab.services.alike_names import COMPARED_MOST, Named, Why, likely
from lab.services.arrivals import Arrive, WalkIn
from lab.services.context import Context
from lab.services.paper import TypeLine
from tests.db.test_two_at_once import together
from tests.meetings import make_event, signed_up
from tests.services.test_arrivals import at_door, check_books
from tests.world import NOW, World


@pytest.fixture
def event_id(database: Database, world: World) -> int:
    with database.writing() as session:
        event_id = make_event(session, world).id
        paper.print_sheets(Context(session, world.actor("facilitator"), NOW), event_id, 2, 20)
        return event_id


def rows_of(session: Session, event_id: int) -> list[Registration]:
    query = select(Registration).where(Registration.event_id == event_id).order_by(Registration.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def line(event_id: int, number: int, name: str, **more: Any) -> TypeLine:
    return TypeLine(event_id, 1, number, name, **more)


def event_in(session: Session, event_id: int) -> Event:
    return session.get_one(Event, event_id)


def test_two_who_type_the_same_sheet_make_no_doubles(database: Database, world: World, event_id: int) -> None:
    names = ["Rosa Bianchi", "Samir", "Nonna Pina", "D'Angelo Maria"]

    def type_all(number: int) -> int:
        for at, name in enumerate(names, start=1):
            with database.writing() as session:
                paper.type_line(at_door(session, world), line(event_id, at, name, people=at))
        return number

    results = together(type_all, 4)
    assert sorted(results) == [0, 1, 2, 3], results
    with database.writing() as session:
        books = check_books(session, event_id)
        assert (books.arrived, books.taken) == (10, 10)
        assert sorted(row.name for row in rows_of(session, event_id)) == sorted(names)
        sheets = paper.sheets(at_door(session, world), event_in(session, event_id))
        assert [(one.sheet.number, one.typed) for one in sheets] == [(1, 4), (2, 0)]


def test_a_line_read_differently_is_shown_and_asked(database: Database, world: World, event_id: int) -> None:
    with database.writing() as session:
        ctx = at_door(session, world)
        first = paper.type_line(ctx, line(event_id, 3, "Rosa Bianchi", contact="333 1234567", people=2))
        with pytest.raises(Conflict, match="typed_differently"):
            paper.type_line(ctx, line(event_id, 3, "Rosa Bianco", contact="333 1234567", people=2))
        assert first.row
        mine = line(event_id, 3, "Rosa Bianco", people=4, expected_version=first.row.version)
        paper.type_line(ctx, mine)
    with database.writing() as session:
        [row] = rows_of(session, event_id)
        assert (row.name, row.phone, row.arrived_count) == ("Rosa Bianco", None, 4)
        assert check_books(session, event_id).arrived == 4


def test_a_line_can_be_unmarked_emptied_and_written_again(
    database: Database, world: World, event_id: int
) -> None:
    def now(name: str, **more: Any) -> tuple[int, int]:
        with database.writing() as session:
            ctx = at_door(session, world)
            before = paper.lines(ctx, paper.sheet_of(ctx, event_id, 1))[4].row
            more["expected_version"] = before.version if before else None
            paper.type_line(ctx, line(event_id, 5, name, **more))
        with database.writing() as session:
            books = check_books(session, event_id)
            return books.arrived, books.taken

    assert now("Rosa", people=2) == (2, 2)
    assert now("Rosa", people=2, arrived=False) == (0, 2)
    assert now("Rosa", people=3) == (3, 3)
    assert now("") == (0, 0)
    assert now("Pina") == (1, 1)


def test_paper_is_never_refused_for_want_of_places(database: Database, world: World, event_id: int) -> None:
    with database.writing() as session:
        session.get_one(SignUp, event_id).capacity = 1
    with database.writing() as session:
        ctx = at_door(session, world)
        paper.type_line(ctx, line(event_id, 1, "Rosa", people=4))
        paper.type_line(ctx, line(event_id, 2, "Chi voleva venire", arrived=False))
        books = check_books(session, event_id)
        assert (books.arrived, books.taken, books.waiting) == (4, 4, 1)


def test_the_same_contact_and_name_is_one_party_and_a_house_is_not(
    database: Database, world: World, event_id: int
) -> None:
    with database.writing() as session:
        signed_up(session, event_in(session, event_id), "Bianchi Rosa", phone="3331234567", party_size=2)
    with database.writing() as session:
        ctx = at_door(session, world)
        same = paper.type_line(ctx, line(event_id, 1, "Rosa Bianchi", contact="333 123 4567", people=2))
        house = paper.type_line(ctx, line(event_id, 2, "Mario Verdi", contact="333 123 4567"))
        assert same.is_merged and not house.is_merged
        books = check_books(session, event_id)
        assert (books.arrived, books.taken) == (3, 3)
        found = doubles.look(ctx, event_in(session, event_id))
        assert [pair.why for pair in found.pairs] == [Why.SAME_CONTACT]
        totals = head_count.totals(ctx, event_in(session, event_id))
        assert totals.by_source() == {"paper": 3, "site": 2, "merged": 2}
        assert (totals.claimed - totals.merged, totals.total) == (3, 3)


def test_a_line_that_makes_no_sense_says_where(database: Database, world: World, event_id: int) -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("people", {"people": 0}),
        ("people", {"people": 51}),
        ("contact", {"contact": "rosa@"}),
        ("contact", {"contact": "boh"}),
        ("name", {"name": "", "contact": "3331234567"}),
        ("name", {"name": "x" * 81}),
    ]
    with database.writing() as session:
        for field, more in wrong:
            with pytest.raises(Invalid) as refused:
                paper.type_line(at_door(session, world), line(event_id, 1, **{"name": "Rosa", **more}))
            assert refused.value.field == field


def state_of(session: Session, event_id: int) -> list[Any]:
    """Everything a merge may touch, for comparing before and after."""
    session.expire_all()
    books = session.get_one(SignUp, event_id)
    rows = [
        (
            row.id, row.state, row.queue_no, row.party_size, row.confirmed_at, row.arrived_at,
            row.arrived_count, row.email, row.email_key, row.phone_key, row.needs, row.merged_into_id,
        )
        for row in rows_of(session, event_id)
    ]  # fmt: skip
    groups = session.execute(
        select(SeatGroup.id, SeatGroup.taken).where(SeatGroup.event_id == event_id)
    ).all()
    marks = session.execute(
        select(Arrival.id, Arrival.registration_id, Arrival.people, Arrival.undone_at)
        .where(Arrival.event_id == event_id)
        .order_by(Arrival.id)
    ).all()
    return [books.taken, books.waiting, books.arrived, rows, list(groups), list(marks)]


@pytest.mark.parametrize(("first_came", "second_came"), [(None, None), (None, 2), (1, None), (3, 2)])
def test_undoing_a_merge_gives_back_exactly_what_was(
    database: Database, world: World, event_id: int, first_came: int | None, second_came: int | None
) -> None:
    with database.writing() as session:
        event = event_in(session, event_id)
        books = session.get_one(SignUp, event_id)
        books.has_groups, books.asks = True, ["food", "childcare"]
        group = SeatGroup(event_id=event_id, name="Scala B")
        session.add(group)
        session.flush()
        one = signed_up(session, event, "Rosa Bianchi", party_size=2, group_id=group.id, needs=("food",))
        two = signed_up(session, event, "Bianchi Rosà", email="rosa@example.org", needs=("childcare",))
        ctx = at_door(session, world)
        for row, people in ((one, first_came), (two, second_came)):
            if people:
                arrivals.arrive(ctx, Arrive(event_id, row.id, people=people))
    with database.writing() as session:
        before = state_of(session, event_id)
        [pair] = doubles.look(at_door(session, world), event_in(session, event_id)).pairs
        assert (pair.first.id, pair.second.id, pair.why) == (one.id, two.id, Why.SAME_NAME)
    with database.writing() as session:
        ctx = at_door(session, world)
        merge = doubles.unite(ctx, event_id, two.id, one.id)
        assert doubles.unite(ctx, event_id, one.id, two.id).id == merge.id
        books = check_books(session, event_id)
        assert books.arrived == max(first_came or 0, second_came or 0)
        kept = session.get_one(Registration, one.id)
        assert kept.email == "rosa@example.org" and kept.needs == ["childcare", "food"]
        totals = head_count.totals(ctx, event_in(session, event_id))
        assert totals.claimed - totals.merged == totals.total == books.arrived
        if first_came or second_came:
            # Their ticket says who they are, whichever of the two they hold.
            assert arrivals.arrive(ctx, Arrive(event_id, two.id)).again
    with database.writing() as session:
        doubles.separate(at_door(session, world), event_id, merge.id)
        check_books(session, event_id)
    with database.writing() as session:
        assert state_of(session, event_id) == before


def test_a_merge_of_who_waits_is_undone_to_the_same_number(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=1)
        event_id = event.id
        signed_up(session, event, "Rosa Bianchi")
        for name in ("Ada", "Rosa Bianchi", "Carla"):
            signed_up(session, event, name)
        before = state_of(session, event_id)
        ids = [row.id for row in rows_of(session, event_id)]
    with database.writing() as session:
        merge = doubles.unite(at_door(session, world), event_id, ids[0], ids[2])
        books = check_books(session, event_id)
        assert (books.taken, books.waiting) == (1, 2)
    with database.writing() as session:
        doubles.separate(at_door(session, world), event_id, merge.id)
    with database.writing() as session:
        assert state_of(session, event_id) == before


def test_a_mark_taken_back_between_stays_taken_back(database: Database, world: World, event_id: int) -> None:
    with database.writing() as session:
        ctx = at_door(session, world)
        one = arrivals.walk_in(ctx, WalkIn(event_id, "Rosa")).registration.id
        two = arrivals.walk_in(ctx, WalkIn(event_id, "Rosa")).registration.id
        merge = doubles.unite(ctx, event_id, one, two)
        inside = arrivals.standing_arrival(ctx, one)
        assert inside
        arrivals.undo(ctx, event_id, inside.id)
        assert head_count.totals(ctx, event_in(session, event_id)).merged == 0
        doubles.separate(ctx, event_id, merge.id)
        assert check_books(session, event_id).arrived == 0


def test_merges_are_undone_from_the_last_one(database: Database, world: World, event_id: int) -> None:
    with database.writing() as session:
        ctx = at_door(session, world)
        ids = [arrivals.walk_in(ctx, WalkIn(event_id, "Rosa")).registration.id for _ in range(3)]
        before = state_of(session, event_id)
        first = doubles.unite(ctx, event_id, ids[0], ids[1])
        second = doubles.unite(ctx, event_id, ids[0], ids[2])
        assert head_count.totals(ctx, event_in(session, event_id)).total == 1
        with pytest.raises(Conflict, match="later_first"):
            doubles.separate(ctx, event_id, first.id)
        with pytest.raises(Conflict, match="not_standing"):
            doubles.unite(ctx, event_id, ids[1], ids[2])
        doubles.separate(ctx, event_id, second.id)
        doubles.separate(ctx, event_id, first.id)
        session.flush()
        assert state_of(session, event_id) == before


def test_people_found_to_be_different_are_not_proposed_again(
    database: Database, world: World, event_id: int
) -> None:
    with database.writing() as session:
        ctx = at_door(session, world)
        event = event_in(session, event_id)
        one, two = (signed_up(session, event, "Maria Rossi") for _ in range(2))
        doubles.keep_apart(ctx, event_id, two.id, one.id)
        doubles.keep_apart(ctx, event_id, one.id, two.id)
        found = doubles.look(ctx, event)
        assert not found.pairs and [(a.id, b.id) for a, b in found.apart] == [(one.id, two.id)]
        doubles.look_again(ctx, event_id, one.id, two.id)
        assert len(doubles.look(ctx, event).pairs) == 1


def test_others_hear_nothing_of_doubles_and_paper(database: Database, world: World, event_id: int) -> None:
    with database.writing() as session:
        ctx = Context(session, world.actor("office"), NOW)
        for act in (
            lambda: doubles.unite(ctx, event_id, 1, 2),
            lambda: doubles.separate(ctx, event_id, 1),
            lambda: doubles.keep_apart(ctx, event_id, 1, 2),
            lambda: paper.print_sheets(ctx, event_id, 1, 20),
            lambda: paper.type_line(ctx, line(event_id, 1, "Rosa")),
        ):
            with pytest.raises(NotFound):
                act()


def test_names_written_differently_are_found() -> None:
    names = {
        1: "D'Angelo Maria", 2: "maria d’angelò", 3: "Bianchi Rosa", 4: "Rosa Bianci",
        5: "Giuseppe Verdi", 6: "Samir", 7: "Samir El Amrani", 8: "Anna Rossi", 9: "Luca Neri",
        10: "Omar D'Amico", 11: "damico omar",
    }  # fmt: skip
    found = likely([Named(number, registrations.name_key(name)) for number, name in names.items()])
    assert [(one.low_id, one.high_id, one.why) for one in found] == [
        (1, 2, Why.SAME_NAME),
        (3, 4, Why.CLOSE_NAME),
        (10, 11, Why.CLOSE_NAME),
        (6, 7, Why.PART_OF_NAME),
    ]


@given(st.lists(st.text(alphabet="ab c", max_size=6), max_size=12))
def test_every_pair_is_proposed_once_and_never_a_row_with_itself(names: list[str]) -> None:
    rows = [Named(number, registrations.name_key(name)) for number, name in enumerate(names)]
    pairs = [(one.low_id, one.high_id) for one in likely(rows)]
    assert len(pairs) == len(set(pairs)) and all(low < high for low, high in pairs)


def test_a_list_of_two_thousand_is_compared_within_bounds() -> None:
    rows = [Named(number, f"maria {number:04} {number * 7919 % 997}") for number in range(2000)]
    assert len(likely(rows)) <= COMPARED_MOST + 2000


def test_a_number_written_by_hand_is_the_count_until_somebody_is_marked(
    database: Database, world: World, event_id: int
) -> None:
    with database.writing() as session:
        ctx = at_door(session, world)
        event = event_in(session, event_id)
        event.attendance = 87
        totals = head_count.totals(ctx, event)
        assert (totals.by_hand, totals.merged, totals.total, totals.told) == (87, 0, 87, None)
        arrivals.walk_in(ctx, WalkIn(event_id, "Carla"))
        totals = head_count.totals(ctx, event)
        assert (totals.by_hand, totals.merged, totals.total, totals.told) == (0, 0, 1, 87)


def test_the_count_adds_up_from_all_sources(database: Database, world: World, event_id: int) -> None:
    with database.writing() as session:
        ctx = at_door(session, world)
        event = event_in(session, event_id)
        came = signed_up(session, event, "Ada", party_size=2)
        signed_up(session, event, "Bice", source=Source.KIOSK)
        arrivals.arrive(ctx, Arrive(event_id, came.id))
        arrivals.walk_in(ctx, WalkIn(event_id, "Carla"))
        paper.type_line(ctx, line(event_id, 1, "Dina", people=3))
        totals = head_count.totals(ctx, event)
        people = {one.source: one.people for one in totals.counts}
        assert people == {Source.PAPER: 3, Source.KIOSK: 0, Source.SITE: 2, Source.DOOR: 1}
        assert (totals.merged, totals.total, totals.absent) == (0, 6, 1)
        # Who gives the place back after having come was there all the same.
        registrations.cancel(ctx, came.id)
        totals = head_count.totals(ctx, event)
        assert (totals.claimed, totals.merged, totals.total) == (6, 0, 6)


def test_a_name_is_found_by_its_beginnings_code_or_telephone(
    database: Database, world: World, event_id: int
) -> None:
    with database.writing() as session:
        ctx = at_door(session, world)
        event = event_in(session, event_id)
        maria = signed_up(session, event, "Maria D'Angelo", phone="333 1234567")
        signed_up(session, event, "Rosa_Bianchi")
        for words in ("dangelo mar", "d'a mari", "MARÍA", maria.code.lower(), "3331234567", "234567"):
            found = door_list.find(ctx, event, words)
            assert [one.registration.id for one in found] == [maria.id], words
        assert not door_list.find(ctx, event, "%")
        assert not door_list.find(ctx, event, "  ")
        assert session.scalar(select(func.count()).select_from(Registration)) == 2
        assert maria.state is RegistrationState.CONFIRMED
