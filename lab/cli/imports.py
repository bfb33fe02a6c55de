"""`lab import`: proposals, comments and meetings from any CSV, looked at first, written in whole batches."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from lab.cli.common import (
    acting,
    fail,
    going_through,
    json_option,
    open_database,
    require_schema,
    say,
    say_json,
    words,
)
from lab.cli.reasons import sentence, told
from lab.db.engine import Database
from lab.kernel.errors import Invalid
from lab.models.contributions import Kind, State
from lab.models.events import EventKind
from lab.services import import_events, imports
from lab.services.import_rows import BadRow, Mapping
from lab.services.imports import Row
from lab.settings import Settings

#: Bad rows named on the terminal; all of them go to --bad-rows.
SHOWN = 50

Code = TypeVar("Code", State, EventKind)

_OPTIONS = (
    click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    click.option(
        "--map", "pairs", multiple=True, metavar="FIELD=COLUMN",
        help=words("Campo=colonna, o campo={colonna} {colonna}; @file.toml per un elenco.",
                   "Field=column, or field={column} {column}; @file.toml for a list."),
    ),
    click.option("--source", help=words("Nome della raccolta (di solito il nome del file).",
                                        "Name of the set (by default the file's name).")),
    click.option("--lang", default="it", show_default=True,
                 help=words("La lingua dei testi.", "The language of the texts.")),
    click.option("--state", "states", multiple=True, metavar="WORD=STATE",
                 help=words("Come tradurre uno stato.", "How to read one state.")),
    click.option("--dry-run", is_flag=True, help=words("Controlla soltanto.", "Only check.")),
    click.option("--skip-bad", is_flag=True,
                 help=words("Scrive le righe buone anche se altre no.", "Write the good rows all the same.")),
    click.option("--bad-rows", type=click.Path(dir_okay=False, path_type=Path),
                 help=words("Scrive qui le righe scartate.", "Write refused rows here.")),
    json_option,
)  # fmt: skip


def _options(command: Any) -> Any:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group("import", help=words("Porta dentro dati di altri.", "Bring in data from elsewhere."))
def group() -> None:
    """Import commands."""


@group.command(help=words("Proposte o segnalazioni da un CSV.", "Proposals or reports from a CSV."))
@_options
@click.option("--kind", type=click.Choice(["proposal", "report"]), default="proposal",
              show_default=True, help=words("Che cosa sono.", "What they are."))  # fmt: skip
def proposals(**options: Any) -> None:
    """Check every row, then write them in batches; again and again without doubles."""
    _run(options, _proposals)


@group.command(help=words("Commenti a proposte già importate.", "Comments on imported proposals."))
@_options
def comments(**options: Any) -> None:
    """Check every row, then write them parents first."""
    _run({**options, "kind": Kind.PROPOSAL}, _comments)


@group.command(help=words("Incontri passati o in arrivo, da un CSV.", "Past or coming meetings from a CSV."))
@_options
@click.option("--kind", "event_kind", type=click.Choice([str(kind) for kind in EventKind]), default="meeting",
              show_default=True, help=words("Il tipo, dove il file non lo dice.",
                                            "The kind, where the file says none."))  # fmt: skip
@click.option("--drafts", is_flag=True,
              help=words("Come bozze: le vede la squadra.", "As drafts, for the team alone."))  # fmt: skip
def events(**options: Any) -> None:
    """Check every row, then write them in batches; nobody is mailed."""
    _run({**options, "kind": Kind.PROPOSAL}, _events)


def _run(options: dict[str, Any], work: Any) -> None:
    with open_database() as (settings, database):
        require_schema(database)
        try:
            mapping = _mapping(options, settings)
            written, report = work(options, mapping, settings, database)
        except Invalid as error:
            what = ("La mappa", "The mapping") if error.field == "map" else ("Il file", "The file")
            raise fail(f"{what[0]} non va: {told(error)}.", f"{what[1]} is wrong: {told(error)}.") from error
    _tell(options, written, report)
    if report.bad and not options["skip_bad"]:
        sys.exit(1)


def _mapping(options: dict[str, Any], settings: Settings) -> Mapping:
    fields: dict[str, str] = {}
    states: dict[str, str] = {}
    kinds: dict[str, str] = {}
    for pair in options["pairs"]:
        if pair.startswith("@"):
            table = _table(Path(pair[1:]))
            fields.update(table.get("fields", {}))
            states.update(table.get("states", {}))
            kinds.update(table.get("kinds", {}))
            continue
        name, column = _parts(pair)
        fields[name.strip()] = column
    for pair in options["states"]:
        word, state = _parts(pair)
        states[word] = state
    path: Path = options["file"]
    return Mapping(
        source=(options["source"] or path.name.split(".")[0])[:64],
        fields={name: column.replace("\\n", "\n") for name, column in fields.items()},
        states=_codes(State, states),
        kind=Kind(options["kind"]),
        event_kinds=_codes(EventKind, kinds),
        event_kind=EventKind(options.get("event_kind", EventKind.MEETING)),
        lang=options["lang"],
        timezone=settings.timezone,
    )


def _table(path: Path) -> dict[str, dict[str, str]]:
    """A mapping kept in a file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise fail(f"{path} non è TOML: {error}", f"{path} is no TOML: {error}") from error


