"""`lab demo`: load the demonstration neighbourhood."""

from __future__ import annotations

from datetime import datetime

import click

from lab.cli.common import acting, fail, open_database, require_schema, say, words
from lab.cli.demo import loader
from lab.cli.demo.accounts import KIOSK_CODE, KIOSK_PIN
from lab.kernel.clock import local_date
from lab.services import devices

_IN_ITALIAN = {
    "projects": "progetti",
    "meetings": "incontri",
    "proposals": "proposte",
    "actions": "azioni",
    "people": "persone",
}


@click.group("demo", help=words("Il quartiere dimostrativo.", "The demonstration neighbourhood."))
def group() -> None:
    """Demo commands."""


@group.command(help=words("Carica il quartiere demo.", "Load the demo neighbourhood."))
@click.option(
    "--reference-date",
    type=click.DateTime(["%Y-%m-%d"]),
    help=words("Il giorno che vale come oggi.", "The day that counts as today."),
)
@click.option(
    "--if-empty",
    is_flag=True,
    help=words("Non fa nulla se ci sono già dati.", "Do nothing when there is data already."),
)
def load(reference_date: datetime | None, if_empty: bool) -> None:
    """Fill an empty database, dates moved to today; refuses in production and on one with data."""
    with open_database() as (settings, database):
        if settings.is_production:
            raise fail(
                "La demo non si carica in produzione: ha password note a tutti.",
                "The demo is not loaded in production: everybody knows its passwords.",
            )
        require_schema(database)
        with acting(settings, database) as ctx:
            if not loader.is_empty(ctx):
                if if_empty:
                    return
                raise fail("Ci sono già dati: uso solo un database vuoto.", "There is data here already.")
            today = local_date(ctx.now, ctx.timezone)
            made = loader.load(ctx, reference_date.date() if reference_date else today)
            devices.standing_code(ctx, KIOSK_CODE, KIOSK_PIN)
    italian = ", ".join(f"{count} {_IN_ITALIAN[what]}" for what, count in made.items())
    english = ", ".join(f"{count} {what}" for what, count in made.items())
    say(f"Demo caricata: {italian}.", f"Demo loaded: {english}.")
