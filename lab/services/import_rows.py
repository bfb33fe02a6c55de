"""Reading other people's CSV: which column is what, and which rows cannot be taken, with the reason.

A mapping says for each of our fields a column, or a pattern with columns in braces:
`{"text": "{summary}\\n\\n{text}", "id": "id"}`.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from string import Formatter
from typing import TextIO
from zoneinfo import ZoneInfo

from lab.kernel.errors import Invalid
from lab.kernel.html import strip_html
from lab.kernel.text import clean_line, clean_text, excerpt
from lab.models.contributions import Kind, Outcome, State
from lab.models.events import EventKind
from lab.services.contributions import NAME_LIMIT, TITLE_LIMIT

#: Longest text taken from elsewhere, in characters.
IMPORTED_TEXT = 50_000
REF_LIMIT = 64

PROPOSAL_FIELDS = frozenset(
    {"id", "title", "text", "date", "author", "theme", "supports", "state", "decided", "withdrawn", "kind"}
)
COMMENT_FIELDS = frozenset({"id", "proposal", "parent", "text", "date", "time", "author"})

#: What a closing state means where the source says no more.
OUTCOMES = {
    State.ANSWERED: Outcome.ACCEPTED,
    State.TAKEN_UP: Outcome.ACTION,
    State.DONE: Outcome.ACCEPTED,
    State.DECLINED: Outcome.DECLINED,
    State.WITHDRAWN: Outcome.WITHDRAWN,
}


@dataclass(frozen=True)
class Mapping:
    """How a file is read. `states` maps the source's words to ours; dates are day-month-year or ISO."""

    source: str
    fields: dict[str, str]
    states: dict[str, State] = field(default_factory=dict)
    kind: Kind = Kind.PROPOSAL
    #: The same for meetings: the source's words for kinds, and the kind where it says none.
    event_kinds: dict[str, EventKind] = field(default_factory=dict)
    event_kind: EventKind = EventKind.MEETING
    lang: str = "it"
    timezone: str = "Europe/Rome"


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be taken: its number as a spreadsheet counts, the heading being 1, and why."""

    line: int
    ref: str
    field: str
    reason: str


@dataclass(frozen=True)
class ProposalRow:
    """One proposal as it will be written."""

    line: int
    ref: str
    title: str
    text: str
    excerpt: str
    author: str
    theme: str
    said_at: datetime
    supports: int
    state: State
    outcome: Outcome | None
    decided_at: datetime | None
    kind: Kind


@dataclass(frozen=True)
class CommentRow:
    """One comment as it will be written."""

    line: int
    ref: str
    proposal: str
    parent: str
    text: str
    author: str
    said_at: datetime


def check_fields(mapping: Mapping, known: frozenset[str], needed: frozenset[str]) -> None:
    """Raises `Invalid("map", …)` when the mapping names a field we do not have or lacks one we need."""
    for name in mapping.fields:
        if name not in known:
            raise Invalid("map", "unknown_field", name=name)
    for name in sorted(needed - set(mapping.fields)):
        raise Invalid("map", "field_missing", name=name)


def open_text(path: Path) -> TextIO:
    """A CSV file for reading, also gzipped; UTF-8 with or without BOM."""
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path, "rb"), encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def rows(path: Path, mapping: Mapping) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, our fields) for each row. Raises `Invalid("map", "no_column")` for an unknown column and
    `Invalid("file", "not_csv")` for what is not text, not UTF-8 or cut short.
    """
    try:
        yield from _rows(path, mapping)
    except (UnicodeDecodeError, csv.Error, EOFError, zlib.error) as error:
        raise Invalid("file", "not_csv") from error


def _rows(path: Path, mapping: Mapping) -> Iterator[tuple[int, dict[str, str]]]:
    csv.field_size_limit(10_000_000)
    with open_text(path) as file:
        sample = file.read(8192)
        file.seek(0)
        delimiter = ";" if sample.split("\n", 1)[0].count(";") > sample.split("\n", 1)[0].count(",") else ","
        reader = csv.DictReader(file, delimiter=delimiter)
        columns = set(reader.fieldnames or ())
        patterns = {name: _pattern(text, columns) for name, text in mapping.fields.items()}
        for line, row in enumerate(reader, start=2):
            values = {key: value or "" for key, value in row.items() if isinstance(key, str)}
            yield line, {name: pattern.format_map(values).strip() for name, pattern in patterns.items()}


