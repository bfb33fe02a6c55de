"""The screen in the room and the hand in the hall: what is shown, questions, quick polls."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.db.types import Code
from lab.models.contributions import Contribution


class RoomView(StrEnum):
    """What the projector shows."""

    WELCOME = "welcome"
    COUNT = "count"
    AGENDA = "agenda"
    QUESTIONS = "questions"
    POLL = "poll"
    PLAN = "plan"
    PHOTOS = "photos"
    PAUSE = "pause"


class Room(Base):
    """What the room sees now. `version` rises with everything that changes the screen or the phones."""

    __tablename__ = "room"

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True, autoincrement=False)
    view: Mapped[RoomView] = mapped_column(Code(RoomView), default=RoomView.WELCOME)
    #: The point of the agenda that is on, and since when.
    agenda_item_id: Mapped[int | None] = mapped_column(ForeignKey("agenda_item.id"))
    agenda_since: Mapped[datetime | None]
    poll_id: Mapped[int | None] = mapped_column(ForeignKey("room_poll.id"))
    #: The question, and the photograph, large on the screen.
    question_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"))
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("photo.id"))
    message: Mapped[str] = mapped_column(String(200), default="")
    questions_open: Mapped[bool] = mapped_column(default=True)
    #: Questions wait for a moderator before the room reads them.
    is_moderated: Mapped[bool] = mapped_column(default=True)
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class QuestionState(StrEnum):
    """Where a question of the hall stands."""

    WAITING = "waiting"
    SHOWN = "shown"
    ANSWERED = "answered"
    SET_ASIDE = "set_aside"


class RoomQuestion(Base):
    """A question asked in a meeting: an input with hands raised for it and a dated written answer."""

    __tablename__ = "room_question"
    __public__ = True
    __table_args__ = (Index("ix_room_question_event", "event_id", "state", "hands"),)

    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    state: Mapped[QuestionState] = mapped_column(Code(QuestionState), default=QuestionState.WAITING)
    hands: Mapped[int] = mapped_column(default=0)
    #: Answered aloud in the room.
    said_at: Mapped[datetime | None]
    #: The written answer, who signs it, and the day by which it is promised.
    answer: Mapped[str] = mapped_column(Text, default="")
    signed_as: Mapped[str] = mapped_column(String(160), default="")
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    answer_due_on: Mapped[date | None]
    contribution: Mapped[Contribution] = relationship(lazy="raise")


class RoomHand(Base):
    """One phone supports one question once. The digest cannot be followed from question to question."""

    __tablename__ = "room_hand"

    question_id: Mapped[int] = mapped_column(ForeignKey("room_question.contribution_id"), primary_key=True)
    voter_digest: Mapped[str] = mapped_column(String(64), primary_key=True)


class PollState(StrEnum):
    """Prepared, open to the phones, closed."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


class RoomPoll(Base):
    """A quick question with a few answers, shown as live bars."""

    __tablename__ = "room_poll"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    text: Mapped[str] = mapped_column(String(200))
    state: Mapped[PollState] = mapped_column(Code(PollState), default=PollState.DRAFT)
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    options: Mapped[list[RoomPollOption]] = relationship(
        lazy="raise", viewonly=True, order_by="RoomPollOption.position"
    )


class RoomPollOption(Base):
    """One of the answers, with its votes kept."""

    __tablename__ = "room_poll_option"
    __table_args__ = (UniqueConstraint("poll_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    poll_id: Mapped[int] = mapped_column(ForeignKey("room_poll.id"))
    position: Mapped[int]
    label: Mapped[str] = mapped_column(String(120))
    votes: Mapped[int] = mapped_column(default=0)


class RoomVote(Base):
    """One phone votes once in one poll; the digest cannot be followed from poll to poll."""

    __tablename__ = "room_vote"

    poll_id: Mapped[int] = mapped_column(ForeignKey("room_poll.id"), primary_key=True)
    voter_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    option_id: Mapped[int] = mapped_column(ForeignKey("room_poll_option.id"))
