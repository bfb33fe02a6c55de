"""The desk in the browser: what is typed is never lost, offices see their own, refusals say what happened."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.models.answers import Answer, Verdict
from lab.models.contributions import Contribution, State, Visibility
from lab.models.moderation import Flag, FlagReason, ModerationAct
from lab.services import answers, appeals, contributions, moderation, proposals, routing, triage
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.web.desk_words import EMPTY, PILES, SLUGS
from tests.statements import VERSION, statements
from tests.world import NOW, World

SignIn = Callable[[str], FlaskClient]
Acting = Callable[[Session, str], Context]
REASON = "Lo facciamo in primavera, quando arrivano le piante nuove."


@pytest.fixture
def said(app: Flask, database: Database, acting: Acting) -> Callable[..., str]:
    """Say something; gives its code."""

    def say(text: str = "Una panchina all'ombra", **more: object) -> str:
        with database.writing() as session:
            what = Placement(text=text, **more)  # type: ignore[arg-type]
            return contributions.place(acting(session, "system"), what).code

    return say


def _item(database: Database, code: str) -> Contribution:
    with database.session() as session:
        return session.execute(select(Contribution).where(Contribution.code == code)).scalar_one()


def _route(database: Database, acting: Acting, code: str, office_id: int) -> None:
    with database.writing() as session:
        item = session.execute(select(Contribution).where(Contribution.code == code)).scalar_one()
        routing.route(acting(session, "facilitator"), routing.Route(item.id, None, office_id))


def _stamp(page: str, slug: str, name: str = "version") -> str:
    """The hidden value with which a form of the page was drawn."""
    form = page.split(f'id="atto-{slug}"')[1]
    found = re.search(rf'name="{name}" value="(\d*)"', form)
    assert found
    return found[1]


def test_the_inbox_shows_what_waits_and_a_page_for_each(
    sign_in: SignIn, said: Callable[..., str], world: World
) -> None:
    code = said("<script>alert(1)</script> panchine", author_name="<b>Rosa</b>", theme_id=world.green)
    desk = sign_in("facilitator")
    page = desk.get("/regia").text
    assert code in page and "<script>alert" not in page and "Verde" in page
    page = desk.get(f"/regia/{code}").text
    assert "<script>alert" not in page and "&lt;b&gt;Rosa" in page


@pytest.mark.parametrize("slug", SLUGS.values())
def test_every_pile_says_something_when_it_is_empty(sign_in: SignIn, slug: str) -> None:
    answer = sign_in("office" if slug in ("da-rispondere", "bozze", "con-risposta") else "moderator").get(
        f"/regia?stato={slug}"
    )
    assert answer.status_code == 200 and 'class="empty"' in answer.text


def test_every_pile_has_its_words() -> None:
    assert set(PILES) == set(SLUGS) == set(EMPTY)


@pytest.mark.parametrize(
    "query",
    [
        "stato=boh", "tema=zzz", "luogo=1;DROP", "ufficio=%01", "canale=x", "chi=99999999999999999999",
        "dopo=%25", "dopo=WyJ4IiwxXQ", "prima=WzEsMl0", "q=%22%27*%28", "q=" + "a" * 5000, "tipo=",
    ],
)  # fmt: skip
def test_no_address_breaks_the_inbox(sign_in: SignIn, query: str) -> None:
    for who in ("moderator", "office"):
        assert sign_in(who).get(f"/regia?{query}").status_code == 200


def test_filters_stay_in_the_address_of_each_row(
    sign_in: SignIn, said: Callable[..., str], world: World
) -> None:
    code = said(theme_id=world.green)
    page = sign_in("moderator").get("/regia?tema=verde&stato=da-leggere").text
    assert f"/regia/{code}?" in page and "tema=verde" in page.split(f"/regia/{code}?")[1][:80]


def test_the_filters_are_folded_away_and_say_what_is_chosen(
    sign_in: SignIn, said: Callable[..., str]
) -> None:
    said("Una panchina all'ombra")
    desk = sign_in("facilitator")
    folded = '<details class="desk-find">'
    assert folded in desk.get("/regia").text
    chosen = desk.get("/regia?q=panchina&tipo=idee").text
    assert folded in chosen
    assert re.search(r'class="count">2<span class="visually-hidden"> scelte fatte', chosen)
    # Nothing found: they stand open, so that one sees why.
    assert '<details class="desk-find" open>' in desk.get("/regia?q=fontanella").text


def test_outsiders_do_not_learn_that_the_desk_exists(
    client: FlaskClient, sign_in: SignIn, said: Callable[..., str]
) -> None:
    code = said()
    assert client.get("/regia").status_code == 303
    for who in ("rosa", "committee"):
        assert sign_in(who).get("/regia").status_code == 404
    for who in ("rosa", "committee", "delegate", "administrator"):
        assert sign_in(who).get(f"/regia/{code}").status_code == 404
        assert sign_in(who).post(f"/regia/{code}/letta").status_code == 404


@pytest.mark.parametrize(
    ("who", "start"), [("administrator", "/regia/sito"), ("delegate", "/regia/progetti")]
)
def test_who_answers_nothing_finds_their_own_page_at_the_desk(sign_in: SignIn, who: str, start: str) -> None:
    browser = sign_in(who)
    answer = browser.get("/regia")
    assert answer.status_code == 303 and answer.location == start
    assert browser.get(start).status_code == 200


def test_the_coordinator_reaches_themes_and_the_log_from_the_menu(sign_in: SignIn) -> None:
    browser = sign_in("coordinator")
    assert 'href="/regia/sito/temi"' in browser.get("/regia").text
    assert 'href="/regia/sito/registro"' in browser.get("/regia/sito/temi").text


def test_an_office_opens_only_its_own(
    sign_in: SignIn, said: Callable[..., str], database: Database, acting: Acting, world: World
) -> None:
    mine, other = said("La mia"), said("Di altri")
    _route(database, acting, mine, world.verde)
    _route(database, acting, other, world.lavori)
    office = sign_in("office")
    page = office.get("/regia").text
    assert mine in page and other not in page
    assert office.get(f"/regia/{mine}").status_code == 200
    assert office.get(f"/regia/{other}").status_code == 404
    sent = {"verdict": "accepted", "reason": REASON, "act": "publish"}
    assert office.post(f"/regia/{other}/risposta", data=sent).status_code == 404
    for act in ("letta", "al-suo-posto", "all-ufficio", "unisci", "dividi", "nascondi", "riservata"):
        assert office.post(f"/regia/{mine}/{act}").status_code == 404


def test_who_comes_second_reads_what_happened_keeps_their_words_and_can_send_again(
    sign_in: SignIn, said: Callable[..., str], database: Database, world: World
) -> None:
    code = said()
    first, second = sign_in("moderator"), sign_in("facilitator")
    stamp = _stamp(second.get(f"/regia/{code}").text, "route")
    done = first.post(f"/regia/{code}/all-ufficio", data={"office": world.verde, "version": stamp})
    assert done.status_code == 303
    typed = {"office": world.lavori, "due_on": "2026-12-05", "version": stamp}
    refused = second.post(f"/regia/{code}/all-ufficio", data=typed)
    assert refused.status_code == 409
    assert (
        "Moderator</bdi> l'ha passata a un ufficio" in unescape(refused.text) and "2026-12-05" in refused.text
    )
    assert _item(database, code).office_id == world.verde
    typed["version"] = _stamp(refused.text, "route")
    assert second.post(f"/regia/{code}/all-ufficio", data=typed).status_code == 303
    assert _item(database, code).office_id == world.lavori


@pytest.mark.parametrize(
    ("act", "data", "kept"),
    [
        ("nascondi", {"reason": "breve"}, "breve"),
        ("riservata", {"words": "Ti chiamano loro", "body": "1"}, "Ti chiamano loro"),
        ("dividi", {"text": "Parole mie"}, "Parole mie"),
        ("unisci", {"others": "PR99999", "reason": "Uguali"}, "Uguali"),
        ("all-ufficio", {"office": "", "due_on": "2026-12-05"}, "2026-12-05"),
        ("all-ufficio", {"office": "99999999999999999999999", "due_on": "boh"}, "boh"),
        ("nota", {"text": ""}, "Scrivi la nota"),
        ("al-suo-posto", {"kind": "x", "theme": "abc", "projects": "zz"}, "al suo posto"),
    ],
)
def test_what_is_wrong_comes_back_as_it_was_typed(
    sign_in: SignIn, said: Callable[..., str], database: Database, act: str, data: dict[str, str], kept: str
) -> None:
    code = said()
    answer = sign_in("moderator").post(f"/regia/{code}/{act}", data=data)
    assert answer.status_code == 422 and kept in answer.text
    assert _item(database, code).version == 1


def test_the_office_answers_and_finds_the_next_one(
    sign_in: SignIn, said: Callable[..., str], database: Database, acting: Acting, world: World
) -> None:
    first, second = said("Prima"), said("Seconda")
    for code in (first, second):
        _route(database, acting, code, world.verde)
    office = sign_in("office")
    stamp = _stamp(office.get(f"/regia/{first}").text, "answer")
    sent = {"verdict": "declined", "reason": REASON, "version": stamp}
    assert office.post(f"/regia/{first}/risposta", data=sent | {"act": "save"}).status_code == 303
    assert _item(database, first).state is State.IN_REVIEW
    drawn = office.get(f"/regia/{first}").text
    assert REASON in drawn and "La tua bozza" in drawn
    sent["draft_version"] = _stamp(drawn, "answer", "draft_version")
    published = office.post(f"/regia/{first}/risposta", data=sent | {"act": "publish"})
    assert published.status_code == 303 and published.location.endswith(f"/regia/{second}")
    again = office.post(f"/regia/{first}/risposta", data=sent | {"act": "publish"})
    assert again.status_code == 303
    with database.session() as session:
        assert [a.verdict for a in session.execute(select(Answer)).scalars()] == [Verdict.DECLINED]
    assert REASON in sign_in("moderator").get(f"/regia/{first}").text


def test_merging_from_the_page_and_taking_apart(
    sign_in: SignIn, said: Callable[..., str], database: Database
) -> None:
    one, twin = said("Panchine all'ombra nel parco"), said("Panchine all'ombra al parco")
    desk = sign_in("facilitator")
    page = desk.get(f"/regia/{one}").text
    assert f'value="{twin}:1"' in page
    data = {"twins": f"{twin}:1", "lives_on": twin, "reason": "Uguali", "version": _stamp(page, "merge")}
    done = desk.post(f"/regia/{one}/unisci", data=data)
    assert done.status_code == 303 and done.location.endswith(twin)
    assert desk.post(f"/regia/{one}/unisci", data=data).status_code == 303  # clicked twice: done once
    assert (_item(database, one).state, _item(database, twin).state) == (State.MERGED, State.RECEIVED)
    assert one in desk.get(f"/regia/{twin}").text
    page = desk.get(f"/regia/{one}").text
    data = {"reason": "Sono due cose", "version": _stamp(page, "separate")}
    assert desk.post(f"/regia/{one}/separa", data=data).status_code == 303
    assert _item(database, one).state is State.RECEIVED


def test_a_bulk_act_tells_once_what_was_done_and_what_not(
    sign_in: SignIn, said: Callable[..., str], database: Database, acting: Acting, world: World
) -> None:
    codes = [said(f"Voce {n}", visibility=Visibility.WAITING) for n in range(3)]
    with database.writing() as session:
        triage.take(acting(session, "moderator"), _item(database, codes[1]).id)
    desk = sign_in("facilitator")
    chosen = [f"{code}:1" for code in codes]
    page = desk.post("/regia/insieme", data={"chosen": chosen, "act": "read"}, follow_redirects=True).text
    assert "Fatto per 2 proposte" in page and f"{codes[1]} resta com&#39;era" in page
    assert _item(database, codes[0]).visibility is Visibility.PUBLIC
    none = desk.post("/regia/insieme", data={"act": "read"})
    assert none.status_code == 422 and "almeno una proposta" in none.text
    # The acts stand below the rows: what went wrong is told above them, too.
    assert none.text.index('<a href="#insieme-titolo">Così non si può fare.') < none.text.index("data-row")
    no_theme = desk.post("/regia/insieme", data={"chosen": chosen, "act": "theme"})
    assert no_theme.status_code == 422 and f'value="{codes[0]}:1" checked' not in no_theme.text
    routed = {"chosen": f"{codes[2]}:2", "act": "route", "office": world.verde, "due_on": "2026-12-09"}
    assert desk.post("/regia/insieme", data=routed).status_code == 303
    assert _item(database, codes[2]).office_id == world.verde


def test_many_are_hidden_and_shown_again_with_one_reason_that_every_author_reads(
    sign_in: SignIn, said: Callable[..., str], client: FlaskClient, database: Database, world: World
) -> None:
    codes = [said(f"Compra {n} orologi", person_id=world.people["rosa"]) for n in range(2)]
    own = said("Parole mie", person_id=world.people["moderator"])
    data = {"chosen": [f"{code}:1" for code in (*codes, own)], "act": "hide", "reason": "È pubblicità."}
    assert sign_in("facilitator").post("/regia/insieme", data=data).status_code == 422
    desk = sign_in("moderator")
    short = desk.post("/regia/insieme", data=data | {"reason": "No"})
    assert short.status_code == 422 and short.text.count("Scrivi qualche parola in più") >= 1
    page = desk.post("/regia/insieme", data=data, follow_redirects=True).text
    assert "Fatto per 2 proposte" in page and f"{own}: Non puoi decidere sulle tue parole" in page
    for code in codes:
        assert client.get(f"/proposte/{code}").status_code == 404
        assert "È pubblicità." in client.get(f"/ricevuta/{_item(database, code).receipt_code}").text
    again = {"chosen": [f"{codes[0]}:2"], "act": "restore", "reason": "Mi ero sbagliata."}
    assert desk.post("/regia/insieme", data=again).status_code == 303
    assert client.get(f"/proposte/{codes[0]}").status_code == 200


def test_a_private_matter_is_nowhere_in_public_but_its_giver_can_follow_it(
    client: FlaskClient, sign_in: SignIn, said: Callable[..., str], database: Database, world: World
) -> None:
    code = said("L'ascensore della signora Pina", person_id=world.people["rosa"])
    desk = sign_in("facilitator")
    data = {"body": world.aler, "note": "Scala B", "words": "Ti chiama ALER"}
    assert desk.post(f"/regia/{code}/riservata", data=data).status_code == 303
    assert client.get(f"/proposte/{code}").status_code == 404
    assert "signora Pina" not in client.get("/proposte").text
    receipt = client.get(f"/ricevuta/{_item(database, code).receipt_code}")
    assert receipt.status_code == 200 and "Ti chiama ALER" in receipt.text and "Scala B" not in receipt.text


# moderation


def test_flags_are_settled_with_a_reason_the_author_hears(
    sign_in: SignIn, said: Callable[..., str], database: Database, world: World
) -> None:
    code = said("Il vicino del terzo piano", person_id=world.people["rosa"])
    item = _item(database, code)
    with database.writing() as session:
        session.add(Flag(contribution_id=item.id, reason=FlagReason.HARASSMENT, created_at=NOW))
    moderator = sign_in("moderator")
    assert "Il vicino del terzo piano" in moderator.get("/regia/moderazione").text
    path = f"/regia/moderazione/proposta/{item.id}"
    short = moderator.post(path, data={"act": "hide", "reason": "no"})
    assert short.status_code == 422
    reason = "Parla di una persona che si riconosce"
    assert moderator.post(path, data={"act": "hide", "reason": reason}).status_code == 303
    with database.session() as session:
        act = session.execute(select(ModerationAct)).scalar_one()
        assert act.reason == reason and session.execute(select(Flag.settled_at)).scalar_one() is not None
    assert sign_in("facilitator").get("/regia/moderazione").status_code == 404
    rosa = sign_in("rosa")
    assert reason in rosa.get(f"/appello/{act.id}").text
    assert f"/appello/proposta/{code}" in rosa.get(f"/proposte/{code}").text
    assert rosa.get(f"/appello/proposta/{code}").location.endswith(f"/appello/{act.id}")
    samir = sign_in("samir")
    assert samir.get(f"/appello/{act.id}").status_code == 404
    assert samir.get(f"/appello/proposta/{code}").status_code == 404
    data = {"words": "Non ho fatto nessun nome, parlavo del rumore"}
    assert rosa.post(f"/appello/{act.id}", data=data).status_code == 303
    assert rosa.post(f"/appello/{act.id}", data=data).status_code == 303
    again = rosa.post(f"/appello/{act.id}", data={"words": "E poi un'altra cosa ancora"})
    assert again.status_code == 409
    answer = {"upheld": "yes", "answer": "Hai ragione, nessuno si riconosce"}
    assert moderator.post(f"/regia/moderazione/appello/{act.id}", data=answer).status_code == 403
    assert sign_in("coordinator").post(f"/regia/moderazione/appello/{act.id}", data=answer).status_code == 303
    assert _item(database, code).visibility is Visibility.PUBLIC


def test_nobody_decides_on_their_own_words(
    sign_in: SignIn, said: Callable[..., str], database: Database, acting: Acting, world: World
) -> None:
    mine = said("Parole mie", person_id=world.people["moderator"])
    moderator = sign_in("moderator")
    assert "Nascondi" not in moderator.get(f"/regia/{mine}").text
    sent = {"reason": "Un motivo qualsiasi"}
    assert moderator.post(f"/regia/{mine}/nascondi", data=sent).status_code == 403
    path = f"/regia/moderazione/proposta/{_item(database, mine).id}"
    assert moderator.post(path, data={"act": "leave"}).status_code == 403
    assert _item(database, mine).visibility is Visibility.PUBLIC


def test_what_was_typed_stays_when_a_colleague_moved_the_item_out_of_reach(
    sign_in: SignIn, said: Callable[..., str], database: Database, acting: Acting, world: World
) -> None:
    code, twin = said("Una panchina"), said("Un'altra panchina")
    item = _item(database, code)
    with database.writing() as session:
        subject = moderation.Subject(contribution_id=item.id)
        moderation.hide(acting(session, "moderator"), subject, "Offende una persona per nome")
    sent = {"others": twin, "reason": "Dicono la stessa cosa", "version": item.version}
    page = sign_in("facilitator").post(f"/regia/{code}/unisci", data=sent)
    assert page.status_code == 409 and "Dicono la stessa cosa</textarea>" in page.text
    assert "Moderator</bdi> l'ha nascosta" in unescape(page.text)
    _route(database, acting, twin, world.verde)
    office = sign_in("office")
    _route(database, acting, twin, world.lavori)
    answer = {"verdict": "accepted", "reason": REASON, "act": "save"}
    page = office.post(f"/regia/{twin}/risposta", data=answer)
    assert page.status_code == 404 and f"{REASON}</textarea>" in page.text and "Un'altra" not in page.text
    # Of what never was there the page says the same.
    assert office.post("/regia/PR9999/risposta", data=answer).text.count(REASON) == page.text.count(REASON)


def test_the_history_says_who_did_what_and_as_what_but_names_no_resident(
    sign_in: SignIn, said: Callable[..., str], database: Database, acting: Acting, world: World
) -> None:
    code = said("Una panchina", person_id=world.people["rosa"])
    item_id = _item(database, code).id
    with database.writing() as session:
        triage.take(replace(acting(session, "moderator"), now=NOW + timedelta(hours=1)), item_id)
    with database.writing() as session:
        ctx = replace(acting(session, "rosa"), now=NOW + timedelta(hours=2))
        proposals.withdraw(ctx, proposals.Withdraw(item_id, "Non serve più"))
    page = unescape(sign_in("facilitator").get(f"/regia/{code}").text).split("La storia")[1]
    assert "<bdi>Moderator</bdi> l'ha presa in mano" in page and "Moderatore o moderatrice" in page
    assert "Rosa" not in page


def test_two_at_the_queue_lose_nothing_and_hear_who_was_first(
    sign_in: SignIn, said: Callable[..., str], database: Database, acting: Acting, world: World
) -> None:
    code = said("Il vicino del terzo piano")
    item = _item(database, code)
    with database.writing() as session:
        session.add(Flag(contribution_id=item.id, reason=FlagReason.HARASSMENT, created_at=NOW))
    with database.writing() as session:
        subject = moderation.Subject(contribution_id=item.id)
        moderation.hide(acting(session, "moderator"), subject, "Si riconosce una persona")
    moderator = sign_in("moderator")
    path = f"/regia/moderazione/proposta/{item.id}"
    late = moderator.post(path, data={"act": "hide", "reason": "Parla di chi abita accanto"})
    assert late.status_code == 409 and "Parla di chi abita accanto</textarea>" in late.text
    assert "Si riconosce una persona" in late.text and "Moderatore o moderatrice" in late.text
    assert moderator.post(path, data={"act": "leave"}).status_code == 409


def test_the_queue_asks_as_often_for_one_appeal_as_for_many(
    sign_in: SignIn, said: Callable[..., str], database: Database, acting: Acting, world: World
) -> None:
    moderator = sign_in("moderator")
    asked = []
    for number in (1, 6):
        for n in range(number):
            code = said(f"Parole {n}", person_id=world.people["rosa"])
            with database.writing() as session:
                subject = moderation.Subject(contribution_id=_item(database, code).id)
                act = moderation.hide(acting(session, "moderator"), subject, "Un nome e cognome")
                act_id = act.id
            with database.writing() as session:
                appeals.make(acting(session, "rosa"), act_id, "Non ho fatto nessun nome")
        with statements(database, but=VERSION) as sent:
            assert "Non ho fatto nessun nome" in moderator.get("/regia/moderazione").text
        asked.append(len(sent))
    assert asked[0] == asked[1]


def test_what_an_author_asked_about_again_is_not_offered_to_who_hid_it(
    sign_in: SignIn, said: Callable[..., str], database: Database, acting: Acting, world: World
) -> None:
    item = _item(database, said("Parole di Rosa", person_id=world.people["rosa"]))
    with database.writing() as session:
        subject = moderation.Subject(contribution_id=item.id)
        act = moderation.hide(acting(session, "moderator"), subject, "Contiene un numero di telefono")
        appeals.make(acting(session, "rosa"), act.id, "Non ho fatto nessun nome, lo giuro.")
    page = sign_in("moderator").get("/regia/moderazione").text
    assert "altra persona: l" in page
    assert page.count("Parole di Rosa") == 1


def test_nobody_lets_their_own_waiting_words_through(
    sign_in: SignIn, said: Callable[..., str], database: Database, world: World
) -> None:
    code = said("Parole mie", person_id=world.people["facilitator"], visibility=Visibility.WAITING)
    facilitator = sign_in("facilitator")
    assert "rendila pubblica" not in facilitator.get(f"/regia/{code}").text
    assert facilitator.post(f"/regia/{code}/letta").status_code == 403
    assert sign_in("moderator").post(f"/regia/{code}/letta").status_code == 303
    assert _item(database, code).visibility is Visibility.PUBLIC


def test_everybody_reads_how_often_the_lab_stepped_in(
    client: FlaskClient, said: Callable[..., str], database: Database, acting: Acting
) -> None:
    assert "non ha dovuto nascondere" in client.get("/moderazione").text
    item = _item(database, said("Parole"))
    with database.writing() as session:
        subject = moderation.Subject(contribution_id=item.id)
        moderation.hide(acting(session, "moderator"), subject, "Contiene un numero di telefono")
    page = client.get("/moderazione").text
    assert "novembre 2026" in page and "numero di telefono" not in page and "csrf" not in page


def test_the_answer_that_counts_is_shown_with_those_it_corrected(
    sign_in: SignIn, said: Callable[..., str], database: Database, acting: Acting, world: World
) -> None:
    code = said()
    _route(database, acting, code, world.verde)
    item_id = _item(database, code).id
    with database.writing() as session:
        for verdict, words in (
            (Verdict.DECLINED, "Prima risposta: "),
            (Verdict.ACCEPTED, "Seconda risposta: "),
        ):
            reply = answers.Reply(item_id, None, verdict, words + REASON)
            answers.publish(acting(session, "office"), reply)
    page = sign_in("moderator").get(f"/regia/{code}").text
    assert page.index("Seconda risposta") < page.index("Prima risposta")
    assert "C'è una risposta di prima" in unescape(page)


def test_no_template_of_the_desk_is_an_orphan() -> None:
    folder = Path("templates/pages/desk")
    text = "".join(path.read_text() for path in folder.iterdir())
    for part in folder.glob("_*.html"):
        assert f"pages/desk/{part.name}" in text, part.name


@pytest.mark.parametrize(
    ("act", "data"),
    [
        ("letta", {}),
        ("al-suo-posto", {"kind": "proposal"}),
        ("all-ufficio", {"office": 1}),
        ("riservata", {}),
        ("nascondi", {"reason": "Offende una persona per nome"}),
        ("nota", {"text": "Una nota sola"}),
    ],
)
def test_the_second_of_two_clicks_goes_where_the_first_one_went(
    sign_in: SignIn, said: Callable[..., str], database: Database, act: str, data: dict[str, object]
) -> None:
    code = said()
    moderator = sign_in("moderator")
    stamp = _item(database, code).version
    for _ in range(2):
        assert moderator.post(f"/regia/{code}/{act}", data={**data, "version": stamp}).status_code == 303
    if act == "nota":
        assert moderator.get(f"/regia/{code}").text.count("Una nota sola") == 1
    if act in ("letta", "nascondi"):
        # Somebody else who comes as late is told.
        other = sign_in("facilitator").post(
            f"/regia/{code}/all-ufficio", data={"office": 1, "version": stamp}
        )
        assert other.status_code == 409
