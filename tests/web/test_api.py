"""What programs read: only what is public, whole, in few statements, and as its description says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.kernel.ids import format_receipt_code, new_receipt_code
from lab.models.actions import Action
from lab.models.answers import Answer, Verdict
from lab.models.capture import Commitment, CommitmentState
from lab.models.contributions import Contribution, State, Visibility
from lab.models.events import Event, EventKind, EventProject
from lab.models.projects import ProjectFunding
from lab.services import actions, contributions, limits, open_data
from lab.services.actions import Report
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.limits import Limit
from lab.web import api_schema
from lab.web.headers import HEADERS
from tests.services.test_actions import adopted, drafted, inputs_of, merged, proposed
from tests.statements import statements
from tests.world import NOW, World

Acting = Callable[[Session, str], Context]
SignIn = Callable[[str], FlaskClient]

LISTS = ("proposals", "actions", "projects", "events", "commitments", "bodies")
SECRET = "Telefonami al 333"


def place(database: Database, acting: Acting, text: str = "Una panchina", **more: Any) -> Contribution:
    with database.writing() as session:
        return contributions.place(acting(session, "system"), Placement(text=text, **more))


def change(database: Database, acting: Acting, item: Contribution, **values: Any) -> None:
    with database.writing() as session, contributions.changing(acting(session, "system"), item.id) as it:
        for name, value in values.items():
            setattr(it, name, value)


def meeting(database: Database, code: str = "EV01", days: int = 1) -> int:
    with database.writing() as session:
        made = Event(
            code=code, kind=EventKind.WALK, title="Passeggiata", starts_at=NOW + timedelta(days=days)
        )
        session.add(made)
        session.flush()
        return made.id


def promised(database: Database, event_id: int | None, code: str = "I01", **more: Any) -> str:
    with database.writing() as session:
        session.add(
            Commitment(
                **{"code": code, "text": "Tagliare l'erba", "event_id": event_id, "owner_name": "La scala B",
                   "created_at": NOW, "is_public": True, **more}
            )
        )  # fmt: skip
    return code


def get(client: FlaskClient, path: str, status: int = 200) -> Any:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == status, answer.text
    return json.loads(answer.data.decode("utf-8"))


def walk(client: FlaskClient, path: str) -> list[str]:
    """The codes on all pages of a list, by following `next`."""
    found: list[str] = []
    following: str | None = f"/api/v1/{path}"
    while following:
        split = urlsplit(following)
        answer = client.get(f"{split.path}?{split.query}")
        assert answer.status_code == 200, answer.text
        page = answer.json
        found += [one["code"] for one in page["items"]]
        following = page["next"]
        assert answer.headers.get("Link") == (f'<{following}>; rel="next"' if following else None)
    return found


def test_a_proposal_is_told_with_codes_words_and_where_it_stands(
    client: FlaskClient, database: Database, acting: Acting, world: World
) -> None:
    item = place(
        database, acting, "Più ombra, è caldo!", title="Alberi", author_name="Rosetta",
        person_id=world.people["rosa"], theme_id=world.green, place_id=world.park,
        project_ids=(world.project,),
    )  # fmt: skip
    answer = client.get(f"/api/v1/proposals/{item.code}")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    found = answer.json
    assert found["text"] == "Più ombra, è caldo!"
    assert (found["state"], found["kind"], found["author"]) == ("received", "proposal", "Rosetta")
    assert found["theme"] == {"code": "verde", "name": "Verde"}
    assert found["place"] == {"code": "L04", "name": "Parco del Crocione", "x": 690, "y": 470}
    assert [one["code"] for one in found["projects"]] == ["P4"]
    assert found["created_at"] == "2026-11-23T09:00:00Z"
    assert urlsplit(found["url"]).path == f"/proposte/{item.code}"
    assert [step["kind"] for step in found["steps"]] == ["said"]
    [listed] = get(client, "proposals")["items"]
    assert listed == {name: found[name] for name in listed}


def test_nobody_is_numbered_and_receipt_codes_stay_with_their_holders(
    client: FlaskClient, database: Database, acting: Acting, world: World
) -> None:
    item = place(database, acting, author_name="Rosetta", person_id=world.people["rosa"])
    everything = client.get("/api/v1/proposals").text + client.get(f"/api/v1/proposals/{item.code}").text
    for secret in (
        item.receipt_code,
        format_receipt_code(item.receipt_code),
        "receipt",
        "person",
        "example.org",
    ):
        assert secret not in everything


@pytest.mark.parametrize("who", [None, "rosa", "moderator", "coordinator", "administrator", "office"])
@pytest.mark.parametrize("visibility", [v for v in Visibility if v is not Visibility.PUBLIC])
def test_what_is_not_public_shows_nowhere_whoever_asks(
    client: FlaskClient,
    sign_in: SignIn,
    database: Database,
    acting: Acting,
    world: World,
    who: str | None,
    visibility: Visibility,
) -> None:
    action = adopted(database, acting, world)
    event_id = meeting(database)
    secret = place(
        database, acting, SECRET, title=SECRET, person_id=world.people["rosa"], theme_id=world.green,
        place_id=world.park, project_ids=(world.project,), event_id=event_id,
    )  # fmt: skip
    public = place(database, acting, "Letta da tutti")
    with database.writing() as session:
        ctx = acting(session, "system")
        [linked] = inputs_of(session, action.id)
        merged(session, ctx, secret.id, linked.id)
        merged(session, ctx, public.id, secret.id)
    change(database, acting, secret, visibility=visibility, office_id=world.verde)
    browser = sign_in(who) if who else client
    paths = [
        *LISTS, f"proposals/{public.code}", f"proposals/{linked.code}", f"actions/{action.code}",
        "projects/P4", "events/EV01", "bodies/E01", "proposals?state=merged", "proposals?event=EV01",
        "proposals?q=Telefonami",
        f"inputs/{public.receipt_code}", f"inputs/{linked.receipt_code}",
    ]  # fmt: skip
    for path in paths:
        told = browser.get(f"/api/v1/{path}")
        assert told.status_code == 200
        assert SECRET not in told.text and f'"{secret.code}"' not in told.text, path
    assert get(browser, f"proposals/{secret.code}", 404)["status"] == 404
    # Its own holder still reads what became of it.
    assert get(browser, f"inputs/{secret.receipt_code}")["input"]["title"] == SECRET


@pytest.mark.parametrize("who", [None, "facilitator", "office"])
def test_actions_are_told_once_an_office_has_adopted_them(
    client: FlaskClient, sign_in: SignIn, database: Database, acting: Acting, world: World, who: str | None
) -> None:
    quiet = [drafted(database, acting, world), proposed(database, acting, world)]
    known = adopted(database, acting, world)
    with database.session() as session:
        words = [inputs_of(session, action.id)[0] for action in quiet]
    browser = sign_in(who) if who else client
    assert walk(browser, "actions") == [known.code]
    for action, word in zip(quiet, words, strict=True):
        assert get(browser, f"actions/{action.code}", 404)["title"] == "Not Found"
        for path in (f"proposals/{word.code}", f"inputs/{word.receipt_code}", "projects/P4", "bodies/E01"):
            assert f'"{action.code}"' not in browser.get(f"/api/v1/{path}").text


def test_answers_are_told_once_published(
    client: FlaskClient, database: Database, acting: Acting, world: World
) -> None:
    item = place(database, acting)
    with database.writing() as session:
        for reason, at in (("Ancora in bozza", None), ("Lo facciamo", NOW)):
            session.add(
                Answer(
                    contribution_id=item.id, office_id=world.verde if at else world.lavori,
                    verdict=Verdict.ACCEPTED, reason=reason, created_at=NOW, published_at=at,
                )
            )  # fmt: skip
    [given] = get(client, f"proposals/{item.code}")["answers"]
    assert (given["reason"], given["verdict"], given["office"]) == (
        "Lo facciamo", "accepted", "Servizio Verde e Ambiente",
    )  # fmt: skip
    trace = get(client, f"inputs/{item.receipt_code}")
    assert trace["outcome"]["answer"]["reason"] == "Lo facciamo"
    assert "bozza" not in json.dumps(trace)


def test_pages_lead_through_everything_once(
    client: FlaskClient, database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    benches = []
    for number in range(9):
        # Three at the same moment: the second part of the key tells them apart.
        if number % 3 == 0:
            clock.advance(timedelta(minutes=1))
        benches.append(place(database, acting, f"Voce {number} della panchina").code)
        meeting(database, f"EV{number}", days=number // 3)
    made = [adopted(database, acting, world).code for _ in range(3)]
    taken_on = [promised(database, None, f"I{number:02d}") for number in range(5)]
    with database.session() as session:
        said = list(session.execute(select(Contribution.code)).scalars())
    for path, everything in (
        ("proposals?limit=2", said),
        ("proposals?limit=2&q=panchina", benches),
        ("actions?limit=1", made),
        ("events?limit=2", [f"EV{number}" for number in range(9)]),
        ("projects?limit=1", ["P4", "P1"]),
        ("commitments?limit=2", taken_on),
        ("bodies?limit=1", ["E01", "E03"]),
    ):
        found = walk(client, path)
        assert len(found) == len(set(found))
        assert set(found) == set(everything), path


def test_filters_choose_by_code(
    client: FlaskClient, database: Database, acting: Acting, world: World
) -> None:
    event_id = meeting(database)
    one = place(
        database, acting, theme_id=world.green, place_id=world.park, project_ids=(world.project,),
        event_id=event_id,
    )  # fmt: skip
    other = place(database, acting, theme_id=world.repairs)
    change(database, acting, one, office_id=world.verde)
    for query in ("theme=verde", "place=L04", "office=U06", "project=P4", "event=EV01"):
        assert walk(client, f"proposals?{query}") == [one.code]
    assert walk(client, "proposals?theme=casa") == [other.code]
    assert set(walk(client, "proposals?state=received&kind=proposal")) == {one.code, other.code}
    assert walk(client, "proposals?state=done") == []
    with database.writing() as session:
        merged(session, acting(session, "system"), other.id, one.id)
    assert walk(client, "proposals") == [one.code]
    [aside] = get(client, "proposals?state=merged")["items"]
    assert (aside["code"], aside["merged_into"]["code"]) == (other.code, one.code)
    action = adopted(database, acting, world)
    assert walk(client, "actions?office=U06&project=P4&state=to_start&kind=work") == [action.code]
    assert walk(client, "actions?project=P1") == []
    assert walk(client, "projects?office=U03") == ["P1"]
    assert walk(client, "projects?state=in_design") == ["P4"]
    assert walk(client, "events?kind=walk&state=planned") == ["EV01"]
    assert walk(client, "events?kind=party") == []
    assert walk(client, "bodies?kind=school") == []


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("proposals?limit=0", "limit"),
        ("proposals?limit=101", "limit"),
        ("proposals?limit=-1", "limit"),
        ("proposals?limit=٣", "limit"),
        ("proposals?theme=niente", "theme"),
        ("proposals?theme=" + "x" * 900, "theme"),
        ("proposals?place=%F0%9F%8C%B3%0A", "place"),
        ("proposals?state=taken", "state"),
        ("proposals?kind=", "kind"),
        ("proposals?q=", "q"),
        ("proposals?after=x", "after"),
        ("proposals?after=W10", "after"),
        ("proposals?after=WzEsMl0", "after"),  # two numbers
        ("proposals?after=WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzIzOjU5IiwxXQ", "after"),  # before all years
        ("actions?after=WyJhIl0", "after"),
        ("actions?after=W3RydWVd", "after"),
        ("actions?state=draft&office=nobody", "office"),
        ("events?after=WzFd", "after"),
        ("projects?office=U99", "office"),
        ("bodies?kind=kind", "kind"),
        ("commitments?state=late", "state"),
        ("commitments?after=WyJhIl0", "after"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(
    client: FlaskClient, path: str, parameter: str
) -> None:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert (answer.json["status"], answer.json["parameter"]) == (400, parameter)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_drafts_cannot_be_asked_for(
    client: FlaskClient, database: Database, acting: Acting, world: World
) -> None:
    drafted(database, acting, world)
    assert walk(client, "actions?state=draft") == []


def test_errors_are_problems_for_programs(client: FlaskClient) -> None:
    for path, method, status in (
        ("proposals/NIENTE", "GET", 404),
        ("proposals/" + "x" * 400, "GET", 404),
        ("events/%01", "GET", 404),
        ("niente", "GET", 404),
        ("inputs/abc", "GET", 404),
        (f"inputs/{new_receipt_code()}", "GET", 404),
        ("proposals", "POST", 405),
        ("proposals/x", "DELETE", 405),
    ):
        answer = client.open(f"/api/v1/{path}", method=method)
        assert answer.status_code == status, path
        assert answer.mimetype == "application/problem+json"
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert answer.headers["Cache-Control"] == "no-store"
        assert ("Allow" in answer.headers) is (status == 405)


def test_a_database_that_is_away_is_said_honestly(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("select", {}, Exception("gone"))

    monkeypatch.setattr(open_data, "bodies", away)
    answer = client.get("/api/v1/bodies")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == "10"
    assert "gone" not in answer.text


def test_faults_of_ours_tell_nothing(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("inside")

    monkeypatch.setattr(open_data, "bodies", broken)
    answer = client.get("/api/v1/bodies")
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert "inside" not in answer.text


@pytest.mark.parametrize("path", [*LISTS, "openapi.json", "projects/P4"])
def test_answers_are_kept_and_spared(
    client: FlaskClient, database: Database, acting: Acting, path: str
) -> None:
    first = client.get(f"/api/v1/{path}")
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    with statements(database) as seen:
        again = client.get(f"/api/v1/{path}", headers={"If-None-Match": tag})
        head = client.head(f"/api/v1/{path}")
    assert (again.status_code, again.data) == (304, b"")
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", tag)
    assert head.headers["Content-Type"] == first.headers["Content-Type"]
    assert not [one for one in seen if "contribution" in one]
    if path == "proposals":
        place(database, acting, "Adesso è un'altra")
        assert client.get("/api/v1/proposals", headers={"If-None-Match": tag}).status_code == 200


def test_the_trace_leads_from_the_words_to_what_was_done(
    client: FlaskClient, database: Database, acting: Acting, world: World
) -> None:
    action = adopted(database, acting, world)
    with database.writing() as session:
        actions.report(acting(session, "office"), Report(action.id, "Gli operai sono arrivati", progress=40))
        ctx = acting(session, "system")
        [target] = inputs_of(session, action.id)
        with contributions.changing(ctx, target.id) as it:
            it.theme_id, it.office_id = world.green, world.verde
    source = place(database, acting, "Anch'io ho sete", author_name="Rosetta")
    with database.writing() as session:
        merged(session, acting(session, "system"), source.id, target.id)
    found = get(client, f"inputs/{format_receipt_code(source.receipt_code).lower()}")
    assert found["receipt"] == format_receipt_code(source.receipt_code)
    assert found["input"]["excerpt"] == "Anch'io ho sete"
    assert found["merges"]["into"]["code"] == target.code
    assert found["theme"]["code"] == "verde"
    assert found["office"]["code"] == "U06"
    assert [one["code"] for one in found["actions"]] == [action.code]
    assert [one["code"] for one in found["projects"]] == ["P4"]
    assert found["conventions"] == []
    assert [(one["action"], one["text"], one["progress"]) for one in found["updates"]] == [
        (action.code, "Gli operai sono arrivati", 40)
    ]
    assert found["outcome"]["state"] == "taken_up"
    assert {"said", "adopted"} <= {step["kind"] for step in found["steps"]}
    assert "Rosetta" not in json.dumps(found)
    back = get(client, f"inputs/{target.receipt_code}")
    assert [one["code"] for one in back["merges"]["took_in"]] == [source.code]
    assert source.receipt_code not in json.dumps(back)


def test_a_trace_is_kept_nowhere_and_codes_cannot_be_tried_out(
    client: FlaskClient, database: Database, acting: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = place(database, acting)
    answer = client.get(f"/api/v1/inputs/{item.receipt_code}")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "ETag" not in answer.headers
    monkeypatch.setattr(limits, "RECEIPT_PER_ADDRESS", Limit("receipt_address", 4, 900))
    for _ in range(3):
        assert client.get(f"/api/v1/inputs/{new_receipt_code()}").status_code == 404
    stopped = client.get(f"/api/v1/inputs/{item.receipt_code}")
    assert (stopped.status_code, stopped.mimetype) == (429, "application/problem+json")
    assert int(stopped.headers["Retry-After"]) > 0


def test_more_rows_send_no_more_statements(
    client: FlaskClient, database: Database, acting: Acting, world: World
) -> None:
    def fill(times: int) -> tuple[Contribution, Action]:
        for number in range(times):
            item = place(database, acting, theme_id=world.green, project_ids=(world.project,))
            promised(database, meeting(database, f"EV{times}{number}"), f"I{times}{number}")
        return item, adopted(database, acting, world, count=times)

    def count(item: Contribution, action: Action, mark: str) -> dict[str, int]:
        sent = {}
        for path in (
            *LISTS, "proposals?theme=verde&project=P4&state=received", "proposals?q=panchina",
            f"proposals/{item.code}", f"actions/{action.code}", "projects/P4", "events/EV10", "bodies/E01",
            "commitments/I10", f"inputs/{item.receipt_code}",
        ):  # fmt: skip
            with statements(database) as seen:
                get(client, f"{path}{'&' if '?' in path else '?'}n={mark}")
            sent[path.split("/")[0] + ("/" if "/" in path else path)] = len(seen)
        return sent

    few = count(*fill(1), "1")
    assert count(*fill(30), "2") == few
    assert max(number for path, number in few.items() if not path.startswith("inputs")) <= 6, few
    assert few["inputs/"] <= 12


def test_promises_are_told_once_the_minutes_and_the_meeting_are_public(
    client: FlaskClient, database: Database, world: World, acting: Acting
) -> None:
    event_id = meeting(database)
    promised(database, event_id, office_id=world.verde, due_on=date(2026, 12, 1))
    promised(database, None, "I02", body_id=world.aler, state=CommitmentState.KEPT, note="Fatto.")
    promised(database, event_id, "I03", is_public=False)
    found = get(client, "commitments/I01")
    assert (found["text"], found["due_on"], found["state"]) == ("Tagliare l'erba", "2026-12-01", "open")
    assert (found["office"]["code"], found["event"]["code"], found["body"]) == ("U06", "EV01", None)
    assert found["owner"] == found["office"]["name"]
    assert urlsplit(found["url"]).path + "#" + urlsplit(found["url"]).fragment == "/eventi/EV01#I01"
    for query in ("office=U06", "event=EV01", "state=open"):
        assert walk(client, f"commitments?{query}") == ["I01"]
    assert walk(client, "commitments?body=E03") == walk(client, "commitments?state=kept") == ["I02"]
    get(client, "commitments/I03", 404)
    assert walk(client, "commitments?project=P4") == []
    with database.writing() as session:
        session.add(EventProject(event_id=event_id, project_id=world.project))
    answers = place(database, acting, project_ids=(world.project,)).id
    promised(database, None, "I04", contribution_id=answers)
    assert walk(client, "commitments?project=P4") == ["I04", "I01"]
    with database.writing() as session:
        session.get_one(Event, event_id).is_public = False
    assert walk(client, "commitments") == ["I04", "I02"]
    get(client, "commitments/I01", 404)


# --- the description --------------------------------------------------------------------------------------


def test_every_route_is_described_and_nothing_else(app: Flask, client: FlaskClient) -> None:
    described = get(client, "openapi.json")
    routes = {
        rule.rule.removeprefix("/api/v1").replace("<", "{").replace(">", "}")
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
    }
    assert set(described["paths"]) == routes
    assert {method for path in described["paths"].values() for method in path} == {"get"}
    assert described["openapi"].startswith("3.1")
    assert described["servers"][0]["url"].endswith("/api/v1")


def test_every_filter_described_is_heard(client: FlaskClient) -> None:
    for path, item in get(client, "openapi.json")["paths"].items():
        for parameter in item["get"].get("parameters", ()):
            if parameter["in"] == "query":
                answer = client.get(f"/api/v1{path}", query_string={parameter["name"]: "\x01?"})
                assert (answer.status_code, answer.json["parameter"]) == (400, parameter["name"])


def faults(value: Any, schema: dict[str, Any], described: dict[str, Any], at: str = "") -> list[str]:
    """Where a value is not what its schema says; fields that no schema names count too."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return faults(value, described["components"]["schemas"][name], described, at)
    if "anyOf" in schema:
        tries = [faults(value, one, described, at) for one in schema["anyOf"]]
        return min(tries, key=len)
    kinds = {
        "string": str,
        "integer": int,
        "boolean": bool,
        "null": type(None),
        "array": list,
        "object": dict,
    }
    if type(value) is not kinds[schema["type"]]:
        return [f"{at}: {value!r} is no {schema['type']}"]
    if schema["type"] == "array":
        return [
            one
            for n, part in enumerate(value)
            for one in faults(part, schema["items"], described, f"{at}/{n}")
        ]
    if schema["type"] == "object":
        known = schema["properties"]
        found = [f"{at}: {name}" for name in set(value) ^ set(known) | set(schema["required"]) ^ set(known)]
        return found + [
            one
            for name in value
            if name in known
            for one in faults(value[name], known[name], described, f"{at}/{name}")
        ]
    return _value_faults(value, schema, at)


