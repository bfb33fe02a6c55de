"""Joining and signing in, as a person at a phone meets them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.models.accounts import Person, SignInCode, WebSession
from lab.models.contributions import Contribution
from lab.services import contributions
from tests.web.accounts_help import (
    PASSWORD,
    give_password,
    is_in,
    key_in,
    last_code,
    mails,
    send,
    sign_in_by_password,
)
from tests.world import World


def join(browser: FlaskClient, email: str = "nina@example.org", name: str = "Nina") -> None:
    answer = send(browser, "/registrati", name=name, email=email)
    assert (answer.status_code, answer.location) == (303, "/accedi/codice")


def test_join_makes_the_person_only_once_the_code_is_right(client: FlaskClient, database: Database) -> None:
    join(client)
    with database.session() as session:
        assert not session.execute(select(Person).where(Person.email == "nina@example.org")).first()
    assert not is_in(client)
    answer = client.post("/accedi/codice", data={"code": last_code(database)})
    assert answer.status_code == 303
    assert is_in(client)
    assert "Nina" in client.get("/io/dati").text
    with database.session() as session:
        person = session.execute(select(Person).where(Person.email == "nina@example.org")).scalar_one()
        assert person.email_verified_at is not None


def test_join_with_a_known_address_answers_the_same_and_lets_the_owner_in(
    client: FlaskClient, app: Flask, database: Database, world: World
) -> None:
    unknown, known = app.test_client(), app.test_client()
    first = send(unknown, "/registrati", name="Nina", email="nina@example.org")
    second = send(known, "/registrati", name="Ladra", email="rosa@example.org", password=PASSWORD)
    assert (first.status_code, first.location, first.text) == (
        second.status_code,
        second.location,
        second.text,
    )
    pages = [browser.get("/accedi/codice").text for browser in (unknown, known)]
    assert pages[0].count("<form") == pages[1].count("<form")
    assert [mail["tag"] for mail in mails(database)] == ["join_code", "join_known"]
    assert known.post("/accedi/codice", data={"code": last_code(database)}).status_code == 303
    with database.session() as session:
        rosa = session.get_one(Person, world.people["rosa"])
        assert rosa.name == "Rosa"
    # The password typed while joining is not the account's.
    assert sign_in_by_password(app.test_client(), "rosa@example.org").status_code == 422


def test_sending_the_join_form_twice_is_one_mail_and_one_code(
    client: FlaskClient, database: Database
) -> None:
    key = key_in(client.get("/registrati").text)
    form = {"idempotency_key": key, "name": "Nina", "email": "nina@example.org"}
    assert client.post("/registrati", data=form).status_code == 303
    assert client.post("/registrati", data=form).status_code == 303
    assert len(mails(database)) == 1
    assert client.post("/accedi/codice", data={"code": last_code(database)}).status_code == 303
    assert is_in(client)


def test_the_same_form_with_a_corrected_address_is_another_mail(
    client: FlaskClient, database: Database
) -> None:
    key = key_in(client.get("/registrati").text)
    form = {"idempotency_key": key, "name": "Nina", "email": "nnia@example.org"}
    client.post("/registrati", data=form)
    client.post("/registrati", data={**form, "email": "nina@example.org"})
    assert [mail["to"] for mail in mails(database)] == ["nnia@example.org", "nina@example.org"]


def test_the_trap_for_robots_sends_nothing_and_says_nothing(client: FlaskClient, database: Database) -> None:
    answer = send(client, "/registrati", name="Robot", email="robot@example.org", sito="http://spam.example")
    assert answer.location == "/accedi/codice"
    assert client.get("/accedi/codice").status_code == 200
    assert mails(database) == []


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "", "email": "a@example.org"}, "Scrivi come vuoi farti chiamare"),
        ({"name": "\u200b\u202e", "email": "a@example.org"}, "almeno una lettera"),
        ({"name": "x" * 61, "email": "a@example.org"}, "bastano 60 caratteri"),
        ({"name": "x" * 100_000, "email": "a@example.org"}, ""),
        ({"name": "Nina", "email": "nina"}, "non sembra giusto"),
        ({"name": "Nina", "email": "a@example.org\r\nBcc: b@example.org"}, "non sembra giusto"),
        ({"name": "Nina", "email": "a@b.org, c@d.org"}, "non sembra giusto"),
        ({"name": "Nina", "email": "a" * 300 + "@example.org"}, "troppo lungo"),
        ({"name": "Nina", "email": "a@example.org", "password": "corta"}, "almeno 8 caratteri"),
        ({"name": "Nina", "email": "a@example.org", "password": "password123"}, "facile da indovinare"),
        (
            {"name": "Nina", "email": "nina.verdi@example.org", "password": "ninaverdi1"},
            "Somiglia al tuo nome",
        ),
    ],
)
def test_join_says_what_is_wrong_and_keeps_what_was_typed(
    client: FlaskClient, database: Database, fields: dict[str, str], words: str
) -> None:
    answer = send(client, "/registrati", **fields)
    assert answer.status_code == 422
    assert words in answer.text
    if len(fields["name"]) < 50 and fields["name"].isalpha():
        assert 'value="Nina"' in answer.text
    assert f'value="{fields.get("password", "-")}"' not in answer.text
    assert mails(database) == []


def test_join_tells_everything_that_is_wrong_at_once(client: FlaskClient) -> None:
    answer = send(client, "/registrati", name="x" * 61, email="nina", password="corta")
    for words in ("bastano 60 caratteri", "non sembra giusto", "almeno 8 caratteri"):
        assert words in answer.text


def test_a_hostile_name_stays_text(client: FlaskClient, database: Database) -> None:
    join(client, name="<script>alert(1)</script>\x00\u202e'\"")
    client.post("/accedi/codice", data={"code": last_code(database)})
    page = client.get("/io").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_wrong_code_is_refused_and_five_of_them_end_it(client: FlaskClient, database: Database) -> None:
    join(client)
    right = last_code(database)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _ in range(4):
        answer = client.post("/accedi/codice", data={"code": wrong})
        assert answer.status_code == 422
        assert "Il codice non è giusto" in answer.text
    assert "non vale più" in client.post("/accedi/codice", data={"code": wrong}).text
    answer = client.post("/accedi/codice", data={"code": right})
    assert answer.status_code == 422
    assert "non vale più" in answer.text
    assert not is_in(client)


@pytest.mark.parametrize("typed", ["12", "", "abcdef", "９９", "0" * 40, "x" * 5000, "\x00", "1" * 41])
def test_nonsense_in_place_of_a_code_is_only_wrong(client: FlaskClient, typed: str) -> None:
    join(client)
    assert client.post("/accedi/codice", data={"code": typed}).status_code == 422


def test_spaces_and_other_digits_are_understood(client: FlaskClient, database: Database) -> None:
    join(client)
    code = last_code(database)
    arabic = "".join(chr(0x0660 + int(c)) for c in code)
    answer = client.post("/accedi/codice", data={"code": f" {arabic[:3]} {arabic[3:]} "})
    assert answer.status_code == 303


def test_a_code_is_good_for_ten_minutes(client: FlaskClient, database: Database, clock: FrozenClock) -> None:
    join(client)
    clock.advance(timedelta(minutes=10))
    answer = client.post("/accedi/codice", data={"code": last_code(database)})
    assert answer.status_code == 422
    # What is left to do is the one thing offered, and that it was done is said.
    assert "non vale più" in answer.text and 'name="code"' not in answer.text
    clock.advance(timedelta(minutes=1))
    again = client.post("/accedi/codice/nuovo")
    assert again.status_code == 303
    page = client.get(again.location).text
    assert "Vale solo l" in page and 'name="code"' in page and 'href="/registrati?next=/io"' in page
    assert client.post("/accedi/codice", data={"code": last_code(database)}).status_code == 303


def test_a_code_works_only_in_the_browser_that_asked(
    client: FlaskClient, app: Flask, database: Database
) -> None:
    join(client)
    thief = app.test_client()
    assert thief.post("/accedi/codice", data={"code": last_code(database)}).location.endswith("/accedi")
    join(thief, email="thief@example.org")
    code = mails(database)[0]["values"]["code"]
    if code != last_code(database):
        assert thief.post("/accedi/codice", data={"code": code}).status_code == 422


def test_a_code_serves_once(client: FlaskClient, app: Flask, database: Database) -> None:
    join(client)
    code = last_code(database)
    with client.session_transaction() as cookie:
        before = dict(cookie)
    assert client.post("/accedi/codice", data={"code": code}).status_code == 303
    second = app.test_client()
    with second.session_transaction() as cookie:
        cookie.update(before)
    answer = second.post("/accedi/codice", data={"code": code})
    assert answer.status_code == 422
    assert "già servito" in answer.text
    # The late answer to a double click must not overwrite the cookie of the first.
    assert "Set-Cookie" not in answer.headers
    assert not is_in(second)


def test_codes_by_mail_answer_the_same_for_known_and_unknown(app: Flask, database: Database) -> None:
    known, unknown = app.test_client(), app.test_client()
    answers = [
        send(known, "/accedi", email="rosa@example.org", by="code"),
        send(unknown, "/accedi", email="nobody@example.org", by="code"),
        send(known, "/recupera", email="rosa@example.org"),
        send(unknown, "/recupera", email="nobody@example.org"),
    ]
    assert {(a.status_code, a.location, a.text) for a in answers} == {
        (303, "/accedi/codice", answers[0].text)
    }
    assert [mail["tag"] for mail in mails(database)] == [
        "sign_in_code", "address_unknown", "recover_code", "address_unknown"
    ]  # fmt: skip
    wrong = [browser.post("/accedi/codice", data={"code": "12"}).text for browser in (known, unknown)]
    assert wrong[0].replace("rosa", "nobody") == wrong[1]


def test_wrong_password_and_unknown_address_get_the_same_answer(
    app: Flask, database: Database, world: World
) -> None:
    give_password(database, world.people["rosa"])
    one = sign_in_by_password(app.test_client(), "rosa@example.org", "not this one")
    two = sign_in_by_password(app.test_client(), "nobody@example.org", "not this one")
    three = sign_in_by_password(app.test_client(), "samir@example.org", "not this one")
    assert one.status_code == two.status_code == three.status_code == 422
    plain = [
        a.text.replace("nobody", "rosa").replace("samir", "rosa").replace(key_in(a.text), "")
        for a in (one, two, three)
    ]
    assert plain[0] == plain[1] == plain[2]


def test_the_same_work_is_done_for_known_and_unknown(
    app: Flask, database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time is made of hashing and statements: both must be the same in number."""
    give_password(database, world.people["rosa"])
    hashed: list[object] = []
    monkeypatch.setattr(
        "lab.services.sign_in.verify_password", lambda kept, typed: bool(hashed.append(kept)) or False
    )
    for email in ("rosa@example.org", "nobody@example.org"):
        sign_in_by_password(app.test_client(), email, "not this one")
    assert len(hashed) == 2


