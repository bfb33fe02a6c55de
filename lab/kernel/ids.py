"""Receipt codes people can copy by hand, and secrets nobody can guess."""

import hashlib
import hmac
import secrets
import unicodedata
import uuid

# 29 symbols, a prime number, so that one check character catches every single wrong character and every
# swap. Left out because they are misread: 0 O 1 I L U and S (for 5).
ALPHABET = "23456789ABCDEFGHJKMNPQRTVWXYZ"
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}
_LENGTH = 8

# What a reader may write for a symbol of ours; a wrong guess is still caught by the check character.
# The second line is Cyrillic: the same shapes, from the keyboard of a neighbour's phone.
_LOOK_ALIKES = str.maketrans(
    "S0O1IU" + "АВЕНКМРТХСО",
    "5QQ7JV" + "ABEHKMPTXCQ",
)


def new_receipt_code() -> str:
    """A new code of 8 characters, the last of which checks the others (7 random ones: 34 bits)."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH - 1))
    return body + _check_character(body)


def format_receipt_code(code: str) -> str:
    """The code as people read it: two groups of four."""
    return f"{code[:4]}-{code[4:]}"


def parse_receipt_code(text: str) -> str | None:
    """The canonical code someone meant, whatever the case, spaces, hyphens or look-alikes; None if none."""
    symbols = _symbols(text)
    code = "".join(symbols)
    if len(code) != _LENGTH or any(symbol not in _VALUE for symbol in code):
        return None
    return code if _check_character(code[:-1]) == code[-1] else None


def parse_door_code(text: str) -> str | None:
    """The code of a meeting's list that someone meant, 4 to 12 symbols; forgiving as for receipts."""
    symbols = _symbols(text)
    return "".join(symbols) if 4 <= len(symbols) <= 12 and all(s in _VALUE for s in symbols) else None


def new_token(bits: int = 256) -> str:
    """A url-safe secret with that many random bits (at least 128; raises ValueError below)."""
    if bits < 128:
        raise ValueError("a secret needs at least 128 bits")
    return secrets.token_urlsafe((bits + 7) // 8)


def token_digest(token: str) -> str:
    """What is stored in place of a random token: its SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def new_key() -> str:
    """A fresh idempotency key: the text of a random UUID. Not a secret."""
    return str(uuid.uuid4())


def same(a: str | bytes, b: str | bytes) -> bool:
    """Whether two secrets are equal, in a time that tells nothing. Any text is accepted."""
    return hmac.compare_digest(_as_bytes(a), _as_bytes(b))


_SEPARATORS = frozenset({"Pd", "Pc", "Po", "Cf", "Sm"})


def _check_character(body: str) -> str:
    # Weights 8..2 for the body and 1 for the check: distinct and not zero modulo 29, so that the sum is
    # a multiple of 29 for one check only, and no longer is after one substitution or one swap.
    total = sum(weight * _VALUE[symbol] for weight, symbol in zip(range(_LENGTH, 1, -1), body, strict=True))
    return ALPHABET[-total % len(ALPHABET)]


def _symbols(text: str) -> list[str]:
    if len(text) > 64:
        return []
    folded = unicodedata.normalize("NFKC", text).upper().translate(_LOOK_ALIKES)
    return [_plain_digit(c) for c in folded if not (c.isspace() or unicodedata.category(c) in _SEPARATORS)]


def _plain_digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value).translate(_LOOK_ALIKES)


def _as_bytes(value: str | bytes) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
