"""What the page of signing up needs to know: one statement, one more each for groups and questions.

Reading a filled form takes less: see `Sheet`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, and_, bindparam, exists, select
from sqlalchemy.orm import joinedload

from lab.kernel.errors import NotFound
from lab.models.events import Event, EventState
from lab.models.registrations import EventQuestion, Registration, SeatGroup, SignUp
from lab.services import seats, sign_up_settings, twins
from lab.services.context import Context


class Way(StrEnum):
    """What somebody who wants to come can do now."""

    OPEN = "open"
    FULL = "full"
    NOT_YET = "not_yet"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    NOT_NEEDED = "not_needed"
    OVER = "over"


_HAS_QUESTIONS = exists().where(EventQuestion.event_id == Event.id)


def _query(*, mine: bool) -> Any:
    query: Any = select(Event, SignUp, _HAS_QUESTIONS.label("has_questions")).outerjoin(
        SignUp, SignUp.event_id == Event.id
    )
    if mine:
        own = and_(
            Registration.event_id == Event.id,
            Registration.person_id == bindparam("person"),
            twins.holds(),
        )
        query = query.add_columns(Registration).outerjoin(Registration, own)
    query = query.where(Event.code == bindparam("code"), Event.is_public)
    return query.options(joinedload(Event.place))


#: By whether somebody is signed in: put together once for all readers.
_QUERIES = {mine: _query(mine=mine) for mine in (False, True)}

#: A public meeting without groups and questions of its own, in plain columns: a thousand may send the filled
#: form at once. Takes `code`; `plain_sheet` reads its row.
PLAIN = (
    select(
        Event.id,
        Event.state,
        Event.starts_at,
        SignUp.is_offered,
        SignUp.opens_at,
        SignUp.closes_at,
        SignUp.capacity,
        SignUp.taken,
        SignUp.lent,
        SignUp.party_most,
        SignUp.asks,
        SignUp.consent_version,
    )
    .join(SignUp, SignUp.event_id == Event.id)
    .where(Event.code == bindparam("code"), Event.is_public, ~SignUp.has_groups, ~_HAS_QUESTIONS)
)


@dataclass(frozen=True)
class Sheet:
    """What reading a filled form takes."""

    event_id: int
    way: Way
    party_most: int = 1
    asks: Sequence[str] = ()
    consent_version: int = 1
    questions: Sequence[EventQuestion] = ()

    @property
    def is_open(self) -> bool:
        """Whether the form is there: for a place, or for the waiting list."""
        return self.way in (Way.OPEN, Way.FULL)


def plain_sheet(row: Row[*tuple[Any, ...]], now: datetime) -> Sheet:
    """The sheet of a meeting without groups and questions, from its row of `PLAIN`."""
    return Sheet(row.id, _way(now, row, row), row.party_most, row.asks, row.consent_version)


@dataclass(frozen=True)
class Door:
    """A meeting as its sign-up page shows it. `own` is the reader's own sign-up."""

    event: Event
    sign_up: SignUp | None
    groups: list[SeatGroup]
    questions: list[EventQuestion]
    own: Registration | None
    way: Way

    @property
    def sheet(self) -> Sheet:
        """What reading its filled form takes."""
        one = self.sign_up
        if one is None:
            return Sheet(self.event.id, self.way)
        return Sheet(self.event.id, self.way, one.party_most, one.asks, one.consent_version, self.questions)

    def room(self, ctx: Context, group_id: int | None = None) -> int | None:
        """Places for this group (None: for whoever is in none) now; None when nobody counts."""
        assert self.sign_up is not None
        books = seats.Books(
            ctx, self.sign_up, {group.id: group for group in self.groups}, self.event.fullness
        )
        return books.room_for(group_id)


def door(ctx: Context, code: str) -> Door:
    """The page of signing up for a meeting. Raises `NotFound` for what is not public."""
    person = ctx.actor.person_id
    said = {"code": code} if person is None else {"code": code, "person": person}
    found = ctx.session.execute(_QUERIES[person is not None], said).first()
    if found is None:
        raise NotFound("event")
    event: Event = found[0]
    sign_up: SignUp | None = found[1]
    own: Registration | None = found[3] if person is not None else None
    groups = sign_up_settings.groups(ctx, event.id) if sign_up is not None and sign_up.has_groups else []
    asked = sign_up is not None and found.has_questions
    questions = sign_up_settings.questions(ctx, event.id) if asked else []
    return Door(event, sign_up, groups, questions, own, _way(ctx.now, event, sign_up))


def _way(now: datetime, event: Any, sign_up: Any) -> Way:
    if event.state is EventState.CANCELLED:
        return Way.CANCELLED
    if event.starts_at <= now or event.state is EventState.HELD:
        return Way.OVER
    if sign_up is None or not sign_up.is_offered:
        return Way.NOT_NEEDED
    if sign_up.opens_at and now < sign_up.opens_at:
        return Way.NOT_YET
    if now >= (min(sign_up.closes_at, event.starts_at) if sign_up.closes_at else event.starts_at):
        return Way.CLOSED
    free = None if sign_up.capacity is None else sign_up.capacity - sign_up.taken - sign_up.lent
    return Way.FULL if free is not None and free <= 0 else Way.OPEN
