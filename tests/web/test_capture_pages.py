"""Capture, minutes and promises in the browser: quick on good days, nothing lost on bad ones."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from lab.db.engine import Database
from lab.models.capture import Commitment, Minutes
from lab.models.contributions import Contribution
from lab.models.events import EventKind
from lab.models.pictures import Photo
from tests.meetings import make_event
from tests.world import NOW, World

SignIn = Callable[[str], FlaskClient]
HERE = "/regia/eventi/EV90/raccolta"
MINUTES = "/regia/eventi/EV90/verbale"
JSON = {"Accept": "application/json"}


@pytest.fixture
def meeting(database: Database, world: World) -> int:
    """A planning for real of yesterday, run by the facilitator."""
    with database.writing() as session:
        return make_event(
            session, world, kind=EventKind.PLANNING_FOR_REAL, starts_at=NOW - timedelta(days=1)
        ).id


def said(database: Database) -> list[str]:
    with database.session() as session:
        return list(session.execute(select(Contribution.text).order_by(Contribution.id)).scalars())


def picture() -> tuple[io.BytesIO, str]:
    data = io.BytesIO()
    Image.new("RGB", (400, 300), "#0B5D4E").save(data, "JPEG")
    data.seek(0)
    return data, "foglio.jpg"


def test_a_line_is_saved_and_the_next_begins_at_the_same_place(
    database: Database, sign_in: SignIn, meeting: int, world: World
) -> None:
    browser = sign_in("facilitator")
    line = {
        "way": "carte", "text": "Una panchina", "place": world.towers, "count": "3", "priority": "now",
        "idempotency_key": "k1",
    }  # fmt: skip
    answer = browser.post(HERE, data=line)
    assert answer.status_code == 303
    page = browser.get(answer.headers["Location"]).text
    assert "Una panchina" in page
    assert f'<option selected value="{world.towers}">' in page
    # The same click again, and the script's retry, are the same line.
    assert browser.post(HERE, data=line).status_code == 303
    assert browser.post(HERE, data=line, headers=JSON).json["code"] == "PR01"
    other = browser.post(HERE, data={**line, "text": "Due panchine"}, headers=JSON)
    assert (other.status_code, other.json["code"]) == (409, "same_id_other_content")
    assert said(database) == ["Una panchina"]


def test_what_is_refused_comes_back_as_it_was_typed(
    database: Database, sign_in: SignIn, meeting: int
) -> None:
    browser = sign_in("facilitator")
    wrong = {"way": "osservazioni", "text": "Manca l'ombra", "author_name": "Rosa", "count": "9999"}
    answer = browser.post(HERE, data=wrong)
    assert answer.status_code == 422
    for words in ("Manca l&#39;ombra", "Rosa", "9999", "Un numero da 1 a 2000."):
        assert words in answer.text
    assert browser.post(HERE, data={**wrong, "text": ""}, headers=JSON).status_code == 422
    assert said(database) == []


def test_photographs_are_never_left_out_in_silence(database: Database, sign_in: SignIn, meeting: int) -> None:
    line = {"way": "osservazioni", "text": "Sei foto", "photos": [picture() for _ in range(6)]}
    answer = sign_in("facilitator").post(HERE, data=line, content_type="multipart/form-data")
    assert (answer.status_code, said(database)) == (422, [])
    assert "al massimo cinque" in answer.text


def test_who_was_quicker_at_a_report_is_read_before_sending_again(
    database: Database, sign_in: SignIn, world: World
) -> None:
    with database.writing() as session:
        make_event(session, world, kind=EventKind.OPEN_SPACE, starts_at=NOW - timedelta(days=1))
    browser, path = sign_in("facilitator"), f"{HERE}/parti?modo=gruppi"
    browser.post(path, data={"title": "Giochi"})
    mine = {"title": "Giochi", "part_id": "1", "version": "2", "report": "Due scivoli"}
    assert browser.post(path, data=mine, headers=JSON).json["version"] == 3
    other = browser.post(path, data={**mine, "report": "Un'altalena"}, headers=JSON)
    assert (other.status_code, other.json["version"]) == (409, 3)
    assert "Due scivoli" in other.json["meanwhile"]
    assert "Due scivoli" in browser.post(path, data={**mine, "report": "Un'altalena"}).text


def test_a_number_no_database_can_hold_is_refused_in_words(
    database: Database, sign_in: SignIn, world: World
) -> None:
    with database.writing() as session:
        make_event(session, world, kind=EventKind.OPEN_SPACE)
    part = {"title": "Panchine", "part_id": str(2**70), "version": "1"}
    answer = sign_in("facilitator").post(f"{HERE}/parti", data=part, headers=JSON)
    assert answer.status_code == 422


def test_strangers_find_nothing_and_the_signed_out_are_asked_who_they_are(
    client: FlaskClient, sign_in: SignIn, meeting: int
) -> None:
    for who in ("rosa", "office", "delegate", "administrator"):
        browser = sign_in(who)
        assert browser.get(HERE).status_code == 404
        assert browser.get(MINUTES).status_code == 404
        assert browser.post(HERE, data={"way": "carte", "text": "x"}).status_code == 404
    assert client.get(HERE).status_code == 303
    # The script sees this before it sends, and keeps everything.
    assert client.get(f"{HERE}/chiave").status_code == 303


def test_the_script_hears_who_writes_and_gets_a_copy_without_names(sign_in: SignIn, meeting: int) -> None:
    browser = sign_in("facilitator")
    told = browser.get(f"{HERE}/chiave")
    assert set(told.json) == {"token", "who"}
    assert told.headers["Cache-Control"] == "no-store"
    assert told.json["who"] != sign_in("moderator").get(f"{HERE}/chiave").json["who"]
    assert "Facilitator" in browser.get(HERE).text
    assert "Facilitator" not in browser.get(f"{HERE}?copia=1").text
    worker = browser.get(f"{HERE}/lavoro.js", buffered=True)
    assert worker.headers["Service-Worker-Allowed"] == HERE


def test_a_photographed_sheet_is_kept_once_and_seen_by_all(
    database: Database, client: FlaskClient, sign_in: SignIn, meeting: int
) -> None:
    browser = sign_in("facilitator")
    for _ in range(2):
        data = {"photo": picture(), "alt": "La mappa con le carte", "idempotency_key": "sheet"}
        assert browser.post(f"{HERE}/foto", data=data).status_code == 303
    with database.session() as session:
        [photo] = session.execute(select(Photo)).scalars()
    assert client.get(f"/media/{photo.name}-320.webp", buffered=True).status_code == 200
    assert "La mappa con le carte" in client.get("/eventi/EV90").text
    assert browser.post(f"{HERE}/foto", data={"alt": "Senza foto"}).status_code == 422


def test_minutes_are_drafted_looked_at_published_and_corrected(
    database: Database, client: FlaskClient, sign_in: SignIn, meeting: int, world: World
) -> None:
    browser = sign_in("facilitator")
    words = {
        "version": "0", "attended": "31", "summary": "Abbiamo scelto.", "text": "Si è parlato di **giochi**.",
        "points-0-text": "Uno scivolo", "points-0-project": "", "points-1-text": "", "points-1-project": "",
        "promises-0-text": "Chiedere i prezzi", "promises-0-who": f"office-{world.verde}",
        "promises-0-name": "", "promises-0-due_on": "2026-12-01",
    }  # fmt: skip
    assert client.get("/eventi/EV90/verbale").status_code == 404
    preview = browser.post(MINUTES, data={**words, "fai": "prova"})
    assert "<strong>giochi</strong>" in preview.text
    for _ in range(2):
        assert browser.post(MINUTES, data={**words, "fai": "salva"}).status_code == 303
    assert "Uno scivolo" in browser.get(MINUTES).text
    late = sign_in("moderator").post(MINUTES, data={**words, "summary": "Mie parole", "fai": "salva"})
    assert late.status_code == 409
    assert "Mie parole" in late.text
    assert sign_in("moderator").post(MINUTES, data={**words, "fai": "pubblica"}).status_code == 404
    wrong = browser.post(MINUTES, data={**words, "version": "1", "promises-0-who": "", "fai": "pubblica"})
    assert wrong.status_code == 422
    assert "Chiedere i prezzi" in wrong.text
    assert 'href="#promises-0-text"' in wrong.text  # said on top of the long page, too
    for _ in range(2):
        done = browser.post(MINUTES, data={**words, "version": "1", "fai": "pubblica"})
        assert done.headers["Location"].endswith("/eventi/EV90/verbale")
    assert said(database) == ["Uno scivolo"]
    page = client.get("/eventi/EV90").text
    for seen in ("Abbiamo scelto.", "Uno scivolo", "Chiedere i prezzi", "Servizio Verde e Ambiente"):
        assert seen in page
    fixed = {"version": "2", "attended": "32", "summary": "Abbiamo scelto.", "text": "Altalene.",
             "note": "Era sbagliato", "fai": "correggi"}  # fmt: skip
    assert browser.post(MINUTES, data=fixed).status_code == 303
    public = client.get("/eventi/EV90/verbale").text
    assert "Era sbagliato" in public
    assert "<strong>giochi</strong>" in public
    with database.session() as session:
        assert session.get_one(Minutes, meeting).attended == 32


def test_an_office_says_how_its_promise_ended(
    database: Database, client: FlaskClient, sign_in: SignIn, meeting: int, world: World
) -> None:
    with database.writing() as session:
        session.add(
            Commitment(
                code="IM01", text="Tagliare l'erba", event_id=meeting, office_id=world.verde, created_at=NOW,
                is_public=True,
            )
        )  # fmt: skip
    office = sign_in("office")
    assert "Tagliare l" in office.get("/regia/impegni").text
    assert "Tagliare l" not in sign_in("other_office").get("/regia/impegni").text
    with database.session() as session:
        number = session.execute(select(Commitment.id)).scalar_one()
    path = f"/regia/impegni/{number}"
    assert sign_in("rosa").post(path, data={"state": "kept"}).status_code == 404
    assert office.post(path, data={"version": "1", "state": "dropped", "note": ""}).status_code == 422
    assert office.post(path, data={"version": "1", "state": "kept", "note": "Fatto ieri"}).status_code == 303
    assert "Fatto ieri" in client.get("/eventi/EV90").text
    assert office.post(path, data={"version": "1", "state": "open", "note": "No"}).status_code == 409


def test_a_question_is_answered_in_writing_for_everybody(
    database: Database, client: FlaskClient, sign_in: SignIn, meeting: int
) -> None:
    browser = sign_in("facilitator")
    browser.post(HERE, data={"way": "domande", "text": "Quando apre il parco?", "due": "2026-12-10"})
    with database.session() as session:
        one = session.execute(select(Contribution)).scalar_one()
    path = f"{HERE}/domande/{one.id}/risposta"
    short = browser.post(path, data={"version": "1", "text": "Boh", "signed": "Noi"})
    assert short.status_code == 422
    answer = {"version": "1", "text": "Apre il ventuno di marzo.", "signed": "Servizio Verde"}
    assert sign_in("moderator").post(path, data=answer).status_code == 404
    assert browser.post(path, data=answer).status_code == 303
    for page in ("/eventi/EV90", f"/proposte/{one.code}"):
        assert "Apre il ventuno di marzo." in client.get(page).text
    assert "Servizio Verde" in browser.get(f"{HERE}/domande").text


def test_a_line_is_put_right_and_paper_is_printed(database: Database, sign_in: SignIn, meeting: int) -> None:
    browser = sign_in("facilitator")
    browser.post(HERE, data={"way": "carte", "text": "Una panchna", "count": "2"})
    assert "Una panchna" in browser.get(f"{HERE}/riga/PR01").text
    fixed = {"version": "1", "text": "Una panchina", "count": "2"}
    assert browser.post(f"{HERE}/riga/PR01", data=fixed).status_code == 303
    late = browser.post(f"{HERE}/riga/PR01", data={**fixed, "text": "Un'altra"})
    assert late.status_code == 409
    assert "Un&#39;altra" in late.text
    assert said(database) == ["Una panchina"]
    assert "Una panchina" in browser.get(f"{HERE}/stampa").text
