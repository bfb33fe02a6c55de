"""Search finds the same on both engines, whatever is written and whatever is asked."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from lab.db import search
from lab.db.engine import Database
from lab.models.contributions import Visibility
from lab.policy.actor import SYSTEM
from lab.services.context import Context
from lab.services.contributions import Placement, place
from tests.world import NOW

TEXTS = {
    "accents": "Perché la città è così buia? Più luce, per carità",
    "apostrophes": "C’è un’auto sull'aiuola dell`asilo",
    "capitals": "STRADA STRETTA in via Gramsci",
    "prefix": "Biciclette e ciclabili per biciclettate",
    "arabic": "نريد حديقة للأطفال قرب المدرسة",
    "urdu": "ہمیں پارک چاہیے",
    "cyrillic": "Нам нужна лавочка",
    "numbers": "Il 12 bis e la scala 4B, PR77",
    "emoji": "Bello 🌳🌳 davvero",
    "hyphens": "co-progettazione socio-sanitaria",
    "romanian": "Strada e plină de gropi și bălți",
}
#: What is asked, and which texts hold it.
ASKED = {
    "perche": {"accents"}, "CITTÀ": {"accents"}, "piu luce": {"accents"}, "luce perché": {"accents"},
    "auto": {"apostrophes"}, "un'auto": {"apostrophes"}, "aiuola asilo": {"apostrophes"},
    "strada": {"capitals", "romanian"}, "Strada gramsci": {"capitals"},
    "bici": {"prefix"}, "ciclab": {"prefix"}, "clette": set(),
    "حديقة": {"arabic"}, "المدرسة": {"arabic"}, "حدي": {"arabic"}, "پارک": {"urdu"},
    "ЛАВОЧКА": {"cyrillic"}, "pr77": {"numbers"}, "4b": {"numbers"}, "12": {"numbers"},
    "progettazione": {"hyphens"}, "co-progettazione": {"hyphens"}, "balti": {"romanian"},
    "bălţi": {"romanian"}, "luce gramsci": set(), "niente": set(), "": set(), "   ": set(), "🌳": set(),
}  # fmt: skip
#: Letters, figures and signs that both engines' own tables of characters know.
SAID = st.characters(categories=["L", "N", "P", "Z"], max_codepoint=0x2FFF)
HOSTILE = [
    '"', "'", "*", "a*", "NEAR(a b)", "a AND", "OR", "NOT a", "a:b", "folded:a", "^a", "-a", "(", "a & | !",
    ":*", "a'); DROP TABLE person; --", "\\", "%", "_", "\x00", "a\x00b", "\ud800", "🌳" * 50, "a" * 5000,
    "' OR 1=1", "{a b}", "a + b", "<->", "a <2> b", "\u202eabc", "\u0301", "ﷺ", "ß", "İstanbul", "a\nb\tc",
]  # fmt: skip


def fill(session: Session) -> dict[int, str]:
    ctx = Context(session, SYSTEM, NOW)
    return {place(ctx, Placement(text=text)).id: name for name, text in TEXTS.items()}


@pytest.fixture
def filled(database: Database) -> tuple[Database, dict[int, str]]:
    with database.writing() as session:
        return database, fill(session)


@pytest.mark.parametrize("query", ASKED)
def test_words_are_found_whatever_their_case_accents_and_script(
    filled: tuple[Database, dict[int, str]], query: str
) -> None:
    database, names = filled
    with database.session() as session:
        found = search.found_ids(session, "contribution", query, limit=50)
    assert {names[subject] for _document, subject in found} == ASKED[query]


def test_newest_come_first_and_pages_go_on(filled: tuple[Database, dict[int, str]]) -> None:
    database, _names = filled
    with database.session() as session:
        every = search.found_ids(session, "contribution", "strada", limit=50)
        first = search.found_ids(session, "contribution", "strada", limit=1)
        rest = search.found_ids(session, "contribution", "strada", limit=50, before=first[0][0])
    assert every == sorted(every, reverse=True)
    assert first + rest == every


@pytest.mark.parametrize("query", HOSTILE)
def test_nothing_one_types_is_syntax(filled: tuple[Database, dict[int, str]], query: str) -> None:
    database, _names = filled
    with database.session() as session:
        search.found_ids(session, "contribution", query, limit=5)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=80))
def test_whatever_is_typed_is_answered(filled: tuple[Database, dict[int, str]], query: str) -> None:
    database, _names = filled
    with database.session() as session:
        search.found_ids(session, "contribution", query, limit=5)
        search.matches_any(session, search.search_words(query))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet=SAID, min_size=1, max_size=60))
def test_whatever_is_said_is_found_by_its_own_words(database: Database, text: str) -> None:
    words = search.search_words(text)
    with database.writing() as session:
        ctx = Context(session, SYSTEM, NOW)
        said = place(ctx, Placement(text=f"voce {text}")).id
        # Whole words without signs that the engines cut differently.
        plain = [word for word in words if word.isalnum() and word.isascii()]
        if plain:
            found = search.found_ids(session, "contribution", " ".join(plain), limit=500)
            assert said in [subject for _document, subject in found]


def test_what_is_not_public_is_not_found(database: Database) -> None:
    with database.writing() as session:
        place(Context(session, SYSTEM, NOW), Placement(text="segretissimo", visibility=Visibility.PRIVATE))
    with database.session() as session:
        assert search.found_ids(session, "contribution", "segretissimo", limit=5) == []


def test_changed_and_dropped_words_are_forgotten(filled: tuple[Database, dict[int, str]]) -> None:
    database, names = filled
    identity = next(iter(names))
    with database.writing() as session:
        search.put_document(session, "contribution", identity, "tutto diverso", is_public=True)
    with database.session() as session:
        assert search.found_ids(session, "contribution", "perche", limit=5) == []
        assert [s for _d, s in search.found_ids(session, "contribution", "diverso", limit=5)] == [identity]
    with database.writing() as session:
        search.drop_document(session, "contribution", identity)
    with database.session() as session:
        assert search.found_ids(session, "contribution", "diverso", limit=5) == []
