"""Sign-ups: places, parties, the waiting list, who came. Seen only by those who run the event."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.db.types import Code
from lab.models.accounts import Person
from lab.models.events import Event


class SignUp(Base):
    """How one signs up for an event, and the books of its places.

    This row is the one lock of the event: whoever gives, frees or counts places holds it
    (`lab.services.seats`). Places are people, not parties. Where nobody need sign up (`is_offered` false)
    the row keeps the books of who came.
    """

    __tablename__ = "sign_up"
    __table_args__ = (
        CheckConstraint("capacity IS NULL OR capacity >= 0", name="capacity_positive"),
        CheckConstraint("party_most BETWEEN 1 AND 50", name="party_most"),
        CheckConstraint("taken >= 0 AND waiting >= 0 AND lent >= 0", name="books_positive"),
    )

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True, autoincrement=False)
    #: Whether one can sign up before; the door works either way.
    is_offered: Mapped[bool] = mapped_column(default=True)
    #: Places given out; None: as many as come.
    capacity: Mapped[int | None]
    #: From when and until when one may sign up; None: at once, and until it begins.
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    #: Largest party on one sign-up.
    party_most: Mapped[int] = mapped_column(default=4)
    #: Values of `Offer` that the form asks about.
    asks: Mapped[list[Any]] = mapped_column(default=list)
    #: What is said about people's data beside the standing words, in plain words.
    consent_note: Mapped[str] = mapped_column(Text, default="")
    #: Rises whenever the words that people agree to change.
    consent_version: Mapped[int] = mapped_column(default=1)
    #: Days after the event at which names and contacts are deleted; totals stay.
    keep_days: Mapped[int] = mapped_column(default=30)
    #: Days ahead of the event of which people are reminded; 0: not.
    remind_days: Mapped[int] = mapped_column(default=1)
    has_groups: Mapped[bool] = mapped_column(default=False)
    #: People with a place.
    taken: Mapped[int] = mapped_column(default=0)
    #: Waiting parties, not people.
    waiting: Mapped[int] = mapped_column(default=0)
    #: Places lent to tablets and not used yet.
    lent: Mapped[int] = mapped_column(default=0)
    #: People in the room.
    arrived: Mapped[int] = mapped_column(default=0)
    #: The last number in the queue, and of door codes, that was given.
    queue_last: Mapped[int] = mapped_column(default=0)
    code_last: Mapped[int] = mapped_column(default=0)
    #: When names and contacts were deleted.
    forgotten_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    event: Mapped[Event] = relationship(lazy="raise")


class SeatGroup(Base):
    """People for whom places are kept, or of whom only so many can come (a stair, children, a class)."""

    __tablename__ = "seat_group"
    __table_args__ = (
        CheckConstraint("reserved >= 0 AND taken >= 0", name="counts_positive"),
        CheckConstraint("most IS NULL OR most >= reserved", name="most_above_reserved"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(80))
    #: Places that nobody else gets.
    reserved: Mapped[int] = mapped_column(default=0)
    #: No more than this of the group; None: no limit of its own.
    most: Mapped[int | None]
    taken: Mapped[int] = mapped_column(default=0)


class QuestionKind(StrEnum):
    """How a question of the event's own is answered."""

    TEXT = "text"
    ONE = "one"
    MANY = "many"
    YES_NO = "yes_no"
    NUMBER = "number"


class EventQuestion(Base):
    """A question that this event asks whoever signs up."""

    __tablename__ = "event_question"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    kind: Mapped[QuestionKind] = mapped_column(Code(QuestionKind))
    label: Mapped[str] = mapped_column(String(200))
    options: Mapped[list[Any]] = mapped_column(default=list)
    is_required: Mapped[bool] = mapped_column(default=False)


class RegistrationState(StrEnum):
    """Where a sign-up stands. Merged: the same party stands on another row."""

    CONFIRMED = "confirmed"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    MERGED = "merged"


class Source(StrEnum):
    """The way a sign-up or an arrival reached us."""

    SITE = "site"
    KIOSK = "kiosk"
    DOOR = "door"
    PAPER = "paper"
    DESK = "desk"


