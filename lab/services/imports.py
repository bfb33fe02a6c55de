"""Writing rows from elsewhere: all of a batch or nothing, nothing twice, resumable at any point.

A row is known by its source and its id there. What is already in is skipped, so running an import again
goes on where it stopped. Rows are written in bulk; the books that `contributions.place` keeps for one input
(tally, steps, search) are kept here for a whole batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Select, func, insert, select, update

from lab.db import search
from lab.db.version import mark_public_change
from lab.kernel.errors import Invalid
from lab.kernel.ids import new_receipt_code
from lab.kernel.text import fold, search_text, slugify
from lab.models.contributions import Channel, Contribution, Proposal, Step, StepKind, Visibility
from lab.models.conversation import Comment
from lab.models.operations import ImportBatch
from lab.models.programme import Theme
from lab.services import codes, contributions, site
from lab.services.context import Context
from lab.services.import_rows import (
    COMMENT_FIELDS,
    PROPOSAL_FIELDS,
    BadRow,
    CommentRow,
    Mapping,
    ProposalRow,
    check_fields,
    comment_row,
    proposal_row,
    rows,
)

#: Rows in one transaction.
BATCH = 1000


class Numbered(Protocol):
    """A row with its line in the file and what the source calls it."""

    @property
    def line(self) -> int: ...
    @property
    def ref(self) -> str: ...


Row = TypeVar("Row", bound=Numbered)


@dataclass
class Report:
    """What a file holds: rows that can be taken, rows that cannot and why, comments without their parent."""

    good: int = 0
    orphans: int = 0
    bad: list[BadRow] = field(default_factory=list)


def read_proposals(path: Path, mapping: Mapping) -> Iterator[ProposalRow | BadRow]:
    """Every row of the file, checked. Raises `Invalid("map", …)` when the mapping does not fit the file."""
    check_fields(mapping, PROPOSAL_FIELDS, frozenset({"id", "date"}))
    return read(path, mapping, proposal_row)


def read_comments(path: Path, mapping: Mapping) -> Iterator[CommentRow | BadRow]:
    """Every comment of the file, checked. Raises `Invalid("map", …)` as `read_proposals` does."""
    check_fields(mapping, COMMENT_FIELDS, frozenset({"id", "proposal", "text", "date"}))
    return read(path, mapping, comment_row)


def read(
    path: Path, mapping: Mapping, make: Callable[[int, dict[str, str], Mapping], Row]
) -> Iterator[Row | BadRow]:
    """Every row of the file, made by `make` or refused with the reason; an id counts once.

    Nothing is raised for a row: the reason is in its `BadRow`.
    """
    seen: set[str] = set()
    for line, values in rows(path, mapping):
        try:
            row = make(line, values, mapping)
            if row.ref in seen:
                raise Invalid("id", "twice_in_file")
        except Invalid as error:
            yield BadRow(line, values.get("id", ""), error.field, error.code)
        else:
            seen.add(row.ref)
            yield row


def batches(items: Iterable[Row], size: int = BATCH) -> Iterator[list[Row]]:
    """Cut a stream of rows into batches."""
    stream = iter(items)
    while chunk := list(islice(stream, size)):
        yield chunk


def write_proposals(ctx: Context, mapping: Mapping, batch: Sequence[ProposalRow]) -> int:
    """Write one batch in the caller's transaction; how many were new."""
    fresh = _not_yet_in(ctx, batch, Contribution, mapping.source)
    if not fresh:
        return 0
    themes = _themes(ctx, {row.theme for row in fresh if row.theme})
    receipts = _free_receipts(ctx, len(fresh))
    first = codes.reserve(ctx, "PR", len(fresh))
    promise = timedelta(days=site.rules(ctx).promise_days)
    values = [
        _contribution_values(ctx, mapping, row, codes.format_code("PR", first + position), receipt)
        | {"theme_id": themes.get(row.theme), "promise_due_at": row.said_at + promise}
        for position, (row, receipt) in enumerate(zip(fresh, receipts, strict=True))
    ]
    made = ctx.session.execute(
        insert(Contribution).returning(Contribution.id, sort_by_parameter_order=True), values
    )
    for value, identity in zip(values, made.scalars(), strict=True):
        value["id"] = identity
    _books(ctx, values)
    note(ctx, mapping, "proposals", batch, len(fresh))
    return len(fresh)


