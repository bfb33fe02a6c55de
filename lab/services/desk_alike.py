"""Inputs that may say the same as the one on the desk, to be merged with it: public ones and waiting ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from lab.db import search
from lab.kernel.text import similarity
from lab.models.contributions import ASIDE_STATES, Contribution, Visibility
from lab.services import similar
from lab.services.context import Context

#: Inputs compared for likeness, and how alike two must be to be offered.
COMPARED = 80
ALIKE = 0.22
OFFERED = 6


def alike(ctx: Context, contribution: Contribution) -> list[Contribution]:
    """Inputs that may say the same, the most alike first: by their words, place and theme."""
    found: Sequence[Contribution] = ctx.session.execute(_candidates(ctx, contribution)).scalars().all()
    rated = [(_likeness(contribution, one), one) for one in found]
    rated.sort(key=lambda pair: (-pair[0], pair[1].id))
    return [one for likeness, one in rated if likeness >= ALIKE][:OFFERED]


def _candidates(ctx: Context, contribution: Contribution) -> Any:
    near: list[ColumnElement[bool]] = []
    condition = search.matches_any(ctx.session, similar.telling_words(_words(contribution)))
    if condition is not None:
        document = search.search_document
        near.append(
            Contribution.id.in_(
                select(document.c.contribution_id)
                .where(document.c.kind == "contribution", condition)
                .order_by(document.c.id.desc())
                .limit(COMPARED)
            )
        )
    if contribution.place_id is not None and contribution.theme_id is not None:
        same = select(Contribution.id).where(
            Contribution.is_listed,
            Contribution.place_id == contribution.place_id,
            Contribution.theme_id == contribution.theme_id,
        )
        near.append(Contribution.id.in_(same.order_by(Contribution.created_at.desc()).limit(COMPARED)))
    return select(Contribution).where(
        or_(*near) if near else Contribution.id < 0,
        Contribution.id != contribution.id,
        Contribution.state.not_in(ASIDE_STATES),
        Contribution.visibility.in_((Visibility.PUBLIC, Visibility.WAITING)),
    )


def _words(contribution: Contribution) -> str:
    return f"{contribution.title} {contribution.text[:600]}"


def _likeness(one: Contribution, other: Contribution) -> float:
    mine, theirs = similar.telling_words(_words(one)), similar.telling_words(_words(other))
    shared = sum(1 for word in mine if word in theirs)
    rate = max(similarity(_words(one), _words(other)), 0.6 * shared / max(len(mine), 1))
    rate += 0.06 * (one.place_id is not None and one.place_id == other.place_id)
    return rate + 0.04 * (one.theme_id is not None and one.theme_id == other.theme_id)
