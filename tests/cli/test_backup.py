"""An administrator backs up while the site is used, and restores into an empty place."""

from __future__ import annotations

import errno
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from lab.app import create_app
from lab.db import dump
from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.models.programme import Theme
from lab.settings import Settings
from tests.world import NOW

Run = Callable[..., Result]


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest) -> Iterator[str]:
    factory = request.getfixturevalue(f"{request.param}_factory")
    url = factory.make()
    yield url
    factory.drop(url)


def _counts(url: str) -> dict[str, int]:
    database = Database(url)
    with database.session() as session:
        counts = {
            t.name: session.execute(select(func.count()).select_from(t)).scalar_one() for t in dump.tables()
        }
    database.dispose()
    return counts


def _pages(url: str, tmp_path: Path) -> dict[str, bytes]:
    environ = {
        "LAB_HOME": str(tmp_path),
        "LAB_DATABASE_URL": url.replace("postgresql+psycopg://", "postgresql://"),
        "LAB_SECRET_KEY": "for-tests-only-" + "abcdefgh" * 5,
        "LAB_LOG_LEVEL": "ERROR",
    }
    database = Database(url)
    app: Flask = create_app(Settings.from_environ(environ), FrozenClock(NOW), database)
    client = app.test_client()
    pages = {
        path: client.get(path).data
        for path in (
            "/",
            "/proposte",
            "/proposte/PR04",
            "/progetti/P4",
            "/azioni/A04",
            "/esiti",
            "/cerca?q=fontanelle",
        )
    }
    database.dispose()
    return pages


def test_what_comes_back_is_what_there_was(
    lab: Run, database_url: str, other_url: str, tmp_path: Path
) -> None:
    assert lab("demo", "load", "--reference-date", "2026-11-23").exit_code == 0
    pictures = tmp_path / "var" / "uploads" / "ab"
    pictures.mkdir(parents=True)
    (pictures / "photo-320.webp").write_bytes(b"picture")
    file = tmp_path / "copy.tar.gz"
    assert lab("backup", str(file)).exit_code == 0
    assert file.stat().st_mode & 0o077 == 0

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    result = lab("restore", str(file), url=other_url, LAB_HOME=str(elsewhere))
    assert result.exit_code == 0, result.output
    assert _counts(other_url) == _counts(database_url)
    assert (elsewhere / "var" / "uploads" / "ab" / "photo-320.webp").read_bytes() == b"picture"
    assert _pages(other_url, tmp_path) == _pages(database_url, tmp_path)
    # and life goes on: the next thing gets the next id
    database = Database(other_url)
    with database.writing() as session:
        session.add(Theme(code="nuovo", name="Nuovo", names={}))
    database.dispose()


@pytest.mark.usefixtures("world")
def test_what_comes_and_goes_while_it_is_made_does_not_stop_a_copy(
    lab: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture is being written, another is taken away, and nobody else may read the half-made file."""
    pictures = tmp_path / "var" / "uploads" / "ab"
    pictures.mkdir(parents=True)
    for name in ("gone-320.webp", "half-320.part", "kept-320.webp"):
        (pictures / name).write_bytes(b"picture")
    file, modes = tmp_path / "copy.tar.gz", []
    add = tarfile.TarFile.add

    def taken_away(archive: tarfile.TarFile, name: Path, **more: Any) -> None:
        modes.append((tmp_path / "copy.tar.gz.part").stat().st_mode & 0o077)
        (pictures / "gone-320.webp").unlink(missing_ok=True)
        add(archive, name, **more)

    monkeypatch.setattr(tarfile.TarFile, "add", taken_away)
    result = lab("backup", str(file))
    assert result.exit_code == 0, result.output
    with tarfile.open(file) as archive:
        kept = [name for name in archive.getnames() if name.startswith("uploads/")]
    assert (kept, set(modes)) == (["uploads/ab/kept-320.webp"], {0})


@pytest.mark.usefixtures("world")
def test_a_copy_that_cannot_be_finished_leaves_nothing_behind(
    lab: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    result = lab("backup", str(tmp_path / "copy.tar.gz"))
    assert result.exit_code == 1 and "No space left" in result.output
    assert not list(tmp_path.glob("copy*"))


@pytest.mark.usefixtures("world")
def test_a_copy_cut_short_is_told_in_one_line_and_changes_nothing(
    lab: Run, other_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "copy.tar.gz"
    assert lab("backup", str(file)).exit_code == 0
    for size in (0, 100, file.stat().st_size - 200):
        cut = tmp_path / "cut.tar.gz"
        cut.write_bytes(file.read_bytes()[:size])
        result = lab("restore", str(cut), url=other_url)
        assert result.exit_code == 1 and "cannot be read" in result.output
    assert _counts(other_url)["person"] == 0
    empty = f"sqlite:///{tmp_path}/empty.db"
    assert lab("restore", str(cut), url=empty).exit_code == 1
    assert lab("db", "check", url=empty).stdout.startswith("Revision none")


@pytest.mark.usefixtures("world")
def test_restoring_over_data_is_refused(lab: Run, tmp_path: Path) -> None:
    file = tmp_path / "copy.tar.gz"
    lab("backup", str(file))
    result = lab("restore", str(file))
    assert result.exit_code == 1 and "not empty" in result.output


@pytest.mark.usefixtures("world")
def test_a_damaged_copy_changes_nothing(lab: Run, other_url: str, tmp_path: Path) -> None:
    file = tmp_path / "copy.tar.gz"
    assert lab("backup", str(file)).exit_code == 0
    broken = tmp_path / "broken.tar.gz"
    with tarfile.open(file) as whole, tarfile.open(broken, "w:gz") as part:
        for member in whole.getmembers():
            if member.name != "tables/comment.jsonl":
                part.addfile(member, whole.extractfile(member))
    result = lab("restore", str(broken), url=other_url)
    assert result.exit_code == 1 and "comment" in result.output
    assert _counts(other_url)["person"] == 0
