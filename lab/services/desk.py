"""The inbox of the desk: what waits, the oldest promise first, and one act on many inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select
from sqlalchemy.orm import joinedload

from lab.db import search
from lab.kernel.clock import local_date
from lab.kernel.errors import Conflict, Denied, Invalid, LabError
from lab.kernel.ids import parse_receipt_code
from lab.models.accounts import Person
from lab.models.answers import Answer
from lab.models.contributions import (
    ANY,
    ASIDE_STATES,
    IS_OPEN,
    OPEN_STATES,
    Channel,
    Contribution,
    Kind,
    State,
    Tally,
    Visibility,
)
from lab.models.programme import Body, Office, Place, Theme
from lab.models.projects import Project
from lab.policy.permissions import Permission
from lab.policy.visibility import workable_contributions
from lab.services.context import Context

PER_PAGE = 30
#: Counting stops here: nobody works off more than this, and the count stays quick on large sets.
COUNTED = 1000
#: Newest matches of a search that the inbox looks through.
SEARCHED = 2000

_NO_DAY = date(9999, 12, 31)


class Pile(StrEnum):
    """The piles of the inbox; the last three are an office's."""

    OPEN = "open"
    UNREAD = "unread"
    HELD = "held"
    LATE = "late"
    ROUTED = "routed"
    CLOSED = "closed"
    TO_ANSWER = "to_answer"
    DRAFTS = "drafts"
    ANSWERED = "answered"


OFFICE_PILES = (Pile.TO_ANSWER, Pile.DRAFTS, Pile.ANSWERED)
TEAM_PILES = (Pile.OPEN, Pile.UNREAD, Pile.HELD, Pile.LATE, Pile.ROUTED, Pile.CLOSED)
_CLOSED = frozenset({Pile.CLOSED, Pile.ANSWERED})
NOT_HIDDEN = Contribution.visibility != Visibility.HIDDEN


@dataclass(frozen=True)
class Filters:
    """What the inbox shows. None and "" leave a filter out."""

    pile: Pile = Pile.OPEN
    kind: Kind | None = None
    theme_id: int | None = None
    place_id: int | None = None
    office_id: int | None = None
    channel: Channel | None = None
    holder_id: int | None = None
    private: bool = False
    waiting: bool = False
    hidden: bool = False
    query: str = ""


@dataclass(frozen=True)
class Slice:
    """A stretch of the list, with the keys of its ends and whether there is more on either side."""

    items: list[Contribution]
    has_before: bool
    has_after: bool


@dataclass(frozen=True)
class Choices:
    """What can be chosen at the desk today."""

    themes: Sequence[Theme]
    places: Sequence[Place]
    offices: Sequence[Office]
    projects: Sequence[Project]
    bodies: Sequence[Body]


@dataclass(frozen=True)
class Done:
    """What came of a bulk act: codes it was done for, and (code, error code) for the others."""

    done: list[str]
    refused: list[tuple[str, str]]


def sees_all(ctx: Context) -> bool:
    """Whether the whole inbox is theirs; an office sees only what is routed to it."""
    return ctx.may(Permission.CONTRIBUTION_ROUTE)


def piles(ctx: Context) -> tuple[Pile, ...]:
    """The piles this person works on."""
    return TEAM_PILES if sees_all(ctx) else OFFICE_PILES


Key = tuple[Any, int]


def inbox(ctx: Context, filters: Filters, *, after: Key | None = None, before: Key | None = None) -> Slice:
    """One page of the inbox. Open piles: the oldest day first; settled ones: the newest first."""
    ctx.require(Permission.INBOX_SEE)
    column, descending = order_of(ctx, filters)
    query = (
        select(Contribution)
        .where(workable_contributions(ctx.actor), *_conditions(ctx, filters))
        .options(joinedload(Contribution.holder), joinedload(Contribution.office))
    )
    backwards = before is not None
    key = before or after
    if key is not None:
        query = query.where(_beyond(column, key, up=descending == backwards))
    turned = descending != backwards
    ends = (column.desc(), Contribution.id.desc()) if turned else (column.asc(), Contribution.id.asc())
    rows = list(ctx.session.execute(query.order_by(*ends).limit(PER_PAGE + 1)).scalars())
    more, rows = len(rows) > PER_PAGE, rows[:PER_PAGE]
    if backwards:
        return Slice(rows[::-1], has_before=more, has_after=True)
    return Slice(rows, has_before=after is not None, has_after=more)


