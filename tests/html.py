"""What every page must be: well formed, one heading, a name for whatever is touched, no dangling ids."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote, urljoin, urlsplit

_VOID = frozenset(
    {
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
    }
)  # fmt: skip
_INTERACTIVE = frozenset({"a", "button", "select", "textarea", "summary", "label"})
_NESTABLE = {("label", "input"), ("label", "select"), ("label", "textarea")}
_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "details", "div", "dl", "fieldset", "figure", "footer",
        "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre",
        "section", "table", "ul",
    }
)  # fmt: skip
_PHRASING_ONLY = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "span", "button", "label", "strong", "em"}
)
_CHILDREN = {
    "ul": {"li", "script", "template"},
    "ol": {"li", "script", "template"},
    "tr": {"td", "th"},
    "dl": {"dt", "dd", "div"},
    "select": {"option", "optgroup"},
}

_LINK = re.compile(r'(<[a-z]+\b[^>]*?\s(href|action|formaction)="([^"]*)"[^>]*>)')


@dataclass
class Element:
    """One element with its attributes, children and own words."""

    tag: str
    attributes: dict[str, str]
    line: int
    parent: Element | None = None
    children: list[Element] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def walk(self) -> list[Element]:
        """This element and everything in it, in order."""
        found = [self]
        for child in self.children:
            found += child.walk()
        return found

    def text(self) -> str:
        """Its words and those of everything in it."""
        return " ".join([*self.words, *(child.text() for child in self.children)]).strip()

    def inside(self, *tags: str) -> bool:
        """Whether it stands in one of these."""
        above = self.parent
        while above is not None:
            if above.tag in tags:
                return True
            above = above.parent
        return False

    def get(self, name: str) -> str:
        """An attribute; "" when it is not there."""
        return self.attributes.get(name, "")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {}, 0)
        self.open = [self.root]
        self.faults: list[str] = []
        self.doctype = ""

    def handle_decl(self, decl: str) -> None:
        self.doctype = decl.lower()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs)
        if tag not in _VOID:
            self.open.append(self.open[-1].children[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs)

    def _start(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _value in attrs]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            self.faults.append(f"line {self.getpos()[0]}: <{tag}> says {sorted(twice)} twice")
        above = self.open[-1]
        element = Element(tag, {name: value or "" for name, value in attrs}, self.getpos()[0], above)
        above.children.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if self.open[-1].tag == tag:
            self.open.pop()
            return
        self.faults.append(f"line {self.getpos()[0]}: </{tag}> closes <{self.open[-1].tag}>")
        for depth in range(len(self.open) - 1, 0, -1):
            if self.open[depth].tag == tag:
                del self.open[depth:]
                return

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.open[-1].words.append(data.strip())


def faults(html: str) -> list[str]:
    """Everything that is wrong with a page or with a piece of one; empty when it is right."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    found = list(reader.faults)
    found += [f"<{element.tag}> of line {element.line} is never closed" for element in reader.open[1:]]
    elements = reader.root.walk()[1:]
    for check in (_ids, _references, _fields, _images, _names, _nesting, _content):
        found += check(elements)
    if reader.doctype:
        found += _page(elements)
    return found


def links(html: str, path: str) -> set[tuple[str, str]]:
    """Method and address, without query, of what a page at `path` leads to or sends to on this site; files
    apart. Found by pattern: reading a whole page takes a hundred times as long.
    """
    found = set()
    for tag, name, link in _LINK.findall(html):
        whole = urlsplit(urljoin(f"http://here{path}", unescape(link)))
        if whole.netloc == "here" and not whole.path.startswith("/static/"):
            is_sent = name != "href" and 'method="get"' not in tag
            found.add(("POST" if is_sent else "GET", unquote(whole.path)))
    return found


def _at(element: Element, words: str) -> str:
    return f"line {element.line}: <{element.tag}> {words}"


