"""What tablets say to the site: pairing, the bundle, records taken once, and what a token does not open."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel import pins
from lab.kernel.clock import FrozenClock
from lab.models.contributions import Channel, Contribution, Visibility
from lab.models.events import Event, EventState
from lab.models.kiosk import Device, DeviceMode, HowItWas, TrayItem
from lab.models.registrations import (
    EventQuestion,
    QuestionKind,
    Registration,
    RegistrationState,
    SeatGroup,
    SignUp,
    Source,
)
from lab.models.rooms import RoomQuestion
from lab.services import devices, kiosk_words, room
from lab.services.context import Context
from lab.services.devices import NewCode
from tests.meetings import make_event
from tests.tablets import PIN, Tablet, later, paired
from tests.world import NOW, World

Acting = Callable[[Session, str], Context]


@pytest.fixture
def event(database: Database, world: World) -> Event:
    with database.writing() as session:
        return make_event(session, world)


@pytest.fixture
def tablet(app: Flask, database: Database, event: Event) -> Tablet:
    return paired(app, database, event)


def tray(database: Database) -> list[TrayItem]:
    with database.session() as session:
        return list(session.execute(select(TrayItem).order_by(TrayItem.id)).scalars())


def count(database: Database, model: Any) -> int:
    with database.session() as session:
        return session.execute(select(func.count()).select_from(model)).scalar_one()


def test_a_code_pairs_one_tablet_once_and_in_time(
    app: Flask, database: Database, acting: Acting, event: Event, clock: FrozenClock
) -> None:
    with database.writing() as session:
        _, code = devices.make_code(acting(session, "facilitator"), NewCode(event.id, "Ingresso", PIN))
    typed = f" {code[:4].lower()}-{code[4:]} "
    answer = app.test_client().post("/totem/api/pair", json={"code": typed})
    assert answer.status_code == 201
    made = answer.get_json()
    assert (made["device"]["name"], made["device"]["mode"]) == ("Ingresso", "kiosk")
    pin = made["device"]["pin"]
    salt = base64.urlsafe_b64decode(pin["salt"] + "==")
    check = hashlib.pbkdf2_hmac("sha256", PIN.encode(), salt, pin["rounds"])
    assert base64.urlsafe_b64encode(check).decode().rstrip("=") == pin["check"]
    again = app.test_client().post("/totem/api/pair", json={"code": code})
    assert (again.status_code, again.get_json()["code"]) == (404, "unknown_code")
    assert again.mimetype == "application/problem+json"
    with database.writing() as session:
        _, code = devices.make_code(acting(session, "facilitator"), NewCode(event.id, "Ingresso", PIN))
    # it lives a quarter of an hour
    clock.advance(timedelta(minutes=15))
    assert app.test_client().post("/totem/api/pair", json={"code": code}).status_code == 404


def test_guessing_codes_is_slowed(client: FlaskClient) -> None:
    answers = [client.post("/totem/api/pair", json={"code": f"ABCDEF{n:02}"}).status_code for n in range(62)]
    assert answers[0] == 404
    assert answers[-1] == 429


def test_no_cookie_is_read_or_set(app: Flask, tablet: Tablet, sign_in: Callable[[str], FlaskClient]) -> None:
    browser = sign_in("facilitator")
    for path in ("bundle", "people", "bundle?lang=en"):
        assert browser.get(f"/totem/api/{path}").status_code == 401
    answer = browser.get("/totem/api/bundle?lang=en", headers=tablet.headers)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")
    probe = app.test_client().get("/totem/api/ping")
    assert (probe.get_json()["totem"], probe.headers["Cache-Control"]) == ("lab", "no-store")


def test_the_token_rules_alone_are_no_matter_of_forms(app: Flask, tablet: Tablet) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert tablet.post("records", {"records": []}).status_code == 200
    assert tablet.client.post("/totem/api/records", json={"records": []}).status_code == 401


def test_a_tablet_hears_when_the_room_takes_questions(
    tablet: Tablet, database: Database, event: Event, acting: Acting
) -> None:
    before = tablet.get("bundle").get_json()
    assert before["room"] == {"takes_questions": False}
    with database.writing() as session:
        room.open_room(acting(session, "facilitator"), event.id)
    after = tablet.get("bundle").get_json()
    assert after["room"] == {"takes_questions": True}
    assert after["version"] != before["version"]


def test_a_tablet_hears_that_the_meeting_is_called_off(
    tablet: Tablet, database: Database, event: Event
) -> None:
    before = tablet.get("bundle").get_json()
    assert before["event"]["cancelled"] is False
    with database.writing() as session:
        session.get_one(Event, event.id).state = EventState.CANCELLED
    after = tablet.get("bundle").get_json()
    assert after["event"]["cancelled"] is True
    assert after["version"] != before["version"]
    [told] = tablet.send(tablet.sign_up())
    assert (told["result"], told["reason"]) == ("needs_review", "event_cancelled")


def test_the_bundle_holds_what_a_tablet_needs(tablet: Tablet, event: Event) -> None:
    answer = tablet.get("bundle")
    made = answer.get_json()
    assert made["event"]["code"] == event.code
    assert made["sign_up"]["capacity"] == 10
    assert set(made["texts"]) == set(made["consent"]) == {"it", "en", "ar"}
    assert made["texts"]["it"]["sign_up"] == "Iscriviti"
    assert len(base64.urlsafe_b64decode(made["seal"]["public_key"] + "==")) == 65
    assert tablet.get("bundle", **{"If-None-Match": answer.headers["ETag"]}).status_code == 304
    version = made["version"]
    tablet.send(tablet.sign_up())
    fresh = tablet.get("bundle", **{"If-None-Match": answer.headers["ETag"]})
    assert (fresh.status_code, fresh.get_json()["version"]) == (200, version)


def test_a_sign_up_gets_its_place_once(tablet: Tablet, database: Database, clock: FrozenClock) -> None:
    code = f"{tablet.device['prefix']}-4F2P"
    record = tablet.sign_up("Rosa", email="rosa@example.org", code=code, claim="a" * 22, locale="en")
    first, again = tablet.send(record), tablet.send(record)
    expected = {"result": "confirmed", "place": 1, "of": 10, "code": code.replace("-", "")}
    assert first == [{"client_uuid": record["client_uuid"], "status": 201, **expected}]
    assert again == [{"client_uuid": record["client_uuid"], "status": 200, **expected}]
    with database.session() as session:
        (row,) = session.execute(select(Registration)).scalars()
        assert (row.source, row.locale, row.device_id) == (Source.KIOSK, "en", tablet.device["id"])
        assert session.execute(select(SignUp.taken)).scalar_one() == 1


def test_a_full_meeting_gives_the_number_in_the_queue(tablet: Tablet) -> None:
    results = tablet.send(*(tablet.sign_up(f"P{n}") for n in range(12)))
    assert [result["result"] for result in results] == ["confirmed"] * 10 + ["waiting"] * 2
    assert [result["number"] for result in results[10:]] == [1, 2]


def test_the_same_contact_again_reads_like_a_first_time(tablet: Tablet, database: Database) -> None:
    first, second = tablet.send(
        tablet.sign_up("Rosa", email="rosa@example.org"), tablet.sign_up("Un altro", email="rosa@example.org")
    )
    assert (first["result"], second["result"]) == ("confirmed", "confirmed")
    assert set(first) == set(second)
    with database.session() as session:
        assert session.execute(select(SignUp.taken)).scalar_one() == 1


def test_one_number_with_two_contents_goes_to_a_person(tablet: Tablet, database: Database) -> None:
    record = tablet.sign_up("Rosa")
    tablet.send(record)
    other = tablet.sign_up("Ugo", client_uuid=record["client_uuid"])
    moved = tablet.write("idea", client_uuid=record["client_uuid"], text="Panchine")
    for sent in (other, moved, other):
        (result,) = tablet.send(sent)
        assert (result["status"], result["result"], result["reason"]) == (409, "needs_review", "conflict")
    kept = tray(database)
    assert [item.reason for item in kept] == ["conflict", "conflict"]
    assert kept[0].payload["said"]["name"] == "Ugo"
    assert count(database, Registration) == 1
    assert count(database, Contribution) == 0


def test_what_is_refused_for_good_is_kept_with_its_words(tablet: Tablet, database: Database) -> None:
    sent = (
        tablet.sign_up("Rosa", phone="abc"),
        tablet.sign_up("Rosa", consent=False),
        tablet.sign_up("", email="x@example.org"),
        tablet.write("how_it_was", stars=9),
        tablet.write("idea", text="x" * 5001),
        tablet.write("walk_in", name="Rosa"),
    )
    results = tablet.send(*sent, tablet.sign_up("Ugo"))
    assert [result["status"] for result in results] == [422] * 6 + [201]
    assert [result["reason"] for result in results[:-1]] == [
        "phone:bad_phone",
        "consent:consent_needed",
        "name:name_missing",
        "stars:out_of_range",
        "text:too_long",
        "door_only",
    ]
    assert [item.payload["said"].get("name") for item in tray(database)[:3]] == ["Rosa", "Rosa", ""]
    assert [one["status"] for one in tablet.send(*sent)] == [422] * 6
    assert len(tray(database)) == 6


def test_ideas_questions_and_how_it_was_reach_the_lab(tablet: Tablet, database: Database) -> None:
    records = (
        tablet.write("idea", text="Una panchina all'ombra", name="Rosa", locale="it"),
        tablet.write("question", text="Quando finisce il cantiere?", locale="en"),
        tablet.write("how_it_was", stars=4, text="Bello", locale="it"),
        tablet.write("how_it_was", stars=5),
    )
    first, again = tablet.send(*records), tablet.send(*records)
    assert [result["result"] for result in first] == ["received"] * 4
    assert [result["status"] for result in again] == [200] * 4
    assert [result.get("receipt") for result in again] == [result.get("receipt") for result in first]
    with database.session() as session:
        said = list(session.execute(select(Contribution).order_by(Contribution.id)).scalars())
        assert [one.channel for one in said] == [Channel.KIOSK] * 3
        assert {one.visibility for one in said} == {Visibility.WAITING}
        assert said[1].lang == "en"
        assert session.execute(select(RoomQuestion.contribution_id)).scalars().all() == [said[1].id]
        assert session.execute(select(HowItWas.stars).order_by(HowItWas.id)).scalars().all() == [4, 5]


def test_what_cannot_be_opened_is_kept_as_it_came(tablet: Tablet, database: Database) -> None:
    tampered = tablet.sign_up("Rosa")
    text = tampered["sealed"]["ct"]
    tampered["sealed"] = {**tampered["sealed"], "ct": ("B" if text[0] == "A" else "A") + text[1:]}
    swapped = {**tablet.sign_up("Ugo"), "kind": "walk_in"}
    newer = tablet.sign_up("Ada", v=4)
    foreign = tablet.sign_up("Ida", event="EV91")
    odd = {"client_uuid": "no", "kind": "sign_up", "sealed": "\ud800\0"}
    sent: list[Any] = [tampered, swapped, newer, foreign, odd, 7, None, {"a": [[[[[[[[[1]]]]]]]]]}]
    results = tablet.send(*sent)
    assert [result["status"] for result in results] == [422] * 8
    reasons = [result["reason"] for result in results]
    assert reasons[:5] == ["unreadable", "unreadable", "unknown_version", "other_event", "malformed"]
    assert [result["status"] for result in tablet.send(*sent)] == [422] * 8
    kept = tray(database)
    assert len(kept) == 8
    assert kept[0].payload["envelope"]["sealed"] == tampered["sealed"]
    assert count(database, Registration) == 0


def test_applications_of_the_two_releases_before_are_understood(tablet: Tablet, database: Database) -> None:
    results = tablet.send(
        tablet.write(
            "sign_up", v=1, name="Rosa", people=2, contact="rosa@example.org", consent=True, answers=[]
        ),
        tablet.write("sign_up", v=2, name="Ugo", party_size=1, consent=True, answers=[]),
        tablet.write("idea", v=1, words="Panchine"),
    )
    assert [result["result"] for result in results] == ["confirmed", "confirmed", "received"]
    with database.session() as session:
        rows = session.execute(select(Registration.email, Registration.party_size).order_by(Registration.id))
        assert [tuple(row) for row in rows] == [("rosa@example.org", 2), (None, 1)]


def test_a_clock_a_day_wrong_changes_nothing_official(
    tablet: Tablet, database: Database, clock: FrozenClock
) -> None:
    clock.move_to(later(60))
    day = timedelta(days=1)
    tablet.send(
        tablet.sign_up("Ahead", at=later(30) + day, offset=-86_400_000),
        tablet.sign_up("Behind", at=later(30) - day, offset=86_400_000),
        tablet.sign_up("Unmeasured ahead", at=later(30) + day),
        tablet.sign_up("Unmeasured behind", at=later(30) - day),
        {**tablet.sign_up("Absurd"), "created_at": "gestern", "clock_offset_ms": 10**30},
    )
    with database.session() as session:
        rows = session.execute(select(Registration).order_by(Registration.id)).scalars().all()
    assert [row.said_at for row in rows] == [later(30), later(30), later(60), NOW, later(60)]
    assert {row.created_at for row in rows} == {later(60)}


def test_what_was_said_in_time_gets_in_however_late_it_comes(
    tablet: Tablet, database: Database, clock: FrozenClock, event: Event
) -> None:
    said = event.starts_at + timedelta(minutes=30)
    in_time, too_late = tablet.sign_up("Rosa", at=said), tablet.sign_up("Ugo", at=said + timedelta(days=2))
    clock.move_to(event.starts_at + timedelta(days=20))
    results = tablet.send(in_time, too_late)
    assert [result.get("reason", result["result"]) for result in results] == ["confirmed", "sign_up_closed"]


def test_a_stolen_token_opens_nothing(
    tablet: Tablet, database: Database, acting: Acting, client: FlaskClient
) -> None:
    for path in ("/regia", "/api/v1/events", "/io"):
        with_token = client.get(path, headers=tablet.headers)
        assert with_token.status_code == client.get(path).status_code
    with database.writing() as session:
        devices.revoke(acting(session, "facilitator"), tablet.device["id"])
    taken = tablet.client.delete("/totem/api/lease", json={"used": 0}, headers=tablet.headers)
    answers = [tablet.get(path) for path in ("bundle", "people")]
    sent = {"records": {"records": [tablet.seq]}, "lease": {"seats": 1}}
    for answer in (*answers, *(tablet.post(path, body) for path, body in sent.items()), taken):
        assert (answer.status_code, answer.get_json()["code"]) == (401, "unknown_device")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_ends_a_month_after_the_meeting(tablet: Tablet, event: Event, clock: FrozenClock) -> None:
    clock.move_to(event.starts_at + timedelta(days=29))
    assert tablet.get("bundle").status_code == 200
    clock.move_to(event.starts_at + timedelta(days=31))
    assert tablet.get("bundle").status_code == 401


def test_a_record_that_breaks_us_holds_up_nobody(
    tablet: Tablet, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(kiosk_words.audit, "record", broken)
    idea, person = tablet.write("idea", text="Panchine"), tablet.sign_up("Rosa")
    results = tablet.send(idea, person)
    assert [(result["status"], result.get("reason")) for result in results] == [(422, "fault"), (201, None)]
    assert tray(database)[0].payload["said"]["text"] == "Panchine"


def test_too_many_at_once_and_no_json_are_refused(tablet: Tablet) -> None:
    assert tablet.post("records", {"records": [{}] * 21}).status_code == 400
    assert tablet.post("records", [1]).status_code == 400
    answer = tablet.client.post("/totem/api/records", data=b"{" * 9000, headers=tablet.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "no_json")
    heavy = tablet.client.post("/totem/api/records", data=b" " * 2_100_000, headers=tablet.headers)
    assert heavy.status_code == 413


def test_the_tablet_says_how_it_is(tablet: Tablet, database: Database) -> None:
    tablet.send(queue=3, application="abc")
    with database.session() as session:
        assert session.get_one(Device, tablet.device["id"]).report == {"queue": 3, "application": "abc"}
    tablet.send()
    with database.session() as session:
        assert session.get_one(Device, tablet.device["id"]).report["queue"] == 3


def test_the_door_reads_the_list_and_marks_who_comes(
    app: Flask, database: Database, event: Event, tablet: Tablet
) -> None:
    door = paired(app, database, event, mode=DeviceMode.DOOR)
    tablet.send(tablet.sign_up("Rosa", claim="c" * 22))
    assert tablet.get("people").status_code == 403
    (rosa,) = door.get("people").get_json()["people"]
    assert (rosa["name"], rosa["arrived_at"]) == ("Rosa", None)
    came = door.write("check_in", code=rosa["code"])
    walked = door.write("walk_in", name="Ugo", party_size=2, code=f"{door.device['prefix']}2345")
    first, again, scan, walk_in, unknown = door.send(
        came, came, door.write("check_in", claim="c" * 22), walked, door.write("check_in", code="ZZZZ")
    )
    assert (first["result"], first["name"], first["people"]) == ("arrived", "Rosa", 1)
    assert (again["status"], again["result"]) == (200, "arrived")
    assert scan["result"] == "already_in"
    assert (walk_in["result"], walk_in["code"]) == ("arrived", f"{door.device['prefix']}2345")
    assert unknown["reason"] == "no_registration"
    answer = tablet.post("records", {"records": [tablet.write("check_in", code=rosa["code"])]}).get_json()
    assert "name" not in answer["results"][0]
    assert answer["head_count"] == 3


def test_two_people_with_one_code_both_get_in(tablet: Tablet) -> None:
    code = f"{tablet.device['prefix']}2222"
    first, second = tablet.send(tablet.sign_up("Rosa", code=code), tablet.sign_up("Ugo", code=code))
    assert first["code"] == code
    assert (second["result"], second["code"] != code) == ("confirmed", True)


def test_places_lent_are_promised_and_kept(
    tablet: Tablet, database: Database, event: Event, clock: FrozenClock
) -> None:
    lease = tablet.post("lease", {"seats": 4}).get_json()["lease"]
    assert lease["seats"] == 4
    others = tablet.send(*(tablet.sign_up(f"P{n}") for n in range(7)))
    assert [one["result"] for one in others] == ["confirmed"] * 6 + ["waiting"]
    promised = tablet.sign_up("Rosa", party_size=2, lease_id=lease["id"])
    clock.advance(timedelta(days=2))
    (result,) = tablet.send(promised)
    assert (result["result"], result["place"]) == ("confirmed", 7)
    answer = tablet.client.delete("/totem/api/lease", json={"used": 3}, headers=tablet.headers)
    assert answer.get_json()["lease"]["seats"] == 3
    with database.session() as session:
        books = session.get_one(SignUp, event.id)
        # the one who waited got the place that came back; the promise on its way still has its own
        assert (books.taken, books.lent, books.waiting) == (9, 1, 0)
    (last,) = tablet.send(tablet.sign_up("Ida", lease_id=lease["id"], at=NOW))
    assert last["result"] == "confirmed"
    assert tablet.post("lease", {"seats": 2}).get_json()["code"] == "no_places"
    with database.session() as session:
        books = session.get_one(SignUp, event.id)
        assert (books.taken, books.lent) == (10, 0)
        states = session.execute(select(Registration.state)).scalars().all()
        assert set(states) == {RegistrationState.CONFIRMED}


def test_a_full_group_breaks_a_promise_where_a_person_sees_it(
    tablet: Tablet, database: Database, event: Event
) -> None:
    with database.writing() as session:
        group = SeatGroup(event_id=event.id, name="Scala C", reserved=0, most=1)
        session.add(group)
        session.get_one(SignUp, event.id).has_groups = True
    lease = tablet.post("lease", {"seats": 4}).get_json()["lease"]
    more: dict[str, Any] = {"group_id": group.id, "lease_id": lease["id"]}
    records = [tablet.sign_up("Rosa", **more), tablet.sign_up("Ugo", **more)]
    first, second = tablet.send(*records)
    assert (first["result"], second["result"]) == ("confirmed", "waiting")
    assert [item.reason for item in tray(database)] == ["promised_place"]
    assert [one["result"] for one in tablet.send(*records)] == ["confirmed", "waiting"]
    with database.session() as session:
        books = session.get_one(SignUp, event.id)
        assert (books.taken, books.lent, books.waiting) == (1, 2, 1)


def test_answers_arrive_as_the_tablet_holds_them(tablet: Tablet, database: Database, event: Event) -> None:
    with database.writing() as session:
        asked = [
            EventQuestion(event_id=event.id, kind=kind, label=kind.value, options=["a", "b"])
            for kind in QuestionKind
        ]
        session.add_all(asked)
    given = {"text": "sì", "one": "a", "many": ["a", "b"], "yes_no": True, "number": 3}
    answers = {str(one.id): given[one.kind.value] for one in asked}
    (result,) = tablet.send(tablet.sign_up("Rosa", answers=answers))
    assert result["result"] == "confirmed"
    with database.session() as session:
        kept = session.execute(select(Registration.answers)).scalar_one()
    assert set(map(str, kept.values())) == {"sì", "a", "['a', 'b']", "yes", "3"}


def test_a_question_asked_since_keeps_nobody_out(tablet: Tablet, database: Database, event: Event) -> None:
    record = tablet.sign_up("Rosa")
    with database.writing() as session:
        kind = QuestionKind.TEXT
        session.add(EventQuestion(event_id=event.id, kind=kind, label="Da dove vieni?", is_required=True))
    assert [one["result"] for one in tablet.send(record)] == ["confirmed"]


def test_easy_pins_are_refused() -> None:
    assert pins.is_pin("2580")
    assert not any(pins.is_pin(text) for text in ("258", "123456789", "1111", "1234", "25a0", ""))


def faults(value: Any, schema: dict[str, Any], named: dict[str, Any], at: str = "") -> list[str]:
    """Where an answer is not what the description says; fields that it does not name count too."""
    if "$ref" in schema:
        return faults(value, named[schema["$ref"].rsplit("/", 1)[1]], named, at)
    if "anyOf" in schema:
        return min((faults(value, one, named, at) for one in schema["anyOf"]), key=len)
    kinds: dict[str, type] = {
        "string": str, "integer": int, "boolean": bool, "null": type(None), "array": list, "object": dict
    }  # fmt: skip
    if type(value) is not kinds[schema["type"]] or value not in schema.get("enum", [value]):
        return [f"{at}: {value!r}"]
    if isinstance(value, list):
        return [
            one for n, part in enumerate(value) for one in faults(part, schema["items"], named, f"{at}/{n}")
        ]
    if not isinstance(value, dict) or ("properties" not in schema and "additionalProperties" not in schema):
        return []
    known = schema.get("properties", {})
    missing = [f"{at}: {name} is missing" for name in schema.get("required", []) if name not in value]
    rest = schema.get("additionalProperties")
    return missing + [
        one
        for name, part in value.items()
        for one in (
            faults(part, known.get(name, rest), named, f"{at}/{name}")
            if known.get(name, rest)
            else [f"{at}/{name} is not described"]
        )
    ]


def test_the_description_says_what_is_answered(
    app: Flask, database: Database, event: Event, acting: Acting, client: FlaskClient
) -> None:
    described = client.get("/totem/api/openapi.json").get_json()
    named = described["components"]["schemas"]
    routes = {str(rule) for rule in app.url_map.iter_rules() if str(rule).startswith("/totem/api/")}
    assert {f"/totem/api{path}" for path in described["paths"]} == routes
    door = paired(app, database, event, mode=DeviceMode.DOOR)
    with database.writing() as session:
        _, code = devices.make_code(acting(session, "facilitator"), NewCode(event.id, "Ingresso", PIN))
    sending = {
        "records": [
            door.sign_up("Rosa"), door.write("walk_in", name="Ugo", party_size=10), door.sign_up("Ida"),
            door.write("check_in", code="ZZZZ"), door.write("idea", text="Panchine"),
        ],
        "report": {"queue": 0},
    }  # fmt: skip
    bodies = {"/pair": {"code": code}, "/records": sending, "/lease": {"seats": 2}}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            body = bodies.get(path) if method == "post" else {"used": 0} if method == "delete" else None
            for headers, expected in ((door.headers, None), ({}, 401)):
                answer = client.open(f"/totem/api{path}", method=method.upper(), json=body, headers=headers)
                if "security" in operation and expected:
                    continue
                told = operation["responses"][str(answer.status_code)]["content"]
                (schema,) = (one["schema"] for one in told.values())
                assert faults(answer.get_json(), schema, named, path) == []
                assert expected in (None, answer.status_code)
    sending_records = described["paths"]["/records"]["post"]
    assert {"400", "401", "413", "429", "503"} <= sending_records["responses"].keys()
    shape = sending_records["requestBody"]["content"]["application/json"]["schema"]
    assert faults(sending, shape, named) == []
