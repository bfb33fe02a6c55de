"""The one door, from the first words to the receipt, without script."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.models.contributions import Contribution, State, Visibility
from lab.models.operations import Draft, OutboxItem
from lab.models.pictures import Photo
from lab.settings import Settings
from tests.web.accounts_help import give_password, last_code, send, sign_in_by_password
from tests.world import World

SignIn = Callable[[str], FlaskClient]


def picture(colour: str = "red", size: tuple[int, int] = (900, 600)) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG", comment=b"secret place")
    file.seek(0)
    return file


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: value.replace("&#39;", "'").replace("&amp;", "&") for name, value in found}


def say(browser: FlaskClient, text: str = "Manca una panchina vicino alla scuola.", **more: Any) -> str:
    """Step one and two; gives the page with the summary."""
    browser.get("/proposte/nuova")
    answer = browser.post("/proposte/nuova", data={"text": text, **more})
    assert answer.status_code == 303, answer.text
    return browser.get("/proposte/nuova/controlla").text


def stored(database: Database) -> list[Contribution]:
    with database.session() as session:
        return list(session.execute(select(Contribution).order_by(Contribution.id)).scalars())


@pytest.fixture
def uploads(settings: Settings) -> Iterator[Path]:
    yield settings.uploads


def test_a_neighbour_without_account_gets_a_receipt_and_is_read_first(
    client: FlaskClient, database: Database
) -> None:
    summary = say(
        client, author_name="Nonna Pina", theme="verde", place="L04", project="P4", title="Panchina"
    )
    assert "Nonna Pina" in summary and "Parco del Crocione" in summary
    sent = client.post("/proposte/nuova/controlla", data=hidden(summary))
    assert sent.status_code == 303
    receipt = client.get(sent.location)
    said = stored(database)[0]
    assert f"{said.receipt_code[:4]}-{said.receipt_code[4:]}" in receipt.text
    assert "mercoledì 23 dicembre" in receipt.text
    assert said.visibility is Visibility.WAITING
    assert (said.author_name, said.lang, said.title) == ("Nonna Pina", "it", "Panchina")
    assert client.get(f"/proposte/{said.code}").status_code == 404
    with database.session() as session:
        assert session.execute(select(func.count(Draft.id))).scalar() == 0
        events = session.execute(select(OutboxItem.payload)).scalars().all()
    assert [event["event"] for event in events] == ["contribution.placed"]


def test_somebody_signed_in_is_public_at_once(sign_in: SignIn, database: Database) -> None:
    rosa = sign_in("rosa")
    rosa.post("/proposte/nuova/controlla", data=hidden(say(rosa)))
    said = stored(database)[0]
    assert said.visibility is Visibility.PUBLIC and said.author_name == "rosa".capitalize()
    assert rosa.get(f"/proposte/{said.code}").status_code == 200


def test_only_who_can_still_correct_is_told_for_how_long(sign_in: SignIn, client: FlaskClient) -> None:
    assert "Hai ancora 60 minuti per correggerla" in say(sign_in("rosa"))
    assert "per correggerla" not in say(client)


def test_the_receipt_is_only_for_the_browser_that_sent(client: FlaskClient, app: Flask) -> None:
    client.post("/proposte/nuova/controlla", data=hidden(say(client)))
    assert client.get("/proposte/nuova/fatto").status_code == 200
    other = app.test_client().get("/proposte/nuova/fatto")
    assert (other.status_code, 'href="/ricevuta">Scrivi il codice' in other.text) == (404, True)


def test_who_joins_from_the_receipt_finds_there_what_they_said(
    client: FlaskClient, app: Flask, database: Database
) -> None:
    client.post("/proposte/nuova/controlla", data=hidden(say(client, photos=[(picture(), "a.jpg")])))
    receipt = client.get("/proposte/nuova/fatto").text
    assert 'href="/registrati?next=/proposte/nuova/fatto"' in receipt and "Con 1 foto" in receipt
    send(client, "/registrati", name="Nina", email="nina@example.org", next="/proposte/nuova/fatto")
    back = client.post("/accedi/codice", data={"code": last_code(database)})
    assert back.location == "/proposte/nuova/fatto"
    assert "fra le tue cose" in client.get(back.location).text
    said = stored(database)[0]
    assert said.text in client.get("/io").text
    # What others read stays as it was: no name, and only once somebody of the lab has read it.
    assert (said.author_name, said.visibility) == ("", Visibility.WAITING)
    assert "Aspetta di essere letta" in client.get("/io").text
    client.post(f"/proposte/{said.code}/ritira", data={"reason": "L'hanno riparata."})
    assert "Aspetta di essere letta" not in client.get("/io").text
    assert "Per ora non la leggono tutti" not in client.get(f"/proposte/{said.code}").text


def test_who_signs_in_from_an_old_receipt_is_not_handed_what_somebody_else_said(
    client: FlaskClient, database: Database, world: World, clock: FrozenClock
) -> None:
    client.post("/proposte/nuova/controlla", data=hidden(say(client)))
    clock.advance(timedelta(minutes=21))
    give_password(database, world.people["rosa"])
    assert sign_in_by_password(client, "rosa@example.org", next="/proposte/nuova/fatto").status_code == 303
    assert stored(database)[0].person_id is None


def test_who_signs_in_otherwise_is_not_handed_what_somebody_said_before_at_this_computer(
    client: FlaskClient, database: Database, world: World
) -> None:
    client.post("/proposte/nuova/controlla", data=hidden(say(client)))
    client.post("/proposte/nuova", data={"text": "Parole di chi c'era prima."})
    give_password(database, world.people["rosa"])
    assert sign_in_by_password(client, "rosa@example.org").location == "/io"
    assert stored(database)[0].person_id is None
    assert client.get("/proposte/nuova/fatto").status_code == 404
    assert "Parole di chi" not in client.get("/proposte/nuova").text


def test_what_was_begun_is_still_there_after_signing_in_from_its_page(
    client: FlaskClient, database: Database, world: World
) -> None:
    page = client.get("/proposte/nuova").text
    assert "/accedi?next=/proposte/nuova" in page and "/registrati?next=/proposte/nuova" in page
    client.post("/bozze/proposta", data={"text": "La fontanella perde da due giorni."})
    give_password(database, world.people["rosa"])
    back = sign_in_by_password(client, "rosa@example.org", next="/proposte/nuova").location
    assert "La fontanella perde da due giorni." in client.get(back).text


def test_two_clicks_make_one_thing(client: FlaskClient, database: Database) -> None:
    fields = hidden(say(client))
    first = client.post("/proposte/nuova/controlla", data=fields)
    second = client.post("/proposte/nuova/controlla", data=fields)
    assert (first.status_code, second.status_code) == (303, 303)
    assert len(stored(database)) == 1
    assert client.get(second.location).status_code == 200


@pytest.mark.parametrize("who", [None, "rosa"])
def test_going_back_and_sending_the_same_again_gives_the_receipt_one_has(
    client: FlaskClient, sign_in: SignIn, database: Database, who: str | None
) -> None:
    browser = sign_in(who) if who else client
    chosen = {"place": "L04", "theme": "verde", "title": "Panchina"}
    for time in range(2):
        fields = hidden(say(browser, photos=[(picture(), "a.jpg")], **chosen))
        receipt = browser.get(browser.post("/proposte/nuova/controlla", data=fields).location).text
        said = stored(database)
        assert len(said) == 1 and f"{said[0].receipt_code[:4]}-{said[0].receipt_code[4:]}" in receipt
        assert ("avevi già mandata" in receipt) is (time == 1)
        assert "Hai già iniziato a scrivere" not in browser.get("/proposte/nuova").text


def test_another_place_name_picture_or_browser_is_another_thing(
    client: FlaskClient, app: Flask, database: Database
) -> None:
    others: list[tuple[FlaskClient, dict[str, Any]]] = [
        (client, {}),
        (client, {"place": "L04"}),
        (client, {"author_name": "Pina"}),
        (client, {"author_name": "Pina", "photos": [(picture(), "a.jpg")]}),
        (client, {"author_name": "Pina", "photos": [(picture("blue"), "a.jpg")], "project": "P4"}),
        (app.test_client(), {"author_name": "Pina"}),
    ]
    for number, (browser, more) in enumerate(others, start=1):
        browser.post("/proposte/nuova/controlla", data=hidden(say(browser, **more)))
        assert len(stored(database)) == number, more


def test_other_words_from_a_page_one_went_back_to_are_not_lost(
    client: FlaskClient, database: Database
) -> None:
    fields = hidden(say(client))
    client.post("/proposte/nuova/controlla", data=fields)
    other = {**fields, "text": "E manca anche una fontana."}
    client.post("/proposte/nuova", data=other)
    sent = client.post("/proposte/nuova/controlla", data=other)
    assert [one.text for one in stored(database)][1:] == ["E manca anche una fontana."]
    assert "E manca anche una fontana." in client.get(sent.location).text


def test_the_same_key_from_somebody_else_gives_nothing_of_the_first(
    client: FlaskClient, app: Flask, sign_in: SignIn, database: Database
) -> None:
    fields = hidden(say(client))
    client.post("/proposte/nuova/controlla", data=fields)
    for other, words in ((app.test_client(), "Un'altra voce."), (sign_in("rosa"), "La voce di Rosa.")):
        say(other, words)
        sent = other.post("/proposte/nuova/controlla", data={**fields, "text": words})
        receipt = other.get(sent.location).text
        said = stored(database)
        assert said[-1].text == words and f"{said[-1].receipt_code[:4]}-" in receipt
        assert f"{said[0].receipt_code[:4]}-{said[0].receipt_code[4:]}" not in receipt
    assert len(stored(database)) == 3


def test_photographs_survive_to_the_summary_and_lose_their_secrets(
    client: FlaskClient, database: Database, uploads: Path
) -> None:
    summary = say(client, photos=[(picture(), "../../etc/x.jpg"), (picture("blue"), "b.png")])
    names = re.findall(r'name="alt_([0-9a-f]{32})"', summary)
    assert len(names) == 2
    assert client.get(f"/media/{names[0]}-320.webp", buffered=True).headers["Cache-Control"] == "no-store"
    fields = {**hidden(summary), f"alt_{names[0]}": "La panchina", f"drop_{names[1]}": "1"}
    client.post("/proposte/nuova/controlla", data=fields)
    with database.session() as session:
        photo = session.execute(select(Photo)).scalar_one()
    assert (photo.name, photo.alt) == (names[0], "La panchina")
    for path in uploads.rglob("*"):
        assert path.is_dir() or b"secret" not in path.read_bytes()


def test_other_browsers_do_not_see_photographs_not_yet_sent(client: FlaskClient, app: Flask) -> None:
    summary = say(client, photos=[(picture(), "a.jpg")])
    name = re.findall(r'name="alt_([0-9a-f]{32})"', summary)[0]
    assert app.test_client().get(f"/media/{name}-320.webp").status_code == 404


def test_photographs_of_what_everybody_reads_are_kept_for_ever(sign_in: SignIn, database: Database) -> None:
    rosa = sign_in("rosa")
    rosa.post("/proposte/nuova/controlla", data=hidden(say(rosa, photos=[(picture(), "a.jpg")])))
    with database.session() as session:
        name = session.execute(select(Photo.name)).scalar_one()
    served = rosa.get(f"/media/{name}-320.webp", buffered=True)
    assert "immutable" in served.headers["Cache-Control"]
    assert served.headers["X-Content-Type-Options"] == "nosniff" and served.mimetype == "image/webp"
    with database.writing() as session:
        said = session.execute(select(Contribution)).scalar_one()
        said.visibility = Visibility.HIDDEN
    assert sign_in("samir").get(f"/media/{name}-320.webp").status_code == 404
    assert rosa.get(f"/media/{name}-320.webp", buffered=True).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"text": ""}, "Scrivi almeno due parole."),
        ({"text": " \n\t "}, "Scrivi almeno due parole."),
        ({"text": "x" * 5001}, "al massimo 5000"),
        ({"text": "Va bene", "title": "t" * 121}, "al massimo 120"),
        ({"text": "Va bene", "author_name": "n" * 61}, "al massimo 60"),
        ({"text": "Va bene", "theme": "' OR 1=1 --"}, "Questa scelta non c'è più"),
        ({"text": "Va bene", "place": "L99\x00"}, "Questa scelta non c'è più"),
        ({"text": "Va bene", "project": "P999999999999999999999"}, "Questa scelta non c'è più"),
        ({"text": "Va bene", "sito": "http://spam.example"}, "Uno spazio nascosto era pieno"),
        ({}, "Scrivi almeno due parole."),
    ],
)
def test_a_mistake_is_told_and_nothing_is_lost(
    client: FlaskClient, database: Database, sent: dict[str, str], words: str
) -> None:
    answer = client.post("/proposte/nuova", data={"author_name": "Pina", **sent})
    assert answer.status_code == 422
    assert words.replace("'", "&#39;") in answer.text
    if (sent.get("text") or "").strip():
        assert sent["text"] in answer.text
        # Coming back later finds it again.
        assert sent["text"] in client.get("/proposte/nuova").text
    assert not stored(database)


@pytest.mark.parametrize(
    "file",
    [
        (io.BytesIO(b"not a picture"), "a.jpg"),
        (io.BytesIO(b"<svg onload='alert(1)'/>"), "a.svg"),
        (io.BytesIO(b"%!PS-Adobe-3.0 EPSF-3.0"), "a.eps"),
        (io.BytesIO(b""), "empty.png"),
    ],
)
def test_a_file_that_is_no_picture_keeps_the_words(client: FlaskClient, file: tuple[io.BytesIO, str]) -> None:
    copy = (io.BytesIO(file[0].getvalue()), file[1])
    answer = client.post("/proposte/nuova", data={"text": "Manca una panchina", "photos": [copy]})
    assert answer.status_code == 422
    assert "Manca una panchina" in answer.text and 'id="photos-error"' in answer.text


def test_a_sixth_photograph_is_refused_and_five_stay(client: FlaskClient) -> None:
    files = [(picture(size=(40, 30 + n)), f"{n}.jpg") for n in range(6)]
    answer = client.post("/proposte/nuova", data={"text": "Manca una panchina", "photos": files})
    assert answer.status_code == 422
    assert answer.text.count("Togli questa foto") == 5


def test_going_back_and_on_with_the_same_photographs_keeps_each_once(client: FlaskClient) -> None:
    for _time in range(2):
        chosen = [(picture(size=(40, 30 + n)), f"{n}.jpg") for n in range(5)]
        answer = client.post("/proposte/nuova", data={"text": "Manca una panchina", "photos": chosen})
        assert answer.status_code == 303
    assert client.get(answer.location).text.count("Togli questa foto") == 5


def test_private_details_are_pointed_out_before_sending(client: FlaskClient, database: Database) -> None:
    summary = say(client, "Chiamate mia figlia al 333 1234567")
    assert "un numero di telefono" in summary
    assert client.post("/proposte/nuova/controlla", data=hidden(summary)).status_code == 303
    assert len(stored(database)) == 1


def test_what_others_said_already_is_offered(sign_in: SignIn, client: FlaskClient) -> None:
    rosa = sign_in("rosa")
    rosa.post("/proposte/nuova/controlla", data=hidden(say(rosa, "La lampada davanti alla torre B è rotta")))
    fragment = client.get("/proposte/simili?q=la+lampada+della+torre+B+non+va")
    assert "La lampada davanti alla torre B" in fragment.text
    assert "Sostienila" in say(client, "La lampada della torre B è sempre spenta")
    assert "Sostienila" not in say(client, "Vorrei un corso di italiano")


def test_who_comes_from_a_place_or_a_project_speaks_about_it(client: FlaskClient) -> None:
    assert 'href="/proposte/nuova?luogo=L04"' in client.get("/pianta/L04").text
    page = client.get("/proposte/nuova?luogo=L04&progetto=P4").text
    assert re.search(r'value="L04"[^>]* checked', page) and re.search(r'<option selected value="P4"', page)
    assert "checked" in client.get("/proposte/nuova?luogo=NIENTE").text


def test_nobody_is_sent_to_support_what_is_done(
    sign_in: SignIn, client: FlaskClient, database: Database
) -> None:
    rosa = sign_in("rosa")
    rosa.post("/proposte/nuova/controlla", data=hidden(say(rosa, "La lampada davanti alla torre B è rotta")))
    with database.writing() as session:
        session.get_one(Contribution, stored(database)[0].id).state = State.DONE
    offered = say(client, "La lampada della torre B è di nuovo spenta")
    assert "Se non basta, manda la tua" in offered and "Sostienila" not in offered


def test_a_draft_is_kept_while_typing_and_can_be_thrown_away(client: FlaskClient) -> None:
    kept = client.post("/bozze/proposta", data={"text": "Metà di una frase", "title": "T" * 50})
    assert kept.status_code == 200 and kept.json
    page = client.get("/proposte/nuova").text
    assert "Metà di una frase" in page and "Hai già iniziato a scrivere" in page
    client.post("/bozze/proposta/via")
    assert "Metà di una frase" not in client.get("/proposte/nuova").text
    assert client.post("/bozze/altro", data={}).status_code == 404


def test_a_draft_begun_before_signing_in_goes_on_afterwards(
    app: Flask, sign_in: SignIn, client: FlaskClient
) -> None:
    client.post("/bozze/proposta", data={"text": "Metà di una frase"})
    with client.session_transaction() as cookie:
        mark = cookie["browser"]
    rosa = sign_in("rosa")
    with rosa.session_transaction() as cookie:
        cookie["browser"] = mark
    assert "Metà di una frase" in rosa.get("/proposte/nuova").text


def test_a_session_that_ends_meanwhile_holds_the_words(
    sign_in: SignIn, database: Database, app: Flask
) -> None:
    rosa = sign_in("rosa")
    fields = hidden(say(rosa, "Detto da Rosa"))
    with rosa.session_transaction() as cookie:
        cookie.pop("_user_id")
    answer = rosa.post("/proposte/nuova/controlla", data=fields)
    assert answer.status_code == 303 and "/accedi" in answer.location
    assert not stored(database)


def test_an_expired_token_shows_what_was_typed(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post("/proposte/nuova", data={"text": "Parole da non perdere", "csrf_token": "old"})
    assert answer.status_code == 400 and "Parole da non perdere" in answer.text


def test_far_too_much_at_once_leads_back_to_the_form(app: Flask, client: FlaskClient) -> None:
    answer = client.post(
        "/proposte/nuova", data={"text": "x" * 1_200_000}, content_type="multipart/form-data"
    )
    assert answer.status_code == 413 and 'href="/proposte/nuova"' in answer.text


def test_the_author_corrects_inside_the_window_only(
    sign_in: SignIn, database: Database, clock: Any, client: FlaskClient
) -> None:
    rosa = sign_in("rosa")
    rosa.post("/proposte/nuova/controlla", data=hidden(say(rosa, "Manca una pancina")))
    said = stored(database)[0]
    form = hidden(rosa.get(f"/proposte/{said.code}/modifica").text)
    answer = rosa.post(f"/proposte/{said.code}/modifica", data={**form, "text": "Manca una panchina"})
    assert answer.status_code == 303
    page = client.get(f"/proposte/{said.code}").text
    assert "Manca una panchina" in page and "pancina" not in page and "Corretta" in page
    before = client.get(f"/proposte/{said.code}/versioni").text
    assert "Manca una pancina" in before and "Manca una panchina" in before
    # A page drawn before the change: told, nothing lost.
    late = rosa.post(f"/proposte/{said.code}/modifica", data={**form, "text": "Terza"})
    assert late.status_code == 409 and "Terza" in late.text
    assert sign_in("samir").get(f"/proposte/{said.code}/modifica").status_code == 404
    clock.advance(timedelta(hours=2))
    path = f"/proposte/{said.code}/modifica"
    assert rosa.get(path).status_code == 403
    # Sending it again would be refused again: the words are there to copy, with the way back.
    came = {"Referer": f"http://localhost{path}"}
    late = rosa.post(path, data={**form, "text": "Terza versione"}, headers=came)
    assert late.status_code == 403 and "Terza versione</textarea>" in late.text
    assert "Premi Riprova" not in late.text and f'href="{path}"' in late.text
    assert "Correggi" not in rosa.get(f"/proposte/{said.code}").text


def test_photographs_can_be_changed_inside_the_window(sign_in: SignIn, database: Database) -> None:
    rosa = sign_in("rosa")
    rosa.post("/proposte/nuova/controlla", data=hidden(say(rosa, photos=[(picture(), "a.jpg")])))
    said = stored(database)[0]
    page = rosa.get(f"/proposte/{said.code}/modifica").text
    old = re.findall(r'name="alt_([0-9a-f]{32})"', page)[0]
    fields = {**hidden(page), "text": said.text, f"drop_{old}": "1", "photos": [(picture("blue"), "b.jpg")]}
    assert rosa.post(f"/proposte/{said.code}/modifica", data=fields).status_code == 303
    with database.session() as session:
        assert session.execute(select(Photo.name)).scalar_one() != old
    assert stored(database)[0].photos_count == 1


def test_a_broken_picture_beside_a_good_one_leaves_no_file_behind(
    sign_in: SignIn, database: Database, settings: Settings
) -> None:
    rosa = sign_in("rosa")
    rosa.post("/proposte/nuova/controlla", data=hidden(say(rosa)))
    path = f"/proposte/{stored(database)[0].code}/modifica"
    sent = {**hidden(rosa.get(path).text), "text": "Una panchina"}
    sent["photos"] = [(picture(), "a.jpg"), (io.BytesIO(b"no picture"), "b.jpg")]
    assert rosa.post(path, data=sent).status_code == 422
    assert not [file for file in settings.uploads.rglob("*") if file.is_file()]


def test_withdrawing_asks_why_and_leaves_the_list(
    sign_in: SignIn, database: Database, client: FlaskClient
) -> None:
    rosa = sign_in("rosa")
    rosa.post("/proposte/nuova/controlla", data=hidden(say(rosa, "La luce è rotta")))
    code = stored(database)[0].code
    assert rosa.post(f"/proposte/{code}/ritira", data={"reason": " "}).status_code == 422
    assert rosa.post(f"/proposte/{code}/ritira", data={"reason": "Riparata!"}).status_code == 303
    assert stored(database)[0].state is State.WITHDRAWN
    assert "La luce è rotta" not in client.get("/proposte").text
    assert "La luce è rotta" in client.get("/proposte?stato=ritirate").text
    assert "Riparata!" in client.get(f"/proposte/{code}").text
    assert rosa.post(f"/proposte/{code}/ritira", data={"reason": "Ancora"}).status_code == 403