def test_signing_in_rotates_the_session_and_leaving_ends_it(
    app: Flask, database: Database, world: World
) -> None:
    give_password(database, world.people["rosa"])
    browser = app.test_client()
    browser.get("/accedi")
    with browser.session_transaction() as cookie:
        before = dict(cookie)
    assert sign_in_by_password(browser, "rosa@example.org").location == "/io"
    with browser.session_transaction() as cookie:
        after = dict(cookie)
    assert not set(before.values()) & set(after.values())
    page = browser.get("/io/accessi")
    assert page.headers["Cache-Control"] == "no-store"
    answer = browser.post("/esci")
    assert answer.status_code == 303
    assert "storage" in answer.headers["Clear-Site-Data"]
    assert not is_in(browser)
    replay = app.test_client()
    with replay.session_transaction() as cookie:
        cookie.update(after)
    assert not is_in(replay)


def test_asking_to_leave_with_a_link_changes_nothing(app: Flask, sign_in) -> None:  # type: ignore[no-untyped-def]
    browser = sign_in("rosa")
    assert "Vuoi uscire?" in browser.get("/esci").text
    assert is_in(browser)
    browser.post("/esci")
    assert "Sei fuori" in browser.get("/esci").text


def test_on_a_shared_device_one_is_out_after_twenty_minutes(
    app: Flask, database: Database, world: World, clock: FrozenClock
) -> None:
    give_password(database, world.people["rosa"])
    browser = app.test_client()
    answer = sign_in_by_password(browser, "rosa@example.org", shared="y")
    cookies = [c for c in answer.headers.getlist("Set-Cookie") if c.startswith("lab=")]
    assert "Expires" not in cookies[-1]
    assert not any(c.startswith("known=") for c in answer.headers.getlist("Set-Cookie"))
    clock.advance(timedelta(minutes=19))
    assert is_in(browser)
    clock.advance(timedelta(minutes=21))
    assert not is_in(browser)


