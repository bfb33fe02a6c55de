"""Texts that behave like what people write: few words everywhere, many words rarely."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from lab.kernel.text import excerpt, fold

#: The commonest words first, as they are spoken about a neighbourhood.
COMMON = (Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split()

#: In about one text in three; in one of twenty thousand (five at least); and two met together.
COMMON_WORD = "panchina"
RARE_WORD = "girandola"
TWO_WORDS = "fontana ombra"
RARE_EVERY = 20_000

_SYLLABLES = re.findall("[a-z]+", "ba ce di fo gu la me ni po ru sta tre vi zo schi glia gno pra bre clo")


def _vocabulary(size: int) -> list[str]:
    source = random.Random(4)
    made = dict.fromkeys(COMMON)
    while len(made) < size:
        made["".join(source.choice(_SYLLABLES) for _ in range(source.randint(2, 5)))] = None
    return list(made)


@dataclass(frozen=True)
class Words:
    """A text with what is derived from it."""

    text: str
    folded: str
    excerpt: str

    @classmethod
    def of(cls, words: list[str], end: str = "") -> Words:
        """A sentence of these words."""
        text = " ".join(words).capitalize() + end
        return cls(text, fold(text), excerpt(text, 200))


class Speaker:
    """The same texts for the same seed. Word frequencies follow Zipf's law over 20,000 words.

    Texts are drawn from a few thousand made beforehand, titles likewise: together they differ, and a million
    take minutes, not hours.
    """

    POOL = 4_000

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._words = _vocabulary(20_000)
        self._weights = list(accumulate(1 / (rank + 8) for rank in range(len(self._words))))
        self.titles = [Words.of(self.words(self.random.randint(3, 9))) for _ in range(self.POOL)]
        self.texts = [Words.of(self.words(self.random.randint(20, 90)), ".") for _ in range(self.POOL)]
        self.remarks = [" ".join(self.words(25)) for _ in range(200)]

    def words(self, count: int) -> list[str]:
        """`count` words as people use them."""
        return self.random.choices(self._words, cum_weights=self._weights, k=count)


def is_rare(number: int) -> bool:
    """Whether this proposal speaks of the rare thing."""
    return number % RARE_EVERY == RARE_EVERY // 2 or number in (100, 300, 500, 700, 900)
