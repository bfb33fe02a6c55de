"""The first page, the programme, projects, meetings, the plan and the pages a public site owes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.models.contributions import Contribution, ContributionProject
from lab.models.events import Event, EventKind, EventProject, EventState
from lab.models.operations import PageRating
from lab.models.programme import Office, Phase, Programme
from lab.models.projects import Milestone, Project, ProjectFunding, ProjectState
from lab.services import contributions, limits
from lab.services.context import Context
from lab.web.formats import money
from tests.statements import VERSION, statements
from tests.world import NOW, World

SignIn = Callable[[str], FlaskClient]
Acting = Callable[[Session, str], Context]
HOSTILE = "<script>alert(1)</script> \"'><img src=x onerror=alert(1)> {{7*7}} ‮"
PUBLIC = (
    "/", "/progetti", "/progetti/P4", "/eventi", "/eventi/EV01", "/contratto", "/contratto/soggetti",
    "/contratto/soggetti/E03", "/contratto/uffici/U06", "/pianta", "/pianta/L04", "/privacy",
    "/accessibilita", "/note-legali", "/aiuto", "/dati", "/mappa-sito",
)  # fmt: skip


@pytest.fixture
def meeting(database: Database, world: World) -> int:
    with database.writing() as session:
        row = Event(
            code="EV01", kind=EventKind.ASSEMBLY, title="Assemblea d'autunno", text="A che punto siamo.",
            starts_at=NOW + timedelta(days=2), place_id=world.park, state=EventState.PLANNED,
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.add(EventProject(event_id=row.id, project_id=world.project))
        return int(row.id)


def test_help_and_privacy_say_what_is_so(client: FlaskClient) -> None:
    told = client.get("/aiuto").text
    assert "Se c&#39;è il bottone Iscriviti" in told or "Se c'è il bottone Iscriviti" in told
    # Nobody is asked to ring a number that is not there.
    assert ("chiamaci" in told) is ('href="tel:' in told)
    privacy = client.get("/privacy").text
    assert all(
        f"uno {does}" in privacy for does in ("tiene aperto", "ricorda la lingua", "riconosce il telefono")
    )


def speak(database: Database, world: World, how_many: int) -> None:
    """So many inputs about the project, copied in bulk from the one that is there."""
    with database.writing() as session:
        one = session.execute(select(Contribution).limit(1)).scalar_one()
        values = {column.key: getattr(one, column.key) for column in Contribution.__table__.columns}
        values.pop("id")
        copies = [values | {"code": f"Y{n}", "receipt_code": f"Y{n:07d}"} for n in range(how_many)]
        session.execute(insert(Contribution), copies)
        ids = session.execute(select(Contribution.id).where(Contribution.code.like("Y%"))).scalars()
        link = {"project_id": world.project, "said_at": one.created_at}
        links = [{"contribution_id": key, **link} for key in ids]
        session.execute(insert(ContributionProject), links)


@pytest.mark.parametrize("path", PUBLIC)
def test_every_page_opens_with_and_without_account_in_six_statements(
    client: FlaskClient, sign_in: SignIn, database: Database, meeting: int, path: str
) -> None:
    for browser in (client, sign_in("rosa")):
        with statements(database, but=VERSION) as said:
            answer = browser.get(path)
        assert answer.status_code == 200
        assert len(said) <= 6, said


def test_a_project_costs_the_same_with_one_voice_and_with_many(
    client: FlaskClient, database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        said = contributions.Placement(text="Ombra", project_ids=(world.project,), place_id=world.park)
        contributions.place(acting(session, "system"), said)
    with statements(database, but=VERSION) as few:
        assert client.get("/progetti/P4").status_code == 200
    speak(database, world, 2000)
    with statements(database, but=VERSION) as many:
        assert client.get("/progetti/P4").status_code == 200
    assert len(few) == len(many) <= 6


@pytest.mark.parametrize(
    "path",
    [
        "/progetti/P99", "/progetti/%00", "/eventi/nope", "/contratto/soggetti/E99", "/contratto/uffici/x",
        "/pianta/L99", "/pianta/" + "a" * 4000,
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_friendly_404(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "mark", ["x", "W10", "WyJ4Iiwxed0", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwgMV0", "A" * 300]
)
def test_a_broken_page_mark_shows_the_first_page(client: FlaskClient, meeting: int, mark: str) -> None:
    assert client.get(f"/eventi?dopo={mark}").status_code == 200
    assert client.get(f"/eventi/EV01?dopo={mark}").status_code == 200


def test_past_meetings_go_on_page_by_page(client: FlaskClient, database: Database, world: World) -> None:
    with database.writing() as session:
        session.add_all(
            Event(
                code=f"EV{n:02d}", kind=EventKind.WALK, title=f"Passeggiata {n:02d}",
                starts_at=NOW - timedelta(days=n), state=EventState.HELD,
            )
            for n in range(1, 26)
        )  # fmt: skip
    first = client.get("/eventi").get_data(as_text=True)
    assert "Passeggiata 01" in first
    assert "Passeggiata 25" not in first
    address = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = client.get(address).get_data(as_text=True)
    assert "Passeggiata 25" in second
    assert "Passeggiata 01" not in second


def test_hostile_words_are_shown_as_words(
    client: FlaskClient, database: Database, world: World, meeting: int
) -> None:
    with database.writing() as session:
        project = session.get_one(Project, world.project)
        project.title, project.description, project.continuity, project.axis = (HOSTILE,) * 4
        whole = session.execute(select(Programme)).scalar_one()
        whole.title = whole.summary = HOSTILE
        session.add(
            Phase(programme_id=whole.id, position=1, title=HOSTILE, text=HOSTILE, starts_on=date(2026, 1, 1))
        )
        row = session.get_one(Event, meeting)
        row.title = row.text = row.result = row.access_note = HOSTILE
        session.add(ProjectFunding(project_id=project.id, source=HOSTILE, cents=5))
        session.add(
            Milestone(
                project_id=project.id, position=1, title=HOSTILE, starts_on=date(2026, 1, 1),
                ends_on=date(2026, 1, 1),
            )
        )  # fmt: skip
    for path in ("/", "/progetti", "/progetti/P4", "/eventi", "/eventi/EV01", "/contratto", "/pianta/L04"):
        page = client.get(path).get_data(as_text=True)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "49" not in page.split("</main>")[0].split("{{7*7}}")[0][-20:]


def test_the_project_says_where_it_stands_and_since_when(
    client: FlaskClient, database: Database, world: World
) -> None:
    page = client.get("/progetti/P4").get_data(as_text=True)
    assert "In progettazione da domenica 1 marzo" in page
    assert "Nessuno ne ha ancora parlato" in page


def test_a_reader_without_account_gets_no_token(client: FlaskClient, meeting: int) -> None:
    for path in PUBLIC:
        answer = client.get(path)
        assert "csrf_token" not in answer.get_data(as_text=True)
        assert "Set-Cookie" not in answer.headers


def test_the_desk_belongs_to_the_leading_office(sign_in: SignIn) -> None:
    office, other = sign_in("office"), sign_in("other_office")
    assert office.get("/regia/progetti/P4").status_code == 200
    for path in ("", "/stato", "/parole", "/tappa", "/fondi", "/misura", "/soggetti"):
        assert office.get(f"/regia/progetti/P4{path}").status_code == 200
        assert other.get(f"/regia/progetti/P4{path}").status_code == 404
        assert sign_in("moderator").get(f"/regia/progetti/P4{path}").status_code == 404
        assert sign_in("rosa").get(f"/regia/progetti/P4{path}").status_code == 404
    assert other.post("/regia/progetti/P4/stato", data={"version": "1", "why": "x"}).status_code == 404
    assert sign_in("coordinator").get("/regia/progetti").status_code == 200


def test_what_was_typed_stays_whatever_is_wrong(sign_in: SignIn, database: Database, world: World) -> None:
    office = sign_in("office")
    wrong = [
        (
            "tappa",
            {"title": "Scavi rari", "starts_on": "31/02/2026", "ends_on": "2026-01-01", "progress": "x"},
        ),
        (
            "tappa",
            {"title": "Scavi rari", "starts_on": "2026-02-01", "ends_on": "2026-01-01", "progress": "5"},
        ),
        ("fondi", {"source": "Scavi rari", "amount": "-3"}),
        ("fondi", {"source": "Scavi rari", "amount": "tanti"}),
        ("misura", {"name": "Scavi rari", "value": "9" * 40}),
        ("misura", {"name": "Scavi rari", "value": "-1"}),
        ("parole", {"title": "Scavi rari", "place": "77777"}),
        ("soggetti", {"bodies": ["99", "x"], "why": "Scavi rari"}),
        ("stato", {"state": "volante", "since": "2026-01-01", "why": "Scavi rari"}),
    ]
    for section, data in wrong:
        answer = office.post(
            f"/regia/progetti/P4/{section}", data={"version": "1", "why": "Perché sì"} | data
        )
        assert answer.status_code == 422, (section, data)
        assert "Scavi rari" in answer.get_data(as_text=True)


def test_a_colleague_was_quicker_and_nothing_typed_is_lost(sign_in: SignIn) -> None:
    office = sign_in("office")
    data = {"version": "1", "source": "Regione", "amount": "1.250.000,50", "why": "Arriva il decreto"}
    assert office.post("/regia/progetti/P4/fondi", data=data).status_code == 303
    late = office.post("/regia/progetti/P4/fondi", data=data | {"source": "Fondazione", "why": "Bando vinto"})
    page = late.get_data(as_text=True)
    assert late.status_code == 409
    assert "Fondazione" in page and "Bando vinto" in page
    assert "cambiato intanto" in page and "Arriva il decreto" in page
    assert 'name="version" value="2"' in page
    assert office.post("/regia/progetti/P4/fondi", data=data | {"version": "2"}).status_code == 303
    assert "1.250.000" in office.get("/progetti/P4?lang=it").get_data(as_text=True)


def test_the_programme_is_kept_by_coordinator_and_administrator(sign_in: SignIn) -> None:
    for who, status in (("coordinator", 200), ("administrator", 200), ("office", 404), ("rosa", 404)):
        browser = sign_in(who)
        for path in ("", "/programma", "/fase", "/soggetto", "/soggetto/1", "/ufficio", "/progetto/1"):
            assert browser.get(f"/regia/programma{path}").status_code == status
    boss = sign_in("coordinator")
    data = {"name": "Orti in comune", "kind": "association", "seen": ""}
    assert boss.post("/regia/programma/soggetto", data=data).status_code == 303
    page = boss.get("/contratto/soggetti").get_data(as_text=True)
    signed, others = page.split('id="others"')
    assert "Orti in comune" in others
    assert "Orti in comune" not in signed
    assert boss.post("/regia/programma/soggetto", data={"name": "", "kind": "x"}).status_code == 422


def test_an_office_that_was_closed_can_be_opened_again(
    sign_in: SignIn, database: Database, world: World
) -> None:
    coordinator = sign_in("coordinator")
    with database.writing() as session:
        office = Office(body_id=world.comune, code="U99", name="Ufficio Feste", closed_on=date(2026, 5, 1))
        session.add(office)
        session.flush()
        path = f"/regia/programma/ufficio/{office.id}"
    page = coordinator.get("/regia/programma").text
    assert "Un ufficio chiuso" in page and path in page and "chiuso il 1 mag 2026" in page
    assert re.search(r'href="/regia/progetti"[^>]*aria-current="page"', page)
    seen = re.search(r'name="seen" value="([^"]+)"', coordinator.get(path).text)
    assert seen
    sent = {"seen": seen[1], "name": "Ufficio Feste", "body": str(world.comune)}
    for _ in range(2):
        assert coordinator.post(path, data=sent).status_code == 303
    assert coordinator.post(path, data=sent | {"name": "Un altro nome"}).status_code == 409
    with database.session() as session:
        assert session.execute(select(Office.closed_on).where(Office.code == "U99")).scalar_one() is None


def test_a_page_is_rated_once_however_often_it_is_sent(client: FlaskClient, database: Database) -> None:
    asked = client.get("/valuta?pagina=/eventi&voto=2").get_data(as_text=True)
    assert "Dove hai trovato difficoltà?" in asked
    assert "Che cosa ti è piaciuto di più?" in client.get("/valuta?pagina=/&voto=4").get_data(as_text=True)
    data = {
        "page": "/eventi", "stars": "2", "reason": "unclear", "detail": "Troppe parole",
        "idempotency_key": "una-sola",
    }  # fmt: skip
    for _ in range(2):
        answer = client.post("/valuta", data=data)
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/valuta/grazie?pagina=/eventi"
    with database.session() as session:
        row = session.execute(select(PageRating)).scalar_one()
        assert (row.page, row.stars, row.aspect, row.text) == ("/eventi", 2, "unclear", "Troppe parole")


@pytest.mark.parametrize(
    "data",
    [
        {"stars": "6"},
        {"stars": "0"},
        {"stars": "due"},
        {},
        {"stars": "2", "reason": "clear"},
        {"stars": "5", "detail": "x" * 201},
    ],
)
def test_a_rating_that_makes_no_sense_is_asked_again(
    client: FlaskClient, database: Database, data: dict[str, str]
) -> None:
    assert client.post("/valuta", data={"page": "/"} | data).status_code == 422
    with database.session() as session:
        assert session.execute(select(PageRating)).first() is None


@pytest.mark.parametrize(
    "wish", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil", ""]
)
def test_rating_never_leads_out_of_the_site(client: FlaskClient, wish: str) -> None:
    for path in ("/valuta", "/valuta/grazie"):
        page = client.get(path, query_string={"pagina": wish, "voto": "3"}).get_data(as_text=True)
        assert "evil" not in page.split("<body")[1]


def test_rating_stops_a_script_and_not_a_hall(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    monkeypatch.setattr(limits, "RATING_PER_ADDRESS", limits.Limit("rating_address", 2, 3600))
    codes = [client.post("/valuta", data={"page": "/", "stars": "4"}).status_code for _ in range(3)]
    assert codes == [303, 303, 429]


def test_reports_of_the_policy_are_taken_quietly(client: FlaskClient) -> None:
    report = {"csp-report": {"effective-directive": "script-src", "blocked-uri": "https://x.example/a?b=c"}}
    kind = "application/csp-report"
    assert client.post("/csp", data=json.dumps(report), content_type=kind).status_code == 204
    for body in (b"", b"{", b"[]", b"[" * 9000, b'{"csp-report": 3}', "\u00e8".encode("latin-1")):
        assert client.post("/csp", data=body, content_type=kind).status_code == 204
    assert client.post("/csp", data=b"x" * 20_000, content_type=kind).status_code == 413


def test_small_files_for_machines(client: FlaskClient) -> None:
    robots = client.get("/robots.txt").data
    assert b"Disallow: /regia" in robots and b"Disallow: /api/v1/inputs/" in robots
    assert b"Expires: 2027-" in client.get("/.well-known/security.txt").data
    assert client.get("/sitemap.xml").content_type == "application/xml"
    assert client.get("/favicon.ico").status_code == 302


def test_an_empty_neighbourhood_still_invites(client: FlaskClient, database: Database) -> None:
    assert "Nessun incontro in vista" in client.get("/").get_data(as_text=True)
    assert "Nessun incontro in vista" in client.get("/eventi").get_data(as_text=True)


def test_a_finished_project_is_not_worked_on(client: FlaskClient, database: Database, world: World) -> None:
    with database.writing() as session:
        session.get_one(Project, world.project).state = ProjectState.COMPLETED
    assert "Concluso domenica 1 marzo" in client.get("/progetti/P4").get_data(as_text=True)


def test_cents_are_shown_where_there_are_some(app: Flask) -> None:
    with app.test_request_context("/"):
        shown = [money(cents).replace("\xa0", " ") for cents in (1_250_050, 61_000_000, 0)]
    assert shown == ["12.500,50 €", "610.000 €", "0 €"]
