"""What a phone downloads: the first page with everything it names, and a further page, in brotli."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import brotli

from bench.report import Line, at_most

FIRST_KB, FURTHER_KB, REQUESTS = 45, 8, 12
#: The tablet's application comes once, with its whole script.
TABLET_KB = 60
_ASSETS = re.compile(r"<(?:link|script|img|use|source)\b[^>]*?\b(?:href|src)=\"([^\"#]+)[^\"]*\"[^>]*>")
_NOT_FETCHED = re.compile(r"rel=\"(?:canonical|alternate|next|prev)\"")
_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_URL = re.compile(r"url\([\"']?([^\"')]+)")
_IMPORT = re.compile(r"(?:from|import)\s*[\"'](\.?/[^\"']+)")
_RANGE = re.compile(r"U\+([0-9A-F]+)(?:-([0-9A-F]+))?", re.IGNORECASE)


def _is_needed(face: str, letters: set[int]) -> bool:
    """Whether a browser fetches this face: only where a letter of its range stands on the page."""
    ranges = _RANGE.findall(face.partition("unicode-range")[2])
    return not ranges or any(
        int(first, 16) <= letter <= int(last or first, 16) for first, last in ranges for letter in letters
    )


@dataclass
class Visit:
    """What has been fetched so far, head and body as they came over the line."""

    port: int
    bytes: int = 0
    fetched: dict[str, int] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)
    letters: set[int] = field(default_factory=set)

    def open(self, path: str) -> None:
        """Read a page, then whatever it names that is not at hand yet. Photographs of people are left out."""
        html = self._fetch(path, again=True)
        self.letters.update(map(ord, re.sub(r"<[^>]*>", "", html)))
        for tag in _ASSETS.finditer(html):
            address = tag[1]
            if _NOT_FETCHED.search(tag[0]) or address.startswith(("data:", "/foto/")):
                continue
            if address.startswith(("http:", "https:", "//")):
                self.foreign.append(address)
            else:
                self._follow(address)

    def _follow(self, address: str) -> None:
        if address in self.fetched:
            return
        text = self._fetch(address)
        if address.endswith(".css"):
            faces = _FONT_FACE.findall(text)
            needed = [url for face in faces if _is_needed(face, self.letters) for url in _URL.findall(face)]
            for url in needed:
                self._follow(_absolute(address, url))
        elif address.endswith(".js"):
            for module in _IMPORT.findall(text):
                self._follow(_absolute(address, module))

    def _fetch(self, path: str, *, again: bool = False) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path, headers={"Accept-Encoding": "br"})
        answer = connection.getresponse()
        body = answer.read()
        head = sum(len(name) + len(value) + 4 for name, value in answer.getheaders()) + 17
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        self.bytes += head + len(body)
        if not again:
            self.fetched[path] = head + len(body)
        if answer.getheader("Content-Encoding") == "br":
            body = brotli.decompress(body)
        return body.decode("utf-8", "replace")


def _absolute(base: str, url: str) -> str:
    return url if url.startswith("/") else base.rsplit("/", 1)[0] + "/" + url.removeprefix("./")


def weigh(port: int, item: str) -> Iterator[Line]:
    """A first visit to the list, then an item."""
    visit = Visit(port)
    visit.open("/proposte")
    first, requests = visit.bytes, len(visit.fetched) + 1
    visit.open(item)
    further = visit.bytes - first
    foreign = f", {len(visit.foreign)} from elsewhere" if visit.foreign else ""
    for what, count, most in (("first visit", first, FIRST_KB), ("further page", further, FURTHER_KB)):
        target, ok = at_most(count / 1000, most, " kB")
        yield Line("", 0, f"weight: {what}", f"{count / 1000:.1f} kB{foreign}", None, target, ok)
    target, ok = f"under {REQUESTS}", requests < REQUESTS
    yield Line("", 0, "weight: requests of a first visit", str(requests), None, target, ok)
    yield from _meetings(port)


def _meetings(port: int) -> Iterator[Line]:
    """A first visit to the list of meetings, and to the tablet's application."""
    for what, path, most in (("meetings", "/eventi", FIRST_KB), ("tablet", "/totem", TABLET_KB)):
        visit = Visit(port)
        visit.open(path)
        target, ok = at_most(visit.bytes / 1000, most, " kB")
        yield Line("", 0, f"weight: first visit to {what}", f"{visit.bytes / 1000:.1f} kB", None, target, ok)
