"""Pages for readers without a session, served again without rendering while nothing changed.

Stands in front of Flask. The key holds the language, the time to some minutes and the public content version,
which every commit that changes public content moves: what is served is never older than the last commit, in
whichever process it happened. Answers are kept compressed; an ETag spares the reader the bytes they have.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

from werkzeug.sansio.utils import host_is_trusted

from lab.db.glance import Glance
from lab.kernel.clock import Clock, fresh_at
from lab.kernel.locales import negotiate
from lab.web.encoded import Encoded, compressed, wished
from lab.web.headers import CACHE_MARK
from lab.web.i18n import COOKIE, DECIDED
from lab.web.request_log import REQUEST_ID, ROUTE

Key = tuple[str, str, str, int, int]
_DROPPED = {
    "content-length",
    "set-cookie",
    CACHE_MARK.lower(),
    "x-request-id",
    "etag",
    "vary",
    "content-encoding",
}


@dataclass
class Page:
    """One kept answer."""

    route: str
    headers: list[tuple[str, str]]
    content: Encoded
    etag: str
    #: Bytes of the bare body; its encodings add about a third.
    size: int


#: Files on the disk, and whether the process lives, which it also tells while the database is silent.
_NEVER = ("/static/", "/healthz")
#: What is worth compressing on its way to one reader.
_PAGES = frozenset(("text/html", "application/json", "application/problem+json", "application/atom+xml"))


@lru_cache(maxsize=64)  # a site has one name, and few of its own machine
def _is_ours(host: str, hosts: tuple[str, ...]) -> bool:
    return host_is_trusted(host, hosts)


def _encoding(environ: dict[str, Any]) -> str:
    return wished(environ.get("HTTP_ACCEPT_ENCODING", ""))


def _joined(chunks: Iterable[bytes]) -> bytes:
    """The whole body; the response is closed as WSGI asks."""
    try:
        return b"".join(chunks)
    finally:
        _close(chunks)


def _close(chunks: Iterable[bytes]) -> None:
    close = getattr(chunks, "close", None)
    if close is not None:
        close()


class PageCache:
    """WSGI middleware. `limit` is bytes of pages kept in this process; 0 switches it off."""

    def __init__(
        self,
        app: Callable[..., Iterable[bytes]],
        *,
        glance: Glance,
        clock: Clock,
        locales: tuple[str, ...],
        session_cookie: str,
        hosts: Sequence[str],
        limit: int,
    ) -> None:
        self.app = app
        self.glance = glance
        self.clock = clock
        self.locales = locales
        self.cookie_mark = f"{session_cookie}="
        #: What is asked for under other names is the application's to refuse, kept page or not.
        self.hosts = tuple(hosts)
        self.limit = limit
        self._pages: OrderedDict[Key, Page] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not self._concerns(environ):
            return self.app(environ, start_response)
        version = self.glance.version()
        if version is None:
            return self.app(environ, start_response)
        key = self._key(environ, version)
        kept = self._pages.get(key)
        if kept is not None:
            environ[ROUTE] = kept.route
            return self._send(kept, environ, start_response, key)
        made = self._render(environ, start_response, key)
        return self._send(made, environ, start_response, key) if isinstance(made, Page) else made

    def _concerns(self, environ: dict[str, Any]) -> bool:
        return (
            self.limit > 0
            and environ["REQUEST_METHOD"] in ("GET", "HEAD")
            and self.cookie_mark not in environ.get("HTTP_COOKIE", "")
            and not environ["PATH_INFO"].startswith(_NEVER)
            and _is_ours(environ.get("HTTP_HOST", ""), self.hosts)
        )

    def _key(self, environ: dict[str, Any], version: int) -> Key:
        language = self._language(environ)
        time = fresh_at(self.clock.now())
        return (environ["PATH_INFO"], environ.get("QUERY_STRING", ""), language, time, version)

    def _language(self, environ: dict[str, Any]) -> str:
        query = environ.get("QUERY_STRING", "")
        if "lang=" in query:
            wish: str = parse_qs(query).get("lang", [""])[0]
            if wish in self.locales:
                return wish
        cookies: str = environ.get("HTTP_COOKIE", "")
        if f"{COOKIE}=" in cookies:
            for part in cookies.split(";"):
                name, _, value = part.strip().partition("=")
                if name == COOKIE and value in self.locales:
                    return str(value)
        return negotiate(environ.get("HTTP_ACCEPT_LANGUAGE"), self.locales)

    def _render(
        self, environ: dict[str, Any], start_response: Callable[..., Any], key: Key
    ) -> Page | Iterable[bytes]:
        accepted = environ.pop("HTTP_ACCEPT_ENCODING", None)
        seen: dict[str, Any] = {}
        method = environ["REQUEST_METHOD"]
        # A HEAD renders the whole page, so that what is kept serves a GET too.
        environ["REQUEST_METHOD"] = "GET"
        environ[DECIDED] = key[2]

        def catch(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            seen.update(status=status, headers=headers, exc_info=exc_info)
            return lambda _data: None

        chunks = self.app(environ, catch)
        environ["REQUEST_METHOD"] = method
        if accepted is not None:
            environ["HTTP_ACCEPT_ENCODING"] = accepted
        headers: list[tuple[str, str]] = seen["headers"]
        if not any(name == CACHE_MARK for name, _ in headers):
            return self._pass_on(chunks, environ, start_response, seen)
        body = _joined(chunks)
        page = Page(
            route=str(environ.get(ROUTE, "-")),
            headers=[(name, value) for name, value in headers if name.lower() not in _DROPPED],
            content=Encoded(body),
            etag=hashlib.sha256(body).hexdigest()[:24],
            size=len(body),
        )
        self._keep(key, page)
        return page

    def _pass_on(
        self,
        chunks: Iterable[bytes],
        environ: dict[str, Any],
        start_response: Callable[..., Any],
        seen: dict[str, Any],
    ) -> Iterable[bytes]:
        """An answer for this reader alone: compressed when it is a page, streamed when it is a file."""
        names = {name.lower(): value for name, value in seen["headers"]}
        kind = names.get("content-type", "").partition(";")[0]
        encoding = _encoding(environ)
        if environ["REQUEST_METHOD"] == "HEAD":
            _close(chunks)
            start_response(seen["status"], seen["headers"], seen["exc_info"])
            return [b""]
        if kind not in _PAGES or not encoding or "content-encoding" in names:
            start_response(seen["status"], seen["headers"], seen["exc_info"])
            return chunks
        body = compressed(_joined(chunks), encoding, quality=4)
        headers = [item for item in seen["headers"] if item[0].lower() not in ("content-length", "vary")]
        headers += [
            ("Content-Encoding", encoding),
            ("Content-Length", str(len(body))),
            ("Vary", "Cookie, Accept-Language, Accept-Encoding"),
        ]
        start_response(seen["status"], headers, seen["exc_info"])
        return [body]

    def _keep(self, key: Key, page: Page) -> None:
        size = page.size
        if size > self.limit // 8:
            return
        with self._lock:
            # Everything of an older version or time is dead weight: drop it first, oldest first.
            while self._pages and (self._held + size > self.limit or next(iter(self._pages))[3:] != key[3:]):
                _, dropped = self._pages.popitem(last=False)
                self._held -= dropped.size
            if not self._pages:
                self._held = 0
            self._pages[key] = page
            self._held += size

    def _send(
        self, page: Page, environ: dict[str, Any], start_response: Callable[..., Any], key: Key
    ) -> Iterable[bytes]:
        encoding = _encoding(environ)
        etag = f'W/"{page.etag}"'
        headers = [
            *page.headers,
            ("ETag", etag),
            ("Vary", "Cookie, Accept-Language, Accept-Encoding"),
            ("X-Request-ID", str(environ.get(REQUEST_ID, ""))),
        ]
        if "lang=" in key[1]:
            headers.append(("Set-Cookie", f"{COOKIE}={key[2]}; Path=/; Max-Age=31536000; SameSite=Lax"))
        if etag in environ.get("HTTP_IF_NONE_MATCH", ""):
            start_response("304 Not Modified", [item for item in headers if item[0] != "Content-Type"])
            return [b""]
        body = page.content.body(encoding)
        if encoding:
            headers.append(("Content-Encoding", encoding))
        headers.append(("Content-Length", str(len(body))))
        start_response("200 OK", headers)
        return [body] if environ["REQUEST_METHOD"] == "GET" else [b""]
