"""People as the desk writes them down, and what becomes of it when they prove who they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.errors import Denied
from lab.models.accounts import Person, Role
from lab.models.registrations import Registration
from lab.policy.actor import Actor
from lab.services import people, privacy, roles
from lab.services.context import Context
from lab.services.people import Register
from lab.services.roles import GiveRole
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
