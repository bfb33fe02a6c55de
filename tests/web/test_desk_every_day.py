"""What somebody at the desk needs every day: what waits for them, putting right what they typed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.models.contributions import Contribution
from lab.models.moderation import Flag, FlagReason
from lab.services import actions, appeals, contributions, moderation, routing
from lab.services.context import Context
from lab.services.contributions import Placement
from tests.services.test_actions import proposed
from tests.world import NOW, World

SignIn = Callable[[str], FlaskClient]
Acting = Callable[[Session, str], Context]


@pytest.fixture
def said(app: Flask, database: Database, acting: Acting) -> Callable[..., int]:
    """Say something; gives its id."""

    def say(text: str = "Una panchina all'ombra", **more: object) -> int:
        with database.writing() as session:
            what = Placement(text=text, **more)  # type: ignore[arg-type]
            return contributions.place(acting(session, "system"), what).id

    return say


def _code(database: Database, item_id: int) -> str:
    with database.session() as session:
        return session.get_one(Contribution, item_id).code


def _waits(client: FlaskClient, path: str) -> str:
    """The number beside an entry of the menu, "" without one."""
    page = client.get("/regia/impegni").text
    found = re.search(rf'href="{path}">[^<]*(?:<span class="count">([^<]*)</span>)?</a>', page)
    assert found
    return found[1] or ""


def test_the_menu_tells_an_office_what_waits_for_it_and_nobody_else(
    sign_in: SignIn, said: Callable[..., int], database: Database, acting: Acting, world: World
) -> None:
    item = said()
    with database.writing() as session:
        routing.route(acting(session, "facilitator"), routing.Route(item, None, world.verde))
    action = proposed(database, acting, world)
    office, other, team = sign_in("office"), sign_in("other_office"), sign_in("moderator")
    assert _waits(office, "/regia") == "1" and _waits(office, "/regia/azioni") == "1"
    assert _waits(other, "/regia") == "" and _waits(other, "/regia/azioni") == ""
    assert _waits(team, "/regia/azioni") == ""
    with database.writing() as session:
        why = "Serve anche il gestore dell'acqua."
        actions.send_back(acting(session, "office"), actions.SendBack(action.id, None, why))
    assert _waits(office, "/regia/azioni") == "" and _waits(team, "/regia/azioni") == "1"


def test_the_menu_counts_what_a_moderator_has_to_look_at_but_not_their_own_acts(
    sign_in: SignIn, said: Callable[..., int], database: Database, acting: Acting, world: World
) -> None:
    flagged, hidden = said("Parole dure"), said("Parole di Rosa", person_id=world.people["rosa"])
    with database.writing() as session:
        for reader in ("rosa", "samir"):
            session.add(
                Flag(
                    contribution_id=flagged,
                    person_id=world.people[reader],
                    reason=FlagReason.OTHER,
                    created_at=NOW,
                )
            )
        subject = moderation.Subject(contribution_id=hidden)
        act = moderation.hide(acting(session, "moderator"), subject, "Si riconosce una persona")
        appeals.make(acting(session, "rosa"), act.id, "Non ho fatto nessun nome, lo giuro.")
    assert _waits(sign_in("moderator"), "/regia/moderazione") == "1"
    assert _waits(sign_in("coordinator"), "/regia/moderazione") == "1"
