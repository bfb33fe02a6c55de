"""Every route says who may use it, and reading and writing are two functions."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Rule

from lab.app import create_app
from lab.policy import rules
from lab.policy.permissions import Permission
from lab.settings import Settings
from lab.web import access, tablets
from tests.architecture.source import below

#: Blueprints with POST routes for people without an account, and why these need none.
OPEN_POSTS = {
    "accounts": "signing in, joining, recovering and resuming come before having an account",
    "csp": "browsers report what the content policy refused",
    "drafts": "what one types is kept while one types",
    "kiosk_api": "a tablet is nobody before it is paired: the code is its right",
    "flags": "anybody may point at a text that harms",
    "notifications": "the link at the foot of a mail stops mails without signing in",
    "pages": "rating a page",
    "proposals": "saying something needs no account",
    "receipts": "looking up a receipt code",
    "room": "the hand in the hall needs no account",
    "sign_up": "signing up for a meeting needs no account",
    "tickets": "the key in the address is the right to this one sign-up",
}
_WRITES = {"POST", "PUT", "PATCH", "DELETE"}
_PATH = re.compile(r"^/[a-z0-9/_.-]*$")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    settings = Settings.from_environ(
        {"LAB_HOME": str(tmp_path_factory.mktemp("routes")), "LAB_SECRET_KEY": "for-tests-only-" + "x" * 32}
    )
    app = create_app(settings)
    yield app
    app.extensions["lab"].database.dispose()


def routes(site: Flask) -> list[tuple[Rule, Callable[..., Any]]]:
    return [(rule, site.view_functions[rule.endpoint]) for rule in site.url_map.iter_rules()]


def test_every_route_is_stamped(site: Flask) -> None:
    assert [rule.endpoint for rule, view in routes(site) if not access.is_stamped(view)] == []


def test_stamps_name_rights_that_have_a_rule(site: Flask) -> None:
    stamps = {access.stamp_of(view) for _rule, view in routes(site)} - {None, *access.Key}
    assert all(isinstance(stamp, Permission) and stamp in rules.RULES for stamp in stamps)


def test_every_right_has_a_rule() -> None:
    assert set(Permission) == set(rules.RULES)


def test_reading_and_writing_are_two_functions(site: Flask) -> None:
    both = [
        rule.endpoint
        for rule, _view in routes(site)
        if rule.methods and _WRITES & rule.methods and "GET" in rule.methods
    ]
    methods: dict[str, set[str]] = {}
    for rule, _view in routes(site):
        methods.setdefault(rule.endpoint, set()).update(rule.methods or ())
    both += [endpoint for endpoint, found in methods.items() if "GET" in found and found & _WRITES]
    assert both == []


def test_what_writes_is_never_cached(site: Flask) -> None:
    assert [
        rule.endpoint
        for rule, view in routes(site)
        if _WRITES & (rule.methods or set()) and getattr(view, "lab_cached", False)
    ] == []


def test_cached_pages_are_for_everybody(site: Flask) -> None:
    assert [
        rule.endpoint
        for rule, view in routes(site)
        if getattr(view, "lab_cached", False) and access.stamp_of(view) is not None
    ] == []


def test_writing_needs_a_right_or_a_reason(site: Flask) -> None:
    assert [
        rule.endpoint
        for rule, view in routes(site)
        if _WRITES & (rule.methods or set())
        and access.stamp_of(view) is None
        and rule.endpoint.split(".")[0] not in OPEN_POSTS
    ] == []


def test_a_tablet_opens_its_own_addresses_and_nothing_else(site: Flask) -> None:
    """And nobody else opens those: the stamp stands on all addresses of tablets, and only there."""
    open_to_all = {"kiosk_api.ping", "kiosk_api.description", "kiosk_api.pair"}
    by_token = {rule.endpoint for rule, view in routes(site) if access.stamp_of(view) is access.Key.DEVICE}
    theirs = {rule.endpoint for rule, _view in routes(site) if tablets.is_theirs(rule.rule)}
    assert by_token == theirs - open_to_all
    without_session = {endpoint.split(".")[0] for endpoint in theirs}
    assert without_session == {"kiosk_api"}


def test_only_what_carries_no_cookie_needs_no_form_token(site: Flask) -> None:
    exempt = {name.removeprefix("lab.web.views.") for name in site.extensions["csrf"]._exempt_views}
    assert exempt == {
        "csp.report", "notifications.set_mail", "kiosk_api.pair", "kiosk_api.records", "kiosk_api.lend",
        "kiosk_api.give_back",
    }  # fmt: skip


def test_addresses_are_lower_case_with_hyphens(site: Flask) -> None:
    fixed = {rule.rule: re.sub(r"<[^>]*>", "", rule.rule) for rule, _view in routes(site)}
    assert [rule for rule, words in fixed.items() if not _PATH.match(words) or "_" in words] == []


def test_numbers_in_addresses_fit_into_a_column(site: Flask) -> None:
    """A number that no column holds is not found, and never reaches the database."""
    adapter = site.url_map.bind("localhost")
    reached = []
    for rule, _view in routes(site):
        if "<int" not in rule.rule:
            continue
        path = re.sub(r"<int[^>]*>", str(2**63), rule.rule)
        path = re.sub(r"<any\(([a-z]+)[^>]*>", r"\1", path)
        path = re.sub(r"<[^>]*>", "P4", path)
        method = next(iter((rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}))
        try:
            found, values = adapter.match(path, method)
        except (NotFound, MethodNotAllowed):
            continue
        if any(isinstance(value, int) and value >= 2**63 for value in values.values()):
            reached.append(f"{rule.rule} by {found}")
    assert reached == []


def test_every_blueprint_module_is_registered(site: Flask) -> None:
    """A feature that nobody can reach is dead code."""
    made = {
        module.place
        for module in below("web")
        if Path(module.place).parts[:3] == ("lab", "web", "views")
        and re.search(r"^[a-z_]+ = Blueprint\(", module.text, re.MULTILINE)
    }
    views = [inspect.unwrap(view) for _rule, view in routes(site)]
    used = {Path(view.__code__.co_filename).name for view in views if hasattr(view, "__code__")}
    assert sorted(place for place in made if Path(place).name not in used) == []


def test_views_neither_write_rows_nor_open_sessions_of_their_own() -> None:
    """A view calls one service; the transaction is opened by `transaction()`."""
    found = []
    for module in below("web"):
        if Path(module.place).parts[:3] != ("lab", "web", "views"):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                chain = ast.unparse(node.func)
                if re.search(r"(session|ctx\.session)\.(add|add_all|delete|merge|flush)$", chain):
                    found.append(f"{module.place}:{node.lineno} {chain}")
    assert found == []


def test_redirects_after_writing_are_303() -> None:
    """Without a code a browser may send the words again."""
    bare = []
    for module in below("web"):
        for function in ast.walk(module.tree):
            if not isinstance(function, ast.FunctionDef) or not any(
                ".post(" in ast.unparse(decorator) for decorator in function.decorator_list
            ):
                continue
            bare += [
                f"{module.place}:{node.lineno}"
                for node in ast.walk(function)
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "redirect"
                and not _code_is(node, 303)
            ]
    assert bare == []


def _code_is(call: ast.Call, code: int) -> bool:
    values = [*call.args[1:], *(keyword.value for keyword in call.keywords if keyword.arg == "code")]
    return any(isinstance(value, ast.Constant) and value.value == code for value in values)
