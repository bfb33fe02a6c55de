"""How clear a page was: stars and a word, tied to nobody."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from lab.kernel.errors import Invalid
from lab.kernel.text import clean_line, clean_text
from lab.models.operations import PageRating
from lab.services.context import Context

PAGE_LIMIT = 200
TEXT_LIMIT = 200

#: What one may say next: below four stars what went wrong, from four on what went well.
TROUBLES = ("unclear", "incomplete", "lost", "technical", "other")
GOOD_POINTS = ("clear", "complete", "sure", "smooth", "other")
GOOD_FROM = 4


@dataclass(frozen=True)
class RatePage:
    """A rating as it comes from the page: stars 1 to 5, one aspect of the list for them, a few words."""

    page: str
    stars: int
    aspect: str = ""
    text: str = ""
    idempotency_key: str | None = None


def aspects(stars: int) -> tuple[str, ...]:
    """The aspects one may name at this number of stars."""
    return GOOD_POINTS if stars >= GOOD_FROM else TROUBLES


def rate(ctx: Context, command: RatePage) -> PageRating:
    """Keep a rating; the same key again gives back the first.

    Raises `Invalid` for stars outside 1-5 ("stars") and aspects that are not offered for them ("reason").
    """
    if not 1 <= command.stars <= 5:
        raise Invalid("stars", "unknown")
    if command.aspect and command.aspect not in aspects(command.stars):
        raise Invalid("reason", "unknown")
    if command.idempotency_key:
        same = select(PageRating).where(PageRating.idempotency_key == command.idempotency_key)
        known = ctx.session.execute(same).scalar_one_or_none()
        if known is not None:
            return known
    rating = PageRating(
        page=clean_line(command.page, PAGE_LIMIT),
        stars=command.stars,
        aspect=command.aspect,
        text=clean_text(command.text, TEXT_LIMIT),
        at=ctx.now,
        idempotency_key=command.idempotency_key,
    )
    ctx.session.add(rating)
    ctx.session.flush()
    return rating
