"""What the documents name is there: tests, files, settings, commands, limits, links."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import click
import pytest

from lab.cli import cli
from lab.services import limits
from lab.services.limits import Limit
from tests.architecture.source import LAB

ROOT = LAB.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: Floors that documents name without `lab/` in front.
_FLOORS = "web|services|models|db|policy|jobs|mail|kernel|cli"
_WINDOWS = {900: "15 minutes", 3600: "1 hour"}

documents = pytest.mark.parametrize(
    "text", [path.read_text() for path in DOCUMENTS], ids=[p.name for p in DOCUMENTS]
)


@pytest.fixture(scope="module")
def tests() -> str:
    """The source of all tests."""
    return "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))


@documents
def test_the_tests_it_names_exist(text: str, tests: str) -> None:
    named = set(re.findall(r"\btest_\w+\b(?!\.py)", text))
    assert [
        name for name in named if name not in tests and not list((ROOT / "tests").rglob(f"{name}.py"))
    ] == []


@documents
def test_the_files_it_names_exist(text: str) -> None:
    named = re.findall(r"`((?:lab|tests|static|templates|tools|bench|docs|translations)/[\w./*-]+)`", text)
    named += [f"lab/{name}" for name in re.findall(rf"`((?:{_FLOORS})/[\w./*-]+)`", text)]
    # What is built is not there in a fresh checkout.
    gone = [name for name in named if "dist" not in name and not list(ROOT.glob(name.rstrip("/")))]
    assert gone == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.name for path in DOCUMENTS])
def test_its_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


@documents
def test_the_settings_it_names_are_read(text: str, tests: str) -> None:
    read = (LAB / "settings.py").read_text() + tests
    assert [name for name in set(re.findall(r"\bLAB_[A-Z_]+[A-Z]\b", text)) if name not in read] == []


def test_every_setting_is_explained() -> None:
    told = (ROOT / "docs" / "administrators.md").read_text()
    read = set(re.findall(r'"(LAB_[A-Z_]+)"', (LAB / "settings.py").read_text()))
    assert [name for name in read if f"| `{name}` |" not in told] == []


@documents
def test_the_commands_it_names_exist(text: str) -> None:
    named = set(
        re.findall(r"(?:^|`|bin/)lab ([a-z0-9][a-z0-9-]*)(?: ([a-z][a-z0-9-]*))?", text, re.MULTILINE)
    )
    unknown = []
    for group, command in named - {("totem", "v1")}:  # what the seal of tablets is derived with
        found = cli.commands.get(group)
        if found is None or (isinstance(found, click.Group) and command and command not in found.commands):
            unknown.append(f"{group} {command}")
    assert unknown == []


def test_the_limits_are_those_of_the_table() -> None:
    table = (ROOT / "docs" / "security.md").read_text()
    told = Counter(re.findall(r"\| ([\d,]+) \| (15 minutes|1 hour) \|", table))
    kept = Counter(
        (f"{one.most:,}", _WINDOWS[one.seconds]) for one in vars(limits).values() if isinstance(one, Limit)
    )
    assert kept - told == Counter()
