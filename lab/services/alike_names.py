"""Which rows of a list may be the same party: same contact, same name, names written nearly alike.

Accents, order and apostrophes are gone from a name's key already. The work is bounded: rows are compared
with those that share the beginning of a word, the rarest beginnings first, up to `COMPARED_MOST` pairs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations

from rapidfuzz import fuzz

COMPARED_MOST = 120_000
#: From this likeness of 100 on two names are proposed: one wrong letter in a short name.
_CLOSE = 88.0
_BEGINNING = 3


class Why(IntEnum):
    """What makes two rows alike, the strongest first."""

    SAME_CONTACT = 1
    SAME_NAME = 2
    CLOSE_NAME = 3
    PART_OF_NAME = 4


@dataclass(frozen=True)
class Named:
    """What is compared of a row: the key of its name, and the keys of its contacts."""

    id: int
    name_key: str
    contacts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Likely:
    """Two rows, by id with the lower first, and why."""

    low_id: int
    high_id: int
    why: Why


def likely(rows: Sequence[Named], known: frozenset[tuple[int, int]] = frozenset()) -> list[Likely]:
    """Pairs of rows that may be the same party, the likeliest first; `known` pairs are left out."""
    found: dict[tuple[int, int], Why] = {}
    for why, pairs in (
        (Why.SAME_CONTACT, _sharing((contact, row) for row in rows for contact in row.contacts)),
        (Why.SAME_NAME, _sharing((row.name_key, row) for row in rows if row.name_key)),
        (Why.CLOSE_NAME, _close(rows)),
        (Why.PART_OF_NAME, _parts(rows)),
    ):
        for one, other in pairs:
            pair = (min(one.id, other.id), max(one.id, other.id))
            if pair not in known:
                found.setdefault(pair, why)
    ordered = sorted(found.items(), key=lambda item: (item[1], item[0]))
    return [Likely(low, high, why) for (low, high), why in ordered]


def _sharing(keyed: Iterable[tuple[str, Named]]) -> Iterator[tuple[Named, Named]]:
    groups: dict[str, list[Named]] = defaultdict(list)
    for key, row in keyed:
        groups[key].append(row)
    for group in groups.values():
        # A whole family under one telephone: each with the first one is enough to see them all.
        yield from combinations(group, 2) if len(group) <= 6 else ((group[0], row) for row in group[1:])


def _close(rows: Sequence[Named]) -> Iterator[tuple[Named, Named]]:
    blocks: dict[str, list[Named]] = defaultdict(list)
    for row in rows:
        words = row.name_key.split()
        for beginning in {word[:_BEGINNING] for word in words if len(word) >= _BEGINNING}:
            blocks[beginning].append(row)
    compared = 0
    for block in sorted(blocks.values(), key=len):
        for one, other in combinations(block, 2):
            compared += 1
            if compared > COMPARED_MOST:
                return
            if _are_close(one.name_key, other.name_key):
                yield one, other


def _are_close(one: str, other: str) -> bool:
    if one == other:
        return False
    return _letters(one) == _letters(other) or fuzz.ratio(one, other, score_cutoff=_CLOSE) > 0


def _letters(key: str) -> list[str]:
    # "D'Angelo Rosa" and "dangelo rosa" divide into words, and so into an order, of their own.
    return sorted(key.replace(" ", ""))


def _parts(rows: Sequence[Named]) -> Iterator[tuple[Named, Named]]:
    """A first name alone, when only one other row has it: "Rosa" on paper, "Rosa Bianchi" on the site."""
    holders: dict[str, list[Named]] = defaultdict(list)
    for row in rows:
        for word in set(row.name_key.split()):
            holders[word].append(row)
    for row in rows:
        if row.name_key and " " not in row.name_key and len(row.name_key) >= _BEGINNING:
            others = [other for other in holders[row.name_key] if other.name_key != row.name_key]
            if len(others) == 1:
                yield row, others[0]
