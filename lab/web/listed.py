"""Lines of the list of proposals as cards and pins read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import url_for

from lab.kernel.clock import local_date
from lab.kernel.text import excerpt
from lab.models.contributions import State
from lab.services.listing import Listed
from lab.web import filo
from lab.web.app_state import context
from lab.web.i18n import language

#: Length of the words that stand in for a missing title.
_TITLE = 140
#: Pins outside every place are told together in squares of this side (the plan is 1000 wide).
_NEAR = 60


def named(name: str | None, names: dict[str, Any] | None) -> str | None:
    """A theme's or place's name in the reader's language."""
    return str((names or {}).get(language()) or name) if name else None


def card(one: Listed) -> dict[str, Any]:
    """What the macro `contribution_card` reads."""
    ctx = context()
    today = local_date(ctx.now, ctx.timezone)
    stops, here = filo.stops(one.state)
    return {
        "code": one.code,
        "url": url_for("proposals.show", code=one.code),
        # Without a title the first words are it, and are not said twice.
        "title": one.title or excerpt(one.excerpt, _TITLE),
        "excerpt": one.excerpt if one.title else None,
        "lang": one.lang,
        "state": one.state,
        "place": named(one.place, one.place_names),
        "theme": named(one.theme, one.theme_names),
        "supports": one.supports_count if one.state is not State.WITHDRAWN else None,
        "comments": one.comments_count,
        "office": one.office if one.is_open else None,
        "due": one.promise_due_at if one.is_open else None,
        "late": one.is_open and local_date(one.promise_due_at, ctx.timezone) < today,
        "date": one.created_at,
        "filo": stops,
        "filo_at": here,
    }


@dataclass
class Spot:
    """A place of the plan, or a point outside every place, and what was said there."""

    x: int
    y: int
    label: str
    url: str
    anchor: str
    tone: str = "teal"
    cards: list[dict[str, Any]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many lie here."""
        return len(self.cards)


def spots(items: list[Listed]) -> list[Spot]:
    """The lines gathered by place, or by nearness where they have none; busiest first.

    People put their pins a step apart: gathered by exact point, one place would be listed many times.
    """
    found: dict[tuple[Any, ...], list[Listed]] = {}
    for one in items:
        if one.x is not None and one.y is not None:
            near = (one.x // _NEAR, one.y // _NEAR)
            found.setdefault((one.place_code,) if one.place_code else near, []).append(one)
    return sorted(map(_spot, found.values()), key=lambda spot: -spot.count)


def _spot(lines: list[Listed]) -> Spot:
    x, y = (
        sum(axis) // len(lines) for axis in zip(*((one.x or 0, one.y or 0) for one in lines), strict=True)
    )
    cards = [card(one) for one in lines]
    anchor = f"punto-{lines[0].code}"
    return Spot(x, y, cards[0]["place"] or cards[0]["title"], f"#{anchor}", anchor, cards=cards)