def _contribution_values(
    ctx: Context, mapping: Mapping, row: ProposalRow, code: str, receipt: str
) -> dict[str, Any]:
    sample = Contribution(state=row.state, visibility=Visibility.PUBLIC)
    contributions.derive(sample)
    return {
        "kind": row.kind, "code": code, "receipt_code": receipt, "channel": Channel.IMPORT,
        "created_at": row.said_at, "typed_at": ctx.now, "author_name": row.author, "title": row.title,
        "text": row.text, "excerpt": row.excerpt, "lang": mapping.lang, "state": row.state,
        "outcome": row.outcome, "decided_at": row.decided_at, "visibility": Visibility.PUBLIC,
        "is_open": sample.is_open, "is_listed": sample.is_listed, "read_at": ctx.now,
        "supports_base": row.supports, "supports_count": row.supports,
        "source": mapping.source, "source_ref": row.ref,
    }  # fmt: skip


def _books(ctx: Context, values: list[dict[str, Any]]) -> None:
    session = ctx.session
    session.execute(
        insert(Proposal), [{"contribution_id": v["id"], "edit_until": v["created_at"]} for v in values]
    )
    session.execute(
        insert(Step),
        [{"contribution_id": v["id"], "at": v["created_at"], "kind": StepKind.SAID} for v in values],
    )
    documents = [
        {
            "kind": "contribution",
            "contribution_id": v["id"],
            "is_public": True,
            "folded": search_text(f"{v['title']} {v['text']} {v['author_name']} {v['code']}", search.INDEXED),
        }
        for v in values
    ]
    search.put_new(session, documents)
    tally: Counter[tuple[tuple[str, Any], ...]] = Counter()
    for value in values:
        sample = Contribution(**{name: value.get(name) for name in _TALLIED})
        tally[tuple(contributions.tally_key(ctx, sample).items())] += 1
    for key, how_many in tally.items():
        contributions.count(ctx, dict(key), how_many)
    mark_public_change(session)


_TALLIED = ("created_at", "kind", "theme_id", "state", "decided_at", "promise_due_at")


def _not_yet_in(ctx: Context, batch: Sequence[Row], model: Any, source: str) -> list[Row]:
    known: Select[Any] = select(model.source_ref).where(
        model.source == source, model.source_ref.in_([row.ref for row in batch])
    )
    there = set(ctx.session.execute(known).scalars())
    return [row for row in batch if row.ref not in there]


def _free_receipts(ctx: Context, how_many: int) -> list[str]:
    """Receipt codes that nobody has: drawn together, checked in one statement."""
    drawn: dict[str, None] = {}
    while len(drawn) < how_many:
        more = {new_receipt_code(): None for _ in range(how_many - len(drawn))}
        taken = select(Contribution.receipt_code).where(Contribution.receipt_code.in_(list(more)))
        for code in ctx.session.execute(taken).scalars():
            more.pop(code)
        drawn.update(more)
    return list(drawn)


def _themes(ctx: Context, names: set[str]) -> dict[str, int]:
    """Ids of themes by name; those we do not have are made, since nobody's word is thrown away."""
    known = {fold(theme.name): theme.id for theme in ctx.session.execute(select(Theme)).scalars()}
    for name in sorted(names):
        if fold(name) in known:
            continue
        theme = Theme(code=_theme_code(ctx, name), name=name, names={}, position=100)
        ctx.session.add(theme)
        ctx.session.flush()
        known[fold(name)] = theme.id
    return {name: known[fold(name)] for name in names}


