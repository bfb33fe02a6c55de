"""What a meeting divides into (stops, tables, groups) and the photographs of its sheets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import joinedload

from lab.db.locking import expect_version
from lab.kernel.errors import Invalid, NotFound
from lab.kernel.text import clean_line, clean_text
from lab.models.capture import EventPart, EventRemark, PartKind
from lab.models.contributions import Contribution, Visibility
from lab.models.events import Event
from lab.models.pictures import Photo
from lab.models.programme import Place
from lab.models.rooms import Room
from lab.policy.permissions import Permission
from lab.services import audit, capture, capture_kinds, once, photos, references, room, wording
from lab.services.context import Context
from lab.services.photos import StoredPhoto

CONVENOR_LIMIT = 80
REPORT_LIMIT = 10_000
#: Photographed sheets of one meeting.
SHEETS = 60


@dataclass(frozen=True)
class Part:
    """A stop, a table, a group. Without `part_id` it is new; the same title twice is one part."""

    event_id: int
    kind: PartKind
    title: str
    part_id: int | None = None
    version: int | None = None
    place_id: int | None = None
    convenor: str = ""
    report: str = ""


def save(ctx: Context, command: Part) -> EventPart:
    """Make a part or change it.

    Raises `NotFound` for outsiders, `Invalid` for kind, title, convenor, report, place or too many parts,
    `Conflict("changed_meanwhile")` when a colleague saved in between.
    """
    event, grant = capture.held(ctx, command.event_id)
    title = _checked(ctx, event, command)
    anew = command.part_id is None
    part = _existing(ctx, event, command.part_id or capture.part_of(ctx, event, command.kind, title))
    if not anew:
        expect_version(part, command.version)
    elif part.convenor or part.report:
        if (part.convenor, part.report) == _words(command):
            return part
        # Somebody wrote a group of this name meanwhile: neither report may hide the other.
        raise Invalid("title", "name_taken")
    part.title, part.place_id = title, command.place_id
    part.convenor, part.report = _words(command)
    part.version += 1
    ctx.session.flush()
    audit.record(ctx, "event.part", event, grant, part_id=part.id, code=event.code)
    return part


def _words(command: Part) -> tuple[str, str]:
    return clean_line(command.convenor, CONVENOR_LIMIT), clean_text(command.report, REPORT_LIMIT)


def _checked(ctx: Context, event: Event, command: Part) -> str:
    if command.kind not in {way.part for way in capture_kinds.ways(event.kind)}:
        raise Invalid("kind", "unknown")
    title = wording.line("title", command.title, capture.PART_LIMIT, needed=True)
    wording.line("convenor", command.convenor, CONVENOR_LIMIT)
    wording.text("report", command.report, REPORT_LIMIT)
    references.known(ctx, "place", Place, command.place_id)
    return title


def _existing(ctx: Context, event: Event, part_id: int | None) -> EventPart:
    mine = select(EventPart).where(EventPart.event_id == event.id, EventPart.id == part_id)
    found = ctx.session.execute(mine, execution_options={"populate_existing": True}).scalar_one_or_none()
    if found is None:
        raise NotFound("event_part")
    return found


def of_event(ctx: Context, event: Event) -> Sequence[EventPart]:
    """The parts of a meeting in order. One statement."""
    ctx.require(Permission.EVENT_CAPTURE, event)
    query = (
        select(EventPart)
        .where(EventPart.event_id == event.id)
        .options(joinedload(EventPart.place))
        .order_by(EventPart.position, EventPart.id)
    )
    return ctx.session.execute(query).scalars().all()


def on_paper(ctx: Context, event: Event) -> dict[int | None, list[EventRemark]]:
    """What was written down, by the id of its part (None: of the whole meeting), in order; public lines only.

    Paper is handed to people: what is kept private stays out.
    """
    ctx.require(Permission.EVENT_CAPTURE, event)
    query = (
        select(EventRemark)
        .join(EventRemark.contribution)
        .where(EventRemark.event_id == event.id, Contribution.visibility == Visibility.PUBLIC)
        .options(joinedload(EventRemark.contribution).joinedload(Contribution.place))
        .order_by(EventRemark.contribution_id)
        .limit(1000)
    )
    found: dict[int | None, list[EventRemark]] = {}
    for remark in ctx.session.execute(query).scalars():
        found.setdefault(remark.part_id, []).append(remark)
    return found


def sheet_name(ctx: Context, key: str | None) -> str | None:
    """The name under which a photographed sheet sent with this key is kept: the same for every try."""
    own = once.own_key(ctx, key)
    return own[:32] if own else None


def sheet(ctx: Context, event: Event, name: str) -> Photo | None:
    """The sheet of this name, when it has been received."""
    ctx.require(Permission.EVENT_CAPTURE, event)
    query = select(Photo).where(Photo.name == name, Photo.event_id == event.id)
    return ctx.session.execute(query).scalar_one_or_none()


def add_sheet(ctx: Context, event_id: int, photo: StoredPhoto) -> Photo:
    """Put the photograph of a sheet on the meeting's page and on the screen of the room.

    The same name again is the same sheet. Raises `NotFound`, `Invalid("photos", "too_many_photos")`.
    """
    event, grant = capture.held(ctx, event_id)
    again = sheet(ctx, event, photo.name)
    if again is not None:
        return again
    number = ctx.session.execute(
        select(func.count()).select_from(Photo).where(Photo.event_id == event.id)
    ).scalar_one()
    if number >= SHEETS:
        raise Invalid("photos", "too_many_photos")
    row = photos.attach_to_event(ctx, event.id, photo, position=number)
    audit.record(ctx, "event.sheet", event, grant, code=event.code)
    room.touch(ctx, event.id)
    return row


def remove_sheet(ctx: Context, event_id: int, name: str) -> None:
    """Take the photograph of a sheet away; its files go with the next sweep. Raises `NotFound`."""
    event, grant = capture.held(ctx, event_id)
    gone = sheet(ctx, event, name)
    if gone is None:
        raise NotFound("photo")
    on_screen = update(Room).where(Room.photo_id == gone.id)
    ctx.session.execute(on_screen.values(photo_id=None), execution_options={"synchronize_session": False})
    ctx.session.delete(gone)
    audit.record(ctx, "event.sheet_removed", event, grant, code=event.code)
    room.touch(ctx, event.id)


def sheets(ctx: Context, event_id: int) -> list[Photo]:
    """The photographed sheets of a meeting, in order."""
    query = select(Photo).where(Photo.event_id == event_id).order_by(Photo.position, Photo.id)
    return list(ctx.session.execute(query.limit(SHEETS)).scalars())
