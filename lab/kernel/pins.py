"""The PIN of a tablet's corner, kept in a shape that the tablet can check without network.

A browser has PBKDF2 and no argon2, so that is what is kept. A PIN of a few digits guards a corner of one
tablet against curious hands; it opens nothing on the site.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass

from lab.kernel import base64url

#: Below a second on a slow tablet.
ROUNDS = 310_000
_PIN = re.compile(r"[0-9]{4,8}")
_EASY = frozenset({"0123", "1234", "12345", "123456", "1234567", "12345678", "4321"})


@dataclass(frozen=True)
class KeptPin:
    """What the tablet needs to check a PIN: `check` is PBKDF2-SHA-256 of it, 32 bytes; base64url."""

    salt: str
    rounds: int
    check: str


def is_pin(text: str) -> bool:
    """Four to eight digits, not all the same and not simply counted up."""
    return bool(_PIN.fullmatch(text)) and len(set(text)) > 1 and text not in _EASY


def keep_pin(pin: str) -> str:
    """The text to store for a PIN."""
    salt = secrets.token_bytes(16)
    check = hashlib.pbkdf2_hmac("sha256", pin.encode(), salt, ROUNDS)
    return f"pbkdf2-sha256${ROUNDS}${base64url.encode(salt)}${base64url.encode(check)}"


def read_pin(kept: str) -> KeptPin:
    """The parts of a stored PIN. Raises ValueError when it is none of ours."""
    method, rounds, salt, check = kept.split("$")
    if method != "pbkdf2-sha256":
        raise ValueError("unknown method")
    return KeptPin(salt, int(rounds), check)
