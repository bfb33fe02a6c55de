"""Events as origins of what was said; sign-ups, rooms and kiosks build on this."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.db.types import Code
from lab.models.programme import Place


class EventKind(StrEnum):
    """The ways in which the lab meets people."""

    ASSEMBLY = "assembly"
    STAIR_ASSEMBLY = "stair_assembly"
    WALK = "walk"
    PLANNING_FOR_REAL = "planning_for_real"
    OPEN_SPACE = "open_space"
    WORLD_CAFE = "world_cafe"
    THEMATIC_TABLE = "thematic_table"
    WORKING_GROUP = "working_group"
    SITE_MEETING = "site_meeting"
    PARTY = "party"
    OPENING = "opening"
    COURSE = "course"
    WORKSHOP = "workshop"
    FIELD_TRIAL = "field_trial"
    MEETING = "meeting"
    COMMITTEE_SESSION = "committee_session"


class EventState(StrEnum):
    """Whether it is to come, has been, or will not be."""

    PLANNED = "planned"
    HELD = "held"
    CANCELLED = "cancelled"


class Event(Base):
    """A meeting of the lab, with where and when; times in UTC."""

    __tablename__ = "event"
    __public__ = True
    __table_args__ = (Index("ix_event_starts_at", "starts_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    kind: Mapped[EventKind] = mapped_column(Code(EventKind))
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text, default="")
    starts_at: Mapped[datetime]
    minutes: Mapped[int] = mapped_column(default=90)
    place_id: Mapped[int | None] = mapped_column(ForeignKey("place.id"))
    state: Mapped[EventState] = mapped_column(Code(EventState), default=EventState.PLANNED)
    access_note: Mapped[str] = mapped_column(Text, default="")
    #: What came of it, in words; filled when it has been held.
    result: Mapped[str] = mapped_column(Text, default="")
    seats: Mapped[int | None]
    attendance: Mapped[int | None]
    place: Mapped[Place | None] = relationship(lazy="raise")


class EventProject(Base):
    """A formal project that an event serves."""

    __tablename__ = "event_project"
    __public__ = True

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True, index=True)
