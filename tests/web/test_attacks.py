"""What somebody with bad intentions tries, and what they get."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from lab.db.engine import Database
from lab.models.accounts import Person, Role
from lab.models.actions import Action, ActionContribution, ActionKind, ActionState
from lab.models.contributions import Contribution, Visibility
from lab.models.operations import Draft, HeldForm, RateCounter
from lab.services import accounts, contributions, conversation, limits, people
from lab.services.context import Context
from tests.web.accounts_help import (
    PASSWORD,
    give_password,
    is_in,
    last_code,
    mails,
    send,
    sign_in_by_password,
)
from tests.world import World

SignIn = Callable[[str], FlaskClient]


@pytest.mark.parametrize("cookie", ['lang="ar"', "lang=xx; lang=ar", "lang =ar", "LANG=ar; lang=%61r"])
@pytest.mark.parametrize("language", ["it", "ar"])
def test_an_odd_language_cookie_changes_no_page_for_others(app: Flask, cookie: str, language: str) -> None:
    wish = {"Accept-Language": language}
    app.test_client(use_cookies=False).get("/proposte", headers={**wish, "Cookie": cookie})
    page = app.test_client(use_cookies=False).get("/proposte", headers=wish).text
    assert f'<html lang="{language}"' in page


@pytest.mark.parametrize(
    "sent_by", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
def test_a_form_on_another_site_signs_nobody_out(app: Flask, sent_by: dict[str, str]) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    # The browser keeps our cookie back from other sites: the request looks like one of a stranger.
    answer = app.test_client().post("/io/dati", data={"name": "Altra"}, headers=sent_by)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    # The same form from a page of ours that was open for too long is carried and sent again.
    own = app.test_client().post("/io/dati", data={"name": "Rosa"}, headers={"Origin": "http://localhost"})
    assert own.status_code == 400
    assert 'value="Rosa"' in own.text


@pytest.mark.parametrize("visibility", [Visibility.HIDDEN, Visibility.PRIVATE])
def test_hidden_words_stay_hidden_at_the_desk_of_an_action(
    sign_in: SignIn,
    database: Database,
    world: World,
    acting: Callable[..., Context],
    visibility: Visibility,
) -> None:
    with database.writing() as session:
        ctx = acting(session)
        said = contributions.place(
            ctx, contributions.Placement(text="Parole segretissime", person_id=world.people["rosa"])
        )
        action = Action(
            code="A77", title="Un'azione", aim="x", kind=ActionKind.WORK, state=ActionState.UNDER_WAY,
            office_id=world.lavori, created_at=ctx.now, updated_at=ctx.now,
        )  # fmt: skip
        session.add(action)
        session.flush()
        session.add(ActionContribution(action_id=action.id, contribution_id=said.id, at=ctx.now))
        session.execute(update(Contribution).where(Contribution.id == said.id).values(visibility=visibility))
    for who in world.people:
        page = sign_in(who).get("/regia/azioni/A77")
        roles = {grant.role for grant in world.actor(who).grants}
        may = roles & {Role.FACILITATOR, Role.MODERATOR, Role.COORDINATOR}
        assert ("segretissime" in page.text) is bool(may), who


def test_hidden_words_are_not_read_by_answering_them_elsewhere(
    sign_in: SignIn, database: Database, world: World, acting: Callable[..., Context]
) -> None:
    """The number of a comment under another input, sent with an empty answer."""
    with database.writing() as session:
        ctx = acting(session, "rosa")
        shown, aside = (contributions.place(ctx, contributions.Placement(text=f"Voce {n}")) for n in "ab")
        secret = conversation.write(ctx, conversation.WriteComment(aside.id, "Parole segretissime"))
        session.execute(
            update(Contribution).where(Contribution.id == aside.id).values(visibility=Visibility.HIDDEN)
        )
    for text in ("", "x" * 2001):
        data = {"text": text, "parent": str(secret.id)}
        answer = sign_in("samir").post(f"/proposte/{shown.code}/commenti", data=data)
        assert (answer.status_code, "segretissime" in answer.text) == (404, False)
    # Nor does one learn that words were there and are gone.
    with database.writing() as session:
        conversation.delete(acting(session, "rosa"), secret.id)
    assert sign_in("samir").get(f"/commenti/{secret.id}/rispondi").status_code == 404


@pytest.mark.parametrize("name", ["endpoint", "code", "_scheme", "_method"])
def test_no_name_in_an_address_is_taken_for_one_of_ours(
    client: FlaskClient, database: Database, acting: Callable[..., Context], name: str
) -> None:
    with database.writing() as session:
        said = [contributions.place(acting(session), contributions.Placement(text=f"Voce {n}")) for n in "ab"]
    for path in ("/", "/proposte", f"/proposte/{said[0].code}", "/eventi", "/sitemap.xml"):
        answer = client.get(f"{path}?{name}=javascript")
        assert answer.status_code == 200
        assert f'href="{path}?{name}=javascript&amp;lang=en"' in answer.text or path == "/sitemap.xml"
    listed = client.get(f"/api/v1/proposals?limit=1&{name}=x&q=voce")
    assert listed.json is not None
    assert f"0/api/v1/proposals?limit=1&{name}=x&q=voce&after=" in listed.json["next"]


@pytest.mark.parametrize("mark", [
    ["0001-01-01T00:00:00+14:00", 2], ["9999-12-31T23:59:59-14:00", 2], [True, False], ["\0", 1],
    ["\ud800", 1], ["infinity", 1], [1, "x"], [2**61, -(2**61)], [["x"], {}], ["2026-13-01", 1],
])  # fmt: skip
def test_a_made_up_mark_of_a_page_is_no_fault_of_ours(
    sign_in: SignIn, world: World, mark: list[object]
) -> None:
    staff = sign_in("moderator")
    at = base64.urlsafe_b64encode(json.dumps(mark).encode()).decode()
    paths = ("/azioni?dopo=", "/azioni?ordine=voci&dopo=", "/eventi?poi=", "/proposte?dopo=", "/io?after=",
             "/io/novita?dopo=", "/regia?prima=", "/regia/eventi?dopo=")  # fmt: skip
    for path in paths:
        assert staff.get(path + at).status_code == 200, path


def test_an_error_in_the_log_holds_nothing_of_what_was_typed(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught, database.writing() as session:
        session.add(Contribution(text="via Rossi 3, suona a Mario"))
        session.flush()
    assert "Mario" not in str(caught.value).split("DETAIL")[0]


@pytest.mark.parametrize("path", ["/accedi", "/registrati", "/recupera"])
def test_a_code_goes_to_the_address_its_owner_proved(
    client: FlaskClient, database: Database, world: World, path: str
) -> None:
    send(client, path, name="Ladra", email="rosa+ladra@example.org", by="code")
    assert mails(database)[-1]["to"] == "rosa@example.org"


def test_a_code_from_before_opens_no_account_of_another_mailbox(
    app: Flask, database: Database, world: World
) -> None:
    """At some providers a tagged address is somebody else's, who asked before Nina had an account."""
    other, nina = app.test_client(), app.test_client()
    send(other, "/registrati", name="Altra", email="nina+altra@example.org")
    code = last_code(database)
    send(nina, "/registrati", name="Nina", email="nina@example.org")
    assert send(nina, "/accedi/codice", code=last_code(database)).status_code == 303
    assert send(other, "/accedi/codice", code=code).status_code == 403
    assert is_in(nina) and not is_in(other)


