"""Every code has words: a person never reads `taken_up`."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from enum import StrEnum

import lab.models
from lab.cli import reasons
from lab.web.labels import ERRORS, WORDS
from tests.architecture.source import modules

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


#: Refusals that only programs read, by their code.
FOR_PROGRAMS = {"no_json", "no_places"}


def _refusals() -> set[str]:
    """Every code that is written out where something is refused."""
    return {
        part.value
        for module in modules().values()
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("Conflict", "Denied", "Invalid")
        for given in call.args[1 if call.func.id == "Invalid" else 0 :][:1]
        # What is put together at run time is not written out.
        if not any(isinstance(part, ast.JoinedStr) for part in ast.walk(given))
        for part in ast.walk(given)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def test_every_refusal_has_words() -> None:
    """On the pages, or on the terminal where alone one meets it."""
    assert len(_refusals()) > 100
    assert _refusals() - ERRORS.keys() - reasons.SENTENCES.keys() == FOR_PROGRAMS
