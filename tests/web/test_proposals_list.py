"""The list, its filters, its plan, one proposal and the search, as readers meet them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.models.contributions import Contribution, Kind, Outcome, State, StepKind, Visibility
from lab.services import contributions, listing, similar
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.listing import Order, Wish
from tests.statements import statements
from tests.world import NOW, World

Acting = Callable[[Session, str], Context]
SignIn = Callable[[str], FlaskClient]


def place(ctx: Context, text: str, **more: Any) -> Contribution:
    return contributions.place(ctx, Placement(text=text, **more))


@pytest.fixture
def many(database: Database, world: World, acting: Acting) -> Callable[[int], None]:
    """Fill with that many plain proposals, two at each moment: keys have ties to settle."""

    def fill(how_many: int) -> None:
        with database.writing() as session:
            ctx = acting(session, "system")
            rows = [
                {
                    "kind": Kind.PROPOSAL, "code": f"M{n:05d}", "receipt_code": f"{n:08d}", "channel": "site",
                    "created_at": NOW - timedelta(minutes=n // 2), "typed_at": NOW, "author_name": "",
                    "title": "",
                    "text": f"Voce {n}", "excerpt": f"Voce {n}", "lang": "it", "state": State.RECEIVED,
                    "visibility": Visibility.PUBLIC, "is_open": True, "is_listed": True,
                    "supports_count": n % 3,
                    "promise_due_at": NOW + timedelta(days=30),
                    "theme_id": world.green, "place_id": world.park,
                }
                for n in range(how_many)
            ]  # fmt: skip
            ctx.session.execute(Contribution.__table__.insert(), rows)

    return fill


def test_the_empty_list_invites(client: FlaskClient) -> None:
    page = client.get("/proposte")
    assert page.status_code == 200
    assert "La prima voce può essere la tua" in page.text


def test_a_card_says_first_words_state_place_office_and_day(
    database: Database, world: World, acting: Acting, client: FlaskClient
) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        said = place(ctx, "Manca una panchina", place_id=world.park, supports_base=12)
        with contributions.changing(ctx, said.id) as changed:
            changed.office_id = world.verde
    page = client.get("/proposte").text
    for words in ("Manca una panchina", "Ricevuta", "Parco del Crocione", "12 persone la sostengono"):
        assert words in page
    assert "Servizio Verde e Ambiente, entro mercoledì 23 dicembre" in page


def test_filters_in_the_address_choose_and_nonsense_is_ignored(
    database: Database, world: World, acting: Acting, client: FlaskClient
) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        place(ctx, "Verde al parco", theme_id=world.green, place_id=world.park, project_ids=(world.project,))
        place(ctx, "Lampada rotta", theme_id=world.repairs, place_id=world.towers, kind=Kind.REPORT)
    for query, there, missing in (
        ("tema=verde", "Verde al parco", "Lampada rotta"),
        ("luogo=L02", "Lampada rotta", "Verde al parco"),
        ("tipo=segnalazioni", "Lampada rotta", "Verde al parco"),
        ("progetto=P4", "Verde al parco", "Lampada rotta"),
        ("q=lampàda", "Lampada rotta", "Verde al parco"),
        ("q=lamp&tema=casa", "Lampada rotta", "Verde al parco"),
    ):
        page = client.get(f"/proposte?{query}").text
        assert there in page and missing not in page, query
    for query in (
        "tema=xy&luogo=%27%3B--&stato=__proto__&ordine=id%20desc&tipo[]=1&ufficio=99999999999999999999",
        "dopo=AAAA&prima=%FF%FE&vista=tutto",
        "dopo=" + "A" * 5000,
        "q=%01%02&q=2",
        "q=" + "%27%22*%3A%28" * 50,
    ):
        page = client.get(f"/proposte?{query}")
        assert page.status_code == 200, query


@pytest.mark.parametrize(
    "key",
    [
        '["0001-01-01T00:00:00+23:59",1]',
        '["x",1]',
        "[1,2]",
        '["2026-01-01",true]',
        '[{"a":1},2]',
        "[1e400,1]",
    ],
)
def test_a_broken_place_in_the_list_begins_again(client: FlaskClient, key: str) -> None:
    import base64

    mark = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
    assert client.get(f"/proposte?dopo={mark}").status_code == 200
    assert client.get(f"/proposte?q=voce&prima={mark}").status_code == 200
    assert client.get(f"/cerca?q=voce&in=proposte&dopo={mark}").status_code == 200


def test_merged_withdrawn_and_what_is_not_public_stay_out(
    database: Database, acting: Acting, client: FlaskClient
) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        whole = place(ctx, "Voce intera")
        merged = place(ctx, "Voce unita")
        place(ctx, "Voce nascosta", visibility=Visibility.HIDDEN)
        place(ctx, "Voce riservata", visibility=Visibility.PRIVATE)
        place(ctx, "Voce in attesa", visibility=Visibility.WAITING)
        with contributions.changing(ctx, merged.id) as changed:
            contributions.move(ctx, changed, State.MERGED, Outcome.MERGED)
            changed.merged_into_id = whole.id
    page = client.get("/proposte").text
    assert "Voce intera" in page
    for words in ("unita", "nascosta", "riservata", "in attesa"):
        assert f"Voce {words}" not in page
    assert "Voce unita" in client.get("/proposte?stato=unite").text
    for path in (
        "/proposte?q=voce",
        "/cerca?q=voce",
        "/cerca?q=voce&in=proposte",
        "/proposte/simili?q=voce+nascosta",
    ):
        assert "nascosta</a>" not in client.get(path).text


@pytest.mark.parametrize("order", list(Order))
def test_pages_by_key_show_everything_once_both_ways(
    database: Database, many: Callable[[int], None], acting: Acting, order: Order
) -> None:
    many(101)
    with database.session() as session:
        ctx = acting(session, "system")
        seen: list[int] = []
        firsts = []
        found = listing.page(ctx, Wish(order=order))
        while True:
            firsts.append([one.id for one in found.items])
            seen += firsts[-1]
            if not found.more:
                break
            found = listing.page(ctx, Wish(order=order), found.items[-1].key)
        assert len(seen) == len(set(seen)) == 101
        back = listing.page(ctx, Wish(order=order), found.items[0].key, backwards=True)
        assert [one.id for one in back.items] == firsts[-2]


def test_one_can_walk_to_the_end_and_back(client: FlaskClient, many: Callable[[int], None]) -> None:
    many(60)
    pages = [client.get("/proposte").text]
    while True:
        forward = re.search(r'rel="next" href="([^"]+)"', pages[-1])
        if not forward:
            break
        pages.append(client.get(forward[1].replace("&amp;", "&")).text)
    assert len(pages) == 3
    back = re.search(r'rel="prev" href="([^"]+)"', pages[-1])
    assert back
    assert re.findall(r"Voce \d+", client.get(unquote(back[1])).text) == re.findall(r"Voce \d+", pages[1])
    assert "Torna all'inizio" in pages[1]


def test_the_plan_gathers_what_was_said_at_each_place(
    client: FlaskClient, many: Callable[[int], None]
) -> None:
    many(5)
    page = client.get("/proposte?vista=pianta").text
    assert page.count('href="#punto-') == 2 and page.count("contribution-card") == 5


@pytest.mark.parametrize("who", [None, "rosa"])
def test_pages_ask_the_same_few_questions_for_20_and_2000(
    database: Database,
    many: Callable[[int], None],
    acting: Acting,
    sign_in: SignIn,
    client: FlaskClient,
    who: str | None,
) -> None:
    paths = ("/proposte", "/proposte?vista=pianta", "/proposte?q=voce", "/cerca?q=voce", "/proposte/{code}")
    browser = sign_in(who) if who else client
    counted = []
    for how_many in (20, 2000):
        if how_many == 2000:
            with database.writing() as session:
                session.execute(Contribution.__table__.delete().where(Contribution.code.like("M%")))
        many(how_many)
        with database.writing() as session:
            code = place(acting(session, "system"), f"Voce della prova {how_many}", supports_base=3).code
        counts = []
        for path in paths:
            with statements(database) as seen:
                assert browser.get(path.format(code=code)).status_code == 200
            counts.append(sum(1 for one in seen if one.lstrip().upper().startswith(("SELECT", "WITH"))))
        counted.append(counts)
    assert counted[0] == counted[1]
    assert max(counted[0]) <= 6


def test_the_list_is_drawn_once_for_all_signed_in_readers(
    database: Database, many: Callable[[int], None], acting: Acting, sign_in: SignIn
) -> None:
    many(30)
    sign_in("rosa").get("/proposte")
    samir = sign_in("samir")
    with statements(database) as seen:
        assert "Voce 3" in samir.get("/proposte").text
    assert not [one for one in seen if "FROM contribution" in one]
    with database.writing() as session:
        place(acting(session, "system"), "Appena detta")
    assert "Appena detta" in samir.get("/proposte").text


def test_one_proposal_tells_what_became_of_it(
    database: Database, world: World, acting: Acting, client: FlaskClient
) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        twin = place(ctx, "Voce gemella", author_name="Samir")
        said = place(ctx, "أريد مكاناً آمناً للأطفال", lang="ar", project_ids=(world.project,))
        with contributions.changing(ctx, said.id) as changed:
            contributions.move(ctx, changed, State.IN_REVIEW)
            contributions.add_step(ctx, changed, StepKind.READ)
        with contributions.changing(ctx, twin.id) as changed:
            contributions.move(ctx, changed, State.MERGED, Outcome.MERGED)
            changed.merged_into_id = said.id
    page = client.get(f"/proposte/{said.code}").text
    assert 'lang="ar" dir="auto"' in page and "P4 · Parco del Crocione" in page and "Letta" in page
    assert said.code in client.get(f"/proposte/{twin.code}").text
    for code in ("PR99999", "x" * 3000, "%00", "..%2f..%2fetc", "9" * 40):
        assert client.get(f"/proposte/{code}").status_code == 404


def test_what_is_not_public_is_known_to_its_author_and_the_team_only(
    database: Database, world: World, acting: Acting, client: FlaskClient, sign_in: SignIn
) -> None:
    for visibility in (Visibility.HIDDEN, Visibility.PRIVATE, Visibility.WAITING):
        with database.writing() as session:
            said = place(
                acting(session, "system"), "Cose mie", person_id=world.people["rosa"], visibility=visibility
            )
        for path in (f"/proposte/{said.code}", f"/proposte/{said.code}/versioni"):
            assert client.get(path).status_code == 404
            assert sign_in("samir").get(path).status_code == 404
            assert sign_in("rosa").get(path).status_code == 200
        assert "no-store" in sign_in("moderator").get(f"/proposte/{said.code}").headers["Cache-Control"]


def test_a_project_is_listed_by_supports_alike_whether_small_or_large(
    database: Database, world: World, acting: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        for n in range(9):
            mine = (world.project,) if n % 2 else ()
            place(ctx, f"Voce {n}", project_ids=mine).supports_count = n % 4
    wish = Wish(project_id=world.project, order=Order.SUPPORTED)
    seen = []
    for few in (2_000, 0):
        monkeypatch.setattr(listing, "_FEW", few)
        with database.session() as session:
            ctx = acting(session, "system")
            first = listing.page(ctx, wish, limit=2)
            rest = listing.page(ctx, wish, first.items[-1].key, limit=5)
            back = listing.page(ctx, wish, rest.items[0].key, backwards=True, limit=2)
        assert [one.code for one in back.items] == [one.code for one in first.items]
        seen.append([(one.code, one.supports_count) for one in first.items + rest.items])
    assert seen[0] == seen[1] and [count for _code, count in seen[0]] == [3, 3, 1, 1]


def test_script_in_any_field_is_shown_as_text(
    database: Database, acting: Acting, client: FlaskClient
) -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    with database.writing() as session:
        said = place(acting(session, "system"), evil, title=evil, author_name=evil[:60])
    for path in (
        "/proposte",
        f"/proposte/{said.code}",
        "/cerca?q=alert",
        f"/proposte?q={evil}",
        "/proposte/simili?q=script+alert",
    ):
        page = client.get(path).text
        assert "<script>alert" not in page and "<img src=x" not in page


def test_search_finds_projects_too_and_says_when_there_is_nothing(
    client: FlaskClient, database: Database, acting: Acting
) -> None:
    with database.writing() as session:
        place(acting(session, "system"), "Una panchina al sole")
    assert "Una panchina al sole" in client.get("/cerca?q=panchina").text
    assert "Scrivi una parola" in client.get("/cerca").text
    assert "Scrivi almeno due lettere" in client.get("/cerca?q=a").text
    assert "Non abbiamo trovato niente" in client.get("/cerca?q=zzzzzz&in=progetti").text
    assert "Non abbiamo trovato niente" in client.get("/cerca?q=zzzzzz").text


@pytest.mark.parametrize("path", ["/cerca?", "/proposte?", "/cerca?in=proposte&"])
def test_a_slip_of_the_keyboard_shows_what_was_meant(
    client: FlaskClient, database: Database, acting: Acting, path: str
) -> None:
    with database.writing() as session:
        place(acting(session, "system"), "Una panchina al sole")
        place(acting(session, "system"), "Un affare segretissimo", visibility=Visibility.PRIVATE)
    with statements(database) as seen:
        away = client.get(f"{path}q=panchnia")
    assert away.status_code == 302 and len([one for one in seen if one.startswith(("SELECT", "WITH"))]) <= 7
    page = client.get(f"{path}q=panchnia", follow_redirects=True)
    assert "Con «panchnia» non c&#39;è niente: ecco «panchina»" in page.text.replace("'", "&#39;")
    assert "Una panchina al sole" in page.text
    exactly = client.get(f"{path}q=panchnia&proprio=1")
    assert exactly.status_code == 200 and "panchina al sole" not in exactly.text
    assert client.get(f"{path}q=segretisimo").status_code == 200
    evil = client.get(f"{path}q=panchina&invece_di=<script>alert(1)</script>").text
    assert "<script>alert" not in evil


def test_alike_means_the_same_thing_not_the_same_small_words(database: Database, acting: Acting) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        place(ctx, "La lampada davanti alla torre B è rotta da tre settimane")
        place(ctx, "Vorrei un corso di italiano la mattina davanti alla scuola")
    with database.session() as session:
        ctx = acting(session, "system")
        found = similar.alike(ctx, "La lampada della torre B è di nuovo rotta")
        assert [one.excerpt[:10] for one in found] == ["La lampada"]
        assert similar.alike(ctx, "della alla che non") == []
        assert similar.alike(ctx, "' OR 1=1; -- \x00" * 50) == []


def test_alike_shares_the_word_that_few_use_or_nothing_is_offered(database: Database, acting: Acting) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        place(ctx, "Due lampioni sono spenti nel passaggio fra le torri")
        place(ctx, "Un bollitore rotto: vorrei una stanza per aggiustare le cose di casa")
        place(ctx, "Aiuto con le carte e le pratiche sul telefono, davanti a casa")
        for number in range(30):
            place(ctx, f"Più panchine nel parco, la numero {number}")
        place(ctx, "Panchine con il bracciolo nel parco, per chi si alza a fatica")
        place(ctx, "Il parco la sera")
    with database.session() as session:
        ctx = acting(session, "system")

        def offered(words: str) -> list[str]:
            return [one.excerpt.split(" ")[1] for one in similar.alike(ctx, words)]

        assert offered("lampione") == offered("lampione rotto davanti casa") == ["lampioni"]
        assert offered("panchine con braccioli al parco")[0] == "con"
        # Words that stand beside any subject, and a common word beside a new one, make nothing alike.
        assert offered("È rotta da giorni davanti casa") == offered("Il semaforo rotto, aiuto") == []
        assert offered("Il parco è una palude") == []


def test_looking_for_what_is_alike_asks_as_often_however_long_the_text(
    database: Database, acting: Acting
) -> None:
    with database.writing() as session:
        for number in range(30):
            place(acting(session, "system"), f"Più panchine nel parco, la numero {number}")
    with database.session() as session, statements(database) as asked:
        similar.alike(acting(session, "system"), "panchine lampioni semafori fontanelle parco " * 40)
    assert len(asked) <= 4
