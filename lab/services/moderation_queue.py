"""What waits for moderators, what is hidden, and how often: the numbers are for everybody to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import extract, func, or_, select
from sqlalchemy.orm import joinedload

from lab.models.accounts import Person
from lab.models.contributions import Contribution, Visibility
from lab.models.conversation import Comment
from lab.models.moderation import Flag, ModerationAct
from lab.services.context import Context
from lab.services.moderation import HIDE, SHOWN


@dataclass(frozen=True)
class MonthOfActs:
    """How often a kind of act happened in a month (its first day)."""

    month: date
    act: str
    count: int
    appeals: int


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


def flags_on(ctx: Context, contribution_id: int) -> Sequence[Flag]:
    """The flags on one input that nobody has settled."""
    query = select(Flag).where(Flag.contribution_id == contribution_id, Flag.settled_at.is_(None))
    return ctx.session.execute(query.order_by(Flag.id)).scalars().all()


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


def hidings(
    ctx: Context, inputs: Sequence[Contribution], comments: Sequence[Comment]
) -> dict[str, ModerationAct]:
    """The latest act by which each of these was hidden, by "p" or "c" and its number."""
    about = or_(
        ModerationAct.contribution_id.in_([one.id for one in inputs]),
        ModerationAct.comment_id.in_([one.id for one in comments]),
    )
    query = select(ModerationAct).where(about, ModerationAct.act == HIDE).order_by(ModerationAct.id)
    return {
        f"c{act.comment_id}" if act.comment_id else f"p{act.contribution_id}": act
        for act in ctx.session.execute(query).scalars()
    }


def names(ctx: Context, acts: Iterable[ModerationAct]) -> dict[int, str]:
    """The names of those who acted, by person."""
    people = {act.person_id for act in acts if act.person_id is not None}
    return {
        row.id: row.name for row in ctx.session.execute(select(Person).where(Person.id.in_(people))).scalars()
    }


def homes(ctx: Context, comment_ids: Iterable[int | None]) -> dict[int, str]:
    """The codes of the inputs under which these comments stand, by comment."""
    query = (
        select(Comment.id, Contribution.code)
        .join(Contribution, Contribution.id == Comment.contribution_id)
        .where(Comment.id.in_({one for one in comment_ids if one is not None}))
    )
    return {row.id: row.code for row in ctx.session.execute(query)}


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
