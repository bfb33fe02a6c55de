"""Passwords: which ones are too easy, and how they are kept."""

import secrets
import unicodedata
from dataclasses import dataclass
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from lab.kernel.text import fold

MIN_LENGTH = 8
MAX_LENGTH = 128
_MIN_SCORE = 2  # of 4: some 10^6 guesses or more
_MIN_OWN = 5  # characters that must remain when what others know of the person is taken away
_JUDGED = 72  # the judge's time grows fast with length, and what follows cannot make a password easier
_MAX_HASHED = 1024


@dataclass(frozen=True)
class Profile:
    """What one hash costs: rounds, memory in KiB, lanes."""

    rounds: int
    memory_kib: int
    lanes: int

    @cached_property
    def hasher(self) -> PasswordHasher:
        """Argon2id at this cost."""
        return PasswordHasher(time_cost=self.rounds, memory_cost=self.memory_kib, parallelism=self.lanes)

    @cached_property
    def nobody(self) -> str:
        """The hash of a password nobody knows, checked when there is no account."""
        return self.hasher.hash(secrets.token_bytes(32))


PRODUCTION = Profile(rounds=2, memory_kib=19 * 1024, lanes=1)  # OWASP's advice for machines with few cores
CHEAP = Profile(rounds=1, memory_kib=8, lanes=1)  # tests only
_profiles = [PRODUCTION]


def use_profile(profile: Profile) -> None:
    """Set what hashes cost from now on, for the whole process."""
    _profiles[0] = profile


def check_password(password: str, *personal: str) -> str | None:
    """Why a new password is refused: `too_short`, `too_long`, `too_common`, `too_personal`; None if good.

    `personal` are the words others know about this person (name, nickname, e-mail address). All characters
    are allowed; length counts characters.
    """
    normal = unicodedata.normalize("NFC", password) if len(password) <= 4 * MAX_LENGTH else password
    if len(normal) < MIN_LENGTH:
        return "too_short"
    if len(normal) > MAX_LENGTH:
        return "too_long"
    if _score(normal, []) < _MIN_SCORE:
        return "too_common"
    words = [part for text in personal for part in _parts(text)]
    is_personal = _little_is_left(normal, words) or (bool(words) and _score(normal, words) < _MIN_SCORE)
    return "too_personal" if is_personal else None


def hash_password(password: str) -> str:
    """The Argon2id hash to keep, with its own salt and costs inside. Raises ValueError above 1024 bytes."""
    data = _as_bytes(password)
    if len(data) > _MAX_HASHED:
        raise ValueError("check the password before hashing it")
    return _profiles[0].hasher.hash(data)


def verify_password(hashed: str | None, password: str) -> bool:
    """Whether the password is the one kept; for None (no account) the same time is spent."""
    profile = _profiles[0]
    nobody = profile.nobody  # made before the choice: the first call is slow for known and unknown alike
    data = _as_bytes(password)
    try:
        profile.hasher.verify(hashed or nobody, data[:_MAX_HASHED])
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None and len(data) <= _MAX_HASHED


def needs_rehash(hashed: str) -> bool:
    """Whether a kept hash has other costs than today's and should be made again at the next sign-in."""
    try:
        return _profiles[0].hasher.check_needs_rehash(hashed)
    except InvalidHashError:
        return True


def _score(password: str, words: list[str]) -> int:
    return int(zxcvbn(password[:_JUDGED], user_inputs=words)["score"])


def _little_is_left(password: str, words: list[str]) -> bool:
    rest = fold(password)
    for word in sorted(map(fold, words), key=len, reverse=True):
        rest = rest.replace(word, "")
    return len(rest) < _MIN_OWN


def _parts(text: str) -> list[str]:
    separated = "".join(c if c.isalnum() else " " for c in text[:200])
    return [part for part in [text[:200], *separated.split()] if len(part) >= 3]


def _as_bytes(password: str) -> bytes:
    # The same letters typed on another keyboard may arrive composed or in pieces.
    short = len(password) <= _MAX_HASHED
    return (unicodedata.normalize("NFC", password) if short else password).encode("utf-8", "surrogatepass")
