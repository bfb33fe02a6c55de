"""Flags: a reader says that a text should not stand; enough of them put it aside until somebody looks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, func, select

from lab.db.locking import locked
from lab.kernel.errors import Conflict, NotFound
from lab.kernel.text import clean_text
from lab.models.contributions import Contribution, StepKind, Visibility
from lab.models.conversation import Comment
from lab.models.moderation import Flag, FlagReason, ModerationAct
from lab.policy.actor import SYSTEM
from lab.policy.permissions import Permission
from lab.services import audit, contributions, conversation, once, outbox, site
from lab.services.context import Context

#: Longest note beside a flag, in characters.
NOTE_LIMIT = 500
#: What the author is told when flags alone put a text aside.
BY_FLAGS = "Più persone l'hanno segnalata. La rilegge il Laboratorio: se va bene, torna al suo posto."


@dataclass(frozen=True)
class RaiseFlag:
    """What is flagged (an input or one of its comments) and why."""

    reason: FlagReason
    contribution_id: int | None = None
    comment_id: int | None = None
    note: str = ""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Flagged:
    """The text somebody is about to flag, with its first words and its input."""

    contribution: Contribution
    comment: Comment | None

    @property
    def text(self) -> str:
        """The words it is about."""
        return self.comment.text if self.comment else self.contribution.text

    @property
    def by(self) -> str:
        """The name under them."""
        return self.comment.author_name if self.comment else self.contribution.author_name


def find(ctx: Context, code: str | None = None, comment_id: int | None = None) -> Flagged:
    """What an address points at. Raises `NotFound` for what is gone or not for this reader."""
    query = select(Contribution)
    comment = None
    if comment_id is not None:
        comment = ctx.session.get(Comment, comment_id)
        if comment is None or comment.deleted_at or comment.hidden_at:
            raise NotFound("comment")
        query = query.where(Contribution.id == comment.contribution_id)
    else:
        query = query.where(Contribution.code == (code or ""))
    contribution = ctx.session.execute(query).scalar_one_or_none()
    if contribution is None:
        raise NotFound("contribution")
    ctx.require(Permission.CONTRIBUTION_READ, contribution)
    return Flagged(contribution, comment)


def raise_flag(ctx: Context, command: RaiseFlag) -> Flag:
    """Write a flag down. Flags of different signed-in people count; at the set number the text steps aside.

    Without account a flag only waits in the list. Raises `NotFound`, `Conflict("flagged_already")`
    when this person has flagged this text, `Conflict("already_gone")` when it is no longer shown.
    """
    contribution = _lock(ctx, command)
    ctx.require(Permission.CONTRIBUTION_READ, contribution)
    key = once.own_key(ctx, command.idempotency_key)
    again = _with_key(ctx, key)
    if again is not None:
        return again
    _still_there(ctx, contribution, command)
    subject = _subject(command)
    if ctx.actor.person_id is not None:
        mine = select(Flag.id).where(subject, Flag.person_id == ctx.actor.person_id)
        if ctx.session.execute(mine).first():
            raise Conflict("flagged_already")
    flag = Flag(
        contribution_id=contribution.id if command.comment_id is None else None,
        comment_id=command.comment_id,
        person_id=ctx.actor.person_id,
        reason=command.reason,
        note=clean_text(command.note, NOTE_LIMIT),
        created_at=ctx.now,
        idempotency_key=key,
    )
    ctx.session.add(flag)
    ctx.session.flush()
    if _people(ctx, subject) >= site.rules(ctx).flags_to_hide:
        _step_aside(ctx, contribution.id, command.comment_id)
    return flag


def _lock(ctx: Context, command: RaiseFlag) -> Contribution:
    """Hold what is flagged, so that two flags at once count one after the other; give its input."""
    if command.comment_id is not None:
        comment = locked(ctx.session, Comment, command.comment_id)
        return ctx.session.get_one(Contribution, comment.contribution_id)
    if command.contribution_id is None:
        raise NotFound("contribution")
    return locked(ctx.session, Contribution, command.contribution_id)


def _still_there(ctx: Context, contribution: Contribution, command: RaiseFlag) -> None:
    gone = contribution.visibility is Visibility.HIDDEN
    if command.comment_id is not None:
        comment = ctx.session.get_one(Comment, command.comment_id)
        gone = bool(comment.deleted_at or comment.hidden_at)
    if gone:
        raise Conflict("already_gone")


def _with_key(ctx: Context, key: str | None) -> Flag | None:
    if not key:
        return None
    return ctx.session.execute(select(Flag).where(Flag.idempotency_key == key)).scalar_one_or_none()


def _subject(command: RaiseFlag) -> ColumnElement[bool]:
    if command.comment_id is not None:
        return Flag.comment_id == command.comment_id
    return Flag.contribution_id == command.contribution_id


def _people(ctx: Context, subject: ColumnElement[bool]) -> int:
    """How many different signed-in people flag it, among flags nobody has looked at yet."""
    query = select(func.count(func.distinct(Flag.person_id))).where(subject, Flag.settled_at.is_(None))
    return int(ctx.session.execute(query).scalar_one())


def _step_aside(ctx: Context, contribution_id: int, comment_id: int | None) -> None:
    # The program hides, not the last person who flagged: nobody can be told who it was.
    system = replace(ctx, actor=SYSTEM)
    act = ModerationAct(
        contribution_id=contribution_id if comment_id is None else None,
        comment_id=comment_id,
        act="hide",
        reason=BY_FLAGS,
        at=ctx.now,
        capacity="system",
    )
    ctx.session.add(act)
    ctx.session.flush()
    subject: Any
    if comment_id is not None:
        subject = conversation.hide(system, comment_id)
        outbox.announce(
            system, "comment.hidden", contribution_id=contribution_id, comment_id=comment_id, act_id=act.id
        )
    else:
        with contributions.changing(system, contribution_id) as subject:
            subject.visibility = Visibility.HIDDEN
            contributions.add_step(system, subject, StepKind.HIDDEN, text=BY_FLAGS)
        outbox.announce(system, "contribution.hidden", contribution_id=contribution_id, act_id=act.id)
    audit.record(system, f"{subject.__tablename__}.hide", subject, reason=BY_FLAGS)
