"""What the page of one input shows, read in two statements; and how its words read before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, String, bindparam, cast, func, literal, null, select, union_all
from sqlalchemy.orm import aliased, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from lab.kernel.errors import NotFound
from lab.models.answers import Answer
from lab.models.contributions import (
    Contribution,
    ContributionAuthor,
    ContributionProject,
    ContributionVersion,
    Merge,
    Proposal,
    Visibility,
)
from lab.models.pictures import Photo
from lab.models.projects import Project
from lab.policy.permissions import Permission
from lab.services import answers, photos, supports
from lab.services.context import Context


@dataclass(frozen=True)
class Linked:
    """Something that hangs on an input: a photograph, a project, an input merged into it, a co-author."""

    what: str
    code: str
    title: str
    lang: str
    number: int
    other: int
    detail: str


@dataclass(frozen=True)
class Item:
    """One input with all that its page shows of its own."""

    contribution: Contribution
    proposal: Proposal | None
    merged_into: Contribution | None
    supports: bool
    follows: bool
    photos: list[photos.StoredPhoto]
    projects: list[Linked]
    originals: list[Linked]
    authors: list[str]
    #: Whether the reader's own words came in through a merge.
    is_co_author: bool
    #: What the office answered; the first one counts, the others were corrected by it.
    answers: Sequence[Answer]


@cache
def _item(known: bool) -> Select[Any]:
    """Put together once for readers with and without an account: that takes longer than asking."""
    target = aliased(Contribution)
    newest = (
        select(Answer.id)
        .where(Answer.contribution_id == Contribution.id, Answer.published_at.is_not(None))
        .order_by(Answer.published_at.desc(), Answer.id.desc())
        .limit(1)
        .correlate(Contribution)
        .scalar_subquery()
    )
    how_many = (
        select(func.count(Answer.id))
        .where(Answer.contribution_id == Contribution.id, Answer.published_at.is_not(None))
        .correlate(Contribution)
        .scalar_subquery()
    )
    return (
        select(
            Contribution,
            Proposal,
            target,
            Answer,
            how_many.label("how_many"),
            *supports.standing_columns(bindparam("person") if known else None, Contribution.id),
        )
        .outerjoin(Proposal, Proposal.contribution_id == Contribution.id)
        .outerjoin(target, target.id == Contribution.merged_into_id)
        .outerjoin(Answer, Answer.id == newest)
        .where(Contribution.code == bindparam("code"))
        .options(
            joinedload(Contribution.theme),
            joinedload(Contribution.place),
            joinedload(Contribution.event),
            joinedload(Contribution.office),
            joinedload(Answer.office),
            joinedload(Answer.body),
        )
    )


def item(ctx: Context, code: str) -> Item:
    """Read one input by its public code, in two statements.

    Raises `NotFound` when there is none, or it is not for this reader.
    """
    values = {"code": code, "person": ctx.actor.person_id}
    row = ctx.session.execute(_item(ctx.actor.person_id is not None), values).first()
    if row is None:
        raise NotFound("contribution")
    contribution, proposal, merged_into, answer, replies, supported, followed = tuple(row)
    ctx.require(Permission.CONTRIBUTION_READ, contribution)
    if proposal is not None:
        # Read together: the rules look from the proposal at its contribution.
        set_committed_value(proposal, "contribution", contribution)
    linked = _linked(ctx, contribution)
    return Item(
        contribution=contribution,
        proposal=proposal,
        merged_into=merged_into if merged_into and merged_into.visibility is Visibility.PUBLIC else None,
        supports=bool(supported),
        follows=bool(followed),
        photos=[_photo(one) for one in linked if one.what == "photo"],
        projects=[one for one in linked if one.what == "project"],
        originals=[one for one in linked if one.what == "original"],
        authors=_co_authors(contribution, linked),
        is_co_author=ctx.actor.is_signed_in
        and any(one.what == "author" and one.detail == str(ctx.actor.person_id) for one in linked),
        # Corrected answers are rare: only they cost a statement of their own.
        answers=answers.published(ctx, contribution.id) if replies > 1 else [answer][:replies],
    )


def _linked(ctx: Context, contribution: Contribution) -> Sequence[Linked]:
    rows = ctx.session.execute(_links(), {"mine": contribution.id})
    return [Linked(*row[:7]) for row in rows]


@cache
def _links() -> Select[Any]:
    mine = bindparam("mine", type_=Contribution.id.type)
    nothing = literal("")
    none = cast(null(), Contribution.id.type)
    source = aliased(Contribution)
    parts = union_all(
        select(
            literal("photo").label("what"), Photo.name.label("code"), Photo.alt.label("title"),
            nothing.label("lang"), Photo.width.label("number"), Photo.height.label("other"),
            Photo.widths.label("detail"), Photo.position.label("position"), Photo.id.label("id"),
        ).where(Photo.contribution_id == mine),
        select(
            literal("project"), Project.code, Project.title, nothing, none, none, nothing,
            Project.position, Project.id,
        )
        .join(ContributionProject, ContributionProject.project_id == Project.id)
        .where(ContributionProject.contribution_id == mine),
        select(
            literal("original"), source.code, source.title, source.lang, none, none, source.excerpt,
            literal(0), source.id,
        )
        .join(Merge, Merge.source_id == source.id)
        .where(Merge.target_id == mine, Merge.undone_at.is_(None), source.visibility == Visibility.PUBLIC),
        select(
            literal("author"), nothing, ContributionAuthor.name, nothing, none, none,
            cast(ContributionAuthor.person_id, String), literal(0), ContributionAuthor.id,
        ).where(ContributionAuthor.contribution_id == mine),
    ).subquery()  # fmt: skip
    return select(parts).order_by(parts.c.what, parts.c.position, parts.c.id)


def _photo(one: Linked) -> photos.StoredPhoto:
    widths = tuple(int(part) for part in one.detail.split(","))
    return photos.StoredPhoto(one.code, one.number, one.other, widths, one.title)


def _co_authors(contribution: Contribution, linked: Sequence[Linked]) -> list[str]:
    """Names of the others whose words are in here, each once; "" stands for those without a name."""
    first = (contribution.author_name, str(contribution.person_id))
    names: dict[tuple[str, str | None], str] = {}
    for one in linked:
        if one.what == "author" and (one.title, one.detail) != first:
            # Two people without a name are two people: their row tells them apart.
            names.setdefault((one.title, one.detail or None), one.title)
    return list(names.values())


@dataclass(frozen=True)
class Wording:
    """How an input read until a certain moment; None for the words of today."""

    title: str
    text: str
    until: datetime | None


def wordings(ctx: Context, code: str) -> tuple[Contribution, list[Wording]]:
    """An input and all its wordings, today's first. Raises `NotFound`."""
    found = ctx.session.execute(select(Contribution).where(Contribution.code == code)).scalar_one_or_none()
    if found is None:
        raise NotFound("contribution")
    ctx.require(Permission.CONTRIBUTION_READ, found)
    query = (
        select(ContributionVersion)
        .where(ContributionVersion.contribution_id == found.id)
        .order_by(ContributionVersion.id.desc())
    )
    before = [Wording(one.title, one.text, one.replaced_at) for one in ctx.session.execute(query).scalars()]
    return found, [Wording(found.title, found.text, None), *before]