class Registration(Base):
    """A party that signed up or walked in. Personal fields are emptied when the promised date comes.

    One person once: the partial unique indexes refuse a second standing sign-up with the same account,
    address or telephone; a sheet of paper and its line, and a client's UUID, are keys for good.
    """

    __tablename__ = "registration"
    __table_args__ = (
        CheckConstraint("party_size BETWEEN 1 AND 50", name="party_size"),
        UniqueConstraint("event_id", "code"),
        UniqueConstraint("event_id", "sheet_no", "line_no"),
        Index(
            "uq_registration_event_id_person_id",
            "event_id",
            "person_id",
            unique=True,
            sqlite_where=text("state IN ('confirmed', 'waiting')"),
            postgresql_where=text("state IN ('confirmed', 'waiting')"),
        ),
        Index(
            "uq_registration_event_id_email_key",
            "event_id",
            "email_key",
            unique=True,
            sqlite_where=text("state IN ('confirmed', 'waiting')"),
            postgresql_where=text("state IN ('confirmed', 'waiting')"),
        ),
        Index(
            "uq_registration_event_id_phone_key",
            "event_id",
            "phone_key",
            unique=True,
            sqlite_where=text("state IN ('confirmed', 'waiting')"),
            postgresql_where=text("state IN ('confirmed', 'waiting')"),
        ),
        Index("ix_registration_queue", "event_id", "state", "queue_no", "id"),
        Index("ix_registration_name", "event_id", "name_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    #: Short code for the door, said aloud or read from the ticket.
    code: Mapped[str] = mapped_column(String(12))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    #: The name without case, accents, apostrophes and order: proposes likely doubles.
    name_key: Mapped[str] = mapped_column(String(120), default="")
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(32))
    phone_key: Mapped[str | None] = mapped_column(String(32))
    party_size: Mapped[int] = mapped_column(default=1)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("seat_group.id"), index=True)
    #: Values of `Offer` they asked for.
    needs: Mapped[list[Any]] = mapped_column(default=list)
    needs_note: Mapped[str] = mapped_column(Text, default="")
    #: Answers to the event's own questions, by question id as text.
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    locale: Mapped[str] = mapped_column(String(8), default="it")
    consent_version: Mapped[int] = mapped_column(default=1)
    state: Mapped[RegistrationState] = mapped_column(Code(RegistrationState))
    #: Order in the queue while waiting; a host may change it with a reason.
    queue_no: Mapped[int | None]
    #: Let in above the capacity by a person, with this reason.
    override_reason: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[Source] = mapped_column(Code(Source), default=Source.SITE)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"), index=True)
    lease_id: Mapped[int | None] = mapped_column(ForeignKey("seat_lease.id"), index=True)
    typed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    sheet_no: Mapped[int | None]
    line_no: Mapped[int | None]
    #: Made by the client when the person pressed the button; a repeat with it is the same sign-up for ever.
    client_uuid: Mapped[str | None] = mapped_column(String(36), unique=True)
    #: What was sent under that UUID: the same id with other content is refused.
    payload_hash: Mapped[str | None] = mapped_column(String(64))
    #: Digest of the random code in the ticket's QR of a kiosk.
    claim_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    #: When the person did it by the (corrected) clock of the device; everything official uses `created_at`.
    said_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    #: First arrival that stands, and how many of the party came.
    arrived_at: Mapped[datetime | None]
    arrived_count: Mapped[int] = mapped_column(default=0)
    reminded_at: Mapped[datetime | None]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id"), index=True)
    forgotten_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    event: Mapped[Event] = relationship(lazy="raise")
    person: Mapped[Person | None] = relationship(lazy="raise", foreign_keys=[person_id])
    group: Mapped[SeatGroup | None] = relationship(lazy="raise")


class Arrival(Base):
    """Somebody was marked as arrived. A second mark of the same party is answered with the first."""

    __tablename__ = "arrival"
    __table_args__ = (
        Index(
            "uq_arrival_registration_id",
            "registration_id",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index("ix_arrival_event", "event_id", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    at: Mapped[datetime]
    #: By the device's corrected clock, when it was offline.
    said_at: Mapped[datetime | None]
    people: Mapped[int] = mapped_column(default=1)
    source: Mapped[Source] = mapped_column(Code(Source), default=Source.DOOR)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    client_uuid: Mapped[str | None] = mapped_column(String(36), unique=True)
    payload_hash: Mapped[str | None] = mapped_column(String(64))
    #: What the arrival changed in the sign-up (state, number in the queue, size): undoing restores it.
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class RegistrationMerge(Base):
    """Two rows found to be one party by a person. Undone merges keep their row."""

    __tablename__ = "registration_merge"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), index=True)
    kept_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), index=True)
    gone_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), index=True)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: State and arrival of both before, so that undoing restores them.
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class NotTheSame(Base):
    """Two rows that look alike and were found to be different people: not proposed again."""

    __tablename__ = "not_the_same"
    __table_args__ = (CheckConstraint("low_id < high_id", name="in_order"),)

    low_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), primary_key=True)
    high_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), primary_key=True)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class PaperSheet(Base):
    """A printed sign-up sheet with numbered lines."""

    __tablename__ = "paper_sheet"
    __table_args__ = (UniqueConstraint("event_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    number: Mapped[int]
    lines: Mapped[int] = mapped_column(default=20)
    printed_at: Mapped[datetime]
    printed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: Somebody says that all its lines are typed in.
    typed_at: Mapped[datetime | None]
