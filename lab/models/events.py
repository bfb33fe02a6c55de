"""Meetings of the lab: what, when, where, for whom, and what can still change there."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.db.types import Code
from lab.models.accounts import Person
from lab.models.programme import Body, Place


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


class Influence(StrEnum):
    """How much what is said there weighs, from hearing news to deciding (the ladder of participation)."""

    INFORM = "inform"
    CONSULT = "consult"
    INVOLVE = "involve"
    CO_DESIGN = "co_design"
    DECIDE = "decide"


class Offer(StrEnum):
    """What a meeting provides so that more people can come."""

    CHILDCARE = "childcare"
    INTERPRETER = "interpreter"
    SIGN_LANGUAGE = "sign_language"
    ACCESS = "access"
    FOOD = "food"
    TRANSPORT = "transport"
    MATERIALS = "materials"


class Fullness(StrEnum):
    """How full a meeting is, as everybody may read it. Kept by `lab.services.seats`."""

    NO_SIGN_UP = "no_sign_up"
    FREE = "free"
    FEW = "few"
    FULL = "full"


class EventSeries(Base):
    """Meetings that belong together: a course, a monthly table."""

    __tablename__ = "event_series"
    __public__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text, default="")
    idempotency_key: Mapped[str | None] = mapped_column(String(64), unique=True)


class Event(Base):
    """A meeting of the lab, with where and when; times in UTC, length in minutes."""

    __tablename__ = "event"
    __public__ = True
    __table_args__ = (
        CheckConstraint("minutes > 0", name="lasts"),
        Index("ix_event_starts_at", "starts_at", "id"),
        Index("ix_event_place", "place_id", "starts_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    kind: Mapped[EventKind] = mapped_column(Code(EventKind))
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text, default="")
    #: What it is for, in one sentence.
    purpose: Mapped[str] = mapped_column(Text, default="")
    influence: Mapped[Influence | None] = mapped_column(Code(Influence))
    #: The promise: what can still change through this meeting.
    promise: Mapped[str] = mapped_column(Text, default="")
    starts_at: Mapped[datetime]
    minutes: Mapped[int] = mapped_column(default=90)
    place_id: Mapped[int | None] = mapped_column(ForeignKey("place.id"))
    #: Where exactly, when the place has no name on the plan ("sala al primo piano").
    place_note: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[EventState] = mapped_column(Code(EventState), default=EventState.PLANNED)
    #: False while it is being prepared: only its hosts and the team see it.
    is_public: Mapped[bool] = mapped_column(default=True)
    cancelled_reason: Mapped[str] = mapped_column(Text, default="")
    access_note: Mapped[str] = mapped_column(Text, default="")
    #: Locale codes of the languages spoken or interpreted there; the first is the language of the room.
    languages: Mapped[list[Any]] = mapped_column(default=lambda: ["it"])
    #: Values of `Offer`.
    offers: Mapped[list[Any]] = mapped_column(default=list)
    offers_note: Mapped[str] = mapped_column(Text, default="")
    #: Who invites, in words, beside the bodies.
    organisers: Mapped[str] = mapped_column(String(300), default="")
    series_id: Mapped[int | None] = mapped_column(ForeignKey("event_series.id"), index=True)
    #: What came of it, in words; filled when it has been held.
    result: Mapped[str] = mapped_column(Text, default="")
    #: Places in the room as announced; None where nobody counts. `SignUp.capacity` is what is given out.
    seats: Mapped[int | None]
    attendance: Mapped[int | None]
    fullness: Mapped[Fullness] = mapped_column(Code(Fullness), default=Fullness.NO_SIGN_UP)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: When day, hour, place or state last changed, and how often (SEQUENCE of RFC 5545).
    changed_at: Mapped[datetime | None]
    sequence: Mapped[int] = mapped_column(default=0)
    idempotency_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    version: Mapped[int] = mapped_column(default=1)
    place: Mapped[Place | None] = relationship(lazy="raise")
    series: Mapped[EventSeries | None] = relationship(lazy="raise")
    hosts: Mapped[list[EventHost]] = relationship(lazy="raise", viewonly=True)


class EventProject(Base):
    """A formal project that an event serves."""

    __tablename__ = "event_project"
    __public__ = True

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True, index=True)


class EventBody(Base):
    """A body that organises an event."""

    __tablename__ = "event_body"
    __public__ = True

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True)
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"), primary_key=True, index=True)
    body: Mapped[Body] = relationship(lazy="raise")


class EventHost(Base):
    """Somebody who runs the event: the only people who see who signed up and who came."""

    __tablename__ = "event_host"

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    person: Mapped[Person] = relationship(lazy="raise")


class EventDocument(Base):
    """Something to read before or after: a link, or a file kept by us."""

    __tablename__ = "event_document"
    __public__ = True
    __table_args__ = (CheckConstraint("(url = '') <> (file_name = '')", name="link_or_file"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    title: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(500), default="")
    #: Our name of a stored PDF; never what the person's file was called.
    file_name: Mapped[str] = mapped_column(String(64), default="")
    bytes: Mapped[int] = mapped_column(default=0)


class AgendaItem(Base):
    """A point of the evening with its length in minutes, shown in the room with the clock."""

    __tablename__ = "agenda_item"
    __public__ = True
    __table_args__ = (UniqueConstraint("event_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    minutes: Mapped[int] = mapped_column(default=10)
