"""The application under measure: its settings, its readers' cookies, and the same again in this process."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import event, select

from bench.targets import bare
from lab.app import create_app
from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.kernel.ids import new_token, token_digest
from lab.models.accounts import Person, WebSession
from lab.settings import Settings

SECRET = "for-measuring-only-" + secrets.token_hex(16)
_DAYS = 86_400


@dataclass(frozen=True)
class Reader:
    """A signed-in browser: its cookie and the token its forms carry."""

    cookie: str
    csrf: str


def environ(url: str, home: Path, *, page_cache: bool = True) -> dict[str, str]:
    """Settings of the application for one database."""
    found = {
        "LAB_HOME": str(home),
        "LAB_DATABASE_URL": url.replace("postgresql+psycopg://", "postgresql://"),
        "LAB_SECRET_KEY": SECRET,
        "LAB_SLOW_STATEMENT_MS": "60000",
        "BENCH_DATABASE_URL": url,
    }
    return found if page_cache else {**found, "LAB_PAGE_CACHE_BYTES": "0"}


@contextmanager
def in_process(url: str, home: Path, *, page_cache: bool = False) -> Iterator[Flask]:
    """The application here, without its page cache unless asked for."""
    app = create_app(Settings.from_environ(environ(url, home, page_cache=page_cache)))
    app.config["PROPAGATE_EXCEPTIONS"] = False
    yield app
    app.extensions["lab"].database.dispose()


def make_bare_table(database: Database) -> None:
    """The table of the one-INSERT view."""
    bare.metadata.create_all(database.engine)


def sign_in(app: Flask, person_ids: list[int]) -> list[Reader]:
    """Sign these people in: their session rows, and cookies as the application would set them."""
    now = utcnow()
    tokens = [new_token() for _ in person_ids]
    database: Database = app.extensions["lab"].database
    with database.writing() as session:
        session.add_all(
            WebSession(
                token_digest=token_digest(token), person_id=person_id, method="password", created_at=now,
                seen_at=now, proved_at=now, expires_at=now.replace(year=now.year + 1),
            )
            for token, person_id in zip(tokens, person_ids, strict=True)
        )  # fmt: skip
    return [_reader(app, token) for token in tokens]


def _reader(app: Flask, token: str) -> Reader:
    return _browser(app, {"_user_id": token, "_fresh": True})


def visitor(app: Flask) -> Reader:
    """A browser without account that has opened a form."""
    return _browser(app, {})


def _browser(app: Flask, kept: dict[str, Any]) -> Reader:
    raw = secrets.token_hex(20)
    # As Flask-WTF does it: the session keeps the raw value, forms carry it signed.
    interface: Any = app.session_interface
    cookie = interface.get_signing_serializer(app).dumps({**kept, "csrf_token": raw})
    csrf = URLSafeTimedSerializer(SECRET, salt="wtf-csrf-token").dumps(raw)
    return Reader(f"{app.config['SESSION_COOKIE_NAME']}={cookie}", str(csrf))


def person(app: Flask, email: str) -> int:
    """The id behind an address of the demo."""
    database: Database = app.extensions["lab"].database
    with database.session() as session:
        return int(session.execute(select(Person.id).where(Person.email == email)).scalar_one())


@contextmanager
def counting(app: Flask) -> Iterator[list[str]]:
    """The statements sent while it lasts."""
    engine = app.extensions["lab"].database.engine
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def browser(app: Flask, reader: Reader | None) -> FlaskClient:
    """A test client with the reader's cookie."""
    client = app.test_client()
    if reader is not None:
        name, _, value = reader.cookie.partition("=")
        client.set_cookie(name, value, domain="localhost")
    return client
