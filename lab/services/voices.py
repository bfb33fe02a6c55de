"""Whose hands count under inputs that are merged: one per person, and nobody's under their own words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from lab.models.contributions import Contribution, ContributionAuthor, Merge
from lab.models.conversation import Support
from lab.services.context import Context


def authors(ctx: Context, contribution: Contribution) -> set[int]:
    """Everybody with an account whose words are in it."""
    query = select(ContributionAuthor.person_id).where(ContributionAuthor.contribution_id == contribution.id)
    people = {contribution.person_id, *ctx.session.execute(query).scalars()}
    return {one for one in people if one is not None}


def _supporters(ctx: Context, contribution_id: int) -> dict[int, datetime]:
    query = select(Support.person_id, Support.at).where(Support.contribution_id == contribution_id)
    return {row.person_id: row.at for row in ctx.session.execute(query)}


def set_own_aside(ctx: Context, target: Contribution) -> list[tuple[int, str]]:
    """Take out the voices of people who have become co-authors; who had given theirs here, and when."""
    own = (Support.contribution_id == target.id, Support.person_id.in_(sorted(authors(ctx, target))))
    rows = ctx.session.execute(select(Support.person_id, Support.at, Support.via_id).where(*own)).all()
    if rows:
        ctx.session.execute(delete(Support).where(*own))
        target.supports_count -= len(rows)
    return [(row.person_id, row.at.isoformat()) for row in rows if row.via_id is None]


def bring(ctx: Context, source: Contribution, target: Contribution) -> int:
    """Count the supporters of `source` under `target` too; how many are new. Not its co-authors."""
    already = {*_supporters(ctx, target.id), *authors(ctx, target)}
    rows = [
        {"contribution_id": target.id, "person_id": person_id, "at": at, "via_id": source.id}
        for person_id, at in sorted(_supporters(ctx, source.id).items())
        if person_id not in already
    ]
    if rows:
        ctx.session.execute(insert(Support), rows)
    return len(rows)


def take_away(ctx: Context, source: Contribution, target: Contribution) -> set[int]:
    """Take the voices that came with `source` out of `target`; whose they were."""
    mine = (Support.contribution_id == target.id, Support.via_id == source.id)
    gone = set(ctx.session.execute(select(Support.person_id).where(*mine)).scalars())
    if gone:
        ctx.session.execute(delete(Support).where(*mine))
    return gone


def give_back(ctx: Context, target: Contribution, merge: Merge, others: list[Merge], people: set[int]) -> int:
    """Give `people` the voice they have without `merge`: their own, or one another merge brings; how many."""
    writers = authors(ctx, target)
    people = people - writers - set(_supporters(ctx, target.id))
    rows: dict[int, dict[str, Any]] = {}

    def give(person_id: int, at: datetime, via_id: int | None) -> None:
        row = {"contribution_id": target.id, "person_id": person_id, "at": at, "via_id": via_id}
        rows.setdefault(person_id, row)

    for person_id, at in merge.before.get("own", []):
        if person_id in people:
            give(person_id, datetime.fromisoformat(at), None)
        elif person_id in writers:
            _keep_for_later(ctx, others, person_id, at)
    for other in others:
        for person_id, given in _supporters(ctx, other.source_id).items():
            if person_id in people:
                give(person_id, given, other.source_id)
    if rows:
        ctx.session.execute(insert(Support), list(rows.values()))
    return len(rows)


def _keep_for_later(ctx: Context, others: list[Merge], person_id: int, at: str) -> None:
    # Still a co-author through another merge: undoing that one gives the voice back.
    for other in others:
        if person_id in authors(ctx, ctx.session.get_one(Contribution, other.source_id)):
            other.before = {**other.before, "own": [*other.before.get("own", []), (person_id, at)]}
            return
