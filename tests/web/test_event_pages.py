"""Meetings on the site: lists, pages, calendar, files, posters; and at the desk, from draft to cancelled."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import icalendar
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.models.events import (
    AgendaItem,
    Event,
    EventBody,
    EventDocument,
    EventKind,
    EventProject,
    EventSeries,
    EventState,
)
from tests.html import faults
from tests.meetings import make_event
from tests.statements import VERSION, statements
from tests.world import NOW, World

SignIn = Callable[[str], FlaskClient]
PDF = b"%PDF-1.7\n1 0 obj\n%%EOF\n"
FORM = {"kind": "walk", "title": "Passeggiata al parco", "day": "2026-12-05", "hour": "09:30",
        "languages": "it"}  # fmt: skip
PAGES = (
    "/eventi", "/eventi?tipo=working_group&luogo=L04&progetto=P4", "/eventi/EV90", "/eventi/EV90/locandina",
    "/eventi/EV90/locandina?foglio=a3", "/calendario", "/calendario?vista=elenco", "/calendario?vista=luoghi",
    "/calendario?mese=2026-12", "/eventi.ics", "/eventi.ics?luogo=L04", "/eventi/EV90.ics",
    "/eventi/EV90/calendario.ics", "/api/v1/events", "/api/v1/events/EV90", "/novita.atom",
)  # fmt: skip


@pytest.fixture
def meeting(database: Database, world: World) -> int:
    with database.writing() as session:
        return make_event(session, world, purpose="Scegliere i giochi", promise="Quali e dove").id


def fill(database: Database, world: World, how_many: int) -> None:
    """So many more meetings this month, each with parts, all in the series of the first."""
    with database.writing() as session:
        series = EventSeries(title="Ogni giorno")
        session.add(series)
        session.flush()
        first = session.execute(select(Event).where(Event.code == "EV90")).scalar_one()
        first.series_id = series.id
        for number in range(how_many):
            event = make_event(session, world, code=f"EW{number}", series_id=series.id,
                               starts_at=NOW + timedelta(hours=number % 70 - 20))  # fmt: skip
            session.add(EventBody(event_id=event.id, body_id=world.aler))
        for number in range(12):
            session.add(AgendaItem(event_id=first.id, position=number, title=f"Punto {number}"))
            link = f"https://example.org/{number}"
            session.add(EventDocument(event_id=first.id, title=f"Documento {number}", url=link))
        session.add(EventProject(event_id=first.id, project_id=world.other_project))


def test_an_address_on_a_poster_reads_from_left_to_right_in_every_language(
    client: FlaskClient, meeting: int
) -> None:
    poster = client.get("/eventi/EV90/locandina?lang=ar").text
    assert 'dir="rtl"' in poster
    assert re.search(r'<p class="poster-address" dir="ltr">[^<]*/eventi/EV90</p>', poster)


@pytest.mark.parametrize("path", ["/eventi", "/eventi/EV90", "/progetti", "/progetti/P4"])
def test_italian_words_on_a_page_in_another_language_say_so(
    client: FlaskClient, meeting: int, path: str
) -> None:
    theirs = re.compile(r'<(h1|a class="it-card-link" href="[^"]*") lang="it"')
    assert theirs.search(client.get(f"{path}?lang=en").text)
    assert not theirs.search(client.get(f"{path}?lang=it").text)


def test_pages_cost_six_statements_at_most_and_the_same_with_many_meetings(
    client: FlaskClient, database: Database, world: World, meeting: int
) -> None:
    def costs() -> dict[str, int]:
        found = {}
        for path in PAGES:
            with statements(database, but=VERSION) as said:
                answer = client.get(path)
            assert answer.status_code == 200, path
            found[path] = len(said)
        return found

    few = costs()
    fill(database, world, 70)
    many = costs()
    assert few == many
    assert max(few.values()) <= 6, few


def test_pages_are_valid_and_hostile_words_stay_words(
    client: FlaskClient, database: Database, world: World, meeting: int
) -> None:
    hostile = "<script>alert(1)</script> \"'><img src=x onerror=alert(1)> {{7*7}} \u202e"
    fill(database, world, 2)
    with database.writing() as session:
        event = session.get_one(Event, meeting)
        for name in ("title", "text", "purpose", "promise", "place_note", "access_note", "offers_note",
                     "organisers", "result", "cancelled_reason"):  # fmt: skip
            setattr(event, name, hostile)
        event.offers, event.languages = ["childcare"], ["it", "ar"]
        event.state = EventState.CANCELLED
    for path in PAGES[:9]:
        page = client.get(path).get_data(as_text=True)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert faults(page) == [], path


def test_a_draft_is_not_there_for_outsiders(
    client: FlaskClient, sign_in: SignIn, database: Database, world: World
) -> None:
    with database.writing() as session:
        make_event(session, world, is_public=False, title="Segretissimo")
    paths = ("/eventi/EV90", "/eventi/EV90.ics", "/eventi/EV90/locandina", "/api/v1/events/EV90",
             "/eventi/EV90/documenti/1.pdf")  # fmt: skip
    for browser in (client, sign_in("rosa"), sign_in("office")):
        assert [browser.get(path).status_code for path in paths] == [404] * 5
        for path in (
            "/", "/eventi", "/calendario", "/eventi.ics", "/api/v1/events", "/pianta/L04",
            "/cerca?q=segretissimo", "/novita.atom", "/sitemap.xml",
        ):  # fmt: skip
            assert "Segretissimo" not in browser.get(path).get_data(as_text=True), path
    assert client.get("/api/v1/proposals?event=EV90").status_code == 400
    team = sign_in("moderator")
    page = team.get("/eventi/EV90")
    assert "Segretissimo" in page.get_data(as_text=True)
    assert page.headers["Cache-Control"] == "no-store"
    assert "Segretissimo" not in team.get("/regia/scrivi").get_data(as_text=True)


def test_the_sign_up_button_goes_when_it_makes_no_sense(
    client: FlaskClient, database: Database, clock: FrozenClock, world: World, meeting: int
) -> None:
    def shown() -> bool:
        return "/eventi/EV90/iscrizione" in client.get("/eventi/EV90").get_data(as_text=True)

    with database.writing() as session:
        session.get_one(Event, meeting).fullness = "free"  # type: ignore[assignment]
    assert shown()
    with database.writing() as session:
        session.get_one(Event, meeting).state = EventState.CANCELLED
    assert not shown()
    with database.writing() as session:
        session.get_one(Event, meeting).state = EventState.PLANNED
    clock.advance(timedelta(days=8))
    assert not shown()


def test_a_month_is_a_table_and_robots_come_to_an_end(client: FlaskClient, meeting: int) -> None:
    page = client.get("/calendario").get_data(as_text=True)
    assert page.count("<td") % 7 == 0
    assert 'scope="col"' in page
    assert "18:00" not in page
    assert "10:00</span> Giochi nuovi al parco" in page
    assert client.get("/calendario?mese=2026-12").get_data(as_text=True).count("noindex") == 1
    assert client.get("/calendario?mese=2050-12").status_code == 200
    assert 'rel="next' not in client.get("/calendario?mese=2050-12").get_data(as_text=True)
    for month in ("2051-01", "x", "2026-13"):
        assert client.get(f"/calendario?mese={month}").status_code == 404
    assert client.get("/calendario?vista=x&tipo=x&luogo=x&progetto=%27&serie=9" + "9" * 30).status_code == 200


def test_calendars_subscribe_to_what_was_chosen_and_to_nothing_by_mistake(
    client: FlaskClient, database: Database, world: World, meeting: int
) -> None:
    with database.writing() as session:
        make_event(session, world, code="EV91", place_id=world.towers, state=EventState.CANCELLED)
    calendar = icalendar.Calendar.from_ical(client.get("/eventi.ics").data)
    assert [str(one["uid"]).partition("@")[0] for one in calendar.walk("VEVENT")] == ["EV90", "EV91"]
    assert [str(one["status"]) for one in calendar.walk("VEVENT")] == ["CONFIRMED", "CANCELLED"]
    assert len(calendar.walk("VTIMEZONE")) == 1
    chosen = icalendar.Calendar.from_ical(client.get("/eventi.ics?luogo=L02").data)
    assert len(chosen.walk("VEVENT")) == 1
    assert "Corte delle torri nord" in chosen["x-wr-calname"]
    assert client.get("/eventi.ics?luogo=L99").status_code == 404
    answer = client.get("/eventi/EV90.ics")
    assert answer.content_type == "text/calendar; charset=utf-8"
    assert client.get("/eventi/EV90.ics").headers["ETag"] == answer.headers["ETag"]
    # Few phones know webcal: the file is what everybody is given, to subscribe is for who can.
    assert 'href="/eventi.ics"' in client.get("/eventi").text
    assert all(link in client.get("/calendario").text for link in ('href="/eventi.ics"', 'href="webcal://'))


def _save(browser: FlaskClient, path: str, data: dict[str, Any]) -> TestResponse:
    return browser.post(path, data=data)


def test_from_a_draft_to_the_public_and_to_cancelled(
    client: FlaskClient, sign_in: SignIn, database: Database, world: World
) -> None:
    team = sign_in("facilitator")
    assert "/regia/eventi" in team.get("/regia").get_data(as_text=True)
    key = re.search(
        r'idempotency_key" value="([^"]+)', team.get("/regia/eventi/nuovo").get_data(as_text=True)
    )
    assert key
    for _twice in range(2):
        answer = _save(team, "/regia/eventi/nuovo", {**FORM, "idempotency_key": key[1]})
        assert (answer.status_code, answer.location) == (303, "/regia/eventi/EV01")
    assert client.get("/eventi/EV01").status_code == 404
    assert "Manca ancora" in team.get("/regia/eventi/EV01").get_data(as_text=True)
    assert team.post("/regia/eventi/EV01/pubblica").status_code == 303
    assert "Passeggiata al parco" in client.get("/eventi").get_data(as_text=True)
    edited = {**FORM, "version": "2", "text": "Scarpe comode", "agenda": "Via, 5\nTorno 20", "place": "1"}
    for _twice in range(2):
        assert _save(team, "/regia/eventi/EV01/modifica", edited).status_code == 303
    page = client.get("/eventi/EV01").get_data(as_text=True)
    assert "Scarpe comode" in page
    assert "9:35" in page
    stale = _save(team, "/regia/eventi/EV01/modifica", {**edited, "text": "Le mie parole"})
    assert stale.status_code == 409
    assert "Le mie parole" in stale.get_data(as_text=True)
    assert _save(team, "/regia/eventi/EV01/annulla", {"version": "3", "reason": ""}).status_code == 422
    assert _save(team, "/regia/eventi/EV01/annulla", {"version": "3", "reason": "Piove"}).status_code == 303
    page = client.get("/eventi/EV01").get_data(as_text=True)
    assert "Piove" in page
    assert "annullato" in page


def test_an_hour_the_clock_jumps_over_is_told_and_nothing_typed_is_lost(
    sign_in: SignIn, database: Database, world: World
) -> None:
    wrong = {**FORM, "day": "2027-03-28", "hour": "02:30", "text": "Stelle", "offers": ["childcare"]}
    answer = _save(sign_in("office"), "/regia/eventi/nuovo", wrong)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "l&#39;orologio va avanti" in page
    assert "Stelle" in page
    assert re.search(r'value="childcare"[^>]*checked|checked[^>]*value="childcare"', page)
    for bad in ({"day": "x"}, {"hour": "99:99"}, {"kind": "x"}, {"projects": "999"}, {"title": ""}):
        assert _save(sign_in("office"), "/regia/eventi/nuovo", {**FORM, **bad}).status_code == 422


def test_hosts_edit_theirs_and_outsiders_find_nothing(
    sign_in: SignIn, database: Database, world: World
) -> None:
    with database.writing() as session:
        make_event(session, world, host="delegate")
        make_event(session, world, code="EV91", title="Di altri")
    paths = ("", "/modifica", "/annulla", "/copia", "/serie", "/conduce", "/documenti")
    delegate = sign_in("delegate")
    assert [delegate.get(f"/regia/eventi/EV90{end}").status_code for end in paths] == [200] * 7
    assert [delegate.get(f"/regia/eventi/EV91{end}").status_code for end in paths] == [404] * 7
    assert "Di altri" not in delegate.get("/regia/eventi").get_data(as_text=True)
    for end in ("/modifica", "/annulla", "/copia", "/serie", "/conduce", "/documenti", "/pubblica"):
        assert delegate.post(f"/regia/eventi/EV91{end}", data=FORM).status_code == 404
        assert sign_in("rosa").post(f"/regia/eventi/EV90{end}", data=FORM).status_code == 404


def test_copies_series_and_hosts_from_their_pages(sign_in: SignIn, database: Database, world: World) -> None:
    with database.writing() as session:
        make_event(session, world)
    team = sign_in("facilitator")
    copied = _save(team, "/regia/eventi/EV90/copia", {"day": "2026-12-09", "hour": "18:00"})
    assert copied.location == "/regia/eventi/EV01"
    series = {"version": "1", "rhythm": "weekly", "times": "3"}
    assert _save(team, "/regia/eventi/EV90/serie", {**series, "times": "99"}).status_code == 422
    assert _save(team, "/regia/eventi/EV90/serie", series).status_code == 303
    assert _save(team, "/regia/eventi/EV90/serie", series).status_code == 409
    assert "Le altre date" in team.get("/eventi/EV90").get_data(as_text=True)
    chosen = {"version": "2", "hosts": [str(world.people["office"]), str(world.people["facilitator"])]}
    assert _save(team, "/regia/eventi/EV90/conduce", chosen).status_code == 303
    assert sign_in("office").get("/regia/eventi/EV90").status_code == 200
    assert _save(team, "/regia/eventi/EV90/conduce", {"version": "3"}).status_code == 422


def test_a_pdf_is_kept_under_our_name_and_given_to_keep(
    client: FlaskClient, sign_in: SignIn, database: Database, world: World, tmp_path: Any
) -> None:
    with database.writing() as session:
        make_event(session, world)
    team = sign_in("facilitator")
    path = "/regia/eventi/EV90/documenti"

    def send(data: bytes, name: str = "../../etc/passwd.pdf", **more: str) -> TestResponse:
        fields = {"title": "La pianta", "file": (io.BytesIO(data), name), **more}
        return team.post(path, data=fields, content_type="multipart/form-data")

    for wrong in (b"<html>", b"", b"%PDF-1.7 and no end"):
        assert send(wrong).status_code == 422
    assert send(PDF, url="https://example.org").status_code == 422
    assert send(PDF, title="").status_code == 422
    for _twice in range(2):
        assert send(PDF).status_code == 303
    stored = list((tmp_path / "var/uploads/documents").iterdir())
    assert len(stored) == 1
    assert re.fullmatch(r"[0-9a-f]{32}\.pdf", stored[0].name)
    with database.session() as session:
        number = session.execute(select(EventDocument.id)).scalar_one()
    answer = client.get(f"/eventi/EV90/documenti/{number}.pdf")
    assert answer.data == PDF
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=la-pianta.pdf")
    answer.close()
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert f"documenti/{number}.pdf" in client.get("/eventi/EV90").get_data(as_text=True)
    assert team.post(f"{path}/{number}/togli").status_code == 303
    assert list((tmp_path / "var/uploads/documents").iterdir()) == []
    assert client.get(f"/eventi/EV90/documenti/{number}.pdf").status_code == 404


def test_the_api_tells_what_the_page_tells(client: FlaskClient, meeting: int) -> None:
    told = client.get("/api/v1/events/EV90").get_json()
    assert told["purpose"] == "Scegliere i giochi"
    assert told["promise"] == "Quali e dove"
    assert told["languages"] == ["it"]
    assert told["calendar_url"].endswith("/eventi/EV90/calendario.ics")
    assert told["ends_at"] > told["starts_at"]
    assert EventKind(told["kind"]) is EventKind.WORKING_GROUP
