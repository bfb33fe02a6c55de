"""Search finds the same on both engines, whatever is written and whatever is asked."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, union_all
from sqlalchemy.orm import Session

from lab.db import search, vocabulary
from lab.db.engine import Database
from lab.db.vocabulary import search_word
from lab.kernel.text import search_words
from lab.models.contributions import Visibility
from lab.policy.actor import SYSTEM
from lab.services.context import Context
from lab.services.contributions import Placement, place
from lab.services.search import Subject, find, meant
from tests.statements import statements
from tests.world import NOW, World

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


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest) -> Iterator[tuple[Database, dict[int, str]]]:
    """The texts, said once for all tests that only ask, and what each is called by its id."""
    factory = request.getfixturevalue(f"{request.param}_factory")
    url = factory.make()
    database = Database(url)
    with database.writing() as session:
        names = fill(session)
    yield database, names
    database.dispose()
    factory.drop(url)


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


def test_two_searches_in_one_statement_keep_their_words(filled: tuple[Database, dict[int, str]]) -> None:
    database, names = filled
    with database.session() as session:
        light, street = (search.matches_any(session, words) for words in (["luce"], ["gramsci"]))
        assert light is not None
        assert street is not None
        holding = [select(search.search_document.c.contribution_id).where(one) for one in (light, street)]
        assert [names[one] for one in session.execute(union_all(*holding)).scalars()] == [
            "accents",
            "capitals",
        ]


@pytest.mark.parametrize("query", HOSTILE)
def test_nothing_one_types_is_syntax(filled: tuple[Database, dict[int, str]], query: str) -> None:
    database, _names = filled
    with database.session() as session:
        search.found_ids(session, "contribution", query, limit=5)


@settings(max_examples=150, deadline=None)
@given(query=st.text(max_size=80))
def test_whatever_is_typed_is_answered(filled: tuple[Database, dict[int, str]], query: str) -> None:
    database, _names = filled
    with database.session() as session:
        search.found_ids(session, "contribution", query, limit=5)
        search.matches_any(session, search_words(query))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet=SAID, min_size=1, max_size=60))
def test_whatever_is_said_is_found_by_its_own_words(database: Database, text: str) -> None:
    words = search_words(text)
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


def test_changed_words_are_forgotten(database: Database) -> None:
    with database.writing() as session:
        identity = next(iter(fill(session)))
        search.put_document(session, "contribution", identity, "tutto diverso", is_public=True)
    with database.session() as session:
        assert search.found_ids(session, "contribution", "perche", limit=5) == []
        assert [s for _d, s in search.found_ids(session, "contribution", "diverso", limit=5)] == [identity]


@pytest.mark.parametrize("recent", [True, False], ids=["also lately", "long ago"])
def test_a_word_said_more_often_than_is_listed_is_found_to_the_end(
    database: Database, monkeypatch: pytest.MonkeyPatch, recent: bool
) -> None:
    monkeypatch.setattr(search, "_LISTED", 5)
    monkeypatch.setattr(search, "_NEWEST", 10)
    with database.writing() as session:
        ctx = Context(session, SYSTEM, NOW)
        for number in range(40):
            much = number % 2 == 0 if recent else number < 25
            place(ctx, Placement(text="Una panchina" if much else "Altro"))
    with database.session() as session:
        every = search.found_ids(session, "contribution", "panchina altro", limit=50)
        assert every == []
        every = search.found_ids(session, "contribution", "panchina", limit=50)
        assert len(every) == (20 if recent else 25)
        seen: list[tuple[int, int]] = []
        while rest := search.found_ids(
            session, "contribution", "panchina", limit=7, before=seen[-1][0] if seen else None
        ):
            seen += rest
        assert seen == every == sorted(every, reverse=True)


def test_each_kind_is_found_by_itself(database: Database, world: World) -> None:
    with database.writing() as session:
        place(Context(session, SYSTEM, NOW), Placement(text="Una fontana al parco"))
        search.put_document(session, "project", world.project, "Fontana nuova", is_public=True)
    with database.session() as session:
        assert len(search.found_ids(session, "contribution", "fontana", limit=5)) == 1
        found = search.found_ids(session, "project", "fontana", limit=5)
        assert [subject for _document, subject in found] == [world.project]
    with database.writing() as session:
        search.put_document(session, "project", world.project, "Panchina nuova", is_public=True)
    with database.session() as session:
        assert search.found_ids(session, "project", "fontana", limit=5) == []
        assert len(search.found_ids(session, "project", "panchina nuova", limit=5)) == 1


def test_what_is_rare_is_looked_up_without_the_words_of_every_input(database: Database) -> None:
    with database.session() as session:
        if session.get_bind().dialect.name != "sqlite":
            pytest.skip("one index there, which knows where a rare word is")
        ctx = Context(session, SYSTEM, NOW)
        for subject in (Subject.PROJECT, Subject.ACTION, Subject.EVENT):
            with statements(database) as seen:
                find(ctx, subject, "fontana")
            assert seen and not any(re.search(r"search_fts\b", one) for one in seen)


def test_singular_and_plural_find_the_same(database: Database) -> None:
    said = ("Una panchina rotta", "Due panchine", "Il parco", "I parchi", "Gli orari", "La spiaggia", "Panca")
    with database.writing() as session:
        ctx = Context(session, SYSTEM, NOW)
        names = {place(ctx, Placement(text=text)).id: text for text in said}
    for query, found in {
        "panchina": {"Una panchina rotta", "Due panchine"},
        "panchine": {"Una panchina rotta", "Due panchine"},
        "parco": {"Il parco", "I parchi"}, "parchi": {"Il parco", "I parchi"}, "orario": {"Gli orari"},
        "spiagge": {"La spiaggia"}, "panche": {"Panca"}, "panchine rotte": {"Una panchina rotta"},
    }.items():  # fmt: skip
        with database.session() as session:
            ids = search.found_ids(session, "contribution", query, limit=20)
        assert {names[subject] for _document, subject in ids} == found, query


def test_a_slip_leads_to_words_that_everybody_may_read(database: Database, world: World) -> None:
    with database.writing() as session:
        ctx = Context(session, SYSTEM, NOW)
        for text in (
            "Una panchina",
            "La panchina al sole",
            "Le panoche",
            "La biblioteca di sera",
            "Gli ascensori",
        ):
            place(ctx, Placement(text=text))
        place(ctx, Placement(text="Un segretissimo affare", visibility=Visibility.PRIVATE))
        search.put_document(session, "project", world.project, "Lavatoio nuovo", is_public=True)
    with database.session() as session:
        ctx = Context(session, SYSTEM, NOW)
        for typed, right in {
            "panchnia": "panchina", "PANCHIMA": "panchina", "ppanchina": "panchina", "oanchina": "panchina",
            "panchima": "panchina", "ascensroe": "ascensori",
            "bibiloteca sara": "biblioteca sera", "biblotecca": "biblioteca",
            "segretisimo": None, "affari": None, "zzz": None, "123456": None, "": None, "🌳": None,
        }.items():  # fmt: skip
            assert meant(ctx, typed, Subject.CONTRIBUTION) == right, typed
        assert meant(ctx, "panchnia", Subject.EVENT) is None
        assert meant(ctx, "lavaotio", Subject.PROJECT) == meant(ctx, "lavaotio") == "lavatoio"
        assert meant(ctx, "lavaotio", Subject.EVENT) is None


def test_a_name_taken_back_leaves_the_vocabulary(database: Database) -> None:
    def known(word: str) -> bool:
        with database.session() as session:
            rows = session.execute(select(search_word).where(search_word.c.word == word)).all()
        return bool(rows)

    with database.writing() as session:
        ctx = Context(session, SYSTEM, NOW)
        first = place(ctx, Placement(text="Kowalczyk chiede una fontana")).id
        place(ctx, Placement(text="Una fontana"))
    assert known("kowalczyk")
    with database.writing() as session:
        search.put_document(session, "contribution", first, "Altro", is_public=True)
    assert not known("kowalczyk")
    assert known("fontana")


def test_two_who_learn_the_same_words_the_other_way_round_do_not_block(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("one writer at a time there")
    both = threading.Barrier(2)

    def learn(words: tuple[str, str]) -> None:
        with database.writing() as session:
            vocabulary.learn(session, words[:1])
            both.wait(10)
            vocabulary.learn(session, words[1:])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(learn, [("altalena", "zampillo"), ("zampillo", "altalena")]))
    with database.session() as session:
        kept = session.execute(select(search_word.c.word).order_by(search_word.c.word)).scalars().all()
    assert kept == ["altalena", "zampillo"]


def test_a_word_said_and_taken_back_at_once_is_not_kept(database: Database) -> None:
    with database.writing() as session:
        said = place(Context(session, SYSTEM, NOW), Placement(text="Kowalczyk")).id
        search.put_document(session, "contribution", said, "Altro", is_public=True)
    with database.session() as session:
        assert session.execute(select(search_word.c.word)).scalars().all() == ["altro"]


def test_a_beginning_of_many_words_finds_them_all(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.writing() as session:
        ctx = Context(session, SYSTEM, NOW)
        for end in "abcdefgh":
            place(ctx, Placement(text=f"porta{end}zio 4b{end}"))
    for named in (3, 30):
        monkeypatch.setattr(search, "_NAMED", named)
        with database.session() as session:
            assert len(search.found_ids(session, "contribution", "porta", limit=20)) == 8
            assert len(search.found_ids(session, "contribution", "4b", limit=20)) == 8
