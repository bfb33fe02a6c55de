"""`lab doctor`: looks at configuration, database, mail, disk and jobs, and says what to do."""

from __future__ import annotations

import os
import shutil
import smtplib
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import click
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from lab.cli.common import json_option, known_revision, open_database, say_json, words
from lab.db import migrations
from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.models.operations import OutboxItem
from lab.policy.actor import SYSTEM
from lab.services import site
from lab.services.context import Context
from lab.settings import Settings, SettingsError, SmtpServer

#: Free space below which photographs and backups are at risk, in bytes.
LOW_DISK = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing looked at: how it is (ok, warning, problem) and what to do."""

    what: str
    level: str
    words: str


@click.command(help=words("Controlla che tutto sia a posto.", "Check that everything is right."))
@json_option
def doctor(as_json: bool) -> None:
    """Exit 1 when something needs doing."""
    findings = _findings()
    if as_json:
        say_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            mark = {"ok": "ok", "warning": words("guarda", "look"), "problem": words("PROBLEMA", "PROBLEM")}
            click.echo(f"{mark[finding.level]:9}{finding.what}: {finding.words}")
    sys.exit(1 if any(finding.level == "problem" for finding in findings) else 0)


def _findings() -> list[Finding]:
    try:
        with open_database() as (settings, database):
            return list(examine(settings, database))
    except SettingsError as error:
        return [Finding("settings", "problem", str(error))]
    except click.ClickException as error:
        return [Finding("database", "problem", error.message)]


def examine(settings: Settings, database: Database) -> Iterator[Finding]:
    """All findings, in the order an administrator would look."""
    yield Finding("settings", "ok", f"LAB_ENV={settings.env}, {settings.base_url}")
    yield _bundle(settings)
    yield from _database(database, settings)
    yield _mail(settings.smtp)
    yield from _folders(settings)


def _bundle(settings: Settings) -> Finding:
    if (settings.static / "dist" / "manifest.json").is_file():
        return Finding("static", "ok", words("interfaccia costruita", "the interface is built"))
    return Finding("static", "problem", words("manca l'interfaccia: make bundle", "run: make bundle"))


def _database(database: Database, settings: Settings) -> Iterator[Finding]:
    try:
        current, head = known_revision(database), migrations.head_revision()
    except click.ClickException as error:
        yield Finding("database", "problem", error.message)
        return
    except SQLAlchemyError:
        yield Finding("database", "problem", words("non risponde: guarda LAB_DATABASE_URL",
                                                   "no answer: look at LAB_DATABASE_URL"))  # fmt: skip
        return
    if current != head:
        yield Finding("database", "problem", words("esegui: lab db upgrade", "run: lab db upgrade"))
        return
    yield Finding("database", "ok", f"{database.engine.dialect.name}, {head}")
    yield from _demo(database, settings)
    yield from _jobs(database)


def _demo(database: Database, settings: Settings) -> Iterator[Finding]:
    with database.session() as session:
        accounts = site.demo_accounts(Context(session, SYSTEM, utcnow()))
    if accounts and settings.is_production:
        told = words("la sua password è pubblica: usa un altro database",
                     "its password is public: use another database")  # fmt: skip
        yield Finding("demo", "problem", told)


def _jobs(database: Database) -> Iterator[Finding]:
    late = utcnow() - timedelta(minutes=15)
    waiting = OutboxItem.done_at.is_(None) & OutboxItem.parked_at.is_(None)
    with database.session() as session:
        parked = session.execute(select(func.count()).where(OutboxItem.parked_at.is_not(None))).scalar_one()
        overdue = session.execute(
            select(func.count()).where(waiting, OutboxItem.available_at < late)
        ).scalar_one()
    if parked:
        yield Finding("jobs", "warning", words(f"{parked} lavori fermi: guardali in /regia/sito/posta",
                                               f"{parked} parked: see /regia/sito/posta"))  # fmt: skip
    if overdue:
        yield Finding("jobs", "problem", words(f"{overdue} lavori in ritardo: è acceso lab worker?",
                                               f"{overdue} overdue: is lab worker running?"))  # fmt: skip
    if not parked and not overdue:
        yield Finding("jobs", "ok", words("niente in ritardo", "nothing overdue"))


def _mail(server: SmtpServer | None) -> Finding:
    if server is None:
        return Finding("mail", "warning", words("senza LAB_SMTP_URL i messaggi restano qui",
                                                "LAB_SMTP_URL is unset: mails wait here"))  # fmt: skip
    try:
        connect = smtplib.SMTP_SSL if server.tls == "tls" else smtplib.SMTP
        with connect(server.host, server.port, timeout=5) as client:
            client.noop()
    except (OSError, smtplib.SMTPException) as error:
        return Finding("mail", "problem", f"{server.host}:{server.port}: {type(error).__name__}")
    return Finding("mail", "ok", f"{server.host}:{server.port}")


def _folders(settings: Settings) -> Iterator[Finding]:
    for name, folder in (("uploads", settings.uploads), ("data", settings.sqlite_path)):
        if folder is None:
            continue
        place = _existing(folder)
        if not os.access(place, os.W_OK):
            yield Finding(name, "problem", words(f"{place} non si può scrivere: con quale utente gira?",
                                                 f"{place} cannot be written: who runs this?"))  # fmt: skip
            continue
        free = shutil.disk_usage(place).free
        level = "ok" if free > LOW_DISK else "warning"
        yield Finding(name, level, words(f"{free // 10**6} MB liberi in {place}",
                                         f"{free // 10**6} MB free in {place}"))  # fmt: skip


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
