"""Places: given, freed, lent and counted in one function under one lock.

`books` locks the event's `SignUp` row, lets its caller change the list, and before it lets go gives
places to whoever fits and writes the counters. Nothing else writes the state, the size or the group of a
standing sign-up, the counters, or the leases. The lock is held for a few statements, and taken before that of
any row it concerns.

The rule: places are people. A party gets places when all of it fits, leaving the places kept for other
groups untouched and its own group under its limit. Whoever is first in the queue *and fits* is next, so no
place stays empty while somebody waits who could sit on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, Table, bindparam, exists, func, select, update
from sqlalchemy.orm import contains_eager
from sqlalchemy.orm.attributes import set_committed_value

from lab.db.version import mark_public_change
from lab.kernel.errors import NotFound
from lab.kernel.ids import ALPHABET
from lab.models.events import Event, Fullness
from lab.models.registrations import EventQuestion, Registration, RegistrationState, SeatGroup, SignUp
from lab.services import outbox
from lab.services.context import Context

#: From this share of places on, a meeting is said to have few left; and never above this number of places.
_FEW_SHARE = 0.1
_FEW_MOST = 10
_CODE_LENGTH = 4
_CODE_STRIDE = 271_829
_BOOKS = "lab.books"
#: The row with its event, and whether the event asks questions of its own; put together once for all.
_LOCK = (
    select(SignUp, exists().where(EventQuestion.event_id == SignUp.event_id).label("has_questions"))
    .join(SignUp.event)
    .where(SignUp.event_id == bindparam("event"))
    .options(contains_eager(SignUp.event))
    .with_for_update(of=SignUp)
    .execution_options(populate_existing=True)
)


@dataclass
class Books:
    """The places of one event, locked. Change sign-ups through its methods only."""

    ctx: Context
    sign_up: SignUp
    groups: dict[int, SeatGroup]
    #: How full it was when the lock was taken.
    word_before: Fullness
    #: Whether the event has questions of its own.
    has_questions: bool = False
    #: A place became free: somebody in the queue may fit now.
    freed: bool = False
    #: Parties that got their places while this lock was held, after having waited.
    promoted: list[Registration] = field(default_factory=list)

    def room_for(self, group_id: int | None) -> int | None:
        """How many people of this group could still come; None when nobody counts."""
        group = self.groups.get(group_id) if group_id is not None else None
        own = None if group is None or group.most is None else max(0, group.most - group.taken)
        if self.sign_up.capacity is None:
            return own
        kept = sum(max(0, g.reserved - g.taken) for g in self.groups.values() if g.id != group_id)
        free = max(0, self.sign_up.capacity - self.sign_up.taken - self.sign_up.lent - kept)
        return free if own is None else min(free, own)

    def fits(self, registration: Registration) -> bool:
        """Whether the whole party has a place now."""
        room = self.room_for(registration.group_id)
        return room is None or registration.party_size <= room

    def add(self, registration: Registration, *, over: bool = False, lent: bool = False) -> None:
        """Put a new party on the list: confirmed when it fits (or `over` the capacity), else at the end
        of the queue. `lent`: its places were lent to the tablet that promised them."""
        if lent:
            self.sign_up.lent -= registration.party_size
        if over or lent or self.fits(registration):
            self._seat(registration)
        else:
            self.sign_up.queue_last += 1
            self.sign_up.waiting += 1
            registration.queue_no = self.sign_up.queue_last
            registration.state = RegistrationState.WAITING
        self.ctx.session.add(registration)

    def remove(self, registration: Registration, state: RegistrationState) -> None:
        """Take a standing party off the list (cancelled, merged); its places go to whoever waits."""
        if registration.state is RegistrationState.CONFIRMED:
            self._unseat(registration)
        elif registration.state is RegistrationState.WAITING:
            self.sign_up.waiting -= 1
        registration.state = state
        registration.queue_no = None

    def resize(self, registration: Registration, party_size: int, group_id: int | None) -> None:
        """Change how many come, or their group. A confirmed party that no longer fits keeps what it had.

        Raises nothing: the caller asks `could_be` first.
        """
        # Its number stays: who has a place does not go behind those who came later.
        if registration.state is RegistrationState.CONFIRMED:
            self._count(registration, -1)
        registration.party_size = party_size
        registration.group_id = group_id
        if registration.state is RegistrationState.CONFIRMED:
            self._count(registration, +1)
        self.freed = True

    def move(self, registration: Registration, number: int) -> None:
        """Put a waiting party at this number of the queue (from 1; past the end means last).

        The numbers of the queue are dealt anew among those who wait; nobody else changes order.
        """
        queue = list(self.ctx.session.execute(_queue(self.sign_up.event_id)).scalars())
        numbers = [one.queue_no for one in queue]
        queue.remove(registration)
        queue.insert(max(0, number - 1), registration)
        for one, its_number in zip(queue, numbers, strict=True):
            one.queue_no = its_number
        self.freed = True

    def could_be(self, registration: Registration, party_size: int, group_id: int | None) -> bool:
        """Whether a confirmed party could have this size and group instead of its own."""
        if registration.state is not RegistrationState.CONFIRMED:
            return True
        if group_id == registration.group_id and party_size <= registration.party_size:
            return True
        before = registration.party_size, registration.group_id
        self._count(registration, -1)
        registration.party_size, registration.group_id = party_size, group_id
        try:
            return self.fits(registration)
        finally:
            registration.party_size, registration.group_id = before
            self._count(registration, +1)

    def seat_over(self, registration: Registration) -> None:
        """Give a waiting party its places whatever the count; the caller has a reason written down."""
        if registration.state is RegistrationState.WAITING:
            self.sign_up.waiting -= 1
            self._seat(registration)
            self.promoted.append(registration)

    def bring_back(self, registration: Registration, *, over: bool = False) -> None:
        """A cancelled or merged party stands again: confirmed if it fits, else at the end of the queue."""
        registration.cancelled_at = None
        registration.merged_into_id = None
        self.add(registration, over=over)

    def back_to_queue(self, registration: Registration, queue_no: int | None) -> None:
        """A party let in by mistake waits again where it waited before."""
        self.remove(registration, RegistrationState.WAITING)
        if queue_no is None:
            self.sign_up.queue_last += 1
        registration.queue_no = queue_no if queue_no is not None else self.sign_up.queue_last
        registration.confirmed_at = None
        self.sign_up.waiting += 1

    def next_code(self) -> str:
        """A door code that no other party of this event has: four symbols, said aloud in a second."""
        self.sign_up.code_last += 1
        return door_code(self.sign_up.event_id, self.sign_up.code_last)

    def lend(self, seats: int) -> int:
        """Set places aside for a tablet; how many there were, at most `seats`."""
        room = self.room_for(None)
        lent = 0 if room is None else min(room, seats)
        self.sign_up.lent += lent
        return lent

    def take_back(self, seats: int) -> None:
        """Lent places come back to everybody."""
        self.sign_up.lent -= seats
        self.freed = True

    def _seat(self, registration: Registration) -> None:
        registration.state = RegistrationState.CONFIRMED
        registration.queue_no = None
        registration.confirmed_at = self.ctx.now
        self._count(registration, +1)

    def _unseat(self, registration: Registration) -> None:
        self._count(registration, -1)
        self.freed = True

    def _count(self, registration: Registration, sign: int) -> None:
        self.sign_up.taken += sign * registration.party_size
        group = self.groups.get(registration.group_id) if registration.group_id is not None else None
        if group is not None:
            group.taken += sign * registration.party_size


@contextmanager
def books(ctx: Context, event_id: int) -> Iterator[Books]:
    """Hold the places of an event. Raises `NotFound` when it has no sign-up.

    On leaving: whoever waits and fits gets places, first come first, and hears of it
    ("registration.promoted" in the outbox, this same transaction); the counters and the public word for
    how full it is are written.
    """
    held = _lock(ctx, event_id)
    yield held
    if held.freed and held.sign_up.waiting:
        _promote(held)
    ctx.session.flush()
    _say_how_full(held)


def _lock(ctx: Context, event_id: int) -> Books:
    row = ctx.session.execute(_LOCK, {"event": event_id}).one_or_none()
    if row is None:
        raise NotFound("sign_up")
    sign_up: SignUp = row.SignUp
    # Sessions hold rows weakly: whoever asks for it in this transaction again gets it without a statement.
    ctx.session.info[_BOOKS] = sign_up
    groups: dict[int, SeatGroup] = {}
    if sign_up.has_groups:
        query = select(SeatGroup).where(SeatGroup.event_id == event_id)
        found = ctx.session.execute(query, execution_options={"populate_existing": True}).scalars()
        groups = {group.id: group for group in found}
    return Books(ctx, sign_up, groups, fullness(sign_up), row.has_questions)


def _promote(held: Books) -> None:
    # What was changed in memory must stand in the database before the queue is read from it.
    held.ctx.session.flush()
    for registration in held.ctx.session.execute(_queue(held.sign_up.event_id)).scalars().all():
        if not held.fits(registration):
            continue
        held.seat_over(registration)
        outbox.announce(held.ctx, "registration.promoted", registration_id=registration.id)


def _queue(event_id: int) -> Select[Registration]:
    """Who waits, the first to be seated first."""
    waiting = Registration.state == RegistrationState.WAITING
    return (
        select(Registration)
        .where(Registration.event_id == event_id, waiting)
        .order_by(Registration.queue_no, Registration.id)
        .execution_options(populate_existing=True)
    )


def door_code(event_id: int, number: int) -> str:
    """The `number`-th door code of an event: every number has its own, and neighbours do not look alike."""
    size = len(ALPHABET) ** _CODE_LENGTH
    # Multiplying by a number without common factor is a permutation of all codes.
    value = (number * _CODE_STRIDE + event_id * 7919) % size
    symbols = []
    for _ in range(_CODE_LENGTH):
        value, digit = divmod(value, len(ALPHABET))
        symbols.append(ALPHABET[digit])
    return "".join(symbols)


def fullness(sign_up: SignUp) -> Fullness:
    """The public word for how full it is. Exact numbers stand where one signs up."""
    if not sign_up.is_offered:
        return Fullness.NO_SIGN_UP
    if sign_up.capacity is None:
        return Fullness.FREE
    left = sign_up.capacity - sign_up.taken - sign_up.lent
    if left <= 0:
        return Fullness.FULL
    return Fullness.FEW if left <= min(_FEW_MOST, max(1, sign_up.capacity * _FEW_SHARE)) else Fullness.FREE


def _say_how_full(held: Books) -> None:
    # The event is public content: it is touched only when the word changes, so that a rush of sign-ups
    # does not throw every cached page away. The event came along without a lock of its own, so what it
    # said may be from before we got ours; the counters are not.
    word = fullness(held.sign_up)
    if word == held.word_before == held.sign_up.event.fullness:
        return
    event = Event.__table__
    assert isinstance(event, Table)
    differs = (event.c.id == held.sign_up.event_id) & (event.c.fullness != word)
    written = held.ctx.session.execute(
        update(event).where(differs).values(fullness=word).returning(event.c.id)
    )
    if written.first() is not None:
        set_committed_value(held.sign_up.event, "fullness", word)
        mark_public_change(held.ctx.session)


def place_of(ctx: Context, registration: Registration, *, waits: bool | None = None) -> int:
    """The number a party has: its first place among those confirmed, or its number in the queue. From 1.

    `waits` says it for rows that hold no place themselves; by default the state does.
    """
    said = {"event": registration.event_id, "own": registration.id}
    if registration.state is RegistrationState.WAITING if waits is None else waits:
        found = ctx.session.execute(_WAIT_AHEAD, {**said, "since": registration.queue_no})
    else:
        found = ctx.session.execute(_SIT_AHEAD, {**said, "since": registration.confirmed_at or ctx.now})
    return int(found.scalar_one()) + 1


def _ahead(counted: Any, state: RegistrationState, order: Any) -> Select[Any]:
    since = bindparam("since", type_=order.type)
    before = (order < since) | ((order == since) & (Registration.id < bindparam("own")))
    return select(counted).where(
        Registration.event_id == bindparam("event"), Registration.state == state, before
    )


_WAIT_AHEAD = _ahead(func.count(), RegistrationState.WAITING, Registration.queue_no)
_SIT_AHEAD = _ahead(
    func.coalesce(func.sum(Registration.party_size), 0),
    RegistrationState.CONFIRMED,
    Registration.confirmed_at,
)
