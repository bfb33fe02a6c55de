"""What the browser's strict policy and the kit's checker ask of templates and styles, without a browser."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
#: Mails are read by programs that know no style sheets.
PAGES = [path for path in TEMPLATES if "emails" not in path.parts]
ICON = re.compile(r"""\bicon\(\s*"([\w-]+)"|icon_name\s*=\s*"([\w-]+)"|trouble_icon\s*=\s*"([\w-]+)\"""")


def words(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT / "templates")))
def test_nothing_inline(path: Path) -> None:
    text = words(path)
    assert not re.search(r"<[^>]*\sstyle\s*=", text), "no style attribute"
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text), "no handler attribute"
    assert not re.search(r"<style\b|<script(?![^>]*\bsrc=)", text), "no inline style or script"
    assert not re.search(r"""(?:src|href)=["']https?://[^"']+\.(?:js|css|png|woff2?)""", text), (
        "nothing foreign"
    )


def test_every_icon_is_in_the_sprite() -> None:
    listed = {
        line.split("#")[0].strip()
        for line in (ROOT / "static/icons.txt").read_text(encoding="utf-8").splitlines()
    }
    drawn = {path.stem for path in (ROOT / "static/icons").glob("*.svg")}
    used = {
        "it-" + name.removeprefix("it-")
        for path in PAGES
        for match in ICON.finditer(words(path))
        for name in match.groups()
        if name
    }
    assert used
    assert used <= listed | drawn


def test_people_text_is_marked_safe_in_macros_only() -> None:
    careless = [p for p in PAGES if re.search(r"\|\s*safe\b", words(p)) and "ui" not in p.parts]
    assert careless == []


def test_every_drawing_has_a_size_of_its_own() -> None:
    """Without one a browser draws it as wide as there is room, over the words beside it."""
    styles = "".join(words(path) for path in (ROOT / "static/styles").glob("*.scss"))
    drawings = [tag for path in PAGES for tag in re.findall(r"<svg\b[^>]*class=\"[^>]*>", words(path))]
    sizeless = {
        name
        for tag in drawings
        if " width=" not in tag
        for name in re.findall(r'class="([\w-]+)', tag)
        if not re.search(rf"\.{name}\b[^{{}};]*{{[^}}]*\b(?:width|inline-size)\s*:", styles)
    }
    assert drawings and not sizeless
