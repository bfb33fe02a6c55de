"""Signing up on the site, the ticket, the host's list: what people see on good and bad ways."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.models.events import Event, EventState
from lab.models.operations import AuditEntry
from lab.models.registrations import EventQuestion, QuestionKind, Registration, RegistrationState, SignUp
from lab.services import limits
from tests.db.test_two_at_once import together
from tests.meetings import make_event, signed_up
from tests.statements import statements
from tests.world import World

PAGE = "/eventi/EV90/iscrizione"
LIST = "/regia/eventi/EV90/iscritti"
SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def meeting(database: Database, world: World) -> int:
    with database.writing() as session:
        return make_event(session, world, sign_up_capacity=2, sign_up_asks=["childcare"]).id


def send(client: FlaskClient, path: str = PAGE, **fields: Any) -> Any:
    return client.post(path, data={"name": "Rosa", "party_size": "1", "consent": "y", **fields})


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def count(database: Database) -> int:
    with database.session() as session:
        return int(session.execute(select(func.count()).select_from(Registration)).scalar_one())


def change(database: Database, model: type[Any], key: int, **values: Any) -> None:
    with database.writing() as session:
        for name, value in values.items():
            setattr(session.get_one(model, key), name, value)


def inputs_of(page: str) -> dict[str, str]:
    """What the fields of one line hold, as the browser would send them again."""
    found = [dict(re.findall(r'(\w+)="([^"]*)"', tag)) for tag in re.findall(r"<input ([^>]*)>", page)]
    return {tag["name"]: tag["value"] for tag in found if tag.get("name") and tag.get("value")}


def test_a_name_and_two_taps(client: FlaskClient, database: Database, meeting: int) -> None:
    assert "Restano 2 posti su 2" in words(client.get(PAGE))
    answer = send(client, idempotency_key="k1")
    assert answer.status_code == 303
    again = send(client, idempotency_key="k1")
    assert count(database) == 1
    ticket = client.get(answer.location)
    assert "Confermata: posto 1 di 2" in words(ticket)
    assert words(client.get(again.location)) == words(ticket)
    assert ticket.headers["Cache-Control"] == "no-store"
    assert "noindex" in ticket.headers["X-Robots-Tag"]
    calendar = client.get(answer.location + "/calendario.ics")
    assert calendar.get_data().startswith(b"BEGIN:VCALENDAR")
    assert b"VTIMEZONE" in calendar.get_data()


def test_everybody_presses_at_once(app: Flask, database: Database, meeting: int) -> None:
    """Twelve phones for two places, one of them touched twice, one with a stranger's wish."""

    def press(number: int) -> Any:
        fields = {"name": f"Abitante {number}", "email": f"abitante{number}@example.org"}
        if number == 11:
            fields["needs"] = "a-limousine"
        key = "the-same-key-twice" if number in (0, 1) else f"key-{number}"
        if number == 1:
            fields = {"name": "Abitante 0", "email": "abitante0@example.org"}
        return send(app.test_client(), idempotency_key=key, **fields)

    answers = together(press, 12)
    assert [answer.status_code for answer in answers] == [303] * 11 + [422]
    assert answers[0].location == answers[1].location
    with database.session() as session:
        rows = list(session.execute(select(Registration).order_by(Registration.id)).scalars())
        books = session.get_one(SignUp, meeting)
    assert len(rows) == 10
    assert (books.taken, books.waiting) == (2, 8)
    assert [row.queue_no for row in rows] == [None, None, *range(1, 9)]
    assert len({row.code for row in rows}) == 10


def test_full_the_same_form_says_the_number(client: FlaskClient, database: Database, meeting: int) -> None:
    for name in ("Ada", "Bea"):
        send(client, name=name)
    page = words(client.get(PAGE))
    assert "I posti sono finiti" in page
    assert "numero 1" in page
    answer = send(client, name="Ciro", email="ciro@example.org")
    assert "Lista d'attesa: sei il numero 1" in words(client.get(answer.location)).replace("&#39;", "'")


