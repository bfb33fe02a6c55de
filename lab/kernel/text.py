"""What people write: cleaned at the door, folded for search, compared and cut."""

import re
import unicodedata

_MAX_MARKS = 8  # combining marks on one letter: every script fits, ornaments that climb the page do not
_JOINERS = "\u200c\u200d"  # needed by Persian, Urdu and composed emoji
_APOSTROPHES = dict.fromkeys(map(ord, "\u2018\u2019\u201b\u02bb\u02bc\u02b9\u2032`\u00b4\uff07"), "'")
_NOT_DECOMPOSED = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)
_BLANKS = re.compile(r"\n{4,}")
_EMAIL_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DOTS_DO_NOT_COUNT = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
# Most of what is written here is plain ASCII, which needs none of the looking up that the rest does.
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_NOT_PLAIN = re.compile(r"[^\n\t\x20-\x7e]+")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
_ENDS = {"a": "e", "e": "ai", "o": "i", "i": "oe"}


def few_marks(s: str) -> str:
    """The text with at most 8 combining marks on a letter.

    To be called before any normalisation: sorting a very long run of marks takes the square of its length.
    """
    return s if s.isascii() else _FOREIGN.sub(_few_marks, s)


def _few_marks(found: re.Match[str]) -> str:
    kept, run = [], 0
    for c in found[0]:
        run = run + 1 if unicodedata.combining(c) else 0
        if run <= _MAX_MARKS:
            kept.append(c)
    return "".join(kept)


def clean_line(s: str, limit: int) -> str:
    """One line of text: NFC, no control or invisible characters, single spaces, at most `limit` characters.

    Longer text is cut between characters as people see them; a form that must not lose words checks the
    length first.
    """
    return _cut(" ".join(_safe(s).split()), limit).rstrip()


def clean_text(s: str, limit: int) -> str:
    """Text of several lines, as `clean_line`; lines stay, with at most two blank ones in a row."""
    unified = s.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    # The indent of a line stays: lists within lists need it.
    lines = (line.rstrip() for line in _safe(unified).expandtabs(4).split("\n"))
    return _cut(_BLANKS.sub("\n\n\n", "\n".join(lines)).strip(), limit).rstrip()


def fold(s: str) -> str:
    """The text as search and matching see it: no case, no accents, plain apostrophes; any script kept."""
    text = few_marks(s).translate(_APOSTROPHES)
    if text.isascii():
        return text.lower()
    for _ in range(2):  # a folded letter may decompose again
        text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        # Marks below class 10 are part of the letter (Devanagari, Bengali, Japanese), not accents on it.
        text = _FOREIGN.sub(_without_accents, text).translate(_NOT_DECOMPOSED)
        text = unicodedata.normalize("NFC", text.translate(_APOSTROPHES))
    return text


def _without_accents(found: re.Match[str]) -> str:
    return "".join(c for c in found[0] if unicodedata.combining(c) < 10)


def search_text(s: str, limit: int) -> str:
    """The folded words of a text with single spaces between, as an index holds them, cut at `limit`.

    Signs are left out here, so that no engine's own idea of a word (paths, addresses, hyphens) gets a say.
    """
    return " ".join(word[:60] for word in _split_words(fold(s[: limit * 2])))[:limit].rstrip()


def search_words(query: str, max_words: int = 8) -> list[str]:
    """The different words of a query, folded, in order. Lone letters count only when nothing else is left."""
    words = _split_words(fold(query[:1000]))
    chosen = [w for w in words if len(w) > 1 or not ("a" <= w <= "z")] or words
    return list(dict.fromkeys(w[:60] for w in chosen))[:max_words]


def forms(word: str) -> list[str]:
    """A folded word and what it may be in singular or plural, as Italian words end: panchina, panchine.

    Some of them are no words: they only serve to look for.
    """
    if len(word) < 4 or not (word.isascii() and word.isalpha()):
        return [word]
    stem, end = word[:-1], word[-1]
    others = [stem + other for other in _ENDS.get(end, "")]
    if end in "ei":
        others += [stem[:-1] + other for other in "oa" if stem[-2:] in ("ch", "gh")]
        # Spiagge, spiaggia; orari, orario.
        others += [stem + "ia"] if end == "e" and stem[-1] in "cg" else []
        others += [word + "o"] if end == "i" else []
    elif end in "ao":
        others += [stem + "h" + _ENDS[end]] if stem[-1] in "cg" else []
        others += [stem[:-1] + "e"] if end == "a" and stem[-2:] in ("ci", "gi") else []
        others += [stem] if end == "o" and stem[-1] == "i" else []
    return [word, *others]


