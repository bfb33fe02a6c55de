"""Fixtures for all tests: both databases, a frozen clock, an application, personas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.orm import Session

from lab.app import create_app
from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.policy.actor import SYSTEM
from lab.services.context import Context
from lab.settings import Settings
from tests.databases import PostgresqlFactory, SqliteFactory
from tests.world import NOW, World, build, open_session


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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated, empty database of this test's own; every test using it runs on both."""
    factory = request.getfixturevalue(f"{request.param}_factory")
    url = factory.make()
    yield url
    factory.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
def world(database: Database) -> World:
    """A small neighbourhood, committed."""
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
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once for all tests of a worker, not once for each application."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(
    settings: Settings,
    clock: FrozenClock,
    database: Database,
    world: World,
    compiled_templates: FileSystemBytecodeCache,
) -> Flask:
    app = create_app(settings, clock, database)
    app.jinja_env.bytecode_cache = compiled_templates
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    return app


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
