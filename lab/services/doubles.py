"""Two rows that are one party become one by a person's hand: the earliest place stays, both rows stay.

What the merge changed is written down without names or contacts, so that undoing gives back exactly that:
places, numbers in the queue, marks at the door. Merges are undone from the last one back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select

from lab.db.locking import locked
from lab.db.upsert import insert_once
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.text import fold_email
from lab.models.events import Event
from lab.models.registrations import (
    Arrival,
    NotTheSame,
    Registration,
    RegistrationMerge,
    RegistrationState,
)
from lab.policy.actor import Grant
from lab.services import arrivals, audit, hosting, registrations, seats, twins
from lab.services.alike_names import Likely, Named, Why, likely
from lab.services.context import Context

#: Pairs, merges and pairs kept apart on one page.
SHOWN_MOST = 40
_CONTACTS = (("email", "email_key"), ("phone", "phone_key"))


@dataclass(frozen=True)
class Pair:
    """Two rows that may be one party; `first` is the one that would be kept."""

    first: Registration
    second: Registration
    why: Why


@dataclass(frozen=True)
class Doubles:
    """What a person can decide now, and what was decided."""

    pairs: list[Pair]
    #: How many more pairs there are beyond those shown.
    more: int
    merges: list[tuple[RegistrationMerge, Registration, Registration]]
    apart: list[tuple[Registration, Registration]]


def look(ctx: Context, event: Event) -> Doubles:
    """Likely doubles and what was decided so far. Five statements, whatever the number of rows."""
    found = _likely(ctx, event)
    shown = found[:SHOWN_MOST]
    kept_apart = select(NotTheSame).join(Registration, Registration.id == NotTheSame.low_id)
    kept_apart = kept_apart.where(Registration.event_id == event.id).order_by(NotTheSame.at.desc())
    apart = list(ctx.session.execute(kept_apart.limit(SHOWN_MOST)).scalars())
    done = (
        select(RegistrationMerge)
        .where(RegistrationMerge.event_id == event.id, RegistrationMerge.undone_at.is_(None))
        .order_by(RegistrationMerge.id.desc())
        .limit(SHOWN_MOST)
    )
    merges = list(ctx.session.execute(done).scalars())
    ids = {one.low_id for one in shown} | {one.high_id for one in shown}
    ids |= {one.kept_id for one in merges} | {one.gone_id for one in merges}
    ids |= {one.low_id for one in apart} | {one.high_id for one in apart}
    rows = {row.id: row for row in ctx.session.scalars(select(Registration).where(Registration.id.in_(ids)))}
    return Doubles(
        [Pair(*_earliest(rows[one.low_id], rows[one.high_id]), one.why) for one in shown],
        len(found) - len(shown),
        [(one, rows[one.kept_id], rows[one.gone_id]) for one in merges],
        [(rows[one.low_id], rows[one.high_id]) for one in apart],
    )


def count(ctx: Context, event: Event) -> int:
    """How many likely doubles nobody has decided on."""
    return len(_likely(ctx, event))


def unite(ctx: Context, event_id: int, one_id: int, other_id: int) -> RegistrationMerge:
    """Say that two rows are one party. The same again gives the same merge.

    Raises `NotFound` for rows of another event, `Invalid("pair", "one_alone")` for a row with itself, and
    `Conflict("not_standing")` when one of them was cancelled or merged meanwhile.
    """
    event, grant = hosting.run(ctx, event_id)
    if one_id == other_id:
        raise Invalid("pair", "one_alone")
    with seats.books(ctx, event.id) as held:
        # Always in the order of ids: two people who merge the same rows never block each other.
        rows = [registrations.locked_registration(ctx, one) for one in sorted((one_id, other_id))]
        if any(row.event_id != event.id for row in rows):
            raise NotFound("registration")
        known = _merge_of(ctx, one_id, other_id)
        return known or unite_rows(held, rows[0], rows[1], grant)


def unite_rows(held: seats.Books, one: Registration, other: Registration, grant: Grant) -> RegistrationMerge:
    """Merge two standing rows whose books are held. Raises `Conflict("not_standing")`."""
    ctx = held.ctx
    if any(row.state not in registrations.STANDING for row in (one, other)):
        raise Conflict("not_standing")
    kept, gone = _earliest(one, other)
    before: dict[str, Any] = {
        "state": gone.state.value,
        "queue_no": gone.queue_no,
        "confirmed_at": gone.confirmed_at.isoformat() if gone.confirmed_at else None,
        "kept_size": kept.party_size,
        "kept_came": _came(kept),
        "gone_came": _came(gone),
    }
    held.remove(gone, RegistrationState.MERGED)
    gone.merged_into_id = kept.id
    ctx.session.flush()
    before["contacts"] = _bring_contacts(kept, gone)
    before["needs"] = sorted(set(gone.needs) - set(kept.needs))
    kept.needs = sorted({*kept.needs, *gone.needs})
    before["arrival"] = _join_arrivals(held, kept, gone)
    for row in (kept, gone):
        row.version += 1
    merge = RegistrationMerge(
        event_id=kept.event_id, kept_id=kept.id, gone_id=gone.id, at=ctx.now,
        person_id=ctx.actor.person_id, before=before,
    )  # fmt: skip
    ctx.session.add(merge)
    audit.record(ctx, "registration.merge", gone, grant, kept_id=kept.id)
    ctx.session.flush()
    return merge


def separate(ctx: Context, event_id: int, merge_id: int) -> RegistrationMerge:
    """Undo a merge: both rows stand as before it, with their places and marks. Again changes nothing.

    Raises `NotFound`, and `Conflict`: later_first (a later merge of one of these rows stands), forgotten
    (the names were deleted as promised), contact_elsewhere (its contact stands on a third row by now).
    """
    event, grant = hosting.run(ctx, event_id)
    with seats.books(ctx, event.id) as held:
        merge = locked(ctx.session, RegistrationMerge, merge_id)
        if merge.event_id != event.id:
            raise NotFound("merge")
        if merge.undone_at is not None:
            return merge
        kept, gone = (registrations.locked_registration(ctx, one) for one in (merge.kept_id, merge.gone_id))
        _may_separate(ctx, merge, kept, gone)
        _take_back(kept, merge.before)
        ctx.session.flush()
        twin = twins.standing(ctx, gone)
        if twin is not None and twin.id != gone.id:
            raise Conflict("contact_elsewhere")
        _part_arrivals(held, kept, gone, merge.before)
        _stand_again(held, kept, gone, merge.before)
        merge.undone_at, merge.undone_by_id = ctx.now, ctx.actor.person_id
        for row in (kept, gone):
            row.version += 1
        audit.record(ctx, "registration.separate", gone, grant, kept_id=kept.id)
    return merge


def keep_apart(ctx: Context, event_id: int, one_id: int, other_id: int) -> None:
    """Say that two rows are two parties: they are not proposed again. Raises `NotFound`, `Invalid`."""
    event, grant = hosting.run(ctx, event_id)
    low, high = _pair(ctx, event, one_id, other_id)
    values = {"low_id": low, "high_id": high, "at": ctx.now, "person_id": ctx.actor.person_id}
    if insert_once(ctx.session, NotTheSame, values):
        audit.record(ctx, "registration.apart", event, grant, low_id=low, high_id=high)


def look_again(ctx: Context, event_id: int, one_id: int, other_id: int) -> None:
    """Take back that two rows are two parties. Raises as `keep_apart`."""
    event, grant = hosting.run(ctx, event_id)
    low, high = _pair(ctx, event, one_id, other_id)
    ctx.session.execute(delete(NotTheSame).where(NotTheSame.low_id == low, NotTheSame.high_id == high))
    audit.record(ctx, "registration.look_again", event, grant, low_id=low, high_id=high)


def _likely(ctx: Context, event: Event) -> list[Likely]:
    query = select(
        Registration.id, Registration.name_key, Registration.email, Registration.phone_key, Registration.phone
    ).where(Registration.event_id == event.id, Registration.state.in_(registrations.STANDING))
    rows = [
        Named(row_id, name_key, _contacts(email, phone_key, phone))
        for row_id, name_key, email, phone_key, phone in ctx.session.execute(query)
    ]
    known = select(NotTheSame.low_id, NotTheSame.high_id).join(
        Registration, Registration.id == NotTheSame.low_id
    )
    pairs = ctx.session.execute(known.where(Registration.event_id == event.id))
    return likely(rows, frozenset((low, high) for low, high in pairs))


def _contacts(email: str | None, phone_key: str | None, phone: str | None) -> frozenset[str]:
    # A second row with the contact of another has no key of its own, or it could not stand.
    if phone and not phone_key:
        try:
            phone_key = registrations.phone_key_of(phone)
        except Invalid:
            phone_key = None
    return frozenset(key for key in (fold_email(email) if email else None, phone_key) if key)


def _earliest(one: Registration, other: Registration) -> tuple[Registration, Registration]:
    """The row with the better place first: a place before a number in the queue, then who was earlier."""
    waits = RegistrationState.WAITING
    first, second = sorted(
        (one, other),
        key=lambda row: (
            row.state is waits,
            (row.queue_no or 0) if row.state is waits else 0,
            row.confirmed_at or row.created_at,
            row.id,
        ),
    )
    return first, second


def _merge_of(ctx: Context, one_id: int, other_id: int) -> RegistrationMerge | None:
    pair = (one_id, other_id)
    query = select(RegistrationMerge).where(
        RegistrationMerge.kept_id.in_(pair),
        RegistrationMerge.gone_id.in_(pair),
        RegistrationMerge.undone_at.is_(None),
    )
    return ctx.session.execute(query).scalars().first()


def _came(row: Registration) -> list[Any]:
    return [row.arrived_at.isoformat() if row.arrived_at else None, row.arrived_count]


def _set_came(row: Registration, came: list[Any]) -> None:
    row.arrived_at = datetime.fromisoformat(came[0]) if came[0] else None
    row.arrived_count = int(came[1])


def _bring_contacts(kept: Registration, gone: Registration) -> list[str]:
    """News of the meeting reach the party also by the contact of the row that goes; which fields."""
    brought: list[str] = []
    for shown, key in _CONTACTS:
        if getattr(kept, shown) is None and getattr(gone, shown) is not None:
            for name in (shown, key):
                setattr(kept, name, getattr(gone, name))
            brought += [shown, key]
    if kept.person_id is None and gone.person_id is not None:
        kept.person_id = gone.person_id
        brought.append("person_id")
    return brought


def _join_arrivals(held: seats.Books, kept: Registration, gone: Registration) -> dict[str, Any]:
    """One party is in once: the mark of the row that goes moves over, or is closed beside the other."""
    ctx = held.ctx
    mine = arrivals.standing_arrival(ctx, kept.id)
    its = arrivals.standing_arrival(ctx, gone.id)
    if its is None:
        return {}
    if mine is None:
        its.registration_id = kept.id
        kept.arrived_at, kept.arrived_count = gone.arrived_at, its.people
        _fit(held, kept, its.people)
        return {"moved": its.id}
    people = max(mine.people, its.people)
    said = {"mine": mine.id, "closed": its.id, "people": mine.people, "after": people}
    held.sign_up.arrived += people - mine.people - its.people
    mine.people = kept.arrived_count = people
    if kept.arrived_at and gone.arrived_at:
        kept.arrived_at = min(kept.arrived_at, gone.arrived_at)
    its.undone_at, its.undone_by_id = ctx.now, ctx.actor.person_id
    _fit(held, kept, people)
    return said


def _fit(held: seats.Books, row: Registration, people: int) -> None:
    if people > row.party_size:
        held.resize(row, people, row.group_id)


def _may_separate(ctx: Context, merge: RegistrationMerge, kept: Registration, gone: Registration) -> None:
    if kept.forgotten_at is not None or gone.forgotten_at is not None:
        raise Conflict("forgotten")
    pair = (kept.id, gone.id)
    later = select(RegistrationMerge.id).where(
        RegistrationMerge.id > merge.id,
        RegistrationMerge.undone_at.is_(None),
        or_(RegistrationMerge.kept_id.in_(pair), RegistrationMerge.gone_id.in_(pair)),
    )
    if ctx.session.execute(later.limit(1)).first() is not None:
        raise Conflict("later_first")


def _take_back(kept: Registration, before: dict[str, Any]) -> None:
    for name in before["contacts"]:
        setattr(kept, name, None)
    kept.needs = [need for need in kept.needs if need not in before["needs"]]


def _part_arrivals(held: seats.Books, kept: Registration, gone: Registration, before: dict[str, Any]) -> None:
    said = before["arrival"]
    now = arrivals.standing_arrival(held.ctx, kept.id)
    if "moved" in said:
        if now is None or now.id != said["moved"]:
            return
        now.registration_id = gone.id
        gone.arrived_at, gone.arrived_count = kept.arrived_at, now.people
        _set_came(kept, before["kept_came"])
    elif "closed" in said:
        # Where the mark that stayed was taken back since, neither of them came.
        if now is None or now.id != said["mine"]:
            return
        closed = held.ctx.session.get_one(Arrival, said["closed"])
        people = said["people"] if now.people == said["after"] else now.people
        held.sign_up.arrived += people - now.people + closed.people
        now.people = people
        closed.undone_at = closed.undone_by_id = None
        _set_came(kept, [before["kept_came"][0], people])
        _set_came(gone, before["gone_came"])


def _stand_again(held: seats.Books, kept: Registration, gone: Registration, before: dict[str, Any]) -> None:
    came = kept.arrived_count
    if kept.party_size != before["kept_size"] and came <= before["kept_size"]:
        held.resize(kept, before["kept_size"], kept.group_id)
    if before["state"] == RegistrationState.WAITING.value:
        gone.merged_into_id = None
        held.back_to_queue(gone, before["queue_no"])
        return
    # A mistake of ours costs nobody a place, also when somebody else has been let in meanwhile.
    held.bring_back(gone, over=True)
    said = before["confirmed_at"]
    gone.confirmed_at = datetime.fromisoformat(said) if said else gone.confirmed_at


def _pair(ctx: Context, event: Event, one_id: int, other_id: int) -> tuple[int, int]:
    if one_id == other_id:
        raise Invalid("pair", "one_alone")
    query = select(Registration.id).where(
        Registration.event_id == event.id, Registration.id.in_((one_id, other_id))
    )
    if len(ctx.session.execute(query).all()) != 2:
        raise NotFound("registration")
    return min(one_id, other_id), max(one_id, other_id)
