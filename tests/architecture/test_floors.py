"""Imports point down: app -> cli | web -> jobs -> mail -> services -> policy -> models -> db -> kernel."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.architecture.source import LAB, Module, below, imports, modules, own_imports

#: Height of each floor; `cli` and `web` stand side by side. Only `app` and `cli` reach the top.
FLOORS = {
    "kernel": 0, "db": 10, "models": 20, "policy": 30, "services": 40, "mail": 50, "jobs": 60, "web": 70,
    "app": 80, "cli": 90,
}  # fmt: skip
#: Settings are read by the composition root and handed down; who may know their shape.
SETTINGS_READERS = {"app", "cli", "web", "jobs", "mail"}
#: Names below which no import is wanted, by importer.
ONLY_IMPORTER = {
    "bleach": {"lab.kernel.html"},
    "argon2": {"lab.kernel.passwords"},
    "PIL": {"lab.kernel.pictures"},
}


def floor(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_every_package_stands_on_a_floor() -> None:
    rooms = {floor(name) for name in modules()} - {"", "settings"}
    assert rooms - set(FLOORS) == set()


def test_imports_point_down() -> None:
    upward = [
        f"{module.place} imports {target}"
        for module in modules().values()
        for target in sorted(own_imports(module))
        if not _may_import(floor(module.name), floor(target))
    ]
    assert upward == []


def _may_import(here: str, there: str) -> bool:
    if there == "settings":
        return here in SETTINGS_READERS
    if here == "settings":
        return there == "kernel"
    if here == "cli":
        return there != "web"  # the command line knows the site only as a composed application
    return there == here or FLOORS[there] < FLOORS[here] if here and there else True


def test_imports_make_no_circle() -> None:
    graph = {name: own_imports(module) for name, module in modules().items()}
    # A package whose __init__ is imported by its own modules is no circle: only real edges count.
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_imports_are_absolute() -> None:
    relative = [
        f"{module.place}:{node.lineno}"
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_imports_stand_at_the_top() -> None:
    """Only the command line waits with an import until its command runs."""
    hidden = [
        f"{module.place}:{node.lineno}"
        for module in modules().values()
        if floor(module.name) != "cli"
        for function in ast.walk(module.tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_the_package_itself_imports_nothing() -> None:
    tree = ast.parse((LAB / "__init__.py").read_text())
    assert [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)] == []


@pytest.mark.parametrize("library", sorted(ONLY_IMPORTER))
def test_one_module_alone_knows_a_library_that_may_be_changed_over(library: str) -> None:
    importers = {
        module.name
        for module in modules().values()
        for name, _node in imports(module)
        if name.split(".")[0] == library
    }
    assert importers <= ONLY_IMPORTER[library]


def _importers(floors: tuple[str, ...], *libraries: str) -> list[str]:
    return [
        f"{module.place} imports {name}"
        for module in below(*floors)
        for name, _node in imports(module)
        if name.split(".")[0] in libraries
    ]


def test_nothing_below_the_web_knows_flask() -> None:
    below_web = ("kernel", "db", "models", "policy", "services", "mail", "jobs")
    assert _importers(below_web, "flask", "flask_login", "flask_wtf", "wtforms", "werkzeug") == []


def test_words_are_not_translated_below_the_mail() -> None:
    floors = ("kernel", "db", "models", "policy", "services")
    assert _importers(floors, "flask_babel", "gettext") == []


def test_the_kernel_knows_neither_database_nor_web() -> None:
    assert _importers(("kernel",), "sqlalchemy", "alembic", "psycopg", "sqlite3", "flask") == []


# --- where SQLite and PostgreSQL differ -------------------------------------------------------------------

#: Modules above lab/db that name an engine, and why.
NAMES_AN_ENGINE = {
    "lab.settings": "checks the address an administrator gives",
    "lab.cli.doctor": "tells which database is in use and what may be wrong with it",
}


def _says_engine(module: Module) -> list[str]:
    """Strings and attributes that tell the engines apart; index options of models are declarations."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            lower = node.value.lower()
            if len(lower) < 80 and ("sqlite" in lower or "postgresql" in lower) and "\n" not in lower:
                found.append(f"{module.place}:{node.lineno} {node.value!r}")
        elif isinstance(node, ast.Attribute) and node.attr in ("dialect", "is_sqlite"):
            found.append(f"{module.place}:{node.lineno} .{node.attr}")
        elif isinstance(node, ast.ImportFrom) and "dialects" in (node.module or ""):
            found.append(f"{module.place}:{node.lineno} {node.module}")
    return found


