"""The pages of the door, as a host uses them without script, and what others see of them: nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from lab.db.engine import Database
from lab.models.events import Event, EventState
from lab.models.operations import AuditEntry
from lab.models.registrations import Arrival, Registration, SignUp
from lab.services import paper, tickets
from lab.services.context import Context
from lab.web.app_state import lab
from tests.html import faults
from tests.meetings import make_event, signed_up
from tests.world import NOW, World

SignIn = Callable[[str], FlaskClient]
DOOR = "/regia/eventi/EV90/ingresso"
PAGES = ("", "/conto.json", "/fogli", "/fogli/stampa?n=1", "/fogli/1", "/doppi", "/conto", "/biglietto/1")


@pytest.fixture
def rosa(database: Database, world: World) -> Registration:
    """Rosa and one more have a place of two; Samir waits."""
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=2)
        rosa = signed_up(session, event, "Rosa D'Angelo", party_size=2, needs_note="Parla arabo")
        signed_up(session, event, "Samir")
        paper.print_sheets(Context(session, world.actor("facilitator"), NOW), event.id, 1, 20)
        return rosa


def inside(database: Database) -> int:
    with database.session() as session:
        return session.scalar(select(func.sum(SignUp.arrived))) or 0


def ids(database: Database) -> dict[str, int]:
    with database.session() as session:
        rows = session.execute(select(Registration.name, Registration.id))
        return {row.name: row.id for row in rows}


def test_who_does_not_run_the_meeting_finds_no_door(rosa: Registration, sign_in: SignIn) -> None:
    posts = ("/cerca", "/arrivo", "/senza-iscrizione", "/1/annulla", "/1/quanti", "/fogli", "/fogli/1")
    more = ("/fogli/1/1", "/fogli/1/riapri", "/doppi", "/doppi/1/separa")
    for who in ("office", "moderator", "rosa"):
        browser = sign_in(who)
        for page in PAGES:
            assert browser.get(DOOR + page).status_code == 404, page
        for page in (*posts, *more):
            sent = {"parole": "rosa", "nome": "x", "how_many": 1, "lines": 20}
            assert browser.post(DOOR + page, data=sent).status_code == 404, page


def test_every_look_at_names_is_written_down(rosa: Registration, sign_in: SignIn, database: Database) -> None:
    host = sign_in("facilitator")
    for page in PAGES:
        answer = host.get(DOOR + page)
        assert answer.status_code == 200, page
        if not page.endswith("json"):
            assert not faults(answer.text), page
    host.post(DOOR + "/cerca", data={"parole": "rosa"})
    with database.session() as session:
        looks = select(AuditEntry.details).where(AuditEntry.verb == "event.people_seen")
        said = [details["what"] for details in session.scalars(looks.order_by(AuditEntry.id))]
        assert said == ["door", "paper", "doubles", "ticket", "search"]


def test_a_name_is_found_marked_seen_again_and_taken_back(
    rosa: Registration, sign_in: SignIn, database: Database
) -> None:
    host = sign_in("facilitator")
    page = host.post(DOOR + "/cerca", data={"parole": "dangelo"})
    assert page.status_code == 200 and "Rosa D&#39;Angelo" in page.text and "Parla arabo" in page.text
    sent = {"iscrizione": rosa.id, "quanti": 1, "chiave": "k-1"}
    done = host.post(DOOR + "/arrivo", data=sent, follow_redirects=True)
    assert "Entra" in done.text and "1 di 2" in done.text
    twice = host.post(DOOR + "/arrivo", data=sent, follow_redirects=True)
    assert "Entra" in twice.text and inside(database) == 1
    scanned = host.post(DOOR + "/arrivo", data={"letto": rosa.code, "chiave": "k-2"}, follow_redirects=True)
    assert "Già dentro alle 10:00" in scanned.text
    with database.session() as session:
        mark = session.scalars(select(Arrival.id).where(Arrival.undone_at.is_(None))).one()
    assert (
        "2 persone" in host.post(f"{DOOR}/{mark}/quanti", data={"quanti": 2}, follow_redirects=True).text
        and inside(database) == 2
    )
    assert host.post(f"{DOOR}/{mark}/quanti", data={"quanti": 0}).status_code == 422
    refused = host.post(f"{DOOR}/{mark}/quanti", data={"quanti": 9})
    assert refused.status_code == 409 and 'value="9"' in refused.text and "perche" in refused.text
    assert "Annullato" in host.post(f"{DOOR}/{mark}/annulla", follow_redirects=True).text
    assert inside(database) == 0 and host.get(DOOR + "/conto.json").get_json()["arrived"] == 0


def test_a_name_heard_wrong_is_offered_and_not_let_in_by_a_second_enter(
    rosa: Registration, sign_in: SignIn
) -> None:
    browser = sign_in("facilitator")
    heard = browser.post(f"{DOOR}/cerca", data={"parole": "Samyr"}, headers={"X-Fragment": "1"}).text
    assert "Nomi quasi uguali" in heard and "Samir" in heard and "Rosa" not in heard
    assert "Non trovato" in heard and "data-first" not in heard
    new = browser.post(f"{DOOR}/cerca", data={"parole": "Ludmila"}, headers={"X-Fragment": "1"}).text
    assert "Nomi quasi uguali" not in new and "data-first" in new


def test_the_last_four_figures_of_a_telephone_are_enough(
    rosa: Registration, sign_in: SignIn, database: Database
) -> None:
    with database.writing() as session:
        session.execute(
            update(Registration).where(Registration.id == rosa.id).values(phone_key="393331234567")
        )
    assert "Rosa" in sign_in("facilitator").post(f"{DOOR}/cerca", data={"parole": "4567"}).text


def test_who_waits_comes_in_only_with_a_reason(
    rosa: Registration, sign_in: SignIn, database: Database
) -> None:
    host = sign_in("facilitator")
    samir = {"iscrizione": ids(database)["Samir"]}
    stopped = host.post(DOOR + "/arrivo", data=samir)
    assert stopped.status_code == 409 and "numero 1" in stopped.text
    assert inside(database) == 0
    done = host.post(DOOR + "/arrivo", data={**samir, "perche": "C'è una sedia"}, follow_redirects=True)
    assert "Entra" in done.text and inside(database) == 1


def test_a_name_alone_walks_in_and_a_full_room_asks_why(
    rosa: Registration, sign_in: SignIn, database: Database
) -> None:
    host = sign_in("facilitator")
    unknown = host.post(DOOR + "/cerca", data={"parole": "Nonna Pina"})
    assert unknown.status_code == 200 and "Non trovato" in unknown.text
    assert unknown.text.count('value="Nonna Pina"') == 2
    full = host.post(DOOR + "/senza-iscrizione", data={"nome": "Nonna Pina", "quanti": 3, "chiave": "w"})
    assert full.status_code == 409 and "I posti sono finiti" in full.text
    assert 'value="Nonna Pina"' in full.text and 'value="3"' in full.text
    sent = {"nome": "Nonna Pina", "quanti": 3, "perche": "Ci stringiamo", "chiave": "w2"}
    for _ in range(2):
        assert "Entra" in host.post(DOOR + "/senza-iscrizione", data=sent, follow_redirects=True).text
    assert inside(database) == 3
    nameless = host.post(DOOR + "/senza-iscrizione", data={"nome": " ", "perche": "x"})
    assert nameless.status_code == 422 and "Scrivi un nome" in nameless.text


def test_a_ticket_is_read_whole_and_that_of_another_day_is_told(
    rosa: Registration, sign_in: SignIn, database: Database, world: World, app: Flask
) -> None:
    with database.writing() as session:
        other = signed_up(session, make_event(session, world, code="EV91"), "Ada")
    with app.app_context():
        mine, others = (
            f"https://lab.example/biglietto/{tickets.key_for(lab().signer, one)}" for one in (rosa, other)
        )
    host = sign_in("facilitator")
    with_camera = host.get(mine.removeprefix("https://lab.example")).text
    assert f"{DOOR}/biglietto/{rosa.id}" in with_camera
    assert "/ingresso/" not in sign_in("office").get(mine.removeprefix("https://lab.example")).text
    assert "Rosa" in host.post(DOOR + "/cerca", data={"parole": mine}).text
    assert "Entra" in host.post(DOOR + "/arrivo", data={"letto": mine}, follow_redirects=True).text
    wrong = host.post(DOOR + "/arrivo", data={"letto": others})
    assert wrong.status_code == 404 and "Un altro incontro" in wrong.text and "Ada" not in wrong.text
    for read in ("https://lab.example/biglietto/nothing", "https://elsewhere.example/", "ZZZZ"):
        unread = host.post(DOOR + "/arrivo", data={"letto": read}, headers={"X-Fragment": "1"})
        assert unread.status_code == 404
        # What a camera read is nobody's name: one more touch lets nobody in.
        assert read not in unread.text and "senza-iscrizione" not in unread.text
    assert inside(database) == 2


def test_with_script_only_the_pieces_are_sent(rosa: Registration, sign_in: SignIn) -> None:
    host = sign_in("facilitator")
    piece = host.post(DOOR + "/cerca", data={"parole": "rosa"}, headers={"X-Fragment": "1"})
    assert 'id="door-answer"' in piece.text and 'id="door-count"' in piece.text and "<html" not in piece.text
    assert piece.headers["Cache-Control"] == "no-store"


def test_nobody_enters_a_cancelled_meeting(rosa: Registration, sign_in: SignIn, database: Database) -> None:
    host = sign_in("facilitator")
    with database.writing() as session:
        session.get_one(Event, rosa.event_id).state = EventState.CANCELLED
    assert "annullato" in host.get(DOOR).text
    refused = host.post(DOOR + "/arrivo", data={"iscrizione": rosa.id})
    assert refused.status_code == 409 and inside(database) == 0


def line(number: int, name: str, **more: object) -> dict[str, object]:
    fields = {"name": name, "people": "1", "arrived": "1", **more}
    return {f"{key}-{number}": value for key, value in fields.items()}


def test_a_sheet_is_printed_with_numbered_lines_and_no_names(rosa: Registration, sign_in: SignIn) -> None:
    host = sign_in("facilitator")
    made = host.post(DOOR + "/fogli", data={"how_many": 2, "lines": 40}, follow_redirects=True)
    assert made.text.count("<tr>") == 2 * 41 and made.text.count("<svg") >= 2
    assert "Foglio 2" in made.text and "Foglio 3" in made.text and "Rosa" not in made.text
    wrong = host.post(DOOR + "/fogli", data={"how_many": 99, "lines": 40})
    assert wrong.status_code == 422 and 'value="99"' in wrong.text
    assert host.get(DOOR + "/fogli/9").status_code == 404
    assert host.get(DOOR + "/fogli/stampa?n=77").status_code == 303


def test_a_sheet_typed_without_script_keeps_what_is_wrong(
    rosa: Registration, sign_in: SignIn, database: Database
) -> None:
    host = sign_in("facilitator")
    sent = {**line(1, "Ada"), **line(2, "Bice", contact="boh"), **line(4, "Carla", people="x")}
    page = host.post(DOOR + "/fogli/1", data=sent)
    assert page.status_code == 422 and 'value="boh"' in page.text and 'value="x"' in page.text
    assert "2 righe da guardare" in page.text and inside(database) == 1
    page = host.post(DOOR + "/fogli/1", data={**line(2, "Bice", contact="333 1234567"), "finito": "1"})
    assert page.status_code == 303 and inside(database) == 2
    assert "finito" in host.get(DOOR + "/fogli").text
    host.post(DOOR + "/fogli/1/riapri")
    assert "da finire" in host.get(DOOR + "/fogli").text


def test_two_readings_of_a_line_are_shown_until_one_is_chosen(
    rosa: Registration, sign_in: SignIn, database: Database
) -> None:
    host = sign_in("facilitator")
    host.post(DOOR + "/fogli/1", data=line(1, "Ada Galli"))
    page = host.post(DOOR + "/fogli/1", data=line(1, "Ada Gatti"))
    assert page.status_code == 409 and "Ada Galli" in page.text and 'value="Ada Gatti"' in page.text
    with database.session() as session:
        version = session.scalars(select(Registration.version).where(Registration.name == "Ada Galli")).one()
    asked = {**line(1, "Ada Gatti", version=version), "altra-name-1": "Ada Galli", "altra-people-1": "1"}
    asked["altra-arrived-1"] = "1"
    assert host.post(DOOR + "/fogli/1", data=asked).status_code == 409
    assert host.post(DOOR + "/fogli/1", data={**asked, "scelta-1": "altra"}).status_code == 303
    assert "Ada Galli" in ids(database)
    assert host.post(DOOR + "/fogli/1", data={**asked, "scelta-1": "mia"}).status_code == 303
    assert "Ada Gatti" in ids(database) and inside(database) == 1


def test_lines_saved_one_by_one_answer_how_they_stand(rosa: Registration, sign_in: SignIn) -> None:
    host = sign_in("facilitator")
    sent = {"name": "Ada", "people": "2", "arrived": "1"}
    first = host.post(DOOR + "/fogli/1/7", data=sent)
    assert first.status_code == 200 and first.get_json()["saved"]
    again = host.post(DOOR + "/fogli/1/7", data=sent)
    assert again.get_json()["version"] == first.get_json()["version"]
    differs = host.post(DOOR + "/fogli/1/7", data={**sent, "people": "3"})
    assert differs.status_code == 409 and differs.get_json()["other"]["people"] == "2"
    wrong = host.post(DOOR + "/fogli/1/8", data={**sent, "contact": "boh"})
    assert wrong.status_code == 422 and wrong.get_json()["field"] == "contact" and wrong.get_json()["trouble"]
    assert host.post(DOOR + "/fogli/1/21", data=sent).status_code == 404


def test_doubles_are_merged_parted_and_kept_apart_by_a_person(
    rosa: Registration, sign_in: SignIn, database: Database
) -> None:
    host = sign_in("facilitator")
    host.post(DOOR + "/fogli/1", data=line(1, "D'Angelo Rosà"))
    assert "stesso nome" in host.get(DOOR + "/doppi").text
    both = ids(database)
    pair = {"riga": [both["Rosa D'Angelo"], both["D'Angelo Rosà"]]}
    assert (
        "Unite" in host.post(DOOR + "/doppi", data={**pair, "scelta": "unisci"}, follow_redirects=True).text
    )
    assert "contati due volte" in host.get(DOOR + "/conto").text
    with database.session() as session:
        assert session.scalar(select(func.count()).where(Registration.merged_into_id.is_not(None))) == 1
    parted = host.post(DOOR + "/doppi/1/separa", follow_redirects=True)
    assert "Separate" in parted.text and "Sì, unisci" in parted.text
    apart = host.post(DOOR + "/doppi", data={**pair, "scelta": "diversi"}, follow_redirects=True)
    assert "Tenute separate" in apart.text and "Sì, unisci" not in apart.text
    assert (
        "Sì, unisci"
        in host.post(DOOR + "/doppi", data={**pair, "scelta": "riguarda"}, follow_redirects=True).text
    )
    assert host.post(DOOR + "/doppi", data={"scelta": "boh"}).status_code == 400
    assert host.post(DOOR + "/doppi", data={"riga": ["1", "999"], "scelta": "unisci"}).status_code == 404
