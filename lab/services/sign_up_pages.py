"""What the page of signing up needs to know: one statement, one more each for groups and questions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, bindparam, exists, select
from sqlalchemy.orm import joinedload, load_only

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


def _query(*, mine: bool) -> Any:
    asks = exists().where(EventQuestion.event_id == Event.id).label("has_questions")
    query: Any = select(Event, SignUp, asks).outerjoin(SignUp, SignUp.event_id == Event.id)
    if mine:
        own = and_(
            Registration.event_id == Event.id,
            Registration.person_id == bindparam("person"),
            twins.holds(),
        )
        query = query.add_columns(Registration).outerjoin(Registration, own)
    return query.where(Event.code == bindparam("code"), Event.is_public)


#: What a filled form is read with; its page shows more.
_FOR_FORM = load_only(
    Event.id, Event.code, Event.kind, Event.state, Event.starts_at, Event.is_public, Event.fullness
)
#: By whether somebody is signed in, and whether the page is wanted: put together once for all readers.
_QUERIES = {
    (mine, drawn): query.options(joinedload(Event.place) if drawn else _FOR_FORM)
    for mine, query in ((False, _query(mine=False)), (True, _query(mine=True)))
    for drawn in (False, True)
}


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
    def is_open(self) -> bool:
        """Whether the form is there: for a place, or for the waiting list."""
        return self.way in (Way.OPEN, Way.FULL)

    def room(self, ctx: Context, group_id: int | None = None) -> int | None:
        """Places for this group (None: for whoever is in none) now; None when nobody counts."""
        assert self.sign_up is not None
        books = seats.Books(
            ctx, self.sign_up, {group.id: group for group in self.groups}, self.event.fullness
        )
        return books.room_for(group_id)


def door(ctx: Context, code: str, *, drawn: bool = True) -> Door:
    """The page of signing up for a meeting; `drawn` False: only what reading its form takes.
    Raises `NotFound` for what is not public.
    """
    person = ctx.actor.person_id
    said = {"code": code} if person is None else {"code": code, "person": person}
    found = ctx.session.execute(_QUERIES[person is not None, drawn], said).first()
    if found is None:
        raise NotFound("event")
    event: Event = found[0]
    sign_up: SignUp | None = found[1]
    own: Registration | None = found[3] if person is not None else None
    groups = sign_up_settings.groups(ctx, event.id) if sign_up is not None and sign_up.has_groups else []
    asked = sign_up is not None and found.has_questions
    questions = sign_up_settings.questions(ctx, event.id) if asked else []
    way = _way(ctx, event, sign_up)
    return Door(event, sign_up, groups, questions, own, way)


def _way(ctx: Context, event: Event, sign_up: SignUp | None) -> Way:
    if event.state is EventState.CANCELLED:
        return Way.CANCELLED
    if event.starts_at <= ctx.now or event.state is EventState.HELD:
        return Way.OVER
    if sign_up is None or not sign_up.is_offered:
        return Way.NOT_NEEDED
    if sign_up.opens_at and ctx.now < sign_up.opens_at:
        return Way.NOT_YET
    if ctx.now >= (min(sign_up.closes_at, event.starts_at) if sign_up.closes_at else event.starts_at):
        return Way.CLOSED
    free = None if sign_up.capacity is None else sign_up.capacity - sign_up.taken - sign_up.lent
    return Way.FULL if free is not None and free <= 0 else Way.OPEN
