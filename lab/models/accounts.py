"""People, the ways they sign in, and the roles they hold with dates."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.db.types import Code
from lab.models.programme import Body, Office


class Role(StrEnum):
    """Functions a person can hold. Every signed-in person is a resident; the others have dates."""

    RESIDENT = "resident"
    FACILITATOR = "facilitator"
    MODERATOR = "moderator"
    OFFICE = "office"
    COORDINATOR = "coordinator"
    COMMITTEE = "committee"
    DELEGATE = "delegate"
    ADMINISTRATOR = "administrator"


class MailRhythm(StrEnum):
    """How often a person wants mail about what they follow."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    NEVER = "never"


class Person(Base):
    """Somebody who takes part. May have no account, no e-mail, only a nickname."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: What others read: a name or a nickname, chosen by the person.
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str | None] = mapped_column(String(254))
    #: Folded address (case, plus-tags, dots): the key for "one account per address".
    email_key: Mapped[str | None] = mapped_column(String(254), index=True)
    email_verified_at: Mapped[datetime | None]
    phone: Mapped[str | None] = mapped_column(String(32))
    #: Where a printed letter goes ("scala B, terzo piano"); asked only of people without e-mail.
    postal: Mapped[str | None] = mapped_column(String(200))
    locale: Mapped[str] = mapped_column(String(8), default="it")
    mail_rhythm: Mapped[MailRhythm] = mapped_column(Code(MailRhythm), default=MailRhythm.AT_ONCE)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    blocked_at: Mapped[datetime | None]
    anonymised_at: Mapped[datetime | None]
    unread_count: Mapped[int] = mapped_column(default=0)


class Credential(Base):
    """The account of a person: one verified address, a password if they want one."""

    __tablename__ = "credential"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    email_key: Mapped[str | None] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    password_changed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    person: Mapped[Person] = relationship(lazy="raise")


class WebSession(Base):
    """A signed-in browser. The cookie carries a token, the row only its digest; ending it here ends it."""

    __tablename__ = "web_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    #: How it began: password, code, card.
    method: Mapped[str] = mapped_column(String(16))
    #: Family of browser and system in plain words ("Chrome su Android"), never the full agent string.
    device: Mapped[str] = mapped_column(String(80), default="")
    shared_device: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    #: When the person last proved who they are; changing mail or password asks again after a while.
    proved_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    person: Mapped[Person] = relationship(lazy="raise")


class SignInCode(Base):
    """A six-digit code sent by mail, bound to the browser that asked; joining and recovery use it too."""

    __tablename__ = "sign_in_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Digest of the token in the browser that asked: the code works nowhere else.
    browser_digest: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(16))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    #: Name and language given when joining; the person is made only once the code is right.
    name: Mapped[str | None] = mapped_column(String(80))
    locale: Mapped[str] = mapped_column(String(8), default="it")
    password_hash: Mapped[str | None] = mapped_column(String(200))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    code_digest: Mapped[str] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PersonCard(Base):
    """A printed card whose QR signs in a person without e-mail. Replaceable and revocable."""

    __tablename__ = "person_card"
    __table_args__ = (
        Index(
            "ix_person_card_live",
            "person_id",
            unique=True,
            sqlite_where=text("revoked_at IS NULL"),
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    issued_at: Mapped[datetime]
    issued_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class RoleGrant(Base):
    """A function held by a person from one day to another, for an office or body where it belongs.

    Grants are ended, never deleted: past acts keep the holder of their day.
    """

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint("role <> 'office' OR office_id IS NOT NULL", name="office_named"),
        CheckConstraint("role <> 'delegate' OR body_id IS NOT NULL", name="body_named"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates_in_order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[Role] = mapped_column(Code(Role))
    office_id: Mapped[int | None] = mapped_column(ForeignKey("office.id"), index=True)
    body_id: Mapped[int | None] = mapped_column(ForeignKey("body.id"), index=True)
    #: The seat in the Comitato, as its code ("S14"), until seats have a table of their own.
    seat_code: Mapped[str | None] = mapped_column(String(16))
    starts_on: Mapped[date]
    #: Last day in office, included; None while open-ended.
    ends_on: Mapped[date | None]
    granted_at: Mapped[datetime]
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    office: Mapped[Office | None] = relationship(lazy="raise")
    body: Mapped[Body | None] = relationship(lazy="raise")
    person: Mapped[Person] = relationship(lazy="raise", foreign_keys=[person_id])
