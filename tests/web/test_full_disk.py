"""A disk with no byte left: people are told with their words still there, tablets keep what they have, and
when there is space again the same goes in once. The filesystem is a real one, small and really full.
"""

from __future__ import annotations

import io
import os
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.models.contributions import Contribution
from lab.models.kiosk import TrayItem
from lab.models.registrations import Registration, SignUp
from lab.settings import Settings
from tests.databases import PostgresqlFactory, SqliteFactory
from tests.meetings import make_event
from tests.tablets import paired
from tests.world import World

PAGE = "/eventi/EV90/iscrizione"
WORDS = "Manca una panchina vicino alla scuola."


class SmallDisk:
    """A filesystem of its own. `fill` takes the last byte of it, `clear` gives them back."""

    def __init__(self, place: Path, megabytes: int) -> None:
        self.place = place
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0777", "tmpfs", str(place)]
        self.is_there = subprocess.run(command, capture_output=True, check=False).returncode == 0

    def fill(self) -> None:
        with (self.place / "filler").open("wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                with suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass

    def clear(self) -> None:
        (self.place / "filler").unlink()

    def remove(self) -> None:
        if self.is_there:
            subprocess.run(["umount", "-l", str(self.place)], check=True)
        self.place.rmdir()


@pytest.fixture(params=["sqlite", "postgresql"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk]:
    factory = request.getfixturevalue(f"{request.param}_factory")
    # PostgreSQL's own user has to reach it.
    folder = factory.folder if request.param == "postgresql" else tmp_path
    made = SmallDisk(folder / f"disk-{uuid.uuid4().hex[:8]}", 64 if request.param == "postgresql" else 16)
    try:
        if not made.is_there:
            pytest.skip("only an administrator may mount a small filesystem")
        yield made
    finally:
        made.remove()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, disk: SmallDisk) -> Iterator[str]:
    """A database whose rows lie on the small disk."""
    factory: SqliteFactory | PostgresqlFactory = request.getfixturevalue(
        f"{request.node.callspec.params['disk']}_factory"
    )
    url = factory.make_in(disk.place)
    yield url
    factory.drop(url)


@pytest.fixture
def settings(settings: Settings, disk: SmallDisk) -> Settings:
    """Pictures lie there, too."""
    return replace(settings, home=disk.place)


def sending(width: int) -> dict[str, Any]:
    """Words with a picture of noise, which does not get smaller: a large one is laid on the disk first."""
    file = io.BytesIO()
    Image.frombytes("RGB", (width, width), os.urandom(width * width * 3)).save(file, "PNG")
    file.seek(0)
    boundary, body = encode_multipart({"text": WORDS, "photos": FileStorage(file, "a.png")})
    return {"data": body, "content_type": f"multipart/form-data; boundary={boundary}"}


def rows(database: Database, model: type) -> int:
    with database.session() as session:
        return int(session.execute(select(func.count()).select_from(model)).scalar_one())


# What was being laid on the full disk is left to the collector by the library that parses forms.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_full_disk_loses_nothing(
    app: Flask, client: FlaskClient, database: Database, world: World, disk: SmallDisk, settings: Settings,
    sign_in: Callable[[str], FlaskClient], clock: FrozenClock, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with database.writing() as session:
        event = make_event(session, world)
    tablet = paired(app, database, event)
    rosa = sign_in("rosa")
    clock.advance(timedelta(minutes=20))
    records = [tablet.sign_up("Ugo"), tablet.write("idea", text=WORDS)]
    typed = {"name": "Rosa D'Angelo", "party_size": "1", "consent": "y", "idempotency_key": "one"}
    pictures = [sending(width) for width in (300, 800)]
    with database.engine.connect() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    disk.fill()
    monkeypatch.setattr(tempfile, "tempdir", str(disk.place))

    told = client.post(PAGE, data=typed)
    assert (told.status_code, told.headers["Retry-After"]) == (503, "10")
    assert "Torniamo fra poco" in told.text and 'value="Rosa D&#39;Angelo"' in told.text
    answer = tablet.post("records", {"records": records})
    assert answer.status_code in (200, 503)
    for one in answer.get_json().get("results", []):
        assert one["status"] == 503
    small, large = [client.post("/proposte/nuova", **one) for one in pictures]
    assert [small.status_code, large.status_code] == [503, 503]
    for answer in (small, large):
        assert WORDS in answer.text and "sceglile di nuovo" in answer.text
    assert client.get("/eventi/EV90").status_code == 200
    # Whose last use would be written down now reads on as well.
    assert rosa.get("/io").status_code == 200

    disk.clear()
    assert not list(settings.uploads.rglob("*.part"))
    assert [rows(database, model) for model in (Registration, Contribution, TrayItem)] == [0, 0, 0]
    for _ in range(2):
        assert client.post(PAGE, data=typed).status_code == 303
        sent = tablet.send(*records)
        assert [one["result"] for one in sent] == ["confirmed", "received"]
    assert [rows(database, model) for model in (Registration, Contribution, TrayItem)] == [2, 1, 0]
    with database.session() as session:
        assert session.get_one(SignUp, event.id).taken == 2
