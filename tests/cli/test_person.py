"""An administrator at a terminal makes the first accounts; what cannot be is said in words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result

from lab.db.engine import Database
from tests.world import World

Run = Callable[..., Result]
ANNA = ("person", "add", "anna@example.org", "--name", "Anna")


def test_the_first_administrator_is_made_and_cannot_be_erased(lab: Run, database: Database) -> None:
    assert lab(*ANNA, "--password", "").exit_code == 0
    assert lab("person", "role", "anna@example.org", "administrator").exit_code == 0
    result = lab("person", "anonymise", "anna@example.org", "--yes")
    assert result.exit_code == 1
    assert result.stderr == "Error: Refused: the last administrator: make another one first.\n"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ((*ANNA, "--password", "x"), "Refused: the password needs 8 characters."),
        (("person", "add", "anna", "--name", "Anna", "--password", ""), "The e-mail address is not valid."),
        (
            ("person", "role", "rosa@example.org", "office"),
            "Refused: an office in being is needed: --office CODE.",
        ),
        (("person", "role", "rosa@example.org", "office", "--office", "U99"), "There is no U99."),
        (("person", "role", "nobody@example.org", "office"), "Nobody with nobody@example.org."),
        (
            (
                "person",
                "role",
                "rosa@example.org",
                "facilitator",
                "--from",
                "2027-02-01",
                "--to",
                "2027-01-01",
            ),
            "Refused: it ends before it begins.",
        ),
    ],
)
def test_what_cannot_be_is_said_in_words(lab: Run, world: World, command: tuple[str, ...], told: str) -> None:
    result = lab(*command)
    assert (result.exit_code, result.stderr) == (1, f"Error: {told}\n")
