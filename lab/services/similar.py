"""Others may have said it already: the few inputs that look most alike."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from lab.db import search
from lab.kernel.text import search_words, similarity
from lab.models.contributions import Contribution, State
from lab.models.programme import Place
from lab.services.context import Context

MOST = 5
#: Newest matches that are looked at closely.
_CANDIDATES = 120
#: Below this share of common groups of letters two texts only meet by chance.
_ALIKE = 0.22
_WORDS = 6

#: Words that say nothing about the subject, in the languages people write here most.
_EMPTY_WORDS = """
    alla alle agli allo anche ancora avere bisogno bella bello bisognerebbe buongiorno cerchiamo che chi
    come con cosa cose così dal dalla dalle dai dagli degli dei del della delle dello dentro dove
    dopo dovrebbe ecco essere fare fatto favore già gli grazie hanno il la le lo in nei nel nella nelle
    noi non nostra nostro ogni oltre per perché perche piu più poi possibile potrebbe prima proposta propongo
    qualche quale quando quanto quello quella questa questo qui sarebbe salve se sempre serve senza si sia
    siamo sono solo sopra sotto sta stato sua sul sulla sulle suo tanto troppo tra tutta tutte tutti tutto un
    una uno vi vicino vorrei vorremmo zona quartiere the and for with that this there should would please
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())


@dataclass(frozen=True)
class Alike:
    """An input that says much the same."""

    id: int
    code: str
    title: str
    excerpt: str
    lang: str
    state: State
    supports_count: int
    place: str | None
    score: float


def telling_words(text: str) -> list[str]:
    """The folded words that carry the subject, longest first: long words are rare words."""
    words = [word for word in search_words(text, 60) if len(word) > 3 and word not in _EMPTY]
    return sorted(words, key=lambda word: -len(word))[:_WORDS]


def alike(ctx: Context, text: str, *, exclude: int | None = None, most: int = MOST) -> list[Alike]:
    """Up to `most` public inputs that resemble the text, most alike first.

    One statement, on SQLite one more for the index of words.
    """
    condition = search.matches_any(ctx.session, telling_words(text))
    if condition is None:
        return []
    documents = search.search_document.c
    newest = (
        select(documents.contribution_id.label("id"), documents.folded)
        .where(documents.kind == "contribution", documents.is_public, condition)
        .order_by(documents.id.desc())
        .limit(_CANDIDATES)
        .subquery()
    )
    query = (
        select(
            Contribution.id, Contribution.code, Contribution.title, Contribution.excerpt, Contribution.lang,
            Contribution.state, Contribution.supports_count, Place.name.label("place"),
        )
        .join(newest, newest.c.id == Contribution.id)
        .outerjoin(Place, Place.id == Contribution.place_id)
        .where(Contribution.is_listed)
    )  # fmt: skip
    if exclude is not None:
        query = query.where(Contribution.id != exclude)
    found = [
        Alike(*row, score=_score(text, f"{row.title} {row.excerpt}")) for row in ctx.session.execute(query)
    ]
    best = sorted((item for item in found if item.score >= _ALIKE), key=lambda item: (-item.score, -item.id))
    return best[:most]


def _score(text: str, other: str) -> float:
    """Letters in common, and how many of the telling words of the shorter text the longer one has."""
    mine, theirs = telling_words(text), set(search_words(other, 60))
    stems = {word[:6] for word in theirs}
    shared = sum(1 for word in mine if word in theirs or word[:6] in stems)
    return max(similarity(text, other), 0.6 * shared / len(mine) if len(mine) > 1 else 0.4 * shared)
