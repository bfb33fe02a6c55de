"""Tablets at meetings: pairing, what they may do, places lent to them, what a person must look at."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lab.db.base import Base
from lab.db.types import Code
from lab.models.events import Event


class DeviceMode(StrEnum):
    """What a paired device is for: residents use it themselves, or a facilitator at the door does."""

    KIOSK = "kiosk"
    DOOR = "door"


class KioskKey(Base):
    """The P-256 keys for which tablets seal what people write; kept for good, so old files stay readable."""

    __tablename__ = "kiosk_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    #: Uncompressed point, base64url.
    public_key: Mapped[str] = mapped_column(String(128))
    private_pem: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]


class PairingCode(Base):
    """A code that turns a browser into a device of one event; short-lived, used once."""

    __tablename__ = "pairing_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), index=True)
    code_digest: Mapped[str] = mapped_column(String(64), unique=True)
    mode: Mapped[DeviceMode] = mapped_column(Code(DeviceMode), default=DeviceMode.KIOSK)
    name: Mapped[str] = mapped_column(String(80), default="")
    #: The PIN of the facilitator's corner, as `lab.kernel.pins` keeps it: a tablet can check it offline.
    pin_hash: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[datetime]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    #: Only the demonstration's code may be used again and again.
    many_uses: Mapped[bool] = mapped_column(default=False)


class Device(Base):
    """A paired tablet or phone. Its token opens the kiosk routes of one event and nothing else."""

    __tablename__ = "device"
    __table_args__ = (UniqueConstraint("event_id", "prefix"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    name: Mapped[str] = mapped_column(String(80), default="")
    mode: Mapped[DeviceMode] = mapped_column(Code(DeviceMode))
    #: Begins the short codes that it makes offline ("K7"): codes of two tablets never meet.
    prefix: Mapped[str] = mapped_column(String(4))
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    pin_hash: Mapped[str] = mapped_column(String(200))
    paired_at: Mapped[datetime]
    paired_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    paused_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    #: What it last said of itself: queue, oldest unsent, storage, clock, version of the application.
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    event: Mapped[Event] = relationship(lazy="raise")


class SeatLease(Base):
    """Places lent to a tablet so that it may say "confirmed" without network.

    Until `expires_at` the tablet may promise them; they come back when the tablet reports, or when a host
    takes them back. Never by the clock alone: a promise made in time is kept.
    """

    __tablename__ = "seat_lease"
    __table_args__ = (
        CheckConstraint("used >= 0 AND used <= seats", name="used_within"),
        Index(
            "uq_seat_lease_device_id",
            "device_id",
            unique=True,
            sqlite_where=text("returned_at IS NULL"),
            postgresql_where=text("returned_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), index=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("device.id"))
    seats: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    lent_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]


class TrayItem(Base):
    """A record that could not be taken as it is, kept with its content until a person has looked at it."""

    __tablename__ = "tray_item"
    __table_args__ = (UniqueConstraint("client_uuid", "payload_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), index=True)
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"), index=True)
    client_uuid: Mapped[str] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String(24))
    #: Why: conflict, closed, unreadable, …
    reason: Mapped[str] = mapped_column(String(48))
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    payload_hash: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: How it was settled: taken, dropped, with the person's words.
    settlement: Mapped[str] = mapped_column(Text, default="")


class KioskFile(Base):
    """An exported file that was brought to the desk. The same file again changes nothing."""

    __tablename__ = "kiosk_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    #: How many records of each result.
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class HowItWas(Base):
    """How an event was for somebody: one to five, nameless. Their words, if any, are an input."""

    __tablename__ = "how_it_was"
    __table_args__ = (CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), index=True)
    stars: Mapped[int]
    contribution_id: Mapped[int | None] = mapped_column(ForeignKey("contribution.id"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id"))
    client_uuid: Mapped[str] = mapped_column(String(36), unique=True)
    payload_hash: Mapped[str] = mapped_column(String(64))
