"""Formal projects: one leading office each, involved bodies, milestones, funding, where they stand."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.db.types import Code
from lab.models.programme import Body, Office, Place, Programme


class ProjectState(StrEnum):
    """Where a formal project stands."""

    IN_DESIGN = "in_design"
    IN_TENDER = "in_tender"
    ON_SITE = "on_site"
    IN_SERVICE = "in_service"
    COMPLETED = "completed"


class Project(Base):
    """A formal project of the programme, run by the municipal office it belongs to."""

    __tablename__ = "project"
    __public__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"))
    title: Mapped[str] = mapped_column(String(200))
    axis: Mapped[str] = mapped_column(String(80), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    #: What happens once the programme ends (continuity sheet, in words).
    continuity: Mapped[str] = mapped_column(Text, default="")
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"), index=True)
    place_id: Mapped[int | None] = mapped_column(ForeignKey("place.id"))
    state: Mapped[ProjectState] = mapped_column(Code(ProjectState))
    state_since: Mapped[date]
    position: Mapped[int] = mapped_column(default=0)
    contributions_count: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    office: Mapped[Office] = relationship(lazy="raise")
    place: Mapped[Place | None] = relationship(lazy="raise")
    programme: Mapped[Programme] = relationship(lazy="raise")


class ProjectBody(Base):
    """A body involved in a project (not the same as signatory, nor as party to a convention)."""

    __tablename__ = "project_body"
    __public__ = True

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"), primary_key=True, index=True)
    body: Mapped[Body] = relationship(lazy="raise")


class ProjectFunding(Base):
    """Money for a project, by source, in integer cents; None while the share is not known."""

    __tablename__ = "project_funding"
    __public__ = True
    __table_args__ = (CheckConstraint("cents IS NULL OR cents >= 0", name="not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    source: Mapped[str] = mapped_column(String(160))
    cents: Mapped[int | None]


class Milestone(Base):
    """A stretch of a project's timeline, with how far it has come in per cent."""

    __tablename__ = "milestone"
    __public__ = True
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="dates_in_order"),
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress_percent"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    progress: Mapped[int] = mapped_column(default=0)


class ProjectIndicator(Base):
    """A number the project is measured by, with its goal."""

    __tablename__ = "project_indicator"
    __public__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    name: Mapped[str] = mapped_column(String(160))
    value: Mapped[int]
    goal: Mapped[int | None]


class ProjectChange(Base):
    """What changed in a project, when and why: states, dates, money. Append-only."""

    __tablename__ = "project_change"
    __public__ = True
    __table_args__ = (Index("ix_project_change_recent", "project_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    at: Mapped[datetime]
    #: What moved, as a code: state, milestone, funding, text, bodies.
    what: Mapped[str] = mapped_column(String(24))
    before: Mapped[str] = mapped_column(String(200), default="")
    after: Mapped[str] = mapped_column(String(200), default="")
    why: Mapped[str] = mapped_column(Text)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    office_id: Mapped[int | None] = mapped_column(ForeignKey("office.id"))
    office: Mapped[Office | None] = relationship(lazy="raise")
