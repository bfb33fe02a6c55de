"""Walks every address there is, as everybody there is, on the whole demo: nothing breaks, nothing leaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from bench import data
from lab.app import create_app
from lab.cli.demo import loader
from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.models.accounts import Person, RoleGrant
from lab.models.contributions import Contribution, State
from lab.models.conversation import Comment
from lab.models.pictures import Photo
from lab.policy import rules
from lab.policy.actor import ANONYMOUS, SYSTEM, Actor, Grant
from lab.services.context import Context
from lab.settings import Settings
from lab.web import access, fragments
from lab.web.headers import HEADERS
from tests.html import faults, links
from tests.statements import statements
from tests.world import NOW, open_session

READERS = {
    "nobody": None,
    "resident": "residente@demo.example",
    "facilitator": "facilitatore@demo.example",
    "moderator": "moderatore@demo.example",
    "office": "ufficio@demo.example",
    "coordinator": "responsabile@demo.example",
    "administrator": "amministratore@demo.example",
}
#: Statements a page for everybody may send.
STATEMENTS = 6
LANGUAGES = ("it", "en", "ar")
#: The tablet's script sends its form. Were it ever sent without, POST keeps the words out of the address.
SCRIPT_ALONE = {("POST", "/totem")}


@dataclass
class Walk:
    """What one reader was answered at every address, and what was written into the database meanwhile."""

    answers: list[tuple[Rule, str, TestResponse]]
    writes: list[str]


@dataclass
class Site:
    """The demo, served; a browser for each reader."""

    app: Flask
    database: Database
    browsers: dict[str, FlaskClient]
    actors: dict[str, Actor]
    examples: dict[str, list[dict[str, Any]]]
    walks: dict[str, Walk] = field(default_factory=dict)

    def walk(self, who: str) -> Walk:
        """Every address, opened once by this reader for all tests."""
        if who not in self.walks:
            with statements(self.database) as sent:
                answers = [
                    (rule, path, self.browsers[who].get(path))
                    for rule in self.rules()
                    for path in self.paths(rule)
                ]
            writes = [one for one in sent if re.match(r"\s*(INSERT|UPDATE|DELETE)", one)]
            self.walks[who] = Walk(answers, writes)
        return self.walks[who]

    def rules(self) -> list[Rule]:
        """Every route that answers GET."""
        return [rule for rule in self.app.url_map.iter_rules() if "GET" in (rule.methods or ())]

    def paths(self, rule: Rule) -> list[str]:
        """The addresses of a route with examples for what is variable in it."""
        if not rule.arguments:
            return [rule.rule]
        with self.app.test_request_context():
            adapter = self.app.url_map.bind("localhost")
            return [adapter.build(rule.endpoint, values) for values in self._values(rule)]

    def _values(self, rule: Rule) -> list[dict[str, Any]]:
        known = self.examples.get(rule.endpoint, self.examples.get(rule.endpoint.split(".")[0], []))
        return [
            {name: values[name] for name in rule.arguments}
            for values in known
            if rule.arguments <= set(values)
        ]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    factory = request.getfixturevalue(f"{request.param}_factory")
    url = factory.make()
    database = Database(url)
    with database.writing() as session:
        loader.load(Context(session, SYSTEM, NOW), NOW.date())
    app = _app(database, url, tmp_path_factory.mktemp("walk"), page_cache=0)
    yield Site(app, database, _browsers(app, database), _actors(database), _examples(database))
    database.dispose()
    factory.drop(url)


def _app(database: Database, url: str, home: Path, page_cache: int) -> Flask:
    settings = Settings.from_environ(
        {
            "LAB_HOME": str(home),
            "LAB_DATABASE_URL": url.replace("postgresql+psycopg://", "postgresql://"),
            "LAB_SECRET_KEY": "for-tests-only-" + "x" * 32,
            "LAB_LOG_LEVEL": "ERROR",
            "LAB_PAGE_CACHE_BYTES": str(page_cache),
        }
    )
    app = create_app(settings, FrozenClock(NOW), database)
    app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=False)
    return app


def _browsers(app: Flask, database: Database) -> dict[str, FlaskClient]:
    found = {}
    for who, email in READERS.items():
        found[who] = app.test_client()
        if email is None:
            continue
        with database.writing() as session:
            person = session.execute(select(Person.id).where(Person.email == email)).scalar_one()
            token = open_session(session, person)
        with found[who].session_transaction() as cookie:
            cookie.update({"_user_id": token, "_fresh": True})
    return found


def _actors(database: Database) -> dict[str, Actor]:
    found = {"nobody": ANONYMOUS}
    with database.session() as session:
        for who, email in READERS.items():
            person = session.execute(select(Person).where(Person.email == email)).scalar_one_or_none()
            if person is None:
                continue
            held = session.execute(select(RoleGrant).where(RoleGrant.person_id == person.id)).scalars()
            grants = tuple(Grant(one.role, one.office_id, one.body_id, one.seat_code) for one in held)
            found[who] = Actor(person.id, person.name, grants)
    return found


def _examples(database: Database) -> dict[str, list[dict[str, Any]]]:
    """What may stand in an address, by endpoint or by blueprint."""
    with database.session() as session:
        codes = [
            session.execute(select(Contribution.code).where(Contribution.state == state).limit(1)).scalar()
            for state in State
        ]
        receipt = session.execute(select(Contribution.receipt_code).limit(1)).scalar_one()
        comment = session.execute(select(Comment.id).limit(1)).scalar_one()
        person = session.execute(select(Person.id).limit(1)).scalar_one()
        photo = session.execute(select(Photo.name).limit(1)).scalar()
    said = [{"code": code} for code in codes if code]
    return {
        "proposals": said,
        "comments": [{"comment_id": comment}, *said],
        "desk": said,
        "intake": said,
        "receipts": [{"code": receipt}, {"code": "2222-2222"}],
        "actions": [{"code": "A01"}, {"code": "A04"}],
        "weaving": [{"code": "A01"}, {"code": "A04"}],
        "projects": [{"code": f"P{n}"} for n in range(1, 9)],
        "project_desk": [
            {"code": "P4", "section": section, "part": 1}
            for section in ("dati", "tappe", "soldi", "soggetti", "stato", "indicatori", "persone")
        ],
        "programme.body": [{"code": "E01"}, {"code": "E03"}],
        "programme.office": [{"code": "U06"}, {"code": "U03"}],
        "programme_desk": [{"section": one, "key": 1} for one in ("fasi", "soggetti", "uffici", "programma")],
        "plan": [{"code": "L04"}],
        "events": [{"code": "EV01", "number": 1}, {"code": "EV13"}, {"code": "EV15"}, {"code": "EV16"}],
        "event_desk": [{"code": "EV01"}, {"code": "EV16"}],
        "capture": [{"code": "EV15", "line_code": "PR01"}, {"code": "EV03", "line_code": "PR01"}],
        "minutes": [{"code": "EV15"}],
        "door": [{"code": "EV16", "number": 1, "registration_id": 1}],
        "sign_up": [{"code": "EV16"}, {"code": "EV01"}, {"code": "EV17"}],
        "sign_up_desk": [{"code": "EV16", "registration_id": 1}, {"code": "EV16", "registration_id": 40}],
        "tickets": [{"key": "nessuna-chiave-apre-questo"}],
        "room": [{"code": "EV01"}, {"code": "EV16"}],
        "room_desk": [{"code": "EV16"}],
        "kiosk_desk": [{"code": "EV16", "code_id": 1, "item_id": 1, "file_id": 1}],
        "api.proposal": said,
        "api.action": [{"code": "A01"}, {"code": "A04"}],
        "api.project": [{"code": "P4"}, {"code": "P1"}],
        "api.event": [{"code": "EV01"}, {"code": "EV13"}],
        "api.commitment": [{"code": "I01"}, {"code": "I0"}],
        "api.body": [{"code": "E01"}, {"code": "E03"}],
        "api.input": [{"code": receipt}, {"code": "2222-2222"}],
        "people": [{"person_id": person}],
        "house": [{"place_id": 1, "theme_id": 1}],
        "moderation": [{"act_id": 1, "what": "proposta", "number": 1, "code": "PR39"}],
        "media": [{"name": photo or "0" * 20, "width": 480}],
        "accounts": [{"token": "not-a-token"}],
        "notifications": [{"token": "not-a-token"}],
    }


def test_a_page_kept_for_all_who_sign_in_differs_for_nobody_but_in_its_header(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "_FRAGMENTS", fragments.Fragments(0))
    kept = [rule for rule in site.rules() if _is_kept(site.app.view_functions[rule.endpoint])]
    assert len(kept) >= 6
    for path in (path for rule in kept for path in site.paths(rule)[:2]):
        pages = {site.browsers[who].get(path).text for who in ("resident", "office", "moderator")}
        assert len({re.sub(r'<a class="slim-link".*?</a>', "", page) for page in pages}) == 1, path


def _is_kept(view: Any) -> bool:
    return bool(view.__code__.co_filename == fragments.__file__)


def test_every_address_has_an_example(site: Site) -> None:
    assert [rule.rule for rule in site.rules() if not site.paths(rule)] == []


@pytest.mark.parametrize("who", READERS)
def test_every_page_opens_for_whom_it_is_meant_and_breaks_for_nobody(site: Site, who: str) -> None:
    wrong = []
    for rule, path, answer in site.walk(who).answers:
        stamp = access.stamp_of(site.app.view_functions[rule.endpoint])
        wrong += [f"{path}: {words}" for words in _judge(site, answer, who, stamp)]
    assert not wrong, "\n".join(wrong)


def _judge(site: Site, answer: TestResponse, who: str, permission: Any) -> list[str]:
    found = []
    if answer.status_code >= 500:
        found.append(f"{answer.status_code}")
    if permission is access.Key.DEVICE:
        # Whoever is signed in: a person is no tablet.
        return found if answer.status_code == 401 else [*found, f"{answer.status_code} without a token"]
    if permission is not None and not _may(site, who, permission):
        if who == "nobody":
            # To the sign-in page and back here.
            if answer.status_code != 303 or not answer.location.startswith("/accedi?next="):
                found.append(f"{answer.status_code} {answer.location} for somebody signed out")
        elif answer.status_code != 404:
            found.append(f"{answer.status_code} for {who}, who lacks {permission}")
    missing = [name for name, value in HEADERS.items() if answer.headers.get(name) != value]
    if missing:
        found.append(f"without {missing}")
    if answer.status_code == 200 and answer.mimetype == "text/html":
        found += faults(answer.text)[:5]
    return found


@pytest.mark.parametrize("who", READERS)
def test_every_link_leads_to_an_address_of_the_site(site: Site, who: str) -> None:
    addresses = site.app.url_map.bind("")
    lost = set()
    for _rule, path, answer in site.walk(who).answers:
        if answer.mimetype == "text/html":
            found = {link for link in links(answer.text, path) if not addresses.test(link[1], link[0])}
            lost |= {f"{method} {link} on {path}" for method, link in found - SCRIPT_ALONE}
    assert not lost, "\n".join(sorted(lost))


def test_the_address_a_page_gives_for_itself_opens(site: Site) -> None:
    browser = site.app.test_client()
    told = {
        urlsplit(link).path
        for _rule, _path, answer in site.walk("nobody").answers
        if answer.status_code == 200
        for link in re.findall(r'<link rel="canonical" href="([^"]*)"', answer.text)
    }
    assert told
    assert [path for path in told if browser.get(path).status_code != 200] == []


def _may(site: Site, who: str, permission: Any) -> bool:
    return rules.decide_route(site.actors[who], permission, NOW).allowed


@pytest.mark.parametrize("language", LANGUAGES)
def test_public_pages_are_whole_in_every_language(site: Site, language: str) -> None:
    wrong = []
    for rule in site.rules():
        if access.stamp_of(site.app.view_functions[rule.endpoint]) is not None:
            continue
        for path in site.paths(rule)[:2]:
            answer = site.app.test_client().get(f"{path}?lang={language}")
            if answer.status_code != 200 or answer.mimetype != "text/html":
                continue
            if f'<html lang="{language}"' not in answer.text and "<!doctype" in answer.text:
                wrong.append(f"{path}: not in {language}")
            wrong += [f"{path}: {words}" for words in faults(answer.text)[:3]]
    assert not wrong, "\n".join(wrong)


def _cached(site: Site) -> list[Rule]:
    return [
        rule for rule in site.rules() if getattr(site.app.view_functions[rule.endpoint], "lab_cached", False)
    ]


def test_pages_for_everybody_hold_nothing_of_anybody(site: Site) -> None:
    wrong = []
    for rule in _cached(site):
        for path in site.paths(rule):
            answer = site.app.test_client().get(path)
            if answer.status_code != 200:
                continue
            if answer.headers.getlist("Set-Cookie"):
                wrong.append(f"{path}: sets {answer.headers['Set-Cookie'][:40]}")
            if re.search(r"csrf|_token\b", answer.text.lower()):
                wrong.append(f"{path}: holds a token")
            if answer.headers.get("Cache-Control") != "public, max-age=0, must-revalidate":
                wrong.append(f"{path}: {answer.headers.get('Cache-Control')}")
    assert not wrong, "\n".join(wrong)


def test_pages_of_a_person_are_never_stored(site: Site) -> None:
    wrong = []
    for _rule, path, answer in site.walk("administrator").answers:
        if answer.mimetype == "text/html" and answer.headers.get("Cache-Control") != "no-store":
            wrong.append(f"{path}: {answer.headers.get('Cache-Control')}")
    assert not wrong, "\n".join(wrong)


def asked(site: Site, path: str) -> list[str]:
    """The statements of one page, drawn for somebody without account."""
    with statements(site.database) as seen:
        site.app.test_client().get(path)
    return seen


def test_public_pages_send_few_statements(site: Site) -> None:
    many = {
        path: [" ".join(one.split())[:90] for one in found]
        for rule in _cached(site)
        for path in site.paths(rule)[:3]
        if len(found := asked(site, f"{path}?n=1")) > STATEMENTS
    }
    assert many == {}


def test_more_rows_send_no_more_statements(site: Site) -> None:
    paths = ["/proposte?", "/?", "/esiti?", "/proposte?q=strada&", "/progetti/P4?", "/cerca?q=strada&"]
    before = {path: len(asked(site, f"{path}n=2")) for path in paths}
    with site.database.session() as session:
        there = max(session.execute(select(Contribution.id)).scalars())
    data.fill(site.database, there + 900)
    after = {path: len(asked(site, f"{path}n=3")) for path in paths}
    assert {path: (before[path], after[path]) for path in paths if after[path] > before[path]} == {}


@pytest.mark.parametrize(
    "path", ["/non/esiste", "/proposte/NIENTE", "/static/niente.css", "/regia/NIENTE", "/io/../x"]
)
def test_what_is_not_there_says_so_whole_and_safe(site: Site, path: str) -> None:
    answer = site.browsers["nobody"].get(path)
    assert answer.status_code in (303, 404)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.status_code == 303 or faults(answer.text) == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_refused(site: Site, method: str) -> None:
    answer = site.browsers["nobody"].open("/proposte", method=method)
    assert answer.status_code in (400, 405)
    assert answer.headers.get("X-Content-Type-Options") == "nosniff"


@pytest.mark.parametrize("who", READERS)
def test_reading_changes_nothing(site: Site, who: str) -> None:
    """Every page is opened, and the database holds what it held."""
    # Allowed: when a browser was last used, a look at personal data in the log, a use counted by a limit.
    writes = [" ".join(one.split())[:90] for one in site.walk(who).writes]
    assert [one for one in writes if not re.search(r"web_session|audit_entry|rate_counter", one)] == []
