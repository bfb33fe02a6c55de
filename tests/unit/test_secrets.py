"""Signed tokens and passwords."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.kernel import passwords
from lab.kernel.clock import FrozenClock
from lab.kernel.tokens import Signer

SECRET = "una chiave lunga abbastanza per le prove"
payloads = st.recursive(
    st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)


@given(payloads)
def test_a_token_gives_back_its_payload(payload: object) -> None:
    token = Signer(SECRET).sign("reset", {"p": payload})
    assert Signer(SECRET).open("reset", token, 60) == {"p": payload}


def test_a_token_serves_one_purpose_one_installation_and_expires() -> None:
    clock = FrozenClock(datetime(2026, 7, 1, tzinfo=UTC))
    signer = Signer(SECRET, clock)
    token = signer.sign("reset", [7])
    assert signer.open("verify", token, 60) is None
    assert Signer(SECRET + "x", clock).open("reset", token, 60) is None
    clock.advance(timedelta(seconds=60))
    assert signer.open("reset", token, timedelta(seconds=60)) == [7]
    clock.advance(timedelta(seconds=1))
    assert signer.open("reset", token, 60) is None
    clock.advance(timedelta(hours=-1))
    assert signer.open("reset", token, 60) is None  # from the future


@given(st.text(alphabet=st.characters(), max_size=60), st.integers(0, 60))
def test_no_forged_token_opens(noise: str, place: int) -> None:
    token = Signer(SECRET).sign("reset", 7)
    assert Signer(SECRET).open("reset", noise, 60) is None
    changed = token[:place] + noise + token[place:]
    assert changed == token or Signer(SECRET).open("reset", changed, 60) is None


def test_one_signature_has_one_spelling() -> None:
    head, dot, signature = Signer(SECRET).sign("reset", 7).rpartition(".")
    assert Signer(SECRET).open("reset", head + dot + signature, 60) == 7
    assert Signer(SECRET).open("reset", head + dot + "::" + signature, 60) is None


@pytest.mark.parametrize(
    ("password", "code"),
    [
        *(("corta", "too_short"), ("a" * 129, "too_long"), ("password", "too_common")),
        *(("qwerty123", "too_common"), ("aaaaaaaaaaaaaaaa", "too_common")),
        *(("tre panchine verdi 🌳", None), ("x9$Kq2!vRt", None), ("wanda ama le ortensie", None)),
        *(
            ("brambilla", "too_personal"),
            ("wanda.brambilla", "too_personal"),
            ("Brambilla*Wanda", "too_personal"),
        ),
    ],
)
def test_which_passwords_are_refused(password: str, code: str | None) -> None:
    assert passwords.check_password(password, "Wanda Brambilla", "wanda.brambilla@example.org") == code


@settings(max_examples=40)
@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_can_be_judged_and_verified(password: str) -> None:
    code = passwords.check_password(password, "Wanda")
    assert code in (None, "too_short", "too_long", "too_common", "too_personal")
    assert not passwords.verify_password(None, password)
    hashed = passwords.hash_password(password)
    assert passwords.verify_password(hashed, password)
    assert not passwords.verify_password(hashed, password + "x")


def test_composed_and_decomposed_letters_are_the_same_password() -> None:
    assert passwords.verify_password(passwords.hash_password("perche\u0301 no"), "perch\u00e9 no")


def test_nobody_has_no_password_and_rubbish_is_no_hash() -> None:
    assert not passwords.verify_password(None, "")
    assert not passwords.verify_password("", "")
    assert not passwords.verify_password("rubbish", "rubbish")
    assert not passwords.verify_password(passwords.hash_password("a" * 1024), "a" * 1025)
    with pytest.raises(ValueError, match="before"):
        passwords.hash_password("a" * 1025)


def test_checking_nobody_costs_what_checking_somebody_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    verify = passwords.PasswordHasher.verify

    def counted(self: passwords.PasswordHasher, hashed: str, password: bytes) -> bool:
        checked.append(hashed.rsplit("$", 2)[0])
        return verify(self, hashed, password)

    hashed = passwords.hash_password("tre panchine")
    monkeypatch.setattr(passwords.PasswordHasher, "verify", counted)
    passwords.verify_password(None, "x")
    passwords.verify_password(hashed, "x")
    assert len(checked) == 2
    assert checked[0] == checked[1]


def test_a_change_of_cost_asks_for_a_new_hash() -> None:
    hashed = passwords.hash_password("tre panchine verdi")
    assert not passwords.needs_rehash(hashed)
    passwords.use_profile(passwords.PRODUCTION)
    assert passwords.needs_rehash(hashed)
    assert passwords.needs_rehash("rubbish")
    assert passwords.verify_password(hashed, "tre panchine verdi")
