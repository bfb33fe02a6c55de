"""Every pair of text and ground in the palette can be read, by day and by night."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[2] / "static/styles/_tokens.scss"
TONES = ("slate", "amber", "teal", "green", "blue", "brick", "violet")
GROUNDS = ("paper", "surface", "sand")

TEXT = [(word, ground) for word in ("ink", "soft", *TONES) for ground in GROUNDS]
TEXT += [(tone, f"{tone}-tint") for tone in TONES]
TEXT += [("ink", f"{tone}-tint") for tone in TONES]
TEXT += [("on-teal", "teal"), ("on-teal", "teal-deep"), ("on-night", "night"), ("teal-deep", "paper")]
TEXT += [("surface", tone) for tone in TONES]
#: Outlines of what one can use, and of the thread's stops.
EDGES = [("edge", ground) for ground in GROUNDS] + [("teal", ground) for ground in GROUNDS]


def palettes() -> dict[str, dict[str, str]]:
    day, night = TOKENS.read_text().split("@media screen and (prefers-color-scheme: dark)")
    found = {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part))
        for name, part in (("light", day), ("dark", night))
    }
    found["dark"] = found["light"] | found["dark"]
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("word", "ground"), TEXT)
def test_text_can_be_read(scheme: str, word: str, ground: str) -> None:
    colours = palettes()[scheme]
    assert ratio(colours[word], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_outlines_can_be_seen(scheme: str, edge: str, ground: str) -> None:
    colours = palettes()[scheme]
    assert ratio(colours[edge], colours[ground]) >= 3