def test_trying_passwords_is_stopped_but_its_owner_still_gets_in(
    app: Flask, database: Database, world: World
) -> None:
    give_password(database, world.people["rosa"])
    own = app.test_client()
    assert sign_in_by_password(own, "rosa@example.org").status_code == 303
    own.post("/esci")
    thief = app.test_client()
    codes = [
        sign_in_by_password(thief, "rosa@example.org", f"guess number {n}").status_code for n in range(12)
    ]
    assert codes == [422] * 10 + [429] * 2
    stopped = sign_in_by_password(thief, "rosa@example.org")
    assert stopped.status_code == 429
    assert int(stopped.headers["Retry-After"]) <= 900
    assert "Troppi tentativi" in stopped.text
    # The browser she used before is counted by itself, and the code by mail works everywhere.
    assert sign_in_by_password(own, "rosa@example.org").status_code == 303
    other = app.test_client()
    assert send(other, "/accedi", email="rosa@example.org", by="code").status_code == 303
    assert other.post("/accedi/codice", data={"code": last_code(database)}).status_code == 303


def test_codes_for_one_address_are_limited_the_same_for_known_and_unknown(app: Flask) -> None:
    for email in ("rosa@example.org", "nobody@example.org"):
        codes = [send(app.test_client(), "/accedi", email=email, by="code").status_code for _ in range(6)]
        assert codes == [303] * 5 + [429]


