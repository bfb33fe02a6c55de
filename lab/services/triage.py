"""Sorting what came in: what it is, where it belongs, who has it in hand, whether everybody may read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from lab.db.locking import locked
from lab.kernel.clock import local_date
from lab.kernel.errors import Conflict, Denied, Invalid
from lab.kernel.text import clean_text
from lab.models.contributions import (
    OPEN_STATES,
    Contribution,
    Kind,
    Outcome,
    State,
    Step,
    StepKind,
    Visibility,
)
from lab.models.moderation import DeskNote, PassedOn
from lab.models.programme import Body, Place, Theme
from lab.models.projects import Project
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import audit, contributions, outbox, references
from lab.services.context import Context

NOTE_LIMIT = 2000


@dataclass(frozen=True)
class Sort:
    """What it is and what it is about. `version`: the number the page was drawn with."""

    contribution_id: int
    version: int | None
    kind: Kind
    theme_id: int | None
    place_id: int | None
    project_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class KeepPrivate:
    """Keep an input out of public and hand it to a body or an office (or to nobody yet).

    `note` is read by whoever takes it over, `words` by the person who gave it.
    """

    contribution_id: int
    version: int | None
    body_id: int | None = None
    office_id: int | None = None
    due_on: date | None = None
    note: str = ""
    words: str = ""


def acknowledge(ctx: Context, contribution: Contribution, grant: Grant) -> None:
    """Note that somebody of the lab has read it (inside `changing`): once, and it leaves the unread pile."""
    if contribution.read_at is None:
        contribution.read_at = ctx.now
    if contribution.state is State.RECEIVED:
        contributions.move(ctx, contribution, State.IN_REVIEW)
        contributions.add_step(ctx, contribution, StepKind.READ, grant)


def read(ctx: Context, contribution_id: int, version: int | None = None) -> Contribution:
    """Read it, and let everybody read it when it was waiting for that. Doing it twice changes nothing.

    Raises `Conflict("not_visible")` for what is private or hidden: those have their own acts, and
    `Denied("own_words")` for one's own words while they wait: a colleague lets them through.
    """
    grant = ctx.require(Permission.CONTRIBUTION_SORT)
    with contributions.changing(ctx, contribution_id, version) as contribution:
        own = contribution.person_id is not None and contribution.person_id == ctx.actor.person_id
        if own and contribution.visibility is Visibility.WAITING:
            raise Denied("own_words")
        if contribution.visibility in (Visibility.HIDDEN, Visibility.PRIVATE):
            raise Conflict("not_visible")
        acknowledge(ctx, contribution, grant)
        contribution.visibility = Visibility.PUBLIC
        audit.record(ctx, "contribution.read", contribution, grant)
    return contribution


def sort(ctx: Context, command: Sort) -> Contribution:
    """Say what it is, what it is about and where.

    Raises `Invalid("theme"|"place"|"projects", "unknown")` for choices that are gone.
    """
    grant = ctx.require(Permission.CONTRIBUTION_SORT)
    references.known(ctx, "theme", Theme, command.theme_id)
    references.known(ctx, "place", Place, command.place_id)
    references.known(ctx, "projects", Project, *command.project_ids)
    with contributions.changing(ctx, command.contribution_id, command.version) as contribution:
        contribution.kind = command.kind
        contribution.theme_id = command.theme_id
        contribution.place_id = command.place_id
        contributions.link_projects(ctx, contribution, command.project_ids)
        _found_its_place(ctx, contribution, grant)
        audit.record(ctx, "contribution.sort", contribution, grant)
    return contribution


def set_theme(ctx: Context, contribution_id: int, theme_id: int | None, version: int | None) -> Contribution:
    """Change only the theme: the bulk act. Raises `Invalid("theme", "unknown")`."""
    grant = ctx.require(Permission.CONTRIBUTION_SORT)
    references.known(ctx, "theme", Theme, theme_id)
    with contributions.changing(ctx, contribution_id, version) as contribution:
        contribution.theme_id = theme_id
        _found_its_place(ctx, contribution, grant)
        audit.record(ctx, "contribution.sort", contribution, grant)
    return contribution


def _found_its_place(ctx: Context, contribution: Contribution, grant: Grant) -> None:
    # Whoever sorts it has read it; what waits to be shown stays among the unread until it is let through.
    if contribution.visibility is not Visibility.WAITING:
        acknowledge(ctx, contribution, grant)
    # The public trace says once that it found its place; the audit log keeps every later correction.
    before = select(Step.id).where(Step.contribution_id == contribution.id, Step.kind == StepKind.SORTED)
    if ctx.session.execute(before.limit(1)).first() is None:
        contributions.add_step(ctx, contribution, StepKind.SORTED, grant)


def take(ctx: Context, contribution_id: int, *, over: bool = False) -> Contribution:
    """Take it in hand. Raises `Conflict("held_by_other")` when a colleague has it, unless `over`."""
    with contributions.changing(ctx, contribution_id) as contribution:
        grant = ctx.require(Permission.CONTRIBUTION_WORK, contribution)
        if contribution.holder_id not in (None, ctx.actor.person_id) and not over:
            raise Conflict("held_by_other")
        contribution.holder_id = ctx.actor.person_id
        audit.record(ctx, "contribution.take", contribution, grant)
    return contribution


def let_go(ctx: Context, contribution_id: int) -> Contribution:
    """Give it back to everybody; a colleague's hold is not ended this way (`Conflict("held_by_other")`)."""
    with contributions.changing(ctx, contribution_id) as contribution:
        grant = ctx.require(Permission.CONTRIBUTION_WORK, contribution)
        if contribution.holder_id not in (None, ctx.actor.person_id):
            raise Conflict("held_by_other")
        contribution.holder_id = None
        audit.record(ctx, "contribution.let_go", contribution, grant)
    return contribution


