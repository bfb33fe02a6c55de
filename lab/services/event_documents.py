"""What one reads before or after a meeting: links, and PDFs kept under names of ours."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from lab.kernel.errors import Invalid, NotFound
from lab.models.events import Event, EventDocument
from lab.policy.permissions import Permission
from lab.services import audit, event_editing, event_plan, events, wording
from lab.services.context import Context

TITLE_LIMIT = 200
#: Documents of one meeting.
MOST = 20
_PDF = b"%PDF-"
_END = b"%%EOF"
#: Both marks may stand a little inside the file (ISO 32000-1, annex H).
_NEAR = 1024


@dataclass(frozen=True)
class AddDocument:
    """A link (`url`), or a stored file of ours (`file_name`, `bytes`)."""

    event_id: int
    title: str
    url: str = ""
    file_name: str = ""
    bytes: int = 0


def looks_like_pdf(data: bytes) -> bool:
    """Whether a file begins and ends as a PDF does."""
    return _PDF in data[:_NEAR] and _END in data[-_NEAR:]


def add(ctx: Context, command: AddDocument) -> EventDocument:
    """Put a document onto a meeting's page; the same link or file again changes nothing.

    Raises `NotFound`, `Invalid` on title or url ("bad_address", "link_or_file", "too_many").
    """
    event, grant = event_editing.hold(ctx, command.event_id)
    title = wording.line("title", command.title, TITLE_LIMIT, needed=True)
    if bool(command.url.strip()) == bool(command.file_name):
        raise Invalid("url", "link_or_file")
    url = event_plan.web_address("url", command.url) if command.url.strip() else ""
    mine = EventDocument.event_id == event.id
    # A file sent twice has two names of ours: its title and length tell.
    same = select(EventDocument).where(
        mine,
        EventDocument.title == title,
        EventDocument.url == url,
        EventDocument.bytes == command.bytes,
    )
    again = ctx.session.execute(same).scalars().first()
    if again is not None:
        return again
    count, last = ctx.session.execute(
        select(func.count(), func.max(EventDocument.position)).where(mine)
    ).one()
    if count >= MOST:
        raise Invalid("title", "too_many")
    row = EventDocument(
        event_id=event.id, position=(last or 0) + 1, title=title, url=url, file_name=command.file_name,
        bytes=command.bytes,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    audit.record(ctx, "event.document", event, grant, code=event.code, document_id=row.id)
    return row


def remove(ctx: Context, event_id: int, document_id: int) -> str:
    """Take a document off; the name of the file that is no longer needed, "" for a link.

    Raises `NotFound`.
    """
    event, grant = event_editing.hold(ctx, event_id)
    row = ctx.session.get(EventDocument, document_id)
    if row is None or row.event_id != event.id:
        raise NotFound("document")
    ctx.session.delete(row)
    audit.record(ctx, "event.document_away", event, grant, code=event.code, document_id=document_id)
    ctx.session.flush()
    return row.file_name


def of(ctx: Context, event_id: int) -> list[EventDocument]:
    """All of a meeting, in order."""
    query = select(EventDocument).where(EventDocument.event_id == event_id)
    return list(ctx.session.execute(query.order_by(EventDocument.position, EventDocument.id)).scalars())


def file_of(ctx: Context, code: str, document_id: int) -> EventDocument:
    """A stored file that the actor may read. Raises `NotFound`."""
    event: Event = events.readable(ctx, code)
    ctx.require(Permission.EVENT_READ, event)
    row = ctx.session.get(EventDocument, document_id)
    if row is None or row.event_id != event.id or not row.file_name:
        raise NotFound("document")
    return row
