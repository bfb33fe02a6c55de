"""What every command needs: words in the terminal's language, settings, database, a context."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click
from sqlalchemy.exc import OperationalError

import lab.models  # noqa: F401  # every table is known before the first query
from lab.db import migrations
from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.policy.actor import SYSTEM
from lab.services.context import Context
from lab.settings import Settings

T = TypeVar("T")


def in_italian() -> bool:
    """Whether the terminal speaks Italian."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
        value = os.environ.get(name, "")
        if value:
            return value.lower().startswith("it")
    return False


def words(italian: str, english: str) -> str:
    """The sentence in the terminal's language."""
    return italian if in_italian() else english


#: The option of every command whose answer a program may read.
json_option = click.option(
    "--json", "as_json", is_flag=True, help=words("Risponde in JSON.", "Answer in JSON.")
)


def say(italian: str, english: str, *, err: bool = False) -> None:
    """Print one line in the terminal's language."""
    click.echo(words(italian, english), err=err)


def say_json(value: Any) -> None:
    """Print what a machine reads."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def fail(italian: str, english: str) -> click.ClickException:
    """An error for `raise`: one line on standard error, exit code 1."""
    return click.ClickException(words(italian, english))


def settings() -> Settings:
    """The settings of this installation. Raises `SettingsError` with one line."""
    return Settings.from_environ(os.environ)


@contextmanager
def open_database() -> Iterator[tuple[Settings, Database]]:
    """Settings and database, closed at the end. A database that does not answer ends the command."""
    current = settings()
    try:
        database = Database(current.database_url, slow_ms=60_000)
    except OSError as error:
        raise fail(f"Il database non si apre: {error}", f"The database cannot be opened: {error}") from error
    try:
        yield current, database
    except OperationalError as error:
        told = str(error.orig).partition("\n")[0]
        raise fail(f"Il database non risponde: {told}", f"The database does not answer: {told}") from error
    finally:
        database.dispose()


@contextmanager
def acting(current: Settings, database: Database) -> Iterator[Context]:
    """One transaction as the program itself."""
    with database.writing() as session:
        yield Context(session, SYSTEM, utcnow(), locale=current.default_locale, timezone=current.timezone)


def known_revision(database: Database) -> str | None:
    """The revision the database is at. Refuses one that only a newer release knows."""
    found = migrations.current_revision(database.engine)
    if found is not None and not migrations.knows(found):
        raise fail(
            f"Il database è di una versione più nuova del programma ({found}): installa quella.",
            f"The database is of a newer release than this one ({found}): install that release.",
        )
    return found


def require_schema(database: Database) -> None:
    """Refuse to work on a database that is empty, behind or ahead."""
    if known_revision(database) != migrations.head_revision():
        raise fail("Prima esegui: lab db upgrade", "First run: lab db upgrade")


def going_through(items: Sequence[T], *, quiet: bool = False) -> Iterator[T]:
    """The items one after the other: under a bar on a terminal, with a line after each elsewhere.

    `quiet` says nothing: a machine reads the output.
    """
    if quiet:
        yield from items
    elif sys.stdout.isatty():
        with click.progressbar(items, label=words("Scrivo", "Writing")) as bar:
            yield from bar
    else:
        for number, item in enumerate(items, start=1):
            yield item
            say(f"Scritto {number} di {len(items)}.", f"Written {number} of {len(items)}.")
