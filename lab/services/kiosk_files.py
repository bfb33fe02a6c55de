"""Files that tablets export when no network comes: read whole or in part, remembered by their digest."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from lab.db.upsert import insert_once
from lab.kernel.errors import Invalid, NotFound
from lab.models.events import Event
from lab.models.kiosk import Device, DeviceMode, KioskFile
from lab.services import audit, devices, hosting
from lab.services.context import Context
from lab.services.kiosk import Result
from lab.services.kiosk_payload import Sender

FORMAT = "lab-totem-1"
#: Ten thousand records, more than one evening has.
LONGEST = 12_000_000
#: Places in a damaged file at which reading is tried anew.
_TRIES = 400
#: How often a damaged file is gone through in all: each try may read to its end.
_PASSES = 4
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Exported:
    """What a file holds. `broken`: which records could not be read, by their place in the file, from 1."""

    digest: str
    event_code: str = ""
    device_id: int | None = None
    records: list[Any] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)


def parse(data: bytes) -> Exported:
    """Read a file; of a damaged one as much as can be read. Raises `Invalid("file", …)`: no_totem_file,
    too_heavy, and nothing_readable when it is one of ours without a single whole record."""
    if len(data) > LONGEST:
        raise Invalid("file", "too_heavy")
    digest = hashlib.sha256(data).hexdigest()
    text = data.decode("utf-8", "replace")
    if FORMAT not in text[:2000]:
        raise Invalid("file", "no_totem_file")
    try:
        whole = json.loads(text)
        return _whole(digest, whole)
    except (ValueError, RecursionError):
        return _in_part(digest, text)


def _whole(digest: str, whole: Any) -> Exported:
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise Invalid("file", "no_totem_file")
    records = whole.get("records")
    if not isinstance(records, list):
        raise Invalid("file", "nothing_readable")
    device = whole.get("device")
    return Exported(
        digest,
        str(whole.get("event", "")),
        device if isinstance(device, int) and 0 < device < 2**63 else None,
        records,
    )


def _in_part(digest: str, text: str) -> Exported:
    """Go from one opening brace to the next: each either begins a whole record, or lies in a broken one."""
    records: list[Any] = []
    broken: list[int] = []
    at, tries, lost = text.find("{", text.find('"records"')), 0, False
    left = _PASSES * len(text)
    while at != -1 and tries < _TRIES and left > 0:
        try:
            found, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            found, end = None, at + 1
            tries += 1
            left -= getattr(error, "pos", len(text)) - at
        if isinstance(found, dict) and "client_uuid" in found and "sealed" in found:
            if lost:
                broken.append(len(records) + len(broken) + 1)
            records.append(found)
            lost = False
        else:
            lost = True
        at = text.find("{", end)
    if lost or not records:
        broken.append(len(records) + len(broken) + 1)
    if not records:
        raise Invalid("file", "nothing_readable")
    return Exported(digest, str(records[0].get("event", "")), None, records, broken)


def earlier(ctx: Context, event_id: int, digest: str) -> KioskFile | None:
    """The same file, when it was brought before."""
    query = select(KioskFile).where(KioskFile.digest == digest, KioskFile.event_id == event_id)
    return ctx.session.execute(query).scalar_one_or_none()


def sender(ctx: Context, event: Event, exported: Exported) -> Sender:
    """Whose file it is. Raises `Invalid("file", "other_meeting")` for the file of another meeting."""
    if exported.event_code != event.code:
        raise Invalid("file", "other_meeting")
    device = ctx.session.get(Device, exported.device_id) if exported.device_id else None
    if device is None or device.event_id != event.id:
        return Sender(event.id, event.code, devices.closes_at(event))
    is_door = device.mode is DeviceMode.DOOR
    return Sender(event.id, event.code, devices.closes_at(event), device.id, is_door=is_door)


def remember(ctx: Context, event_id: int, exported: Exported, results: Iterable[Result]) -> KioskFile:
    """Write down what became of a file. The same one brought twice at once is written once."""
    event, grant = hosting.run(ctx, event_id)
    counts: dict[str, Any] = dict(
        Counter("again" if result.status == 200 else result.result for result in results)
    )
    row = {
        "event_id": event.id,
        "digest": exported.digest,
        "at": ctx.now,
        "person_id": ctx.actor.person_id,
        "counts": {**counts, "broken": exported.broken},
    }
    is_new = insert_once(ctx.session, KioskFile, row)
    found = earlier(ctx, event.id, exported.digest)
    if found is None:
        raise NotFound("kiosk_file")
    if is_new:
        audit.record(ctx, "kiosk.file", found, grant, records=len(exported.records))
    return found


def of_event(ctx: Context, event_id: int) -> Sequence[KioskFile]:
    """The files that were brought for a meeting, the latest first; the caller has checked who looks."""
    query = select(KioskFile).where(KioskFile.event_id == event_id).order_by(KioskFile.id.desc())
    return ctx.session.execute(query).scalars().all()
