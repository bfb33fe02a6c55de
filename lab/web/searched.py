"""A search with a slip in it: leads on to what was meant, and says so there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import abort, redirect, request

from lab.kernel.text import clean_line
from lab.services import search
from lab.services.search import Subject
from lab.web.app_state import context

#: Longest search, in characters.
LONGEST = 200


def asked_words(name: str = "q") -> str:
    """The words of the address, clean and not too long."""
    return clean_line(request.args.get(name, "")[: 4 * LONGEST], LONGEST)


@dataclass(frozen=True)
class PutRight:
    """The words as they were typed, in whose place others were looked for, and the way back to them."""

    typed: str
    url: str


def put_right(url: Callable[..., str]) -> PutRight | None:
    """What this page says of the words in whose place it looked; `url(**query)` makes its address."""
    typed = asked_words("invece_di")
    return PutRight(typed, url(q=typed, proprio="1")) if typed else None


def look_for_what_was_meant(words: str, kind: Subject | None, url: Callable[..., str]) -> None:
    """Go on to the words that were probably meant, if any are near; to be called where nothing was found.

    A page further on and a search for exactly these words stay where they are.
    """
    if any(request.args.get(name) for name in ("invece_di", "proprio", "dopo", "prima")):
        return
    right = search.meant(context(), words, kind)
    if right:
        values: dict[str, Any] = {"lang": request.args.get("lang")}
        abort(redirect(url(q=right, invece_di=words, **values)))