def _theme_code(ctx: Context, name: str) -> str:
    base = slugify(name, 28, fallback="tema")
    taken = set(ctx.session.execute(select(Theme.code).where(Theme.code.startswith(base))).scalars())
    return next(code for code in (base, *(f"{base}-{n}" for n in range(2, 1000))) if code not in taken)


def by_depth(all_rows: Sequence[CommentRow]) -> Iterator[list[CommentRow]]:
    """The comments level by level, parents before replies, whatever their order in the file.

    A reply whose parent is nowhere (an orphan), or in a ring of parents, starts a branch of its own.
    """
    by_ref = {row.ref: row for row in all_rows}
    depth: dict[str, int] = {}
    for row in all_rows:
        chain: list[str] = []
        current: CommentRow | None = row
        while current is not None and current.ref not in depth and current.ref not in chain:
            chain.append(current.ref)
            current = by_ref.get(current.parent)
        start = depth[current.ref] + 1 if current is not None and current.ref in depth else 0
        for offset, ref in enumerate(reversed(chain)):
            depth[ref] = start + offset
    levels: dict[int, list[CommentRow]] = {}
    for row in all_rows:
        levels.setdefault(depth[row.ref], []).append(row)
    for level in sorted(levels):
        yield levels[level]


def write_comments(ctx: Context, mapping: Mapping, batch: Sequence[CommentRow]) -> tuple[int, list[BadRow]]:
    """Write one batch of one level; how many were new, and those whose proposal is not here."""
    fresh = _not_yet_in(ctx, batch, Comment, mapping.source)
    targets = _by_ref(ctx, Contribution, mapping.source, {row.proposal for row in fresh})
    parents = _by_ref(ctx, Comment, mapping.source, {row.parent for row in fresh if row.parent})
    bad = [
        BadRow(row.line, row.ref, "proposal", "no_such_proposal")
        for row in fresh
        if row.proposal not in targets
    ]
    values = []
    for row in fresh:
        target = targets.get(row.proposal)
        if target is None:
            continue
        parent = parents.get(row.parent)
        if parent is not None and parent.contribution_id != target.id:
            parent = None
        values.append(
            {
                "contribution_id": target.id,
                "parent_id": parent.id if parent else None,
                "root_id": (parent.root_id or parent.id) if parent else None,
                "depth": parent.depth + 1 if parent else 0,
                "author_name": row.author,
                "text": row.text,
                "lang": mapping.lang,
                "created_at": row.said_at,
                "deleted_at": None if row.text else row.said_at,
                "source": mapping.source,
                "source_ref": row.ref,
            }
        )
    if values:
        ctx.session.execute(insert(Comment), values)
        _recount(ctx, {value["contribution_id"] for value in values})
        note(ctx, mapping, "comments", batch, len(values))
    return len(values), bad


def _by_ref(ctx: Context, model: Any, source: str, refs: set[str]) -> dict[str, Any]:
    if not refs:
        return {}
    query = select(model).where(model.source == source, model.source_ref.in_(refs))
    return {row.source_ref: row for row in ctx.session.execute(query).scalars()}


def _recount(ctx: Context, contribution_ids: set[int]) -> None:
    live = (
        select(func.count())
        .select_from(Comment)
        .where(
            Comment.contribution_id == Contribution.id,
            Comment.deleted_at.is_(None),
            Comment.hidden_at.is_(None),
        )
        .scalar_subquery()
    )
    ctx.session.execute(
        update(Contribution)
        .where(Contribution.id.in_(contribution_ids))
        .values(comments_count=live)
        .execution_options(synchronize_session=False)
    )


def note(ctx: Context, mapping: Mapping, what: str, batch: Sequence[Any], written: int) -> None:
    """Write down that a batch went in."""
    ctx.session.add(
        ImportBatch(
            source=mapping.source,
            what=what,
            first_row=batch[0].line,
            last_row=batch[-1].line,
            written=written,
            at=ctx.now,
        )
    )
    ctx.session.flush()