def _page(elements: list[Element]) -> list[str]:
    found = []
    html = next((element for element in elements if element.tag == "html"), None)
    if html is None or not html.get("lang") or html.get("dir") not in ("ltr", "rtl"):
        found.append("<html> needs lang and dir")
    titles = [one for one in elements if one.tag == "title" and not one.inside("svg")]
    if len(titles) != 1 or not titles[0].text() or titles[0].text().startswith("|"):
        found.append("needs one <title> with words")
    for tag in ("h1", "main"):
        count = len([element for element in elements if element.tag == tag])
        if count != 1:
            found.append(f"has {count} <{tag}>")
    if not any(element.tag == "h1" and element.text() for element in elements):
        found.append("the <h1> says nothing")
    levels = [int(e.tag[1]) for e in elements if len(e.tag) == 2 and e.tag[0] == "h" and e.tag[1].isdigit()]
    jumps = [f"h{a} to h{b}" for a, b in pairwise(levels) if b > a + 1]
    found += [f"headings jump: {jump}" for jump in jumps]
    return found


def _ids(elements: list[Element]) -> list[str]:
    ids = [element.get("id") for element in elements if "id" in element.attributes]
    found = [f"id {one!r} stands {ids.count(one)} times" for one in sorted(set(ids)) if ids.count(one) > 1]
    return found + [f"id {one!r} is empty or holds a blank" for one in ids if not one or " " in one]


def _references(elements: list[Element]) -> list[str]:
    ids = {element.get("id") for element in elements}
    return [
        _at(element, f"{name} names {wanted!r}, which is not there")
        for element in elements
        for name in ("for", "aria-describedby", "aria-labelledby", "aria-controls", "list", "form")
        for wanted in element.get(name).split()
        if wanted not in ids and not (name == "for" and element.tag == "output")
    ]


def _fields(elements: list[Element]) -> list[str]:
    labelled = {element.get("for") for element in elements if element.tag == "label"}
    found = []
    for element in elements:
        if element.tag not in ("input", "select", "textarea"):
            continue
        if element.get("type") in ("hidden", "submit", "button", "image"):
            continue
        named = element.get("aria-label") or element.get("aria-labelledby")
        if not named and element.get("id") not in labelled and not element.inside("label"):
            found.append(_at(element, f"{element.get('name')!r} has no label"))
    return found + [_at(e, "says nothing") for e in elements if e.tag == "label" and not e.text()]


def _images(elements: list[Element]) -> list[str]:
    return [_at(e, "has no alt") for e in elements if e.tag == "img" and "alt" not in e.attributes]


def _names(elements: list[Element]) -> list[str]:
    found = []
    for element in elements:
        if element.tag not in ("a", "button", "summary"):
            continue
        inner = [
            one for one in element.walk() if one.get("alt") or one.get("aria-label") or one.tag == "title"
        ]
        if not (element.text() or inner or element.get("aria-label") or element.get("aria-labelledby")):
            found.append(_at(element, "has no name"))
        if element.tag == "a" and element.get("href").strip() in ("", "#", "None"):
            found.append(_at(element, f"leads to {element.get('href')!r}"))
        if element.tag == "button" and element.get("type") not in ("submit", "button", "reset"):
            found.append(_at(element, "needs a type"))
    return found


def _nesting(elements: list[Element]) -> list[str]:
    found = []
    for element in elements:
        if element.tag not in _INTERACTIVE and element.tag != "input":
            continue
        above = element.parent
        while above is not None:
            pair = (above.tag, element.tag)
            if above.tag in _INTERACTIVE and pair not in _NESTABLE:
                found.append(_at(element, f"stands in <{above.tag}>"))
            above = above.parent
        if element.tag == "form" and element.inside("form"):
            found.append(_at(element, "stands in a form"))
    return found


def _content(elements: list[Element]) -> list[str]:
    found = []
    for element in elements:
        above = element.parent
        if above is None:
            continue
        if above.tag in _CHILDREN and element.tag not in _CHILDREN[above.tag]:
            found.append(_at(element, f"is a child of <{above.tag}>"))
        if element.tag == "li" and above.tag not in ("ul", "ol", "menu", ""):
            found.append(_at(element, f"is a child of <{above.tag}>"))
        if element.tag in _BLOCKS and any(_holds(element, tag) for tag in _PHRASING_ONLY):
            found.append(_at(element, "stands in a line of text"))
        if "style" in element.attributes or any(name.startswith("on") for name in element.attributes):
            found.append(_at(element, "has something inline"))
        if "None" in element.attributes.values():
            found.append(_at(element, "has an attribute of value None"))
    return found


def _holds(element: Element, tag: str) -> bool:
    above = element.parent
    while above is not None and above.tag in _PHRASING_ONLY | {"a"}:
        if above.tag == tag:
            return True
        above = above.parent
    return False
