"""Inputs that may say the same as the one on the desk, to be merged with it: public ones and waiting ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select, union

from lab.models.contributions import ASIDE_STATES, Contribution, Visibility
from lab.services import similar
from lab.services.context import Context

#: Inputs of the same place and theme that are compared for likeness, and how many are offered.
COMPARED = 80
OFFERED = 6


def alike(ctx: Context, contribution: Contribution) -> list[Contribution]:
    """Inputs that may say the same, the most alike first: by their words, place and theme."""
    subject = similar.subject_of(ctx, _words(contribution))
    near = [*similar.candidates(ctx, subject), *_same_place(contribution)]
    if not near:
        return []
    those = union(*near).subquery()
    query = (
        select(Contribution)
        .join(those, those.c.id == Contribution.id)
        .where(
            Contribution.id != contribution.id,
            Contribution.state.not_in(ASIDE_STATES),
            Contribution.visibility.in_((Visibility.PUBLIC, Visibility.WAITING)),
        )
    )
    found: Sequence[Contribution] = ctx.session.execute(query).scalars().all()
    rated = [(_likeness(subject, contribution, one), one) for one in found]
    rated.sort(key=lambda pair: (-pair[0], pair[1].id))
    return [one for likeness, one in rated if likeness][:OFFERED]


def _same_place(contribution: Contribution) -> list[Select[Any]]:
    if contribution.place_id is None or contribution.theme_id is None:
        return []
    same = select(Contribution.id).where(
        Contribution.is_listed,
        Contribution.place_id == contribution.place_id,
        Contribution.theme_id == contribution.theme_id,
    )
    newest = same.order_by(Contribution.created_at.desc()).limit(COMPARED).subquery()
    return [select(newest.c.id)]


def _words(contribution: Contribution) -> str:
    return f"{contribution.title} {contribution.text[:600]}"


def _likeness(subject: similar.Subject, one: Contribution, other: Contribution) -> float:
    rate = subject.likeness(_words(other))
    if not rate:
        return 0.0
    rate += 0.06 * (one.place_id is not None and one.place_id == other.place_id)
    return rate + 0.04 * (one.theme_id is not None and one.theme_id == other.theme_id)
