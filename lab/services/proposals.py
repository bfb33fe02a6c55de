"""Saying something, correcting it inside the window, taking it back; and reading one proposal whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, String, bindparam, cast, func, literal, null, select, union_all
from sqlalchemy.orm import aliased, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from lab.kernel.errors import Denied, Invalid, NotFound
from lab.kernel.text import clean_line, clean_text, excerpt
from lab.models.answers import Answer
from lab.models.contributions import (
    Channel,
    Contribution,
    ContributionAuthor,
    ContributionProject,
    ContributionVersion,
    Merge,
    Outcome,
    Proposal,
    State,
    StepKind,
    Visibility,
)
from lab.models.pictures import Photo
from lab.models.programme import Place, Theme
from lab.models.projects import Project
from lab.policy.permissions import Permission
from lab.services import answers, audit, contributions, drafts, once, outbox, photos, site, supports
from lab.services.context import Context

#: The name of the draft of a proposal not yet sent.
DRAFT = "proposal:new"
REASON_LIMIT = 1000


@dataclass(frozen=True)
class Say:
    """What a person says through the site. Codes of theme, place and project are those of the choices."""

    text: str
    title: str = ""
    author_name: str = ""
    theme: str = ""
    place: str = ""
    project: str = ""
    photos: tuple[photos.StoredPhoto, ...] = ()
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Edit:
    """New words of an input, with the version of the page they were written on.

    `drop_photos` are names; `alts` gives words for photographs by name.
    """

    contribution_id: int
    version: int
    text: str
    title: str = ""
    new_photos: tuple[photos.StoredPhoto, ...] = ()
    drop_photos: tuple[str, ...] = ()
    alts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Withdraw:
    """Take an input back; the reason is for everybody to read."""

    contribution_id: int
    reason: str


def say(ctx: Context, command: Say, owner: drafts.Owner) -> Contribution:
    """Place what was said and throw its draft away, in one transaction.

    Without an account it waits until the lab has read it, unless the rules say otherwise. Sending the same
    key again gives what the first sending made. Raises `Invalid` on text, theme, place, project or photos.
    """
    grant = ctx.require(Permission.PROPOSAL_SUBMIT)
    # The draft is taken under lock first: a second click waits here, then meets the key of the first.
    drafts.take(ctx, owner, DRAFT)
    again = placed_by_key(ctx, command.idempotency_key, owner)
    if again is not None:
        return again
    contribution = contributions.place(ctx, _placement(ctx, command, owner))
    if command.photos:
        photos.attach(ctx, command.photos, contribution_id=contribution.id)
        contribution.photos_count = len(command.photos)
    outbox.announce(ctx, "contribution.placed", contribution_id=contribution.id)
    audit.record(ctx, "contribution.place", contribution, grant)
    ctx.session.flush()
    return contribution


def _placement(ctx: Context, command: Say, owner: drafts.Owner) -> contributions.Placement:
    signed_in = ctx.actor.is_signed_in
    is_public = signed_in or site.rules(ctx).publish_unread
    project = _chosen(ctx, Project, "project", command.project)
    _fits("text", command.text, contributions.TEXT_LIMIT)
    _fits("title", command.title, contributions.TITLE_LIMIT)
    return contributions.Placement(
        text=command.text,
        title=command.title,
        channel=Channel.SITE,
        author_name=command.author_name or (ctx.actor.name if signed_in else ""),
        person_id=ctx.actor.person_id,
        lang=ctx.locale,
        theme_id=_chosen(ctx, Theme, "theme", command.theme),
        place_id=_chosen(ctx, Place, "place", command.place),
        project_ids=(project,) if project else (),
        visibility=Visibility.PUBLIC if is_public else Visibility.WAITING,
        idempotency_key=_own_key(ctx, command.idempotency_key, owner),
    )


def _chosen(
    ctx: Context, model: type[Theme] | type[Place] | type[Project], name: str, code: str
) -> int | None:
    if not code:
        return None
    query = select(model.id).where(model.code == code)
    if model is not Project:
        query = query.where(model.retired.is_(False))  # type: ignore[union-attr]
    found = ctx.session.execute(query).scalar_one_or_none()
    if found is None:
        raise Invalid(name, "unknown")
    return found


def _fits(name: str, text: str, limit: int) -> None:
    # Cutting would lose words; line ends as browsers send them are not the writer's length.
    if len(text.replace("\r\n", "\n")) > limit:
        raise Invalid(name, "too_long", limit=limit)


def own(ctx: Context, code: str) -> Proposal:
    """The actor's own proposal with its contribution. Raises `NotFound` for anybody else's."""
    query = (
        select(Proposal)
        .join(Proposal.contribution)
        .where(Contribution.code == code)
        .options(joinedload(Proposal.contribution))
    )
    proposal = ctx.session.execute(query).scalar_one_or_none()
    if proposal is None or not ctx.actor.is_signed_in:
        raise NotFound("proposal")
    if proposal.contribution.person_id != ctx.actor.person_id:
        raise NotFound("proposal")
    return proposal


def edit(ctx: Context, command: Edit) -> Contribution:
    """Correct one's own words inside the window; what stood before is kept and everybody can read it.

    Raises `NotFound`, `Denied("edit_window_over" | "already_decided")`, `Conflict("changed_meanwhile")`,
    `Invalid` on text, title or photos.
    """
    _fits("text", command.text, contributions.TEXT_LIMIT)
    _fits("title", command.title, contributions.TITLE_LIMIT)
    text = clean_text(command.text, contributions.TEXT_LIMIT)
    title = clean_line(command.title, contributions.TITLE_LIMIT)
    if not text:
        raise Invalid("text", "required")
    with contributions.changing(ctx, command.contribution_id, command.version) as contribution:
        proposal = _proposal_of(ctx, contribution)
        grant = ctx.require(Permission.PROPOSAL_EDIT, proposal)
        _change_photos(ctx, contribution, command)
        if (text, title) != (contribution.text, contribution.title):
            _keep_version(ctx, contribution)
            contribution.text, contribution.title = text, title
            contribution.excerpt = excerpt(text, contributions.EXCERPT)
            proposal.edited_at = ctx.now
            contributions.add_step(ctx, contribution, StepKind.EDITED)
            audit.record(ctx, "contribution.edit", contribution, grant)
            outbox.announce(ctx, "contribution.edited", contribution_id=contribution.id)
    return contribution


def _proposal_of(ctx: Context, contribution: Contribution) -> Proposal:
    query = (
        select(Proposal)
        .where(Proposal.contribution_id == contribution.id)
        .options(joinedload(Proposal.contribution))
        .execution_options(populate_existing=True)
    )
    ctx.session.flush()
    found = ctx.session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound("proposal")
    return found


def _keep_version(ctx: Context, contribution: Contribution) -> None:
    ctx.session.add(
        ContributionVersion(
            contribution_id=contribution.id,
            replaced_at=ctx.now,
            title=contribution.title,
            text=contribution.text,
            person_id=ctx.actor.person_id,
        )
    )


def _change_photos(ctx: Context, contribution: Contribution, command: Edit) -> None:
    standing = photos.of_contribution(ctx, contribution.id)
    if command.drop_photos:
        photos.remove(ctx, contribution.id, command.drop_photos)
    kept = [photo for photo in standing if photo.name not in command.drop_photos]
    for photo in kept:
        if photo.name in command.alts:
            photo.alt = clean_line(command.alts[photo.name], photos.ALT_LIMIT)
    if command.new_photos:
        photos.attach(ctx, command.new_photos, contribution_id=contribution.id, first=len(kept))
    contribution.photos_count = len(kept) + len(command.new_photos)


def withdraw(ctx: Context, command: Withdraw) -> Contribution:
    """Take one's own words back with a reason; they stay readable, out of the default list.

    Raises `NotFound`, `Denied("already_decided")`, `Invalid("reason", …)`.
    """
    _fits("reason", command.reason, REASON_LIMIT)
    reason = clean_text(command.reason, REASON_LIMIT)
    if not reason:
        raise Invalid("reason", "required")
    with contributions.changing(ctx, command.contribution_id) as contribution:
        grant = ctx.require(Permission.PROPOSAL_WITHDRAW, contribution)
        if contribution.visibility is Visibility.HIDDEN:
            raise Denied("already_decided")
        proposal = _proposal_of(ctx, contribution)
        contributions.move(ctx, contribution, State.WITHDRAWN, Outcome.WITHDRAWN)
        proposal.withdrawn_at = ctx.now
        proposal.withdrawn_reason = reason
        contributions.add_step(ctx, contribution, StepKind.WITHDRAWN, text=reason)
        audit.record(ctx, "contribution.withdraw", contribution, grant)
        outbox.announce(ctx, "contribution.withdrawn", contribution_id=contribution.id)
    return contribution


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


def _own_key(ctx: Context, key: str | None, owner: drafts.Owner) -> str | None:
    return once.own_key(ctx, key, owner.browser_token or "")


def placed_by_key(ctx: Context, idempotency_key: str | None, owner: drafts.Owner) -> Contribution | None:
    """What this sender has made with this key before; for the second of two clicks."""
    return contributions.with_key(ctx, _own_key(ctx, idempotency_key, owner))


def sent(ctx: Context, contribution_id: int) -> Contribution:
    """What was just sent from this browser, for its receipt. Raises `NotFound`."""
    found: Any = ctx.session.get(Contribution, contribution_id)
    if found is None:
        raise NotFound("contribution")
    return found  # type: ignore[no-any-return]
