"""Flags raised by readers, acts of moderation with their reasons, appeals, the team's own notes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.db.types import Code
from lab.models.accounts import Person
from lab.models.contributions import Contribution
from lab.models.conversation import Comment
from lab.models.programme import Body, Office


class FlagReason(StrEnum):
    """Why somebody says that a text should not stand as it is."""

    HARASSMENT = "harassment"
    PRIVATE_DATA = "private_data"
    THREAT = "threat"
    DISCRIMINATION = "discrimination"
    SPAM = "spam"
    OTHER = "other"


class Flag(Base):
    """A reader's word that something is wrong with a text. One per person and text."""

    __tablename__ = "flag"
    __table_args__ = (
        CheckConstraint("(contribution_id IS NULL) <> (comment_id IS NULL)", name="one_subject"),
        Index("ix_flag_once_contribution", "person_id", "contribution_id", unique=True),
        Index("ix_flag_once_comment", "person_id", "comment_id", unique=True),
        Index(
            "ix_flag_open",
            "created_at",
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"), index=True)
    comment_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"), index=True)
    #: None when the reader has no account.
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[FlagReason] = mapped_column(Code(FlagReason))
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    idempotency_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    contribution: Mapped[Contribution | None] = relationship(lazy="raise")
    comment: Mapped[Comment | None] = relationship(lazy="raise")


class ModerationAct(Base):
    """Something hidden or restored, with the reason the author is told; open to appeal, counted in public."""

    __tablename__ = "moderation_act"
    __public__ = True
    __table_args__ = (
        CheckConstraint("(contribution_id IS NULL) <> (comment_id IS NULL)", name="one_subject"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"), index=True)
    comment_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"), index=True)
    #: hide, restore
    act: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    capacity: Mapped[str] = mapped_column(String(24), default="")
    #: The author's appeal, answered by somebody other than who acted.
    appeal: Mapped[str] = mapped_column(Text, default="")
    appealed_at: Mapped[datetime | None]
    appeal_answer: Mapped[str] = mapped_column(Text, default="")
    appeal_settled_at: Mapped[datetime | None]
    appeal_settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class PassedOn(Base):
    """A private matter (or any input) handed to a body or office, kept out of public."""

    __tablename__ = "passed_on"

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), index=True)
    body_id: Mapped[int | None] = mapped_column(ForeignKey("body.id"))
    office_id: Mapped[int | None] = mapped_column(ForeignKey("office.id"))
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[Body | None] = relationship(lazy="raise")
    office: Mapped[Office | None] = relationship(lazy="raise")


class DeskNote(Base):
    """A note of the team on an input; never public."""

    __tablename__ = "desk_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
    person: Mapped[Person] = relationship(lazy="raise")
