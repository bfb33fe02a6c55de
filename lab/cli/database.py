"""`lab db`: bring the database to this version, or say whether it is."""

from __future__ import annotations

import sys

import click

from lab.cli.common import json_option, known_revision, open_database, say, say_json, words
from lab.db import migrations


@click.group("db", help=words("Il database.", "The database."))
def group() -> None:
    """Commands on the schema."""


@group.command(help=words("Porta il database a questa versione.", "Bring the database to this version."))
def upgrade() -> None:
    """Run the migrations that are missing; can be interrupted and run again."""
    with open_database() as (_settings, database):
        before = known_revision(database)
        migrations.upgrade(database.engine)
        after = migrations.current_revision(database.engine)
    if before == after:
        say("Il database è già a posto.", "The database is up to date.")
    else:
        say(f"Database portato alla versione {after}.", f"Database brought to revision {after}.")


@group.command(help=words("Dice se il database è a posto.", "Say whether the database is right."))
@json_option
def check(as_json: bool) -> None:
    """Exit 0 when the schema is the one this version needs."""
    with open_database() as (_settings, database):
        current, head = migrations.current_revision(database.engine), migrations.head_revision()
    if as_json:
        say_json({"current": current, "head": head, "ok": current == head})
    else:
        say(
            f"Versione {current or 'nessuna'}, serve {head}.", f"Revision {current or 'none'}, needed {head}."
        )
    sys.exit(0 if current == head else 1)
