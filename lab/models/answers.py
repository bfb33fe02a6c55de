"""What an office answers, drafted then published; the latest published one counts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.db.types import Code
from lab.models.contributions import Contribution
from lab.models.programme import Body, Office


class Verdict(StrEnum):
    """The answer in one word; each carries a written reason."""

    ACCEPTED = "accepted"
    ACCEPTED_IN_PART = "accepted_in_part"
    ALREADY_SO = "already_so"
    DECLINED = "declined"
    PASSED_ON = "passed_on"


class Answer(Base):
    """An office's answer to an input. Invisible to everybody else until published."""

    __tablename__ = "answer"
    __public__ = True
    __table_args__ = (
        CheckConstraint("verdict <> 'passed_on' OR body_id IS NOT NULL", name="body_named"),
        Index("ix_answer_contribution", "contribution_id", "published_at"),
        Index(
            "ix_answer_draft",
            "contribution_id",
            "office_id",
            unique=True,
            sqlite_where=text("published_at IS NULL"),
            postgresql_where=text("published_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    contribution_id: Mapped[int] = mapped_column(ForeignKey("contribution.id"))
    office_id: Mapped[int] = mapped_column(ForeignKey("office.id"), index=True)
    verdict: Mapped[Verdict] = mapped_column(Code(Verdict))
    reason: Mapped[str] = mapped_column(Text)
    #: Whom it was passed on to.
    body_id: Mapped[int | None] = mapped_column(ForeignKey("body.id"))
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    published_at: Mapped[datetime | None]
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    version: Mapped[int] = mapped_column(default=1)
    contribution: Mapped[Contribution] = relationship(lazy="raise")
    office: Mapped[Office] = relationship(lazy="raise")
    body: Mapped[Body | None] = relationship(lazy="raise")
