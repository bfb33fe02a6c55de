"""Private details in a text, found so that its author can be warned before the whole neighbourhood reads it.

A warning, not a wall: what looks like a telephone number may be something else, and the author decides.
"""

import re
import unicodedata
from enum import StrEnum

from lab.kernel.text import few_marks


class PrivateDetail(StrEnum):
    """What kind of detail was found."""

    PHONE = "phone"
    EMAIL = "email"
    IBAN = "iban"
    FISCAL_CODE = "fiscal_code"


# Every repetition is bounded: a text of any length takes a time in proportion to it.
_EMAIL = re.compile(
    r"[\w.+-]{1,64}(?:@| ?[\[(]at[\])] ?| chiocciola )[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.IGNORECASE
)
_PHONE_RUN = re.compile(r"(?<![\w.,])\+?\(?\d[\d ./()-]{5,26}(?!\w)")
_DATE = re.compile(r"(?<!\d)\d{1,2}[./-]\d{1,2}[./-]\d{2,4}(?!\d)|(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
_THOUSANDS = re.compile(r"\d{1,3}(?:\.\d{3}){1,8}")
_IBAN_START = re.compile(r"(?<![A-Z0-9])[A-Z]{2} ?\d{2}(?=[ -]?[A-Z0-9])")
_FISCAL_CODE = re.compile(
    r"(?<![A-Z0-9])[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z](?![A-Z0-9])"
)

_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AL28 AT20 BE16 BG22 CH21 CY28 CZ24 DE22 DK18 EE20 ES24 FI18 FR27 GB22 GR27 HR21 HU28 "
        "IE22 IT27 LI21 LT20 LU20 LV21 MC27 MD24 MT31 NL18 NO15 PL28 PT25 RO24 RS22 SE24 SI19 "
        "SK24 SM27 TN24 TR26 UA29 VA22 ",
    )
}
# Values of the characters in odd places, by the decree that defines the fiscal code (0-9, then A-Z).
_ODD_VALUES = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_ODD_LETTERS = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def private_details(text: str) -> list[PrivateDetail]:
    """The kinds of private details in the text, each once, in the order of the enum."""
    plain = unicodedata.normalize("NFKC", few_marks(text))
    upper = plain.upper()
    ibans = _ibans(upper)
    without_ibans = upper
    for iban in ibans:  # the digits of an account, in groups, look like a telephone number
        without_ibans = without_ibans.replace(iban, " ")
    found = {
        PrivateDetail.PHONE: _has_phone(without_ibans),
        PrivateDetail.EMAIL: _EMAIL.search(plain) is not None,
        PrivateDetail.IBAN: bool(ibans),
        PrivateDetail.FISCAL_CODE: any(_is_fiscal_code(code) for code in _FISCAL_CODE.findall(upper)),
    }
    return [kind for kind, present in found.items() if present]


def _has_phone(text: str) -> bool:
    return any(_is_phone_run(match[0]) for match in _PHONE_RUN.finditer(text))


def _is_phone_run(run: str) -> bool:
    run = run.rstrip(" ./()-")
    if _DATE.search(run) or _THOUSANDS.fullmatch(run):
        return False
    # A house number may stand before the telephone number: try from each group of digits on.
    starts = [0, *(match.end() for match in re.finditer(r"[ ./()-]+", run))]
    return any(_is_phone(run[start:]) for start in starts)


def _is_phone(candidate: str) -> bool:
    digits = "".join(c for c in candidate if c.isdigit())
    if candidate.startswith(("+", "00")):
        return 9 <= len(digits.removeprefix("00")) <= 15
    if digits.startswith("39") and len(digits) == 12:
        return True
    if digits.startswith("3"):
        return len(digits) == 10
    return digits.startswith("0") and digits[1:2] != "0" and 8 <= len(digits) <= 11


def _ibans(text: str) -> set[str]:
    """The account numbers as they are written, spaces included."""
    return {written for match in _IBAN_START.finditer(text) if (written := _iban_at(text, match))}


def _iban_at(text: str, start: re.Match[str]) -> str:
    length = _IBAN_LENGTHS.get(start[0][:2])
    if length is None:
        return ""
    written = re.match(
        rf"(?:[A-Z0-9][ -]?){{{length - 1}}}[A-Z0-9]", text[start.start() : start.start() + 2 * length]
    )
    if written is None:
        return ""
    code = re.sub(r"[ -]", "", written[0])
    valid = int("".join(str(int(c, 36)) for c in code[4:] + code[:4])) % 97 == 1
    return written[0] if valid else ""


def _is_fiscal_code(code: str) -> bool:
    total = 0
    for place, c in enumerate(code[:15], start=1):
        value = int(c) if c.isdigit() else ord(c) - ord("A")
        total += value if place % 2 == 0 else (_ODD_VALUES if c.isdigit() else _ODD_LETTERS)[value]
    return chr(ord("A") + total % 26) == code[15]
