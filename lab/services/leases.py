"""Places lent to a tablet, so that it may say "confirmed" without network.

Always: what the books call lent is the sum over all leases of `seats - used`. A lease that was given back
keeps in `seats` only what the tablet says it promised; those places wait for their records, however long.
A host who takes a lease back sets that to nothing: then promises that come later get what is free, and a
person hears of those that found none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from lab.db.locking import locked
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.kiosk import SeatLease
from lab.models.registrations import SeatGroup, SignUp
from lab.services import audit, hosting, registrations, seats
from lab.services.context import Context
from lab.services.devices import Tablet

#: Most places one tablet holds: a hall has several, and people sign up at home as well.
MOST = 50
#: A tablet that has not spoken for so long no longer promises.
LIFE = timedelta(hours=12)


def standing(ctx: Context, device_id: int) -> SeatLease | None:
    """The lease that a tablet holds now. One statement."""
    query = select(SeatLease).where(SeatLease.device_id == device_id, SeatLease.returned_at.is_(None))
    return ctx.session.execute(query).scalar_one_or_none()


def of_event(ctx: Context, event_id: int) -> Sequence[SeatLease]:
    """The leases of a meeting out of which places are still lent, or may be promised."""
    query = select(SeatLease).where(
        SeatLease.event_id == event_id,
        SeatLease.returned_at.is_(None) | (SeatLease.seats > SeatLease.used),
    )
    return ctx.session.execute(query.order_by(SeatLease.id)).scalars().all()


def lend(ctx: Context, tablet: Tablet, wanted: int) -> SeatLease:
    """Lend places to a tablet; asking again renews its lease, up to `wanted` places in all.

    Fewer are lent where fewer are free. Raises `Invalid("seats", "out_of_range")`, and
    `Conflict("no_places")` when none is free or nobody counts here.
    """
    if not 1 <= wanted <= MOST:
        raise Invalid("seats", "out_of_range")
    with seats.books(ctx, tablet.event_id) as held:
        lease = standing(ctx, tablet.id)
        held_already = lease.seats if lease else 0
        # Whoever waits comes first: nothing is set aside while there is a queue.
        more = 0 if held.sign_up.waiting else held.lend(max(0, wanted - held_already))
        if lease is None:
            if not more:
                raise Conflict("no_places")
            lease = SeatLease(event_id=tablet.event_id, device_id=tablet.id, seats=0, used=0, lent_at=ctx.now)
            ctx.session.add(lease)
        lease.seats += more
        lease.expires_at = ctx.now + LIFE
    return lease


def give_back(ctx: Context, tablet: Tablet, promised: int) -> SeatLease | None:
    """The tablet is done: places it has not promised come back to everybody. None when it holds no lease.

    `promised` counts all places it promised out of this lease, also those whose records are still on it.
    """
    with seats.books(ctx, tablet.event_id) as held:
        lease = standing(ctx, tablet.id)
        if lease is not None:
            kept = min(lease.seats, max(lease.used, promised))
            held.take_back(lease.seats - kept)
            lease.seats = kept
            lease.returned_at = ctx.now
    return lease


def take_back(ctx: Context, lease_id: int) -> SeatLease:
    """A host takes back what a tablet holds: it is lost, or will not come back in time. Raises `NotFound`."""
    lease = ctx.session.get(SeatLease, lease_id)
    if lease is None:
        raise NotFound("lease")
    _event, grant = hosting.run(ctx, lease.event_id)
    with seats.books(ctx, lease.event_id) as held:
        lease = locked(ctx.session, SeatLease, lease_id)
        free = lease.seats - lease.used
        held.take_back(free)
        lease.seats = lease.used
        lease.returned_at = lease.returned_at or ctx.now
        audit.record(ctx, "kiosk.take_back", lease, grant, seats=free)
    return lease


def use(ctx: Context, lease_id: int, party: registrations.Party) -> bool:
    """Whether places promised out of this lease are still lent; they are then this party's.

    The caller holds the books' lock (`hold`) and places the party as `lent` in the same transaction. Not the
    tablet counts but the lease: a tablet that was paired anew still brings what it promised before.
    """
    query = select(SeatLease).where(SeatLease.id == lease_id, SeatLease.event_id == party.event_id)
    lease = ctx.session.execute(query.with_for_update()).scalar_one_or_none()
    in_time = lease is not None and (party.said_at or ctx.now) <= lease.expires_at
    if lease is None or not in_time or not 0 < party.party_size <= lease.seats - lease.used:
        return False
    if not _group_has_room(ctx, party):
        # No group grows beyond its limit: the places go back, and a person hears of the promise.
        with seats.books(ctx, party.event_id) as held:
            held.take_back(party.party_size)
            lease.seats -= party.party_size
        return False
    lease.used += party.party_size
    ctx.session.flush()
    return True


def _group_has_room(ctx: Context, party: registrations.Party) -> bool:
    group = ctx.session.get(SeatGroup, party.group_id) if party.group_id is not None else None
    return group is None or group.most is None or group.taken + party.party_size <= group.most


def hold(ctx: Context, event_id: int) -> None:
    """Take the lock of the books before looking at a lease: books first, leases after, everywhere."""
    locked(ctx.session, SignUp, event_id)
