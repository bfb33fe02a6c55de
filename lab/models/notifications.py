"""What people are told, in the application and by mail or letter."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.models.actions import Action
from lab.models.contributions import Contribution
from lab.models.events import Event
from lab.models.projects import Project


class Notification(Base):
    """One thing a person should hear. `event_key` makes telling it twice impossible.

    Mail groups all that is unmailed for a person into one message at the rhythm they chose.
    """

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("person_id", "event_key"),
        Index("ix_notification_mine", "person_id", "created_at", "id"),
        Index(
            "ix_notification_unmailed",
            "person_id",
            "created_at",
            sqlite_where=text("mailed_at IS NULL"),
            postgresql_where=text("mailed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    event_key: Mapped[str] = mapped_column(String(80))
    #: A code with its sentence in `lab.mail.sentences`: answered, woven, adopted, done, merged, hidden …
    kind: Mapped[str] = mapped_column(String(32))
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"), index=True)
    action_id: Mapped[int | None] = mapped_column(ForeignKey("action.id"), index=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"), index=True)
    #: Words that belong to the event itself (a reason, an excerpt).
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    #: When it went out by mail, was printed, or was found not to need either.
    mailed_at: Mapped[datetime | None]
    contribution: Mapped[Contribution | None] = relationship(lazy="raise")
    action: Mapped[Action | None] = relationship(lazy="raise")
    project: Mapped[Project | None] = relationship(lazy="raise")
    event: Mapped[Event | None] = relationship(lazy="raise")


class Letter(Base):
    """A printed letter for a person without e-mail: which notifications it carried, when, by whom."""

    __tablename__ = "letter"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    printed_at: Mapped[datetime]
    printed_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    handed_over_at: Mapped[datetime | None]
    notification_ids: Mapped[dict[str, Any]] = mapped_column(default=dict)
