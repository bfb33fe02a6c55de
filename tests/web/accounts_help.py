"""What the tests of accounts share: the mails that would go out, and a browser's way through the door."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lab.db.engine import Database
from lab.kernel.passwords import hash_password
from lab.models.accounts import Credential
from lab.models.operations import OutboxItem

PASSWORD = "quattro torri e un parco"


def mails(database: Database) -> list[dict[str, Any]]:
    """The payloads of all mails asked for so far, in order."""
    with database.session() as session:
        query = select(OutboxItem.payload).where(OutboxItem.topic == "mail").order_by(OutboxItem.id)
        return [payload for payload in session.execute(query).scalars() if "to" in payload]


def last_code(database: Database) -> str:
    """The code in the last mail."""
    return str(mails(database)[-1]["values"]["code"])


def give_password(database: Database, person_id: int, password: str = PASSWORD) -> None:
    """Let a persona sign in with a password."""
    with database.writing() as session:
        session.get_one(Credential, person_id).password_hash = hash_password(password)


def key_in(page: str) -> str:
    """The idempotency key of the form on a page."""
    found = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    return found.group(1) if found else ""


def send(browser: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Open a page and send its form, with the key the page gave."""
    key = key_in(browser.get(path).text)
    return browser.post(path, data={"idempotency_key": key, **fields})


def sign_in_by_password(
    browser: FlaskClient, email: str, password: str = PASSWORD, **more: str
) -> TestResponse:
    """The sign-in page, filled in and sent."""
    return send(browser, "/accedi", email=email, password=password, **more)


def is_in(browser: FlaskClient) -> bool:
    """Whether this browser is signed in."""
    return browser.get("/io/accessi").status_code == 200
