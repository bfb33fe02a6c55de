"""People as the desk writes them down, and what becomes of it when they prove who they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lab.db.base import Base
from lab.db.engine import Database
from lab.kernel.errors import Denied
from lab.models.accounts import Person, Role
from lab.models.registrations import Registration
from lab.policy.actor import Actor
from lab.services import (
    contributions,
    conversation,
    doubles,
    people,
    privacy,
    roles,
    sign_in,
    sign_up_desk,
)
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.conversation import WriteComment
from lab.services.people import Register
from lab.services.roles import GiveRole
from lab.services.sign_in import Ask, Purpose
from lab.services.terms import today
from tests.meetings import make_event, signed_up
from tests.world import World

Acting = Callable[[Session, str], Context]


def test_only_an_administrator_changes_where_to_write_to_somebody_with_a_function(
    database: Database, world: World, acting: Acting
) -> None:
    """Whoever proves that address gets the function with the rest."""
    with database.writing() as session:
        written = people.register(acting(session, "moderator"), Register("Ines", email="ines@example.org"))
        system = acting(session, "system")
        roles.give(system, GiveRole(written.id, Role.ADMINISTRATOR, today(system)))
        with pytest.raises(Denied, match="staff_by_administrator"):
            people.change(
                acting(session, "facilitator"), written.id, Register("Ines", email="facilitator@example.net")
            )
        people.change(acting(session, "administrator"), written.id, Register("Ines", email="i@example.org"))
        assert written.email == "i@example.org"


def test_two_records_that_turn_out_to_be_one_person_keep_their_meetings(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        rosa = session.get_one(Person, world.people["rosa"])
        desk = acting(session, "moderator")
        written = people.register(desk, Register("Rosa", email=rosa.email or ""))
        both, one = make_event(session, world), make_event(session, world, code="EV91")
        as_written = Actor(written.id, "Rosa")
        mine = signed_up(session, both, actor=acting(session, "rosa").actor, person_id=rosa.id)
        signed_up(session, both, "Rosa B", actor=as_written, person_id=written.id)
        alone = signed_up(session, one, actor=as_written, person_id=written.id)
        people.claim(acting(session, "rosa"), rosa.email_key or "", into=rosa)
        session.flush()
        assert mine.person_id == rosa.id
        session.refresh(alone)
        assert alone.person_id == rosa.id
        # Who leaves for good leaves no name on that list either.
        privacy.erase(acting(session, "administrator"), rosa.id)
        assert session.get_one(Registration, alone.id, populate_existing=True).name != "Rosa"


def _full_of(session: Session, mark: str) -> list[str]:
    """The columns of all tables in which some text holds this mark."""
    found = []
    for table in Base.metadata.sorted_tables:
        for row in session.execute(select(table)).mappings():
            found += [f"{table.name}.{name}" for name, value in row.items() if mark in str(value).casefold()]
    return sorted(set(found))


def test_who_leaves_for_good_is_named_nowhere_any_more(
    database: Database, world: World, acting: Acting
) -> None:
    """Also where others wrote about them, and on rows that were found to be the same party as theirs."""
    with database.writing() as session:
        desk = acting(session, "facilitator")
        email = "zelinda@example.org"
        zelinda = people.register(desk, Register("Zelinda", "it", "Via Zelinda 1", "0362 123456", email))
        actor, party = Actor(zelinda.id, "Zelinda"), {"person_id": zelinda.id, "email": email}
        own = Context(session, actor, desk.now)
        said = contributions.place(
            desk, Placement(text="Più luce", author_name="Zelinda", person_id=zelinda.id)
        )
        conversation.write(own, WriteComment(said.id, "Anche di notte"))
        sign_in.ask(desk, Ask(Purpose.EMAIL, "zelinda@example.com", "pending", person_id=zelinda.id))
        full, open_ = make_event(session, world, sign_up_capacity=0), make_event(session, world, code="EV91")
        waits = signed_up(session, full, "Zelinda", actor, **party)
        sign_up_desk.seat_over(desk, full.id, waits.id, "Zelinda usa la carrozzina")
        first = signed_up(session, open_, "Bianca")
        second = signed_up(session, open_, "Zelinda", actor, **party)
        first.person_id = world.people["samir"]
        session.flush()
        doubles.unite(desk, open_.id, first.id, second.id)
        people.block(acting(session, "moderator"), people.Block(zelinda.id, "Zelinda insulta i vicini"))
        people.unblock(acting(session, "moderator"), people.Block(zelinda.id, "Zelinda ha chiesto scusa"))
        session.flush()
    with database.writing() as session:
        assert first.name == "Bianca" and len(_full_of(session, "zelinda")) > 10
        privacy.erase(acting(session, "administrator"), zelinda.id)
    with database.session() as session:
        assert _full_of(session, "zelinda") == []
        assert session.get_one(Registration, first.id).name == "Bianca"
