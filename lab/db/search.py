"""Full-text search on both engines over one table of folded text.

`search_document` holds what is searched, folded in Python (case, accents) so that both engines agree.
SQLite mirrors it into FTS5 tables kept by triggers: one for what people said, one for everything else, of
which there is little and which is so found without going through the words of a million inputs. PostgreSQL
adds a generated tsvector with a GIN index. Newest documents come first: that order needs no ranking of every
match, so it stays quick at a million documents.
"""

from __future__ import annotations

import json

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from lab.db.base import Base, Id
from lab.kernel.text import search_text, search_words

search_document = Table(
    "search_document",
    Base.metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("contribution_id", Id, ForeignKey("contribution.id"), unique=True),
    Column("action_id", Id, ForeignKey("action.id"), unique=True),
    Column("project_id", Id, ForeignKey("project.id"), unique=True),
    Column("event_id", Id, ForeignKey("event.id"), unique=True),
    #: Whether everybody may find it.
    Column("is_public", Boolean, nullable=False, default=True),
    Column("folded", Text, nullable=False),
    Index("ix_search_document_kind", "kind", "id"),
)


#: Statements that only one engine understands; run by the first migration and by nothing else.
def _sqlite_ddl(name: str, where: str) -> tuple[str, ...]:
    into = f"INSERT INTO {name}"
    taken_out = f"{into}({name}, rowid, folded) VALUES ('delete', old.id, old.folded);"
    put_in = f"{into}(rowid, folded) VALUES (new.id, new.folded);"
    return (
        f"CREATE VIRTUAL TABLE {name} USING fts5(folded, content='search_document', content_rowid='id',"
        " tokenize=\"unicode61 remove_diacritics 0\", prefix='3')",
        f"CREATE TRIGGER {name}_ai AFTER INSERT ON search_document WHEN new.{where} BEGIN {put_in} END",
        f"CREATE TRIGGER {name}_ad AFTER DELETE ON search_document WHEN old.{where} BEGIN {taken_out} END",
        f"CREATE TRIGGER {name}_au AFTER UPDATE OF folded ON search_document WHEN new.{where}"
        f" BEGIN {taken_out} {put_in} END",
    )


SQLITE_DDL = (
    *_sqlite_ddl("search_fts", "kind = 'contribution'"),
    *_sqlite_ddl("search_fts_rest", "kind <> 'contribution'"),
)
SQLITE_DROP = tuple(
    f"DROP {what}"
    for name in ("search_fts", "search_fts_rest")
    for what in (f"TRIGGER {name}_au", f"TRIGGER {name}_ad", f"TRIGGER {name}_ai", f"TABLE {name}")
)
POSTGRESQL_DDL = (
    "ALTER TABLE search_document ADD COLUMN vector tsvector"
    " GENERATED ALWAYS AS (to_tsvector('simple', folded)) STORED",
    "CREATE INDEX ix_search_document_vector ON search_document USING gin (vector)",
)
POSTGRESQL_DROP = (
    "DROP INDEX ix_search_document_vector",
    "ALTER TABLE search_document DROP COLUMN vector",
)

#: Longest text that is indexed, in characters.
INDEXED = 20_000


def put_document(session: Session, kind: str, subject_id: int, words: str, *, is_public: bool) -> None:
    """Index (again) the words of one subject; `kind` is contribution, action, project or event."""
    column = search_document.c[f"{kind}_id"]
    values = {"folded": search_text(words, INDEXED), "is_public": is_public}
    known = session.execute(update(search_document).where(column == subject_id).values(**values))
    if not known.rowcount:  # type: ignore[attr-defined]
        session.execute(insert(search_document).values(kind=kind, **{column.name: subject_id}, **values))


def drop_document(session: Session, kind: str, subject_id: int) -> None:
    """Take one subject out of the index."""
    session.execute(delete(search_document).where(search_document.c[f"{kind}_id"] == subject_id))


def matches(session: Session, query: str, kind: str) -> ColumnElement[bool] | None:
    """The condition on `search_document` that every word of `query` occurs (the last as a beginning).

    It holds only for documents of this `kind`, which the caller asks for besides. None when the query has no
    word that can be searched.
    """
    return _matches(session, search_words(query), kind, all_words=True)


def matches_any(session: Session, words: list[str]) -> ColumnElement[bool] | None:
    """The condition that at least one of the folded `words` occurs in a contribution."""
    return _matches(session, words, "contribution", all_words=False)


