"""A page that is kept, with the encodings browsers ask for, each made once."""

from __future__ import annotations

import gzip
import threading
from functools import lru_cache

import brotli
from flask import Flask, request
from werkzeug.http import parse_accept_header

#: The names of the encodings, best first.
_BROTLI, _GZIP = "br", "gzip"


@lru_cache(maxsize=256)  # browsers send one of a few
def wished(accepted: str) -> str:
    """The best encoding of an `Accept-Encoding` header: "br", "gzip", or "" for none."""
    offered = parse_accept_header(accepted)
    return next((one for one in (_BROTLI, _GZIP) if offered[one] > 0), "")


def compressed(body: bytes, encoding: str, *, quality: int) -> bytes:
    """The body in "br", with the quality of brotli (0 to 11), or in "gzip"."""
    made: bytes = (
        brotli.compress(body, quality=quality) if encoding == _BROTLI else gzip.compress(body, 6, mtime=0)
    )
    return made


class Encoded:
    """A body with its encodings, each made when first asked for."""

    def __init__(self, body: bytes) -> None:
        self._bodies = {"": body}
        self._lock = threading.Lock()

    def body(self, encoding: str) -> bytes:
        """The body in one encoding ("br", "gzip" or "")."""
        found = self._bodies.get(encoding)
        if found is not None:
            return found
        with self._lock:
            made = self._bodies[encoding] = compressed(self._bodies[""], encoding, quality=5)
        return made


def _decide() -> None:
    request.environ["HTTP_ACCEPT_ENCODING"] = wished(request.headers.get("Accept-Encoding", ""))


def init_app(app: Flask) -> None:
    """Let all who compress follow the same wish: Flask-Compress takes what is refused alone (`br;q=0`) for
    wished.
    """
    app.before_request(_decide)
