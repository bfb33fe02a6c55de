"""`lab i18n`: collect the words, compile the catalogues, say what is not translated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

import click
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from lab.cli.common import fail, say, words
from lab.settings import resource_dir

DOMAIN = "messages"
_MAPPING = """[python: **.py]
[jinja2: **.html]
trimmed = true
[jinja2: **.txt]
trimmed = true
[jinja2: **.xml]
trimmed = true
"""


@click.group("i18n", help=words("Le traduzioni.", "Translations."))
def group() -> None:
    """Commands on the catalogues."""


def _catalogues() -> list[Path]:
    return sorted(resource_dir("translations").glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


@group.command(help=words("Compila i cataloghi cambiati.", "Compile catalogues that changed."))
def compile() -> None:  # the name of the command
    """Write a .mo beside each .po that is newer."""
    made = 0
    for source in _catalogues():
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parts[-3])
        with target.open("wb") as file:
            write_mo(file, catalogue)
        made += 1
    say(f"Cataloghi compilati: {made}.", f"Catalogues compiled: {made}.")


def _babel(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "babel.messages.frontend", "-q", *arguments], check=False)
    if done.returncode:
        raise fail("Babel non ci è riuscito.", "Babel failed.")


def _extract(target: Path) -> None:
    root = resource_dir("translations").parent
    if not (root / "lab").is_dir():
        raise fail("Questo si fa dove c'è il codice sorgente.", "This is done where the source is.")
    with NamedTemporaryFile("w", encoding="utf-8", suffix=".cfg") as mapping:
        mapping.write(_MAPPING)
        mapping.flush()
        _babel(
            "extract", "-F", mapping.name, "-k", "_l", "-k", "_n:1,2", "--no-location", "--sort-output",
            "--project=laboratorio", "--copyright-holder=Comune di Seregno", "-o", str(target),
            str(root / "lab"), str(root / "templates"),
        )  # fmt: skip


@group.command(help=words("Raccoglie le parole dal codice.", "Collect the words from the code."))
def extract() -> None:
    """Write translations/messages.pot."""
    _extract(resource_dir("translations") / f"{DOMAIN}.pot")


@group.command(help=words("Porta le parole nuove nei cataloghi.", "Bring new words into the catalogues."))
def update() -> None:
    """Merge messages.pot into every catalogue; nothing that was translated is lost."""
    template = resource_dir("translations") / f"{DOMAIN}.pot"
    _extract(template)
    with template.open("rb") as file:
        collected = read_po(file)
    for source in _catalogues():
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parts[-3])
        # A guess at what a changed sentence might mean is worse than a gap that `check` names.
        catalogue.update(collected, no_fuzzy_matching=True, update_creation_date=False)
        catalogue.obsolete.clear()
        with source.open("wb") as file:
            write_po(file, catalogue, width=110, no_location=True, sort_output=True)


@group.command(help=words("Dice che cosa manca.", "Say what is missing."))
def check() -> None:
    """Exit 1 when a catalogue lacks a word of the code, or has one that is wrong."""
    problems = missing_words()
    for line in problems:
        click.echo(line)
    if problems:
        sys.exit(1)
    say("I cataloghi sono completi.", "The catalogues are complete.")


def missing_words() -> list[str]:
    """One line for each word without translation, and for each translation that breaks its pattern."""
    # In a place of its own: two who check at once do not take the file from one another.
    with TemporaryDirectory() as folder:
        template = Path(folder) / "words.pot"
        _extract(template)
        with template.open("rb") as file:
            wanted = {(message.id, message.context) for message in read_po(file) if message.id}
    problems = []
    for source in _catalogues():
        language = source.parts[-3]
        with source.open("rb") as file:
            catalogue = read_po(file, locale=language)
        for identity, context in sorted(wanted, key=str):
            message = catalogue.get(identity if isinstance(identity, str) else identity[0], context)
            if message is None or not message.string or not all(_forms(message.string)) or message.fuzzy:
                problems.append(f"{language}: {identity!r}")
            elif list(message.check(catalogue)):
                problems.append(f"{language}: {identity!r} -> {message.string!r}")
    return problems


def _forms(string: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string)
