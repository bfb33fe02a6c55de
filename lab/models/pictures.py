"""Photographs, re-made on arrival in three widths."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from lab.db.base import Base


class Photo(Base):
    """A photograph of an input, an update or a meeting. `name` is ours: files are <name>-<width>.webp."""

    __tablename__ = "photo"
    __public__ = True
    __table_args__ = (
        CheckConstraint(
            "(CASE WHEN contribution_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN action_update_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN event_id IS NULL THEN 0 ELSE 1 END) = 1",
            name="one_subject",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"), index=True)
    action_update_id: Mapped[int | None] = mapped_column(ForeignKey("action_update.id"), index=True)
    #: A sheet, a map or the room, photographed at a meeting.
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"), index=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    width: Mapped[int]
    height: Mapped[int]
    #: Largest width stored, one of 320, 800, 1600 or the picture's own.
    widths: Mapped[str] = mapped_column(String(40))
    alt: Mapped[str] = mapped_column(String(200), default="")
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
