from html.parser import HTMLParser

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.kernel import html

HOSTILE = [
    "<script>alert(1)</script>ciao",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](java\u200bscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x) ![y](http://x.example/p.png)",
    "<javascript:alert(1)>",
    'http://x.example/"onmouseover="alert(1)',
    "http://x.example/'><script>alert(1)</script>",
    "https://comune.example@elsewhere.example/ http://[::1 http://\\x",
    "<p style='x'><math><mi xlink:href='javascript:1'>",
    "<<script>script>alert(1)<</script>/script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "```\n<script>alert(1)</script>\n```",
    "# titolo\n\n- uno\n- due\n\n> detto <b>forte</b>",
    "a\x00b\u202e <\x00script>",
]
pieces = st.sampled_from(
    [
        *HOSTILE,
        "<",
        ">",
        '"',
        "'",
        "&",
        "](",
        "[",
        "`",
        "http://a.example/",
        "\n",
        "\n\n",
        "javascript:",
        "*",
        " on",
    ]
)
hostile = st.lists(st.one_of(pieces, st.text(max_size=8)), max_size=8).map("".join)


class Seen(HTMLParser):
    """The tags with their attributes, and the text, as a browser would take them."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def check(rendered: str, tags: set[str], schemes: set[str]) -> None:
    seen = Seen(rendered)
    for tag, attributes in seen.tags:
        assert tag in tags
        assert set(attributes) <= set(html.ATTRIBUTES.get(tag, []))
        address = attributes.get("href") or ""
        scheme = address.partition(":")[0].lower()
        assert scheme in schemes or not scheme.isalpha() or ":" not in address, address
    # The other sanitiser finds nothing left to remove.
    allowed = {tag: set(names) for tag, names in html.ATTRIBUTES.items() if tag in tags}
    again = Seen(nh3.clean(rendered, tags=tags, attributes=allowed, url_schemes=schemes, link_rel=None))
    assert again.tags == seen.tags
    assert again.text.split() == seen.text.split()


@given(hostile)
def test_what_people_write_comes_out_harmless(source: str) -> None:
    check(html.render_people_text(source), html.PEOPLE_TAGS, html.PEOPLE_PROTOCOLS)


@given(hostile)
def test_what_staff_write_comes_out_harmless(source: str) -> None:
    check(html.render_markdown(source), html.STAFF_TAGS, html.STAFF_PROTOCOLS)


@pytest.mark.parametrize("source", HOSTILE)
def test_each_known_attack(source: str) -> None:
    check(html.render_people_text(source), html.PEOPLE_TAGS, html.PEOPLE_PROTOCOLS)
    check(html.render_markdown(source), html.STAFF_TAGS, html.STAFF_PROTOCOLS)


def test_people_get_paragraphs_lines_and_links() -> None:
    rel = 'rel="nofollow ugc noopener"'
    assert html.render_people_text("uno\ndue\n\ntre & <b>") == "<p>uno<br>due</p><p>tre &amp; &lt;b&gt;</p>"
    assert html.render_people_text("vedi (https://a.example/x?b=1&c=2).") == (
        f'<p>vedi (<a href="https://a.example/x?b=1&amp;c=2" {rel}>https://a.example/x?b=1&amp;c=2</a>).</p>'
    )
    assert "<a" not in html.render_people_text("ftp://a.example https://a@b.example javascript:alert(1)")
    assert html.render_people_text(" \n ") == ""


def test_staff_get_markdown_below_the_page_heading() -> None:
    rendered = html.render_markdown("# Chi siamo\n\nUn *luogo* di [tutti](/progetti).\n\n1. uno\n2. due")
    assert "<h2>Chi siamo</h2>" in rendered
    assert '<em>luogo</em> di <a href="/progetti">tutti</a>' in rendered
    assert rendered.count("<li>") == 2
    assert "&lt;b&gt;" in html.render_markdown("<b>")
    assert ">la piazza</a>" in html.render_markdown("![la piazza](https://a.example/p.png)")


def test_plain_text_from_html() -> None:
    source = (
        "<style>p{}</style><p title='a>b'>Uno&nbsp;&egrave;\n qui<br/>sotto</p><div>due</div>"
        "<script>if (a<b) x()</script><ul><li>tre<li>quattro</ul><!-- no --> 5 < 6 &lt;b&gt;"
    )
    assert html.strip_html(source) == "Uno è qui\nsotto\n\ndue\n\ntre\nquattro\n\n5 < 6 <b>"


@given(
    st.lists(st.sampled_from(["<p>", "</p>", "<script>", "x", "<!--", "<a '", '"', ">", "<b", " "])).map(
        "".join
    )
)
def test_no_markup_survives_stripping(source: str) -> None:
    plain = html.strip_html(source)
    assert "<" not in plain
    assert plain == plain.strip()


@pytest.mark.parametrize(
    "unit", ["<", "<a '\"", "<div>", "[", "[a](", "*a_", "> ", "<!--", "http://", "&", "<svg>"]
)
def test_long_hostile_texts_come_to_an_end(unit: str) -> None:
    source = unit * (50_000 // len(unit))
    check(html.render_people_text(source), html.PEOPLE_TAGS, html.PEOPLE_PROTOCOLS)
    assert "<svg" not in html.render_markdown(source)
    assert "<div" not in html.strip_html(source)
