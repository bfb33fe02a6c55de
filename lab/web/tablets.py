"""What tablets send: JSON with a token, never a cookie."""

from __future__ import annotations

import json
from typing import Any

from flask import request

from lab.kernel.errors import Invalid

#: Every address of paired tablets begins so.
API = "/totem/api/"
#: Twenty records at their longest, with room to spare, in bytes.
_LONGEST = 2_000_000


def is_theirs(path: str) -> bool:
    """Whether an address is one of the tablets' own."""
    return path.startswith(API)


def body() -> dict[str, Any]:
    """The JSON object that was sent. Raises `Invalid("body", "no_json")`; too large is 413."""
    request.max_content_length = _LONGEST
    data = request.get_data(cache=False)
    try:
        sent = json.loads(data)
    except (ValueError, RecursionError):
        raise Invalid("body", "no_json") from None
    if not isinstance(sent, dict):
        raise Invalid("body", "no_json")
    return sent
