"""The look-up by code, and typing for others, as a browser does it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.kernel.ids import format_receipt_code, new_receipt_code
from lab.models.accounts import Person
from lab.models.answers import Verdict
from lab.models.contributions import Channel, Contribution, Visibility
from lab.services import answers, contributions, limits, routing
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.limits import Limit
from tests.statements import statements
from tests.world import PERSONAS, World

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def item(database: Database, acting: Callable[..., object], world: World) -> Contribution:
    with database.writing() as session:
        return contributions.place(
            acting(session, "rosa"),  # type: ignore[arg-type]
            Placement(text="Il lampione è spento", author_name="Rosetta", person_id=world.people["rosa"]),
        )


def test_a_code_leads_to_its_page_however_it_is_written(client: FlaskClient, item: Contribution) -> None:
    shown = format_receipt_code(item.receipt_code)
    for written in (shown, shown.lower(), shown.replace("-", " "), f" {shown} "):
        answer = client.get("/ricevuta", query_string={"codice": written})
        assert (answer.status_code, answer.location) == (303, f"/ricevuta/{item.receipt_code}")
    assert client.get(f"/ricevuta/{shown}").location == f"/ricevuta/{item.receipt_code}"


def test_the_receipt_tells_its_fate_and_is_kept_nowhere(client: FlaskClient, item: Contribution) -> None:
    answer = client.get(f"/ricevuta/{item.receipt_code}")
    assert answer.status_code == 200
    assert "Il lampione è spento" in answer.text
    assert "Ti rispondiamo entro" in answer.text
    assert "Rosetta" not in answer.text
    assert "rosa@" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "csrf_token" not in answer.text
    assert "Set-Cookie" not in answer.headers


def test_the_receipt_says_the_answer_in_its_first_sentence(
    client: FlaskClient, database: Database, acting: Callable[..., Context], world: World
) -> None:
    said = {
        Verdict.ACCEPTED: "ha detto di sì.",
        Verdict.ACCEPTED_IN_PART: "solo in parte",
        Verdict.ALREADY_SO: "c&#39;è già",
        Verdict.PASSED_ON: "Tocca a un altro ente",
    }
    codes = {}
    with database.writing() as session:
        for verdict in said:
            one = contributions.place(acting(session, "system"), Placement(text=f"Cosa {verdict}"))
            routing.route(acting(session, "facilitator"), routing.Route(one.id, None, world.verde))
            body = world.aler if verdict is Verdict.PASSED_ON else None
            answers.publish(
                acting(session, "office"),
                answers.Reply(one.id, None, verdict, "Ecco che cosa facciamo, e quando.", body_id=body),
            )
            codes[verdict] = one.receipt_code
    for verdict, words in said.items():
        sentence = (
            client.get(f"/ricevuta/{codes[verdict]}").text.split("receipt-sentence")[1].split("</p>")[0]
        )
        assert words in sentence.replace("'", "&#39;")


def test_a_late_promise_is_said_plainly(client: FlaskClient, item: Contribution, clock: FrozenClock) -> None:
    clock.advance(timedelta(days=40))
    assert "Siamo in ritardo" in client.get(f"/ricevuta/{item.receipt_code}").text


@pytest.mark.parametrize("visibility", list(Visibility))
def test_the_holder_of_the_code_reads_it_whoever_else_may_not(
    client: FlaskClient,
    database: Database,
    acting: Callable[..., object],
    item: Contribution,
    visibility: Visibility,
) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        with contributions.changing(ctx, item.id) as it:  # type: ignore[arg-type]
            it.visibility = visibility
    page = client.get(f"/ricevuta/{item.receipt_code}").text
    assert "Il lampione è spento" in page
    linked = f'href="/proposte/{item.code}"' in page
    assert linked is (visibility is Visibility.PUBLIC)


@pytest.mark.parametrize(
    ("written", "status", "words"),
    [
        ("", 422, "Manca il codice"),
        ("abc", 422, "sbagliato nel codice"),
        ("x" * 3000, 422, "sbagliato"),
        ("<b>", 422, "&lt;b&gt;"),
    ],
)
def test_a_wrong_code_is_told_kindly(
    client: FlaskClient, item: Contribution, written: str, status: int, words: str
) -> None:
    answer = client.get("/ricevuta", query_string={"codice": written})
    assert answer.status_code == status
    assert words in answer.text


def test_a_code_nobody_was_given_is_not_found(client: FlaskClient, item: Contribution) -> None:
    answer = client.get(f"/ricevuta/{new_receipt_code()}")
    assert answer.status_code == 404
    assert "Non troviamo questo codice" in answer.text


def test_trying_codes_is_stopped_but_a_hall_is_not(
    client: FlaskClient, item: Contribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert limits.RECEIPT_PER_ADDRESS.most >= 400
    monkeypatch.setattr(limits, "RECEIPT_PER_ADDRESS", Limit("receipt_address", 3, 900))
    for _ in range(3):
        assert client.get(f"/ricevuta/{new_receipt_code()}").status_code == 404
    # Once stopped, a right code tells nothing either.
    answer = client.get(f"/ricevuta/{item.receipt_code}")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_the_receipt_takes_six_statements(
    client: FlaskClient, database: Database, item: Contribution
) -> None:
    with statements(database) as asked:
        client.get(f"/ricevuta/{item.receipt_code}")
    assert len([one for one in asked if one.lstrip().upper().startswith(("SELECT", "INSERT", "WITH"))]) <= 6


# typing for others


def test_typing_gives_a_slip_with_code_promise_and_drawing(
    sign_in: SignIn, database: Database, world: World
) -> None:
    desk = sign_in("facilitator")
    page = desk.get("/regia/scrivi").text
    assert "autofocus" in page
    answer = desk.post(
        "/regia/scrivi",
        data={
            "text": "Manca una rampa",
            "channel": "phone",
            "kind": "report",
            "place": "L04",
            "theme": "verde",
        },
    )
    with database.session() as session:
        placed = session.execute(select(Contribution)).scalar_one()
    assert (answer.status_code, answer.location) == (303, f"/regia/scrivi/{placed.code}")
    assert (placed.channel, placed.place_id, placed.theme_id) == (Channel.PHONE, world.park, world.green)
    slip = desk.get(answer.location).text
    assert format_receipt_code(placed.receipt_code) in slip
    assert "Ti rispondiamo entro" in slip
    assert "<svg" in slip


def test_the_next_sheet_of_a_pile_keeps_channel_and_place(
    sign_in: SignIn, database: Database, world: World
) -> None:
    desk = sign_in("moderator")
    sheet = {"text": "Primo foglio", "channel": "box", "place": "L04", "kind": "proposal", "pile": "y"}
    answer = desk.post("/regia/scrivi", data=sheet)
    with database.session() as session:
        placed = session.execute(select(Contribution)).scalar_one()
    assert answer.location == f"/regia/scrivi?fatto={placed.code}"
    page = desk.get(answer.location).text
    assert f"Salvata: {placed.code}" in page
    assert '<option selected value="box">' in page
    assert '<option selected value="L04">' in page
    assert "Primo foglio" not in page


def test_a_known_person_is_chosen_by_name_and_number(
    sign_in: SignIn, database: Database, world: World
) -> None:
    desk = sign_in("facilitator")
    sheet = {"text": "Uno", "channel": "desk", "kind": "proposal", "who": "Nadia K.", "register": "y"}
    desk.post("/regia/scrivi", data=sheet)
    with database.session() as session:
        nadia = session.execute(select(Person).where(Person.name == "Nadia K.")).scalar_one()
    page = desk.get("/regia/scrivi").text
    assert f'<option value="Nadia K. (n. {nadia.id})">' in page
    desk.post("/regia/scrivi", data={**sheet, "text": "Due", "who": f"Nadia K. (n. {nadia.id})"})
    with database.session() as session:
        both = session.execute(select(Contribution.person_id, Contribution.author_name)).all()
    assert [tuple(row) for row in both] == [(nadia.id, "Nadia K.")] * 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": " "},
        {"channel": "site"},
        {"channel": "x"},
        {"hands": "-3"},
        {"hands": "9" * 40},
        {"said_on": "2999-01-01"},
        {"said_on": "ieri"},
        {"kind": "desk_note"},
        {"place": "L99"},
        {"who": "x" * 400},
        {"who": "Nadia (n. 999999999999999999)"},
    ],
)
def test_a_sheet_that_cannot_be_taken_shows_what_was_typed(
    sign_in: SignIn, database: Database, world: World, wrong: dict[str, str]
) -> None:
    sheet = {
        "text": "Parole lunghe da non perdere",
        "channel": "desk",
        "kind": "proposal",
        "title": "Mio",
        **wrong,
    }
    answer = sign_in("facilitator").post("/regia/scrivi", data=sheet)
    assert answer.status_code == 422
    assert 'value="Mio"' in answer.text
    with database.session() as session:
        assert session.execute(select(func.count()).select_from(Contribution)).scalar_one() == 0


def test_a_double_click_writes_one_sheet(sign_in: SignIn, database: Database, world: World) -> None:
    desk = sign_in("facilitator")
    sheet = {"text": "Una volta", "channel": "desk", "kind": "proposal", "idempotency_key": "k"}
    assert desk.post("/regia/scrivi", data=sheet).location == desk.post("/regia/scrivi", data=sheet).location
    with database.session() as session:
        assert session.execute(select(func.count()).select_from(Contribution)).scalar_one() == 1


@pytest.mark.parametrize("who", [who for who in PERSONAS if who not in ("facilitator", "moderator")])
def test_the_page_for_typing_is_the_teams_alone(sign_in: SignIn, item: Contribution, who: str) -> None:
    browser = sign_in(who)
    for path in ("/regia/scrivi", f"/regia/scrivi/{item.code}", "/regia/scrivi/simili?q=lampione"):
        assert browser.get(path).status_code == 404
    assert browser.post("/regia/scrivi", data={"text": "No", "channel": "desk"}).status_code == 404


def test_twins_are_shown_while_typing_and_after(
    sign_in: SignIn, item: Contribution, database: Database
) -> None:
    desk = sign_in("facilitator")
    piece = desk.get("/regia/scrivi/simili", query_string={"q": "C'è un lampione spento in cortile"}).text
    assert item.code in piece
    assert desk.get("/regia/scrivi/simili?q=ab").text.strip() == ""
    answer = desk.post(
        "/regia/scrivi", data={"text": "Un lampione spento in cortile", "channel": "desk", "kind": "report"}
    )
    assert (
        f"/regia/{item.code}" in desk.get(answer.location).text or item.code in desk.get(answer.location).text
    )