def _parts(pair: str) -> tuple[str, str]:
    left, sign, right = pair.partition("=")
    if not sign:
        raise click.BadParameter(words(f"{pair}: manca il segno =.", f"{pair}: there is no = in it."))
    return left, right


def _codes(kind: type[Code], found: dict[str, str]) -> dict[str, Code]:
    """The source's words with our codes for them."""
    known = ", ".join(kind)
    for code in found.values():
        if code not in set(kind):
            raise fail(
                f"{code} non si conosce. Si può: {known}.", f"{code} is not known. Use one of: {known}."
            )
    return {word.casefold(): kind(code) for word, code in found.items()}


def _check(stream: Iterable[Row | BadRow]) -> tuple[list[Row], imports.Report]:
    report = imports.Report()
    good: list[Row] = []
    for row in stream:
        if isinstance(row, BadRow):
            report.bad.append(row)
        else:
            good.append(row)
    report.good = len(good)
    return good, report


def _proposals(
    options: dict[str, Any], mapping: Mapping, settings: Settings, database: Database
) -> tuple[int, imports.Report]:
    good, report = _check(imports.read_proposals(options["file"], mapping))
    if options["dry_run"] or (report.bad and not options["skip_bad"]):
        return 0, report
    written = 0
    for batch in going_through(list(imports.batches(good)), quiet=options["as_json"]):
        with acting(settings, database) as ctx:
            written += imports.write_proposals(ctx, mapping, batch)
    return written, report


def _comments(
    options: dict[str, Any], mapping: Mapping, settings: Settings, database: Database
) -> tuple[int, imports.Report]:
    good, report = _check(imports.read_comments(options["file"], mapping))
    refs = {row.ref for row in good}
    report.orphans = sum(1 for row in good if row.parent and row.parent not in refs)
    if options["dry_run"] or (report.bad and not options["skip_bad"]):
        return 0, report
    written = 0
    levels = [batch for level in imports.by_depth(good) for batch in imports.batches(level)]
    for batch in going_through(levels, quiet=options["as_json"]):
        with acting(settings, database) as ctx:
            count, bad = imports.write_comments(ctx, mapping, batch)
        written += count
        report.bad.extend(bad)
    return written, report


def _events(
    options: dict[str, Any], mapping: Mapping, settings: Settings, database: Database
) -> tuple[int, imports.Report]:
    with acting(settings, database) as ctx:
        good, report = _check(import_events.read(ctx, options["file"], mapping))
    if options["dry_run"] or (report.bad and not options["skip_bad"]):
        return 0, report
    written = 0
    for batch in going_through(list(imports.batches(good, import_events.BATCH)), quiet=options["as_json"]):
        with acting(settings, database) as ctx:
            written += import_events.write(ctx, mapping, batch, drafts=options["drafts"])
    return written, report


def _tell(options: dict[str, Any], written: int, report: imports.Report) -> None:
    if options["bad_rows"]:
        lines = [f"{row.line};{row.ref};{row.field};{row.reason}\n" for row in report.bad]
        options["bad_rows"].write_text("line;id;field;reason\n" + "".join(lines), encoding="utf-8")
    if options["as_json"]:
        say_json(
            {
                "good": report.good,
                "written": written,
                "orphans": report.orphans,
                "bad": [vars(row) for row in report.bad],
            }
        )
        return
    for row in report.bad[:SHOWN]:
        why = sentence(row.reason)
        say(f"riga {row.line} ({row.ref}): {row.field}: {why}",
            f"line {row.line} ({row.ref}): {row.field} {why}", err=True)  # fmt: skip
    say(
        f"Righe buone: {report.good}. Scritte ora: {written}. Scartate: {len(report.bad)}."
        + (f" Risposte senza il commento a cui rispondono: {report.orphans}." if report.orphans else ""),
        f"Good rows: {report.good}. Written now: {written}. Refused: {len(report.bad)}."
        + (f" Replies without their parent: {report.orphans}." if report.orphans else ""),
    )
    if report.bad and not options["skip_bad"]:
        say("Niente è stato scritto: correggi le righe o usa --skip-bad.",
            "Nothing was written: mend the rows or use --skip-bad.", err=True)  # fmt: skip
