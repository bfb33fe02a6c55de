"""An administrator takes out what everybody may read: the open data, and the file of one project."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from lab.cli import exports
from lab.db.engine import Database
from lab.models.capture import Commitment
from lab.models.contributions import State, Visibility
from lab.policy.actor import SYSTEM
from lab.services import contributions, photos
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.photos import StoredPhoto
from tests.meetings import make_event
from tests.world import NOW, World

Run = Callable[..., Result]


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter=";"))


@pytest.fixture
def said(database: Database, world: World, tmp_path: Path) -> None:
    """Three inputs everybody may read, one with a photograph and one merged; one that nobody may."""
    picture = StoredPhoto("a" * 32, 800, 600, (320, 800))
    uploads = tmp_path / "var" / "uploads" / "aa"
    uploads.mkdir(parents=True)
    (uploads / picture.files[-1]).write_bytes(b"picture")
    with database.writing() as session:
        ctx = Context(session, SYSTEM, NOW)
        bench = contributions.place(ctx, Placement(text="Una panchina", project_ids=(world.project,)))
        photos.attach(ctx, (picture,), contribution_id=bench.id)
        contributions.place(ctx, Placement(text="=HYPERLINK(1)"))
        twin = contributions.place(ctx, Placement(text="Panchine"))
        private = contributions.place(ctx, Placement(text="Telefonami"))
        with contributions.changing(ctx, twin.id) as item:
            item.merged_into_id = bench.id
            contributions.move(ctx, item, State.MERGED)
        with contributions.changing(ctx, private.id) as item:
            item.visibility = Visibility.PRIVATE
        event = make_event(session, world)
        session.add(
            Commitment(
                code="I01", text="Tagliare l'erba", event_id=event.id, owner_name="La scala B",
                created_at=NOW, is_public=True,
            )
        )  # fmt: skip


def test_open_data_holds_all_that_is_public_and_nothing_else(
    lab: Run, said: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PAGE", 1)
    folder = tmp_path / "data"
    for _again in range(2):
        result = lab("export", "open-data", str(folder), "--json")
        assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["items"]["proposals"] == 3
    whole = _read(folder / "proposals.json")
    rows = _rows(folder / "proposals.csv")
    assert {item["text"] for item in whole} == {"Una panchina", "=HYPERLINK(1)", "Panchine"}
    assert [row["code"] for row in rows] == [item["code"] for item in whole]
    assert {row["text"] for row in rows} >= {"'=HYPERLINK(1)"}
    assert {row["merged_into.title"] for row in rows} == {"", "Una panchina"}
    assert [row["office.code"] for row in _rows(folder / "projects.csv")] == ["U06", "U03"]
    assert _rows(folder / "outcomes.csv")
    assert _read(folder / "about.json")["items"]["bodies"] == 2
    assert not list(folder.glob("*.part"))


def test_the_file_of_a_project_holds_what_belongs_to_it(lab: Run, said: None, tmp_path: Path) -> None:
    result = lab("export", "project", "P4", str(tmp_path / "p4"))
    assert result.exit_code == 0, result.output
    assert _read(tmp_path / "p4" / "project.json")["title"] == "Parco del Crocione"
    (bench,) = _read(tmp_path / "p4" / "proposals.json")
    assert bench["text"] == "Una panchina"
    assert bench["steps"], "each thing is whole"
    assert [path.read_bytes() for path in (tmp_path / "p4" / "photos").iterdir()] == [b"picture"]
    assert _read(tmp_path / "p4" / "actions.json") == []
    assert [row["projects"] for row in _rows(tmp_path / "p4" / "proposals.csv")] == ["P4"]
    (promise,) = _read(tmp_path / "p4" / "commitments.json")
    assert (promise["owner"], promise["event"]["code"]) == ("La scala B", "EV90")


def test_a_project_that_is_not_there_is_said_in_one_line(lab: Run, world: World, tmp_path: Path) -> None:
    result = lab("export", "project", "P99/../P4", str(tmp_path / "no"))
    assert result.exit_code == 1
    assert result.stderr == "Error: There is no project P99/../P4.\n"
    assert not (tmp_path / "no").exists()


def test_a_folder_that_cannot_be_made_is_said_in_one_line(lab: Run, world: World) -> None:
    result = lab("export", "open-data", "/dev/null/data")
    assert (result.exit_code, result.stderr) == (1, "Error: It failed: /dev/null/data: Not a directory\n")


def test_a_file_where_the_folder_should_be_is_misuse(lab: Run, world: World, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    assert lab("export", "open-data", str(tmp_path / "taken")).exit_code == 2
