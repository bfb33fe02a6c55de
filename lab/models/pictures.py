"""Photographs, re-made on arrival in three widths."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from lab.db.base import Base


class Photo(Base):
    """A photograph of an input or of an action's update. `name` is ours: files are <name>-<width>.webp."""

    __tablename__ = "photo"
    __public__ = True
    __table_args__ = (
        CheckConstraint("(contribution_id IS NULL) <> (action_update_id IS NULL)", name="one_subject"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"), index=True)
    action_update_id: Mapped[int | None] = mapped_column(ForeignKey("action_update.id"), index=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    width: Mapped[int]
    height: Mapped[int]
    #: Largest width stored, one of 320, 800, 1600 or the picture's own.
    widths: Mapped[str] = mapped_column(String(40))
    alt: Mapped[str] = mapped_column(String(200), default="")
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
