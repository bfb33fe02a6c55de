"""`lab doctor` says what is wrong and what to do; `lab db check` answers a script."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import text

from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.models.operations import OutboxItem, SiteSetting
from lab.services import site

Run = Callable[..., Result]


def _levels(result: Result) -> dict[str, str]:
    return {finding["what"]: finding["level"] for finding in json.loads(result.stdout)}


def test_work_that_nobody_does_is_a_problem(lab: Run, database: Database) -> None:
    assert _levels(lab("doctor", "--json"))["jobs"] == "ok"
    long_ago = utcnow() - timedelta(hours=2)
    with database.writing() as session:
        session.add(OutboxItem(topic="mail", payload={}, created_at=long_ago, available_at=long_ago))
    result = lab("doctor", "--json")
    assert result.exit_code == 1
    assert _levels(result)["jobs"] == "problem"


def test_a_mail_server_that_is_away_is_a_problem(lab: Run) -> None:
    result = lab(
        "doctor", "--json", LAB_SMTP_URL="smtp://127.0.0.1:9?tls=none", LAB_MAIL_FROM="lab@example.org"
    )
    assert _levels(result)["mail"] == "problem"


def test_a_database_behind_is_a_problem(lab: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/fresh.db"
    assert _levels(lab("doctor", "--json", url=url))["database"] == "problem"
    assert lab("db", "check", url=url).exit_code == 1
    assert lab("db", "upgrade", url=url).exit_code == 0
    assert lab("db", "check", url=url).exit_code == 0


def test_accounts_whose_password_everybody_knows_are_a_problem_where_real_people_are(
    lab: Run, database: Database
) -> None:
    with database.writing() as session:
        value = {"accounts": [{"email": "amministratore@demo.example", "what": ""}]}
        session.add(SiteSetting(key=site.DEMO_KEY, value=value, changed_at=utcnow()))
    assert "demo" not in _levels(lab("doctor", "--json"))
    real = {"LAB_ENV": "production", "LAB_BASE_URL": "https://lab.example.org"}
    result = lab("doctor", "--json", LAB_SECRET_KEY="for-tests-only-" + "abcdefgh" * 5, **real)
    assert (result.exit_code, _levels(result)["demo"]) == (1, "problem")


def test_a_wrong_setting_is_one_line(lab: Run) -> None:
    result = lab("db", "check", LAB_TRUSTED_PROXIES="many")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: LAB_TRUSTED_PROXIES is 'many'")
    assert result.stderr.count("\n") == 1
    assert _levels(lab("doctor", "--json", LAB_TRUSTED_PROXIES="many")) == {"settings": "problem"}


def test_a_database_of_a_newer_release_is_told_as_such(lab: Run, database: Database) -> None:
    with database.engine.connect().execution_options(lab_write=True) as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for command in (("db", "upgrade"), ("worker", "--once"), ("doctor",)):
        result = lab(*command)
        assert result.exit_code == 1
        assert "newer release" in result.output
    assert lab("db", "check").exit_code == 1


def test_a_folder_that_cannot_be_written_is_a_problem(
    lab: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads, really = tmp_path / "photos", os.access
    uploads.mkdir()
    # Whoever runs the tests may be root, whom no mode of a folder stops.
    monkeypatch.setattr("os.access", lambda path, mode: path != uploads and really(path, mode))
    assert _levels(lab("doctor", "--json", LAB_UPLOADS=str(uploads)))["uploads"] == "problem"
    assert _levels(lab("doctor", "--json"))["uploads"] == "ok"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://lab@127.0.0.1:9/none", "Error: The database does not answer: "),
        ("sqlite:////dev/null/lab.db", "Error: The database cannot be opened: "),
    ],
)
def test_a_database_that_is_away_is_told_in_one_line(lab: Run, tmp_path: Path, url: str, told: str) -> None:
    for command in (("db", "check"), ("export", "open-data", str(tmp_path)), ("backup", str(tmp_path / "b"))):
        result = lab(*command, url=url)
        assert result.exit_code == 1
        assert result.stderr.startswith(told)
        assert result.stderr.count("\n") == 1
    assert _levels(lab("doctor", "--json", url=url))["database"] == "problem"
