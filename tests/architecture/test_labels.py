"""Every code has words: a person never reads `taken_up`."""

from __future__ import annotations

import importlib
import pkgutil
from enum import StrEnum

import lab.models
from lab.web.labels import WORDS

#: Codes that nobody reads on a page, and why.
WITHOUT_WORDS = {
    "ThreadOf": "tells the tables of a thread apart",
}


def enums() -> dict[str, type[StrEnum]]:
    found = {}
    for info in pkgutil.iter_modules(lab.models.__path__):
        module = importlib.import_module(f"lab.models.{info.name}")
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, StrEnum) and value.__module__ == module.__name__:
                found[name] = value
    return found


def test_every_code_has_words() -> None:
    silent = [
        f"{name}.{member.name}"
        for name, codes in sorted(enums().items())
        if name not in WITHOUT_WORDS
        for member in codes
        if member not in WORDS.get(codes, {})
    ]
    assert silent == []


def test_words_belong_to_codes_that_exist() -> None:
    assert [
        f"{codes.__name__}: {code}"
        for codes, words in WORDS.items()
        for code in words
        if code not in set(codes)
    ] == []


def test_codes_without_words_have_a_reason_and_exist() -> None:
    assert set(WITHOUT_WORDS) <= set(enums()) | {"ThreadOf"}
