"""Pages by key: a list goes on after the last thing shown, however long it is and whatever is added."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import request, url_for

from lab.kernel import base64url

T = TypeVar("T")

#: Signs that stand as they are behind a question mark.
_PLAIN = "!$'()*,/:;?@"
#: PostgreSQL keeps no NUL, and neither engine half a character.
_UNKEPT = re.compile("[\0\ud800-\udfff]")


def edges(items: Sequence[T], more: bool, *, after: Any, before: Any) -> tuple[T | None, T | None]:
    """The first thing shown where something stands before it, the last where something follows; else None.

    `after` and `before` are the keys that the page was asked with; `more` says that there was more to read
    in the direction it was read in.
    """
    if not items:
        return None, None
    has_before, has_after = (more, True) if before is not None else (after is not None, more)
    return (items[0] if has_before else None), (items[-1] if has_after else None)


def encode_key(*values: Any) -> str:
    """An opaque mark for "after this one"; values are numbers or ISO dates."""
    return base64url.encode(json.dumps(values, separators=(",", ":")).encode())


def decode_key(mark: str | None, length: int) -> list[Any] | None:
    """The values behind a mark; None when it is missing, broken or of another list."""
    if not mark or len(mark) > 200:
        return None
    try:
        values = json.loads(base64url.decode(mark))
    except ValueError:
        return None
    plain = isinstance(values, list) and len(values) == length
    return values if plain and all(_fits(value) for value in values) else None


def _fits(value: Any) -> bool:
    """Whether it is a number or words that a column can hold, and no moment before or after all time."""
    if not isinstance(value, str):
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**62
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        pass  # other words
    except OverflowError:
        return False
    return not _UNKEPT.search(value)


def page_url(**changes: str | None) -> str:
    """This page's address with some query values changed; None takes one out."""
    query: dict[str, Any] = {key: values for key, values in request.args.lists() if key != "lang"}
    query.update(changes)
    kept = {key: value for key, value in query.items() if value not in (None, "", [])}
    path = url_for(request.endpoint or "", **(request.view_args or {}))
    # Put behind the path here: names from outside must not be taken for what `url_for` itself understands.
    return f"{path}?{urlencode(kept, doseq=True, safe=_PLAIN)}" if kept else path
