"""The programme (Contratto di Quartiere), its bodies and offices, the themes and the plan's places."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.db.types import Code


class BodyKind(StrEnum):
    """What sort of partner a body is."""

    INSTITUTION = "institution"
    RESEARCH = "research"
    THIRD_SECTOR = "third_sector"
    ASSOCIATION = "association"
    SCHOOL = "school"
    BUSINESS = "business"
    TRAINING = "training"


class Body(Base):
    """A partner of the programme: a municipality, a cooperative, an association …"""

    __tablename__ = "body"
    __public__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(String(160))
    kind: Mapped[BodyKind] = mapped_column(Code(BodyKind))
    #: Signed the programme; not to be mixed up with being involved in a project or party to a convention.
    is_signatory: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(Text, default="")


class Office(Base):
    """A municipal office that runs projects and answers."""

    __tablename__ = "office"
    __public__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"))
    name: Mapped[str] = mapped_column(String(160))
    task: Mapped[str] = mapped_column(Text, default="")
    email: Mapped[str | None] = mapped_column(String(254))
    closed_on: Mapped[date | None]
    body: Mapped[Body] = relationship(lazy="raise")


class Programme(Base):
    """The one Contratto di Quartiere of this deployment, with its political lead and technical office."""

    __tablename__ = "programme"
    __public__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text, default="")
    political_office_id: Mapped[int | None] = mapped_column(ForeignKey("office.id"))
    technical_office_id: Mapped[int | None] = mapped_column(ForeignKey("office.id"))
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    political_office: Mapped[Office | None] = relationship(lazy="raise", foreign_keys=[political_office_id])
    technical_office: Mapped[Office | None] = relationship(lazy="raise", foreign_keys=[technical_office_id])


class Phase(Base):
    """A stretch of the programme: what is open in it and what was promised."""

    __tablename__ = "phase"
    __public__ = True
    __table_args__ = (CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates_in_order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"), index=True)
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(160))
    text: Mapped[str] = mapped_column(Text, default="")
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]


class Theme(Base):
    """What an input is about. `names` holds the word in other languages: {"en": "Green"}."""

    __tablename__ = "theme"
    __public__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    names: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: The office that usually answers on this theme: proposed first when routing.
    office_id: Mapped[int | None] = mapped_column(ForeignKey("office.id"))
    position: Mapped[int] = mapped_column(default=0)
    retired: Mapped[bool] = mapped_column(default=False)


class Place(Base):
    """A point on the schematic plan; coordinates run 0-1000 from the top left corner."""

    __tablename__ = "place"
    __public__ = True
    __table_args__ = (CheckConstraint("x BETWEEN 0 AND 1000 AND y BETWEEN 0 AND 1000", name="on_the_plan"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    names: Mapped[dict[str, Any]] = mapped_column(default=dict)
    x: Mapped[int]
    y: Mapped[int]
    retired: Mapped[bool] = mapped_column(default=False)
