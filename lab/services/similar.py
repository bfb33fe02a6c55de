"""Others may have said it already: the few inputs that look most alike.

Two texts are about the same thing when they share words that few others use. Words that everybody uses, and
words that only say that something is wrong, never make two texts alike by themselves: offering nothing is
better than offering what has nothing to do with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any

from sqlalchemy import Select, select, union

from lab.db import search
from lab.kernel.text import fold, forms, search_words, similarity
from lab.models.contributions import Contribution, State
from lab.models.programme import Place
from lab.services.context import Context

MOST = 5
#: Newest matches that are looked at closely, of all telling words and once more of the rare ones.
_CANDIDATES = 120
_WORDS = 8
#: Words that this many inputs hold are common: they alone do not bring a candidate among the rare ones.
_COMMON = 25
#: Share of the weight of one's own words that the other must have, with one word in common and with more.
_ONE, _SEVERAL = 0.45, 0.25
#: Letters from the beginning by which long words of one family are known: illuminare, illuminazione.
_FAMILY = 7

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
_EMPTY = frozenset(fold(_EMPTY_WORDS).split())
#: Words that say that something is wrong or wanted, or roughly where and when, but not what: any may stand
#: beside any subject.
_WEAK_WORDS = """
    aggiungere aggiustare aiutare aiuto basta brutta brutto buona buono casa case chiediamo chiedo
    davanti dietro ferma fermo funziona funzionano giorni giorno grande grandi guasta guasto manca
    mancano mattina mattino meglio mesi mettere mettete mettiamo mezzo molti molto notte nuova nuovo ore
    pericolosa pericoloso persino persona persone piccola piccolo posto problema pubblica pubblico rotta
    rotto sera servono settimana settimane spenta spento troppa troppe troppi vecchia vecchio via
    vogliamo voglio volta volte
"""
_WEAK = frozenset(form for word in _WEAK_WORDS.split() for form in forms(word))


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


@dataclass(frozen=True)
class Subject:
    """What a text is about: its telling words, each with its weight (1: hardly anybody else says it)."""

    text: str
    weights: dict[str, float]
    rare: list[str]

    def likeness(self, other: str) -> float:
        """From 0 (about something else) up: how much of this subject another text has."""
        theirs = set(search_words(other, 200))
        families = {word[:_FAMILY] for word in theirs if len(word) > _FAMILY}
        shared = [
            word
            for word in self.weights
            if not theirs.isdisjoint(forms(word)) or (len(word) > _FAMILY and word[:_FAMILY] in families)
        ]
        if all(word in _WEAK for word in shared):
            return 0.0
        share = sum(self.weights[word] for word in shared) / sum(self.weights.values())
        if share < (_ONE if len(shared) == 1 else _SEVERAL):
            return 0.0
        return share + 0.5 * similarity(self.text, other)


def telling_words(text: str) -> list[str]:
    """The folded words that carry the subject, those that name something before the weak ones, the longest
    first: long words are rare words."""
    words = [word for word in search_words(text, 60) if len(word) > 3 and word not in _EMPTY]
    return sorted(words, key=lambda word: (word in _WEAK, -len(word)))[:_WORDS]


def subject_of(ctx: Context, text: str) -> Subject:
    """Weigh the telling words of a text by how many inputs hold them; one statement."""
    words = telling_words(text)
    heard = search.heard(ctx.session, words, "contribution") if words else {}
    weights = {
        word: (0.25 if word in _WEAK else 1) / (1 + 0.5 * log(max(heard.get(word, 0), 1))) for word in words
    }
    rare = [word for word in words if word not in _WEAK and heard.get(word, 0) < _COMMON]
    return Subject(text, weights, rare)


def candidates(ctx: Context, subject: Subject, *conditions: Any) -> list[Select[Any]]:
    """Ids of the newest inputs that hold some telling word, and of those that hold a rare one: where
    everybody speaks of benches, the few with a word that nobody else uses are not lost among them.

    On SQLite each asks the index of words first. `conditions` are on `search_document`.
    """
    wanted = [list(subject.weights)]
    if subject.rare and len(subject.rare) < len(subject.weights):
        wanted.append(subject.rare)
    found = []
    for words in wanted:
        condition = search.matches_any(ctx.session, words)
        if condition is None:
            continue
        documents = search.search_document.c
        newest = (
            select(documents.contribution_id.label("id"))
            .where(documents.kind == "contribution", condition, *conditions)
            .order_by(documents.id.desc())
            .limit(_CANDIDATES)
            .subquery()
        )
        found.append(select(newest.c.id))
    return found


def alike(ctx: Context, text: str, *, exclude: int | None = None, most: int = MOST) -> list[Alike]:
    """Up to `most` public inputs that resemble the text, most alike first.

    Two statements, on SQLite one or two more for the index of words.
    """
    subject = subject_of(ctx, text)
    near = candidates(ctx, subject, search.search_document.c.is_public)
    if not near:
        return []
    # Joined: asked with IN, SQLite would go through every listed input to see whether it is one of these.
    those = union(*near).subquery()
    query = (
        select(
            Contribution.id, Contribution.code, Contribution.title, Contribution.excerpt, Contribution.lang,
            Contribution.state, Contribution.supports_count, Place.name.label("place"),
        )
        .join_from(those, Contribution, Contribution.id == those.c.id)
        .outerjoin(Place, Place.id == Contribution.place_id)
        .where(Contribution.is_listed)
    )  # fmt: skip
    if exclude is not None:
        query = query.where(Contribution.id != exclude)
    found = [
        Alike(*row, score=subject.likeness(f"{row.title} {row.excerpt}"))
        for row in ctx.session.execute(query)
    ]
    best = sorted((one for one in found if one.score), key=lambda one: (-one.score, -one.id))
    return best[:most]
