"""An administrator brings in what people said elsewhere: nothing lost, nothing twice, every refusal named."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from lab.db import search
from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.models.contributions import Contribution, State, Tally
from lab.models.conversation import Comment
from lab.policy.actor import SYSTEM
from lab.services import imports
from lab.services.context import Context
from lab.services.import_rows import Mapping, ProposalRow
from lab.services.tally import whole

Run = Callable[..., Result]
#: Where the open data of other towns lie, when they are here.
REAL = Path(os.environ.get("LAB_TEST_REAL", "/nowhere"))

PROPOSALS = """id;titolo;testo;data;voti;stato;chiusa
1;Più panchine;<p>Al <b>parco</b></p><script>alert(1)</script>;01/02/2024;12;aperta;
2;;Solo testo;2024-03-04;;chiusa;2024-03-20
3;=CMD();"Riga uno
riga due";05/03/2024;0;aperta;
"""
MAP = [
    "--map", "id=id", "--map", "title=titolo", "--map", "text=testo", "--map", "date=data",
    "--map", "supports=voti", "--map", "state=stato", "--map", "decided=chiusa",
    "--state", "aperta=received", "--state", "chiusa=answered",
]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "proposte.csv"
    path.write_text(PROPOSALS, encoding="utf-8-sig")
    return path


def _all(database: Database) -> list[Contribution]:
    with database.session() as session:
        return list(session.execute(select(Contribution).order_by(Contribution.created_at)).scalars())


def test_rows_come_in_clean_and_are_found(lab: Run, file: Path, database: Database) -> None:
    result = lab("import", "proposals", str(file), *MAP)
    assert result.exit_code == 0, result.output
    first, second, third = _all(database)
    assert (first.title, first.supports_count, first.state) == ("Più panchine", 12, State.RECEIVED)
    assert "alert" not in first.text and "<" not in first.text and "parco" in first.text
    assert second.state is State.ANSWERED and second.decided_at is not None
    assert third.text == "Riga uno\nriga due"
    with database.session() as session:
        assert [subject for _, subject in search.found_ids(session, "contribution", "PANCHINE", limit=5)] == [
            first.id
        ]
        assert session.execute(select(func.sum(Tally.count)).where(*whole())).scalar_one() == 3


def test_a_second_run_writes_nothing_twice(lab: Run, file: Path, database: Database) -> None:
    lab("import", "proposals", str(file), *MAP)
    again = lab("import", "proposals", str(file), *MAP, "--json")
    assert json.loads(again.stdout)["written"] == 0
    assert len(_all(database)) == 3


def test_a_dry_run_writes_nothing(lab: Run, file: Path, database: Database) -> None:
    assert lab("import", "proposals", str(file), *MAP, "--dry-run").exit_code == 0
    assert _all(database) == []


def test_bad_rows_are_named_and_stop_the_import(lab: Run, file: Path, database: Database) -> None:
    file.write_text(
        PROPOSALS + "4;x;;32/13/2024;0;aperta;\n5;y;z;2024-01-01;molti;aperta;\n6;y;z;2024-01-01;1;boh;\n"
        "2;di nuovo;z;2024-01-01;1;aperta;\n7;senza data di chiusura;z;2024-01-01;1;chiusa;\n"
        ";senza id;z;2024-01-01;;;\n",
        encoding="utf-8",
    )
    result = lab("import", "proposals", str(file), *MAP, "--json")
    assert result.exit_code == 1
    reasons = {row["ref"]: (row["field"], row["reason"]) for row in json.loads(result.stdout)["bad"]}
    assert reasons == {
        "4": ("date", "not_a_date"),
        "5": ("supports", "not_a_number"),
        "6": ("state", "unknown_state"),
        "2": ("id", "twice_in_file"),
        "7": ("decided", "closed_without_date"),
        "": ("id", "required"),
    }
    assert _all(database) == []
    assert lab("import", "proposals", str(file), *MAP, "--skip-bad").exit_code == 0
    assert len(_all(database)) == 3


def test_a_wrong_mapping_is_told(lab: Run, file: Path) -> None:
    for wrong, told in (
        (["--map", "title=nessuna"], "The mapping is wrong: the file has no column nessuna."),
        (["--map", "title={titolo.__class__}"], "the file has no column titolo.__class__."),
        (["--map", "colore=titolo"], "The mapping is wrong: there is no field colore."),
        (["--map", "@niente.toml"], "niente.toml: No such file"),
        (["--map", f"@{file}"], "is no TOML"),
        (["--state", "aperta=boh"], "boh is not known. Use one of: received, "),
    ):
        result = lab("import", "proposals", str(file), *MAP, *wrong)
        assert result.exit_code == 1, wrong
        assert told in result.stderr
        assert result.stderr.count("\n") == 1
    assert lab("import", "proposals", str(file), *MAP, "--map", "title").exit_code == 2


@pytest.mark.parametrize("content", [PROPOSALS.encode("latin-1"), b"\x1f\x8b\x08\x00cut"])
def test_a_file_that_is_no_csv_in_utf_8_is_told(
    lab: Run, file: Path, database: Database, content: bytes
) -> None:
    path = file.with_suffix(".csv.gz" if content.startswith(b"\x1f\x8b") else ".csv")
    path.write_bytes(content)
    result = lab("import", "proposals", str(path), *MAP)
    assert (result.exit_code, result.stderr) == (1, "Error: The file is wrong: it is no CSV in UTF-8.\n")
    assert _all(database) == []


def test_rows_that_are_refused_say_why(lab: Run, file: Path) -> None:
    file.write_text(PROPOSALS + "4;x;;32/13/2024;0;aperta;\n", encoding="utf-8")
    told = lab("import", "proposals", str(file), *MAP).stderr
    assert "line 5 (4): date is no date\n" in told


COMMENTS = """id,padre,proposta,testo,data,ora
11,10,1,Risposta prima del padre,2024-02-03,10:00
10,-1,1,Primo,2024-02-02,09:30
12,11,1,Risposta alla risposta,2024-02-04,
13,99,1,Il padre non c'è,2024-02-05,
14,-1,77,La proposta non c'è,2024-02-05,
15,10,1,,2024-02-06,
16,15,1,Risposta a uno tolto,2024-02-07,
17,18,1,In giro,2024-02-07,
18,17,1,In tondo,2024-02-07,
"""
COMMENT_MAP = [
    "--map", "id=id", "--map", "parent=padre", "--map", "proposal=proposta", "--map", "text=testo",
    "--map", "date=data", "--map", "time=ora", "--source", "proposte",
]  # fmt: skip


def test_threads_keep_their_shape(lab: Run, file: Path, tmp_path: Path, database: Database) -> None:
    lab("import", "proposals", str(file), *MAP)
    comments = tmp_path / "commenti.csv"
    comments.write_text(COMMENTS, encoding="utf-8")
    result = lab("import", "comments", str(comments), *COMMENT_MAP, "--skip-bad", "--json")
    report = json.loads(result.stdout)
    assert (report["written"], report["orphans"]) == (8, 1)
    assert [(row["ref"], row["reason"]) for row in report["bad"]] == [("14", "no_such_proposal")]
    with database.session() as session:
        by_ref = {row.source_ref: row for row in session.execute(select(Comment)).scalars()}
        first, reply, deeper = by_ref["10"], by_ref["11"], by_ref["12"]
        assert (reply.parent_id, reply.root_id, reply.depth) == (first.id, first.id, 1)
        assert (deeper.parent_id, deeper.root_id, deeper.depth) == (reply.id, first.id, 2)
        assert by_ref["13"].parent_id is None
        assert by_ref["15"].deleted_at is not None and by_ref["16"].parent_id == by_ref["15"].id
        assert {by_ref["17"].root_id, by_ref["18"].root_id} != {None, by_ref["17"].id, by_ref["18"].id}
        target = session.execute(select(Contribution).where(Contribution.source_ref == "1")).scalar_one()
        assert target.comments_count == 7
    assert (
        json.loads(lab("import", "comments", str(comments), *COMMENT_MAP, "--skip-bad", "--json").stdout)[
            "written"
        ]
        == 0
    )


def test_two_imports_at_once_write_each_row_once(database: Database, file: Path) -> None:
    """Two administrators start the same import: one waits or is refused, no row comes twice."""
    mapping = Mapping("prova", {"id": "id", "title": "titolo", "text": "testo", "date": "data"})
    rows = [row for row in imports.read_proposals(file, mapping) if isinstance(row, ProposalRow)]
    errors: list[Exception] = []

    def run() -> None:
        try:
            with database.writing() as session:
                imports.write_proposals(Context(session, SYSTEM, utcnow()), mapping, rows)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_all(database)) == 3
    assert {type(error) for error in errors} <= {IntegrityError}


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="LAB_TEST_REAL names no folder with the real sets")
def test_the_real_sets_come_in_whole(lab: Run, database: Database) -> None:
    examples = Path(__file__).parents[2] / "docs" / "examples"
    threads = ("--source", "threads")
    runs = [
        ("proposals", "alessandria/segnalazioni_municipium.csv", "alessandria", 4651, ("--kind", "report")),
        ("proposals", "decide-madrid/proposals_2024_2025.csv.gz", "madrid-proposals", 2738, ()),
        ("proposals", "decide-madrid/proposals_2015_2019_threads.csv", "madrid-threads", 80, threads),
        ("comments", "decide-madrid/comments_2015_2019_threads.csv.gz", "madrid-comments", 5633, threads),
    ]  # fmt: skip
    for what, path, mapping, expected, more in runs:
        arguments = (
            "import",
            what,
            str(REAL / path),
            "--map",
            f"@{examples / mapping}.toml",
            "--json",
            *more,
        )
        result = lab(*arguments)
        assert result.exit_code == 0, result.output
        report = json.loads(result.stdout)
        assert (report["good"], report["written"], report["bad"]) == (expected, expected, [])
    with database.session() as session:
        assert session.execute(select(func.sum(Tally.count)).where(*whole())).scalar_one() == 4651 + 2738 + 80
        stored = session.execute(select(func.count()).select_from(Comment)).scalar_one()
        live = session.execute(select(func.sum(Contribution.comments_count))).scalar_one()
        assert (
            stored == 5633
            and live
            == 5633
            - session.execute(select(func.count()).where(Comment.deleted_at.is_not(None))).scalar_one()
        )
        assert not session.execute(select(Contribution.id).where(Contribution.text.contains("<p>"))).first()
