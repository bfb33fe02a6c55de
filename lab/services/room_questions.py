"""Questions of the hall: asked from phones and tablets, read by a host, supported, answered aloud."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from lab.db.locking import locked
from lab.db.upsert import insert_once
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.ids import token_digest
from lab.models.contributions import Channel, Contribution, Kind, Visibility
from lab.models.events import Event
from lab.models.rooms import QuestionState, Room, RoomHand, RoomQuestion
from lab.policy.permissions import Permission
from lab.services import audit, capture_kinds, contributions, once, outbox, room, triage
from lab.services.context import Context

#: Longest question, in characters: it is read from ten metres.
TEXT_LIMIT = 280
#: Questions on one phone or on the host's page.
SHOWN = 60


@dataclass(frozen=True)
class Ask:
    """A question to the room. `key` is made once when the page is drawn or the record written."""

    event_id: int
    text: str
    name: str = ""
    key: str | None = None
    channel: Channel | None = None
    payload_hash: str | None = None
    #: Random token of the phone: its keys are its own.
    voter: str = ""


def ask(ctx: Context, command: Ask) -> RoomQuestion:
    """Put a question to the room: an input of the meeting, read by a host before the room sees it.

    The same key again gives the same question.
    Raises `NotFound`, `Invalid("text", …)`, `Conflict("room_closed"|"questions_closed")`.
    """
    from_tablet = command.channel is Channel.KIOSK
    key = command.key if from_tablet else once.own_key(ctx, command.key, command.voter)
    again = contributions.with_key(ctx, key)
    if again is not None:
        return locked(ctx.session, RoomQuestion, again.id)
    event = _event(ctx, command.event_id)
    open_room = ctx.session.get(Room, event.id)
    if not from_tablet:
        _check_takes(open_room)
    if len(command.text.strip()) > TEXT_LIMIT:
        raise Invalid("text", "too_long")
    shown = open_room is not None and not open_room.is_moderated and not from_tablet
    placed = contributions.place(
        ctx,
        contributions.Placement(
            text=command.text,
            kind=Kind.QUESTION,
            channel=command.channel or capture_kinds.channel(event.kind),
            author_name=command.name,
            person_id=ctx.actor.person_id,
            lang=ctx.locale,
            place_id=event.place_id,
            event_id=event.id,
            visibility=Visibility.PUBLIC if shown else Visibility.WAITING,
            idempotency_key=key,
            extra={"payload_hash": command.payload_hash} if command.payload_hash else {},
        ),
    )
    question = RoomQuestion(
        contribution_id=placed.id,
        event_id=event.id,
        state=QuestionState.SHOWN if shown else QuestionState.WAITING,
    )
    ctx.session.add(question)
    outbox.announce(ctx, "contribution.placed", contribution_id=placed.id)
    ctx.session.flush()
    room.touch(ctx, event.id)
    return question


def _check_takes(open_room: Room | None) -> None:
    if open_room is None or not room.is_open(open_room):
        raise Conflict("room_closed")
    if not open_room.questions_open:
        raise Conflict("questions_closed")


def _event(ctx: Context, event_id: int) -> Event:
    event = ctx.session.get(Event, event_id)
    if event is None or not event.is_public:
        raise NotFound("event")
    return event


def settle(ctx: Context, question_id: int, state: QuestionState) -> RoomQuestion:
    """A host lets the room read a question, marks it as answered aloud, or sets it aside.

    Set aside it stays an input of the lab's inbox: nothing anybody said is lost. Raises `NotFound` for
    outsiders, `Conflict("not_visible")` for what a moderator has hidden.
    """
    question = locked(ctx.session, RoomQuestion, question_id)
    event = room.hosted(ctx, question.event_id)
    grant = ctx.require(Permission.EVENT_RUN, event)
    if state in (QuestionState.SHOWN, QuestionState.ANSWERED):
        with contributions.changing(ctx, question_id) as contribution:
            if contribution.visibility in (Visibility.HIDDEN, Visibility.PRIVATE):
                raise Conflict("not_visible")
            triage.acknowledge(ctx, contribution, grant)
            contribution.visibility = Visibility.PUBLIC
        audit.record(ctx, "contribution.read", contribution, grant)
    if state is QuestionState.ANSWERED and question.said_at is None:
        question.said_at = ctx.now
    question.state = state
    current = ctx.session.get(Room, event.id)
    if current is not None and current.question_id == question_id and state is not QuestionState.SHOWN:
        current.question_id = None
    ctx.session.flush()
    room.touch(ctx, event.id)
    return question


def raise_hand(ctx: Context, question_id: int, voter: str) -> bool:
    """Support a question once for each phone; whether this was the first time.

    `voter` is the random token of the phone; what is kept of it cannot be followed to other questions.
    Raises `NotFound` for what the room does not see, `Conflict("room_closed")`.
    """
    question = ctx.session.get(RoomQuestion, question_id)
    if question is None or question.state is not QuestionState.SHOWN:
        raise NotFound("question")
    current = ctx.session.get(Room, question.event_id)
    if current is None or not room.is_open(current):
        raise Conflict("room_closed")
    digest = token_digest(f"hand:{question_id}:{voter}")
    if not insert_once(ctx.session, RoomHand, {"question_id": question_id, "voter_digest": digest}):
        return False
    more = update(RoomQuestion).where(RoomQuestion.contribution_id == question_id)
    ctx.session.execute(
        more.values(hands=RoomQuestion.hands + 1), execution_options={"synchronize_session": False}
    )
    room.touch(ctx, question.event_id)
    return True


def for_phones(ctx: Context, event: Event) -> list[RoomQuestion]:
    """What the room may read: open ones by hands, then the answered. One statement."""
    query = room.public_questions(event.id).where(
        RoomQuestion.state.in_((QuestionState.SHOWN, QuestionState.ANSWERED))
    )
    query = query.order_by(
        (RoomQuestion.state == QuestionState.ANSWERED),
        RoomQuestion.hands.desc(),
        RoomQuestion.contribution_id,
    )
    return list(ctx.session.execute(query.limit(SHOWN)).scalars())


def raised(ctx: Context, questions: list[RoomQuestion], voter: str) -> set[int]:
    """The questions among these that this phone has supported. One statement."""
    digests = {token_digest(f"hand:{q.contribution_id}:{voter}"): q.contribution_id for q in questions}
    query = select(RoomHand.voter_digest).where(RoomHand.voter_digest.in_(digests))
    return {digests[digest] for digest in ctx.session.execute(query).scalars()}


def for_host(ctx: Context, event: Event) -> list[RoomQuestion]:
    """Everything the hall asked, what waits first, then by hands. Raises `NotFound` for outsiders."""
    ctx.require(Permission.EVENT_RUN, event)
    query = (
        select(RoomQuestion)
        .join(RoomQuestion.contribution)
        .where(RoomQuestion.event_id == event.id)
        .where(Contribution.visibility.in_((Visibility.PUBLIC, Visibility.WAITING)))
        .options(joinedload(RoomQuestion.contribution))
        .order_by(
            (RoomQuestion.state != QuestionState.WAITING),
            (RoomQuestion.state != QuestionState.SHOWN),
            RoomQuestion.hands.desc(),
            RoomQuestion.contribution_id,
        )
        .limit(SHOWN * 2)
    )
    return list(ctx.session.execute(query).scalars())
