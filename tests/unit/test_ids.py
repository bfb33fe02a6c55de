import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.kernel import ids

codes = st.builds(lambda _: ids.new_receipt_code(), st.integers())
places = st.integers(0, 7)


@given(codes)
def test_a_code_is_read_back_however_it_is_written(code: str) -> None:
    assert len(code) == 8
    assert set(code) <= set(ids.ALPHABET)
    shown = ids.format_receipt_code(code)
    assert shown[4] == "-"
    for written in (shown, shown.lower(), f" {shown} ", shown.replace("-", " – "), " ".join(code)):
        assert ids.parse_receipt_code(written) == code


@given(codes, places, st.sampled_from(ids.ALPHABET))
def test_every_single_wrong_character_is_noticed(code: str, place: int, wrong: str) -> None:
    changed = code[:place] + wrong + code[place + 1 :]
    assert (ids.parse_receipt_code(changed) == code) == (changed == code)
    assert changed == code or ids.parse_receipt_code(changed) is None


@given(codes, places, places)
def test_every_swap_is_noticed(code: str, i: int, j: int) -> None:
    symbols = list(code)
    symbols[i], symbols[j] = symbols[j], symbols[i]
    swapped = "".join(symbols)
    assert swapped == code or ids.parse_receipt_code(swapped) is None


@given(codes)
def test_look_alikes_are_understood(code: str) -> None:
    meant = {"5": "S", "Q": "0", "V": "u", "7": "1", "A": "А", "B": "в", "3": "٣"}
    assert ids.parse_receipt_code("".join(meant.get(c, c) for c in code)) == code


@given(st.text())
def test_any_text_gives_a_valid_code_or_none(text: str) -> None:
    code = ids.parse_receipt_code(text)
    assert code is None or ids.parse_receipt_code(code) == code


def test_codes_differ() -> None:
    assert len({ids.new_receipt_code() for _ in range(1000)}) == 1000


def test_tokens_are_long_and_different() -> None:
    token = ids.new_token()
    assert len(token) >= 43
    assert token != ids.new_token()
    assert ids.token_digest(token) != ids.token_digest(token + "a")
    assert len(ids.token_digest("è\ud800")) == 64
    with pytest.raises(ValueError, match="128"):
        ids.new_token(64)


@given(st.text(alphabet=st.characters()), st.text(alphabet=st.characters()))
def test_same_takes_any_text(a: str, b: str) -> None:
    assert ids.same(a, b) == (a == b)
    assert ids.same(a, a)
    assert ids.same("però", "però".encode())
