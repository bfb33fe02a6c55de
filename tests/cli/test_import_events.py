"""An administrator brings in the meetings that stood in a spreadsheet."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from lab.db import search
from lab.db.engine import Database
from lab.models.events import Event, EventKind, EventState
from lab.models.operations import OutboxItem
from lab.models.programme import Place

Run = Callable[..., Result]
ROWS = """Numero;Titolo;Giorno;Dalle;Alle;Tipo;Descrizione;Luogo;Progetti;Posti;Presenti;Annullato perché
1;Assemblea <b>d'inverno</b>;14/02/2024;20:45;23:00;Assemblea;Si parla di lampioni;parco;;120;87;
2;Festa;2099-06-21;21:00;01:30;festa;;Cortile di via Colombo;;;;
3;Passeggiata;05/03/2099;10:00;;passeggiata;;;;;;La guida è malata
"""
BAD = """4;Senza ora;05/03/2099;;;;;;;;;
5;Boh;05/03/2099;10:00;;concerto;;;;;;
6;Progetto di altri;05/03/2099;10:00;;;;;P99;;;
7;;05/03/2099;10:00;;;;;;;;
8;Mai;31/02/2099;10:00;;;;;;;;
2;Di nuovo;05/03/2099;10:00;;;;;;;;
9;Ora che non c'è;29/03/2026;02:30;;;;;;;;
"""


@pytest.fixture
def file(tmp_path: Path, database: Database) -> Path:
    with database.writing() as session:
        session.add(Place(code="L02", name="Parco", x=100, y=100))
    path = tmp_path / "incontri.csv"
    path.write_text(ROWS, encoding="utf-8-sig")
    return path


@pytest.fixture
def mapping(tmp_path: Path) -> tuple[str, ...]:
    """The example without the columns that this file does not have."""
    example = (Path(__file__).parents[2] / "docs" / "examples" / "meetings.toml").read_text(encoding="utf-8")
    lines = [line for line in example.splitlines() if not line.startswith(("access", "languages", "result"))]
    path = tmp_path / "incontri.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return "--map", f"@{path}", "--json"


def _all(database: Database) -> list[Event]:
    query = select(Event).options(selectinload(Event.place)).order_by(Event.starts_at)
    with database.session() as session:
        return list(session.execute(query).scalars())


def test_meetings_come_in_once_and_nobody_is_mailed(
    lab: Run, file: Path, mapping: tuple[str, ...], database: Database
) -> None:
    assert json.loads(lab("import", "events", str(file), *mapping, "--dry-run").stdout)["written"] == 0
    assert _all(database) == []
    first = lab("import", "events", str(file), *mapping)
    assert (first.exit_code, json.loads(first.stdout)["written"]) == (0, 3), first.output
    assert json.loads(lab("import", "events", str(file), *mapping).stdout)["written"] == 0
    held, off, party = _all(database)
    assert (held.title, held.kind, held.state) == ("Assemblea d'inverno", EventKind.ASSEMBLY, EventState.HELD)
    assert held.starts_at == datetime(2024, 2, 14, 20, 45, tzinfo=ZoneInfo("Europe/Rome"))
    assert (held.minutes, held.seats, held.attendance, held.place and held.place.code) == (
        135,
        120,
        87,
        "L02",
    )
    assert (off.state, off.cancelled_reason) == (EventState.CANCELLED, "La guida è malata")
    assert (party.minutes, party.place, party.place_note) == (270, None, "Cortile di via Colombo")
    assert len({event.code for event in (held, off, party)}) == 3
    with database.session() as session:
        assert [found for _, found in search.found_ids(session, "event", "lampioni", limit=5)] == [held.id]
        assert session.execute(select(OutboxItem)).first() is None


def test_a_meeting_that_cannot_be_is_named_and_stops_the_import(
    lab: Run, file: Path, mapping: tuple[str, ...], database: Database
) -> None:
    file.write_text(ROWS + BAD, encoding="utf-8")
    result = lab("import", "events", str(file), *mapping)
    assert result.exit_code == 1
    assert {row["ref"]: (row["field"], row["reason"]) for row in json.loads(result.stdout)["bad"]} == {
        "4": ("time", "required"),
        "5": ("kind", "unknown_kind"),
        "6": ("projects", "no_such_project"),
        "7": ("title", "required"),
        "8": ("date", "not_a_date"),
        "2": ("id", "twice_in_file"),
        "9": ("hour", "no_such_hour"),
    }
    assert _all(database) == []
    assert lab("import", "events", str(file), *mapping, "--skip-bad", "--drafts").exit_code == 0
    assert [event.is_public for event in _all(database)] == [False] * 3
