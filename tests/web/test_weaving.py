"""The weaving desk and the pages that everybody reads about actions and outcomes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.models.accounts import Role, RoleGrant
from lab.models.actions import Action, ActionState, ActionUpdate
from lab.models.contributions import Contribution, State, Visibility
from lab.models.pictures import Photo
from lab.services import actions, contributions
from lab.services.action_plan import MilestonePlan
from lab.services.actions import Report
from lab.services.context import Context
from lab.services.contributions import Placement
from tests.services.test_actions import adopted, drafted, inputs_of, proposed, said
from tests.statements import VERSION, statements
from tests.world import NOW, World

Acting = Callable[[Session, str], Context]
SignIn = Callable[[str], FlaskClient]


def fields(world: World, codes: list[str], **changes: object) -> dict[str, object]:
    return {
        "contributions": codes,
        "title": "Tre fontanelle",
        "kind": "work",
        "aim": "Acqua vicino ai giochi.",
        "projects": [str(world.project)],
        "office": str(world.verde),
        "due_on": "2027-05-31",
        "step_0": "Gara",
        "step_0_on": "2027-02-01",
        "idempotency_key": "key-1",
        **changes,
    }


def code_of(database: Database, acting: Acting, text: str = "Vorrei una fontanella al parco") -> str:
    with database.writing() as session:
        return contributions.place(acting(session, "system"), Placement(text)).code


def the_action(database: Database) -> Action:
    with database.session() as session:
        return session.execute(select(Action)).scalar_one()


def test_the_projects_of_the_words_are_ticked_already(
    database: Database, acting: Acting, world: World, sign_in: SignIn
) -> None:
    with database.writing() as session:
        said = Placement("Una panchina", project_ids=(world.project,))
        code = contributions.place(acting(session, "system"), said).code
    page = sign_in("facilitator").get(f"/regia/azioni/nuova?da={code}").text
    ticked = [one for one in page.split("<input") if 'name="projects"' in one and " checked" in one]
    assert [f'value="{world.project}"' in one for one in ticked] == [True]


def test_from_two_inputs_to_an_adopted_action(
    database: Database, acting: Acting, world: World, sign_in: SignIn, client: FlaskClient
) -> None:
    codes = [code_of(database, acting), code_of(database, acting, "Manca l'acqua vicino ai giochi")]
    team, office = sign_in("facilitator"), sign_in("office")
    page = team.get(f"/regia/azioni/nuova?da={','.join(codes)}")
    assert all(code in page.text for code in codes)
    for _ in range(2):  # a double click
        sent = team.post("/regia/azioni/nuova", data=fields(world, codes))
        assert sent.status_code == 303
    action = the_action(database)
    assert client.get(f"/azioni/{action.code}").status_code == 404
    for _ in range(2):
        assert team.post(f"/regia/azioni/{action.code}/proponi", data={"version": "1"}).status_code == 303
    assert "Tocca a voi" in office.get(f"/regia/azioni/{action.code}").text
    for _ in range(2):
        decided = office.post(f"/regia/azioni/{action.code}/adotta", data={"version": "2", "start": "later"})
        assert decided.status_code == 303
    public = client.get(f"/azioni/{action.code}")
    assert public.status_code == 200
    assert "Manca l&#39;acqua vicino ai giochi" in public.text
    assert "Gara" in public.text
    assert "csrf_token" not in public.text
    assert the_action(database).state is ActionState.TO_START


def test_what_was_typed_stays_when_the_draft_is_refused(
    database: Database, acting: Acting, world: World, sign_in: SignIn
) -> None:
    code = code_of(database, acting)
    team = sign_in("facilitator")
    for changes in (
        {"projects": []},
        {"title": ""},
        {"contributions": []},
        {"due_on": "non è una data"},
        {"due_on": "0203-05-31"},
        {"starts_on": "2028-01-01"},
        {"office": "999999999999999999999"},
        {"office": ""},
        {"kind": "hammer"},
        {"step_1_on": "2027-01-01"},
        {"aim": "x" * 3000},
        {"projects": ["nope"]},
    ):
        page = team.post("/regia/azioni/nuova", data=fields(world, [code], **changes))
        assert page.status_code == 422, changes
        assert "Gara" in page.text
        assert "Acqua vicino ai giochi." in page.text or "aim" in changes
    with database.session() as session:
        assert session.execute(select(func.count(Action.id))).scalar_one() == 0


def test_looking_for_more_words_keeps_the_page_as_it_is(
    database: Database, acting: Acting, world: World, sign_in: SignIn
) -> None:
    first = code_of(database, acting)
    other = code_of(database, acting, "Un albero davanti alla scuola")
    page = sign_in("facilitator").post(
        "/regia/azioni/nuova", data={**fields(world, [first]), "look_for": "albero", "find": "1"}
    )
    assert page.status_code == 200
    assert other in page.text
    assert "Tre fontanelle" in page.text


def test_the_office_sends_back_and_the_team_changes_and_proposes_again(
    database: Database, acting: Acting, world: World, sign_in: SignIn
) -> None:
    action = proposed(database, acting, world)
    office, team = sign_in("office"), sign_in("moderator")
    url = f"/regia/azioni/{action.code}"
    assert office.post(f"{url}/rimanda", data={"version": "2", "reason": ""}).status_code == 422
    refused = office.post(f"{url}/rimanda", data={"version": "1", "reason": "Costa troppo"})
    assert refused.status_code == 409
    assert "Costa troppo" in refused.text
    assert office.post(f"{url}/rimanda", data={"version": "2", "reason": "Costa troppo"}).status_code == 303
    assert "Costa troppo" in team.get(url).text
    assert "Tre fontanelle" in team.get(f"{url}/modifica").text
    data = fields(world, [], title="Una fontanella sola", version="3")
    for _ in range(2):  # a double click
        assert team.post(f"{url}/modifica", data=data).status_code == 303
    stale = team.post(f"{url}/modifica", data={**data, "title": "Altro"})
    assert stale.status_code == 409
    assert "Altro" in stale.text
    assert team.post(f"{url}/proponi", data={"version": "4"}).status_code == 303


def test_a_plan_written_while_a_colleague_moved_it_on_is_not_lost(
    database: Database, acting: Acting, world: World, sign_in: SignIn
) -> None:
    action = proposed(database, acting, world)
    url = f"/regia/azioni/{action.code}"
    data = fields(world, [], title="Una fontanella sola", version="1")
    late = sign_in("facilitator").post(f"{url}/modifica", data=data)
    assert late.status_code == 409 and "Una fontanella sola" in late.text
    assert "ha proposto un'azione" in unescape(late.text)
    with database.writing() as session:
        actions.adopt(acting(session, "office"), actions.Adopt(action.id, 2))
        held = {"role": Role.OFFICE, "office_id": world.verde, "starts_on": NOW.date(), "granted_at": NOW}
        session.add(RoleGrant(person_id=world.people["samir"], **held))
    colleague = sign_in("samir")
    late = colleague.post(f"{url}/rimanda", data={"version": "2", "reason": "Costa troppo per noi"})
    assert late.status_code == 409 and "Costa troppo per noi</textarea>" in late.text
    assert "ha adottato un'azione" in unescape(late.text)


def test_a_plan_changed_by_two_can_be_sent_again_knowing_who_was_first(
    database: Database, acting: Acting, world: World, sign_in: SignIn
) -> None:
    action = proposed(database, acting, world)
    url = f"/regia/azioni/{action.code}"
    with database.writing() as session:
        actions.send_back(acting(session, "office"), actions.SendBack(action.id, 2, "Costa troppo"))
    first, second = sign_in("moderator"), sign_in("facilitator")
    data = fields(world, [], title="La prima", version="3")
    assert first.post(f"{url}/modifica", data=data).status_code == 303
    data["title"] = "La seconda"
    late = second.post(f"{url}/modifica", data=data)
    assert late.status_code == 409 and "La seconda" in late.text and "Moderator</bdi>" in late.text
    data["version"] = re.findall(r'name="version" value="(\d+)"', late.text)[0]
    assert second.post(f"{url}/modifica", data=data).status_code == 303


def test_the_office_changes_and_adopts_in_one_go(
    database: Database, acting: Acting, world: World, sign_in: SignIn
) -> None:
    action = proposed(database, acting, world)
    office = sign_in("office")
    url = f"/regia/azioni/{action.code}/modifica"
    assert "Adotta con queste modifiche" in office.get(url).text
    data = fields(world, [], title="Due fontanelle", version="2", start="now", adopt="1")
    for _ in range(2):
        assert office.post(url, data=data).status_code == 303
    changed = the_action(database)
    assert (changed.title, changed.state) == ("Due fontanelle", ActionState.UNDER_WAY)


def test_a_draft_without_a_date_says_what_is_missing(
    database: Database, acting: Acting, world: World, sign_in: SignIn
) -> None:
    action = drafted(database, acting, world, due_on=None)
    answer = sign_in("facilitator").post(f"/regia/azioni/{action.code}/proponi", data={"version": "1"})
    assert answer.status_code == 422
    assert "entro quando" in answer.text


@pytest.mark.parametrize("who", ["rosa", "committee", "other_office", "delegate", "administrator"])
def test_others_do_not_learn_that_a_proposal_exists(
    database: Database, acting: Acting, world: World, sign_in: SignIn, who: str
) -> None:
    action = proposed(database, acting, world)
    browser = sign_in(who)
    url = f"/regia/azioni/{action.code}"
    assert browser.get(url).status_code == 404
    assert browser.get(f"{url}/modifica").status_code == 404
    assert browser.get(f"/azioni/{action.code}").status_code == 404
    for path in ("proponi", "adotta", "rimanda", "novita", "voci", "voci/togli", "modifica"):
        data = {"version": "2", "reason": "no", "text": "x", "codes": "PR01", "contribution": "PR01"}
        assert browser.post(f"{url}/{path}", data=data).status_code == 404, path
    assert the_action(database).state is ActionState.PROPOSED


def test_strange_addresses_are_not_found(world: World, sign_in: SignIn) -> None:
    team = sign_in("facilitator")
    for path in ("/azioni/%00", "/azioni/A%0A", "/azioni/" + "9" * 300, "/regia/azioni/%00"):
        assert team.get(path).status_code == 404, path
    for path in ("/regia/azioni/nuova?da=%00,PR%0001", "/regia/azioni?da=%00", "/azioni?stato=%00&dopo=%00"):
        assert team.get(path).status_code == 404, path
    found = team.post("/regia/azioni/nuova", data=fields(world, [], look_for="\x00 '\"(", find="1"))
    assert found.status_code == 200


def test_the_signed_out_are_asked_to_sign_in(
    database: Database, acting: Acting, world: World, client: FlaskClient
) -> None:
    assert "/accedi" in client.get("/regia/azioni").headers["Location"]


def picture() -> tuple[io.BytesIO, str]:
    file = io.BytesIO()
    Image.new("RGB", (600, 400), "green").save(file, "JPEG")
    file.seek(0)
    return file, "lavori.jpg"


def test_news_with_a_photo_is_told_once_and_signed_by_the_office(
    database: Database, acting: Acting, world: World, sign_in: SignIn, client: FlaskClient
) -> None:
    action = adopted(database, acting, world, milestones=(MilestonePlan("Gara"),))
    office = sign_in("office")
    url = f"/regia/azioni/{action.code}/novita"
    assert office.post(url, data={"version": "3", "text": " "}).status_code == 422
    assert office.post(url, data={"version": "3", "text": "x", "progress": "101"}).status_code == 422
    stale = office.post(url, data={"version": "1", "text": "Parole da tenere"})
    assert stale.status_code == 409
    assert "Parole da tenere" in stale.text
    bad = {"version": "3", "text": "Foto rotta", "photos": (io.BytesIO(b"no"), "x.jpg")}
    assert office.post(url, data=bad).status_code == 422
    for _ in range(2):
        data = {
            "version": "3", "text": "Scavo finito.", "state": "under_way", "progress": "30",
            "idempotency_key": "k", "photos": picture(),
        }  # fmt: skip
        assert office.post(url, data=data).status_code == 303
    with database.session() as session:
        assert session.execute(select(func.count(ActionUpdate.id))).scalar_one() == 1
        assert session.execute(select(func.count(Photo.id))).scalar_one() == 1
    page = client.get(f"/azioni/{action.code}").text
    assert "Scavo finito." in page
    assert "Servizio Verde e Ambiente" in page
    assert "siamo al 30" in page
    assert "<img" in page


def test_words_are_tied_and_let_go_by_their_codes(
    database: Database, acting: Acting, world: World, sign_in: SignIn
) -> None:
    action = adopted(database, acting, world)
    code = code_of(database, acting, "Un'altra voce")
    team = sign_in("facilitator")
    url = f"/regia/azioni/{action.code}/voci"
    assert team.post(url, data={"codes": f"{code}, PR999"}).status_code == 422
    assert team.post(url, data={"codes": code.lower()}).status_code == 303
    assert "altra voce" in team.get(f"/azioni/{action.code}").text
    assert team.post(f"{url}/togli", data={"contribution": code, "reason": ""}).status_code == 422
    for _ in range(2):
        gone = team.post(f"{url}/togli", data={"contribution": code, "reason": "Altro tema"})
        assert gone.status_code == 303
    with database.session() as session:
        state = select(Contribution.state).where(Contribution.code == code)
        assert session.execute(state).scalar_one() is State.IN_REVIEW


def test_a_late_action_says_so_and_is_found(
    database: Database, acting: Acting, world: World, client: FlaskClient, clock: FrozenClock
) -> None:
    action = adopted(database, acting, world)
    assert "In ritardo" not in client.get(f"/azioni/{action.code}").text
    assert action.title not in client.get("/azioni?stato=in-ritardo").text
    clock.advance(timedelta(days=400))
    assert "In ritardo" in client.get(f"/azioni/{action.code}").text.replace("in ritardo", "In ritardo")
    assert action.title in client.get("/azioni?stato=in-ritardo").text


def test_the_list_pages_by_key_both_ways_in_every_order(
    database: Database, acting: Acting, world: World, client: FlaskClient
) -> None:
    for number in range(20):
        action = adopted(database, acting, world)
        with database.writing() as session:
            session.get_one(Action, action.id).title = f"Azione numero {number:02d}."
    for order in ("", "scadenza", "voci"):
        first = client.get(f"/azioni?ordine={order}&tipo=lavori").text
        seen = [n for n in range(20) if f"numero {n:02d}." in first]
        assert len(seen) == 18
        onward = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
        second = client.get(onward).text
        rest = [n for n in range(20) if f"numero {n:02d}." in second]
        assert sorted(seen + rest) == list(range(20))
        back = second.split('rel="prev" href="')[1].split('"')[0].replace("&amp;", "&")
        again = client.get(back).text
        assert [n for n in range(20) if f"numero {n:02d}." in again] == seen
    for junk in ("dopo=xyz", "stato=boh", "progetto=P99", "dopo=WyJhIiwxXQ", "ordine=voci&dopo=WyJhIiwxXQ"):
        assert client.get(f"/azioni?{junk}").status_code == 200
    assert "Nessuna azione così" in client.get("/azioni?progetto=P1").text


def test_public_pages_ask_little_of_the_database_however_much_there_is(
    database: Database, acting: Acting, world: World, client: FlaskClient, sign_in: SignIn
) -> None:
    action = adopted(database, acting, world, count=1)
    paths = ("/azioni", f"/azioni/{action.code}", "/esiti")

    def asked() -> list[int]:
        counts = []
        for number, path in enumerate(paths):
            with statements(database, but=VERSION) as seen:
                assert client.get(f"{path}?n={number}{len(counts)}").status_code == 200
            counts.append(len(seen))
        return counts

    few = asked()
    assert max(few) <= 6
    for _ in range(8):
        other = adopted(database, acting, world, count=3, needs_ids=(action.id,))
        with database.writing() as session:
            actions.report(acting(session, "office"), Report(other.id, "Avanti", state=ActionState.DONE))
    assert asked() == few


def test_the_promise_in_numbers_lists_who_waits_too_long(
    database: Database, acting: Acting, world: World, client: FlaskClient, clock: FrozenClock
) -> None:
    assert "La prima voce può essere la tua" in client.get("/esiti").text
    adopted(database, acting, world, count=2)
    code = code_of(database, acting, "Una lampada rotta al civico 8")
    clock.advance(timedelta(days=31))
    page = client.get("/esiti").text
    assert "Finora 3 cose dette." in page
    assert "Una aspetta oltre il giorno promesso." in page
    assert "Una lampada rotta al civico 8" in page
    assert f"/proposte/{code}" in page
    assert "Vorrei una fontanella" in page
    for query in (
        "periodo=2026",
        "periodo=1999",
        "tema=0",
        "ufficio=99",
        "tipo=idee",
        "tema=٣",
        "ufficio=" + "9" * 40,
    ):
        assert client.get(f"/esiti?{query}").status_code == 200
    assert "Qui non c" in client.get("/esiti?tipo=segnalazioni").text
    rows = client.get("/esiti/voci.csv")
    assert rows.data.startswith(b"\xef\xbb\xbfcodice;")
    assert rows.text.count("\r\n") == 4
    assert "overdue" in rows.text
    assert "attachment" in rows.headers["Content-Disposition"]
    assert client.get("/esiti/numeri.csv").text.count("\r\n") == 3


def test_private_words_are_counted_and_never_shown(
    database: Database, acting: Acting, world: World, client: FlaskClient, clock: FrozenClock
) -> None:
    action = adopted(database, acting, world)
    with database.writing() as session:
        ctx = acting(session, "system")
        [item] = inputs_of(session, action.id)
        late = said(ctx, "Il mio numero è segreto")
        for one in (item.id, late):
            with contributions.changing(ctx, one) as contribution:
                contribution.visibility = contributions.Visibility.PRIVATE
    clock.advance(timedelta(days=40))
    for path in ("/esiti", f"/azioni/{action.code}", "/esiti/voci.csv"):
        text = client.get(path).text
        assert "segreto" not in text
        assert "fontanella 0" not in text
    assert "Una aspetta oltre" in client.get("/esiti").text


def test_an_office_hears_of_words_inside_that_it_may_not_read(
    database: Database, acting: Acting, world: World, sign_in: SignIn
) -> None:
    action = proposed(database, acting, world, 3)
    with database.writing() as session:
        for one in inputs_of(session, action.id)[:2]:
            with contributions.changing(acting(session), one.id) as item:
                item.visibility = Visibility.PRIVATE
    page = sign_in("office").get(f"/regia/azioni/{action.code}").text
    assert "3 voci dentro" in page and "2 voci riservate: le legge solo chi se ne occupa" in page
    assert "non sono in elenco" not in sign_in("facilitator").get(f"/regia/azioni/{action.code}").text


def test_the_history_of_an_action_keeps_why_it_came_back(
    database: Database, acting: Acting, world: World, sign_in: SignIn
) -> None:
    action = proposed(database, acting, world)
    office, team = sign_in("office"), sign_in("moderator")
    path = f"/regia/azioni/{action.code}"
    why = {"version": str(action.version), "reason": "Serve anche il gestore della rete."}
    assert office.post(f"{path}/rimanda", data=why).status_code == 303
    assert team.post(f"{path}/proponi", data={"version": str(action.version + 1)}).status_code == 303
    assert "Serve anche il gestore della rete." in office.get(path).text
