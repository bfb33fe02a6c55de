"""A resident with little data gets small pages, also those that are made for them alone."""

from __future__ import annotations

from collections.abc import Callable

import brotli
import pytest
from flask.testing import FlaskClient

from lab.db.engine import Database
from lab.models.accounts import Person
from tests.world import World

BROTLI = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.mark.parametrize("path", ["/", "/proposte", "/proposte/nuova", "/accedi", "/registrati", "/ricevuta"])
def test_pages_come_compressed_and_whole(client: FlaskClient, path: str) -> None:
    plain = client.get(path)
    small = client.get(path, headers=BROTLI)
    assert small.headers["Content-Encoding"] == "br"
    assert int(small.headers["Content-Length"]) == len(small.data) <= 8_000
    assert b"</html>" in brotli.decompress(small.data)
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in small.headers["Vary"]


def test_signed_in_pages_too(sign_in: Callable[[str], FlaskClient]) -> None:
    answer = sign_in("rosa").get("/io", headers=BROTLI)
    assert answer.headers["Content-Encoding"] == "br"


def test_the_list_is_kept_for_readers_with_what_is_theirs(
    sign_in: Callable[[str], FlaskClient], database: Database, world: World
) -> None:
    """One drawing serves all who see the same; nobody gets the header of somebody else."""
    ann, staff = sign_in("rosa"), sign_in("facilitator")
    first = ann.get("/proposte", headers=BROTLI)
    for _again in range(2):
        assert brotli.decompress(ann.get("/proposte", headers=BROTLI).data) == brotli.decompress(first.data)
    assert ann.get("/proposte").data == brotli.decompress(first.data)
    assert first.headers["Cache-Control"] == "no-store"
    assert {"Cookie", "Accept-Encoding"} <= set(first.headers["Vary"].replace(" ", "").split(","))
    assert b'href="/regia"' not in brotli.decompress(first.data)
    assert b'href="/regia"' in brotli.decompress(staff.get("/proposte", headers=BROTLI).data)
    with database.writing() as session:
        session.get_one(Person, world.people["rosa"]).unread_count = 7
    assert b">7<" in brotli.decompress(ann.get("/proposte", headers=BROTLI).data)
    assert ann.head("/proposte", headers=BROTLI).data == b""


def test_addresses_that_differ_only_at_their_far_end_give_different_pages(
    client: FlaskClient, sign_in: Callable[[str], FlaskClient]
) -> None:
    far = "x=" + "a" * 1500
    for browser in (client, sign_in("rosa")):
        for words in ("altalena", "fontana"):
            assert f'value="{words}"' in browser.get(f"/proposte?{far}&proprio=1&q={words}").text


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [("gzip, br", "br"), ("br;q=0", None), ("gzip;q=0.5, br;q=0", "gzip"), ("identity", None)],
)
def test_no_encoding_is_sent_that_was_ruled_out(
    client: FlaskClient, sign_in: Callable[[str], FlaskClient], accepted: str, sent: str | None
) -> None:
    rosa = sign_in("rosa")
    for browser, path in ((client, "/proposte"), (rosa, "/proposte"), (rosa, "/io")):
        answer = browser.get(path, headers={"Accept-Encoding": accepted})
        assert answer.headers.get("Content-Encoding") == sent


def test_a_head_has_no_body(client: FlaskClient) -> None:
    for path in ("/proposte", "/proposte/nuova", "/esiti"):
        answer = client.head(path, headers=BROTLI)
        assert (answer.status_code, answer.data) == (200, b"")


def test_what_one_has_already_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/proposte", headers=BROTLI)
    again = client.get("/proposte", headers={**BROTLI, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
