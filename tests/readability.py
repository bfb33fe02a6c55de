"""How plain an Italian text is."""

import re

_LETTERS = re.compile(r"[^\W\d_]")
_WORDS = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"[.!?…]+(?=\s|$)|\n\s*\n")


def gulpease(text: str) -> int:
    """The Gulpease index of an Italian text, 0 (unreadable) to 100 (plain); 100 for an empty one."""
    words = len(_WORDS.findall(text))
    if not words:
        return 100
    letters = len(_LETTERS.findall(text))
    sentences = max(1, sum(1 for part in _SENTENCE_END.split(text) if _WORDS.search(part)))
    return max(0, min(100, round(89 + (300 * sentences - 10 * letters) / words)))
