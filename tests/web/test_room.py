"""The screen in the room, the phones in the hall and the remote control, as they are used on an evening."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lab.db.engine import Database
from lab.models.contributions import Contribution, Kind, Visibility
from lab.models.events import AgendaItem, EventKind
from lab.models.rooms import PollState, RoomHand, RoomPoll, RoomQuestion, RoomVote
from lab.policy.actor import SYSTEM
from lab.services import arrivals, limits, room_polls
from lab.services.context import Context
from lab.web import room_live
from tests.meetings import make_event
from tests.statements import statements
from tests.world import NOW, World

SignIn = Callable[[str], FlaskClient]
ROOM = "/sala/EV90"
PHONE = f"{ROOM}/partecipa"
STEER = "/regia/eventi/EV90/sala"


@pytest.fixture
def event_id(database: Database, world: World) -> int:
    with database.writing() as session:
        event = make_event(session, world, kind=EventKind.ASSEMBLY, title="Assemblea del parco")
        session.add_all(
            AgendaItem(event_id=event.id, position=n, title=title, minutes=20)
            for n, title in enumerate(("Saluti", "I giochi", "Domande"))
        )
        return event.id


@pytest.fixture
def host(sign_in: SignIn, event_id: int) -> FlaskClient:
    browser = sign_in("facilitator")
    assert browser.post(f"{STEER}/apri").status_code == 303
    return browser


def asked(phone: FlaskClient, text: str = "Quando arrivano le altalene?", key: str = "k1") -> int:
    return phone.post(PHONE, data={"text": text, "author_name": "Rosa", "idempotency_key": key}).status_code


def only_question(database: Database) -> tuple[RoomQuestion, Contribution]:
    with database.session() as session:
        return tuple(session.execute(select(RoomQuestion, Contribution).join(Contribution)).one())  # type: ignore[return-value]


def test_before_it_opens_the_wall_welcomes_and_phones_wait(client: FlaskClient, event_id: int) -> None:
    assert "Assemblea del parco" in client.get(ROOM).text
    page = client.get(PHONE).text
    assert "La sala apre tra poco" in page
    assert "Manda la domanda" not in page
    assert asked(client) == 409


def test_a_question_is_read_before_the_room_sees_it(
    app: Flask, client: FlaskClient, host: FlaskClient, database: Database
) -> None:
    assert asked(client) == 303
    assert "Chi guida l'incontro la legge" in client.get(PHONE).text.replace("&#39;", "'")
    host.post(f"{STEER}/mostra", data={"vista": "questions"})
    other = app.test_client()
    assert "altalene" not in other.get(f"{ROOM}/schermo").text
    assert "altalene" not in other.get(PHONE).text
    question, contribution = only_question(database)
    assert (contribution.kind, contribution.visibility) == (Kind.QUESTION, Visibility.WAITING)
    assert "altalene" in host.get(STEER).text
    host.post(f"{STEER}/domande/{question.contribution_id}", data={"che": "mostra"})
    assert "altalene" in other.get(f"{ROOM}/schermo").text
    assert "altalene" in other.get(f"{PHONE}/adesso").text
    assert other.get(f"/proposte/{contribution.code}").status_code == 200


def test_asking_twice_with_one_key_is_one_question(
    app: Flask, client: FlaskClient, host: FlaskClient, database: Database
) -> None:
    asked(client)
    asked(client)
    with database.session() as session:
        assert session.execute(select(func.count()).select_from(RoomQuestion)).scalar_one() == 1
    # The same key from another phone is another question, and tells nothing of the first.
    asked(app.test_client(), "Un'altra domanda")
    with database.session() as session:
        assert session.execute(select(func.count()).select_from(RoomQuestion)).scalar_one() == 2


def test_what_was_typed_stays_when_it_cannot_be_asked(client: FlaskClient, host: FlaskClient) -> None:
    long = "perché " * 60
    answer = client.post(PHONE, data={"text": long})
    assert answer.status_code == 422
    assert long.strip() in answer.text
    host.post(f"{STEER}/porte", data={"is_moderated": "y"})
    closed = client.post(PHONE, data={"text": "Ci sono i bagni?"})
    assert closed.status_code == 409
    assert "domande ora sono chiuse" in closed.text
    host.post(f"{STEER}/chiudi")
    shut = client.post(PHONE, data={"text": "Ci sono i bagni?"})
    assert shut.status_code == 409
    for page in (closed, shut):
        assert "Ci sono i bagni?" in page.text


def test_a_phone_has_one_hand_for_each_question(
    app: Flask, client: FlaskClient, host: FlaskClient, database: Database
) -> None:
    asked(client)
    number = only_question(database)[0].contribution_id
    host.post(f"{STEER}/domande/{number}", data={"che": "mostra"})
    for _ in range(3):
        assert client.post(f"{PHONE}/mano/{number}").status_code == 303
    assert app.test_client().post(f"{PHONE}/mano/{number}").status_code == 303
    assert only_question(database)[0].hands == 2
    assert "La tua mano c" in client.get(PHONE).text
    with database.session() as session:
        digests = session.execute(select(RoomHand.voter_digest)).scalars().all()
    assert len(set(digests)) == 2


def test_a_question_set_aside_leaves_the_room_but_not_the_inbox(
    client: FlaskClient, host: FlaskClient, database: Database
) -> None:
    asked(client)
    question, contribution = only_question(database)
    host.post(f"{STEER}/domande/{question.contribution_id}", data={"che": "da-parte"})
    assert "altalene" not in client.get(PHONE).text
    assert client.post(f"{PHONE}/mano/{question.contribution_id}").status_code == 404
    assert host.get(f"/regia/{contribution.code}").status_code == 200
    with database.session() as session:
        kept = session.get(Contribution, question.contribution_id)
        assert kept is not None and kept.is_open


def test_a_poll_counts_each_phone_once_and_shows_bars(
    app: Flask, client: FlaskClient, host: FlaskClient, database: Database
) -> None:
    poll = {"text": "Da dove si comincia?", "answers-0": "Altalene", "answers-1": "Panchine", "answers-2": ""}
    assert host.post(f"{STEER}/sondaggi", data=poll).status_code == 303
    number = re.search(r"/sondaggi/(\d+)", host.get(STEER).text)
    assert number
    assert "Da dove" not in client.get(PHONE).text
    host.post(f"{STEER}/sondaggi/{number[1]}", data={"che": "apri"})
    page = client.get(PHONE).text
    options = re.findall(r'name="risposta" value="(\d+)"', page)
    assert len(options) == 2
    client.post(f"{PHONE}/voto", data={"risposta": options[0]})
    client.post(f"{PHONE}/voto", data={"risposta": options[1]})
    app.test_client().post(f"{PHONE}/voto", data={"risposta": options[0]})
    wall = client.get(f"{ROOM}/schermo").text
    assert "Da dove si comincia?" in wall
    assert "2 <small>(100%)" in wall
    host.post(f"{STEER}/sondaggi/{number[1]}", data={"che": "chiudi"})
    late = app.test_client().post(f"{PHONE}/voto", data={"risposta": options[0]})
    assert late.status_code == 409
    # A poll left open when the room closes takes no more votes.
    host.post(f"{STEER}/sondaggi/{number[1]}", data={"che": "apri"})
    host.post(f"{STEER}/chiudi")
    assert app.test_client().post(f"{PHONE}/voto", data={"risposta": options[0]}).status_code == 409
    with database.session() as session:
        assert session.execute(select(func.count()).select_from(RoomVote)).scalar_one() == 2


def test_a_script_that_is_a_new_phone_each_time_is_stopped(
    app: Flask, host: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HAND_PER_ADDRESS", limits.Limit("hand_address", 2, 3600))
    answers = [app.test_client().post(f"{PHONE}/voto", data={"risposta": "1"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert app.test_client().post(f"{PHONE}/mano/1").status_code == 429


def test_a_poll_needs_two_different_answers(host: FlaskClient) -> None:
    one = host.post(f"{STEER}/sondaggi", data={"text": "Che cosa?", "answers-0": "Sì"})
    assert one.status_code == 422
    assert "Servono da due a sei risposte" in one.text
    assert 'value="Sì"' in one.text
    twice = host.post(f"{STEER}/sondaggi", data={"text": "Che cosa?", "answers-0": "Sì", "answers-1": "sì"})
    assert twice.status_code == 422
    good = {"text": "Che cosa?", "answers-0": "Sì", "answers-1": "No"}
    for _ in range(2):
        assert host.post(f"{STEER}/sondaggi", data=good).status_code == 303
    assert host.get(STEER).text.count("Apri e mostra") == 1


def test_the_next_poll_takes_all_polls_before_the_room_as_phones_that_vote_do(
    host: FlaskClient, database: Database, event_id: int
) -> None:
    with database.writing() as session:
        ctx = Context(session, SYSTEM, NOW)
        polls = [
            room_polls.make(ctx, room_polls.MakePoll(event_id, text, ("Sì", "No"))) for text in ("A?", "B?")
        ]
        room_polls.set_state(ctx, polls[0].id, PollState.OPEN)
    with database.writing() as session:
        with statements(database) as seen:
            room_polls.set_state(Context(session, SYSTEM, NOW), polls[1].id, PollState.OPEN)
        states = session.execute(select(RoomPoll.state).order_by(RoomPoll.id)).scalars().all()
    assert states == [PollState.CLOSED, PollState.OPEN]
    held = [table[1] for one in seen if "FOR UPDATE" in one and (table := re.search(r"FROM (\w+)", one))]
    assert held == ([] if database.is_sqlite else ["room_poll", "room"])


def test_the_wall_follows_the_remote_control(client: FlaskClient, host: FlaskClient) -> None:
    before = client.get(f"{ROOM}/battito").get_json()["beat"]
    host.post(f"{STEER}/mostra", data={"vista": "agenda"})
    assert client.get(f"{ROOM}/battito").get_json()["beat"] != before
    assert "I giochi" in client.get(f"{ROOM}/schermo").text
    point = re.search(r'name="punto" value="(\d+)"', host.get(STEER).text)
    assert point
    host.post(f"{STEER}/mostra", data={"vista": "agenda", "punto": point[1]})
    assert 'aria-current="step"' in client.get(f"{ROOM}/schermo").text
    host.post(f"{STEER}/riga", data={"message": "Il bar è aperto"})
    assert "Il bar è aperto" in client.get(ROOM).text
    host.post(f"{STEER}/mostra", data={"vista": "count"})
    assert "persone in sala" in client.get(f"{ROOM}/schermo").text
    for view in ("welcome", "questions", "poll", "plan", "photos", "pause"):
        assert host.post(f"{STEER}/mostra", data={"vista": view}).status_code == 303
        wall = client.get(f"{ROOM}/schermo")
        assert wall.status_code == 200
        # Nobody is sent to have a coffee by a poll that is not written yet.
        assert ("Ci rivediamo tra poco" in wall.text) is (view == "pause")
    host.post(f"{STEER}/chiudi")
    assert "Grazie" in client.get(ROOM).text
    assert asked(client) == 409
    assert host.post(f"{STEER}/mostra", data={"vista": "count"}).status_code == 409


@pytest.mark.parametrize("who", ["rosa", "office", "moderator", "administrator"])
def test_only_its_hosts_steer(sign_in: SignIn, event_id: int, who: str) -> None:
    browser = sign_in(who)
    assert browser.get(STEER).status_code == 404
    assert browser.post(f"{STEER}/apri").status_code == 404
    assert browser.post(f"{STEER}/mostra", data={"vista": "count"}).status_code == 404


def test_things_of_another_meeting_are_not_shown(
    host: FlaskClient, database: Database, world: World, client: FlaskClient
) -> None:
    with database.writing() as session:
        other = make_event(session, world, code="EV91", title="Altro incontro")
        item = AgendaItem(event_id=other.id, position=1, title="Segreto", minutes=5)
        session.add(item)
        session.flush()
        number = item.id
    assert host.post(f"{STEER}/mostra", data={"punto": str(number)}).status_code == 409
    assert "Segreto" not in client.get(f"{ROOM}/schermo").text


def test_the_wall_follows_the_door_which_does_not_hold_it(
    client: FlaskClient, database: Database, event_id: int
) -> None:
    """Who writes lines holds the meeting, then the room: who holds the room must not ask for the meeting."""
    before = client.get(f"{ROOM}/battito").get_json()["beat"]
    with database.writing() as session, statements(database) as seen:
        arrivals.walk_in(Context(session, SYSTEM, NOW), arrivals.WalkIn(event_id, "Ugo"))
    assert client.get(f"{ROOM}/battito").get_json()["beat"] != before
    assert seen and not any(one.startswith("UPDATE room ") for one in seen)


def test_an_event_in_preparation_has_no_room(client: FlaskClient, database: Database, world: World) -> None:
    with database.writing() as session:
        make_event(session, world, code="EV92", is_public=False)
    for path in ("/sala/EV92", "/sala/EV92/partecipa", "/sala/EV92/battito", "/sala/EV92/flusso"):
        assert client.get(path).status_code == 404


def test_a_meeting_that_is_called_off_empties_its_room(
    client: FlaskClient, host: FlaskClient, event_id: int
) -> None:
    before = client.get(f"{ROOM}/battito").get_json()["beat"]
    host.post("/regia/eventi/EV90/annulla", data={"reason": "La sala è allagata", "version": "1"})
    assert client.get(f"{ROOM}/battito").get_json()["beat"] != before
    for page in (client.get(ROOM).text, client.get(PHONE).text):
        assert "Questo incontro è annullato" in page and "La sala è allagata" in page
    assert asked(client) == 409
    assert host.post(f"{STEER}/apri").status_code == 409
    assert "La sala non si apre" in host.get(STEER).text


def test_strangers_cannot_keep_the_screen_of_a_host_from_its_stream(
    app: Flask, client: FlaskClient, host: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other tests of this process may have left streams open.
    monkeypatch.setattr(room_live, "_kept", threading.BoundedSemaphore(room_live.KEPT))
    monkeypatch.setattr(room_live, "_open", threading.BoundedSemaphore(room_live.OPEN))
    beat = client.get(f"{ROOM}/battito").get_json()["beat"]
    strangers = [app.test_client().get(f"{ROOM}/flusso?chiave=inventata") for _ in range(5)]
    assert [answer.status_code for answer in strangers] == [200] + [204] * 4
    given = re.search(r'href="(/sala/EV90\?chiave=[^"]+)"', host.get(STEER).text)
    assert given
    # The laptop under the projector is nobody; the address that the host opened there is enough.
    flow = re.search(r'data-stream="([^"]+)"', app.test_client().get(given[1]).text)
    assert flow
    screen = app.test_client().get(flow[1])
    try:
        lines = iter(screen.response)
        assert f"data: {beat}" in [str(next(lines)), str(next(lines))][1]
        assert screen.mimetype == "text/event-stream"
    finally:
        for stream in (screen, *strangers):
            stream.close()
    assert re.search(r'data-stream="[^"]+chiave=', host.get(ROOM).text)
    assert not re.search(r'data-stream="[^"]+chiave=', client.get(ROOM).text)
    again = client.get(f"{ROOM}/flusso")
    assert again.status_code == 200
    again.close()


def test_who_waited_for_the_room_to_open_learns_where_to_ask(client: FlaskClient, host: FlaskClient) -> None:
    ask_at = f'data-ask-at="{PHONE}"'
    assert ask_at in client.get(f"{PHONE}/adesso").text
    host.post(f"{STEER}/porte", data={"is_moderated": "y"})
    assert ask_at not in client.get(f"{PHONE}/adesso").text
    host.post(f"{STEER}/chiudi")
    assert ask_at not in client.get(f"{PHONE}/adesso").text


def test_a_poll_that_nobody_closed_takes_no_answers_after_the_meeting(
    client: FlaskClient, host: FlaskClient
) -> None:
    data = {"text": "Da dove si comincia?", "answers-0": "Dal parco", "answers-1": "Dalla scuola"}
    host.post(f"{STEER}/sondaggi", data=data)
    number = re.search(r"/sondaggi/(\d+)", host.get(STEER).text)
    assert number
    host.post(f"{STEER}/sondaggi/{number[1]}", data={"che": "apri"})
    assert 'name="risposta"' in client.get(PHONE).text
    host.post(f"{STEER}/chiudi")
    page = client.get(PHONE).text
    assert "Da dove si comincia?" in page
    assert 'name="risposta"' not in page
    assert ">Aperto<" not in host.get(STEER).text


def test_the_wall_without_questions_says_so_in_a_line(client: FlaskClient, host: FlaskClient) -> None:
    host.post(f"{STEER}/mostra", data={"vista": "questions"})
    wall = client.get(f"{ROOM}/schermo").text
    assert "La prima può essere la tua" in wall
    assert "data-more" not in wall
    # The list has a narrow column for the hands: words alone would stand in it, one upon the other.
    assert "room-questions" not in wall
