"""Who runs a meeting: the only people who see names, and every look of theirs is written down."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from lab.kernel.errors import NotFound
from lab.models.events import Event
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import audit
from lab.services.context import Context


def run(ctx: Context, event_id: int) -> tuple[Event, Grant]:
    """The meeting with its hosts, and the right to run it. Raises `NotFound`, also for everybody else."""
    query = select(Event).where(Event.id == event_id).options(selectinload(Event.hosts))
    event = ctx.session.execute(query).scalar_one_or_none()
    if event is None:
        raise NotFound("event")
    return event, ctx.require(Permission.EVENT_RUN, event)


def by_code(ctx: Context, code: str) -> tuple[Event, Grant]:
    """As `run`, by the code in the address; with the place. Raises `NotFound`."""
    query = select(Event).where(Event.code == code)
    event = ctx.session.execute(
        query.options(selectinload(Event.hosts), joinedload(Event.place))
    ).scalar_one_or_none()
    if event is None:
        raise NotFound("event")
    return event, ctx.require(Permission.EVENT_RUN, event)


def look(ctx: Context, event: Event, grant: Grant, what: str) -> None:
    """Write down that somebody looked at names: `what` is the page (door, people, doubles), never a name."""
    audit.record(ctx, "event.people_seen", event, grant, what=what)
