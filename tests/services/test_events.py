"""Preparing meetings: who may, what changes tell, series and copies, who runs them, what is public."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lab.db import search
from lab.db.engine import Database
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.events import (
    AgendaItem,
    Event,
    EventHost,
    EventKind,
    EventProject,
    EventState,
    Fullness,
    Influence,
)
from lab.models.operations import AuditEntry, OutboxItem
from lab.models.registrations import Registration, SignUp
from lab.models.rooms import Room, RoomView
from lab.policy.actor import ANONYMOUS
from lab.services import (
    event_documents,
    event_editing,
    event_hosts,
    event_series,
    events,
    feed,
    registrations,
)
from lab.services.context import Context
from lab.services.event_documents import AddDocument
from lab.services.event_editing import Cancel, Change, Create, Publish
from lab.services.event_hosts import ChangeHosts
from lab.services.event_plan import Plan, Point
from lab.services.event_series import Duplicate, Repeat, Rhythm
from lab.services.registrations import Party
from tests.meetings import make_event, signed_up
from tests.world import NOW, World

Acting = Callable[[Session, str], Context]
PLAN = Plan(EventKind.WALK, "Passeggiata al parco", date(2026, 12, 5), time(9, 30))


@pytest.fixture
def session(database: Database, world: World) -> Any:
    with database.writing() as session:
        yield session
        session.rollback()


def told(session: Session, name: str) -> list[dict[str, Any]]:
    items = session.execute(select(OutboxItem).where(OutboxItem.topic == "announce")).scalars()
    return [item.payload for item in items if item.payload["event"] == name]


def found(session: Session, words: str) -> list[int]:
    return [key for _document, key in search.found_ids(session, "event", words, limit=5)]


def test_four_answers_make_a_meeting_with_usual_length_and_its_maker_as_host(
    session: Session, acting: Acting, world: World
) -> None:
    ctx = acting(session, "facilitator")
    event = event_editing.create(ctx, Create(PLAN, idempotency_key="k"))
    again = event_editing.create(ctx, Create(PLAN, idempotency_key="k"))
    assert again.id == event.id
    assert (event.code, event.minutes, event.influence) == ("EV01", 120, Influence.INVOLVE)
    assert event.starts_at == NOW.replace(month=12, day=5, hour=8, minute=30)
    assert not event.is_public
    hosts = session.execute(select(EventHost.person_id).where(EventHost.event_id == event.id)).scalars().all()
    assert hosts == [world.people["facilitator"]]
    assert event.fullness is Fullness.NO_SIGN_UP
    assert found(session, "passeggiata") == []


def test_places_are_counted_from_the_start_when_one_signs_up(session: Session, acting: Acting) -> None:
    plan = replace(PLAN, seats=2, offers=("childcare",))
    event = event_editing.create(acting(session, "office"), Create(plan, with_sign_up=True, publish=True))
    assert event.fullness is Fullness.FREE
    books = session.get_one(SignUp, event.id)
    assert (books.capacity, books.is_offered, books.asks) == (2, True, ["childcare"])
    signed_up(session, event)
    signed_up(session, event, "Samir")
    assert session.get_one(Event, event.id).fullness is Fullness.FULL
    assert found(session, "passeggiata") == [event.id]


def test_who_hosts_nothing_prepares_nothing(session: Session, acting: Acting, world: World) -> None:
    event = make_event(session, world)
    acts: list[Callable[[Context], Any]] = [
        lambda ctx: event_editing.create(ctx, Create(PLAN)),
        lambda ctx: event_editing.change(ctx, Change(event.id, None, PLAN)),
        lambda ctx: event_editing.publish(ctx, Publish(event.id, None)),
        lambda ctx: event_editing.cancel(ctx, Cancel(event.id, None, "Piove")),
        lambda ctx: event_series.duplicate(ctx, Duplicate(event.id, PLAN.day, PLAN.hour)),
        lambda ctx: event_series.repeat(ctx, Repeat(event.id, None, Rhythm.WEEKLY, 2)),
        lambda ctx: event_hosts.change(ctx, ChangeHosts(event.id, None, frozenset({1}))),
        lambda ctx: event_documents.add(ctx, AddDocument(event.id, "x", "https://example.org")),
        lambda ctx: event_documents.remove(ctx, event.id, 1),
    ]
    for who in ("rosa", "committee", "administrator"):
        for act in acts:
            with pytest.raises(NotFound):
                act(acting(session, who))


def test_offices_and_delegates_edit_what_they_host_and_nothing_else(
    session: Session, acting: Acting, world: World
) -> None:
    theirs = make_event(session, world, host="delegate")
    other = make_event(session, world, code="EV91")
    ctx = acting(session, "delegate")
    assert event_editing.change(ctx, Change(theirs.id, None, PLAN)).title == PLAN.title
    with pytest.raises(NotFound):
        event_editing.change(ctx, Change(other.id, None, PLAN))
    assert event_editing.change(acting(session, "coordinator"), Change(other.id, None, PLAN)).version == 2


def test_moving_a_meeting_is_told_and_other_words_are_not(
    session: Session, acting: Acting, world: World
) -> None:
    event = make_event(session, world)
    ctx = acting(session, "facilitator")
    plan = replace(PLAN, place_id=world.park, project_ids=frozenset({world.project, world.other_project}))
    event_editing.change(ctx, Change(event.id, 1, plan))
    assert [one["what"] for one in told(session, "event.changed")] == [["when"]]
    assert (event.version, event.sequence, event.changed_at) == (2, 1, NOW)
    event_editing.change(ctx, Change(event.id, 2, replace(plan, text="Scarpe comode")))
    assert (event.version, event.sequence) == (3, 1)
    event_editing.change(ctx, Change(event.id, 3, replace(plan, place_id=world.towers)))
    assert [one["what"] for one in told(session, "event.changed")] == [["when"], ["where"]]
    served = select(EventProject.project_id).where(EventProject.event_id == event.id)
    assert set(session.execute(served).scalars()) == {world.project, world.other_project}
    with pytest.raises(Conflict) as clash:
        event_editing.change(ctx, Change(event.id, 3, plan))
    assert clash.value.code == "changed_meanwhile"


def test_a_draft_that_moves_tells_nobody(session: Session, acting: Acting) -> None:
    ctx = acting(session, "facilitator")
    event = event_editing.create(ctx, Create(PLAN))
    event_editing.change(ctx, Change(event.id, 1, replace(PLAN, hour=time(10))))
    assert told(session, "event.changed") == []
    event_editing.publish(ctx, Publish(event.id, 2))
    assert event.is_public
    assert found(session, "parco") == [event.id]


def test_what_cannot_be_is_refused_at_its_field(session: Session, acting: Acting) -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("title", {"title": "  "}),
        ("title", {"title": "x" * 201}),
        ("hour", {"day": date(2027, 3, 28), "hour": time(2, 30)}),
        ("day", {"day": date(1026, 3, 28)}),
        ("minutes", {"minutes": 4}),
        ("minutes", {"minutes": 5000}),
        ("seats", {"seats": -1}),
        ("languages", {"languages": ()}),
        ("languages", {"languages": ("xx",)}),
        ("offers", {"offers": ("gold",)}),
        ("place", {"place_id": 10**9}),
        ("projects", {"project_ids": frozenset({10**9})}),
        ("bodies", {"body_ids": frozenset({10**9})}),
        ("agenda", {"agenda": (Point("x", 0),)}),
        ("agenda", {"agenda": (Point(" ", 5),)}),
        ("agenda", {"agenda": (Point("x"),) * 41}),
        ("promise", {"promise": "x" * 601}),
    ]
    for field, changes in wrong:
        with pytest.raises(Invalid) as refusal, session.begin_nested():
            event_editing.create(acting(session, "facilitator"), Create(replace(PLAN, **changes)))
        assert refusal.value.field == field


def test_cancelling_tells_everybody_once_and_lets_nobody_sign_up_after(
    session: Session, acting: Acting, world: World
) -> None:
    event = make_event(session, world)
    signed_up(session, event)
    ctx = acting(session, "facilitator")
    for reason in ("", "x" * 601):
        with pytest.raises(Invalid):
            event_editing.cancel(ctx, Cancel(event.id, 1, reason))
    with pytest.raises(Conflict):
        event_editing.cancel(ctx, Cancel(event.id, 7, "Piove"))
    for _twice in range(2):
        event_editing.cancel(ctx, Cancel(event.id, 1, "Piove"))
    assert (event.state, event.cancelled_reason, event.sequence) == (EventState.CANCELLED, "Piove", 1)
    assert [one["event_id"] for one in told(session, "event.cancelled")] == [event.id]
    with pytest.raises(Conflict):
        registrations.sign_up(Context(session, ANONYMOUS, NOW), Party(event.id, "Samir"))
    # also one that read the event before, and waited for the books meanwhile
    assert session.get_one(SignUp, event.id).closes_at == NOW
    with pytest.raises(Conflict):
        event_editing.change(ctx, Change(event.id, None, PLAN))
    assert events.coming(ctx) == []
    assert [one.code for one in events.calendar(ctx).coming] == ["EV90"]
    assert [one.kind for one in feed.news(ctx)] == ["called_off"]


def test_what_has_been_is_not_cancelled(session: Session, acting: Acting, world: World) -> None:
    event = make_event(session, world, starts_at=NOW - timedelta(days=2), state=EventState.HELD)
    with pytest.raises(Conflict) as refusal:
        event_editing.cancel(acting(session, "facilitator"), Cancel(event.id, None, "Tardi"))
    assert refusal.value.code == "already_held"


def test_a_result_makes_it_held_and_the_past_tells_nobody(
    session: Session, acting: Acting, world: World
) -> None:
    event = make_event(session, world, starts_at=NOW - timedelta(days=2))
    ctx = acting(session, "moderator")
    plan = replace(PLAN, day=date(2026, 11, 20), result="Nove idee", attendance=0)
    event_editing.change(ctx, Change(event.id, 1, plan))
    assert (event.state, event.attendance) == (EventState.HELD, 0)
    assert told(session, "event.changed") == []


def test_the_room_keeps_its_point_when_the_agenda_is_written_anew(
    session: Session, acting: Acting, world: World
) -> None:
    ctx = acting(session, "facilitator")
    plan = replace(PLAN, agenda=(Point("Uno", 5), Point("Due", 10), Point("Tre", 15)))
    event = event_editing.create(ctx, Create(plan))
    rows = session.execute(select(AgendaItem).order_by(AgendaItem.position)).scalars().all()
    session.add(Room(event_id=event.id, view=RoomView.AGENDA, agenda_item_id=rows[2].id))
    session.flush()
    event_editing.change(ctx, Change(event.id, None, replace(plan, agenda=(Point("Uno", 5), Point("2", 10)))))
    left = session.execute(select(AgendaItem).order_by(AgendaItem.position)).scalars().all()
    assert [(row.id, row.title) for row in left] == [(rows[0].id, "Uno"), (rows[1].id, "2")]
    assert session.get_one(Room, event.id).agenda_item_id is None


def test_a_series_is_made_at_once_with_codes_and_books_of_its_own(
    session: Session, acting: Acting, world: World
) -> None:
    event = make_event(session, world, starts_at=NOW.replace(month=3, day=3, year=2027))
    signed_up(session, event)
    ctx = acting(session, "facilitator")
    command = Repeat(event.id, 1, Rhythm.MONTHLY, 3, "key")
    series = event_series.repeat(ctx, command)
    assert event_series.repeat(ctx, command).id == series.id
    dates = events.calendar(ctx, events.Wish(series_id=series.id)).coming
    assert [one.starts_at.date() for one in dates] == [
        date(2027, 3, 3), date(2027, 4, 7), date(2027, 5, 5), date(2027, 6, 2)
    ]  # fmt: skip
    # the same hour on the wall, summer or winter
    assert {one.starts_at.hour for one in dates[1:]} == {8}
    assert len({one.code for one in dates}) == 4
    for one in dates[1:]:
        books = session.get_one(SignUp, one.id)
        assert (books.capacity, books.taken, one.is_public) == (10, 0, True)
    assert [row.title for row in events.page(ctx, "EV90").parts.dates] == [event.title] * 3
    with pytest.raises(Invalid):
        event_series.repeat(ctx, replace(command, version=None, times=31, idempotency_key="other"))


def test_a_copy_is_a_draft_without_people_and_files(session: Session, acting: Acting, world: World) -> None:
    event = make_event(session, world)
    signed_up(session, event)
    ctx = acting(session, "moderator")
    event_documents.add(ctx, AddDocument(event.id, "Bozza", "https://example.org/a"))
    event_documents.add(ctx, AddDocument(event.id, "Pianta", "", "a" * 32, 9))
    copy = event_series.duplicate(ctx, Duplicate(event.id, date(2026, 12, 9), time(18), "k"))
    assert event_series.duplicate(ctx, Duplicate(event.id, date(2026, 12, 9), time(18), "k")).id == copy.id
    assert not copy.is_public
    assert [one.title for one in event_documents.of(ctx, copy.id)] == ["Bozza"]
    assert session.execute(select(Registration).where(Registration.event_id == copy.id)).first() is None
    hosts = set(session.execute(select(EventHost.person_id).where(EventHost.event_id == copy.id)).scalars())
    assert hosts == {world.people["facilitator"], world.people["moderator"]}


def test_hosts_are_staff_are_never_nobody_and_changes_stay_on_record(
    session: Session, acting: Acting, world: World
) -> None:
    event = make_event(session, world)
    ctx = acting(session, "coordinator")
    assert {one.id for one in event_hosts.candidates(ctx)} == {
        world.people[who]
        for who in ("facilitator", "moderator", "office", "other_office", "coordinator", "delegate")
    }
    for wrong in (frozenset(), frozenset({world.people["rosa"]})):
        with pytest.raises(Invalid):
            event_hosts.change(ctx, ChangeHosts(event.id, 1, wrong))
    event_hosts.change(ctx, ChangeHosts(event.id, 1, frozenset({world.people["office"]})))
    entry = session.execute(select(AuditEntry).where(AuditEntry.verb == "event.hosts")).scalar_one()
    assert entry.details["added"] == [world.people["office"]]
    assert entry.details["removed"] == [world.people["facilitator"]]


def test_only_plain_https_addresses_are_linked(session: Session, acting: Acting, world: World) -> None:
    event = make_event(session, world)
    for url in (
        "http://example.org", "javascript:alert(1)", "https://", "https://u@example.org",
        "ftp://example.org/x", "https://localhost", "//example.org", "https://example.org/" + "x" * 500,
    ):  # fmt: skip
        with pytest.raises(Invalid) as refusal:
            event_documents.add(acting(session, "facilitator"), AddDocument(event.id, "Leggi", url))
        assert refusal.value.field == "url"


def test_a_document_is_one_thing_however_often_it_is_sent(
    session: Session, acting: Acting, world: World
) -> None:
    event = make_event(session, world)
    ctx = acting(session, "facilitator")
    first = event_documents.add(ctx, AddDocument(event.id, "Pianta", "", "a" * 32, 9))
    again = event_documents.add(ctx, AddDocument(event.id, "Pianta", "", "b" * 32, 9))
    assert (again.id, again.file_name) == (first.id, "a" * 32)
    with pytest.raises(Invalid):
        event_documents.add(ctx, AddDocument(event.id, "Niente"))
    assert event_documents.remove(ctx, event.id, first.id) == "a" * 32
    assert event_documents.of(ctx, event.id) == []


def test_a_draft_is_nowhere_in_public(session: Session, acting: Acting, world: World) -> None:
    event = make_event(session, world, is_public=False)
    ctx = acting(session, "rosa")
    assert events.coming(ctx) == []
    assert events.calendar(ctx).coming == []
    assert events.subscribed(ctx) == []
    with pytest.raises(NotFound):
        events.page(ctx, event.code)
    for who in ("facilitator", "coordinator"):
        assert events.page(acting(session, who), event.code).event.id == event.id
    session.expire_all()
    with pytest.raises(NotFound):
        events.page(acting(session, "office"), event.code)


def test_what_comes_and_what_has_been_go_on_by_key(session: Session, acting: Acting, world: World) -> None:
    ctx = acting(session, "rosa")
    for number in range(64):
        session.add(
            Event(
                code=f"EV{number}", kind=EventKind.PARTY, title="x",
                starts_at=NOW + timedelta(days=number - 32),
            )
        )  # fmt: skip
    session.flush()
    first = events.calendar(ctx)
    assert (len(first.coming), first.more_coming, len(first.past), first.more_past) == (30, True, 20, True)
    last = first.coming[-1]
    rest = events.calendar(ctx, ahead=(last.starts_at, last.id))
    assert (len(rest.coming), rest.more_coming, rest.past) == (2, False, [])
    oldest = first.past[-1]
    older = events.calendar(ctx, after=(oldest.starts_at, oldest.id))
    assert (len(older.past), older.coming) == (12, [])


def test_a_sign_up_that_read_the_event_before_it_was_cancelled_is_refused(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        event_id = make_event(session, world).id
    if database.engine.dialect.name == "sqlite":
        return  # one writer at a time: nobody reads while another writes
    with database.writing() as late:
        assert late.get_one(Event, event_id).state is EventState.PLANNED
        with database.writing() as session:
            event_editing.cancel(acting(session, "facilitator"), Cancel(event_id, 1, "Piove"))
        with pytest.raises(Conflict):
            registrations.sign_up(Context(late, ANONYMOUS, NOW), Party(event_id, "Samir"))
