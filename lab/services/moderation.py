"""Hiding and restoring, settling flags: every act has a reason, is told to the author and counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from lab.db.locking import locked
from lab.kernel.errors import Conflict, Denied, Invalid, NotFound
from lab.kernel.text import clean_text
from lab.models.contributions import Contribution, StepKind, Visibility
from lab.models.conversation import Comment
from lab.models.moderation import Flag, ModerationAct
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import audit, contributions, conversation, outbox
from lab.services.context import Context

REASON_LIMIT = 2000
REASON_LEAST = 10
#: Rows of each pile that one page of the queue shows.
SHOWN = 50

HIDE, RESTORE = "hide", "restore"


@dataclass(frozen=True)
class Subject:
    """What is moderated: an input or a comment, exactly one of them."""

    contribution_id: int | None = None
    comment_id: int | None = None

    def keys(self) -> dict[str, int | None]:
        """As columns of a flag or an act."""
        return {"contribution_id": self.contribution_id, "comment_id": self.comment_id}


def hide(ctx: Context, subject: Subject, reason: str, version: int | None = None) -> ModerationAct:
    """Hide a text with the reason its author is told. Never one's own words.

    Raises `NotFound`, `Denied("own_words")`, `Invalid("reason", "too_short")`, and `Conflict` for what is
    hidden ("already_hidden"), private ("not_visible") or taken away by its author ("already_gone").
    """
    words = reason_words(reason)
    again = _again(ctx, HIDE, subject, words)
    if again is not None:
        return again
    if subject.comment_id is not None:
        comment = locked(ctx.session, Comment, subject.comment_id)
        grant = ctx.require(Permission.COMMENT_HIDE, comment)
        return _hide_comment(ctx, comment, words, grant)
    with contributions.changing(ctx, _id(subject), version) as contribution:
        grant = ctx.require(Permission.CONTRIBUTION_HIDE, contribution)
        _not_mine_too(ctx, contribution)
        if contribution.visibility is Visibility.HIDDEN:
            raise Conflict("already_hidden")
        if contribution.visibility is Visibility.PRIVATE:
            raise Conflict("not_visible")
        contribution.visibility = Visibility.HIDDEN
        act = _act(ctx, HIDE, subject, words, grant)
        contributions.add_step(ctx, contribution, StepKind.HIDDEN, grant, text=words)
        audit.record(ctx, "contribution.hide", contribution, grant, reason=words, act_id=act.id)
        _settle_flags(ctx, subject)
        outbox.announce(ctx, "contribution.hidden", contribution_id=contribution.id, act_id=act.id)
    return act


def _hide_comment(ctx: Context, comment: Comment, words: str, grant: Grant) -> ModerationAct:
    if comment.hidden_at is not None:
        raise Conflict("already_hidden")
    if comment.deleted_at is not None:
        raise Conflict("already_gone")
    comment.hidden_at = ctx.now
    subject = Subject(comment_id=comment.id)
    act = _act(ctx, HIDE, subject, words, grant)
    conversation.count(ctx, comment.contribution_id, -1)
    audit.record(ctx, "comment.hide", comment, grant, reason=words, act_id=act.id)
    _settle_flags(ctx, subject)
    outbox.announce(
        ctx, "comment.hidden", comment_id=comment.id, contribution_id=comment.contribution_id, act_id=act.id
    )
    return act


def restore(ctx: Context, subject: Subject, reason: str, version: int | None = None) -> ModerationAct:
    """Show a hidden text again, with a reason. Never one's own words.

    Raises `NotFound`, `Denied("own_words")`, `Invalid("reason", "too_short")`, `Conflict("not_hidden")`.
    """
    words = reason_words(reason)
    again = _again(ctx, RESTORE, subject, words)
    if again is not None:
        return again
    if subject.comment_id is not None:
        comment = locked(ctx.session, Comment, subject.comment_id)
        grant = ctx.require(Permission.COMMENT_HIDE, comment)
        return restore_comment(ctx, comment, words, grant)
    contribution = locked(ctx.session, Contribution, _id(subject))
    grant = ctx.require(Permission.CONTRIBUTION_HIDE, contribution)
    _not_mine_too(ctx, contribution)
    return restore_contribution(ctx, contribution.id, words, grant, version)


def restore_contribution(
    ctx: Context, contribution_id: int, words: str, grant: Grant, version: int | None = None
) -> ModerationAct:
    """Show an input again by right of `grant`. Raises `Conflict("not_hidden")`."""
    subject = Subject(contribution_id=contribution_id)
    with contributions.changing(ctx, contribution_id, version) as contribution:
        if contribution.visibility is not Visibility.HIDDEN:
            raise Conflict("not_hidden")
        contribution.visibility = Visibility.PUBLIC
        act = _act(ctx, RESTORE, subject, words, grant)
        contributions.add_step(ctx, contribution, StepKind.RESTORED, grant, text=words)
        audit.record(ctx, "contribution.restore", contribution, grant, reason=words, act_id=act.id)
        _settle_flags(ctx, subject)
        outbox.announce(ctx, "contribution.restored", contribution_id=contribution.id, act_id=act.id)
    return act


def restore_comment(ctx: Context, comment: Comment, words: str, grant: Grant) -> ModerationAct:
    """Show a comment again by right of `grant`; the caller holds it. Raises `Conflict("not_hidden")`."""
    if comment.hidden_at is None:
        raise Conflict("not_hidden")
    comment.hidden_at = None
    subject = Subject(comment_id=comment.id)
    act = _act(ctx, RESTORE, subject, words, grant)
    if comment.deleted_at is None:
        conversation.count(ctx, comment.contribution_id, +1)
    audit.record(ctx, "comment.restore", comment, grant, reason=words, act_id=act.id)
    _settle_flags(ctx, subject)
    outbox.announce(
        ctx,
        "comment.restored",
        comment_id=comment.id,
        contribution_id=comment.contribution_id,
        act_id=act.id,
    )
    return act


def leave(ctx: Context, subject: Subject) -> int:
    """Settle the flags on a text by leaving it as it is; how many there were. Never on one's own words.

    Raises `NotFound`, `Denied("own_words")`, `Conflict("already_hidden")` when a colleague hid it meanwhile.
    """
    grant = ctx.require(Permission.FLAG_SETTLE)
    row = _row(ctx, subject)
    if row.person_id is not None and row.person_id == ctx.actor.person_id:
        raise Denied("own_words")
    if isinstance(row, Contribution):
        _not_mine_too(ctx, row)
    if row.hidden_at if isinstance(row, Comment) else row.visibility is Visibility.HIDDEN:
        raise Conflict("already_hidden")
    settled = _settle_flags(ctx, subject)
    if isinstance(row, Comment) and row.deleted_at is not None:
        # Its author took it away; the words waited for this look alone.
        conversation.forget_words(row)
    if settled:
        audit.record(ctx, "flag.leave", row, grant, flags=settled)
    return settled


def _not_mine_too(ctx: Context, contribution: Contribution) -> None:
    """Words merged into an input are words of it. Raises `Denied("own_words")`."""
    if contributions.is_co_author(ctx, contribution.id):
        raise Denied("own_words")


def _row(ctx: Context, subject: Subject) -> Contribution | Comment:
    if subject.comment_id is not None:
        return locked(ctx.session, Comment, subject.comment_id)
    return locked(ctx.session, Contribution, _id(subject))


def _id(subject: Subject) -> int:
    if subject.contribution_id is None:
        raise NotFound("subject")
    return subject.contribution_id


def reason_words(reason: str) -> str:
    """The reason as it is kept. Raises `Invalid("reason", "too_short")`."""
    words = clean_text(reason, REASON_LIMIT)
    if len(words) < REASON_LEAST:
        raise Invalid("reason", "too_short")
    return words


def _again(ctx: Context, what: str, subject: Subject, words: str) -> ModerationAct | None:
    """The latest act on this text, when it is this very one by the same person: the second of two clicks."""
    _row(ctx, subject)
    about = (
        getattr(ModerationAct, column) == key for column, key in subject.keys().items() if key is not None
    )
    query = select(ModerationAct).where(*about).order_by(ModerationAct.id.desc()).limit(1)
    latest = ctx.session.execute(query).scalar_one_or_none()
    if latest is None or (latest.act, latest.person_id, latest.reason) != (what, ctx.actor.person_id, words):
        return None
    return latest if ctx.actor.person_id is not None else None


def _act(ctx: Context, what: str, subject: Subject, words: str, grant: Grant) -> ModerationAct:
    act = ModerationAct(
        act=what,
        reason=words,
        at=ctx.now,
        person_id=ctx.actor.person_id,
        capacity=str(grant.role),
        **subject.keys(),
    )
    ctx.session.add(act)
    ctx.session.flush()
    return act


def _on(subject: Subject) -> Any:
    if subject.comment_id is not None:
        return Flag.comment_id == subject.comment_id
    return Flag.contribution_id == subject.contribution_id


def _settle_flags(ctx: Context, subject: Subject) -> int:
    done = (
        update(Flag)
        .where(_on(subject), Flag.settled_at.is_(None))
        .values(settled_at=ctx.now, settled_by_id=ctx.actor.person_id)
        .execution_options(synchronize_session=False)
    )
    return int(ctx.session.execute(done).rowcount)  # type: ignore[attr-defined]
