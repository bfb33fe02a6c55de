"""Work to do (outbox), what was done (audit), limits, drafts, settings, imports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lab.db.base import Base


class OutboxItem(Base):
    """A piece of work recorded in the transaction of the change that asks for it.

    Leased by compare-and-swap, retried with back-off, parked for staff after too many failures.
    `dedupe_key` is unique while given: asking twice for the same work records it once.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_due",
            "available_at",
            "id",
            sqlite_where=text("done_at IS NULL AND parked_at IS NULL"),
            postgresql_where=text("done_at IS NULL AND parked_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    topic: Mapped[str] = mapped_column(String(48))
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    dedupe_key: Mapped[str | None] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime]
    available_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None] = mapped_column(String(64))
    leased_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Text, default="")


class AuditEntry(Base):
    """Who did what in which capacity. Append-only and permanent; no personal text in it."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_subject", "subject_kind", "subject_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    #: The role in force that gave the right, with its office or body.
    capacity: Mapped[str] = mapped_column(String(24), default="")
    office_id: Mapped[int | None] = mapped_column(ForeignKey("office.id"))
    body_id: Mapped[int | None] = mapped_column(ForeignKey("body.id"))
    verb: Mapped[str] = mapped_column(String(48))
    subject_kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    request_id: Mapped[str] = mapped_column(String(36), default="")


class RateCounter(Base):
    """How often something was tried in a window of time. Keys are digests, never addresses."""

    __tablename__ = "rate_counter"
    __table_args__ = (UniqueConstraint("bucket", "key_digest", "window_start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    bucket: Mapped[str] = mapped_column(String(32))
    key_digest: Mapped[str] = mapped_column(String(64))
    window_start: Mapped[datetime] = mapped_column(index=True)
    count: Mapped[int] = mapped_column(default=0)


class Draft(Base):
    """Something half written, kept as one types. Belongs to a person, or to a browser without account."""

    __tablename__ = "draft"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) <> (browser_digest IS NULL)", name="one_owner"),
        UniqueConstraint("person_id", "form"),
        UniqueConstraint("browser_digest", "form"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    browser_digest: Mapped[str | None] = mapped_column(String(64))
    #: Which form, with its subject where it has one ("proposal:new", "answer:12").
    form: Mapped[str] = mapped_column(String(64))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    updated_at: Mapped[datetime] = mapped_column(index=True)


class HeldForm(Base):
    """A form that was sent while signed out: kept for an hour, so that one signs in and goes on."""

    __tablename__ = "held_form"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    path: Mapped[str] = mapped_column(String(500))
    #: Pairs of name and value, in order; never files.
    fields: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime] = mapped_column(index=True)


class SiteSetting(Base):
    """What the staff change by themselves: texts, promise in days, opening hours, footer links."""

    __tablename__ = "site_setting"
    __public__ = True

    key: Mapped[str] = mapped_column(String(48), primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(default=dict)
    changed_at: Mapped[datetime]
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    version: Mapped[int] = mapped_column(default=1)


class CodeCounter(Base):
    """The last number given under a prefix: PR41 follows PR40."""

    __tablename__ = "code_counter"

    prefix: Mapped[str] = mapped_column(String(8), primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


class PageRating(Base):
    """How clear a page was, one to five stars, with an optional word. Not tied to a person."""

    __tablename__ = "page_rating"
    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    page: Mapped[str] = mapped_column(String(200))
    stars: Mapped[int]
    aspect: Mapped[str] = mapped_column(String(48), default="")
    text: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
    idempotency_key: Mapped[str | None] = mapped_column(String(64), unique=True)


class ImportBatch(Base):
    """One run of an import: all rows of a batch or none; a second run goes on where the first stopped."""

    __tablename__ = "import_batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(String(64), index=True)
    what: Mapped[str] = mapped_column(String(32))
    first_row: Mapped[int]
    last_row: Mapped[int]
    written: Mapped[int]
    at: Mapped[datetime]