def test_what_was_typed_stays_and_the_error_is_beside_the_field(
    client: FlaskClient, database: Database, meeting: int
) -> None:
    with database.writing() as session:
        question = EventQuestion(
            event_id=meeting, kind=QuestionKind.TEXT, label="Da dove vieni?", is_required=True
        )
        session.add(question)
        session.flush()
        field = f"answer_{question.id}"
    for fields, said in (
        ({"name": " "}, "Scrivi un nome"),
        ({"email": "chi lo sa"}, "Questo indirizzo non sembra giusto"),
        ({"phone": "12"}, "Questo numero non sembra giusto"),
        ({"consent": ""}, "Per iscriverti serve il tuo sì"),
        ({"party_size": "40"}, "Questa scelta non c"),
        ({field: ""}, "Manca questa risposta"),
        ({"needs": ["food"]}, "Questa scelta non c"),
    ):
        answer = send(client, **{"needs_note": "Due bambini", field: "Torre 1", **fields})
        page = answer.get_data(as_text=True)
        assert (answer.status_code, said in page, "Due bambini" in page) == (422, True, True), fields
    # All that is wrong is told at once.
    page = words(send(client, name="", email="chi lo sa", phone="12"))
    for said in ("Scrivi un nome", "Questo indirizzo non", "Questo numero non", "Manca questa risposta"):
        assert said in page
    assert count(database) == 0


def test_out_of_time_the_page_says_why(client: FlaskClient, database: Database, meeting: int) -> None:
    with database.session() as session:
        now = session.get_one(Event, meeting).starts_at - timedelta(days=7)
    for model, values, said in (
        (SignUp, {"opens_at": now + timedelta(days=1)}, "non sono ancora aperte"),
        (SignUp, {"opens_at": None, "closes_at": now}, "Le iscrizioni sono chiuse"),
        (SignUp, {"closes_at": None, "is_offered": False}, "non serve iscriversi"),
        (Event, {"state": EventState.CANCELLED}, "annullato"),
        (Event, {"state": EventState.PLANNED, "starts_at": now}, "già iniziato o passato"),
    ):
        change(database, model, meeting, **values)
        assert said in words(client.get(PAGE))
        answer = send(client)
        assert (answer.status_code, said in words(answer)) == (409, True), said
    assert client.get("/eventi/NIENTE/iscrizione").status_code == 404
    change(database, Event, meeting, is_public=False)
    assert client.get(PAGE).status_code == 404


def test_a_ticket_is_changed_and_given_back_without_account(
    client: FlaskClient, database: Database, meeting: int
) -> None:
    ticket = send(client, email="rosa@example.org").location
    waiting = send(client, name="Bea", party_size="2").location
    # Who waits is not sent to the door: the day stays free in the calendar, the code is for later.
    assert "Ti serve solo se il posto diventa tuo" in words(client.get(waiting))
    day = client.get(waiting + "/calendario.ics").get_data(as_text=True).replace("\r\n ", "")
    assert all(said in day for said in ("STATUS:TENTATIVE", "TRANSP:TRANSPARENT", "vieni se ti diciamo"))
    assert "STATUS:CONFIRMED" in client.get(ticket + "/calendario.ics").text
    form = client.get(ticket + "/cambia").get_data(as_text=True)
    assert 'value="rosa@example.org"' in form
    fields = {"name": "Rosa B.", "party_size": "4", "version": "1"}
    too_many = client.post(ticket + "/cambia", data=fields)
    assert (too_many.status_code, "non bastano per tutti" in words(too_many)) == (422, True)
    fields["party_size"] = "2"
    # Two clicks are one change; another one from an old page is told so, and so is a page not drawn here.
    for _ in range(2):
        assert client.post(ticket + "/cambia", data=fields).status_code == 303
    for version in ("1", "x"):
        late = client.post(ticket + "/cambia", data={**fields, "name": "Rosa C.", "version": version})
        assert (late.status_code, 'value="Rosa C."' in late.text) == (409, True)
    assert "posti da 1 a 2 di 2" in words(client.get(ticket))
    # A look at the page that asks changes nothing; its button does, once.
    client.get(ticket + "/lascia")
    assert "Confermata" in words(client.get(ticket))
    for _ in range(2):
        assert client.post(ticket + "/lascia").status_code == 303
    # From a page that was open all the while: told, with everything typed.
    late = client.post(ticket + "/cambia", data={**fields, "name": "Rosa D."})
    assert late.status_code == 409
    assert all(words in late.text for words in ("già annullata", 'value="Rosa D."'))
    assert "Annullata" in words(client.get(ticket))
    assert "Confermata" in words(client.get(waiting))
    assert "cancelliamo nomi e biglietti" in client.get("/biglietto/sbagliato.").text
    for path in ("", "/cambia", "/lascia", "/calendario.ics"):
        assert client.get(f"/biglietto/sbagliato.{path}").status_code == 404
        assert client.get("/biglietto/x" + ticket.removeprefix("/biglietto/") + path).status_code == 404


