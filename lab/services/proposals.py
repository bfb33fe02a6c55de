"""Saying something, correcting it inside the window, taking it back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lab.kernel.errors import Denied, Invalid, NotFound
from lab.kernel.text import clean_line, clean_text, excerpt
from lab.models.contributions import (
    Channel,
    Contribution,
    ContributionProject,
    Outcome,
    Proposal,
    State,
    StepKind,
    Visibility,
)
from lab.models.programme import Place, Theme
from lab.models.projects import Project
from lab.policy.permissions import Permission
from lab.services import audit, contributions, drafts, once, outbox, photos, site
from lab.services.context import Context

#: The name of the draft of a proposal not yet sent.
DRAFT = "proposal:new"
REASON_LIMIT = 1000
#: So long the same words from the same sender are the same thing, sent again from a page one went back to.
SAME_WORDS = timedelta(minutes=30)


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
        author_name=_signed(ctx, command),
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


def _own_key(ctx: Context, key: str | None, owner: drafts.Owner) -> str | None:
    return once.own_key(ctx, key, owner.browser_token or "")


def placed_by_key(ctx: Context, idempotency_key: str | None, owner: drafts.Owner) -> Contribution | None:
    """What this sender has made with this key before; for the second of two clicks."""
    return contributions.with_key(ctx, _own_key(ctx, idempotency_key, owner))


def has_words(placed: Contribution, text: str) -> bool:
    """Whether these words, as typed, are those of `placed`."""
    return placed.text == clean_text(text, contributions.TEXT_LIMIT)


def just_said(ctx: Context, command: Say, sent_id: int) -> Contribution | None:
    """What this sender said a moment ago in the same words, title, name and place; None when it is new.

    `sent_id` is what this browser sent last (0 for nothing); who is signed in is found on any browser.
    Photographs are not compared. Raises `Invalid` on theme, place or project.
    """
    person_id = ctx.actor.person_id
    query = select(Contribution).where(
        Contribution.person_id.is_not_distinct_from(person_id),
        Contribution.created_at > ctx.now - SAME_WORDS,
        Contribution.channel == Channel.SITE,
        Contribution.visibility != Visibility.HIDDEN,
        Contribution.state != State.WITHDRAWN,
        Contribution.text == clean_text(command.text, contributions.TEXT_LIMIT),
        Contribution.title == clean_line(command.title, contributions.TITLE_LIMIT),
        Contribution.author_name == _signed(ctx, command),
    )
    if person_id is None:
        query = query.where(Contribution.id == sent_id)
    for column, model, name in (
        (Contribution.theme_id, Theme, "theme"),
        (Contribution.place_id, Place, "place"),
    ):
        # The lab may have put it in its place meanwhile: only another choice makes it another thing.
        chosen = _chosen(ctx, model, name, getattr(command, name))
        if chosen is not None:
            query = query.where(column == chosen)
    project = _chosen(ctx, Project, "project", command.project)
    if project is not None:
        linked = select(ContributionProject.contribution_id).where(ContributionProject.project_id == project)
        query = query.where(Contribution.id.in_(linked))
    return ctx.session.execute(query.order_by(Contribution.id.desc()).limit(1)).scalar_one_or_none()


def _signed(ctx: Context, command: Say) -> str:
    name = command.author_name or (ctx.actor.name if ctx.actor.is_signed_in else "")
    return clean_line(name, contributions.NAME_LIMIT)


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
            contributions.keep_words(ctx, contribution)
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


def claim(ctx: Context, contribution_id: int) -> None:
    """Make the actor the author of what their browser has just sent without account; the name that others
    read stays. Nothing happens to what has an author. Raises `NotFound`, `Denied("sign_in")`.
    """
    if ctx.actor.person_id is None:
        raise Denied("sign_in")
    with contributions.changing(ctx, contribution_id) as contribution:
        if contribution.person_id is None:
            contribution.person_id = ctx.actor.person_id
            audit.record(ctx, "contribution.claim", contribution)


def sent(ctx: Context, contribution_id: int) -> Contribution:
    """What was just sent from this browser, for its receipt. Raises `NotFound`."""
    found = ctx.session.get(Contribution, contribution_id)
    if found is None:
        raise NotFound("contribution")
    return found
