"""The words that documents hold, each once: to go on from a beginning, and to find what was meant by a slip.

One plain table for both engines. Looking up is bounded however many words there are: a word with one wrong
letter still has its first or its last half right, so only words of about this length that share one of the
two halves are compared.
"""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import (
    Column,
    Index,
    Select,
    SmallInteger,
    String,
    Table,
    and_,
    delete,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from lab.db.base import Base
from lab.kernel.text import forms

#: Compared byte by byte on both engines, so that words with one beginning stand together.
_PLAIN = String(60).with_variant(postgresql.VARCHAR(60, collation="C"), "postgresql")

search_word = Table(
    "search_word",
    Base.metadata,
    Column("word", _PLAIN, primary_key=True),
    Column("backwards", _PLAIN, nullable=False),
    Column("size", SmallInteger, nullable=False),
    Index("ix_search_word_beginning", "size", "word"),
    Index("ix_search_word_end", "size", "backwards"),
)

#: Comes after every letter.
AFTER_ALL = "\U0010ffff"
_NOTED = "lab.words"
#: Words asked about in one statement.
_BATCH = 500
#: Shorter words differ by one letter from too many others.
_SHORTEST = 4
#: From this length on two slips are forgiven.
_LONG = 9
#: Words compared for each half, and how many of the nearest are given.
_COMPARED = 6_000
_NEAREST = 6


def is_kept(word: str) -> bool:
    """Whether it has a place here: numbers and codes, of which there are as many as documents, have none.

    The first three letters decide, so that what begins like a kept word is kept as well.
    """
    return len(word) >= 3 and word[:3].isalpha()


def learn(session: Session, words: Iterable[str]) -> None:
    """Remember the folded words of a document when this transaction commits."""
    session.info.setdefault(_NOTED, set()).update(word[:60] for word in words if is_kept(word))


def settle(session: Session) -> None:
    """Write what was noted. Words known already cost one question and no write. Called before the commit."""
    # In one order for all, whatever the order of their documents: two who learn the same new words wait for
    # each other only one way round.
    asked = sorted(session.info.pop(_NOTED, ()))
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    for begin in range(0, len(asked), _BATCH):
        batch = asked[begin : begin + _BATCH]
        known = set(
            session.execute(select(search_word.c.word).where(search_word.c.word.in_(batch))).scalars()
        )
        fresh = [{"word": one, "backwards": one[::-1], "size": len(one)} for one in batch if one not in known]
        if fresh:
            session.execute(dialect.insert(search_word).on_conflict_do_nothing(), fresh)


def unlearn(session: Session) -> None:
    """After a rollback nothing is to be remembered."""
    session.info.pop(_NOTED, None)


def forget(session: Session, words: Iterable[str]) -> None:
    """Take words out that no document holds any more."""
    gone = sorted(words)
    session.info.get(_NOTED, set()).difference_update(gone)
    for begin in range(0, len(gone), _BATCH):
        session.execute(delete(search_word).where(search_word.c.word.in_(gone[begin : begin + _BATCH])))


def near(session: Session, words: list[str]) -> dict[str, list[tuple[str, int]]]:
    """For each word the nearest known others with the number of slips between, nearest first; one statement.

    A slip is a letter wrong, missing, too many, or two changed about. Whether everybody may know a word is
    for the caller to ask: those of private documents are here too.
    """
    asked = [word for word in words if len(word) >= _SHORTEST and word.isalpha()]
    if not asked:
        return {}
    found: dict[str, set[str]] = {word: set() for word in asked}
    halves = [half for word in asked for half in _halves(word)]
    for word, other in session.execute(union_all(*(select(half.subquery()) for half in halves))):
        if other != word and other.isalpha():
            found[word].add(other)
    return {word: _nearest(word, sorted(others)) for word, others in found.items()}


def _slips(word: str) -> int:
    return 2 if len(word) >= _LONG else 1


def _halves(word: str) -> list[Select[tuple[str, str]]]:
    slips = _slips(word)
    cut = len(word) // (slips + 1)
    sizes = range(len(word) - slips, len(word) + slips + 1)
    columns = search_word.c
    return [
        select(literal(word).label("asked"), columns.word)
        .where(columns.size.in_(sizes), and_(column >= part, column < part + AFTER_ALL))
        .limit(_COMPARED)
        for column, part in ((columns.word, word[:cut]), (columns.backwards, word[::-1][:cut]))
    ]


def _nearest(word: str, others: list[str]) -> list[tuple[str, int]]:
    """Those within as many slips of the word, singular or plural; a known word's other form is no slip."""
    found: dict[str, int] = {}
    for form in forms(word):
        best = process.extract(form, others, scorer=OSA.distance, score_cutoff=_slips(word), limit=_NEAREST)
        for other, distance, _index in best:
            found[other] = min(int(distance), found.get(other, _LONG))
    return sorted(found.items(), key=lambda one: (one[1], one[0]))[:_NEAREST]
