"""Appeals: the author of hidden words asks somebody else to look again, once, and gets a reasoned answer."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from lab.db.locking import locked
from lab.kernel.errors import Conflict, Denied, Invalid, NotFound
from lab.kernel.text import clean_text
from lab.models.contributions import Contribution, Visibility
from lab.models.conversation import Comment
from lab.models.moderation import ModerationAct
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import audit, contributions, moderation, outbox
from lab.services.context import Context
from lab.services.moderation import HIDE, REASON_LEAST, REASON_LIMIT, SHOWN


def act_of_mine(ctx: Context, act_id: int) -> ModerationAct:
    """The act by which the reader's own words were hidden. Raises `NotFound` for everybody else."""
    act = ctx.session.get(ModerationAct, act_id)
    if act is None or act.act != HIDE:
        raise NotFound("moderation_act")
    ctx.require(Permission.APPEAL_MAKE, subject_of(ctx, act))
    return act


def hiding(ctx: Context, contribution_id: int) -> ModerationAct | None:
    """The latest act by which an input was hidden."""
    query = (
        select(ModerationAct)
        .where(ModerationAct.contribution_id == contribution_id, ModerationAct.act == HIDE)
        .order_by(ModerationAct.id.desc())
        .limit(1)
    )
    return ctx.session.execute(query).scalar_one_or_none()


def hiding_of(ctx: Context, code: str) -> int:
    """The id of the act that hid one's own input. Raises `NotFound` for everybody else."""
    query = select(Contribution).where(Contribution.code == code)
    contribution = ctx.session.execute(query).scalar_one_or_none()
    act = hiding(ctx, contribution.id) if contribution is not None else None
    if act is None:
        raise NotFound("moderation_act")
    return act_of_mine(ctx, act.id).id


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


def subjects_of(ctx: Context, acts: Sequence[ModerationAct]) -> list[Contribution | Comment]:
    """The texts these acts are about, in their order; two statements however many they are."""
    found: dict[tuple[bool, int | None], Contribution | Comment] = {}
    comments = select(Comment).where(Comment.id.in_({act.comment_id for act in acts} - {None}))
    inputs = select(Contribution).where(Contribution.id.in_({act.contribution_id for act in acts} - {None}))
    for comment in ctx.session.execute(comments).scalars():
        found[True, comment.id] = comment
    for one in ctx.session.execute(inputs).scalars():
        found[False, one.id] = one
    return [found[act.comment_id is not None, act.comment_id or act.contribution_id] for act in acts]


def make(ctx: Context, act_id: int, words: str) -> ModerationAct:
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


def settle(ctx: Context, act_id: int, answer: str, *, upheld: bool) -> ModerationAct:
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
    if act.contribution_id is not None and contributions.is_co_author(ctx, act.contribution_id):
        raise Denied("own_words")
    words = clean_text(answer, REASON_LIMIT)
    if len(words) < REASON_LEAST:
        raise Invalid("answer", "too_short")
    if act.appeal_settled_at is not None:
        if (act.appeal_settled_by_id, act.appeal_answer) == (ctx.actor.person_id, words):
            return act  # the second of two clicks
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
            moderation.restore_comment(ctx, comment, words, grant)
        return
    contribution = locked(ctx.session, Contribution, act.contribution_id)
    if contribution.visibility is Visibility.HIDDEN:
        moderation.restore_contribution(ctx, contribution.id, words, grant)


def waiting(ctx: Context) -> Sequence[ModerationAct]:
    """Appeals that wait for an answer, the oldest first."""
    query = (
        select(ModerationAct)
        .where(ModerationAct.appealed_at.is_not(None), ModerationAct.appeal_settled_at.is_(None))
        .order_by(ModerationAct.appealed_at, ModerationAct.id)
        .limit(SHOWN)
    )
    return ctx.session.execute(query).scalars().all()