def order_of(ctx: Context, filters: Filters) -> tuple[Any, bool]:
    """The column a pile is ordered by, and whether the newest comes first."""
    if filters.pile in _CLOSED:
        return Contribution.decided_at, True
    if sees_all(ctx):
        return Contribution.promise_due_at, False
    return func.coalesce(Contribution.office_due_on, literal(_NO_DAY)), False


def key_of(ctx: Context, filters: Filters, item: Contribution) -> Key:
    """The place of an input in its list."""
    if filters.pile in _CLOSED:
        return item.decided_at, item.id
    return (item.promise_due_at if sees_all(ctx) else item.office_due_on or _NO_DAY), item.id


def _beyond(column: Any, key: Key, *, up: bool) -> ColumnElement[bool]:
    value, last_id = key
    if up:
        return or_(column > value, and_(column == value, Contribution.id > last_id))
    return or_(column < value, and_(column == value, Contribution.id < last_id))


def _conditions(ctx: Context, filters: Filters) -> list[Any]:
    found: list[Any] = [*_of_pile(ctx, filters.pile)]
    plain = (
        (Contribution.kind, filters.kind),
        (Contribution.theme_id, filters.theme_id),
        (Contribution.place_id, filters.place_id),
        (Contribution.office_id, filters.office_id),
        (Contribution.channel, filters.channel),
        (Contribution.holder_id, filters.holder_id),
    )
    found += [column == value for column, value in plain if value is not None]
    if filters.private:
        found.append(Contribution.visibility == Visibility.PRIVATE)
    if filters.waiting:
        found.append(Contribution.visibility == Visibility.WAITING)
    if filters.hidden:
        found.append(Contribution.visibility == Visibility.HIDDEN)
    if filters.query.strip():
        found.append(_says(ctx, filters.query))
    elif not filters.hidden and filters.pile not in _CLOSED:
        # Nobody answers what was hidden: it is looked at in moderation, and found by whoever looks for it.
        found.append(NOT_HIDDEN)
    return found


def _of_pile(ctx: Context, pile: Pile) -> list[Any]:
    own_drafts = select(Answer.contribution_id).where(
        Answer.office_id.in_(ctx.actor.office_ids), Answer.published_at.is_(None)
    )
    found: dict[Pile, list[Any]] = {
        Pile.OPEN: [IS_OPEN],
        Pile.UNREAD: [IS_OPEN, Contribution.state == State.RECEIVED],
        Pile.HELD: [IS_OPEN, Contribution.holder_id.is_not(None)],
        Pile.LATE: [IS_OPEN, Contribution.promise_due_at < ctx.now],
        Pile.ROUTED: [IS_OPEN, Contribution.office_id.is_not(None)],
        Pile.CLOSED: [Contribution.decided_at.is_not(None)],
        Pile.TO_ANSWER: [IS_OPEN],
        Pile.DRAFTS: [Contribution.id.in_(own_drafts), Contribution.state.not_in(ASIDE_STATES)],
        Pile.ANSWERED: [Contribution.decided_at.is_not(None)],
    }
    return found[pile]


def _says(ctx: Context, query: str) -> ColumnElement[bool]:
    """The words of the query, or the code or receipt code it is."""
    code = Contribution.code == query.strip().upper()[:24]
    receipt = parse_receipt_code(query)
    if receipt is not None:
        code = or_(code, Contribution.receipt_code == receipt)
    condition = search.matches(ctx.session, query, "contribution")
    if condition is None:
        return code
    document = search.search_document
    found = (
        select(document.c.contribution_id)
        .where(document.c.kind == "contribution", condition)
        .order_by(document.c.id.desc())
        .limit(SEARCHED)
    )
    return or_(code, Contribution.id.in_(found))


#: Piles counted row by row; the others have kept numbers.
COUNTED_ROWS = frozenset({Pile.HELD, Pile.LATE, Pile.TO_ANSWER, Pile.DRAFTS})