def test_only_the_database_floor_tells_the_engines_apart() -> None:
    said = [
        place
        for module in modules().values()
        if floor(module.name) != "db" and module.name not in NAMES_AN_ENGINE
        for place in _says_engine(module)
    ]
    assert said == []


def test_the_modules_that_may_name_an_engine_exist_and_do() -> None:
    assert [
        name for name in NAMES_AN_ENGINE if name not in modules() or not _says_engine(modules()[name])
    ] == []


def test_one_floor_alone_commits() -> None:
    """Services flush; `Database.writing` owns the end of a transaction."""
    commits = [
        f"{module.place}:{node.lineno}"
        for module in modules().values()
        if floor(module.name) != "db"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("commit", "rollback")
    ]
    assert commits == []


def test_views_ask_services_and_not_the_database() -> None:
    """What is read, and who may read it, is decided below; a view only closes a session it is done with."""
    asked = [
        f"{module.place}:{node.lineno} .{node.attr}"
        for module in below("web")
        if module.name.startswith("lab.web.views.")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr != "close"
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "session"
    ]
    assert asked == []


# --- the books of a contribution --------------------------------------------------------------------------

#: What `lab.services.contributions` keeps true together.
BOOKS = {"state", "visibility", "is_open", "is_listed", "outcome", "decided_at"}
#: Names under which a contribution goes in services.
HANDS = {"contribution", "target", "source", "piece", "part", "original", "twin", "kept", "proposal"}
#: Who else may, and why.
KEEPS_BOOKS = {
    "lab.services.contributions": "this is where they are kept",
    "lab.services.imports": "writes whole batches and derives the same columns with `derive`",
}
#: Single columns that a feature decides inside `changing`, which settles all that follows: who may read it,
#: and the date of a decision that is given back when a merge or an action is undone.
DECIDED_INSIDE_CHANGING = {"visibility", "decided_at"}


def _writes_books(module: Module) -> list[str]:
    found = []
    for node in ast.walk(module.tree):
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AugAssign)
            else []
        )
        for target in targets:
            if (
                isinstance(target, ast.Attribute)
                and target.attr in BOOKS - DECIDED_INSIDE_CHANGING
                and isinstance(target.value, ast.Name)
                and target.value.id in HANDS
            ):
                found.append(f"{module.place}:{node.lineno} {target.value.id}.{target.attr}")
    return found


def test_one_service_keeps_the_books_of_what_people_gave() -> None:
    written = [
        place
        for module in below("services", "jobs", "web", "cli", "mail")
        if module.name not in KEEPS_BOOKS
        for place in _writes_books(module)
    ]
    assert written == []


def test_nobody_updates_the_books_in_bulk() -> None:
    """`update(Contribution).values(state=…)` would go round the tally, the search entry and the flags."""
    bulk = []
    for module in below("services", "jobs", "web", "cli", "mail"):
        if module.name in KEEPS_BOOKS:
            continue
        for node in ast.walk(module.tree):
            if not (isinstance(node, ast.Call) and "Contribution" in ast.dump(node.func)):
                continue
            if "'update'" in ast.dump(node.func):
                bulk += [f"{module.place}:{node.lineno} {k.arg}" for k in node.keywords if k.arg in BOOKS]
    assert bulk == []


def test_single_columns_are_decided_only_where_the_books_are_open() -> None:
    """A module that sets one of them does so on what `contributions.changing` handed it."""
    outside = []
    for module in below("services", "jobs", "web", "cli", "mail"):
        if module.name in KEEPS_BOOKS or "contributions.changing" in module.text:
            continue
        outside += [
            f"{module.place}:{node.lineno} {target.value.id}.{target.attr}"
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Attribute)
            and target.attr in DECIDED_INSIDE_CHANGING
            and isinstance(target.value, ast.Name)
            and target.value.id in HANDS
        ]
    assert outside == []


def test_the_package_can_be_imported_without_side_effects() -> None:
    code = "import lab, sys; assert not [m for m in sys.modules if m.startswith('lab.')]"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=LAB.parent)
