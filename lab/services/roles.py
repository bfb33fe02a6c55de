"""Functions people hold, from one day to another: given, ended, never deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import joinedload

from lab.db.locking import locked
from lab.kernel.errors import Conflict, Denied, Invalid
from lab.kernel.text import clean_line
from lab.models.accounts import Person, PersonCard, Role, RoleGrant
from lab.models.programme import Body, Office
from lab.policy.actor import STAFF
from lab.policy.permissions import Permission
from lab.services import audit, sessions
from lab.services.context import Context
from lab.services.terms import in_force, today

#: A term longer than this is a slip of the keyboard.
_LONGEST_YEARS = 20


@dataclass(frozen=True)
class GiveRole:
    """A function for a person; `ends_on` is the last day, included, None while open-ended."""

    person_id: int
    role: Role
    starts_on: date
    ends_on: date | None = None
    office_id: int | None = None
    body_id: int | None = None
    seat_code: str = ""


@dataclass(frozen=True)
class EndRole:
    """End a grant after `last_day` (included); None ends it at once."""

    grant_id: int
    last_day: date | None = None


def of_people(ctx: Context, person_ids: Sequence[int]) -> dict[int, list[RoleGrant]]:
    """All grants of these people, past and future too, newest first."""
    found: dict[int, list[RoleGrant]] = {person_id: [] for person_id in person_ids}
    query = (
        select(RoleGrant)
        .where(RoleGrant.person_id.in_(person_ids))
        .options(joinedload(RoleGrant.office), joinedload(RoleGrant.body))
        .order_by(RoleGrant.starts_on.desc(), RoleGrant.id.desc())
    )
    for grant in ctx.session.execute(query).scalars():
        found[grant.person_id].append(grant)
    return found


def give(ctx: Context, command: GiveRole) -> RoleGrant:
    """Give a function. The person's sessions end: they sign in again with what they now may do. Giving the
    very same twice is giving it once.

    Raises `Invalid` for dates out of order or a missing office, body or seat, `Conflict("role_held")` when
    the same function is held in those days already, `Conflict("no_account")` when a desk is given to
    somebody who can only sign in with a card.
    """
    capacity = ctx.require(Permission.ROLE_GRANT)
    person = locked(ctx.session, Person, command.person_id)
    _check(ctx, command)
    if command.role in STAFF and not person.email_verified_at and not ctx.actor.is_system:
        raise Conflict("no_account")
    seat = clean_line(command.seat_code, 16) if command.role is Role.COMMITTEE else ""
    grant = RoleGrant(
        person_id=person.id,
        role=command.role,
        office_id=command.office_id if command.role is Role.OFFICE else None,
        body_id=command.body_id if command.role is Role.DELEGATE else None,
        seat_code=seat or None,
        starts_on=command.starts_on,
        ends_on=command.ends_on,
        granted_at=ctx.now,
        granted_by_id=ctx.actor.person_id,
    )
    held = _held(ctx, grant)
    if held is not None and _is_so(held, grant):
        return held  # the second of two clicks
    if held is not None:
        raise Conflict("role_held")
    ctx.session.add(grant)
    ctx.session.flush()
    if command.role in STAFF:
        _revoke_card(ctx, person.id)
    sessions.end_all(ctx, person.id)
    audit.record(
        ctx, "role.give", person, capacity, role=str(grant.role), starts_on=grant.starts_on.isoformat(),
        ends_on=grant.ends_on.isoformat() if grant.ends_on else None, office_id=grant.office_id,
        body_id=grant.body_id,
    )  # fmt: skip
    return grant


def _check(ctx: Context, command: GiveRole) -> None:
    day = today(ctx)
    if command.role is Role.RESIDENT:
        raise Invalid("role", "unknown")
    if abs(command.starts_on.year - day.year) > _LONGEST_YEARS:
        raise Invalid("starts_on", "bad_date")
    if command.ends_on is not None:
        if command.ends_on < command.starts_on:
            raise Invalid("ends_on", "dates_out_of_order")
        if command.ends_on.year - day.year > _LONGEST_YEARS:
            raise Invalid("ends_on", "bad_date")
    if command.role is Role.OFFICE:
        office = ctx.session.get(Office, command.office_id) if command.office_id else None
        if office is None or office.closed_on is not None:
            raise Invalid("office_id", "office_needed")
    if command.role is Role.DELEGATE and not (command.body_id and ctx.session.get(Body, command.body_id)):
        raise Invalid("body_id", "body_needed")


def _held(ctx: Context, grant: RoleGrant) -> RoleGrant | None:
    """The same function, held by this person on some of these days already."""
    same = [
        RoleGrant.person_id == grant.person_id,
        RoleGrant.role == grant.role,
        or_(RoleGrant.ends_on.is_(None), RoleGrant.ends_on >= grant.starts_on),
    ]
    if grant.ends_on is not None:
        same.append(RoleGrant.starts_on <= grant.ends_on)
    if grant.office_id is not None:
        same.append(RoleGrant.office_id == grant.office_id)
    if grant.body_id is not None:
        same.append(RoleGrant.body_id == grant.body_id)
    return ctx.session.execute(select(RoleGrant).where(*same).limit(1)).scalars().first()


def _is_so(held: RoleGrant, grant: RoleGrant) -> bool:
    told = [
        (one.starts_on, one.ends_on, one.office_id, one.body_id, one.seat_code, one.granted_by_id)
        for one in (held, grant)
    ]
    return told[0] == told[1]


def end(ctx: Context, command: EndRole) -> RoleGrant:
    """End a function and the person's sessions.

    Ending twice what one ended is once. Raises `Conflict("role_ended")` when somebody else ended it,
    `Denied("last_administrator")` when nobody would be left to give functions, `Invalid("last_day", …)` for
    a day before it began.
    """
    capacity = ctx.require(Permission.ROLE_GRANT)
    grant = locked(ctx.session, RoleGrant, command.grant_id)
    day = today(ctx)
    if grant.ends_on is not None and grant.ends_on < day:
        if grant.ended_by_id is not None and grant.ended_by_id == ctx.actor.person_id:
            return grant  # the second of two clicks
        raise Conflict("role_ended")
    last_day = command.last_day if command.last_day is not None else day - timedelta(days=1)
    if command.last_day is not None and last_day < grant.starts_on:
        raise Invalid("last_day", "dates_out_of_order")
    if command.last_day is not None and (last_day < day or last_day.year - day.year > _LONGEST_YEARS):
        raise Invalid("last_day", "bad_date")
    if grant.role is Role.ADMINISTRATOR:
        _keep_an_administrator(ctx, grant)
    # Ended at once on its first day, or before it: it was never in force, the log keeps what was meant.
    grant.starts_on = min(grant.starts_on, last_day)
    grant.ends_on = last_day
    grant.ended_by_id = ctx.actor.person_id
    sessions.end_all(ctx, grant.person_id)
    person = ctx.session.get_one(Person, grant.person_id)
    audit.record(ctx, "role.end", person, capacity, role=str(grant.role), last_day=last_day.isoformat())
    ctx.session.flush()
    return grant


def _keep_an_administrator(ctx: Context, grant: RoleGrant) -> None:
    # Locking all of them makes two administrators who end each other wait for one another.
    query = (
        select(RoleGrant)
        .where(RoleGrant.role == Role.ADMINISTRATOR, in_force(today(ctx)), RoleGrant.ends_on.is_(None))
        .with_for_update()
    )
    others = [item for item in ctx.session.execute(query).scalars() if item.person_id != grant.person_id]
    living = select(Person.id).where(
        Person.id.in_([item.person_id for item in others]),
        Person.blocked_at.is_(None),
        Person.anonymised_at.is_(None),
    )
    if ctx.session.execute(living.limit(1)).first() is None:
        raise Denied("last_administrator")


def end_of_person(ctx: Context, person_id: int) -> None:
    """End every function of somebody who leaves. Raises `Denied("last_administrator")`."""
    query = select(RoleGrant).where(
        RoleGrant.person_id == person_id,
        or_(RoleGrant.ends_on.is_(None), RoleGrant.ends_on >= today(ctx)),
    )
    last_day = today(ctx) - timedelta(days=1)
    for grant in ctx.session.execute(query.with_for_update()).scalars().all():
        if grant.role is Role.ADMINISTRATOR:
            _keep_an_administrator(ctx, grant)
        grant.starts_on = min(grant.starts_on, last_day)
        grant.ends_on = last_day
        grant.ended_by_id = ctx.actor.person_id


def _revoke_card(ctx: Context, person_id: int) -> None:
    # A card is for residents: whoever finds it must never find the desk.
    card = update(PersonCard).where(PersonCard.person_id == person_id, PersonCard.revoked_at.is_(None))
    ctx.session.execute(card.values(revoked_at=ctx.now))
