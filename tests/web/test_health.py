"""An administrator's monitor asks whether the site lives and can serve."""

from __future__ import annotations

from flask.testing import FlaskClient
from sqlalchemy import text

from lab.db.engine import Database


def test_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_not_ready_while_the_database_is_behind(client: FlaskClient, database: Database) -> None:
    with database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_unknown_address_is_a_friendly_404(client: FlaskClient) -> None:
    answer = client.get("/non-esiste")
    assert answer.status_code == 404
    assert "Content-Security-Policy" in answer.headers