def _matches(session: Session, words: list[str], kind: str, *, all_words: bool) -> ColumnElement[bool] | None:
    # Words come from `search_words`: letters and digits only, so nothing in them is syntax on either engine.
    if not words:
        return None
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    quote, joint, prefix = ('"', " AND " if all_words else " OR ", "*") if on_sqlite else ("'", " & ", ":*")
    if not on_sqlite and not all_words:
        joint = " | "
    phrase = joint.join(f"{quote}{word}{quote}" for word in words) + (prefix if all_words else "")
    if on_sqlite and kind != "contribution":
        return _listed("search_fts_rest", phrase)
    known: dict[str, ColumnElement[bool]] = session.info.setdefault(_KNOWN, {})
    if phrase not in known:
        known[phrase] = (_on_sqlite if on_sqlite else _on_postgresql)(session, phrase)
    return known[phrase]


#: Newest documents that are looked at first, and how many of them make a word a common one. The newest match
#: of a common word is near: documents are walked from the end. Those of a rare one are listed by the index.
#: Neither engine's planner can tell the two apart, and the wrong way takes seconds at a million documents.
_NEWEST = 1_000
_COMMON = 4
_KNOWN = "lab.search"


#: Matches that SQLite lists beforehand, newest first: the word index is gone through once, not for each use.
_LISTED = 500
_NEWEST_MATCHES = text(
    "SELECT rowid, (SELECT max(id) FROM search_document) FROM search_fts"
    " WHERE search_fts MATCH :fts_query ORDER BY rowid DESC LIMIT :fts_limit"
)
_THESE = "search_document.id IN (SELECT value FROM json_each(:fts_ids))"
#: The newest matches are in the list, which costs little to look into; older documents are asked one by one.
#: The plus signs keep SQLite from taking the two halves apart, which would ask about every document there is.
_WALK = (
    "(+search_document.id IN (SELECT value FROM json_each(:fts_ids))"
    " OR (+search_document.id < :fts_oldest AND EXISTS (SELECT 1 FROM search_fts"
    " WHERE search_fts MATCH :fts_query AND rowid = search_document.id)))"
)


def _on_sqlite(session: Session, phrase: str) -> ColumnElement[bool]:
    newest = {"fts_query": phrase, "fts_limit": _LISTED + 1}
    rows = session.execute(_NEWEST_MATCHES, newest).all()
    ids = [row[0] for row in rows]
    if len(ids) <= _LISTED:
        return text(_THESE).bindparams(fts_ids=json.dumps(ids))  # type: ignore[return-value]
    if ids[_COMMON - 1] > rows[0][1] - _NEWEST:
        walk = text(_WALK).bindparams(fts_ids=json.dumps(ids), fts_oldest=ids[-1], fts_query=phrase)
        return walk  # type: ignore[return-value]
    return _listed("search_fts", phrase)


def _listed(table: str, phrase: str) -> ColumnElement[bool]:
    name = f"{table}_query"
    found = text(f"SELECT rowid FROM {table} WHERE {table} MATCH :{name}")  # noqa: S608  # names of ours
    return search_document.c.id.in_(found.bindparams(**{name: phrase}))


def _on_postgresql(session: Session, phrase: str) -> ColumnElement[bool]:
    vector: ColumnElement[str] = literal_column("search_document.vector")
    found: ColumnElement[bool] = vector.op("@@")(func.to_tsquery("simple", bindparam("ts_query", phrase)))
    # The limit inside keeps the planner from going to the word index, which knows nothing of "newest".
    newest = (
        select(found.label("holds")).select_from(search_document)
        .order_by(search_document.c.id.desc()).limit(_NEWEST).subquery()
    )  # fmt: skip
    if session.execute(select(func.count()).where(newest.c.holds)).scalar_one() >= _COMMON:
        return found
    # As an array it is made first, by the word index, and not taken apart again by the planner.
    listed = select(search_document.c.id).where(found).correlate(None).scalar_subquery()
    return search_document.c.id == func.any(func.array(listed))


def found_ids(
    session: Session, kind: str, query: str, *, limit: int, before: int | None = None
) -> list[tuple[int, int]]:
    """Newest public matches of one kind as (document id, subject id); `before` pages on by document id."""
    condition = matches(session, query, kind)
    if condition is None:
        return []
    rows = (
        select(search_document.c.id, search_document.c[f"{kind}_id"])
        .where(search_document.c.kind == kind, search_document.c.is_public, condition)
        .order_by(search_document.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        rows = rows.where(search_document.c.id < before)
    return [(row[0], row[1]) for row in session.execute(rows)]
