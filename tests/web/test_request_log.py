"""An administrator finds each request in the log by its id, and nothing personal in it."""

from __future__ import annotations

import json
import logging

import pytest
from flask.testing import FlaskClient

from lab.web.request_log import JsonLines


@pytest.fixture
def lines() -> list[dict[str, object]]:
    return []


@pytest.fixture(autouse=True)
def listening(lines: list[dict[str, object]]) -> object:
    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(self.format(record)))

    handler = Keep()
    handler.setFormatter(JsonLines())
    log = logging.getLogger("lab.request")
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield
    log.removeHandler(handler)
    log.setLevel(before)


def test_one_line_with_the_id_of_the_answer(client: FlaskClient, lines: list[dict[str, object]]) -> None:
    for _ in range(2):  # rendered, then from the page cache
        answer = client.get("/aiuto")
        assert lines[-1]["id"] == answer.headers["X-Request-ID"]
        assert (lines[-1]["route"], lines[-1]["status"]) == ("/aiuto", 200)
    assert lines[0]["id"] != lines[1]["id"]
    assert len(lines) == 2


def test_words_and_codes_stay_out_of_it(client: FlaskClient, lines: list[dict[str, object]]) -> None:
    client.get("/ricevuta/ABCD-EFGH")
    client.get("/cerca?q=nome+e+cognome")
    client.post("/accedi", data={"email": "rosa@example.org", "password": "segreta"})
    text = json.dumps(lines)
    for secret in ("ABCD", "cognome", "rosa@", "segreta"):
        assert secret not in text
