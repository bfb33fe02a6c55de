"""What stands behind the question mark of the read API. A value that makes no sense is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from flask import Response, request

from lab.kernel.errors import Invalid
from lab.kernel.text import clean_line
from lab.services import search
from lab.services.open_data import Page
from lab.web import api_json
from lab.web.app_state import lab
from lab.web.pagination import decode_key, encode_key, page_url

Code = TypeVar("Code", bound=StrEnum)
T = TypeVar("T")

#: Items of a page unless asked otherwise, and at most.
PAGE = 50
MOST = 100
#: Longest words to look for.
WORDS = 200


def limit() -> int:
    """How many items are wanted. Raises `Invalid("limit", "out_of_range")`."""
    written = request.args.get("limit", str(PAGE))
    if not re.fullmatch(r"[0-9]{1,3}", written) or not 1 <= int(written) <= MOST:
        raise Invalid("limit", "out_of_range")
    return int(written)


def words() -> str:
    """The words to look for, "" for none. Raises `Invalid("q", …)` when nothing can be found by them."""
    written = request.args.get("q")
    if written is None:
        return ""
    found = clean_line(written[: 4 * WORDS], WORDS)
    if not search.is_searchable(found):
        raise Invalid("q", "too_short")
    return found


def one_of(name: str, codes: type[Code]) -> Code | None:
    """A code of a fixed list. Raises `Invalid(name, "unknown")`."""
    written = request.args.get(name)
    if written is None:
        return None
    try:
        return codes(written)
    except ValueError:
        raise Invalid(name, "unknown") from None


def codes(*names: str) -> dict[str, str]:
    """The codes of things that the address asks for, by name of the filter."""
    return {name: request.args[name] for name in names if name in request.args}


def after(*kinds: type) -> tuple[Any, ...] | None:
    """Where to go on, as numbers and moments. Raises `Invalid("after", "unknown")`."""
    mark = request.args.get("after")
    if mark is None:
        return None
    values = decode_key(mark, len(kinds))
    if values is None:
        raise Invalid("after", "unknown")
    return tuple(_part(value, kind) for value, kind in zip(values, kinds, strict=True))


def _part(value: Any, kind: type) -> Any:
    if kind is datetime and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    elif kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Invalid("after", "unknown")


def listed(found: Page[T], shape: Callable[[T], Any]) -> Response:
    """A page of a list, with the address of the next one in the body and in the Link header."""
    following = _next(found) if found.key else None
    response = api_json.answer({"items": [shape(one) for one in found.items], "next": following})
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def _next(found: Page[Any]) -> str:
    values = [part.isoformat() if isinstance(part, datetime) else part for part in found.key or ()]
    return lab().settings.base_url + page_url(after=encode_key(*values))
