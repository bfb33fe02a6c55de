"""Supporting, following, commenting and flagging as a browser does it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lab.db.engine import Database
from lab.models.contributions import Contribution, Visibility
from lab.models.conversation import Comment, Follow, Support
from lab.models.moderation import Flag
from lab.services import contributions, merging
from lab.services.contributions import Placement
from tests.world import PERSONAS, World

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def item(database: Database, acting: Callable[..., object], world: World) -> Contribution:
    with database.writing() as session:
        return contributions.place(
            acting(session, "rosa"),  # type: ignore[arg-type]
            Placement(text="Una panchina all'ombra", title="Panchina", person_id=world.people["rosa"]),
        )


def number(database: Database, table: type) -> int:
    with database.session() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_reader_without_account_finds_links_and_no_token(client: FlaskClient, item: Contribution) -> None:
    page = client.get(f"/proposte/{item.code}").text
    assert "Accedi e sostienila" in page
    assert "Accedi e commenta" in page
    assert "csrf_token" not in page
    assert f"/proposte/{item.code}/sostegno" not in page


def test_supporting_sends_back_to_the_item_and_says_so(
    sign_in: SignIn, database: Database, item: Contribution
) -> None:
    samir = sign_in("samir")
    answer = samir.post(f"/proposte/{item.code}/sostegno", data={"follow": "y"})
    assert (answer.status_code, answer.location) == (303, f"/proposte/{item.code}#sostegno")
    page = samir.get(f"/proposte/{item.code}").text
    assert "Il tuo sostegno c'è." in page.replace("&#39;", "'")
    assert "La sostieni anche tu." in page
    assert "1 persona la sostiene" in page
    assert (number(database, Support), number(database, Follow)) == (1, 1)
    samir.post(f"/proposte/{item.code}/sostegno")
    assert number(database, Support) == 1
    samir.post(f"/proposte/{item.code}/sostegno/togli")
    samir.post(f"/segui/proposte/{item.code}/basta")
    assert (number(database, Support), number(database, Follow)) == (0, 0)


def test_following_is_a_choice_when_supporting(
    sign_in: SignIn, database: Database, item: Contribution
) -> None:
    sign_in("samir").post(f"/proposte/{item.code}/sostegno", data={})
    assert (number(database, Support), number(database, Follow)) == (1, 0)


@pytest.mark.parametrize("path", ["/proposte/{}/sostegno", "/segui/proposte/{}", "/proposte/{}/commenti"])
def test_signed_out_people_are_asked_to_sign_in_and_nothing_is_lost(
    client: FlaskClient, item: Contribution, path: str
) -> None:
    answer = client.post(path.format(item.code), data={"text": "Le mie parole"})
    assert answer.status_code == 303
    assert answer.location.startswith("/accedi")


def test_a_get_never_changes_anything(sign_in: SignIn, database: Database, item: Contribution) -> None:
    samir = sign_in("samir")
    for path in ("sostegno", "sostegno/togli", "commenti/chiusi"):
        assert samir.get(f"/proposte/{item.code}/{path}").status_code in (404, 405)
    assert samir.get(f"/segui/proposte/{item.code}").status_code == 405
    assert number(database, Support) == 0


def test_what_nobody_knows_is_not_found(sign_in: SignIn, item: Contribution) -> None:
    samir = sign_in("samir")
    for path in (
        "/proposte/PR999/sostegno",
        "/segui/altro/PR01",
        "/segui/progetti/P99",
        "/proposte/PR999/commenti",
    ):
        assert samir.post(path, data={"text": "Ciao a tutti"}).status_code == 404
    for path in (
        "/commenti/1",
        "/commenti/99999999999999999999999",
        "/commenti/4611686018427387903/modifica",
    ):
        assert samir.get(path).status_code == 404


def test_commenting_shows_ones_words_under_the_item(
    sign_in: SignIn, database: Database, item: Contribution
) -> None:
    samir = sign_in("samir")
    answer = samir.post(f"/proposte/{item.code}/commenti", data={"text": "Anche al parco <b>sì</b>"})
    assert answer.status_code == 303
    page = samir.get(f"/proposte/{item.code}").text
    assert "1 commento" in page
    assert "Anche al parco &lt;b&gt;sì&lt;/b&gt;" in page
    assert "<b>sì</b>" not in page


def test_a_comment_that_cannot_be_taken_is_still_there_to_mend(
    sign_in: SignIn, database: Database, item: Contribution
) -> None:
    samir = sign_in("samir")
    for text in ("   ", "x" * 2500):
        answer = samir.post(f"/proposte/{item.code}/commenti", data={"text": text})
        assert answer.status_code == 422
        assert text.strip() in answer.text
    assert number(database, Comment) == 0


def test_private_details_are_asked_about_once(
    sign_in: SignIn, database: Database, item: Contribution
) -> None:
    samir = sign_in("samir")
    words = "Chiamatemi al 333 1234567"
    answer = samir.post(f"/proposte/{item.code}/commenti", data={"text": words})
    assert answer.status_code == 422
    assert "un numero di telefono" in answer.text
    assert words in answer.text
    answer = samir.post(f"/proposte/{item.code}/commenti", data={"text": words, "shared": "y"})
    assert answer.status_code == 303
    assert number(database, Comment) == 1


def test_a_double_click_comments_once(sign_in: SignIn, database: Database, item: Contribution) -> None:
    samir = sign_in("samir")
    for _ in range(2):
        samir.post(f"/proposte/{item.code}/commenti", data={"text": "Una volta", "idempotency_key": "k"})
    assert number(database, Comment) == 1


def test_going_back_and_sending_again_comments_once(
    sign_in: SignIn, database: Database, item: Contribution
) -> None:
    samir, rosa = sign_in("samir"), sign_in("rosa")
    for key in ("first page", "page gone back to"):
        samir.post(f"/proposte/{item.code}/commenti", data={"text": "Una volta", "idempotency_key": key})
    assert number(database, Comment) == 1
    rosa.post(f"/proposte/{item.code}/commenti", data={"text": "Una volta", "idempotency_key": "hers"})
    assert number(database, Comment) == 2


def test_one_corrects_and_takes_away_only_ones_own(
    sign_in: SignIn, database: Database, item: Contribution
) -> None:
    samir, rosa = sign_in("samir"), sign_in("rosa")
    samir.post(f"/proposte/{item.code}/commenti", data={"text": "Prima"})
    with database.session() as session:
        comment = session.execute(select(Comment)).scalar_one()
    rosa.post(f"/proposte/{item.code}/commenti", data={"text": "Risposta", "parent": str(comment.id)})
    assert rosa.get(f"/commenti/{comment.id}/modifica").status_code == 404
    assert rosa.post(f"/commenti/{comment.id}/elimina").status_code == 404
    assert "Correggi o togli" in samir.get(f"/proposte/{item.code}").text
    assert samir.post(f"/commenti/{comment.id}/modifica", data={"text": "Seconda"}).status_code == 303
    assert "corretto" in rosa.get(f"/commenti/{comment.id}").text
    assert samir.post(f"/commenti/{comment.id}/elimina").status_code == 303
    page = rosa.get(f"/proposte/{item.code}").text
    assert "Seconda" not in page
    assert "ha tolto questo commento" in page
    assert "Risposta" in page
    assert "1 commento" in page


def test_answering_what_was_taken_away_keeps_the_words(
    sign_in: SignIn, database: Database, item: Contribution
) -> None:
    samir, rosa = sign_in("samir"), sign_in("rosa")
    samir.post(f"/proposte/{item.code}/commenti", data={"text": "Prima"})
    with database.session() as session:
        comment = session.execute(select(Comment)).scalar_one()
    samir.post(f"/commenti/{comment.id}/elimina")
    answer = rosa.post(
        f"/proposte/{item.code}/commenti", data={"text": "La mia risposta", "parent": str(comment.id)}
    )
    assert answer.status_code == 409
    assert "La mia risposta" in answer.text


def test_flagging_takes_a_link_and_one_touch_without_account(
    client: FlaskClient, database: Database, item: Contribution
) -> None:
    page = client.get(f"/segnala?contributo={item.code}").text
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert key
    assert 'name="reason" value="harassment"' in page
    for _ in range(2):
        answer = client.post(
            f"/segnala?contributo={item.code}", data={"reason": "harassment", "idempotency_key": key[1]}
        )
        assert (answer.status_code, answer.location) == (303, f"/segnala/grazie?contributo={item.code}")
    assert number(database, Flag) == 1
    assert client.get(answer.location).status_code == 200


def test_a_second_flag_by_the_same_person_says_so(sign_in: SignIn, item: Contribution) -> None:
    samir = sign_in("samir")
    samir.post(f"/segnala?contributo={item.code}", data={"reason": "spam"})
    answer = samir.post(f"/segnala?contributo={item.code}", data={"reason": "spam"})
    assert answer.status_code == 409
    assert "già segnalata" in answer.text


@pytest.mark.parametrize(
    "query", ["", "?contributo=PR999", "?commento=x", "?commento=" + "9" * 30, "?commento=1", "?commento=²"]
)
def test_flagging_nothing_is_not_found(client: FlaskClient, item: Contribution, query: str) -> None:
    assert client.get(f"/segnala{query}").status_code == 404
    assert client.post(f"/segnala{query}", data={"reason": "spam"}).status_code == 404


def test_a_flag_without_reason_asks_for_one(
    client: FlaskClient, database: Database, item: Contribution
) -> None:
    for reason in ("", "altro-motivo"):
        answer = client.post(f"/segnala?contributo={item.code}", data={"reason": reason, "note": "Ecco"})
        assert answer.status_code == 422
        assert "Ecco" in answer.text
    assert number(database, Flag) == 0


def test_flags_are_refused_without_the_page_they_come_from(
    app: Flask, database: Database, item: Contribution
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = app.test_client().post(f"/segnala?contributo={item.code}", data={"reason": "spam"})
    assert answer.status_code == 400
    assert number(database, Flag) == 0


@pytest.mark.parametrize("who", PERSONAS)
def test_what_is_hidden_takes_no_part_from_anybody(
    sign_in: SignIn, database: Database, acting: Callable[..., object], item: Contribution, who: str
) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        with contributions.changing(ctx, item.id) as it:  # type: ignore[arg-type]
            it.visibility = Visibility.HIDDEN
    browser = sign_in(who)
    assert browser.post(f"/proposte/{item.code}/sostegno").status_code == 404
    assert browser.post(f"/segui/proposte/{item.code}").status_code == 404
    assert browser.post(f"/proposte/{item.code}/commenti", data={"text": "Ciao"}).status_code == 404


def test_what_is_withdrawn_can_be_read_but_takes_no_more_comments(
    sign_in: SignIn, client: FlaskClient, database: Database, item: Contribution
) -> None:
    samir = sign_in("samir")
    samir.post(f"/proposte/{item.code}/commenti", data={"text": "Anche vicino alla scuola"})
    with database.session() as session:
        comment = session.execute(select(Comment)).scalar_one()
    sign_in("rosa").post(f"/proposte/{item.code}/ritira", data={"reason": "Ci ho ripensato", "sure": "y"})
    assert "Ti diciamo a ogni passo" not in sign_in("rosa").get(f"/proposte/{item.code}").text
    for reader in (samir, client, sign_in("moderator")):
        page = reader.get(f"/proposte/{item.code}").text
        assert "Anche vicino alla scuola" in page and "I commenti sono chiusi" in page
        assert 'name="text"' not in page and "/rispondi" not in page and "Accedi e commenta" not in page
    answer = samir.post(f"/commenti/{comment.id}/rispondi", data={"text": "Ancora io"})
    assert answer.status_code in (403, 405)
    assert samir.post(f"/proposte/{item.code}/commenti", data={"text": "Ancora io"}).status_code == 403
    assert number(database, Comment) == 1


def test_a_co_author_reads_that_their_words_are_inside_and_is_not_asked_for_support(
    sign_in: SignIn, database: Database, acting: Callable[..., object], item: Contribution, world: World
) -> None:
    with database.writing() as session:
        twin = contributions.place(
            acting(session, "samir"),  # type: ignore[arg-type]
            Placement(text="Panchine all'ombra", person_id=world.people["samir"]),
        )
        team = acting(session, "facilitator")
        merging.unite(team, merging.Unite(item.id, (twin.id,), "Uguali"))  # type: ignore[arg-type]
    page = sign_in("samir").get(f"/proposte/{item.code}").text
    assert "Qui dentro ci sono anche le tue parole" in page and f"/proposte/{item.code}/sostegno" not in page
    other = sign_in("moderator").get(f"/proposte/{item.code}").text
    assert "le tue parole" not in other and f"/proposte/{item.code}/sostegno" in other
