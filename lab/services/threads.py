"""Reading a conversation: a page of branches in one statement, however many comments there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, literal, or_, select, union_all

from lab.kernel.errors import Conflict, NotFound
from lab.models.contributions import Contribution
from lab.models.conversation import Comment
from lab.models.programme import Office
from lab.policy.permissions import Permission
from lab.services.context import Context

#: Branches on a page, and replies of each that are shown at once.
ROOTS = 20
REPLIES = 30
#: Replies on one page of a single branch.
BRANCH = 100
#: How deep replies are drawn; deeper ones stay in their branch and say whom they answer.
DEPTH = 2

Key = tuple[datetime, int]


@dataclass(frozen=True)
class Voice:
    """One comment as a page shows it: `level` 0 to `DEPTH`, `answers` the name it replies to when deeper."""

    comment: Comment
    office: str
    level: int
    answers: str = ""


@dataclass(frozen=True)
class Branch:
    """A comment that started something, the replies shown, and how many more there are."""

    root: Voice
    replies: list[Voice] = field(default_factory=list)
    more: int = 0


@dataclass(frozen=True)
class Thread:
    """A page of branches; `next_key` is where the next page begins, None at the end."""

    branches: list[Branch]
    next_key: Key | None


def item(ctx: Context, contribution_id: int) -> Contribution:
    """The input a comment stands under; who may read it is not asked here."""
    return ctx.session.get_one(Contribution, contribution_id)


def open_to(ctx: Context, code: str) -> Contribution:
    """An input under which the reader may write. Raises `NotFound`, `Denied` as `conversation.write`."""
    found = ctx.session.execute(select(Contribution).where(Contribution.code == code)).scalar_one_or_none()
    if found is None:
        raise NotFound("contribution")
    ctx.require(Permission.COMMENT_WRITE, found)
    return found


def to_answer(ctx: Context, comment_id: int) -> tuple[Contribution, Comment]:
    """A comment that the reader may answer, with its input.

    Raises as `open_to`, and `Conflict("already_gone")` when it was taken away.
    """
    comment = ctx.session.get(Comment, comment_id)
    if comment is None:
        raise NotFound("comment")
    found = item(ctx, comment.contribution_id)
    # First of all whether one may read there: that words were there is no news for others.
    ctx.require(Permission.COMMENT_WRITE, found)
    if _is_gone(comment):
        raise Conflict("already_gone")
    return found, comment


def answered(ctx: Context, contribution: Contribution, comment_id: int | None) -> Comment | None:
    """The comment under this input that is being answered, while it stands.

    Raises `NotFound` for words under another input: those are shown where that one may be read.
    """
    comment = ctx.session.get(Comment, comment_id) if comment_id is not None else None
    if comment is not None and comment.contribution_id != contribution.id:
        raise NotFound("comment")
    return None if comment is None or _is_gone(comment) else comment


def own(ctx: Context, comment_id: int) -> Comment:
    """A comment that the reader may correct. Raises `NotFound`, `Denied("already_gone")`."""
    comment = ctx.session.get(Comment, comment_id)
    if comment is None:
        raise NotFound("comment")
    ctx.require(Permission.COMMENT_EDIT, comment)
    return comment


def _is_gone(comment: Comment) -> bool:
    return comment.deleted_at is not None or comment.hidden_at is not None


def thread(ctx: Context, contribution_id: int, after: Key | None = None, *, newest: bool = False) -> Thread:
    """One page of the conversation under an input, oldest branch first unless `newest`. One statement."""
    values = {"contribution": contribution_id, "at": after and after[0], "after": after and after[1]}
    rows = ctx.session.execute(_page(after is not None, newest), values).all()
    branches = _branches(rows)
    branches.sort(key=lambda branch: _key(branch.root.comment), reverse=newest)
    more = len(branches) > ROOTS
    branches = branches[:ROOTS]
    return Thread(branches, _key(branches[-1].root.comment) if more else None)


@cache
def _page(later: bool, newest: bool) -> Select[Any]:
    """Put together once for each way of paging: that takes longer than asking."""
    roots = _roots(later, newest).cte("roots")
    replies = (
        select(
            Comment.id.label("id"),
            func.row_number()
            .over(partition_by=Comment.root_id, order_by=(Comment.created_at, Comment.id))
            .label("place"),
            func.count().over(partition_by=Comment.root_id).label("replies"),
        )
        .join(roots, roots.c.id == Comment.root_id)
        .subquery()
    )
    shown = union_all(
        select(roots.c.id, literal(0).label("place"), literal(0).label("replies")),
        select(replies.c.id, replies.c.place, replies.c.replies).where(replies.c.place <= REPLIES),
    ).subquery()
    return (
        select(Comment, Office.name, shown.c.replies)
        .join(shown, shown.c.id == Comment.id)
        .outerjoin(Office, Office.id == Comment.office_id)
        .order_by(Comment.created_at, Comment.id)
    )


def branch(ctx: Context, comment_id: int, after: Key | None = None) -> tuple[Contribution, Thread] | None:
    """The whole branch a comment belongs to, by pages of replies, with its input.

    None when there is no such comment; raises `NotFound` when the reader may not read the input.
    """
    query = select(Comment, Contribution).join(Contribution, Contribution.id == Comment.contribution_id)
    found = ctx.session.execute(query.where(Comment.id == comment_id)).one_or_none()
    if found is None:
        return None
    asked, contribution = found
    ctx.require(Permission.CONTRIBUTION_READ, contribution)
    root_id = asked.root_id or asked.id
    replies = select(Comment, Office.name, literal(0)).outerjoin(Office, Office.id == Comment.office_id)
    mine = Comment.root_id == root_id
    if after is not None:
        mine = and_(mine, _after(after))
    page = (
        replies.where(or_(Comment.id == root_id, mine))
        .order_by(Comment.created_at, Comment.id)
        .limit(BRANCH + 2)
    )
    rows = ctx.session.execute(page).all()
    more = len(rows) > BRANCH + 1
    rows = rows[: BRANCH + 1]
    return contribution, Thread(_branches(rows), _key(rows[-1][0]) if more else None)


def _roots(later: bool, newest: bool) -> Select[Any]:
    order = (Comment.created_at, Comment.id)
    mine = Comment.contribution_id == bindparam("contribution")
    query = select(Comment.id).where(mine, Comment.root_id.is_(None))
    if later:
        key: tuple[Any, Any] = (bindparam("at"), bindparam("after"))
        query = query.where(_before(key) if newest else _after(key))
    ordered = query.order_by(*(column.desc() for column in order)) if newest else query.order_by(*order)
    return ordered.limit(ROOTS + 1)


def _after(key: tuple[Any, Any]) -> Any:
    at, comment_id = key
    return or_(Comment.created_at > at, and_(Comment.created_at == at, Comment.id > comment_id))


def _before(key: tuple[Any, Any]) -> Any:
    at, comment_id = key
    return or_(Comment.created_at < at, and_(Comment.created_at == at, Comment.id < comment_id))


def _key(comment: Comment) -> Key:
    return comment.created_at, comment.id


def _branches(rows: Any) -> list[Branch]:
    """From rows (comment, office, replies in its branch) in time order to branches in reading order."""
    roots: dict[int, Comment] = {}
    offices: dict[int, str] = {}
    replies: dict[int, list[Comment]] = {}
    totals: dict[int, int] = {}
    for comment, office, total in rows:
        offices[comment.id] = office or ""
        if comment.root_id is None:
            roots[comment.id] = comment
        else:
            replies.setdefault(comment.root_id, []).append(comment)
            totals[comment.root_id] = total
    return [
        Branch(
            Voice(root, offices[root_id], 0),
            _in_reading_order(root, replies.get(root_id, []), offices),
            max(0, totals.get(root_id, 0) - len(replies.get(root_id, []))),
        )
        for root_id, root in roots.items()
    ]


def _in_reading_order(root: Comment, replies: list[Comment], offices: dict[int, str]) -> list[Voice]:
    by_id = {reply.id: reply for reply in replies}
    below: dict[int, list[Comment]] = {}
    for reply in replies:
        # A reply whose parent stands on an earlier page, or was never imported, hangs on the root.
        parent = reply.parent_id if reply.parent_id in by_id else root.id
        below.setdefault(parent or root.id, []).append(reply)
    voices: list[Voice] = []
    waiting = [(reply, 1) for reply in reversed(below.get(root.id, []))]
    while waiting:
        reply, depth = waiting.pop()
        parent_comment = by_id.get(reply.parent_id or 0)
        # Names are words too: that of a comment taken away goes with it.
        named = depth > DEPTH and parent_comment is not None and not _is_gone(parent_comment)
        answers = parent_comment.author_name if parent_comment and named else ""
        voices.append(Voice(reply, offices[reply.id], min(depth, DEPTH), answers))
        waiting.extend((child, depth + 1) for child in reversed(below.get(reply.id, [])))
    return voices