def _value_faults(value: Any, schema: dict[str, Any], at: str) -> list[str]:
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at}: {value!r} is none of {schema['enum']}"]
    if type(value) is int and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        return [f"{at}: {value} is out of range"]
    form = schema.get("format")
    try:
        if form == "date-time":
            assert value.endswith("Z") and datetime.fromisoformat(value).tzinfo
        elif form == "date":
            date.fromisoformat(value)
        elif form == "uri":
            assert urlsplit(value).scheme in ("http", "https") and urlsplit(value).netloc
    except (AssertionError, ValueError):
        return [f"{at}: {value!r} is no {form}"]
    return []


def test_answers_are_what_the_description_says(
    client: FlaskClient, database: Database, acting: Acting, world: World
) -> None:
    event_id = meeting(database)
    action = adopted(database, acting, world, count=2)
    with database.writing() as session:
        actions.report(acting(session, "office"), Report(action.id, "Avanti", progress=10))
        session.add(ProjectFunding(project_id=world.project, source="Regione", cents=123_456))
        word = inputs_of(session, action.id)[0]
    item = place(
        database, acting, theme_id=world.green, place_id=world.park, event_id=event_id, pin=(10, 1000),
        project_ids=(world.project,),
    )  # fmt: skip
    with database.writing() as session:
        session.add(
            Answer(
                contribution_id=item.id, office_id=world.verde, body_id=world.aler, verdict=Verdict.PASSED_ON,
                reason="Tocca ad ALER", created_at=NOW, published_at=NOW,
            )
        )  # fmt: skip
    codes = {
        "proposals": item.code, "actions": action.code, "projects": "P4", "events": "EV01", "bodies": "E01",
        "inputs": word.receipt_code, "commitments": promised(database, event_id, office_id=world.verde),
    }  # fmt: skip
    described = get(client, "openapi.json")
    for path, operation in described["paths"].items():
        if path == "/openapi.json":
            continue
        answers = operation["get"]["responses"]
        schema = answers["200"]["content"]["application/json"]["schema"]
        found = get(client, path[1:].replace("{code}", codes[path.split("/")[1]]))
        assert faults(found, schema, described) == []
        assert found.get("items", True)
        wrong = get(client, f"{path[1:]}?limit=x" if "400" in answers else path[1:].replace("{code}", "-"),
                    400 if "400" in answers else 404)  # fmt: skip
        schema = answers["400" if "400" in answers else "404"]["content"]["application/problem+json"][
            "schema"
        ]
        assert faults(wrong, schema, described) == []
    assert get(client, "projects/P4")["funding"] == [{"source": "Regione", "cents": 123_456}]


def test_states_of_the_description_are_those_of_the_lab() -> None:
    described = api_schema.document("https://lab.example.org")
    assert described["components"]["schemas"]["Proposal"]["properties"]["state"]["enum"] == [
        state.value for state in State
    ]


def test_the_page_about_data_leads_to_everything(client: FlaskClient) -> None:
    page = client.get("/dati").text
    for path in (*LISTS, "openapi.json"):
        assert f'href="/api/v1/{path}"' in page
