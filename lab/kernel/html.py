"""Text into safe HTML and back. The only module that knows which sanitiser is used."""

import html
import re
from functools import lru_cache
from urllib.parse import urlsplit

import bleach
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

from lab.kernel.text import clean_text

PEOPLE_TAGS = {"p", "br", "a"}
STAFF_TAGS = {
    *("p", "br", "a", "strong", "em", "ul", "ol", "li", "h2", "h3", "h4", "h5", "h6"),
    *("blockquote", "code", "pre", "hr"),
}
ATTRIBUTES = {"a": ["href", "rel"], "ol": ["start"]}
PEOPLE_PROTOCOLS = {"http", "https"}
STAFF_PROTOCOLS = {"http", "https", "mailto"}

_PEOPLE_REL = "nofollow ugc noopener"
_LINK = re.compile(r"\bhttps?://[^\s<>\"]{1,2000}", re.IGNORECASE)
_PARAGRAPHS = re.compile(r"\n\s*\n")

# The quantifiers are possessive and every open end may stop at the end of the text, so that no character
# is looked at twice however the markup is broken.
_MARKUP = re.compile(
    r"""
      <!--.*?(?:-->|\Z)
    | <(?P<raw>script|style|template|noscript|iframe|object|svg|math|head|title|textarea)\b
      (?>[^>"']++|"[^"]*+"|'[^']*+'|["'])*+ (?:>|\Z) (?:.*?</(?P=raw)\b[^>]*+(?:>|\Z)|.*\Z)
    | <(?P<close>/?)(?P<tag>[a-z][a-z0-9]*+) (?>[^>"']++|"[^"]*+"|'[^']*+'|["'])*+ (?:>|\Z)
    | <[!?/][^>]*+(?:>|\Z)
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_PARAGRAPH_TAGS = frozenset(
    {"p", "div", "ul", "ol", "dl", "table", "blockquote", "pre", "section", "article", "figure", "hr"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "footer"}
)
_LINE_TAGS = frozenset({"br", "li", "tr", "dt", "dd"})


@lru_cache(maxsize=512)
def render_people_text(text: str) -> str:
    """What residents write, as paragraphs, line breaks and links to http(s) addresses; nothing else."""
    cleaned = clean_text(text, len(text))
    paragraphs = (p.strip("\n") for p in _PARAGRAPHS.split(cleaned))
    built = "".join(f"<p>{_with_links(p)}</p>" for p in paragraphs if p)
    return _sanitise(built, PEOPLE_TAGS, PEOPLE_PROTOCOLS)


@lru_cache(maxsize=256)
def render_markdown(text: str) -> str:
    """What staff write, in CommonMark without raw HTML or pictures; headings begin at the second level."""
    return _sanitise(_MARKDOWN.render(clean_text(text, len(text))), STAFF_TAGS, STAFF_PROTOCOLS)


def strip_html(source: str) -> str:
    """The plain text of a piece of HTML: scripts and styles gone, entities resolved, paragraphs apart."""
    # In HTML line ends are spaces; the ones that stay are those the tags ask for.
    text = html.unescape(_MARKUP.sub(_break_of, re.sub(r"[ \t\r\n]+", " ", source)))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", clean_text("\n".join(lines), len(text)))


def _sanitise(source: str, tags: set[str], protocols: set[str]) -> str:
    cleaned: str = bleach.clean(source, tags=tags, attributes=ATTRIBUTES, protocols=protocols, strip=True)
    return cleaned


def _with_links(paragraph: str) -> str:
    pieces, end = [], 0
    for match in _LINK.finditer(paragraph):
        address = match[0].rstrip(".,;:!?'*_»”’…]" if "(" in match[0] else ".,;:!?'*_»”’…])")
        if not _is_plain_address(address):
            continue
        escaped = html.escape(address)
        pieces.append(html.escape(paragraph[end : match.start()], quote=False))
        pieces.append(f'<a href="{escaped}" rel="{_PEOPLE_REL}">{escaped}</a>')
        end = match.start() + len(address)
    pieces.append(html.escape(paragraph[end:], quote=False))
    return "".join(pieces).replace("\n", "<br>")


def _is_plain_address(address: str) -> bool:
    try:
        url = urlsplit(address)
    except ValueError:
        return False
    # `https://comune.example@elsewhere.example` leads elsewhere than it looks.
    return bool(url.hostname) and "@" not in url.netloc and "\\" not in address


def _break_of(match: re.Match[str]) -> str:
    tag = (match["tag"] or "").lower()
    if tag in _PARAGRAPH_TAGS:
        return "\n\n"
    if tag in _LINE_TAGS:
        return "" if match["close"] else "\n"
    return " " if match["raw"] or tag in ("td", "th") else ""


def _lower_headings(state: StateCore) -> None:
    # The page owns its first-level heading.
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"


def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).disable("image")
    parser.core.ruler.push("lower_headings", _lower_headings)
    return parser


_MARKDOWN = _markdown()
