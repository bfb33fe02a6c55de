"""`lab person`: the first administrator, roles, cards and erasure from a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import click
from sqlalchemy import select

from lab.cli.common import acting, fail, open_database, require_schema, say, words
from lab.cli.reasons import told
from lab.kernel.clock import local_date
from lab.kernel.errors import LabError
from lab.kernel.text import fold_email, valid_email
from lab.models.accounts import Credential, Person, Role
from lab.models.programme import Body, Office
from lab.services import accounts, audit, cards, privacy, roles
from lab.services.context import Context

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group("person", help=words("Le persone.", "People."))
def group() -> None:
    """Commands on people."""


@contextmanager
def _act() -> Iterator[tuple[Context, str]]:
    """One transaction; refusals of the domain become one line and exit code 1."""
    with open_database() as (settings, database):
        require_schema(database)
        try:
            with acting(settings, database) as ctx:
                yield ctx, settings.base_url
        except LabError as error:
            raise fail(f"Non si può: {told(error)}.", f"Refused: {told(error)}.") from error


def _find(ctx: Context, who: str) -> Person:
    """A person by e-mail or by number."""
    query = select(Person).where(Person.anonymised_at.is_(None))
    if re.fullmatch(r"\d{1,15}", who):
        query = query.where(Person.id == int(who))
    else:
        query = query.join(Credential, Credential.person_id == Person.id).where(
            Credential.email_key == fold_email(who)
        )
    found = ctx.session.execute(query).scalar_one_or_none()
    if found is None:
        raise fail(f"Nessuno con {who}.", f"Nobody with {who}.")
    return found


@group.command(help=words("Crea un accesso.", "Make an account."))
@click.argument("email")
@click.option("--name", required=True, help=words("Nome o soprannome.", "Name or nickname."))
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True, default="",
              help=words("Vuota: entra con un codice.", "Empty: signs in by mailed code."))  # fmt: skip
def add(email: str, name: str, password: str) -> None:
    """Make a person with an account whose address the administrator vouches for."""
    if not valid_email(email):
        raise fail("L'indirizzo e-mail non va bene.", "The e-mail address is not valid.")
    with _act() as (ctx, _url):
        key = fold_email(email)
        if ctx.session.execute(select(Credential).where(Credential.email_key == key)).first():
            raise fail("C'è già un accesso con questo indirizzo.", "There is an account with this address.")
        sealed = accounts.seal_password(password, name, email) if password else None
        person = accounts.vouch_for(ctx, accounts.clean_name(name), email, sealed)
        audit.record(ctx, "account.join", person)
        number = person.id
    say(f"Creata la persona {number}.", f"Made person {number}.")


@group.command(help=words("Dà una funzione.", "Give a role."))
@click.argument("who")
@click.argument("role", type=click.Choice([role.value for role in Role if role is not Role.RESIDENT]))
@click.option("--office", help=words("Codice dell'ufficio.", "Code of the office."))
@click.option("--body", help=words("Codice del soggetto.", "Code of the body."))
@click.option("--seat", default="", help=words("Codice del seggio.", "Code of the seat."))
@click.option("--from", "starts", type=_DAY, help=words("Dal giorno: oggi.", "First day: today."))
@click.option("--to", "ends", type=_DAY, help=words("Ultimo giorno: nessuno.", "Last day: none."))
def role(
    who: str,
    role: str,
    office: str | None,
    body: str | None,
    seat: str,
    starts: datetime | None,
    ends: datetime | None,
) -> None:
    """Give a role from a day (today) to a day (open-ended)."""
    with _act() as (ctx, _url):
        person = _find(ctx, who)
        roles.give(
            ctx,
            roles.GiveRole(
                person_id=person.id,
                role=Role(role),
                starts_on=_day(ctx, starts),
                ends_on=ends.date() if ends else None,
                office_id=_by_code(ctx, Office, office),
                body_id=_by_code(ctx, Body, body),
                seat_code=seat,
            ),
        )
    say("Fatto.", "Done.")


def _day(ctx: Context, value: datetime | None) -> date:
    return value.date() if value else local_date(ctx.now, ctx.timezone)


def _by_code(ctx: Context, model: type[Office] | type[Body], code: str | None) -> int | None:
    if code is None:
        return None
    found = ctx.session.execute(select(model.id).where(model.code == code)).scalar_one_or_none()
    if found is None:
        raise fail(f"Il codice {code} non c'è.", f"There is no {code}.")
    return int(found)


@group.command(
    help=words("Fa una tessera per chi non ha e-mail.", "Make a card for somebody without e-mail.")
)
@click.argument("who")
def card(who: str) -> None:
    """Print the address behind the card's QR once; the card before stops working."""
    with _act() as (ctx, url):
        person = _find(ctx, who)
        before = cards.living(ctx, person.id)
        new = cards.issue(ctx, cards.IssueCard(person.id, before.id if before else None))
        address = f"{url}/carta/{new.token}"
    say(f"Questo indirizzo fa entrare {person.name}, non si rivedrà:",
        f"This address signs {person.name} in and is not shown again:")  # fmt: skip
    click.echo(address)


@group.command(help=words("Cancella nome e contatti.", "Erase name and contacts."))
@click.argument("who")
@click.confirmation_option(prompt=words("Non si torna indietro. Continuo?", "This cannot be undone. Go on?"))
def anonymise(who: str) -> None:
    """Name and contacts vanish; what the person said stays, without a name."""
    with _act() as (ctx, _url):
        person = _find(ctx, who)
        privacy.erase(ctx, person.id)
    say("Fatto.", "Done.")
