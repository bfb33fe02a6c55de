"""Quick polls in the room: a question, two to six answers, one vote for each phone, live bars."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import selectinload

from lab.db.locking import locked
from lab.db.upsert import insert_once
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.ids import token_digest
from lab.kernel.text import clean_line
from lab.models.events import Event
from lab.models.rooms import PollState, Room, RoomPoll, RoomPollOption, RoomView, RoomVote
from lab.policy.permissions import Permission
from lab.services import audit, room
from lab.services.context import Context

TEXT_LIMIT = 160
LABEL_LIMIT = 80
FEWEST, MOST = 2, 6


@dataclass(frozen=True)
class MakePoll:
    """A question and its answers, in order; empty lines are left out."""

    event_id: int
    text: str
    answers: tuple[str, ...]


def make(ctx: Context, command: MakePoll) -> RoomPoll:
    """Prepare a poll; one that waits with the same words is this one.

    Raises `NotFound` for outsiders, `Invalid("text"|"answers", …)`.
    """
    grant = ctx.require(Permission.EVENT_RUN, room.hosted(ctx, command.event_id))
    text = clean_line(command.text, TEXT_LIMIT)
    labels = [clean_line(answer, LABEL_LIMIT) for answer in command.answers]
    labels = [label for label in labels if label]
    if not text:
        raise Invalid("text", "required")
    if not FEWEST <= len(labels) <= MOST:
        raise Invalid("answers", "poll_answers")
    if len({label.casefold() for label in labels}) < len(labels):
        raise Invalid("answers", "poll_twice")
    # One at a time, so that two clicks see each other.
    locked(ctx.session, Event, command.event_id)
    mine = select(RoomPoll).where(RoomPoll.event_id == command.event_id)
    polls = ctx.session.execute(mine.options(selectinload(RoomPoll.options))).scalars().all()
    for one in polls:
        if (one.state, one.text, [o.label for o in one.options]) == (PollState.DRAFT, text, labels):
            return one
    poll = RoomPoll(event_id=command.event_id, position=len(polls), text=text, state=PollState.DRAFT)
    ctx.session.add(poll)
    ctx.session.flush()
    ctx.session.add_all(
        RoomPollOption(poll_id=poll.id, position=number, label=label) for number, label in enumerate(labels)
    )
    audit.record(ctx, "room.poll", poll, grant)
    ctx.session.flush()
    return poll


def set_state(ctx: Context, poll_id: int, state: PollState) -> RoomPoll:
    """Open a poll to the phones (and put it on the screen), or close it. A closed poll opens again with
    its votes. Raises `NotFound` for outsiders, `Conflict("room_closed")`."""
    known = ctx.session.get(RoomPoll, poll_id)
    if known is None:
        raise NotFound("poll")
    ctx.require(Permission.EVENT_RUN, room.hosted(ctx, known.event_id))
    polls = _locked(ctx, known.event_id)
    poll = polls[poll_id]
    current = locked(ctx.session, Room, poll.event_id)
    if state is PollState.OPEN:
        if not room.is_open(current):
            raise Conflict("room_closed")
        # One at a time: the hand in the hall answers what the wall asks.
        for other in polls.values():
            if other is not poll and other.state is PollState.OPEN:
                other.state, other.closed_at = PollState.CLOSED, ctx.now
        current.view = RoomView.POLL
        current.poll_id = poll.id
        poll.opened_at = poll.opened_at or ctx.now
        poll.closed_at = None
    elif state is PollState.CLOSED:
        poll.closed_at = ctx.now
    poll.state = state
    current.version += 1
    ctx.session.flush()
    return poll


def _locked(ctx: Context, event_id: int) -> dict[int, RoomPoll]:
    """The polls of a meeting, locked before its room is: a phone that votes holds its poll, then the room."""
    query = select(RoomPoll).where(RoomPoll.event_id == event_id).order_by(RoomPoll.id).with_for_update()
    found = ctx.session.execute(query.execution_options(populate_existing=True)).scalars()
    return {poll.id: poll for poll in found}


def vote(ctx: Context, option_id: int, voter: str) -> bool:
    """Count one vote for each phone; False when this phone has voted already: the first vote stands.

    Raises `NotFound` for an answer that is not there, `Conflict("poll_closed")`, also once the room is
    closed.
    """
    option = ctx.session.get(RoomPollOption, option_id)
    if option is None:
        raise NotFound("poll")
    poll = locked(ctx.session, RoomPoll, option.poll_id)
    current = ctx.session.get(Room, poll.event_id)
    if poll.state is not PollState.OPEN or current is None or not room.is_open(current):
        raise Conflict("poll_closed")
    digest = token_digest(f"vote:{poll.id}:{voter}")
    row = {"poll_id": poll.id, "voter_digest": digest, "option_id": option_id}
    if not insert_once(ctx.session, RoomVote, row):
        return False
    more = update(RoomPollOption).where(RoomPollOption.id == option_id)
    ctx.session.execute(
        more.values(votes=RoomPollOption.votes + 1), execution_options={"synchronize_session": False}
    )
    room.touch(ctx, poll.event_id)
    return True


def open_poll(ctx: Context, event: Event) -> RoomPoll | None:
    """The poll that phones may answer now."""
    query = (
        select(RoomPoll)
        .where(RoomPoll.event_id == event.id, RoomPoll.state == PollState.OPEN)
        .options(selectinload(RoomPoll.options))
    )
    return ctx.session.execute(query).scalars().first()


def voted(ctx: Context, poll: RoomPoll, voter: str) -> int | None:
    """The answer this phone has given, None for none."""
    digest = token_digest(f"vote:{poll.id}:{voter}")
    query = select(RoomVote.option_id).where(RoomVote.poll_id == poll.id, RoomVote.voter_digest == digest)
    found: int | None = ctx.session.execute(query).scalar_one_or_none()
    return found


def all_of(ctx: Context, event: Event) -> list[RoomPoll]:
    """Every poll of a meeting in its order, for its hosts."""
    ctx.require(Permission.EVENT_RUN, event)
    query = (
        select(RoomPoll)
        .where(RoomPoll.event_id == event.id)
        .options(selectinload(RoomPoll.options))
        .order_by(RoomPoll.position, RoomPoll.id)
    )
    return list(ctx.session.execute(query).scalars())
