"""Hiding and restoring, flags and appeals: every act has a reason, is told to the author and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import extract, func, select, update
from sqlalchemy.orm import joinedload

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


@dataclass(frozen=True)
class MonthOfActs:
    """How often a kind of act happened in a month (its first day)."""

    month: date
    act: str
    count: int
    appeals: int


def hide(ctx: Context, subject: Subject, reason: str, version: int | None = None) -> ModerationAct:
    """Hide a text with the reason its author is told. Never one's own words.

    Raises `NotFound`, `Denied("own_words")`, `Invalid("reason", "too_short")`, and `Conflict` for what is
    hidden ("already_hidden"), private ("not_visible") or taken away by its author ("already_gone").
    """
    words = _reason(reason)
    if subject.comment_id is not None:
        comment = locked(ctx.session, Comment, subject.comment_id)
        grant = ctx.require(Permission.COMMENT_HIDE, comment)
        return _hide_comment(ctx, comment, words, grant)
    with contributions.changing(ctx, _id(subject), version) as contribution:
        grant = ctx.require(Permission.CONTRIBUTION_HIDE, contribution)
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
    words = _reason(reason)
    if subject.comment_id is not None:
        comment = locked(ctx.session, Comment, subject.comment_id)
        grant = ctx.require(Permission.COMMENT_HIDE, comment)
        return _restore_comment(ctx, comment, words, grant)
    contribution = locked(ctx.session, Contribution, _id(subject))
    grant = ctx.require(Permission.CONTRIBUTION_HIDE, contribution)
    return _restore_contribution(ctx, contribution.id, words, grant, version)


def _restore_contribution(
    ctx: Context, contribution_id: int, words: str, grant: Grant, version: int | None = None
) -> ModerationAct:
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


def _restore_comment(ctx: Context, comment: Comment, words: str, grant: Grant) -> ModerationAct:
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

    Raises `NotFound`, `Denied("own_words")`.
    """
    grant = ctx.require(Permission.FLAG_SETTLE)
    row = _row(ctx, subject)
    if row.person_id is not None and row.person_id == ctx.actor.person_id:
        raise Denied("own_words")
    settled = _settle_flags(ctx, subject)
    if settled:
        audit.record(ctx, "flag.leave", row, grant, flags=settled)
    return settled


def _row(ctx: Context, subject: Subject) -> Contribution | Comment:
    if subject.comment_id is not None:
        return locked(ctx.session, Comment, subject.comment_id)
    return locked(ctx.session, Contribution, _id(subject))


def _id(subject: Subject) -> int:
    if subject.contribution_id is None:
        raise NotFound("subject")
    return subject.contribution_id


def _reason(reason: str) -> str:
    words = clean_text(reason, REASON_LIMIT)
    if len(words) < REASON_LEAST:
        raise Invalid("reason", "too_short")
    return words


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


def act_of_mine(ctx: Context, act_id: int) -> ModerationAct:
    """The act by which the reader's own words were hidden. Raises `NotFound` for everybody else."""
    act = ctx.session.get(ModerationAct, act_id)
    if act is None or act.act != HIDE:
        raise NotFound("moderation_act")
    ctx.require(Permission.APPEAL_MAKE, subject_of(ctx, act))
    return act


def subject_of(ctx: Context, act: ModerationAct) -> Contribution | Comment:
    """The text an act is about. Raises `NotFound`."""
    found: Contribution | Comment | None
    if act.comment_id is not None:
        found = ctx.session.get(Comment, act.comment_id)
    else:
        found = ctx.session.get(Contribution, act.contribution_id)
    if found is None:
        raise NotFound("moderation_act")
    return found


def appeal(ctx: Context, act_id: int, words: str) -> ModerationAct:
    """The author asks somebody else to look again; once for each act. Asking the same twice is asking once.

    Raises `NotFound` for what is no hiding, `Conflict("already_appealed")`, `Invalid("words", "too_short")`.
    """
    act = locked(ctx.session, ModerationAct, act_id)
    grant = ctx.require(Permission.APPEAL_MAKE, subject_of(ctx, act))
    said = clean_text(words, REASON_LIMIT)
    if act.act != HIDE:
        raise NotFound("moderation_act")
    if len(said) < REASON_LEAST:
        raise Invalid("words", "too_short")
    if act.appealed_at is not None:
        if act.appeal == said:
            return act
        raise Conflict("already_appealed")
    act.appeal, act.appealed_at = said, ctx.now
    audit.record(ctx, "appeal.make", act, grant)
    outbox.announce(ctx, "appeal.made", act_id=act.id)
    ctx.session.flush()
    return act


def settle_appeal(ctx: Context, act_id: int, answer: str, *, upheld: bool) -> ModerationAct:
    """Answer an appeal with a reason: show the text again (`upheld`) or leave it hidden.

    Raises `NotFound` where nobody appealed, `Denied("own_act")` for who hid it, `Denied("own_words")` for its
    author, `Conflict("settled")`, `Invalid("answer", "too_short")`.
    """
    act = locked(ctx.session, ModerationAct, act_id)
    grant = ctx.require(Permission.APPEAL_SETTLE, act)
    if act.appealed_at is None:
        raise NotFound("appeal")
    author_id = subject_of(ctx, act).person_id
    if author_id is not None and author_id == ctx.actor.person_id:
        raise Denied("own_words")
    words = clean_text(answer, REASON_LIMIT)
    if len(words) < REASON_LEAST:
        raise Invalid("answer", "too_short")
    if act.appeal_settled_at is not None:
        raise Conflict("settled")
    act.appeal_answer, act.appeal_settled_at = words, ctx.now
    act.appeal_settled_by_id = ctx.actor.person_id
    if upheld:
        _show_again(ctx, act, words, grant)
    audit.record(ctx, "appeal.settle", act, grant, reason=words, upheld=upheld)
    outbox.announce(ctx, "appeal.settled", act_id=act.id)
    ctx.session.flush()
    return act


