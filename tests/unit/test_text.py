import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.kernel import text as t
from tests.readability import gulpease

anything = st.text(alphabet=st.characters(), max_size=300)


@given(anything, st.integers(1, 200))
def test_a_clean_line_is_one_short_safe_line(s: str, limit: int) -> None:
    line = t.clean_line(s, limit)
    assert len(line) <= limit
    assert t.clean_line(line, limit) == line
    assert unicodedata.is_normalized("NFC", line)
    assert line == " ".join(line.split())
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Co") for c in line)
    line.encode("utf-8")


@given(anything, st.integers(1, 200))
def test_a_clean_text_stays_clean(s: str, limit: int) -> None:
    text = t.clean_text(s, limit)
    assert len(text) <= limit
    assert t.clean_text(text, limit) == text
    assert "\n\n\n\n" not in text
    assert "\x00" not in text and "\r" not in text


def test_what_cleaning_keeps_and_drops() -> None:
    assert t.clean_line("  caffe\u0300\tal \x00 bar\r\n ", 99) == "caffè al bar"
    assert t.clean_line("a\u202eb\u2066c\u200bd\ufeff", 99) == "abcd"
    assert t.clean_line("\u200d \u200c", 99) == ""
    assert t.clean_line("می\u200cخواهم 👩\u200d🌾", 99) == "می\u200cخواهم 👩\u200d🌾"
    assert t.clean_text("uno\r\ndue\n\n\n\n\n\ntre\u2028quattro", 99) == "uno\ndue\n\n\ntre\nquattro"
    assert t.clean_text("- uno\n  - due", 99) == "- uno\n  - due"
    assert len(t.clean_line("a" + "\u0301" * 500, 999)) < 10


def test_a_cut_falls_between_characters() -> None:
    assert t.clean_line("xq\u0323", 2) == "x"
    assert t.clean_line("a👩\u200d🌾", 3) == "a"


@given(anything)
def test_folding_twice_changes_nothing(s: str) -> None:
    assert t.fold(t.fold(s)) == t.fold(s)
    assert t.fold(s.casefold()) == t.fold(s)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Città dell’Arte", "citta dell'arte"),
        ("PERCHÉ", "perche"),
        ("straße ŁÓDŹ Școală", "strasse lodz scoala"),
        ("مَدْرَسَة", "مدرسة"),
        ("हिन्दी", "हिन्दी"),
        ("がっこう", "がっこう"),
        ("Київ", "киів"),
    ],
)
def test_folding(written: str, folded: str) -> None:
    assert t.fold(written) == unicodedata.normalize("NFC", folded)


def test_search_words() -> None:
    assert t.search_words("L'acqua è dell’ORTO, l'acqua!") == ["acqua", "dell", "orto"]
    assert t.search_words("P4 e") == ["p4"]
    assert t.search_words("a") == ["a"]
    assert t.search_words("हिन्दी 学校") == ["हिन्दी", "学校"]
    assert t.search_words('" * OR ( -') == ["or"]
    assert len(t.search_words(" ".join(f"w{i}" for i in range(50)))) == 8


@given(anything, st.integers(1, 80))
def test_an_excerpt_fits(s: str, n: int) -> None:
    short = t.excerpt(s, n)
    assert len(short) <= n
    assert short == " ".join(s.split()) or short.endswith("…")


def test_an_excerpt_ends_after_a_word() -> None:
    assert t.excerpt("Una panchina, davanti alla scuola", 20) == "Una panchina…"
    assert t.excerpt("breve", 20) == "breve"
    assert t.excerpt("x" * 50, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    "good", ["a@b.it", "Nome.Cognome+x@sub.example.org", "o'hara@città.it", "a_b@x-y.museum"]
)
def test_good_addresses(good: str) -> None:
    assert t.valid_email(good)


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a",
        "a@b",
        "a@@b.it",
        ".a@b.it",
        "a..b@c.it",
        "a@-b.it",
        "a@b.it\n",
        "a b@c.it",
        "a@b..it",
        "a@1.2.3.4",
        "a@b.it\r\nBcc: c@d.it",
        "à@b.it",
        "a" * 65 + "@b.it",
        "a@" + "b." * 140 + "it",
        "<a@b.it>",
        "a@b.it,c@d.it",
    ],
)
def test_bad_addresses(bad: str) -> None:
    assert not t.valid_email(bad)


def test_one_mailbox_counts_once() -> None:
    assert t.fold_email(" Ma.Rio+lab@GoogleMail.com ") == "mario@gmail.com" == t.fold_email("mario@gmail.com")
    assert t.fold_email("ma.rio@example.org") != t.fold_email("mario@example.org")
    assert t.fold_email("x+1@example.org") == t.fold_email("X@EXAMPLE.ORG") == "x@example.org"
    assert t.fold_email("x@città.it") == t.fold_email("x@xn--citt-3na.it")
    assert t.is_same_mailbox("Ma.Rio+lab@GoogleMail.com", "mario@gmail.com")
    assert t.is_same_mailbox(" X@città.it", "x@xn--citt-3na.it")
    assert not t.is_same_mailbox("x+1@example.org", "x@example.org")


@given(anything)
def test_folding_an_address_twice_changes_nothing_for_valid_ones(s: str) -> None:
    address = f"{s}@example.org"
    if t.valid_email(address):
        assert t.fold_email(t.fold_email(address)) == t.fold_email(address)


@given(anything, st.integers(5, 60))
def test_slugs_are_safe(s: str, limit: int) -> None:
    slug = t.slugify(s, limit, fallback="x")
    assert 1 <= len(slug) <= limit
    assert slug.isascii() and slug == slug.lower()
    assert not slug.startswith("-") and not slug.endswith("-") and "--" not in slug


def test_slugs() -> None:
    assert t.slugify("L’orto è di tutti!") == "l-orto-e-di-tutti"
    assert t.slugify("学校") == ""
    assert t.slugify("uno due tre", 8) == "uno-due"


@given(anything, anything)
def test_similarity_is_a_measure(a: str, b: str) -> None:
    assert 0 <= t.similarity(a, b) <= 1
    assert t.similarity(a, b) == t.similarity(b, a)
    assert t.similarity(a, a) == 1


def test_similar_texts_are_nearer() -> None:
    wish = "Più panchine in piazza"
    assert (
        t.similarity(wish, "più panchine nella piazza") > 0.6 > 0.3 > t.similarity(wish, "Corsi di italiano")
    )


def test_gulpease() -> None:
    assert gulpease("") == 100
    assert gulpease("Scrivi qui la tua idea. Ti rispondiamo noi.") > 80
    hard = "L'amministrazione predispone conseguentemente documentazione programmatica interistituzionale"
    assert gulpease(hard) < 40
    words = "costruire insieme qualcosa " * 4
    assert gulpease(words) == round(89 + (300 - 10 * 24 * 4) / 12)
    assert gulpease("La panchina nuova sta qui. " * 3) == gulpease("La panchina nuova sta qui.")
