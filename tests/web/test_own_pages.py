"""My things, my data, leaving; and people, functions, cards and the house from the desk."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from lab.db.engine import Database
from lab.jobs.runner import TOPICS
from lab.kernel.clock import FrozenClock
from lab.models.accounts import Credential, Person, PersonCard, RoleGrant, WebSession
from lab.models.contributions import Contribution
from lab.models.operations import AuditEntry, OutboxItem, SiteSetting
from lab.services import contributions, outbox
from lab.settings import SmtpServer
from lab.web.act_words import work_words
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
LATER = timedelta(minutes=20)


def test_pages_of_mine_ask_the_stranger_in_and_are_never_stored(client: FlaskClient, sign_in: SignIn) -> None:
    for path in ("/io", "/io/dati", "/io/accessi", "/io/scarica", "/io/cancella"):
        assert client.get(path).location == f"/accedi?next={path}"
        answer = sign_in("rosa").get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"


def test_the_desk_pages_do_not_exist_for_residents(sign_in: SignIn) -> None:
    rosa = sign_in("rosa")
    for path in (
        "/regia/persone",
        "/regia/persone/1",
        "/regia/sito",
        "/regia/sito/temi",
        "/regia/sito/posta",
    ):
        assert rosa.get(path).status_code == 404
    assert rosa.post("/regia/persone/1/incarichi", data={}).status_code == 404
    moderator = sign_in("moderator")
    for path in ("/regia/sito/posta", "/regia/sito/registro", "/regia/sito/temi"):
        assert moderator.get(path).status_code == 404
    assert moderator.post("/regia/persone/1/incarichi", data={"role": "administrator"}).status_code == 404


def test_closing_another_browser_ends_it_and_nobody_elses(sign_in: SignIn, database: Database) -> None:
    phone, laptop, samir = sign_in("rosa"), sign_in("rosa"), sign_in("samir")
    page = laptop.get("/io/accessi").text
    other = re.search(r"/io/accessi/(\d+)/chiudi", page)
    assert other
    assert samir.post(other.group(0)).status_code == 404
    assert is_in(phone)
    laptop.post(other.group(0))
    assert not is_in(phone)
    assert is_in(laptop)


def test_closing_all_others_keeps_this_one(sign_in: SignIn) -> None:
    phone, laptop = sign_in("rosa"), sign_in("rosa")
    laptop.post("/io/accessi/chiudi")
    assert (is_in(phone), is_in(laptop)) == (False, True)


def test_a_new_password_asks_who_i_am_and_ends_the_other_sessions(
    sign_in: SignIn, app: Flask, database: Database, world: World, clock: FrozenClock
) -> None:
    give_password(database, world.people["rosa"])
    browser, other = sign_in("rosa"), sign_in("rosa")
    clock.advance(LATER)
    assert browser.get("/io/password").location == "/io/conferma?next=/io/password"
    assert browser.post("/io/password", data={"new_password": "altro parco verde"}).status_code == 303
    assert send(browser, "/io/conferma", password="wrong").status_code == 422
    assert browser.post("/io/conferma", data={"password": PASSWORD, "next": "/io/password"}).location == (
        "/io/password"
    )
    assert browser.post("/io/password", data={"new_password": "rosa@example.org"}).status_code == 422
    assert browser.post("/io/password", data={"new_password": "altro parco verde"}).location == "/io/dati"
    assert (is_in(browser), is_in(other)) == (True, False)
    assert mails(database)[-1]["tag"] == "password_changed"
    assert sign_in_by_password(app.test_client(), "rosa@example.org").status_code == 422
    entered = sign_in_by_password(app.test_client(), "rosa@example.org", "altro parco verde")
    assert entered.status_code == 303


def test_who_has_no_password_shows_who_they_are_with_a_code(
    sign_in: SignIn, database: Database, clock: FrozenClock
) -> None:
    browser = sign_in("rosa")
    clock.advance(LATER)
    assert browser.post("/io/conferma/manda", data={"next": "/io/email"}).location == "/io/conferma/codice"
    assert browser.post("/io/conferma/codice", data={"code": "12"}).status_code == 422
    assert browser.post("/io/conferma/codice", data={"code": last_code(database)}).location == "/io/email"
    assert browser.get("/io/email").status_code == 200


def test_a_new_address_counts_only_once_proved_and_the_old_one_is_told(
    sign_in: SignIn, app: Flask, database: Database, world: World
) -> None:
    browser, other = sign_in("rosa"), sign_in("rosa")
    send(browser, "/io/email", email="rosa.nuova@example.org")
    assert "rosa@example.org" in browser.get("/io/dati").text
    assert browser.post("/io/email/codice", data={"code": last_code(database)}).location == "/io/dati"
    assert "rosa.nuova@example.org" in browser.get("/io/dati").text
    assert (mails(database)[-1]["tag"], mails(database)[-1]["to"]) == ("email_changed", "rosa@example.org")
    assert (is_in(browser), is_in(other)) == (True, False)
    with database.session() as session:
        assert session.get_one(Credential, world.people["rosa"]).email_key == "rosa.nuova@example.org"


def test_somebody_elses_address_answers_like_a_free_one(sign_in: SignIn, database: Database) -> None:
    browser = sign_in("rosa")
    taken = send(browser, "/io/email", email="samir@example.org")
    assert taken.location == "/io/email/codice"
    assert mails(database)[-1]["tag"] == "email_taken"
    assert browser.post("/io/email/codice", data={"code": "000000"}).status_code == 422


def test_recovery_changes_the_password_and_ends_every_session(
    app: Flask, sign_in: SignIn, database: Database, world: World
) -> None:
    give_password(database, world.people["rosa"])
    thief, rosa = sign_in("rosa"), app.test_client()
    send(rosa, "/recupera", email="rosa@example.org")
    assert rosa.get("/recupera/password").status_code == 200
    # Without the code there is no new password.
    assert rosa.post("/recupera/password", data={"new_password": "altro parco verde"}).status_code == 422
    assert rosa.post("/accedi/codice", data={"code": last_code(database)}).location == "/recupera/password"
    assert not is_in(rosa)
    assert rosa.post("/recupera/password", data={"new_password": "corta"}).status_code == 422
    assert rosa.post("/recupera/password", data={"new_password": "altro parco verde"}).status_code == 303
    assert (is_in(rosa), is_in(thief)) == (True, False)
    assert rosa.post("/recupera/password", data={"new_password": "ancora un parco"}).status_code == 303
    assert sign_in_by_password(app.test_client(), "rosa@example.org", "ancora un parco").status_code == 422


@pytest.mark.parametrize("how", ["recovery", "password", "address", "administrator"])
def test_a_code_that_somebody_waits_with_is_worth_nothing_after_the_owner_locked_up(
    app: Flask, sign_in: SignIn, database: Database, world: World, how: str
) -> None:
    """Whoever reads the old mailbox had asked for it before."""
    thief, rosa = app.test_client(), sign_in("rosa")
    send(thief, "/recupera", email="rosa@example.org")
    theirs = last_code(database)
    if how == "recovery":
        owner = app.test_client()
        send(owner, "/recupera", email="rosa@example.org")
        owner.post("/accedi/codice", data={"code": last_code(database)})
        assert owner.post("/recupera/password", data={"new_password": "altro parco verde"}).status_code == 303
    elif how == "password":
        assert rosa.post("/io/password", data={"new_password": "altro parco verde"}).status_code == 303
    elif how == "address":
        send(rosa, "/io/email", email="nuova@example.net")
        assert rosa.post("/io/email/codice", data={"code": last_code(database)}).status_code == 303
    else:
        path = f"/regia/persone/{world.people['rosa']}/password"
        assert sign_in("administrator").post(path).status_code == 303
    assert thief.post("/accedi/codice", data={"code": theirs}).location != "/recupera/password"
    assert thief.post("/recupera/password", data={"new_password": "il mio parco ora"}).status_code != 200
    assert not is_in(thief)


def second_factor(database: Database, clock: FrozenClock) -> None:
    with database.writing() as session:
        value = {"staff_second_factor": True}
        session.add(SiteSetting(key="rules", value=value, changed_at=clock.now()))


def test_staff_need_password_and_code_and_recovery_is_no_way_around(
    app: Flask, database: Database, world: World, clock: FrozenClock, sign_in: SignIn
) -> None:
    second_factor(database, clock)
    for who in ("moderator", "rosa"):
        give_password(database, world.people[who])
    browser = app.test_client()
    assert sign_in_by_password(browser, "moderator@example.org").location == "/accedi/codice"
    assert not is_in(browser)
    assert browser.post("/accedi/codice", data={"code": last_code(database)}).status_code == 303
    assert is_in(browser)
    # The other way round: the code asks for the password.
    browser = app.test_client()
    send(browser, "/accedi", email="moderator@example.org", by="code")
    assert browser.post("/accedi/codice", data={"code": last_code(database)}).location == "/accedi/password"
    assert not is_in(browser)
    assert browser.post("/accedi/password", data={"password": "wrong"}).status_code == 422
    assert browser.post("/accedi/password", data={"password": PASSWORD}).status_code == 303
    assert is_in(browser)
    # Recovery sends no code until an administrator has taken the password away.
    browser = app.test_client()
    assert send(browser, "/recupera", email="moderator@example.org").location == "/accedi/codice"
    assert mails(database)[-1]["tag"] == "recover_staff"
    admin = sign_in("administrator")
    person_id = world.people["moderator"]
    assert admin.post(f"/regia/persone/{person_id}/password").status_code == 303
    browser = app.test_client()
    send(browser, "/recupera", email="moderator@example.org")
    assert browser.post("/accedi/codice", data={"code": last_code(database)}).location == "/recupera/password"
    # Residents are not asked twice.
    assert sign_in_by_password(app.test_client(), "rosa@example.org").location == "/io"


def test_what_cannot_be_taken_back_asks_first_without_script_too(sign_in: SignIn, world: World) -> None:
    page = sign_in("administrator").get(f"/regia/persone/{world.people['rosa']}").text
    label = "Cancella nome e contatti"
    folded = page.split(f'<details class="fold"><summary>{label}</summary>')[1].split("</details>")[0]
    assert "Non si torna indietro" in folded and folded.count("<button") == 1
    assert page.count(label) == 2, "nothing outside of the fold does it at once"


def test_whoever_knows_a_password_of_staff_cannot_try_codes_without_end(
    app: Flask, database: Database, world: World, clock: FrozenClock
) -> None:
    own = app.test_client()
    give_password(database, world.people["moderator"])
    assert sign_in_by_password(own, "moderator@example.org").status_code == 303
    own.post("/esci")
    second_factor(database, clock)
    codes = [sign_in_by_password(app.test_client(), "moderator@example.org").status_code for _ in range(12)]
    assert codes == [303] * 10 + [429] * 2
    assert sum(mail["tag"] == "second_code" for mail in mails(database)) == 10
    # The browser that was in before is counted by itself.
    assert sign_in_by_password(own, "moderator@example.org").location == "/accedi/codice"


def test_another_session_is_no_way_to_more_mails_to_a_foreign_address(
    sign_in: SignIn, database: Database, world: World
) -> None:
    give_password(database, world.people["rosa"])
    answers = []
    for _session in range(3):
        rosa = sign_in("rosa")
        assert rosa.post("/io/conferma", data={"password": PASSWORD}).status_code == 303
        answers += [send(rosa, "/io/email", email="altri@example.org").status_code for _ in range(2)]
    assert answers == [303] * 5 + [429]


def test_the_copy_holds_what_i_said_and_no_secret(
    sign_in: SignIn,
    database: Database,
    world: World,
    acting,  # type: ignore[no-untyped-def]
) -> None:
    give_password(database, world.people["rosa"])
    rosa = world.people["rosa"]
    with database.writing() as session:
        contributions.place(acting(session), contributions.Placement("Una panchina", person_id=rosa))
        contributions.place(acting(session), contributions.Placement("Un lampione"))
    copy = json.loads(sign_in("rosa").get("/io/scarica").data)
    assert [item["text"] for item in copy["contributions"]] == ["Una panchina"]
    assert copy["person"][0]["email"] == "rosa@example.org"
    text = json.dumps(copy)
    assert "argon2" not in text
    assert "digest" not in text


def test_leaving_takes_the_name_away_and_leaves_the_words(
    sign_in: SignIn,
    app: Flask,
    database: Database,
    world: World,
    acting,  # type: ignore[no-untyped-def]
) -> None:
    rosa = world.people["rosa"]
    with database.writing() as session:
        placement = contributions.Placement("Una panchina", person_id=rosa, author_name="Rosa Bianchi")
        contributions.place(acting(session), placement)
        mail = {"tag": "password_changed", "to": "rosa@example.org", "locale": "it", "values": {"name": "R"}}
        outbox.put(acting(session), "mail", mail)
        outbox.put(acting(session), "mail", {"tag": "news", "person_id": rosa, "notification_ids": [1]})
        outbox.put(acting(session), "mail", {**mail, "to": "samir@example.org"})
    browser, other = sign_in("rosa"), sign_in("rosa")
    assert browser.post("/io/cancella", data={}).status_code == 422
    browser.get("/io?lang=en")
    answer = browser.post("/io/cancella", data={"sure": "y"})
    assert answer.status_code == 303
    assert "cookies" in answer.headers["Clear-Site-Data"]
    assert 'lang="en"' in app.test_client().get(answer.location).text
    assert not is_in(browser)
    assert not is_in(other)
    with database.session() as session:
        person = session.get_one(Person, rosa)
        assert (person.name, person.email, person.email_key) == ("", None, None)
        assert session.get(Credential, rosa) is None
        said = session.execute(select(Contribution)).scalar_one()
        assert (said.text, said.author_name) == ("Una panchina", "")
        mails = select(OutboxItem).where(OutboxItem.topic == "mail").order_by(OutboxItem.id)
        first, second, third = session.execute(mails).scalars()
        assert (first.payload, second.payload) == ({"tag": "password_changed"}, {"tag": "news"})
        assert first.done_at and second.done_at and third.done_at is None and third.payload["to"]
    # The address is free: one may begin anew, as somebody else.
    send(fresh := app.test_client(), "/registrati", name="Rosa", email="rosa@example.org")
    fresh.post("/accedi/codice", data={"code": last_code(database)})
    assert "Una panchina" not in fresh.get("/io").text


def test_the_last_administrator_cannot_leave_nor_be_ended(
    sign_in: SignIn, database: Database, world: World
) -> None:
    admin = sign_in("administrator")
    answer = admin.post("/io/cancella", data={"sure": "y"})
    assert answer.status_code == 409
    assert "ultimo amministratore" in answer.text
    with database.session() as session:
        query = select(RoleGrant.id).where(RoleGrant.person_id == world.people["administrator"])
        grant = session.execute(query).scalar_one()
    ended = admin.post(f"/regia/persone/{world.people['administrator']}/incarichi/{grant}/fine", data={})
    assert ended.status_code == 409


def test_a_person_without_email_gets_a_card_that_opens_replaces_and_stops(
    sign_in: SignIn, app: Flask, database: Database
) -> None:
    desk = sign_in("facilitator")
    made = send(desk, "/regia/persone/nuova", name="Teresa", locale="it", postal="torre 2, scala B")
    page = desk.post(f"{made.location}/carta", data={"replaces": ""})
    assert page.status_code == 303
    sheet = desk.get(page.location).text
    assert "<svg" in sheet
    with desk.session_transaction() as cookie:
        token = cookie["card"][1]
    phone = app.test_client()
    shown = phone.get(f"/carta/{token}")
    assert "Teresa" in shown.text
    assert not is_in(phone)
    assert phone.post(f"/carta/{token}").location == "/io"
    assert is_in(phone)
    assert "entri con la carta" in phone.get("/io/dati").text
    # A second click of the same button makes no second card.
    assert desk.post(f"{made.location}/carta", data={"replaces": ""}).status_code == 303
    assert is_in(phone)
    with database.session() as session:
        first = session.execute(select(PersonCard)).scalar_one().id
    desk.post(f"{made.location}/carta", data={"replaces": str(first)})
    assert not is_in(phone)
    old = phone.get(f"/carta/{token}")
    assert (old.status_code, "Passa dal Laboratorio: te ne diamo un" in old.text) == (404, True)
    with desk.session_transaction() as cookie:
        token = cookie["card"][1]
    desk.post(f"{made.location}/carta/ferma")
    assert app.test_client().post(f"/carta/{token}").status_code == 404
    assert desk.get(page.location).status_code == 200
    # Another desk never sees the token.
    assert "<svg aria-hidden" not in sign_in("moderator").get(page.location).text


def test_who_has_an_account_or_a_function_gets_no_card(sign_in: SignIn, world: World) -> None:
    answer = sign_in("facilitator").post(
        f"/regia/persone/{world.people['rosa']}/carta", data={"replaces": ""}
    )
    assert answer.status_code == 409
    assert "fa da sé" in answer.text


@pytest.mark.parametrize(("starts", "ends", "status"), [
    (-1, None, 200), (0, None, 200), (1, None, 404), (-10, -1, 404), (-10, 0, 200), (-10, 1, 200),
])  # fmt: skip
def test_a_function_counts_from_its_first_to_its_last_day(
    sign_in: SignIn, world: World, clock: FrozenClock, starts: int, ends: int | None, status: int
) -> None:
    admin = sign_in("administrator")
    today = clock.now().date()
    form = {"role": "facilitator", "starts_on": (today + timedelta(days=starts)).isoformat()}
    if ends is not None:
        form["ends_on"] = (today + timedelta(days=ends)).isoformat()
    rosa = sign_in("rosa")
    assert admin.post(f"/regia/persone/{world.people['rosa']}/incarichi", data=form).status_code == 303
    assert not is_in(rosa)
    assert sign_in("rosa").get("/regia/persone").status_code == status


def test_a_double_click_gives_or_ends_a_function_once(
    sign_in: SignIn, database: Database, world: World, clock: FrozenClock
) -> None:
    admin, rosa = sign_in("administrator"), world.people["rosa"]
    form = {"role": "facilitator", "starts_on": clock.now().date().isoformat()}
    for _ in range(2):
        assert admin.post(f"/regia/persone/{rosa}/incarichi", data=form).status_code == 303
    later = {**form, "ends_on": (clock.now().date() + timedelta(days=9)).isoformat()}
    assert admin.post(f"/regia/persone/{rosa}/incarichi", data=later).status_code == 409
    with database.session() as session:
        grant = session.execute(select(RoleGrant.id).where(RoleGrant.person_id == rosa)).scalar_one()
    for _ in range(2):
        assert admin.post(f"/regia/persone/{rosa}/incarichi/{grant}/fine", data={}).status_code == 303
    with database.session() as session:
        verbs = session.execute(select(AuditEntry.verb).where(AuditEntry.verb.like("role.%"))).scalars().all()
        assert sorted(verbs) == ["role.end", "role.give"]


def test_ending_a_function_ends_the_sessions_and_is_written_down(
    sign_in: SignIn, database: Database, world: World
) -> None:
    admin, moderator = sign_in("administrator"), sign_in("moderator")
    person_id = world.people["moderator"]
    with database.session() as session:
        query = select(RoleGrant.id).where(RoleGrant.person_id == person_id)
        grant = session.execute(query).scalar_one()
    assert moderator.get("/regia/persone").status_code == 200
    assert admin.post(f"/regia/persone/{person_id}/incarichi/{grant}/fine", data={}).status_code == 303
    assert not is_in(moderator)
    assert sign_in("moderator").get("/regia/persone").status_code == 404
    with database.session() as session:
        entry = session.execute(select(AuditEntry).where(AuditEntry.verb == "role.end")).scalar_one()
        assert entry.capacity == "administrator"
    assert "ha fatto finire un incarico" in admin.get("/regia/sito/registro").text


@pytest.mark.parametrize("form", [
    {"role": "office", "starts_on": "2026-11-23"}, {"role": "delegate", "starts_on": "2026-11-23"},
    {"role": "resident", "starts_on": "2026-11-23"}, {"role": "king", "starts_on": "2026-11-23"},
    {"role": "facilitator", "starts_on": "never"}, {"role": "facilitator", "starts_on": "9999-12-31"},
    {"role": "facilitator", "starts_on": "2026-11-23", "ends_on": "2026-11-22"},
    {"role": "office", "starts_on": "2026-11-23", "office_id": "99999999999999999999"},
])  # fmt: skip
def test_an_impossible_function_is_refused_in_words(
    sign_in: SignIn, world: World, form: dict[str, str]
) -> None:
    answer = sign_in("administrator").post(f"/regia/persone/{world.people['rosa']}/incarichi", data=form)
    assert answer.status_code == 422
    assert "invalid-feedback" in answer.text


def test_shutting_somebody_out_ends_their_sessions_and_tells_them_why(
    sign_in: SignIn, database: Database, world: World
) -> None:
    rosa, moderator = sign_in("rosa"), sign_in("moderator")
    path = f"/regia/persone/{world.people['rosa']}"
    assert moderator.post(f"{path}/chiudi", data={"reason": ""}).status_code == 422
    assert moderator.post(f"{path}/chiudi", data={"reason": "Insulti"}).status_code == 303
    assert not is_in(rosa)
    assert mails(database)[-1]["values"]["reason"] == "Insulti"
    assert moderator.post(f"{path}/apri", data={"reason": "Ne abbiamo parlato"}).status_code == 303
    assert is_in(sign_in("rosa"))
    own = moderator.post(f"/regia/persone/{world.people['moderator']}/chiudi", data={"reason": "prova"})
    assert own.status_code == 403
    staff = moderator.post(f"/regia/persone/{world.people['facilitator']}/chiudi", data={"reason": "prova"})
    assert staff.status_code == 403


def test_two_who_change_the_rules_at_once_do_not_overwrite_each_other(sign_in: SignIn) -> None:
    admin, moderator = sign_in("administrator"), sign_in("moderator")
    form = {"version": "0", "promise_days": "20", "edit_minutes": "0", "flags_to_hide": "3"}
    assert admin.post("/regia/sito/regole", data={**form, "staff_second_factor": "y"}).status_code == 303
    answer = moderator.post("/regia/sito/regole", data={**form, "promise_days": "25"})
    assert answer.status_code == 409
    assert 'value="25"' in answer.text
    assert (
        moderator.post("/regia/sito/regole", data={**form, "version": "1", "promise_days": "25"}).status_code
        == 303
    )
    page = admin.get("/regia/sito").text
    assert 'value="25"' in page
    # A moderator's form has no box for it, and cannot switch it off by leaving it out.
    assert re.search(r'<input[^>]*checked[^>]*name="staff_second_factor"', page)


@pytest.mark.parametrize("fields", [
    {"hours-0": "sempre"}, {"hours-0": "18:00-15:00"}, {"hours-0": "25:00-26:00"},
    {"links-0-words": "Clicca", "links-0-url": "javascript:alert(1)"},
    {"links-0-words": "Clicca", "links-0-url": "java\tscript:alert(1)"},
    {"links-0-words": "Clicca", "links-0-url": "//evil.example"}, {"email": "nessuna"}, {"name": ""},
])  # fmt: skip
def test_what_the_site_says_of_itself_is_checked(sign_in: SignIn, fields: dict[str, str]) -> None:
    form = {"version": "0", "name": "Lab", "neighbourhood": "Q", "town": "S", "owner": "Comune"}
    answer = sign_in("moderator").post("/regia/sito/profilo", data={**form, **fields})
    assert answer.status_code == 422
    # Each mistake is told by the name of its line and leads to it.
    told = re.findall(r'<li><a href="#([\w-]+)">([^<]+)</a>: ([^<]+)</li>', answer.text)
    assert told
    for place, line, words in told:
        assert f'id="{place}"' in answer.text and "[" not in words and "-0" not in line


def test_opening_hours_reach_the_footer(sign_in: SignIn, client: FlaskClient) -> None:
    form = {
        "version": "0", "name": "La bottega", "neighbourhood": "Q", "town": "S", "owner": "Comune",
        "hours-1": "15:00-18:00, 9.30-12:00", "links-0-words": "Bando", "links-0-url": "https://example.org/x",
    }  # fmt: skip
    assert sign_in("moderator").post("/regia/sito/profilo", data=form).status_code == 303
    page = client.get("/privacy").text
    assert "La bottega" in page
    assert "martedì, dalle 09:30 alle 12:00" in page
    assert "https://example.org/x" in page


def test_themes_and_places_are_added_changed_and_retired(sign_in: SignIn, world: World) -> None:
    admin = sign_in("administrator")
    assert admin.post("/regia/sito/temi/nuovo", data={"name": "Àcqua", "name_en": "Water"}).status_code == 303
    assert admin.post("/regia/sito/temi/nuovo", data={"name": "acqua"}).status_code == 422
    # The same tap twice is one.
    twice = admin.post("/regia/sito/temi/nuovo", data={"name": "Àcqua", "name_en": "Water"})
    assert twice.status_code == 303
    # Every language of the site has its name, and a name that another page wrote stays.
    green = f"/regia/sito/temi/{world.green}"
    shown = admin.get(green).text
    arabic = {"name": "Verde", "name_en": "Green", "name_ar": "خضرة", "seen": _seen(shown)}
    assert 'name="name_ar"' in shown and admin.post(green, data=arabic).status_code == 303
    assert "خضرة" in admin.get("/proposte?lang=ar").text
    admin.get("/?lang=it")
    assert admin.get("/regia/sito/temi").text.count("Àcqua") == 1
    theme = f"/regia/sito/temi/{world.green}"
    change = {"name": "Verde e parco", "retired": "y", "seen": _seen(admin.get(theme).text)}
    assert admin.post(theme, data=change).location
    assert (
        admin.post("/regia/sito/luoghi/nuovo", data={"name": "Pozzo", "x": "1001", "y": "3"}).status_code
        == 422
    )
    assert (
        admin.post("/regia/sito/luoghi/nuovo", data={"name": "Pozzo", "x": "0", "y": "3"}).status_code == 303
    )
    page = admin.get("/regia/sito/temi").text
    for words in ("Àcqua", "Water", "Verde e parco", "non si sceglie più", "Pozzo"):
        assert words in page
    assert admin.get("/regia/sito/temi/99999999999999999999").status_code == 404


def _seen(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("what", ["theme", "place"])
def test_whoever_saves_second_is_told_and_loses_nothing(sign_in: SignIn, world: World, what: str) -> None:
    admin = sign_in("administrator")
    address = f"/regia/sito/temi/{world.green}" if what == "theme" else f"/regia/sito/luoghi/{world.park}"
    where = {} if what == "theme" else {"x": "100", "y": "200"}
    seen = _seen(admin.get(address).text)
    mine, theirs = (
        {"name": name, "name_en": "", **where, "seen": seen} for name in ("Il mio nome", "Il loro nome")
    )
    assert admin.post(address, data=theirs).status_code == 303
    # The same tap twice is one.
    assert admin.post(address, data=theirs).status_code == 303
    told = admin.post(address, data=mine)
    assert told.status_code == 409
    assert "Il mio nome" in told.text
    assert "Il loro nome" in admin.get("/regia/sito/temi").text
    assert admin.post(address, data=mine | {"seen": _seen(told.text)}).status_code == 303
    assert "Il mio nome" in admin.get("/regia/sito/temi").text


def test_mails_can_be_read_while_there_is_no_mail_server(
    sign_in: SignIn, client: FlaskClient, database: Database
) -> None:
    send(client, "/accedi", email="rosa@example.org", by="code")
    page = sign_in("administrator").get("/regia/sito/posta").text
    assert last_code(database) in page
    assert "rosa@example.org" in page


def test_mails_that_go_out_are_read_by_nobody_else(
    app: Flask, sign_in: SignIn, client: FlaskClient, database: Database
) -> None:
    held = app.extensions["lab"]
    server = SmtpServer("127.0.0.1", 25, "none")
    app.extensions["lab"] = replace(held, settings=replace(held.settings, smtp=server))
    send(client, "/accedi", email="rosa@example.org", by="code")
    page = sign_in("administrator").get("/regia/sito/posta").text
    assert last_code(database) not in page
    assert "rosa@example.org" in page


def test_work_that_waits_is_told_in_words(sign_in: SignIn, database: Database, acting) -> None:  # type: ignore[no-untyped-def]
    with database.writing() as session:
        for topic in TOPICS:
            outbox.put(acting(session), topic, {})
    page = sign_in("administrator").get("/regia/sito/posta").text
    assert "Preparare le novità di una persona" in page and "Avvisare chi è interessato" in page
    assert [topic for topic in TOPICS if work_words(topic) == topic] == []


def test_every_mail_of_the_door_can_be_written(app: Flask) -> None:
    from lab.kernel.clock import utcnow
    from lab.mail.render import render
    from lab.services.site import Profile

    values = {"code": "012345", "minutes": 10, "name": "Nina <b>", "reason": "Perché <i>sì</i>"}
    settings = app.extensions["lab"].settings
    for tag in (
        "sign_in_code", "join_code", "join_known", "recover_code", "second_code", "prove_code", "email_code",
        "address_unknown", "email_taken", "recover_staff", "password_changed", "email_changed",
        "account_blocked", "account_unblocked",
    ):  # fmt: skip
        words = render(settings, Profile(), tag, "it", utcnow(), values)
        assert words.subject
        assert "<i>" not in words.html
        assert "{" not in words.text


def test_searching_people_takes_any_words(sign_in: SignIn) -> None:
    desk = sign_in("facilitator")
    assert "Rosa" in desk.get("/regia/persone?q=ros").text
    for words in ("%", "_", "'; DROP TABLE person", "\x01", "x" * 5000, "%25%00"):
        assert desk.get("/regia/persone", query_string={"q": words}).status_code == 200
    assert desk.get("/regia/persone?after=xx").status_code == 200
    assert desk.get("/regia/persone/99999999999999999999").status_code == 404


def test_sessions_end_by_themselves(sign_in: SignIn, database: Database, clock: FrozenClock) -> None:
    browser = sign_in("rosa")
    clock.advance(timedelta(days=31))
    assert not is_in(browser)
    with database.session() as session:
        assert session.execute(select(WebSession)).scalar_one()


def test_the_account_s_language_is_spoken_where_nothing_else_is_chosen(
    sign_in: SignIn, database: Database, world: World
) -> None:
    with database.writing() as session:
        session.execute(update(Person).where(Person.id == world.people["rosa"]).values(locale="en"))
    browser = sign_in("rosa")
    assert '<html lang="en"' in browser.get("/io", headers={"Accept-Language": "it"}).text
    assert '<html lang="it"' in browser.get("/io?lang=it").text
    assert '<html lang="it"' in browser.get("/io").text
