"""Pieces of pages that are the same for every reader, kept in this process while nothing changed.

The page cache serves readers without a session; this spares the queries and the drawing of a list to those
who have one. The version is read in the reader's own transaction, so that what is kept under a version was
drawn from it or from something newer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Response, g, request, session

from lab.db.version import current_version
from lab.kernel.clock import fresh_at
from lab.web.app_state import context, lab
from lab.web.encoded import Encoded, wished
from lab.web.i18n import language
from lab.web.reader import reader

Piece = TypeVar("Piece")
View = TypeVar("View", bound=Callable[..., Any])

#: Pieces kept in one process; a piece is some tens of kilobytes.
_MOST = 200


class Fragments:
    """The newest pieces by key."""

    def __init__(self, most: int = _MOST) -> None:
        self.most = most
        self._kept: OrderedDict[tuple[object, ...], object] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...], make: Callable[[], Piece]) -> Piece:
        """The piece under this key, made when it is not there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]  # type: ignore[return-value]
        piece = make()
        with self._lock:
            self._kept[key] = piece
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return piece


def fragment(name: str, wish: object, make: Callable[[], Piece]) -> Piece:
    """A piece of page that depends only on public content, the language, the time to a few minutes and
    `wish`.
    """
    if "content_version" not in g:
        # Once for all pieces of a request: what is drawn later is as new or newer, never older. Finding a
        # signed-in reader has brought it along.
        g.content_version = current_version(context().session)
    # The engine's address tells applications of one process apart (tests have many).
    time = fresh_at(lab().clock.now())
    key = (id(lab().database), name, wish, language(), time, g.content_version)
    return _FRAGMENTS.get(key, make)


def same_for_readers(view: View) -> View:
    """A page that differs between signed-in readers in its header only: drawn and compressed once for all
    who see the same.

    The header shows whether the desk is theirs and how much is unread. A page with a message to show is
    drawn for that reader alone. Readers without a session never come here: the page cache serves them.
    """

    @wraps(view)
    def kept(*args: Any, **kwargs: Any) -> Any:
        found = reader()
        if found is None or "_flashes" in session:
            return view(*args, **kwargs)
        # The whole address: the server takes lines of some thousand characters only.
        wish = (request.full_path, found.is_staff, found.unread)
        page = fragment("page", wish, lambda: Encoded(view(*args, **kwargs).encode()))
        encoding = wished(request.headers.get("Accept-Encoding", ""))
        answer = Response(page.body(encoding))
        if encoding:
            answer.content_encoding = encoding
        return answer

    return cast(View, kept)


_FRAGMENTS = Fragments()