def counts(ctx: Context) -> dict[Pile, int]:
    """How many lie on each pile; settled piles are not counted, beyond `COUNTED` a count is only more."""
    if not sees_all(ctx):
        return {
            pile: _capped(ctx, NOT_HIDDEN, *_of_pile(ctx, pile)) for pile in (Pile.TO_ANSWER, Pile.DRAFTS)
        }
    by_state = (
        select(Tally.state, Tally.office_id, func.sum(Tally.count))
        .where(Tally.theme_id == ANY, Tally.office_id > ANY, Tally.state.in_(OPEN_STATES))
        .group_by(Tally.state, Tally.office_id)
    )
    rows = [(state, office_id > 0, int(n)) for state, office_id, n in ctx.session.execute(by_state)]
    rows += [(state, routed, -int(n)) for state, routed, n in ctx.session.execute(_hidden_by_state())]
    return {
        Pile.OPEN: sum(number for _, _, number in rows),
        Pile.UNREAD: sum(number for state, _, number in rows if state == State.RECEIVED),
        Pile.ROUTED: sum(number for _, routed, number in rows if routed),
        Pile.HELD: _capped(ctx, NOT_HIDDEN, *_of_pile(ctx, Pile.HELD)),
        Pile.LATE: _capped(ctx, NOT_HIDDEN, *_of_pile(ctx, Pile.LATE)),
    }


def _hidden_by_state() -> Select[*tuple[Any, ...]]:
    """What the tally counts and the piles do not show."""
    routed = Contribution.office_id.is_not(None)
    return (
        select(Contribution.state, routed, func.count())
        .where(Contribution.visibility == Visibility.HIDDEN, IS_OPEN)
        .group_by(Contribution.state, routed)
    )


def waiting_count(ctx: Context) -> int:
    """How many wait for somebody to read them before everybody can."""
    return min(_capped(ctx, Contribution.visibility == Visibility.WAITING), COUNTED)


def _capped(ctx: Context, *conditions: Any) -> int:
    few = select(Contribution.id).where(workable_contributions(ctx.actor), *conditions).limit(COUNTED + 1)
    return int(ctx.session.execute(select(func.count()).select_from(few.subquery())).scalar_one())


def choices(ctx: Context) -> Choices:
    """Themes, places, offices, projects and bodies one can choose from today."""
    today = local_date(ctx.now, ctx.timezone)

    def rows(query: Select[Any]) -> Sequence[Any]:
        return ctx.session.execute(query).scalars().all()

    in_service = or_(Office.closed_on.is_(None), Office.closed_on > today)
    return Choices(
        themes=rows(select(Theme).where(~Theme.retired).order_by(Theme.position, Theme.name)),
        places=rows(select(Place).where(~Place.retired).order_by(Place.name)),
        offices=rows(select(Office).where(in_service).order_by(Office.name)),
        projects=rows(select(Project).order_by(Project.position, Project.code)),
        bodies=rows(select(Body).order_by(Body.name)),
    )


def holders(ctx: Context) -> Sequence[Person]:
    """Who has something in hand now."""
    held = select(Contribution.holder_id).where(Contribution.holder_id.is_not(None), IS_OPEN)
    return (
        ctx.session.execute(select(Person).where(Person.id.in_(held)).order_by(Person.name)).scalars().all()
    )


def by_codes(ctx: Context, codes: Iterable[str]) -> list[Contribution]:
    """The inputs with these codes that this person may work on, in the order of their ids."""
    wanted = [code.strip().upper() for code in codes if code.strip()][:100]
    query = (
        select(Contribution)
        .where(Contribution.code.in_(wanted), workable_contributions(ctx.actor))
        .order_by(Contribution.id)
    )
    return list(ctx.session.execute(query).scalars())


def in_bulk(ctx: Context, chosen: dict[str, int], act: Callable[[Contribution, int], Any]) -> Done:
    """Do one act on several inputs (code -> version): each succeeds or is refused by itself.

    Rows are taken in the order of their ids, so that two bulk acts never block each other.
    """
    result = Done([], [])
    known = by_codes(ctx, chosen)
    for missing in sorted(set(chosen) - {one.code for one in known}):
        result.refused.append((missing, "already_gone"))
    for one in known:
        code = one.code
        try:
            with ctx.session.begin_nested():
                act(one, chosen[code])
                ctx.session.flush()
            result.done.append(code)
        except LabError as error:
            result.refused.append((code, _why(error)))
    return result


def _why(error: LabError) -> str:
    if isinstance(error, Conflict | Invalid):
        return error.code
    return error.reason if isinstance(error, Denied) else "already_gone"


def next_to_answer(ctx: Context, done_id: int) -> Contribution | None:
    """What the office answers next: its oldest day that still waits."""
    rest = inbox(ctx, Filters(pile=Pile.TO_ANSWER)).items
    return next((one for one in rest if one.id != done_id and one.office_id in ctx.actor.office_ids), None)