def test_another_mailbox_is_given_nothing_that_the_desk_wrote_down(
    client: FlaskClient, database: Database, world: World, acting: Callable[..., Context]
) -> None:
    with database.writing() as session:
        desk = acting(session, "moderator")
        known = people.register(desk, people.Register("Nina", email="nina@example.org", postal="Via Piave 1"))
    send(client, "/registrati", name="Altra", email="nina+altra@example.org")
    send(client, "/accedi/codice", code=last_code(database))
    assert is_in(client) and "Via Piave" not in client.get("/io/scarica").text
    with database.session() as session:
        assert session.get_one(Person, known.id).name == "Nina"


def test_who_uses_up_the_tries_of_a_hall_stops_nobody_who_was_in_there_before(
    app: Flask, database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_password(database, world.people["rosa"])
    own, other = app.test_client(), app.test_client()
    assert sign_in_by_password(own, "rosa@example.org").status_code == 303
    monkeypatch.setattr(limits, "SIGN_IN_PER_ADDRESS", limits.Limit("sign_in_address", 3, 900))
    monkeypatch.setattr(limits, "CODE_PER_ADDRESS", limits.Limit("code_address", 3, 3600))
    for n in range(4):
        sign_in_by_password(other, f"nobody{n}@example.org")
        last = send(other, "/accedi", email=f"nobody{n}@example.org", by="code")
    assert last.status_code == 429
    assert sign_in_by_password(other, "rosa@example.org").status_code == 429
    # Signed in she proves who she is, and out again she comes back both ways.
    assert own.post("/io/conferma", data={"password": PASSWORD}).status_code == 303
    own.post("/esci")
    assert sign_in_by_password(own, "rosa@example.org").status_code == 303
    own.post("/esci")
    assert send(own, "/accedi", email="rosa@example.org", by="code").status_code == 303
    assert own.post("/accedi/codice", data={"code": last_code(database)}).status_code == 303


def test_an_error_of_an_error_page_leaves_no_address_in_the_log(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with app.test_request_context("/biglietto/chiave-di-rosa"):
        app.log_exception((ValueError, ValueError("x"), None))  # type: ignore[arg-type]
    assert "fault" in caplog.text and "rosa" not in caplog.text


def test_nobody_makes_the_site_hash_passwords_without_end(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    def quickly(password: str) -> str:
        hashed.append(password)
        return "x"

    monkeypatch.setattr(accounts, "hash_password", quickly)
    monkeypatch.setattr(limits, "CODE_PER_ADDRESS", limits.Limit("code_address", 2, 3600))
    for n in range(4):
        fields = {"name": "Nina", "email": f"nina{n}@example.org", "password": PASSWORD}
        last = send(app.test_client(), "/registrati", **fields)
    send(app.test_client(), "/registrati", **{**fields, "sito": "https://spam.example"})
    assert last.status_code == 429 and len(hashed) == 2


def test_addresses_of_one_household_count_as_one(app: Flask, database: Database) -> None:
    for host in range(3):
        home = app.test_client()
        home.get("/ricevuta/KWWTW7PT", environ_base={"REMOTE_ADDR": f"2001:db8:1:2::{host + 1}"})
        home.get("/ricevuta/KWWTW7PT", headers={"X-Forwarded-For": f"198.51.100.{host}"})
    with database.session() as session:
        query = select(RateCounter.count).where(RateCounter.bucket == limits.RECEIPT_PER_ADDRESS.bucket)
        assert sorted(session.execute(query).scalars()) == [3, 3]


def test_forms_held_for_strangers_are_limited_and_none_is_lost(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HELD_PER_ADDRESS", limits.Limit("held_address", 2, 3600))
    answers = [app.test_client().post("/io/dati", data={"name": "Rosa"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert 'value="Rosa"' in answers[2].text
    with database.session() as session:
        assert session.execute(select(func.count()).select_from(HeldForm)).scalar_one() == 2


@pytest.mark.parametrize("path", ["/proposte/nuova", "/bozze/proposta"])
def test_drafts_that_strangers_begin_are_limited_and_no_words_are_lost(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(limits, "NEW_DRAFT_PER_ADDRESS", limits.Limit("draft_new", 2, 3600))
    begun = app.test_client()
    for browser in (begun, app.test_client()):
        assert browser.post(path, data={"text": "Una panchina"}).status_code < 400
    refused = app.test_client().post(path, data={"text": "Una fontana all'ombra"})
    assert refused.status_code == 429 and "Una fontana" in refused.text
    # Who has begun goes on.
    assert begun.post(path, data={"text": "Due panchine all'ombra"}).status_code < 400
    with database.session() as session:
        assert session.execute(select(func.count()).select_from(Draft)).scalar_one() == 2


def test_a_report_of_any_length_is_read_only_so_far(client: FlaskClient) -> None:
    body = io.BytesIO(b"[" * 3_000_000)
    answer = client.post("/csp", input_stream=body, environ_overrides={"wsgi.input_terminated": True})
    assert answer.status_code in (204, 413)
    assert body.tell() < 1_000_000


@pytest.mark.parametrize("body", [b"text=" + b"x" * 1_000_000, b"a&" * 2_000], ids=["long", "many fields"])
@pytest.mark.parametrize("counted", [True, False], ids=["with its length", "without"])
def test_a_form_without_end_is_read_only_so_far(app: Flask, body: bytes, counted: bool) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    sent = io.BytesIO(body + b"&more=" + b"x" * 3_000_000)
    length = {"CONTENT_LENGTH": str(len(sent.getvalue()))} if counted else {}
    answer = app.test_client().post(
        "/accedi",
        input_stream=sent,
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"wsgi.input_terminated": True, **length},
    )
    # None of it is written into the page that says so.
    assert answer.status_code == 413 and len(answer.data) < 50_000
    assert sent.tell() < 1_100_000


@pytest.mark.parametrize("name", ["Origin", "Referer"])
def test_a_header_that_is_no_address_is_no_fault_of_ours(
    app: Flask,
    sign_in: SignIn,
    database: Database,
    world: World,
    acting: Callable[..., Context],
    name: str,
) -> None:
    with database.writing() as session:
        mine = contributions.Placement(text="Una panchina all'ombra", person_id=world.people["rosa"])
        code = contributions.place(acting(session), mine).code
    odd = {name: "http://[x"}
    # Nobody supports their own words: the refusal would lead back to where one came from.
    assert sign_in("rosa").post(f"/proposte/{code}/sostegno", headers=odd).status_code == 403
    app.config["WTF_CSRF_ENABLED"] = True
    assert app.test_client().post("/io/dati", headers=odd).status_code in (400, 403)


#: Everything a resident or a stranger can send, with the fields that are not words but codes, keys and ids.
DOORS = {
    "/accedi": "email password idempotency_key next by",
    "/registrati": "name email password idempotency_key next",
    "/recupera": "email idempotency_key",
    "/valuta": "page stars text",
    "/segnala?contributo=PR01": "reason note idempotency_key",
    "/bozze/proposta": "text title theme place project author_name idempotency_key",
    "/proposte/nuova": "text title theme place project author_name idempotency_key signed",
    "/proposte/nuova/controlla": "text title theme place project author_name idempotency_key",
    "/proposte/PR01/commenti": "text parent_id idempotency_key",
    "/io/dati": "name locale mail_rhythm",
    "/io/conferma/manda": "idempotency_key next",
    "/io/email": "email idempotency_key",
    "/regia/scrivi": "text title name theme place project channel person idempotency_key",
    "/regia/PR01/unisci": "others lives_on reason version",
    "/regia/PR01/dividi": "text title version idempotency_key",
    "/regia/azioni/nuova": "title aim kind office contributions look_for idempotency_key find",
    "/regia/persone/nuova": "name email phone postal locale",
}


@pytest.mark.parametrize("nasty", ["a\x00b", "9" * 25, "a\r\nBcc: b@example.org"])
def test_no_field_breaks_the_house(
    app: Flask,
    sign_in: SignIn,
    database: Database,
    world: World,
    acting: Callable[..., Context],
    nasty: str,
) -> None:
    with database.writing() as session:
        contributions.place(acting(session), contributions.Placement(text="Una panchina all'ombra"))
    moderator = sign_in("moderator")
    for path, fields in DOORS.items():
        names = fields.split()
        good = {"text": "Parole che bastano per un tentativo", "email": "nina@example.org", "name": "Nina"}
        for one in names:
            data = {**{name: good[name] for name in names if name in good}, one: nasty}
            for browser in (app.test_client(), moderator):
                assert browser.post(path, data=data).status_code < 500, (path, one)


def test_a_file_of_the_bundle_runs_nothing_and_is_for_this_site_alone(app: Flask) -> None:
    folder = app.extensions["lab"].assets.folder
    for kind in ("css", "js", "svg"):
        name = next(path.name for path in sorted(folder.glob(f"*.{kind}")))
        with app.test_client().get(f"/static/{name}") as answer:
            assert answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"]
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_name_that_is_not_ours_gets_one_line_and_leaves_none_in_the_log(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("/", "/proposte", "/api/v1/proposals"):
        answer = client.get(path, base_url="http://elsewhere.example")
        assert answer.status_code == 400
        assert "elsewhere" not in answer.text and len(answer.text) < 200
    assert caplog.text == ""


def test_a_page_is_for_the_names_of_this_site_alone_kept_or_not(client: FlaskClient) -> None:
    assert client.get("/proposte").status_code == 200
    for host in ("evil.example", "localhost.evil.example", "localhost@evil.example"):
        assert client.get("/proposte", headers={"Host": host}).status_code == 400
    assert client.get("/proposte", headers={"Host": "localhost:8000"}).status_code == 200