def excerpt(s: str, n: int) -> str:
    """The beginning of a text on one line, at most `n` characters, ended by `…` after a whole word."""
    line = " ".join(s.split())
    if len(line) <= n:
        return line
    if n < 1:
        return ""
    head = line[:n]
    at_word = head.rfind(" ")
    # One endless word, or languages without spaces: better cut than empty.
    kept = head[:at_word] if at_word >= n // 2 else _cut(line, n - 1)
    return kept.rstrip(" ,;:.-(") + "…"


def valid_email(s: str) -> bool:
    """Whether the text has the shape of an address we can write to (nothing is asked of the network)."""
    if len(s) > 254 or s.count("@") != 1:
        return False
    local, domain = s.split("@")
    ascii_domain = _ascii_domain(domain)
    labels = ascii_domain.split(".")
    if len(local) > 64 or len(ascii_domain) > 253 or len(labels) < 2 or labels[-1].isdigit():
        return False
    return bool(_EMAIL_LOCAL.fullmatch(local)) and all(_DOMAIN_LABEL.fullmatch(label) for label in labels)


def fold_email(s: str) -> str:
    """The key under which one mailbox counts once: lower case, no plus tag, no dots where they do not count.

    Only for comparing: mail is sent to the address as it was written.
    """
    local, domain = _parted(s)
    local = local.split("+", 1)[0] or local
    if domain in _DOTS_DO_NOT_COUNT:
        domain = _DOTS_DO_NOT_COUNT[domain]
        local = local.replace(".", "") or local
    return f"{local}@{domain}"


def is_same_mailbox(one: str, other: str) -> bool:
    """Whether two spellings surely lead to one mailbox: tags and dots are left out only where that is known.

    `fold_email` counts together what may be one person's; what opens something must not.
    """
    here = _parted(one)
    return fold_email(one) == fold_email(other) and (here[1] in _DOTS_DO_NOT_COUNT or here == _parted(other))


def _parted(email: str) -> tuple[str, str]:
    """What stands before and after the @, in lower case."""
    local, _, domain = unicodedata.normalize("NFKC", few_marks(email)).strip().lower().rpartition("@")
    return local, _ascii_domain(domain)


def slugify(s: str, limit: int = 60, fallback: str = "") -> str:
    """A name for an address: lower-case ASCII letters, digits and hyphens; `fallback` if none is left."""
    words = re.findall(r"[a-z0-9]+", fold(s[:1000]))
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word[:limit]
        if len(longer) > limit:
            break
        slug = longer
    return slug or fallback


def similarity(a: str, b: str) -> float:
    """How alike two texts are, from 0 to 1, by the groups of three letters they share (Dice)."""
    left, right = _trigrams(a), _trigrams(b)
    if not left or not right:
        return 1.0 if left == right else 0.0
    return 2 * len(left & right) / (len(left) + len(right))


def _safe(s: str) -> str:
    text = unicodedata.normalize("NFC", _NOT_PLAIN.sub(_allowed, few_marks(s)))
    # Joiners join nothing when no visible character is there: such a text is empty.
    return text if text.strip(_JOINERS + " \t\n") else ""


def _allowed(found: re.Match[str]) -> str:
    return "".join(c for c in found[0] if _is_allowed(c))


def _is_allowed(c: str) -> bool:
    if c in "\n\t" or c in _JOINERS:
        return True
    # Controls, formatting (bidi overrides, zero-width spaces, tags), lone surrogates, private use. Characters
    # not assigned yet stay, or this year's emoji would vanish; the eternal non-characters, which XML
    # refuses, go.
    point = ord(c)
    if point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF:
        return False
    return unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def _cut(s: str, limit: int) -> str:
    if len(s) <= limit:
        return s
    end = max(0, limit)
    while end and (unicodedata.combining(s[end]) or s[end] in _JOINERS or s[end - 1] in _JOINERS):
        end -= 1
    return s[:end]


def _split_words(folded: str) -> list[str]:
    if folded.isascii():
        return _ASCII_WORD.findall(folded)
    # Python's \w leaves out the vowel signs of Indian scripts, which would break their words in pieces.
    spaced = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in folded)
    return [word for word in spaced.split() if any(c.isalnum() for c in word)]


def _trigrams(s: str) -> set[str]:
    words = _split_words(fold(s[:4000]))
    return {padded[i : i + 3] for padded in (f"  {w} " for w in words) for i in range(len(padded) - 2)}


def _ascii_domain(domain: str) -> str:
    lowered = domain.lower()
    if lowered.isascii():
        return lowered
    try:
        return lowered.encode("idna").decode("ascii")
    except UnicodeError:
        return lowered
