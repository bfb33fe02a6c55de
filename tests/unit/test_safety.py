"""Private details, cells of a CSV, languages and errors."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.kernel import errors, locales
from lab.kernel.csvsafe import csv_lines, safe_cell
from lab.kernel.detectors import PrivateDetail, private_details


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("chiamami al 333 123 4567", ["phone"]),
        ("+39 0362 123456 oppure 0362/123456", ["phone"]),
        ("tel. 3331234567.", ["phone"]),
        ("via Cavour 10 0362 123456", ["phone"]),
        ("(0362) 123456", ["phone"]),
        ("scrivi a mario.rossi@example.org", ["email"]),
        ("mario [at] example.org, mario chiocciola example.org", ["email"]),
        ("IT60 X054 2811 1010 0000 0123 456 grazie", ["iban"]),
        ("it60x0542811101000000123456", ["iban"]),
        ("il mio codice è RSSMRA85T10A562S", ["fiscal_code"]),
        ("333 1234567, a@b.it", ["phone", "email"]),
        ("dal 03/05/2026 al 10/06/2026", []),
        ("costa 300.000.000 di euro, 3.000 firme, articolo 2043", []),
        ("nel 2026-05-03 alle 18:30, CAP 20831", []),
        ("IT60X0542811101000000123457 RSSMRA85T10A562T", []),
        ("il progetto P4 e l'evento EV13", []),
    ],
)
def test_private_details(text: str, kinds: list[str]) -> None:
    assert private_details(text) == [PrivateDetail(kind) for kind in kinds]


@pytest.mark.parametrize(
    "unit", ["a@", "7 7 ", "IT60", "a.", "0", "a\u0301\u0323", "RSSMRA", " chiocciola", "("]
)
def test_long_texts_without_details(unit: str) -> None:
    assert private_details(unit * (50_000 // len(unit))) == []


@pytest.mark.parametrize(
    "text", ["=1+1", "+39 333", "-2+3", "@SUM(A1)", "\t=1", " =1", "＝1", "\r=1", "|x", "-"]
)
def test_formulas_are_disarmed(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "cell"),
    [(-5, "-5"), ("-5,20", "-5,20"), ("+3", "+3"), (None, ""), (True, "1"), ("a=b", "a=b"), ("'x", "'x")],
)
def test_harmless_cells_stay(value: object, cell: str) -> None:
    assert safe_cell(value) == cell


@given(st.lists(st.lists(st.text(), min_size=1, max_size=4), max_size=20))
def test_csv_is_read_back(rows: list[list[str]]) -> None:
    data = b"".join(csv_lines(rows))
    assert data.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert read == [[safe_cell(cell) for cell in row] for row in rows]


def test_csv_comes_in_pieces_as_rows_are_made() -> None:
    made = 0

    def rows() -> object:
        nonlocal made
        for number in range(10_000):
            made = number
            yield [number, "testo di prova"]

    pieces = csv_lines(rows())  # type: ignore[arg-type]
    assert len(next(pieces)) < 100_000
    assert made < 9_000
    assert b"9999;" in b"".join(pieces)


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("ar-EG,ar;q=0.9,en;q=0.8", "ar"),
        ("en;q=0.5, ur;q=0.9", "ur"),
        ("fr-CH, de;q=0.9", "it"),
        ("en;q=0, ur;q=0.1", "ur"),
        ("en;q=nan, en;q=2", "it"),
        ("*", "it"),
        (None, "it"),
        (";;=,,q=", "it"),
    ],
)
def test_the_language_a_browser_gets(header: str | None, chosen: str) -> None:
    assert locales.negotiate(header, ["it", "en", "ar", "ur"]) == chosen


@given(st.text())
def test_any_header_gives_an_enabled_language(header: str) -> None:
    assert locales.negotiate(header, ["sq", "uk"]) in ("sq", "uk")


def test_directions_and_names() -> None:
    assert [locales.direction(code) for code in ("ar", "ur-PK", "he_IL", "it", "ar-EG", "xx")] == [
        *("rtl", "rtl", "rtl", "ltr", "rtl", "ltr")
    ]
    assert locales.native_name("sq") == "Shqip"
    assert locales.native_name("xx") == "xx"
    assert {"it", "en", "ar", "es", "fr", "ro", "sq", "uk", "ur", "zh"} <= set(locales.SUPPORTED)
    assert all(locales.direction(code) == locale.direction for code, locale in locales.SUPPORTED.items())


def test_errors_carry_codes() -> None:
    invalid = errors.Invalid("text", "too_long", limit=500)
    assert (invalid.field, invalid.code, invalid.params) == ("text", "too_long", {"limit": 500})
    assert errors.RateLimited(0).retry_after == 1
    assert issubclass(errors.Unavailable, errors.LabError)
    assert errors.Denied("not_yours").reason == "not_yours" and errors.Conflict("full").code == "full"
