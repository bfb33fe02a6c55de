"""Fixtures for all tests: both databases, a frozen clock, an application, personas."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import event
from sqlalchemy.orm import Session

from lab.app import create_app, furnish
from lab.db.engine import Database
from lab.kernel import passwords
from lab.kernel.clock import FrozenClock
from lab.policy.actor import SYSTEM
from lab.services.context import Context
from lab.settings import Settings
from lab.web import fragments
from tests.databases import PostgresqlFactory, SqliteFactory
from tests.world import NOW, World, build, open_session

# The same examples each time, however busy the machine is: a run tells of the change, not of luck.
# `LAB_TEST_EXPLORE=1` looks for new ones.
hypothesis_settings.register_profile(
    "lab",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="LAB_TEST_EXPLORE" not in os.environ,
)
hypothesis_settings.load_profile("lab")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys take longest: begun first, they never keep one worker waiting for the other at the end."""
    items.sort(key=lambda item: item.get_closest_marker("journey") is None)


@pytest.fixture(scope="session")
def sqlite_factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteFactory]:
    factory = SqliteFactory(tmp_path_factory.mktemp("sqlite"))
    yield factory
    factory.close()


@pytest.fixture(scope="session")
def postgresql_factory() -> Iterator[PostgresqlFactory]:
    factory = PostgresqlFactory()
    yield factory
    factory.close()


@pytest.fixture(scope="session")
def opened() -> Iterator[dict[str, Database]]:
    """The databases that were opened so far, by their address: statements are compiled once for all tests."""
    kept: dict[str, Database] = {}
    yield kept
    for database in kept.values():
        database.dispose()


@pytest.fixture(scope="session")
def worlds() -> dict[str, World]:
    """The neighbourhoods of databases that have one from the beginning, by the database's address."""
    return {}


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, worlds: dict[str, World]) -> Iterator[str]:
    """The address of a migrated database of this test's own, empty but for the `world` of tests that have
    one; every test using it runs on both."""
    factory = request.getfixturevalue(f"{request.param}_factory")
    if "world" in request.fixturenames:
        url, worlds[url] = factory.make_filled()
    else:
        url = factory.make()
    yield url
    worlds.pop(url, None)
    factory.drop(url)


@pytest.fixture
def database(database_url: str, opened: dict[str, Database]) -> Iterator[Database]:
    database = opened.pop(database_url, None) or _open(database_url)
    listeners = len(database.engine.dispatch.before_cursor_execute)
    yield database
    # The lines kept by this test's threads would be found open by the next one.
    database.glance.close()
    pool: Any = database.engine.pool
    is_as_before = pool.checkedout() == 0 and len(database.engine.dispatch.before_cursor_execute) == listeners
    if database.is_sqlite or not is_as_before:
        database.dispose()
    if is_as_before:
        opened[database_url] = database


def _open(url: str) -> Database:
    database = Database(url)
    if database.is_sqlite:
        # As the cluster of PostgreSQL: no test cuts the power.
        event.listen(database.engine, "connect", lambda line, _record: line.execute("PRAGMA synchronous=OFF"))
    return database


@pytest.fixture(autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hashing a password costs next to nothing."""
    passwords.use_profile(passwords.CHEAP)
    yield
    passwords.use_profile(passwords.PRODUCTION)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
def world(database: Database, database_url: str, worlds: dict[str, World]) -> World:
    """A small neighbourhood, committed."""
    if database_url in worlds:
        return worlds[database_url]
    with database.writing() as session:
        return build(session)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings.from_environ(
        {
            "LAB_HOME": str(tmp_path),
            "LAB_DATABASE_URL": database_url.replace("postgresql+psycopg://", "postgresql://"),
            "LAB_SECRET_KEY": "for-tests-only-" + "x" * 32,
            "LAB_LOG_LEVEL": "ERROR",
        }
    )


@pytest.fixture(scope="session")
def bare_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application without a database: its routes and templates are compiled once for all tests."""
    home = str(tmp_path_factory.mktemp("app"))
    settings = Settings.from_environ({"LAB_HOME": home, "LAB_SECRET_KEY": "for-tests-only-" + "x" * 32})
    return create_app(settings, FrozenClock(NOW))


@pytest.fixture
def app(
    bare_app: Flask,
    settings: Settings,
    clock: FrozenClock,
    database: Database,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Flask]:
    """The application on this test's database, which holds a world; nothing is left in it of other tests."""
    config = dict(bare_app.config)
    furnish(bare_app, settings, clock, database)
    bare_app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    monkeypatch.setattr(fragments, "_FRAGMENTS", fragments.Fragments())
    yield bare_app
    bare_app.config.clear()
    bare_app.config.update(config)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A reader without account."""
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask, database: Database, world: World, clock: FrozenClock) -> Callable[[str], FlaskClient]:
    """`sign_in("rosa")` gives a browser in which that persona is signed in."""

    def signed(who: str) -> FlaskClient:
        with database.writing() as session:
            token = open_session(session, world.people[who], clock.now())
        browser = app.test_client()
        with browser.session_transaction() as cookie:
            cookie["_user_id"] = token
            cookie["_fresh"] = True
        return browser

    return signed


@pytest.fixture
def acting(world: World, clock: FrozenClock) -> Callable[[Session, str], Context]:
    """`acting(session, "moderator")` gives the context of a use case; "system" acts as the program."""

    def context(session: Session, who: str = "system") -> Context:
        actor = SYSTEM if who == "system" else world.actor(who)
        return Context(session, actor, clock.now())

    return context
