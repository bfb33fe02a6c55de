"""The tablet's page before and around its meeting: light, the same for everybody, in plain words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lab.web.kiosk_shell import SHELL
from lab.web.kiosk_texts import TEXTS, texts_in
from tests.readability import gulpease

ROOT = Path(__file__).parents[2]
SCRIPTS = [ROOT / "static/scripts/kiosk.js", *sorted((ROOT / "static/scripts/kiosk").glob("*.js"))]
DIST = ROOT / "static/dist"
#: Fetched only by the worker, or only when somebody opens the camera.
LATER = {"kiosk-scan.js", "fonts/titillium-400-ext.woff2", "fonts/titillium-600-ext.woff2"}


def test_every_sentence_that_the_tablet_says_is_there() -> None:
    script = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    said = set(re.findall(r"\bt\('(\w+)'", script))
    # Errors, titles and advice travel as keys, so that they follow the language.
    said |= set(re.findall(r"'((?:bad|door|pin|test|received|saved|scan)_\w+)'", script))
    assert {"bad_code", "door_open", "test_net_no"} <= said
    assert said <= set(TEXTS)


def test_the_tablet_speaks_plainly(app: Flask) -> None:
    with app.test_request_context():
        words = [re.sub(r"%\(\w+\)s", "3", text) for text in texts_in("it").values()]
    sentences = [text if text.endswith((".", "?", "!")) else f"{text}." for text in words]
    assert gulpease(" ".join(sentences)) >= 80
    assert [text for text in sentences if gulpease(text) < 70] == []


def test_the_page_is_the_same_for_everybody(client: FlaskClient) -> None:
    answer = client.get("/totem")
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["X-Totem"]
    assert "<noscript>" in answer.text


def test_the_first_visit_weighs_little(client: FlaskClient) -> None:
    if not DIST.is_dir():
        pytest.skip("the bundle is not built: make bundle")
    page = client.get("/totem", headers={"Accept-Encoding": "br"})
    addresses = set(re.findall(r'"/static/([^"#]+)', client.get("/totem").text))
    files = [DIST / address for address in addresses]
    sent = {path: path.with_name(f"{path.name}.br") for path in files}
    weight = sum(
        (small if small.is_file() else path).stat().st_size
        for path, small in sent.items()
        if not any(path.name.startswith(Path(name).stem) for name in LATER)
    )
    assert len(page.data) + weight <= 56_000


def test_the_worker_is_asked_for_each_time_and_knows_its_files(client: FlaskClient) -> None:
    answer = client.get("/totem-worker.js")
    if answer.status_code == 404:
        pytest.skip("the bundle is not built: make bundle")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Service-Worker-Allowed"] == "/totem"
    first = answer.text.split("\n", 1)[0]
    assert all(Path(name).stem in first for name in SHELL)
    assert "/totem/api" not in first
