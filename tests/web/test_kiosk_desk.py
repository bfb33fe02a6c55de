"""The tablets of a meeting at the desk: a code, how each tablet is, the tray, files that were brought."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.kernel.errors import Invalid
from lab.models.contributions import Contribution
from lab.models.events import Event, EventState
from lab.models.kiosk import Device, KioskFile, TrayItem
from lab.models.operations import AuditEntry
from lab.models.registrations import Registration, RegistrationState, SignUp
from lab.policy.actor import SYSTEM
from lab.services import kiosk_files, registration_retention
from lab.services.context import Context
from tests.meetings import make_event
from tests.tablets import Tablet, paired
from tests.world import World

HERE = "/regia/eventi/EV90/totem"


@pytest.fixture
def event(database: Database, world: World) -> Event:
    with database.writing() as session:
        return make_event(session, world)


@pytest.fixture
def tablet(app: Flask, database: Database, event: Event) -> Tablet:
    return paired(app, database, event)


@pytest.fixture
def desk(sign_in: Callable[[str], FlaskClient], event: Event) -> FlaskClient:
    return sign_in("facilitator")


def tray(database: Database) -> list[TrayItem]:
    with database.session() as session:
        return list(session.execute(select(TrayItem).order_by(TrayItem.id)).scalars())


def verbs(database: Database) -> list[str]:
    with database.session() as session:
        return list(session.execute(select(AuditEntry.verb).order_by(AuditEntry.id)).scalars())


def count(database: Database, model: Any) -> int:
    with database.session() as session:
        return session.execute(select(func.count()).select_from(model)).scalar_one()


def export(tablet: Tablet, *records: Any, **changes: Any) -> bytes:
    made = {"format": "lab-totem-1", "event": "EV90", "device": tablet.device["id"], "records": list(records)}
    return json.dumps({**made, **changes}).encode()


def bring(desk: FlaskClient, data: bytes) -> Any:
    file = {"file": (io.BytesIO(data), "totem.json")}
    return desk.post(f"{HERE}/file", data=file, content_type="multipart/form-data")


def test_only_hosts_see_the_tablets(
    sign_in: Callable[[str], FlaskClient], event: Event, tablet: Tablet
) -> None:
    for who in ("moderator", "office", "rosa"):
        browser = sign_in(who)
        assert browser.get(HERE).status_code == 404
        assert browser.post(f"{HERE}/tablet/{tablet.device['id']}/scollega").status_code == 404
    assert tablet.get("bundle").status_code == 200


def test_a_host_makes_a_code_that_pairs(desk: FlaskClient, app: Flask, database: Database) -> None:
    assert "nessun tablet" in desk.get(HERE).text
    assert desk.post(HERE, data={"name": "Ingresso", "mode": "kiosk", "pin": "1234"}).status_code == 422
    answer = desk.post(HERE, data={"name": "Ingresso", "mode": "door", "pin": "2580"})
    assert answer.status_code == 303
    page = desk.get(answer.location).text
    symbols = re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}", page)
    assert symbols is not None
    made = app.test_client().post("/totem/api/pair", json={"code": symbols[0]}).get_json()
    assert made["device"]["mode"] == "door"
    assert "già servito" in desk.get(answer.location).text
    assert verbs(database)[-2:] == ["kiosk.code", "kiosk.pair"]
    assert "Ingresso" in desk.get(HERE).text


def test_the_list_says_what_to_do(
    desk: FlaskClient, tablet: Tablet, clock: FrozenClock, database: Database
) -> None:
    assert "fai la prova" in desk.get(HERE).text
    oldest = (clock.now() - timedelta(days=2)).isoformat()
    tablet.send(queue=7, refused=0, oldest=oldest, persisted=False, clock_offset_ms=-300_000)
    page = desk.get(HERE).text
    for words in ("In funzione", "da più di un giorno", "sbagliata di 5 minuti", "non è protetta"):
        assert words in page
    tablet.send(queue=7, refused=0, clock_offset_ms=86_400_000)
    assert "sbagliata di 24 ore" in desk.get(HERE).text
    tablet.send(queue="x", oldest=7, clock_offset_ms=None, free_bytes={}, application=[])
    assert desk.get(HERE).status_code == 200
    for end in ("9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59"):
        tablet.send(queue=1, oldest=end)
        assert desk.get(HERE).status_code == 200
    clock.advance(timedelta(hours=1))
    assert "Senza rete" in desk.get(HERE).text


def test_pause_revoke_and_places_taken_back(desk: FlaskClient, tablet: Tablet, database: Database) -> None:
    device = f"{HERE}/tablet/{tablet.device['id']}"
    assert desk.post(f"{device}/pausa").status_code == 303
    assert tablet.post("records", {"records": []}).get_json()["paused"] is True
    desk.post(f"{device}/riprendi")
    assert tablet.post("records", {"records": []}).get_json()["paused"] is False
    lease = tablet.post("lease", {"seats": 9}).get_json()["lease"]
    promised = tablet.sign_up("Rosa", party_size=3, lease_id=lease["id"])
    tablet.send(tablet.sign_up("Ugo"))
    for folded in ("Scollega", "Riprendi i posti"):
        # There is no way back from it: it asks first, without script too.
        assert f'<details class="fold"><summary>{folded}</summary>' in desk.get(HERE).text
    desk.post(f"{device}/scollega")
    assert tablet.get("bundle").status_code == 401
    with database.session() as session:
        assert session.execute(select(SignUp.lent)).scalar_one() == 9
    assert "9 posti in prestito" in desk.get(HERE).text
    desk.post(f"{device}/posti")
    other = paired(desk.application, database, _event(database))
    assert {one["result"] for one in other.send(*(other.sign_up(f"P{n}") for n in range(9)))} == {"confirmed"}
    bring(desk, export(tablet, promised))
    (item,) = tray(database)
    assert item.reason == "promised_place"
    page = f"{HERE}/vassoio/{item.id}"
    assert desk.post(page, data={"override": ""}).status_code == 422
    assert desk.post(page, data={"override": "Glielo aveva detto il tablet"}).status_code == 303
    with database.session() as session:
        rosa = session.execute(select(Registration).where(Registration.name == "Rosa")).scalar_one()
        assert rosa.state is RegistrationState.CONFIRMED
        books = session.execute(select(SignUp)).scalar_one()
        assert (books.taken, books.lent, books.waiting) == (13, 0, 0)
    assert {"kiosk.pause", "kiosk.resume", "kiosk.revoke", "kiosk.take_back", "kiosk.taken"} <= set(
        verbs(database)
    )


def _event(database: Database) -> Event:
    with database.session() as session:
        return session.execute(select(Event)).scalar_one()


def test_a_refused_record_is_corrected_and_taken(
    desk: FlaskClient, tablet: Tablet, database: Database
) -> None:
    tablet.send(
        tablet.sign_up("Rosa", phone="abc", answers={"99": "x"}), tablet.write("idea", text="x" * 5001)
    )
    first, idea = tray(database)
    page = desk.get(f"{HERE}/vassoio/{first.id}")
    assert 'value="abc"' in page.text
    assert "event.people_seen" in verbs(database)
    data = {"name": "Rosa", "email": "", "phone": "nope", "party_size": "1", "needs_note": "", "override": ""}
    wrong = desk.post(f"{HERE}/vassoio/{first.id}", data=data)
    assert wrong.status_code == 422
    assert 'value="nope"' in wrong.text
    data["phone"] = "0362 123456"
    assert desk.post(f"{HERE}/vassoio/{first.id}", data=data).status_code == 303
    with database.session() as session:
        taken = session.execute(select(Registration)).scalar_one()
        assert (taken.name, taken.phone, taken.answers) == ("Rosa", "0362 123456", {})
    short = desk.post(f"{HERE}/vassoio/{idea.id}", data={"text": "Panchine", "name": ""})
    assert short.status_code == 303
    assert desk.post(f"{HERE}/vassoio/{idea.id}", data={"text": "Panchine", "name": ""}).status_code == 409
    assert count(database, Contribution) == 1


def test_every_kind_of_record_in_the_tray_has_its_page(
    desk: FlaskClient, tablet: Tablet, database: Database
) -> None:
    tablet.send(
        tablet.sign_up(""),
        tablet.write("idea", text="x" * 5001),
        tablet.write("question", text=""),
        tablet.write("how_it_was", stars=9),
        tablet.write("check_in", code="ZZZZ"),
        tablet.write("walk_in", name="Ugo"),
    )
    assert len(tray(database)) == 6
    for item in tray(database):
        assert desk.get(f"{HERE}/vassoio/{item.id}").status_code == 200, item.kind


def test_a_language_that_nobody_knows_is_the_one_of_the_site(tablet: Tablet, database: Database) -> None:
    odd = "it\r\nX: y"
    sent = tablet.send(
        tablet.sign_up("Rosa", locale=odd), tablet.write("idea", text="Più panchine al parco", locale=odd)
    )
    assert [one["status"] for one in sent] == [201, 201]
    with database.session() as session:
        assert session.execute(select(Registration.locale)).scalar_one() == "it"
        assert session.execute(select(Contribution.lang)).scalar_one() == "it"


def test_a_conflict_is_taken_beside_the_first_or_left_out(
    desk: FlaskClient, tablet: Tablet, database: Database
) -> None:
    record = tablet.sign_up("Rosa")
    tablet.send(record)
    tablet.send(tablet.sign_up("Ugo", client_uuid=record["client_uuid"]))
    tablet.send(tablet.sign_up("Ada", client_uuid=record["client_uuid"]))
    ugo, ada = tray(database)
    data = {"name": "Ugo", "party_size": "1"}
    assert desk.post(f"{HERE}/vassoio/{ugo.id}", data=data).status_code == 303
    assert desk.post(f"{HERE}/vassoio/{ada.id}/lascia", data={"reason": ""}).status_code == 422
    assert desk.post(f"{HERE}/vassoio/{ada.id}/lascia", data={"reason": "Doppio"}).status_code == 303
    assert count(database, Registration) == 2
    page = desk.get(HERE).text
    assert "Lasciato fuori: Doppio" in page
    assert "Preso: Con il posto" in page


def test_what_is_closed_waits_and_can_go_where_it_belongs(
    desk: FlaskClient, tablet: Tablet, database: Database, world: World
) -> None:
    with database.writing() as session:
        make_event(session, world, code="EV91", title="Un altro")
    tablet.send(tablet.sign_up("Rosa", v=9), tablet.sign_up("Ugo", event="EV91"))
    newer, other = tray(database)
    assert desk.get(f"{HERE}/vassoio/{newer.id}").status_code == 200
    assert desk.post(f"{HERE}/vassoio/{newer.id}", data={"name": "x"}).status_code == 409
    desk.post(f"{HERE}/vassoio/{newer.id}/riprova")
    assert "Ugo" not in desk.get(f"{HERE}/vassoio/{other.id}").text
    desk.post(f"{HERE}/vassoio/{other.id}/riprova")
    assert [item.settled_at is not None for item in tray(database)] == [False, True]
    with database.session() as session:
        row = session.execute(select(Registration, Event.code).join(Event)).one()
    assert (row.Registration.name, row.code) == ("Ugo", "EV91")


def test_the_same_file_twice_changes_nothing(desk: FlaskClient, tablet: Tablet, database: Database) -> None:
    sent, kept = tablet.sign_up("Rosa"), tablet.sign_up("Ugo")
    tablet.send(sent)
    data = export(tablet, sent, kept, tablet.write("idea", text="Panchine"), tablet.write("idea", text=""))
    first = bring(desk, data)
    assert first.status_code == 303
    assert "C'erano già" in unescape(desk.get(first.location).text)
    before = [count(database, one) for one in (Registration, Contribution, TrayItem, KioskFile)]
    assert before == [2, 1, 1, 1]
    again = bring(desk, data)
    assert again.location == first.location
    assert "c'era già" in unescape(desk.get(again.location).text)
    # another file with the same records, from a tablet that was revoked meanwhile
    desk.post(f"{HERE}/tablet/{tablet.device['id']}/scollega")
    assert bring(desk, export(tablet, sent, kept)).status_code == 303
    assert [count(database, one) for one in (Registration, Contribution, TrayItem, KioskFile)] == [2, 1, 1, 2]
    with database.session() as session:
        assert set(session.execute(select(Registration.device_id)).scalars()) == {tablet.device["id"]}


def test_a_damaged_file_says_what_is_lost_and_gives_the_rest(
    desk: FlaskClient, tablet: Tablet, database: Database
) -> None:
    records = [json.dumps(tablet.sign_up(f"P{n}")) for n in range(4)]
    records[1] = records[1][:150]
    whole = f'{{"format": "lab-totem-1", "event": "EV90", "device": 1, "records": [{", ".join(records)}]}}'
    answer = bring(desk, whole[:-60].encode())
    assert answer.status_code == 303
    assert "contate dall'inizio: 2, 4" in unescape(desk.get(answer.location).text)
    assert count(database, Registration) == 2


def test_a_file_made_to_be_read_again_and_again_comes_to_an_end() -> None:
    nested = b'{"format": "lab-totem-1", "records": [' + b'{"a":' * 380 + b"[" + b"1," * 300_000
    begun = time.process_time()
    with pytest.raises(Invalid, match="nothing_readable"):
        kiosk_files.parse(nested)
    assert time.process_time() - begun < 2


def test_files_that_are_none_of_ours_are_refused_in_words(desk: FlaskClient, tablet: Tablet) -> None:
    for data, words in (
        (b"", "non è un file del totem"),
        (b"ciao", "non è un file del totem"),
        (b'{"format": "lab-totem-1", "records": [', "non si legge nulla"),
        (export(tablet, tablet.sign_up("Rosa"), event="EV91"), "un altro incontro"),
        (export(tablet, records={"a": 1}), "non si legge nulla"),
    ):
        answer = bring(desk, data)
        assert answer.status_code == 422, words
        assert words in answer.text


def test_what_came_is_listed_without_names(desk: FlaskClient, tablet: Tablet) -> None:
    assert "non è ancora arrivato niente" in desk.get(f"{HERE}/arrivato").text
    tablet.send(tablet.sign_up("Rosalinda"), tablet.write("question", text="Quando?"))
    page = desk.get(f"{HERE}/arrivato").text
    assert "Domanda" in page
    assert "Iscrizione" in page
    assert "Rosalinda" not in page


def test_a_code_is_seen_by_its_maker_alone(
    desk: FlaskClient, sign_in: Callable[[str], FlaskClient], database: Database
) -> None:
    answer = desk.post(HERE, data={"name": "Ingresso", "mode": "kiosk", "pin": "2580"})
    assert sign_in("facilitator").get(answer.location).status_code == 404
    assert count(database, Device) == 0


def test_names_in_the_tray_go_with_those_of_the_meeting(
    desk: FlaskClient, tablet: Tablet, database: Database, event: Event, clock: FrozenClock,
    sign_in: Callable[[str], FlaskClient],
) -> None:  # fmt: skip
    late = tablet.sign_up("Nadia", at=event.starts_at)
    tablet.send(tablet.sign_up("Rosalinda", phone="abc"), tablet.sign_up("Ugo", v=9))
    desk.post(f"{HERE}/vassoio/{tray(database)[0].id}/lascia", data={"reason": "Rosalinda non viene"})

    def night() -> None:
        with database.writing() as session:
            ctx = Context(session, SYSTEM, clock.now())
            for event_id in registration_retention.due(ctx):
                registration_retention.forget(ctx, event_id)

    clock.move_to(event.starts_at + timedelta(days=31))
    night()
    assert [item.payload for item in tray(database)] == [{}, {}]
    with database.session() as session:
        assert set(session.execute(select(AuditEntry.reason)).scalars()) == {""}
    # what comes later is deleted in the next night
    assert "/totem/file/" in bring(sign_in("facilitator"), export(tablet, late)).location
    night()
    with database.session() as session:
        assert session.execute(select(Registration.name)).scalars().all() == [""]


def test_no_tablet_is_paired_for_a_meeting_that_was_called_off(
    desk: FlaskClient, database: Database, event: Event
) -> None:
    path = f"/regia/eventi/{event.code}/totem"
    assert "Fammi il codice" in desk.get(path).text
    with database.writing() as session:
        session.get_one(Event, event.id).state = EventState.CANCELLED
    page = desk.get(path).text
    assert "Fammi il codice" not in page
    assert "Questo incontro è stato annullato." in page
