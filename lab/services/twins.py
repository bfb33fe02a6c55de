"""Sign-ups with the contact of another: kept beside the first one, without a place of their own.

Who made one reads and hears what anybody would, so that nobody learns who is on a list. A family with one
telephone makes them, too: they are reminded like the others, and when the first gives the place back they
have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, exists, or_, select, text
from sqlalchemy.orm import aliased

from lab.models.registrations import Registration, RegistrationMerge, RegistrationState
from lab.services import outbox, seats
from lab.services.context import Context

#: The sign-up beside which a second one is kept, in queries that join it.
FIRST = aliased(Registration)
_CONTACTS = ("person_id", "email_key", "phone_key")
_TABLE = Registration.__table__
assert isinstance(_TABLE, Table)
#: Written as in the partial indexes, so that no planner needs to guess that they serve.
_STANDING = text("state IN ('confirmed', 'waiting')")


def standing(ctx: Context, registration: Registration) -> Registration | None:
    """Another sign-up of the same person that stands. Read under the lock: nobody slips in between."""
    known = {name: getattr(registration, name) for name in _CONTACTS}
    known = {name: value for name, value in known.items() if value is not None}
    if not known:
        return None
    said = {"event": registration.event_id, "own": registration.id or 0, **known}
    # Not written yet: asking must not write it.
    with ctx.session.no_autoflush:
        found = ctx.session.execute(_twins(*known), said).scalar()
    return None if found is None else ctx.session.get_one(Registration, found)


def contacts_standing(ctx: Context, wanted: Sequence[Registration]) -> set[tuple[str, object]]:
    """Which contacts of these sign-ups of one event stand on its list already, all in one question.

    Read under the lock, like `standing`, which then needs to be asked for these alone.
    """
    known = {name: {getattr(one, name) for one in wanted} - {None} for name in _CONTACTS}
    known = {name: values for name, values in known.items() if values}
    if not known:
        return set()
    said = {"event": wanted[0].event_id, **{name: list(values) for name, values in known.items()}}
    with ctx.session.no_autoflush:
        rows = ctx.session.execute(_among(*known), said).all()
    return {(name, value) for row in rows for name, value in zip(known, row, strict=True)}


def contacts_of(one: Registration) -> set[tuple[str, object]]:
    """The account, address and number of a sign-up, as far as they are known."""
    return {(name, value) for name in _CONTACTS if (value := getattr(one, name)) is not None}


def has_own(ctx: Context, registration: Registration, person_id: int) -> bool:
    """Whether somebody holds another sign-up for this meeting, as they read it themselves."""
    mine = select(Registration.id).where(
        Registration.event_id == registration.event_id,
        Registration.person_id == person_id,
        Registration.id != (registration.id or 0),
        holds(),
    )
    with ctx.session.no_autoflush:
        return ctx.session.execute(mine).first() is not None


def holds() -> ColumnElement[bool]:
    """Whether a sign-up stands for its holder: one kept beside another's does, so that it reads like any."""
    beside = and_(Registration.state == RegistrationState.MERGED, ~_by_host())
    standing = Registration.state.in_((RegistrationState.CONFIRMED, RegistrationState.WAITING))
    return and_(Registration.cancelled_at.is_(None), or_(standing, beside))


def _by_host() -> ColumnElement[bool]:
    return exists().where(RegistrationMerge.gone_id == Registration.id, RegistrationMerge.undone_at.is_(None))


@cache
def _twins(*names: str) -> Select[int]:
    """Who stands on the list under one of these keys, the first first."""
    same = or_(*(_TABLE.c[name] == bindparam(name) for name in names))
    query = select(_TABLE.c.id).where(_TABLE.c.event_id == bindparam("event"), _STANDING, same)
    return query.where(_TABLE.c.id != bindparam("own")).order_by(_TABLE.c.id).limit(1)


@cache
def _among(*names: str) -> Select[*tuple[Any, ...]]:
    """The contacts of whoever stands on the list under one of several keys."""
    same = or_(*(_TABLE.c[name].in_(bindparam(name, expanding=True)) for name in names))
    query = select(*(_TABLE.c[name] for name in names))
    return query.where(_TABLE.c.event_id == bindparam("event"), _STANDING, same)


def keep_beside(held: seats.Books, registration: Registration, first: Registration) -> None:
    """Keep a second sign-up of the same contact beside the first; what it reads looks like any other."""
    if registration.lease_id is not None:
        held.take_back(registration.party_size)
    fits = held.fits(registration)
    registration.state = RegistrationState.MERGED
    registration.merged_into_id = first.id
    # What its page shows: the place or the number in the queue that a first one would have had.
    registration.confirmed_at = held.ctx.now if fits else None
    registration.queue_no = None if fits else held.sign_up.queue_last + 1
    held.ctx.session.add(registration)
    held.ctx.session.flush()
    outbox.announce(held.ctx, "registration.repeated", registration_id=first.id)


def hears() -> ColumnElement[bool]:
    """Whether a second sign-up hears for itself: made from an address or account that the first has not.

    The query joins `FIRST`.
    """
    elsewhere = and_(
        Registration.email_key.is_not(None), Registration.email_key.is_distinct_from(FIRST.email_key)
    )
    account = and_(
        Registration.email_key.is_(None),
        Registration.person_id.is_not(None),
        Registration.person_id.is_distinct_from(FIRST.person_id),
    )
    return and_(Registration.state == RegistrationState.MERGED, or_(elsewhere, account))


def reads() -> ColumnElement[bool]:
    """Whether news of the meeting reach a second sign-up on the site, in an account that is not the first's.

    Not always by mail: one made with the first's own address has none of its own. The query joins `FIRST`.
    """
    account = and_(
        Registration.person_id.is_not(None), Registration.person_id.is_distinct_from(FIRST.person_id)
    )
    return and_(Registration.state == RegistrationState.MERGED, account)


def is_told(ctx: Context, registration: Registration) -> bool:
    """Whether mails about a sign-up go to whoever made it."""
    if registration.state is not RegistrationState.MERGED:
        return True
    query = select(Registration.id).join(FIRST, FIRST.id == Registration.merged_into_id)
    mine = query.where(Registration.id == registration.id, hears())
    return ctx.session.execute(mine).first() is not None


def take_over(held: seats.Books, gone: Registration, queue_no: int | None) -> list[Registration]:
    """The sign-up `gone` was given back, which had this number in the queue: the others made with its
    contact by somebody else stand for themselves now. Those who were told of a place and do not fit.

    One's own second sign-up goes with the first: nobody holds a place who has taken themselves off.
    """
    ctx = held.ctx
    if gone.forgotten_at is not None:
        # Of who left for good nobody knows any more which of the others are their own.
        return []
    query = (
        select(Registration)
        .join(FIRST, FIRST.id == Registration.merged_into_id)
        .where(Registration.merged_into_id == gone.id, Registration.cancelled_at.is_(None))
        .where(hears(), ~_by_host())
        .order_by(Registration.id)
        .execution_options(populate_existing=True)
    )
    ctx.session.flush()
    missed = []
    for one in ctx.session.execute(query).scalars().all():
        other = standing(ctx, one)
        if other is not None:
            one.merged_into_id = other.id
            continue
        seen = one.confirmed_at
        held.bring_back(one)
        one.version += 1
        if one.state is RegistrationState.CONFIRMED:
            one.confirmed_at = seen or one.confirmed_at
        else:
            one.confirmed_at, one.queue_no = None, queue_no or one.queue_no
            missed += [one] if seen else []
        ctx.session.flush()
    return missed
