"""What a tablet sent, read: the envelope, the moment it was said, and the fields of the payload."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.kernel.errors import Invalid
from lab.kernel.locales import SUPPORTED
from lab.services import kiosk_versions, sealing

#: Those about who comes, which the books of the meeting hold, and those of words.
OF_PEOPLE = ("sign_up", "walk_in", "check_in")
KINDS = (*OF_PEOPLE, "idea", "question", "how_it_was")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Further back nobody corrects a clock: more than a lifetime, in milliseconds.
_LONGEST_OFFSET = 4_000_000_000_000
_DEEPEST = 6
_LONGEST_TEXT = 20_000
_SURROGATES = re.compile("[\ud800-\udfff\0]")


@dataclass(frozen=True)
class Sender:
    """The tablet that speaks, or whose file was brought: of one meeting, whose code it may name."""

    event_id: int
    event_code: str
    #: Sign-ups said later are looked at by a person.
    until: datetime
    device_id: int | None = None
    #: Nothing can have been said on it before.
    since: datetime | None = None
    is_door: bool = False


@dataclass(frozen=True)
class Record:
    """One thing that was said on a tablet. `trouble` is why it cannot be read; "" when it can."""

    client_uuid: str
    kind: str
    #: Identifies the envelope as it came: a repeat has the same.
    digest: str
    said_at: datetime
    payload: dict[str, Any] = field(default_factory=dict)
    envelope: dict[str, Any] = field(default_factory=dict)
    trouble: str = ""
    #: Ask the books for the short code instead of taking the tablet's, which another party has.
    own_code: bool = True
    #: Something stands under its id already.
    again: bool = False
    #: Why a host lets this party in all the same: full, too late, too many.
    override: str = ""


@dataclass(frozen=True)
class Told:
    """What became of a record: an HTTP number, a word and what goes with it (docs/kiosk.md).

    `aside`: why a person has to look all the same; "" when nobody has to.
    """

    status: int
    word: str
    more: dict[str, Any]
    aside: str = ""


def read(keys: Mapping[int, str], sender: Sender, envelope: Any, now: datetime) -> Record:
    """Open an envelope. Never raises: what cannot be read is said in `trouble`, and kept."""
    raw = envelope if isinstance(envelope, dict) else {"envelope": envelope}
    try:
        raw = plain(raw)
    except ValueError:
        raw = {"envelope": json.dumps(raw)[:_LONGEST_TEXT]}
    named, kind, event = raw.get("client_uuid"), raw.get("kind"), raw.get("event")
    known = isinstance(named, str) and _UUID.fullmatch(named) is not None
    # Sealed once, a repeat is the same bytes; the number and the clock beside them may differ.
    digest = _digest([named, event, kind, raw.get("sealed")] if known else raw)
    client_uuid = str(named) if known else str(uuid.uuid5(uuid.NAMESPACE_OID, digest))
    said_at = _moment(raw, sender, now)
    record = Record(client_uuid, str(kind)[:24], digest, said_at, envelope=raw)
    if not known or kind not in KINDS:
        return _troubled(record, "malformed")
    if event != sender.event_code:
        return _troubled(record, "other_event")
    try:
        opened = sealing.unseal(
            keys, raw.get("sealed"), sealing.associated(client_uuid, sender.event_code, record.kind)
        )
        payload = kiosk_versions.lift(raw.get("v"), record.kind, plain(opened))
    except (sealing.Unreadable, ValueError):
        return _troubled(record, "unreadable")
    except kiosk_versions.UnknownVersion:
        return _troubled(record, "unknown_version")
    return Record(client_uuid, record.kind, digest, said_at, payload, raw)


def _troubled(record: Record, trouble: str) -> Record:
    return Record(
        record.client_uuid, record.kind, record.digest, record.said_at, envelope=record.envelope,
        trouble=trouble,
    )  # fmt: skip


def plain(value: Any, depth: int = 0) -> Any:
    """A JSON value that both databases can keep. Raises ValueError when it is nested without end."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return _SURROGATES.sub("", value[:_LONGEST_TEXT])
    if isinstance(value, dict):
        return {str(plain(key, depth + 1)): plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one, depth + 1) for one in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise ValueError("no number")
    return value


def content_hash(record: Record) -> str:
    """What identifies what was said, whatever the version in which it was sent."""
    return _digest([record.kind, record.payload])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _moment(raw: dict[str, Any], sender: Sender, now: datetime) -> datetime:
    """When it was said by the corrected clock: not before the tablet was paired, never in the future."""
    try:
        offset = raw.get("clock_offset_ms") or 0
        if not isinstance(offset, int | float) or abs(offset) > _LONGEST_OFFSET:
            raise ValueError("no offset")
        said = datetime.fromisoformat(raw["created_at"])
        said = (said if said.tzinfo else said.replace(tzinfo=UTC)) + timedelta(milliseconds=offset)
        said = said.astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return now
    return min(now, max(said, sender.since or now - timedelta(days=366)))


def text(payload: Mapping[str, Any], name: str, limit: int) -> str:
    """A field of words, "" when missing. Raises `Invalid` for other things and for too many words."""
    value = payload.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid(name, "unknown")
    if len(value.strip()) > limit:
        raise Invalid(name, "too_long")
    return value.strip()


def language(payload: Mapping[str, Any], default: str) -> str:
    """The language somebody spoke in; `default` for one that nobody knows. Raises `Invalid` as `text`."""
    code = text(payload, "locale", 12)
    return code if code in SUPPORTED else default


def number(payload: Mapping[str, Any], name: str, default: int | None = None) -> int | None:
    """A whole number. Raises `Invalid` for anything else."""
    value = payload.get(name, default)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 2**31:
        raise Invalid(name, "unknown")
    return value


def words(payload: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of codes. Raises `Invalid` for anything else."""
    value = payload.get(name) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Invalid(name, "unknown")
    return tuple(value)
