"""Who runs a meeting: people with a function in force, chosen by name, every change on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, or_, select

from lab.kernel.errors import Invalid
from lab.models.accounts import Person, RoleGrant
from lab.models.events import Event, EventHost
from lab.policy.rules import HOSTS
from lab.services import audit, event_editing
from lab.services.context import Context
from lab.services.terms import in_force, today

#: A meeting has no more hosts than this.
MOST = 40


@dataclass(frozen=True)
class ChangeHosts:
    """All of them, anew."""

    event_id: int
    version: int | None
    person_ids: frozenset[int]


def candidates(ctx: Context, event_id: int | None = None) -> Sequence[Person]:
    """Whoever may host today, and who hosts this meeting already; by name. One statement."""
    may = select(RoleGrant.person_id).where(RoleGrant.role.in_(HOSTS), in_force(today(ctx)))
    does = select(EventHost.person_id).where(EventHost.event_id == event_id)
    query = select(Person).where(or_(Person.id.in_(may), Person.id.in_(does)))
    query = query.where(Person.anonymised_at.is_(None)).order_by(Person.name, Person.id)
    return ctx.session.execute(query).scalars().all()


def change(ctx: Context, command: ChangeHosts) -> Event:
    """Say anew who runs a meeting.

    Raises `NotFound`, `Conflict("changed_meanwhile")`, `Invalid("hosts", "at_least_one"|"unknown")`.
    """
    event, grant = event_editing.hold(ctx, command.event_id, command.version)
    wanted = set(command.person_ids)
    if not wanted:
        raise Invalid("hosts", "at_least_one")
    known = {person.id for person in candidates(ctx, event.id)}
    if wanted - known or len(wanted) > MOST:
        raise Invalid("hosts", "unknown")
    before = {host.person_id for host in event.hosts}
    if before == wanted:
        return event
    mine = EventHost.event_id == event.id
    ctx.session.execute(delete(EventHost).where(mine, EventHost.person_id.in_(before - wanted)))
    ctx.session.add_all(EventHost(event_id=event.id, person_id=key) for key in sorted(wanted - before))
    event.version += 1
    audit.record(
        ctx, "event.hosts", event, grant,
        code=event.code, added=sorted(wanted - before), removed=sorted(before - wanted),
    )  # fmt: skip
    ctx.session.flush()
    ctx.session.expire(event, ["hosts"])
    return event
