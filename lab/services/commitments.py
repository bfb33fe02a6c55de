"""Who does what by when. Taken on in a meeting or elsewhere; kept, late or dropped for everybody to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import joinedload

from lab.db.locking import expect_version, locked
from lab.kernel.clock import local_date
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.capture import Commitment, CommitmentState
from lab.models.contributions import ContributionProject
from lab.models.events import Event, EventProject
from lab.policy.permissions import Permission
from lab.policy.visibility import answerable_commitments
from lab.services import audit, wording
from lab.services.context import Context

NOTE_LIMIT = 1000
PER_PAGE = 40

#: Where a list goes on: the day (or none) and id of the last thing shown.
Mark = tuple[date | None, int]


@dataclass(frozen=True)
class Settle:
    """How a commitment ended, or that it is open again. `version`: the number the page was drawn with."""

    commitment_id: int
    version: int | None
    state: CommitmentState
    note: str = ""


@dataclass(frozen=True)
class Listed:
    """A stretch of commitments with the meetings they come from, by id."""

    items: list[Commitment]
    has_more: bool
    events: dict[int, Event]


def is_late(ctx: Context, one: Commitment) -> bool:
    """Whether its day is over and it is still to do."""
    due = one.due_on
    return one.state is CommitmentState.OPEN and due is not None and due < local_date(ctx.now, ctx.timezone)


def owner(one: Commitment) -> str:
    """Who took it on. `office` and `body` must be loaded."""
    named = one.office or one.body
    return named.name if named is not None else one.owner_name


def settle(ctx: Context, command: Settle) -> Commitment:
    """Say that it was kept or dropped (then why), or that it is open after all. The same again is one.

    Raises `NotFound` for everybody but who took it on and the team, `Invalid("note", "required")`,
    `Invalid("note", "too_long")`, `Conflict("changed_meanwhile")`.
    """
    one = locked(ctx.session, Commitment, command.commitment_id)
    grant = ctx.require(Permission.COMMITMENT_UPDATE, one)
    if not one.is_public:
        raise Conflict("minutes_not_published")
    note = wording.text("note", command.note, NOTE_LIMIT)
    if command.state is CommitmentState.DROPPED and not note:
        raise Invalid("note", "required")
    if (one.state, one.note) == (command.state, note):
        return one
    expect_version(one, command.version)
    one.state, one.note = command.state, note
    one.closed_at = None if command.state is CommitmentState.OPEN else ctx.now
    one.version += 1
    audit.record(ctx, f"commitment.{command.state}", one, grant, code=one.code)
    ctx.session.flush()
    return one


def mine(ctx: Context, *, closed: bool = False, after: Mark | None = None) -> Listed:
    """Commitments this person answers for: an office's and a body's own, the team all of them.

    Open ones by their day, those without a day last; `closed`: how the others ended, latest first. Two
    statements. Raises `NotFound` without account.
    """
    if not ctx.actor.is_signed_in:
        raise NotFound("commitment")
    day = Commitment.due_on
    query = (
        select(Commitment)
        .where(Commitment.is_public, answerable_commitments(ctx.actor))
        .options(joinedload(Commitment.office), joinedload(Commitment.body))
        .limit(PER_PAGE + 1)
    )
    if closed:
        query = query.where(Commitment.state != CommitmentState.OPEN).order_by(Commitment.id.desc())
        if after is not None:
            query = query.where(Commitment.id < after[1])
    else:
        query = query.where(Commitment.state == CommitmentState.OPEN)
        query = query.order_by(day.is_(None), day, Commitment.id)
        if after is not None:
            query = query.where(_beyond(after))
    found = list(ctx.session.execute(query).scalars())
    shown = found[:PER_PAGE]
    return Listed(shown, len(found) > PER_PAGE, _events(ctx, shown))


def _beyond(after: Mark) -> ColumnElement[bool]:
    day, last = Commitment.due_on, Commitment.id
    if after[0] is None:
        return and_(day.is_(None), last > after[1])
    return or_(day.is_(None), day > after[0], and_(day == after[0], last > after[1]))


def _events(ctx: Context, found: Sequence[Commitment]) -> dict[int, Event]:
    ids = {one.event_id for one in found if one.event_id is not None}
    rows = ctx.session.execute(select(Event).where(Event.id.in_(ids))).scalars()
    return {event.id: event for event in rows}


@dataclass(frozen=True)
class Wish:
    """Which published commitments are wanted."""

    state: CommitmentState | None = None
    office_id: int | None = None
    body_id: int | None = None
    event_id: int | None = None
    #: A project whose meeting they were taken on in, or that the input they answer speaks of.
    project_id: int | None = None


def public_page(ctx: Context, wish: Wish, after: int | None = None, limit: int = PER_PAGE) -> Listed:
    """Published commitments, the youngest first, from before the id `after` on. One statement."""
    query = _public().order_by(Commitment.id.desc()).limit(limit + 1)
    for column, value in (
        (Commitment.state, wish.state),
        (Commitment.office_id, wish.office_id),
        (Commitment.body_id, wish.body_id),
        (Commitment.event_id, wish.event_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wish.project_id is not None:
        query = query.where(_concerns(wish.project_id))
    if after is not None:
        query = query.where(Commitment.id < after)
    found = ctx.session.execute(query).all()
    shown = [row[0] for row in found[:limit]]
    return Listed(shown, len(found) > limit, {row[1].id: row[1] for row in found if row[1] is not None})


def _concerns(project_id: int) -> ColumnElement[bool]:
    meetings = select(EventProject.event_id).where(EventProject.project_id == project_id)
    inputs = select(ContributionProject.contribution_id).where(ContributionProject.project_id == project_id)
    return or_(Commitment.event_id.in_(meetings), Commitment.contribution_id.in_(inputs))


def public_one(ctx: Context, code: str) -> tuple[Commitment, Event | None]:
    """A published commitment with its meeting. One statement. Raises `NotFound`."""
    found = ctx.session.execute(_public().where(Commitment.code == code)).one_or_none()
    if found is None:
        raise NotFound("commitment")
    return found[0], found[1]


def _public() -> Select[Commitment, Event | None]:
    """Published, and not of a meeting that nobody may read of."""
    return (
        select(Commitment, Event)
        .outerjoin(Event, Event.id == Commitment.event_id)
        .where(Commitment.is_public, or_(Commitment.event_id.is_(None), Event.is_public))
        .options(joinedload(Commitment.office), joinedload(Commitment.body))
    )