def test_two_hundred_people_in_one_hall_all_get_in(app: Flask, database: Database, world: World) -> None:
    from lab.services import limits

    assert limits.SIGN_IN_PER_ADDRESS.most >= 600
    assert limits.CODE_PER_ADDRESS.most >= 400
    give_password(database, world.people["rosa"])
    for _ in range(30):
        assert sign_in_by_password(app.test_client(), "rosa@example.org").status_code == 303


@pytest.mark.parametrize(
    "evil",
    [
        "https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
        "/\t/evil.example", "/\n/evil.example", "\t//evil.example", "/%09/evil\t", "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=1", "http:evil.example", "//evil.example/io", "/\u2028/evil", "/ /evil",
        "/" + "x" * 600, "evil", "", "/accedi", "/esci",
    ],
)  # fmt: skip
def test_after_signing_in_one_stays_on_this_site(
    app: Flask, database: Database, world: World, evil: str
) -> None:
    give_password(database, world.people["rosa"])
    answer = sign_in_by_password(app.test_client(), "rosa@example.org", next=evil)
    assert (answer.status_code, answer.location) == (303, "/io")


def test_after_signing_in_one_is_where_one_was_going(app: Flask, database: Database, world: World) -> None:
    give_password(database, world.people["rosa"])
    for path in ("/proposte/nuova?tema=verde", "/cerca?q=città", "/io/dati"):
        answer = sign_in_by_password(app.test_client(), "rosa@example.org", next=path)
        assert answer.location == path.replace("à", "%C3%A0")


