"""The `lab` command: everything an administrator does from a terminal or a script.

Exit codes: 0 done, 1 failed, 2 misuse. Words follow the terminal's language, Italian or English.
"""

from __future__ import annotations

import sys

import click

from lab.cli import backup, database, doctor, exports, i18n, imports, people, serving
from lab.cli.common import words
from lab.cli.demo import command as demo
from lab.settings import SettingsError


@click.group(help=words("Il Laboratorio di quartiere, dal terminale.", "The Laboratorio, from a terminal."))
@click.version_option(package_name="laboratorio")
def cli() -> None:
    """Root of all commands."""


for command in (
    serving.serve,
    serving.worker,
    database.group,
    demo.group,
    people.group,
    imports.group,
    exports.group,
    backup.backup,
    backup.restore,
    doctor.doctor,
    i18n.group,
):
    cli.add_command(command)


def main() -> None:
    """Entry point of the `lab` script."""
    try:
        cli()
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
