"""What came out of a meeting: remarks in the form of their kind, minutes, commitments."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.db.types import Code
from lab.models.contributions import Contribution
from lab.models.programme import Body, Office, Place


class PartKind(StrEnum):
    """What a meeting divides into."""

    STOP = "stop"
    TABLE = "table"
    GROUP = "group"


class EventPart(Base):
    """A stop of a walk, a table, a group with its convenor and its report."""

    __tablename__ = "event_part"
    __public__ = True
    __table_args__ = (Index("ix_event_part_event", "event_id", "position", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    kind: Mapped[PartKind] = mapped_column(Code(PartKind))
    position: Mapped[int] = mapped_column(default=0)
    title: Mapped[str] = mapped_column(String(200))
    place_id: Mapped[int | None] = mapped_column(ForeignKey("place.id"))
    #: Who leads a group, by the name they chose.
    convenor: Mapped[str] = mapped_column(String(80), default="")
    #: What the group reports, printed before people leave.
    report: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    place: Mapped[Place | None] = relationship(lazy="raise")


class RemarkForm(StrEnum):
    """How a remark was taken down."""

    REMARK = "remark"
    CARD = "card"
    OBSERVATION = "observation"
    TABLE_NOTE = "table_note"
    REPORT_POINT = "report_point"
    AGREED_POINT = "agreed_point"


class Priority(StrEnum):
    """When it should happen, as people put the card (planning for real)."""

    NOW = "now"
    SOON = "soon"
    LATER = "later"


class EventRemark(Base):
    """What an input has more when it was taken down at a meeting."""

    __tablename__ = "event_remark"
    __public__ = True
    __table_args__ = (
        CheckConstraint("count >= 1", name="counted"),
        Index("ix_event_remark_event", "event_id", "form", "position"),
    )

    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    form: Mapped[RemarkForm] = mapped_column(Code(RemarkForm), default=RemarkForm.REMARK)
    part_id: Mapped[int | None] = mapped_column(ForeignKey("event_part.id"), index=True)
    #: Round of a world café, from 1.
    round: Mapped[int | None]
    #: How many cards say the same; the hands of the input.
    count: Mapped[int] = mapped_column(default=1)
    priority: Mapped[Priority | None] = mapped_column(Code(Priority))
    #: "We can do it ourselves."
    self_help: Mapped[bool] = mapped_column(default=False)
    position: Mapped[int] = mapped_column(default=0)
    contribution: Mapped[Contribution] = relationship(lazy="raise")
    part: Mapped[EventPart | None] = relationship(lazy="raise")


class MinutesState(StrEnum):
    """Being written, or there for everybody."""

    DRAFT = "draft"
    PUBLISHED = "published"


class Minutes(Base):
    """The minutes of a meeting. Points agreed are inputs (`EventRemark`), promises are commitments."""

    __tablename__ = "minutes"
    __public__ = True

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True, autoincrement=False)
    state: Mapped[MinutesState] = mapped_column(Code(MinutesState), default=MinutesState.DRAFT)
    #: What was said, as CommonMark.
    text: Mapped[str] = mapped_column(Text, default="")
    #: What came of it in a few lines; becomes the event's `result`.
    summary: Mapped[str] = mapped_column(Text, default="")
    #: Points agreed that are not inputs yet: {"text": …, "project_ids": [...], "place_id": …}.
    points: Mapped[list[Any]] = mapped_column(default=list)
    #: People who came, and from which source: {"paper": 12, "kiosk": 40, …}.
    attended: Mapped[int | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    published_at: Mapped[datetime | None]
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class MinutesVersion(Base):
    """Published minutes as they stood before a correction, with the day and the reason of it."""

    __tablename__ = "minutes_version"
    __public__ = True
    __table_args__ = (UniqueConstraint("event_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("minutes.event_id"))
    #: 1 is what was published first.
    number: Mapped[int]
    summary: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text, default="")
    attended: Mapped[int | None]
    corrected_at: Mapped[datetime]
    corrected_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: Why it was corrected, in words.
    note: Mapped[str] = mapped_column(Text)


class CommitmentState(StrEnum):
    """Whether what somebody took on has been done."""

    OPEN = "open"
    KEPT = "kept"
    DROPPED = "dropped"


class Commitment(Base):
    """Who does what by when, taken on in a meeting or elsewhere."""

    __tablename__ = "commitment"
    __public__ = True
    __table_args__ = (Index("ix_commitment_due", "state", "due_on", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    text: Mapped[str] = mapped_column(Text)
    #: The meeting in which it was taken on, and the input it answers, when there is one.
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"), index=True)
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    office_id: Mapped[int | None] = mapped_column(ForeignKey("office.id"), index=True)
    body_id: Mapped[int | None] = mapped_column(ForeignKey("body.id"), index=True)
    #: Who took it on when it is neither an office nor a body ("chi abita alla scala B").
    owner_name: Mapped[str] = mapped_column(String(120), default="")
    due_on: Mapped[date | None]
    state: Mapped[CommitmentState] = mapped_column(Code(CommitmentState), default=CommitmentState.OPEN)
    #: How it ended, in words.
    note: Mapped[str] = mapped_column(Text, default="")
    closed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    #: Only published commitments are public; those of a draft of minutes wait for it.
    is_public: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    office: Mapped[Office | None] = relationship(lazy="raise")
    body: Mapped[Body | None] = relationship(lazy="raise")