def test_nobody_floods_a_mailbox_from_a_ticket(
    client: FlaskClient, database: Database, meeting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tickets are made with any address, and every change of one sends a mail there."""
    monkeypatch.setattr(limits, "CHANGE_PER_TICKET", limits.Limit("ticket_change", 2, 3600))
    monkeypatch.setattr(limits, "GIVE_BACK_PER_CONTACT", limits.Limit("ticket_give_back", 2, 3600))
    ticket = send(client, name="Rosa", email="ada@example.org").location
    codes = []
    for n in range(3):
        fields = {**inputs_of(client.get(ticket + "/cambia").text), "name": f"Rosa {n}", "people": "1"}
        answer = client.post(ticket + "/cambia", data={**fields, "email": "ada@example.org"})
        codes.append(answer.status_code)
    assert codes == [303, 303, 429] and "Rosa 2" in answer.text
    assert [client.post(ticket + "/lascia").status_code for _ in range(2)] == [303, 303]
    again = [send(client, name="Rosa", email="ada@example.org").location for _ in range(2)]
    assert client.post(again[0] + "/lascia").status_code == 303
    again.append(send(client, name="Rosa", email="ada@example.org").location)
    # The one that took its place stands: with it no more places come back, and so no more mails go out.
    assert [client.post(one + "/lascia").status_code for one in again] == [303, 303, 429]


def test_with_an_account_the_ticket_is_among_my_things(
    sign_in: SignIn, client: FlaskClient, database: Database, meeting: int
) -> None:
    rosa = sign_in("rosa")
    page = rosa.get(PAGE).get_data(as_text=True)
    assert 'value="Rosa"' in page
    ticket = send(rosa, signed="1").location
    assert rosa.get(PAGE).status_code == 303
    # Nobody who is in is asked to sign up, and nobody else sees that they are.
    there, elsewhere = (browser.get(PAGE.removesuffix("/iscrizione")).text for browser in (rosa, client))
    assert f'href="{ticket}"' in there and "Iscriviti" not in there
    assert "/biglietto/" not in elsewhere and "Iscriviti" in elsewhere
    assert "Giochi nuovi al parco" in words(rosa.get("/io/iscrizioni"))
    # A session that ended meanwhile signs up nobody by mistake.
    assert "/accedi" in send(client, signed="1").location
    # Somebody else's ticket stays somebody else's; a nameless one can be kept.
    other = send(client, name="Samir").location
    samir = sign_in("samir")
    assert samir.post(ticket + "/mio").status_code == 303
    samir.post(other + "/mio")
    with database.session() as session:
        owners = select(Registration.name, Registration.person_id).order_by(Registration.id)
        found = dict(session.execute(owners).all())
    assert found["Samir"] is not None
    assert found["Samir"] != found["Rosa"]


def test_a_stranger_learns_nothing(client: FlaskClient, database: Database, meeting: int) -> None:
    first = send(client, email="rosa@example.org")
    second = send(client, name="Chi curiosa", email="rosa@example.org")
    page = words(client.get(second.location))
    assert "Confermata: posto 2 di 2" in page
    assert "Rosa" not in page
    assert client.post(second.location + "/lascia").status_code == 303
    assert "Confermata" in words(client.get(first.location))


def test_hosts_alone_see_names_and_every_look_is_written(
    sign_in: SignIn, client: FlaskClient, database: Database, meeting: int
) -> None:
    with database.writing() as session:
        event = session.get_one(Event, meeting)
        row = signed_up(session, event, "=cmd()", email="a@example.org", needs=("childcare",)).id
    for who in ("rosa", "coordinator", "moderator", "administrator", "office"):
        browser = sign_in(who)
        for path in (LIST, LIST + ".csv", LIST + "/stampa", f"{LIST}/{row}", LIST + "/nuova"):
            assert browser.get(path).status_code == 404, (who, path)
        assert browser.get("/regia/eventi/EV90/iscrizioni").status_code == 404
    assert client.get(LIST).status_code == 303
    host = sign_in("facilitator")
    for path in (LIST, LIST + "?q=cmd&stato=confermate", LIST + "/stampa", f"{LIST}/{row}"):
        assert "cmd()" in host.get(path).get_data(as_text=True)
    file = host.get(LIST + ".csv")
    assert ";'=cmd();" in file.get_data(as_text=True)
    assert host.get(f"{LIST}/99999").status_code == 404
    for who in ("coordinator", "administrator", "facilitator"):
        assert "ha scaricato l" in words(sign_in(who).get(LIST + "/sguardi"))
    assert sign_in("office").get(LIST + "/sguardi").status_code == 404
    with database.session() as session:
        seen = select(func.count()).where(AuditEntry.verb == "event.people_seen")
        assert session.execute(seen).scalar_one() == 6


def test_hosts_act_for_others(sign_in: SignIn, database: Database, meeting: int) -> None:
    host = sign_in("facilitator")
    added = host.post(
        LIST + "/nuova", data={"name": "Pina", "party_size": "2", "phone": "0362 112233", "told": "y"}
    )
    assert added.status_code == 303
    assert host.post(LIST + "/nuova", data={"name": "Ugo", "party_size": "1"}).status_code == 422
    late = host.post(LIST + "/nuova", data={"name": "Ugo", "party_size": "1", "told": "y"}).location
    assert host.post(late + "/sposta", data={"number": "1", "reason": ""}).status_code == 422
    assert host.post(late + "/sposta", data={"number": "1", "reason": "viene da lontano"}).status_code == 303
    assert host.post(late + "/oltre", data={"reason": "porta la torta"}).status_code == 303
    assert host.post(late + "/oltre", data={"reason": "porta la torta"}).status_code == 409
    assert host.post(late + "/separa").status_code == 409
    assert host.post(added.location + "/annulla", data={"reason": "non viene"}).status_code == 303
    assert host.post(late + "/chiamato").status_code == 303
    with database.session() as session:
        states = dict(session.execute(select(Registration.name, Registration.state)).all())
    assert states == {"Pina": RegistrationState.CANCELLED, "Ugo": RegistrationState.CONFIRMED}
    # The file has everybody with their state, or those whom the page shows.
    lines = [line.split(";")[1:3] for line in host.get(LIST + ".csv").get_data(as_text=True).splitlines()]
    assert lines == [["nome", "stato"], ["Ugo", "Confermata"], ["Pina", "Annullata"]]
    some = host.get(LIST + ".csv?stato=annullate").get_data(as_text=True)
    assert "Pina" in some and "Ugo" not in some


def test_whoever_rings_up_is_put_right_without_losing_their_number(
    sign_in: SignIn, database: Database, meeting: int
) -> None:
    with database.writing() as session:
        event = session.get_one(Event, meeting)
        signed_up(session, event, "Ada", party_size=2)
        bea, carla = signed_up(session, event, "Bea").id, signed_up(session, event, "Carla").id
    host = sign_in("facilitator")
    assert f"{LIST}/{bea}/cambia" in host.get(f"{LIST}/{bea}").text
    page = host.get(f"{LIST}/{bea}/cambia").text
    sent = {"name": "Bea Sala", "party_size": "7", "email": "bea@example.org", "version": "1"}
    assert 'name="version" value="1"' in page and 'value="Bea"' in page
    assert send(host, f"{LIST}/{bea}/cambia", **sent).status_code == 303
    with database.session() as session:
        row = session.get_one(Registration, bea)
        assert (row.name, row.party_size, row.email) == ("Bea Sala", 7, "bea@example.org")
        assert (row.state, row.queue_no) == (RegistrationState.WAITING, 1)
        verbs = session.execute(select(AuditEntry.verb).where(AuditEntry.subject_id == bea)).scalars()
        assert "registration.edited" in set(verbs)
    again = send(host, f"{LIST}/{bea}/cambia", **{**sent, "name": "Beatrice"})
    assert again.status_code == 409 and 'value="Beatrice"' in again.text
    queue = host.get(f"{LIST}/stampa").text
    assert queue.index("Ada") < queue.index("1. <bdi>Bea Sala") < queue.index("2. <bdi>Carla")
    for who in ("moderator", "rosa"):
        assert sign_in(who).get(f"{LIST}/{carla}/cambia").status_code == 404


def test_the_rules_are_changed_by_hosts(
    sign_in: SignIn, client: FlaskClient, database: Database, meeting: int
) -> None:
    for name in ("Ada", "Bea", "Ciro"):
        send(client, name=name)
    host, path = sign_in("facilitator"), "/regia/eventi/EV90/iscrizioni"
    assert host.get(path).status_code == 200
    fields = {
        "version": "1", "is_offered": "y", "capacity": "1", "party_most": "4", "keep_days": "30",
        "remind_days": "1",
        "groups-0-name": "Scala B", "groups-0-reserved": "1", "questions-0-label": "Turno?",
        "questions-0-kind": "one", "questions-0-options": "Mattina\nSera",
    }  # fmt: skip
    refused = host.post(path, data=fields)
    assert (refused.status_code, "Scala B" in refused.get_data(as_text=True)) == (422, True)
    narrow = host.post(path, data={**fields, "capacity": "4", "groups-0-most": "0"}).get_data(as_text=True)
    assert 'href="#groups-0-most"' in narrow
    assert "non può stare sotto i posti tenuti" in narrow.split('for="groups-0-most"')[1]
    for _ in range(2):
        assert host.post(path, data={**fields, "capacity": "4"}).status_code == 303
    page = client.get(PAGE).get_data(as_text=True)
    assert "Turno?" in page
    assert "Scala B" in page
    with database.session() as session:
        assert session.get_one(SignUp, meeting).taken == 3


@pytest.mark.parametrize("version", ["1", "x", ""])
def test_rules_changed_by_a_colleague_are_not_lost_by_saving_again(
    sign_in: SignIn, database: Database, meeting: int, version: str
) -> None:
    host, path = sign_in("facilitator"), "/regia/eventi/EV90/iscrizioni"
    rules = {"is_offered": "y", "party_most": "4", "keep_days": "30", "remind_days": "1"}
    theirs = {"capacity": "20", "groups-0-name": "Scala B", "groups-0-reserved": "2"}
    assert host.post(path, data={**rules, **theirs, "version": "1"}).status_code == 303
    mine = {"capacity": "30", "questions-0-label": "Turno?", "version": version}
    late = host.post(path, data={**rules, **mine})
    assert late.status_code == 409
    assert all(words in late.text for words in ("Guardala com", 'value="Scala B"', 'value="30"', "Turno?"))
    assert host.post(path, data={**inputs_of(late.text), "questions-0-kind": "text"}).status_code == 303
    page = host.get(path).text
    assert all(words in page for words in ('value="Scala B"', 'value="30"', "Turno?"))


def test_the_page_costs_at_most_six_statements(
    sign_in: SignIn, client: FlaskClient, database: Database, world: World
) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_has_groups=True)
        signed_up(session, event)
    for browser in (client, sign_in("rosa")):
        browser.get(PAGE)
        with statements(database, but="UPDATE web_session") as sent:
            assert browser.get(PAGE).status_code == 200
        assert len(sent) <= 6, sent


def test_the_form_has_a_token_and_no_key_reaches_the_log(
    app: Flask, clock: FrozenClock, meeting: int, caplog: pytest.LogCaptureFixture
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    client = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(PAGE).get_data(as_text=True))
    assert token
    assert send(client).status_code == 400
    answer = send(client, csrf_token=token[1])
    assert answer.status_code == 303
    client.get(answer.location)
    assert answer.location.rpartition("/")[2] not in caplog.text