def test_a_form_sent_while_signed_out_is_not_lost(app: Flask, database: Database, world: World) -> None:
    give_password(database, world.people["rosa"])
    browser = app.test_client()
    words = "Mi chiamo <Rosa> & vorrei l'italiano"
    form = {"name": words, "locale": "it", "mail_rhythm": "daily", "csrf_token": "x", "password": "s3greto!"}
    answer = browser.post("/io/dati", data=form)
    assert answer.status_code == 303
    assert answer.location == "/accedi?next=/riprendi"
    page = browser.get(answer.location)
    assert "Quello che hai scritto è al sicuro" in page.text
    entered = sign_in_by_password(browser, "rosa@example.org", next="/riprendi")
    assert entered.location == "/riprendi"
    resumed = browser.get("/riprendi").text
    assert "Mi chiamo &lt;Rosa&gt; &amp; vorrei l&#39;italiano" in resumed
    assert 'action="/io/dati"' in resumed
    assert "s3greto!" not in resumed
    sent = browser.post("/io/dati", data={key: form[key] for key in ("name", "locale", "mail_rhythm")})
    assert sent.status_code == 303
    with database.session() as session:
        assert session.get_one(Person, world.people["rosa"]).name == words


def test_what_was_said_before_with_the_same_address_becomes_mine(
    client: FlaskClient,
    database: Database,
    acting,
    clock: FrozenClock,  # type: ignore[no-untyped-def]
) -> None:
    with database.writing() as session:
        ctx = acting(session)
        for words in ("Una panchina", "Un lampione"):
            person = Person(
                name="Nina", email="Nina@example.org", email_key="nina@example.org", created_at=clock.now()
            )
            session.add(person)
            session.flush()
            contributions.place(ctx, contributions.Placement(text=words, person_id=person.id))
    join(client, email="nina@example.org")
    client.post("/accedi/codice", data={"code": last_code(database)})
    with database.session() as session:
        living = select(Person.id).where(Person.email_key == "nina@example.org")
        nina = session.execute(living).scalar_one()
        mine = select(func.count()).where(Contribution.person_id == nina)
        assert session.execute(mine).scalar_one() == 2


def test_a_blocked_person_is_told_to_come_by_only_after_proving_who_they_are(
    app: Flask, database: Database, world: World, clock: FrozenClock
) -> None:
    give_password(database, world.people["rosa"])
    with database.writing() as session:
        session.get_one(Person, world.people["rosa"]).blocked_at = clock.now()
    assert sign_in_by_password(app.test_client(), "rosa@example.org", "wrong one").status_code == 422
    answer = sign_in_by_password(app.test_client(), "rosa@example.org")
    assert answer.status_code == 403
    assert "Passa dal Laboratorio" in answer.text


def test_old_codes_are_dropped(client: FlaskClient, database: Database, clock: FrozenClock) -> None:
    join(client)
    clock.advance(timedelta(days=2))
    join(client, email="other@example.org")
    with database.session() as session:
        assert session.execute(select(func.count()).select_from(SignInCode)).scalar_one() == 1


def test_signing_in_anew_ends_the_session_that_was_there(
    app: Flask,
    database: Database,
    world: World,
    sign_in,  # type: ignore[no-untyped-def]
) -> None:
    browser = sign_in("samir")
    assert browser.get("/accedi").location == "/io"
    give_password(database, world.people["rosa"])
    browser.post("/accedi", data={"email": "rosa@example.org", "password": PASSWORD})
    with database.session() as session:
        ended = select(WebSession.ended_at).where(WebSession.person_id == world.people["samir"])
        assert session.execute(ended).scalar_one() is not None
