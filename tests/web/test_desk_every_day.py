"""What somebody at the desk needs every day: what waits for them, putting right what they typed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.mail.links import item_path
from lab.models.contributions import Contribution, State, Visibility
from lab.models.moderation import Flag, FlagReason
from lab.models.notifications import Notification
from lab.models.projects import ProjectBody
from lab.services import actions, appeals, contributions, moderation, routing, telling
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


def _typed(client: FlaskClient) -> str:
    """Write something down for somebody at the desk; gives its code."""
    sent = client.post(
        "/regia/scrivi",
        data={"text": "Il lampine è spento", "channel": "desk", "kind": "proposal", "who": "Pina"},
    )
    assert sent.status_code == 303
    return sent.location.rpartition("/")[2]


def _one(database: Database, code: str) -> Contribution:
    with database.session() as session:
        return session.execute(select(Contribution).where(Contribution.code == code)).scalar_one()


def test_what_was_typed_for_somebody_can_be_put_right_and_printed_again(
    sign_in: SignIn, client: FlaskClient, database: Database
) -> None:
    team = sign_in("facilitator")
    code = _typed(team)
    page = team.get(f"/regia/{code}").text
    assert f"/regia/scrivi/{code}" in page and "Correggi quello che hai scritto" in page
    right = {"text": "Il lampione è spento", "title": "", "author_name": "Signora Pina", "version": "1"}
    for _ in range(2):  # a double click
        assert team.post(f"/regia/{code}/correggi", data=right).status_code == 303
    one = _one(database, code)
    assert (one.text, one.author_name, one.version) == ("Il lampione è spento", "Signora Pina", 2)
    earlier = client.get(f"/proposte/{code}/versioni").text
    assert "Il lampine" in earlier and "Il lampione" in earlier
    assert code in team.get("/regia?q=lampione").text
    # A colleague who has the old page keeps what they typed, and reads what happened meanwhile.
    late = sign_in("moderator").post(f"/regia/{code}/correggi", data=right | {"text": "Un altro lampione"})
    assert late.status_code == 409 and "Un altro lampione</textarea>" in late.text
    assert "ha corretto le parole" in late.text


def test_what_was_typed_can_be_taken_back_for_who_said_it(
    sign_in: SignIn, client: FlaskClient, database: Database
) -> None:
    team = sign_in("facilitator")
    code = _typed(team)
    assert team.post(f"/regia/{code}/ritira", data={"version": "1", "reason": " "}).status_code == 422
    why = {"version": "1", "reason": "Ha telefonato: non serve più"}
    assert team.post(f"/regia/{code}/ritira", data=why).status_code == 303
    assert _one(database, code).state is State.WITHDRAWN
    assert "non serve più" in client.get(f"/proposte/{code}").text
    assert "Ritirala per chi" not in team.get(f"/regia/{code}").text


def test_nobody_at_the_desk_rewrites_what_people_wrote_themselves(
    sign_in: SignIn, said: Callable[..., int], database: Database, world: World
) -> None:
    code = _code(database, said("Parole mie", person_id=world.people["rosa"]))
    team = sign_in("moderator")
    page = team.get(f"/regia/{code}").text
    assert "/correggi" not in page and "/ritira" not in page
    changed = {"text": "Parole sue", "version": "1", "reason": "Così"}
    assert team.post(f"/regia/{code}/correggi", data=changed).status_code == 404
    assert team.post(f"/regia/{code}/ritira", data=changed).status_code == 404
    assert sign_in("office").post(f"/regia/{code}/correggi", data=changed).status_code == 404
    assert _one(database, code).text == "Parole mie"


def test_an_office_gives_back_what_is_not_its_own_and_who_passed_it_on_has_it_in_hand(
    sign_in: SignIn, said: Callable[..., int], database: Database, acting: Acting, world: World
) -> None:
    item = said("Una strada provinciale")
    code = _code(database, item)
    with database.writing() as session:
        routing.route(acting(session, "facilitator"), routing.Route(item, None, world.verde))
    office, why = sign_in("office"), {"version": "2", "reason": "La strada è della Provincia."}
    assert "Non è per noi" in office.get(f"/regia/{code}").text
    assert sign_in("other_office").post(f"/regia/{code}/rendi", data=why).status_code == 404
    assert office.post(f"/regia/{code}/rendi", data=why | {"reason": ""}).status_code == 422
    for _ in range(2):  # a double click
        given = office.post(f"/regia/{code}/rendi", data=why)
        assert given.status_code == 303 and given.location.endswith("/regia")
    assert office.get(f"/regia/{code}").status_code == 404
    one = _one(database, code)
    assert (one.office_id, one.holder_id) == (None, world.people["facilitator"])
    team = sign_in("facilitator")
    assert _waits(team, "/regia") == "1" and _waits(office, "/regia") == ""
    assert "La strada è della Provincia." in team.get(f"/regia/{code}").text


def test_the_next_one_is_one_touch_away_and_a_pile_worked_off_says_so(
    sign_in: SignIn, said: Callable[..., int], database: Database
) -> None:
    first, last = (_code(database, said(words)) for words in ("La prima cosa", "La seconda cosa"))
    team = sign_in("facilitator")
    onward = f'class="desk-next" href="/regia/{last}?stato=da-leggere"'
    assert onward in team.get(f"/regia/{first}?stato=da-leggere").text
    team.post(f"/regia/{first}/letta?stato=da-leggere", data={"version": "1"})
    # Read, it has left the pile: the next is the first that is still there.
    assert onward in team.get(f"/regia/{first}?stato=da-leggere").text
    team.post(f"/regia/{last}/letta?stato=da-leggere", data={"version": "1"})
    page = team.get(f"/regia/{last}?stato=da-leggere").text
    assert "desk-next" not in page and "Le hai lette tutte" in page


def test_the_page_of_a_person_leads_to_what_they_said_for_the_team_alone(
    sign_in: SignIn, said: Callable[..., int], database: Database, world: World
) -> None:
    rosa = world.people["rosa"]
    code = _code(database, said("Parole di Rosa", person_id=rosa))
    kept = _code(database, said("Cose di casa", person_id=rosa, visibility=Visibility.PRIVATE))
    page = sign_in("facilitator").get(f"/regia/persone/{rosa}").text
    assert f'/regia/{code}"' in page and f'/regia/{kept}"' in page
    alone = sign_in("administrator").get(f"/regia/persone/{rosa}").text
    assert code not in alone and "Cose di casa" not in alone


def test_a_project_that_changes_state_does_not_keep_the_day_of_the_old_one(
    sign_in: SignIn, database: Database
) -> None:
    office = sign_in("office")
    page = office.get("/regia/progetti/P4/stato").text
    shown = re.search(r'name="since"[^>]*value="([^"]*)"', page)
    assert shown and shown[1] == NOW.date().isoformat()


def test_what_was_hidden_leaves_the_piles_and_their_numbers_but_is_found(
    sign_in: SignIn, said: Callable[..., int], database: Database, acting: Acting, world: World
) -> None:
    stays, goes = said("Una panchina"), said("Comprate da noi")
    with database.writing() as session:
        routing.route(acting(session, "facilitator"), routing.Route(goes, None, world.verde))
        subject = moderation.Subject(contribution_id=goes)
        moderation.hide(acting(session, "moderator"), subject, "È soltanto pubblicità")
    kept, gone = _code(database, stays), _code(database, goes)
    team, office = sign_in("moderator"), sign_in("office")
    page = team.get("/regia").text
    assert kept in page and gone not in page
    assert 'Tutte aperte <span class="count">1</span>' in page and "Agli uffici</a>" in page
    assert gone not in office.get("/regia").text and _waits(office, "/regia") == ""
    assert gone in team.get("/regia?nascoste=1").text and kept not in team.get("/regia?nascoste=1").text
    assert gone in team.get(f"/regia?q={gone}").text


def test_who_stands_for_a_body_finds_the_projects_it_takes_part_in_first(
    sign_in: SignIn, database: Database, world: World
) -> None:
    delegate = sign_in("delegate")
    assert "il tuo ente" not in delegate.get("/regia/progetti").text
    with database.writing() as session:
        session.add(ProjectBody(project_id=world.project, body_id=world.aler))
    ours = delegate.get("/regia/progetti").text.split("il tuo ente")[1].split("<h2>")
    assert "P4 ·" in ours[0] and "P1 ·" in ours[1]


def test_an_appeal_is_one_touch_away_for_who_may_answer_it(
    sign_in: SignIn, said: Callable[..., int], database: Database, acting: Acting, world: World
) -> None:
    item = said("Parole di Rosa", person_id=world.people["rosa"])
    with database.writing() as session:
        subject = moderation.Subject(contribution_id=item)
        act = moderation.hide(acting(session, "moderator"), subject, "Si riconosce una persona")
        appeals.make(acting(session, "rosa"), act.id, "Non ho fatto nessun nome, lo giuro.")
    path, asks = f"/regia/{_code(database, item)}", "chiede di ripensarci: rispondi"
    assert asks in sign_in("coordinator").get(path).text
    assert asks not in sign_in("moderator").get(path).text
    with database.writing() as session:
        note = Notification(person_id=1, event_key="x", kind="appeal_made", created_at=NOW)
        note.contribution_id, note.details = item, {"act_id": act.id}
        (told,) = telling.tell(acting(session, "coordinator"), world.actor("coordinator"), [note])
    assert item_path(told.item) == "/regia/moderazione" and "nessun nome" in told.quote


def test_what_somebody_sorted_needs_no_second_key_to_count_as_read(
    sign_in: SignIn, said: Callable[..., int], database: Database
) -> None:
    shown = _code(database, said("Una panchina"))
    waits = _code(database, said("Scritta senza accesso", visibility=Visibility.WAITING))
    team, place = sign_in("moderator"), {"kind": "report", "theme": "", "place": "", "version": "1"}
    for code in (shown, waits):
        assert team.post(f"/regia/{code}/al-suo-posto", data=place).status_code == 303
    assert [_one(database, code).state for code in (shown, waits)] == [State.IN_REVIEW, State.RECEIVED]
    page = team.get("/regia?stato=da-leggere").text
    assert waits in page and shown not in page


def test_the_log_can_be_read_for_one_thing_alone(
    sign_in: SignIn, said: Callable[..., int], database: Database
) -> None:
    ids = [said("Una panchina"), said("Un lampione")]
    team, office = sign_in("moderator"), sign_in("administrator")
    first, other = (_code(database, one) for one in ids)
    for code in (first, other):
        team.post(f"/regia/{code}/letta", data={"version": "1"})
    whole = office.get("/regia/sito/registro").text
    assert f'su=contribution.{ids[0]}">{first}</a>' in whole and "tutto il registro" not in whole
    one = office.get(f"/regia/sito/registro?su=contribution.{ids[0]}").text
    assert first in one and other not in one and "Torna a tutto il registro" in one
    for wrong in ("x", "contribution.", "contribution.99999999999999999999", ".1"):
        assert office.get(f"/regia/sito/registro?su={wrong}").status_code == 200
