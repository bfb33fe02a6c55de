"""Actions: what the lab proposes out of inputs and an office adopts, linked to formal projects."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.db.types import Code
from lab.models.contributions import Contribution
from lab.models.events import Event
from lab.models.programme import Body, Office
from lab.models.projects import Project


class ActionKind(StrEnum):
    """What sort of doing it is."""

    WORK = "work"
    SERVICE = "service"
    SOCIAL = "social"
    CARE = "care"
    INFORMATION = "information"


class ActionState(StrEnum):
    """From the lab's draft to the finished thing; public from TO_START on."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    SENT_BACK = "sent_back"
    TO_START = "to_start"
    UNDER_WAY = "under_way"
    SUSPENDED = "suspended"
    DONE = "done"


PUBLIC_ACTION_STATES = frozenset(
    {ActionState.TO_START, ActionState.UNDER_WAY, ActionState.SUSPENDED, ActionState.DONE}
)


class Action(Base):
    """A piece of work, service, social action, care or information grown out of inputs."""

    __tablename__ = "action"
    __public__ = True
    __table_args__ = (
        CheckConstraint("progress BETWEEN 0 AND 100", name="progress_percent"),
        CheckConstraint("due_on IS NULL OR starts_on IS NULL OR due_on >= starts_on", name="dates_in_order"),
        Index("ix_action_list", "is_public", "updated_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    kind: Mapped[ActionKind] = mapped_column(Code(ActionKind))
    #: What it is for, in plain words.
    aim: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[ActionState] = mapped_column(Code(ActionState), default=ActionState.DRAFT)
    is_public: Mapped[bool] = mapped_column(default=False)
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"), index=True)
    starts_on: Mapped[date | None]
    due_on: Mapped[date | None]
    progress: Mapped[int] = mapped_column(default=0)
    #: Who helped and should be thanked.
    credits: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    adopted_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
    #: Why the office last sent it back.
    sent_back_reason: Mapped[str] = mapped_column(Text, default="")
    contributions_count: Mapped[int] = mapped_column(default=0)
    followers_count: Mapped[int] = mapped_column(default=0)
    idempotency_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    version: Mapped[int] = mapped_column(default=1)
    office: Mapped[Office] = relationship(lazy="raise")


class ActionProject(Base):
    """The formal project an action serves."""

    __tablename__ = "action_project"
    __public__ = True

    action_id: Mapped[int] = mapped_column(ForeignKey("action.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True, index=True)
    project: Mapped[Project] = relationship(lazy="raise")
    action: Mapped[Action] = relationship(lazy="raise")


class ActionBody(Base):
    """A body that takes part in an action."""

    __tablename__ = "action_body"
    __public__ = True

    action_id: Mapped[int] = mapped_column(ForeignKey("action.id"), primary_key=True)
    body_id: Mapped[int] = mapped_column(ForeignKey("body.id"), primary_key=True, index=True)
    body: Mapped[Body] = relationship(lazy="raise")


class ActionEvent(Base):
    """An event out of which an action grew, beside the inputs."""

    __tablename__ = "action_event"
    __public__ = True

    action_id: Mapped[int] = mapped_column(ForeignKey("action.id"), primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True, index=True)
    event: Mapped[Event] = relationship(lazy="raise")


class ActionContribution(Base):
    """An input woven into an action: several to one, one to several."""

    __tablename__ = "action_contribution"
    __public__ = True

    action_id: Mapped[int] = mapped_column(ForeignKey("action.id"), primary_key=True)
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"), primary_key=True, index=True)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: What of the input went into the action, where it is not all of it.
    note: Mapped[str] = mapped_column(Text, default="")
    action: Mapped[Action] = relationship(lazy="raise")
    contribution: Mapped[Contribution] = relationship(lazy="raise")


class ActionMilestone(Base):
    """A step on the way, with its day."""

    __tablename__ = "action_milestone"
    __public__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("action.id"), index=True)
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    due_on: Mapped[date | None]
    done_on: Mapped[date | None]


class ActionUpdate(Base):
    """What the office or the lab reports about an action: words, progress in per cent, a new state."""

    __tablename__ = "action_update"
    __public__ = True
    __table_args__ = (Index("ix_action_update_recent", "action_id", "at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("action.id"))
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
    progress: Mapped[int | None]
    state: Mapped[ActionState | None] = mapped_column(Code(ActionState))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    capacity: Mapped[str] = mapped_column(String(24), default="")
    #: The words under which it is signed ("Servizio Verde e Ambiente").
    signed_as: Mapped[str] = mapped_column(String(160), default="")
    idempotency_key: Mapped[str | None] = mapped_column(String(64), unique=True)


class ActionDependency(Base):
    """An action that waits for another."""

    __tablename__ = "action_dependency"
    __public__ = True
    __table_args__ = (CheckConstraint("action_id <> needs_id", name="not_itself"),)

    action_id: Mapped[int] = mapped_column(ForeignKey("action.id"), primary_key=True)
    needs_id: Mapped[int] = mapped_column(ForeignKey("action.id"), primary_key=True, index=True)
    needs: Mapped[Action] = relationship(lazy="raise", foreign_keys=[needs_id])
