"""Typing for somebody else: what is kept of the channel, the person, the day and the hands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.errors import Invalid, NotFound
from lab.models.accounts import Person
from lab.models.contributions import Channel, Contribution, Kind, State, Visibility
from lab.models.events import Event, EventKind, EventState
from lab.models.operations import AuditEntry, OutboxItem
from lab.services import intake
from lab.services.context import Context
from lab.services.intake import TypeIn
from tests.world import NOW, PERSONAS, World

Acting = Callable[[Session, str], Context]


def type_in(database: Database, acting: Acting, who: str = "facilitator", **what: Any) -> Contribution:
    values: dict[str, Any] = {"text": "L'ascensore della torre B è fermo", "channel": Channel.DESK}
    with database.writing() as session:
        return intake.type_in(acting(session, who), TypeIn(**{**values, **what}))


def test_two_words_and_a_channel_are_enough(database: Database, acting: Acting, world: World) -> None:
    placed = type_in(database, acting, channel=Channel.PHONE)
    assert (placed.channel, placed.person_id, placed.author_name) == (Channel.PHONE, None, "")
    assert placed.typed_by_id == world.people["facilitator"]
    assert placed.state is State.RECEIVED
    assert placed.promise_due_at == NOW + timedelta(days=30)
    with database.session() as session:
        audit = session.execute(select(AuditEntry).where(AuditEntry.verb == "contribution.type")).scalar_one()
        told = session.execute(select(OutboxItem)).scalars().all()
    assert (audit.capacity, audit.details) == ("facilitator", {"channel": "phone", "code": placed.code})
    assert [one.payload["event"] for one in told] == ["contribution.placed"]


def test_everything_that_was_said_is_kept(database: Database, acting: Acting, world: World) -> None:
    with database.writing() as session:
        assembly = Event(
            code="EV01", kind=EventKind.ASSEMBLY, title="Assemblea", starts_at=NOW - timedelta(days=3)
        )
        session.add(assembly)
    placed = type_in(
        database, acting, kind=Kind.REPORT, channel=Channel.ASSEMBLY, theme_id=world.repairs, hands=37,
        place_id=world.towers, event_id=assembly.id, said_on=date(2026, 11, 20), person_name="Nadia",
        private=True,
    )  # fmt: skip
    assert (placed.kind, placed.theme_id, placed.place_id) == (Kind.REPORT, world.repairs, world.towers)
    assert (placed.event_id, placed.author_name) == (assembly.id, "Nadia")
    assert (placed.supports_base, placed.supports_count) == (37, 37)
    assert placed.created_at == datetime(2026, 11, 20, 11, tzinfo=UTC)
    # Paper found today is promised from today: nobody can be late before they knew.
    assert placed.promise_due_at == NOW + timedelta(days=30)
    assert (placed.visibility, placed.is_listed) == (Visibility.PRIVATE, False)


def test_the_same_sheet_sent_twice_is_one(database: Database, acting: Acting, world: World) -> None:
    first = type_in(database, acting, idempotency_key="sheet", person_name="Nadia", register=True)
    again = type_in(database, acting, idempotency_key="sheet", person_name="Nadia", register=True)
    assert again.id == first.id
    with database.session() as session:
        assert session.execute(select(func.count()).where(Person.name == "Nadia")).scalar_one() == 1


def test_a_person_can_be_kept_for_letters_and_found_again(
    database: Database, acting: Acting, world: World
) -> None:
    placed = type_in(database, acting, person_name="Nadia K.", register=True, postal="Torre B, 3")
    with database.session() as session:
        (known,) = intake.known_people(acting(session, "facilitator"))
    assert (known.id, known.name, known.postal) == (placed.person_id, "Nadia K.", "Torre B, 3")
    other = type_in(database, acting, person_id=known.id, person_name="Nadia K.", author_name="Nonna N.")
    assert (other.person_id, other.author_name) == (known.id, "Nonna N.")


@pytest.mark.parametrize(
    ("what", "field"),
    [
        ({"text": "  "}, "text"),
        ({"text": "x" * 5001}, "text"),
        ({"title": "x" * 200}, "title"),
        ({"channel": Channel.SITE}, "channel"),
        ({"said_on": date(2026, 11, 24)}, "said_on"),
        ({"said_on": date(1999, 1, 1)}, "said_on"),
        ({"hands": -1}, "hands"),
        ({"hands": 2001}, "hands"),
        ({"theme_id": 10**9}, "theme"),
        ({"place_id": 10**9}, "place"),
        ({"event_id": 10**9}, "event"),
        ({"person_id": 10**9}, "who"),
        ({"register": True}, "who"),
        ({"person_name": "x" * 80}, "who"),
        ({"author_name": "x" * 80}, "shown_name"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(
    database: Database, acting: Acting, world: World, what: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        type_in(database, acting, **what)
    assert refused.value.field == field
    with database.session() as session:
        assert session.execute(select(func.count()).select_from(Contribution)).scalar_one() == 0


@pytest.mark.parametrize("who", [who for who in PERSONAS if who not in ("facilitator", "moderator")])
def test_only_the_team_types_for_others(database: Database, acting: Acting, world: World, who: str) -> None:
    with pytest.raises(NotFound):
        type_in(database, acting, who)
    with database.session() as session, pytest.raises(NotFound):
        intake.typed(acting(session, who), "PR01")


def test_meetings_of_the_last_months_are_offered_but_not_cancelled_ones(
    database: Database, acting: Acting, world: World
) -> None:
    with database.writing() as session:
        for code, days, state in (
            ("EV01", -3, EventState.HELD), ("EV02", -300, EventState.HELD), ("EV03", 30, EventState.PLANNED),
            ("EV04", -1, EventState.CANCELLED), ("EV05", 0, EventState.PLANNED),
        ):  # fmt: skip
            session.add(
                Event(
                    code=code,
                    kind=EventKind.WALK,
                    title=code,
                    starts_at=NOW + timedelta(days=days),
                    state=state,
                )
            )
    with database.session() as session:
        offered = [one.code for one in intake.recent_events(acting(session, "facilitator"))]
    assert offered == ["EV05", "EV01"]
