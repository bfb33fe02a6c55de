"""Full-text search on both engines over one table of folded text.

`search_document` holds what is searched, folded in Python (case, accents) so that both engines agree.
SQLite mirrors it into FTS5 tables kept by triggers: one for what people said, one for everything else, of
which there is little and which is so found without going through the words of a million inputs. PostgreSQL
adds a generated tsvector with a GIN index. Newest documents come first: that order needs no ranking of every
match, so it stays quick at a million documents.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.orm import Session

from lab.db import vocabulary
from lab.db.base import Base, Id
from lab.kernel.text import forms, search_text, search_words

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


#: Statements that only one engine understands; run by the first migration and by nothing else.
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
    folded = search_text(words, INDEXED)
    known = session.execute(
        select(search_document.c.folded, search_document.c.is_public).where(column == subject_id)
    ).first()
    if known is None:
        values = {"folded": folded, "is_public": is_public}
        session.execute(insert(search_document).values(kind=kind, **{column.name: subject_id}, **values))
    elif known != (folded, is_public):
        # Words that stay are not named: the word index is not written again for them.
        same = {} if known.folded == folded else {"folded": folded}
        session.execute(
            update(search_document).where(column == subject_id).values(is_public=is_public, **same)
        )
    before = set(known.folded.split()) if known else set()
    now = set(folded.split())
    vocabulary.learn(session, now - before)
    _forget(session, before - now)


def put_new(session: Session, documents: list[dict[str, Any]]) -> None:
    """Index many new subjects at once; each names every column it fills, its text folded already."""
    session.execute(insert(search_document), documents)
    vocabulary.learn(session, {word for one in documents for word in one["folded"].split()})


def _forget(session: Session, words: set[str]) -> None:
    """Take out of the vocabulary what no document holds: a name taken back must not stay there."""
    words = {word for word in words if vocabulary.is_kept(word)}
    if not words:
        return
    newest = select(search_document.c.folded).order_by(search_document.c.id.desc()).limit(_LATELY)
    for folded in session.execute(newest).scalars():
        words.difference_update(folded.split())
    if session.get_bind().dialect.name == "sqlite":
        gone = [word for word in words if not session.execute(_ANYWHERE, {"held": f'"{word}"'}).scalar()]
    else:
        # The planner takes a word that is nowhere for one that is soon met, and would read every document.
        session.execute(text("SET LOCAL enable_seqscan = off"))
        gone = [word for word in words if not session.execute(_ANYWHERE_GIN, {"held": f"'{word}'"}).scalar()]
        session.execute(text("SET LOCAL enable_seqscan = on"))
    vocabulary.forget(session, gone)


#: Documents whose words are taken as said by somebody else too, without asking the index.
_LATELY = 200
_ANYWHERE = text(
    "SELECT EXISTS (SELECT 1 FROM search_fts WHERE search_fts MATCH :held)"
    " OR EXISTS (SELECT 1 FROM search_fts_rest WHERE search_fts_rest MATCH :held)"
)
_ANYWHERE_GIN = text(
    "SELECT EXISTS (SELECT 1 FROM search_document WHERE vector @@ to_tsquery('simple', :held))"
)


def matches(session: Session, query: str, kind: str) -> ColumnElement[bool] | None:
    """The condition on `search_document` that every word of `query` occurs (the last as a beginning).

    It holds only for documents of this `kind`, which the caller asks for besides. None when the query has no
    word that can be searched.
    """
    # Words come from `search_words`: letters and digits only, so nothing in them is syntax on either engine.
    words = search_words(query)
    if not words:
        return None
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    parts = [_either(forms(word), on_sqlite) for word in words]
    itself, beginning = (
        (f'"{words[-1]}"', f'"{words[-1]}"*') if on_sqlite else (f"'{words[-1]}'", f"'{words[-1]}':*")
    )
    parts[-1] = parts[-1].replace(itself, beginning, 1)
    phrase = (" AND " if on_sqlite else " & ").join(parts)
    if on_sqlite and kind != "contribution":
        return _listed("search_fts_rest", phrase)
    return _condition(session, phrase, words[-1])


def matches_any(session: Session, words: list[str]) -> ColumnElement[bool] | None:
    """The condition that at least one of the folded `words` occurs in a contribution."""
    if not words:
        return None
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    return _condition(session, _either([form for word in words for form in forms(word)], on_sqlite))


def _either(words: list[str], on_sqlite: bool) -> str:
    quote, joint = ('"', " OR ") if on_sqlite else ("'", " | ")
    return f"({joint.join(f'{quote}{word}{quote}' for word in words)})"


def _condition(session: Session, phrase: str, last: str = "") -> ColumnElement[bool]:
    known: dict[str, ColumnElement[bool]] = session.info.setdefault(_KNOWN, {})
    if phrase not in known:
        on_sqlite = session.get_bind().dialect.name == "sqlite"
        known[phrase] = _on_sqlite(session, phrase, last) if on_sqlite else _on_postgresql(session, phrase)
    return known[phrase]


#: Newest documents that are looked at first, and how many of them make a word a common one. The newest match
#: of a common word is near: documents are walked from the end. Those of a rare one are listed by the index.
#: Neither engine's planner can tell the two apart, and the wrong way takes seconds at a million documents.
_NEWEST = 1_000
_COMMON = 4
_KNOWN = "lab.search"


#: Matches that SQLite lists beforehand, newest first: the word index is gone through once, not for each use.
_LISTED = 500
#: The words that begin like the last one are named where they are few: SQLite reads a named word's documents
#: as far as it needs them, but every one of a beginning's.
_NAMED = 30
_NEWEST_MATCHES = text(
    "WITH begun AS (SELECT word FROM search_word WHERE word >= :fts_last AND word < :fts_after"
    " LIMIT :fts_named + 1), asked(phrase) AS (SELECT CASE WHEN count(*) BETWEEN 1 AND :fts_named"
    " THEN replace(:fts_query, '\"' || :fts_last || '\"*', group_concat('\"' || word || '\"', ' OR '))"
    " ELSE :fts_query END FROM begun)"
    " SELECT rowid, (SELECT max(id) FROM search_document), (SELECT phrase FROM asked) FROM search_fts"
    " WHERE search_fts MATCH (SELECT phrase FROM asked) ORDER BY rowid DESC LIMIT :fts_limit"
)
_THESE = "search_document.id IN (SELECT value FROM json_each(:fts_ids))"
#: The newest matches are in the list, which costs little to look into; older documents are asked one by one.
#: The plus signs keep SQLite from taking the two halves apart, which would ask about every document there is.
_WALK = (
    "(+search_document.id IN (SELECT value FROM json_each(:fts_ids))"
    " OR (+search_document.id < :fts_oldest AND EXISTS (SELECT 1 FROM search_fts"
    " WHERE search_fts MATCH :fts_query AND rowid = search_document.id)))"
)


def _on_sqlite(session: Session, phrase: str, last: str) -> ColumnElement[bool]:
    named = last if vocabulary.is_kept(last) else ""
    newest = {
        "fts_query": phrase, "fts_limit": _LISTED + 1, "fts_last": named, "fts_named": _NAMED,
        "fts_after": named + vocabulary.AFTER_ALL if named else "",
    }  # fmt: skip
    # What this transaction itself has said is found as well.
    vocabulary.settle(session)
    rows = session.execute(_NEWEST_MATCHES, newest).all()
    ids = [row[0] for row in rows]
    if len(ids) <= _LISTED:
        return _with(_THESE, fts_ids=json.dumps(ids))
    phrase = rows[0][2]
    if ids[_COMMON - 1] > rows[0][1] - _NEWEST:
        return _with(_WALK, fts_ids=json.dumps(ids), fts_oldest=ids[-1], fts_query=phrase)
    return _listed("search_fts", phrase)


def _with(condition: str, **values: object) -> ColumnElement[bool]:
    # Unique: a statement may hold two such conditions, each with its own words.
    named: list[Any] = [bindparam(name, value, unique=True) for name, value in values.items()]
    return text(condition).bindparams(*named)  # type: ignore[return-value]


def _listed(table: str, phrase: str) -> ColumnElement[bool]:
    found = text(f"SELECT rowid FROM {table} WHERE {table} MATCH :fts_query")  # noqa: S608  # names of ours
    return search_document.c.id.in_(found.bindparams(bindparam("fts_query", phrase, unique=True)))


def _on_postgresql(session: Session, phrase: str) -> ColumnElement[bool]:
    vector: ColumnElement[str] = literal_column("search_document.vector")
    asked = func.to_tsquery("simple", bindparam("ts_query", phrase, unique=True))
    found: ColumnElement[bool] = vector.op("@@")(asked)
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


def heard(session: Session, words: list[str], kind: str | None = None) -> dict[str, int]:
    """How many of the newest documents that everybody may read hold each word in any form; one statement.

    Counted as far as `_HEARD`, among documents of one kind or of all. Of documents kept from the public
    nothing is told, not even that a word is in them.
    """
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    return _held(session, {word: _either(forms(word), on_sqlite) for word in words}, kind)


#: Documents counted for one word, and words asked about in one statement.
_HEARD = 50
_ASKED = 60


def _held(session: Session, phrases: dict[str, str], kind: str | None) -> dict[str, int]:
    holding = _held_on_sqlite if session.get_bind().dialect.name == "sqlite" else _held_on_postgresql
    counts: dict[str, int] = {}
    words = sorted(phrases)
    for begin in range(0, len(words), _ASKED):
        some = words[begin : begin + _ASKED]
        asked = [select(literal(word), holding(phrases[word], kind)) for word in some]
        counts.update({row[0]: int(row[1]) for row in session.execute(union_all(*asked))})
    return counts


def _fitting(kind: str | None) -> list[ColumnElement[bool]]:
    documents = search_document.c
    return [documents.is_public, *([documents.kind == kind] if kind else [])]


def _held_on_sqlite(phrase: str, kind: str | None) -> ColumnElement[int]:
    said, rest = "search_fts", "search_fts_rest"
    tables = [said, rest] if kind is None else [said if kind == "contribution" else rest]
    listed = [
        text(
            f"SELECT rowid FROM {table} WHERE {table} MATCH :held"  # noqa: S608  # names of ours
            f" ORDER BY rowid DESC LIMIT {_HEARD}"
        ).bindparams(bindparam("held", phrase, unique=True))
        for table in tables
    ]
    some = or_(*(search_document.c.id.in_(one) for one in listed))
    return select(func.count()).select_from(search_document).where(some, *_fitting(kind)).scalar_subquery()


def _held_on_postgresql(phrase: str, kind: str | None) -> ColumnElement[int]:
    vector: ColumnElement[str] = literal_column("search_document.vector")
    holds: ColumnElement[bool] = vector.op("@@")(func.to_tsquery("simple", bindparam(None, phrase)))
    newest = (
        select(and_(holds, *_fitting(kind)).label("holds")).select_from(search_document)
        .order_by(search_document.c.id.desc()).limit(_NEWEST).subquery()
    )  # fmt: skip
    lately = select(func.count()).where(newest.c.holds).scalar_subquery()
    # Only of a word that is rare lately: the word index gives all its documents.
    ever = select(func.count()).select_from(search_document).where(holds, *_fitting(kind))
    return func.least(case((lately >= _COMMON, lately), else_=ever.scalar_subquery()), _HEARD)
