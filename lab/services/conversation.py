"""Comments in branches: written, answered, corrected, taken away without tearing the branch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update

from lab.db.locking import locked
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.text import clean_text
from lab.models.accounts import Role
from lab.models.contributions import Contribution
from lab.models.conversation import Comment
from lab.models.moderation import Flag
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import audit, once, outbox
from lab.services.context import Context

#: Longest comment, in characters.
COMMENT_LIMIT = 2000
#: So long the same words in the same place are the same comment, sent again from a page one went back to.
SAME_WORDS = timedelta(minutes=10)


@dataclass(frozen=True)
class WriteComment:
    """A comment under an input; `parent_id` makes it a reply."""

    contribution_id: int
    text: str
    parent_id: int | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class EditComment:
    """Other words for one's own comment."""

    comment_id: int
    text: str


def write(ctx: Context, command: WriteComment) -> Comment:
    """Add a comment; the same idempotency key, or the same words just now, give back the first one.

    Raises `NotFound`, `Denied("sign_in" | "comments_closed")`, `Invalid("text", "required" | "too_long")`,
    `Conflict("already_gone")` when the comment answered to was taken away meanwhile.
    """
    contribution = locked(ctx.session, Contribution, command.contribution_id)
    grant = ctx.require(Permission.COMMENT_WRITE, contribution)
    key = once.own_key(ctx, command.idempotency_key)
    text = _clean(command.text)
    again = _with_key(ctx, key) or _just_said(ctx, command, text)
    if again is not None:
        return again
    parent = _parent(ctx, command)
    comment = Comment(
        contribution_id=contribution.id,
        parent_id=parent.id if parent else None,
        root_id=(parent.root_id or parent.id) if parent else None,
        depth=parent.depth + 1 if parent else 0,
        person_id=ctx.actor.person_id,
        author_name=ctx.actor.name,
        capacity="" if grant.role is Role.RESIDENT else str(grant.role),
        office_id=grant.office_id,
        text=text,
        lang=ctx.locale,
        created_at=ctx.now,
        idempotency_key=key,
    )
    ctx.session.add(comment)
    ctx.session.flush()
    count(ctx, contribution.id, +1)
    outbox.announce(ctx, "comment.written", contribution_id=contribution.id, comment_id=comment.id)
    return comment


def edit(ctx: Context, command: EditComment) -> Comment:
    """Change one's own words; the comment is marked as corrected.

    Raises `NotFound` for other people's comments, `Denied("already_gone")`, `Invalid("text", …)`: also for
    what somebody has flagged ("flagged_now"), since a moderator judges the words that were flagged.
    """
    comment = locked(ctx.session, Comment, command.comment_id)
    ctx.require(Permission.COMMENT_EDIT, comment)
    text = _clean(command.text)
    if text != comment.text:
        if _is_flagged(ctx, comment.id):
            raise Invalid("text", "flagged_now")
        comment.text = text
        comment.edited_at = ctx.now
        ctx.session.flush()
    return comment


def delete(ctx: Context, comment_id: int) -> Comment:
    """Take one's own comment away: the words go, its place stays, and so do the replies.

    Raises `NotFound` for other people's comments, `Denied("already_gone")`.
    """
    comment = locked(ctx.session, Comment, comment_id)
    ctx.require(Permission.COMMENT_EDIT, comment)
    comment.deleted_at = ctx.now
    if not _is_flagged(ctx, comment.id):
        # What was taken away is gone from the database too; only what a moderator has yet to judge waits.
        forget_words(comment)
    ctx.session.flush()
    count(ctx, comment.contribution_id, -1)
    audit.record(ctx, "comment.delete", comment)
    return comment


def forget_words(comment: Comment) -> None:
    """Leave nothing of a comment but its place."""
    comment.text = ""
    comment.author_name = ""


def hide(ctx: Context, comment_id: int) -> Comment:
    """Put a comment aside until a moderator looks or restores it. The caller decides and writes the act.

    Raises `NotFound`, `Conflict("already_gone")`.
    """
    comment = locked(ctx.session, Comment, comment_id)
    if comment.hidden_at or comment.deleted_at:
        raise Conflict("already_gone")
    comment.hidden_at = ctx.now
    ctx.session.flush()
    count(ctx, comment.contribution_id, -1)
    return comment


def close(ctx: Context, contribution_id: int, *, closed: bool) -> None:
    """Stop new comments from residents under an input, or let them in again."""
    contribution = locked(ctx.session, Contribution, contribution_id)
    grant: Grant = ctx.require(Permission.CONTRIBUTION_SORT, contribution)
    if contribution.comments_closed is closed:
        return
    contribution.comments_closed = closed
    ctx.session.flush()
    audit.record(ctx, "comments.close" if closed else "comments.open", contribution, grant)


def count(ctx: Context, contribution_id: int, by: int) -> None:
    """Keep the number of standing comments of an input; a comment is locked before its input, never after."""
    ctx.session.execute(
        update(Contribution)
        .where(Contribution.id == contribution_id)
        .values(comments_count=Contribution.comments_count + by)
    )


def _with_key(ctx: Context, key: str | None) -> Comment | None:
    if not key:
        return None
    return ctx.session.execute(select(Comment).where(Comment.idempotency_key == key)).scalar_one_or_none()


def _just_said(ctx: Context, command: WriteComment, text: str) -> Comment | None:
    said = select(Comment).where(
        Comment.contribution_id == command.contribution_id,
        Comment.person_id == ctx.actor.person_id,
        Comment.parent_id.is_not_distinct_from(command.parent_id),
        Comment.text == text,
        Comment.created_at > ctx.now - SAME_WORDS,
        Comment.deleted_at.is_(None),
        Comment.hidden_at.is_(None),
    )
    return ctx.session.execute(said.limit(1)).scalar_one_or_none()


def _is_flagged(ctx: Context, comment_id: int) -> bool:
    waiting = select(Flag.id).where(Flag.comment_id == comment_id, Flag.settled_at.is_(None))
    return ctx.session.execute(waiting).first() is not None


def _parent(ctx: Context, command: WriteComment) -> Comment | None:
    if command.parent_id is None:
        return None
    parent = ctx.session.get(Comment, command.parent_id)
    if parent is None or parent.contribution_id != command.contribution_id:
        raise NotFound("comment")
    if parent.deleted_at or parent.hidden_at:
        raise Conflict("already_gone")
    return parent


def _clean(text: str) -> str:
    if len(text) > COMMENT_LIMIT * 2 or len(clean_text(text, COMMENT_LIMIT + 1)) > COMMENT_LIMIT:
        raise Invalid("text", "too_long")
    cleaned = clean_text(text, COMMENT_LIMIT)
    if not cleaned:
        raise Invalid("text", "required")
    return cleaned
