"""Supports, following, and threaded comments."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.models.accounts import Person


class Support(Base):
    """ "I want this too": one per person and input, whatever the race."""

    __tablename__ = "support"
    __public__ = True

    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    at: Mapped[datetime]
    #: The merged input this support came with; undoing the merge takes it back.
    via_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"), index=True)


class Follow(Base):
    """A person wants to hear of an input, an action or a project."""

    __tablename__ = "follow"
    __table_args__ = (
        CheckConstraint(
            "(CASE WHEN contribution_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN action_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN project_id IS NULL THEN 0 ELSE 1 END) = 1",
            name="one_subject",
        ),
        UniqueConstraint("person_id", "contribution_id"),
        UniqueConstraint("person_id", "action_id"),
        UniqueConstraint("person_id", "project_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"), index=True)
    action_id: Mapped[int | None] = mapped_column(ForeignKey("action.id"), index=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    at: Mapped[datetime]


class Comment(Base):
    """A comment under an input. Replies point at their parent and at the root of their branch.

    A deleted or hidden comment stays as a placeholder, so that its replies keep their place.
    """

    __tablename__ = "comment"
    __public__ = True
    __table_args__ = (
        Index("ix_comment_thread", "contribution_id", "root_id", "created_at", "id"),
        Index("ix_comment_branch", "root_id", "created_at", "id"),
        UniqueConstraint("source", "source_ref"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"))
    #: None for a comment that starts a branch.
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"), index=True)
    root_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"))
    depth: Mapped[int] = mapped_column(default=0)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    author_name: Mapped[str] = mapped_column(String(80), default="")
    #: The function in which staff speak ("facilitator", "office"); "" for residents.
    capacity: Mapped[str] = mapped_column(String(24), default="")
    office_id: Mapped[int | None] = mapped_column(ForeignKey("office.id"))
    text: Mapped[str] = mapped_column(Text)
    lang: Mapped[str] = mapped_column(String(8), default="it")
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]
    idempotency_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    source: Mapped[str | None] = mapped_column(String(64))
    source_ref: Mapped[str | None] = mapped_column(String(64))
    person: Mapped[Person | None] = relationship(lazy="raise")
