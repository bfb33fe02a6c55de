"""The `lab` command: everything an administrator does from a terminal or a script.

Exit codes: 0 done, 1 failed, 2 misuse. Words follow the terminal's language, Italian or English.
"""

from __future__ import annotations

from typing import Any

import click

from lab.cli import backup, database, doctor, exports, i18n, imports, people, serving
from lab.cli.common import fail, words
from lab.cli.demo import command as demo
from lab.settings import SettingsError


class _Root(click.Group):
    """Tells in one line what whoever typed the command can mend: a setting, a file, a full disk."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            raise  # whoever read along has gone: Click ends without a word
        except OSError as error:
            told = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            raise fail(f"Non riesce: {told}", f"It failed: {told}") from error


@click.group(
    cls=_Root, help=words("Il Laboratorio di quartiere, dal terminale.", "The Laboratorio, from a terminal.")
)
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
    cli()
