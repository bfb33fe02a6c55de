"""One search over everything public: what was said, actions, projects, events; newest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, cast, literal, null, select, union_all
from sqlalchemy.types import String, Text

from lab.db import search, vocabulary
from lab.db.types import UtcDateTime
from lab.kernel.text import search_words
from lab.models.actions import Action
from lab.models.contributions import Contribution
from lab.models.events import Event
from lab.models.projects import Project
from lab.services.context import Context

PAGE = 20
#: Lines of each kind where all kinds are shown together.
FEW = 4


class Subject(StrEnum):
    """What can be found."""

    CONTRIBUTION = "contribution"
    ACTION = "action"
    PROJECT = "project"
    EVENT = "event"


@dataclass(frozen=True)
class Hit:
    """One thing found. `key` pages on; `state` is the code of the thing's own kind of state."""

    subject: Subject
    key: int
    code: str
    title: str
    text: str
    lang: str
    state: str
    at: datetime | None


@dataclass(frozen=True)
class Hits:
    """A page of things found, and whether there are more."""

    items: list[Hit]
    more: bool


def is_searchable(words: str) -> bool:
    """Whether the words leave something to look for: one word of two characters at least."""
    return any(len(word) > 1 or not word.isascii() for word in search_words(words))


def _contributions() -> Select[Any]:
    return select(
        literal(Subject.CONTRIBUTION.value).label("subject"),
        search.search_document.c.id.label("key"),
        Contribution.code.label("code"),
        Contribution.title.label("title"),
        Contribution.excerpt.label("text"),
        Contribution.lang.label("lang"),
        cast(Contribution.state, String).label("state"),
        Contribution.created_at.label("at"),
    ).join(Contribution, Contribution.id == search.search_document.c.contribution_id)


def _actions() -> Select[Any]:
    return select(
        literal(Subject.ACTION.value).label("subject"),
        search.search_document.c.id.label("key"),
        Action.code.label("code"),
        Action.title.label("title"),
        Action.aim.label("text"),
        literal("it").label("lang"),
        cast(Action.state, String).label("state"),
        Action.updated_at.label("at"),
    ).join(Action, Action.id == search.search_document.c.action_id)


def _projects() -> Select[Any]:
    return select(
        literal(Subject.PROJECT.value).label("subject"),
        search.search_document.c.id.label("key"),
        Project.code.label("code"),
        Project.title.label("title"),
        cast(Project.description, Text).label("text"),
        literal("it").label("lang"),
        cast(Project.state, String).label("state"),
        cast(null(), UtcDateTime).label("at"),
    ).join(Project, Project.id == search.search_document.c.project_id)


def _events() -> Select[Any]:
    return select(
        literal(Subject.EVENT.value).label("subject"),
        search.search_document.c.id.label("key"),
        Event.code.label("code"),
        Event.title.label("title"),
        Event.text.label("text"),
        literal("it").label("lang"),
        cast(Event.state, String).label("state"),
        Event.starts_at.label("at"),
    ).join(Event, Event.id == search.search_document.c.event_id)


_SOURCES: dict[Subject, Callable[[], Select[Any]]] = {
    Subject.PROJECT: _projects,
    Subject.ACTION: _actions,
    Subject.EVENT: _events,
    Subject.CONTRIBUTION: _contributions,
}


def _query(ctx: Context, subject: Subject, words: str) -> Select[Any] | None:
    condition = search.matches(ctx.session, words, subject.value)
    if condition is None:
        return None
    documents = search.search_document.c
    return (
        _SOURCES[subject]()
        .where(documents.kind == subject.value, documents.is_public, condition)
        .order_by(documents.id.desc())
    )


def find(ctx: Context, subject: Subject, words: str, before: int | None = None, limit: int = PAGE) -> Hits:
    """Newest things of one kind in which every word occurs.

    One statement, on SQLite one more for the index of words.
    """
    query = _query(ctx, subject, words)
    if query is None:
        return Hits([], False)
    if before is not None:
        query = query.where(search.search_document.c.id < before)
    rows = ctx.session.execute(query.limit(limit + 1)).all()
    return Hits([_hit(row) for row in rows[:limit]], len(rows) > limit)


def overview(ctx: Context, words: str) -> dict[Subject, Hits]:
    """The first few of every kind, in the order in which pages show them.

    One statement, on SQLite one more for the index of words.
    """
    queries = [_query(ctx, subject, words) for subject in _SOURCES]
    parts = [select(query.limit(FEW + 1).subquery()) for query in queries if query is not None]
    if not parts:
        return {}
    rows = ctx.session.execute(union_all(*parts)).all()
    found: dict[Subject, Hits] = {}
    for subject in _SOURCES:
        hits = [_hit(row) for row in rows if row.subject == subject.value]
        if hits:
            found[subject] = Hits(hits[:FEW], len(hits) > FEW)
    return found


def _hit(row: Any) -> Hit:
    return Hit(Subject(row.subject), row.key, row.code, row.title, row.text, row.lang, str(row.state), row.at)


def meant(ctx: Context, words: str, kind: Subject | None = None) -> str | None:
    """What a search that found nothing may have meant: words with a slip put right; None if nothing is near.

    Only words that stand in public things (of this kind, if one is named) are proposed, those said more
    often before others as near. At most two statements, whatever the number of words.
    """
    typed = search_words(words)
    others = vocabulary.near(ctx.session, typed)
    near = {one for found in others.values() for one, _slips in found}
    if not near:
        return None
    heard = search.heard(ctx.session, sorted({*typed, *near}), kind.value if kind else None)
    right = []
    for word in typed:
        known = [(slips, -heard[one], one) for one, slips in others.get(word, []) if heard[one]]
        right.append(min(known)[2] if known and not heard[word] else word)
    return " ".join(right) if right != typed else None