def note(ctx: Context, contribution_id: int, text: str) -> DeskNote:
    """Leave a note for colleagues; never public. The same note twice in a row is one.

    Raises `NotFound`, `Invalid("text", "required")`.
    """
    contribution = locked(ctx.session, Contribution, contribution_id)
    ctx.require(Permission.CONTRIBUTION_WORK, contribution)
    words = clean_text(text, NOTE_LIMIT)
    if not words:
        raise Invalid("text", "required")
    if ctx.actor.person_id is None:
        raise Denied("sign_in")
    latest = ctx.session.execute(
        select(DeskNote)
        .where(DeskNote.contribution_id == contribution_id)
        .order_by(DeskNote.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    if latest is not None and (latest.person_id, latest.text) == (ctx.actor.person_id, words):
        return latest
    written = DeskNote(contribution_id=contribution_id, person_id=ctx.actor.person_id, at=ctx.now, text=words)
    ctx.session.add(written)
    ctx.session.flush()
    return written


def co_design(ctx: Context, contribution_id: int, version: int | None, *, on: bool) -> Contribution:
    """Bring an open input into co-design, or back from it. Raises `Conflict("state_…")` once settled."""
    grant = ctx.require(Permission.CONTRIBUTION_SORT)
    with contributions.changing(ctx, contribution_id, version) as contribution:
        if (contribution.state is State.CO_DESIGN) is on:
            return contribution
        if contribution.state not in OPEN_STATES:
            raise Conflict(f"state_{contribution.state}")
        acknowledge(ctx, contribution, grant)
        contributions.move(ctx, contribution, State.CO_DESIGN if on else State.IN_REVIEW)
        audit.record(ctx, "contribution.co_design", contribution, grant, on=on)
        if on:
            contributions.add_step(ctx, contribution, StepKind.CO_DESIGN, grant)
            outbox.announce(ctx, "contribution.co_design", contribution_id=contribution.id)
    return contribution


def keep_private(ctx: Context, command: KeepPrivate) -> Contribution:
    """Keep an input out of public. Handed to a body it is settled; handed to an office, that one answers.

    Raises `Invalid("body", "one_of_two")` when both are named, `Invalid("body"|"office", "unknown")`,
    `Invalid("note", "required")` when somebody takes it over without a word, `Conflict` when it is set aside.
    """
    grant = ctx.require(Permission.CONTRIBUTION_KEEP_PRIVATE)
    note_, words = clean_text(command.note, NOTE_LIMIT), clean_text(command.words, NOTE_LIMIT)
    _check_handing(ctx, command, note_)
    with contributions.changing(ctx, command.contribution_id, command.version) as contribution:
        if contribution.state in (State.MERGED, State.WITHDRAWN, State.TAKEN_UP, State.DONE):
            raise Conflict(f"state_{contribution.state}")
        if contribution.visibility is Visibility.HIDDEN:
            raise Conflict("not_visible")
        acknowledge(ctx, contribution, grant)
        contribution.visibility = Visibility.PRIVATE
        if command.body_id or command.office_id:
            _hand_over(ctx, contribution, command, grant, note_, words)
        audit.record(
            ctx, "contribution.keep_private", contribution, grant,
            body_id=command.body_id, office_id=command.office_id,
        )  # fmt: skip
    return contribution


def _check_handing(ctx: Context, command: KeepPrivate, note_: str) -> None:
    if command.body_id and command.office_id:
        raise Invalid("body", "one_of_two")
    if (command.body_id or command.office_id) and not note_:
        raise Invalid("note", "required")
    references.known(ctx, "body", Body, command.body_id)
    if command.office_id:
        references.office_in_being(ctx, command.office_id)


def _hand_over(
    ctx: Context, contribution: Contribution, command: KeepPrivate, grant: Grant, note_: str, words: str
) -> None:
    ctx.session.add(
        PassedOn(
            contribution_id=contribution.id,
            body_id=command.body_id,
            office_id=command.office_id,
            at=ctx.now,
            person_id=ctx.actor.person_id,
            note=note_,
        )
    )
    to = {"body_id": command.body_id, "office_id": command.office_id}
    if command.office_id:
        contribution.office_id = command.office_id
        contribution.office_due_on = command.due_on or local_date(contribution.promise_due_at, ctx.timezone)
    else:
        contributions.move(ctx, contribution, State.ANSWERED, Outcome.PASSED_ON)
    contributions.add_step(
        ctx,
        contribution,
        StepKind.PASSED_ON,
        grant,
        text=words,
        body_id=command.body_id,
        office_id=command.office_id,
    )
    event = {"contribution_id": contribution.id, **{key: value for key, value in to.items() if value}}
    outbox.announce(ctx, "contribution.passed_on", **event)


def open_up(ctx: Context, contribution_id: int, version: int | None) -> Contribution:
    """Make a private input public after all. Raises `Conflict("not_private")`."""
    grant = ctx.require(Permission.CONTRIBUTION_KEEP_PRIVATE)
    with contributions.changing(ctx, contribution_id, version) as contribution:
        if contribution.visibility is not Visibility.PRIVATE:
            raise Conflict("not_private")
        contribution.visibility = Visibility.PUBLIC
        audit.record(ctx, "contribution.open_up", contribution, grant)
    return contribution


def reopen(ctx: Context, contribution_id: int, version: int | None, reason: str) -> Contribution:
    """Take a settled input up again, with a reason everybody reads.

    Raises `Invalid("reason", "required")`, `Conflict("state_…")` where there is nothing to reopen.
    """
    grant = ctx.require(Permission.CONTRIBUTION_ROUTE)
    words = clean_text(reason, NOTE_LIMIT)
    if not words:
        raise Invalid("reason", "required")
    with contributions.changing(ctx, contribution_id, version) as contribution:
        if contribution.state not in (State.ANSWERED, State.DECLINED):
            raise Conflict(f"state_{contribution.state}")
        contributions.move(ctx, contribution, State.IN_REVIEW)
        contributions.add_step(ctx, contribution, StepKind.REOPENED, grant, text=words)
        audit.record(ctx, "contribution.reopen", contribution, grant, reason=words)
    return contribution