def _pattern(text: str, columns: set[str]) -> str:
    pattern = text if "{" in text else "{" + text + "}"
    for _literal, name, _spec, _conversion in Formatter().parse(pattern):
        if name is not None and name not in columns:
            raise Invalid("map", "no_column", name=name)
    return pattern


def proposal_row(line: int, values: dict[str, str], mapping: Mapping) -> ProposalRow:
    """Check and clean one proposal. Raises `Invalid(field, code)`."""
    title = clean_line(plain(values.get("title", "")), TITLE_LIMIT)
    text = clean_text(plain(values.get("text", "")), IMPORTED_TEXT) or title
    if not text:
        raise Invalid("text", "required")
    if len(values.get("text", "")) > IMPORTED_TEXT:
        raise Invalid("text", "too_long")
    said_at = moment(values.get("date", ""), "", mapping.timezone, "date")
    withdrawn = values.get("withdrawn", "")
    state = State.WITHDRAWN if withdrawn else _state(values.get("state", ""), mapping)
    decided = values.get("decided", "") or withdrawn
    decided_at = moment(decided, "", mapping.timezone, "decided") if decided else None
    if state is State.WITHDRAWN and decided_at is None:
        # Nobody promised an answer to what was taken back: the day it was said will do.
        decided_at = said_at
    outcome = OUTCOMES.get(state)
    if outcome is not None and decided_at is None:
        raise Invalid("decided", "closed_without_date")
    return ProposalRow(
        line=line,
        ref=ref_of(values),
        title=title,
        text=text,
        excerpt=excerpt(text, 200),
        author=clean_line(values.get("author", ""), NAME_LIMIT),
        theme=clean_line(values.get("theme", ""), 80),
        said_at=said_at,
        supports=_count(values.get("supports", "")),
        state=state,
        outcome=outcome,
        decided_at=decided_at if outcome is not None else None,
        kind=Kind(values["kind"]) if values.get("kind") in set(Kind) else mapping.kind,
    )


def comment_row(line: int, values: dict[str, str], mapping: Mapping) -> CommentRow:
    """Check and clean one comment. Raises `Invalid(field, code)`.

    An empty one was removed where it comes from: it stays as a placeholder, so that its replies keep
    their place.
    """
    text = clean_text(plain(values.get("text", "")), IMPORTED_TEXT)
    parent = values.get("parent", "")
    return CommentRow(
        line=line,
        ref=ref_of(values),
        proposal=values.get("proposal", "")[:REF_LIMIT],
        parent="" if parent in ("", "-1", "0") else parent[:REF_LIMIT],
        text=text,
        author=clean_line(values.get("author", ""), NAME_LIMIT),
        said_at=moment(values.get("date", ""), values.get("time", ""), mapping.timezone, "date"),
    )


_MARKUP = re.compile(r"</?[a-zA-Z!]|&#?\w{1,12};")


def plain(text: str) -> str:
    """Words without markup. Text that has none keeps its line breaks as they are."""
    return strip_html(text) if _MARKUP.search(text) else text


def ref_of(values: dict[str, str]) -> str:
    """What the source calls this row. Raises `Invalid("id", …)`."""
    ref = values.get("id", "")
    if not ref:
        raise Invalid("id", "required")
    if len(ref) > REF_LIMIT:
        raise Invalid("id", "too_long")
    return ref


def _state(word: str, mapping: Mapping) -> State:
    if not word:
        return State.RECEIVED
    found = mapping.states.get(word.casefold())
    if found is None:
        raise Invalid("state", "unknown_state", word=word)
    return found


def _count(text: str) -> int:
    if not text:
        return 0
    try:
        number = int(text)
    except ValueError:
        raise Invalid("supports", "not_a_number") from None
    if not 0 <= number < 10**9:
        raise Invalid("supports", "not_a_number")
    return number


_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


def moment(day: str, clock: str, timezone: str, name: str) -> datetime:
    """A day (2024-01-31, 31/01/2024, with or without a time) as an instant; noon where no time is given.

    Raises `Invalid(name, "not_a_date")`.
    """
    found = None
    for pattern in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y"):
        try:
            found = datetime.strptime(day[:10], pattern)  # noqa: DTZ007  # the zone is added below
            break
        except ValueError:
            continue
    if found is None or not 1900 <= found.year <= 2200:
        raise Invalid(name, "not_a_date", word=day)
    at = _CLOCK.search(clock or day[10:])
    moment = time(12) if at is None else time(int(at[1]) % 24, int(at[2]) % 60, int(at[3] or 0) % 60)
    local = datetime.combine(found.date(), moment, ZoneInfo(timezone))
    return local.astimezone(UTC)