def _show_again(ctx: Context, act: ModerationAct, words: str, grant: Grant) -> None:
    # Somebody may have restored it meanwhile: then there is nothing left to do.
    if act.comment_id is not None:
        comment = locked(ctx.session, Comment, act.comment_id)
        if comment.hidden_at is not None:
            _restore_comment(ctx, comment, words, grant)
        return
    contribution = locked(ctx.session, Contribution, act.contribution_id)
    if contribution.visibility is Visibility.HIDDEN:
        _restore_contribution(ctx, contribution.id, words, grant)


def open_flags(ctx: Context) -> Sequence[Flag]:
    """Flags nobody has looked at, the oldest first."""
    query = (
        select(Flag)
        .where(Flag.settled_at.is_(None))
        .options(joinedload(Flag.contribution), joinedload(Flag.comment))
        .order_by(Flag.created_at, Flag.id)
        .limit(SHOWN * 4)
    )
    return ctx.session.execute(query).scalars().all()


def in_visibility(ctx: Context, visibility: Visibility) -> Sequence[Contribution]:
    """Inputs waiting to be read, or hidden, the oldest first."""
    query = (
        select(Contribution)
        .where(Contribution.visibility == visibility)
        .order_by(Contribution.created_at, Contribution.id)
        .limit(SHOWN)
    )
    return ctx.session.execute(query).scalars().all()


def hidden_comments(ctx: Context) -> Sequence[Comment]:
    """Comments that are hidden now, by the latest acts."""
    acts = (
        select(ModerationAct.comment_id)
        .where(ModerationAct.comment_id.is_not(None), ModerationAct.act == HIDE)
        .order_by(ModerationAct.id.desc())
        .limit(SHOWN * 4)
    )
    query = (
        select(Comment)
        .where(Comment.id.in_(acts), Comment.hidden_at.is_not(None))
        .order_by(Comment.hidden_at.desc(), Comment.id.desc())
        .limit(SHOWN)
    )
    return ctx.session.execute(query).scalars().all()


def open_appeals(ctx: Context) -> Sequence[ModerationAct]:
    """Appeals that wait for an answer, the oldest first."""
    query = (
        select(ModerationAct)
        .where(ModerationAct.appealed_at.is_not(None), ModerationAct.appeal_settled_at.is_(None))
        .order_by(ModerationAct.appealed_at, ModerationAct.id)
        .limit(SHOWN)
    )
    return ctx.session.execute(query).scalars().all()


def flags_on(ctx: Context, contribution_id: int) -> Sequence[Flag]:
    """The flags on one input that nobody has settled."""
    query = select(Flag).where(Flag.contribution_id == contribution_id, Flag.settled_at.is_(None))
    return ctx.session.execute(query.order_by(Flag.id)).scalars().all()


def hiding(ctx: Context, contribution_id: int) -> ModerationAct | None:
    """The latest act by which an input was hidden."""
    query = (
        select(ModerationAct)
        .where(ModerationAct.contribution_id == contribution_id, ModerationAct.act == HIDE)
        .order_by(ModerationAct.id.desc())
        .limit(1)
    )
    return ctx.session.execute(query).scalar_one_or_none()


def homes(ctx: Context, acts: Sequence[ModerationAct]) -> dict[int, str]:
    """The codes of the inputs under which moderated comments stand, by comment."""
    comment_ids = [act.comment_id for act in acts if act.comment_id is not None]
    query = (
        select(Comment.id, Contribution.code)
        .join(Contribution, Contribution.id == Comment.contribution_id)
        .where(Comment.id.in_(comment_ids))
    )
    return {row.id: row.code for row in ctx.session.execute(query)}


def hiding_of(ctx: Context, code: str) -> int:
    """The id of the act that hid one's own input. Raises `NotFound` for everybody else."""
    query = select(Contribution).where(Contribution.code == code)
    contribution = ctx.session.execute(query).scalar_one_or_none()
    act = hiding(ctx, contribution.id) if contribution is not None else None
    if act is None:
        raise NotFound("moderation_act")
    return act_of_mine(ctx, act.id).id


def acts_by_month(ctx: Context, months: int = 24) -> list[MonthOfActs]:
    """How often the lab hid and restored, month by month, the latest first; nothing about whom."""
    year, month = extract("year", ModerationAct.at), extract("month", ModerationAct.at)
    query = (
        select(year, month, ModerationAct.act, func.count(), func.count(ModerationAct.appealed_at))
        .group_by(year, month, ModerationAct.act)
        .order_by(year.desc(), month.desc(), ModerationAct.act)
        .limit(months * 2)
    )
    return [
        MonthOfActs(date(int(y), int(m), 1), act, int(number), int(appeals))
        for y, m, act, number, appeals in ctx.session.execute(query)
    ]
