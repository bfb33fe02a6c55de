"""The `lab` command against a database of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lab.cli import cli

Run = Callable[..., Result]


@pytest.fixture
def lab(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`lab("demo", "load")` runs the command as an administrator would, in English."""
    monkeypatch.setenv("LAB_HOME", str(tmp_path))
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)

    def run(*arguments: str, url: str = database_url, **environ: str) -> Result:
        monkeypatch.setenv("LAB_DATABASE_URL", url.replace("postgresql+psycopg://", "postgresql://"))
        return CliRunner().invoke(cli, list(arguments), env=environ)

    return run
