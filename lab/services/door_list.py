"""What hosts see at the door: who is on the list, who came last, what they need, how many are in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from rapidfuzz import fuzz
from sqlalchemy import ColumnElement, and_, or_, select

from lab.kernel.errors import NotFound
from lab.kernel.ids import parse_door_code
from lab.kernel.text import fold_email
from lab.models.events import Event
from lab.models.registrations import Arrival, Registration, RegistrationState, SignUp
from lab.services import hosting, registrations, seats
from lab.services.context import Context

FOUND_MOST = 12
LAST_MOST = 8
#: Names written nearly like the one that nobody has.
ALIKE_MOST = 3
#: Parties with needs listed by name; the sums count all.
NEEDS_MOST = 200
_SHORTEST_PHONE = 4
#: Letters that stand before an apostrophe in Italian names, and how long what is written without it is.
_ARTICLES = "dl"
_SHORTEST_PART = 4
#: From this likeness of 100 on two words may be one name, heard and written by two people.
_HEARD = 70.0


@dataclass(frozen=True)
class Numbers:
    """People in the room, people with a place, places (None: nobody counts), parties that wait."""

    arrived: int
    taken: int
    capacity: int | None
    waiting: int
    #: Whether one could sign up before.
    is_offered: bool

    @property
    def is_full(self) -> bool:
        """Whether nobody more has a place without a reason."""
        return self.capacity is not None and self.taken >= self.capacity


@dataclass(frozen=True)
class Entry:
    """A party on the list as the door sees it; `number` is its number in the queue while it waits."""

    registration: Registration
    arrival: Arrival | None = None
    number: int | None = None


@dataclass(frozen=True)
class Need:
    """How many people of the parties that asked for something are expected, and how many are in."""

    need: str
    expected: int
    arrived: int


@dataclass(frozen=True)
class Needs:
    """What those with a place asked for: sums by need, and the parties themselves by name."""

    sums: list[Need] = field(default_factory=list)
    parties: list[Registration] = field(default_factory=list)


def numbers(ctx: Context, event: Event) -> Numbers:
    """The live count. One statement; also where nobody could sign up."""
    books = ctx.session.get(SignUp, event.id, populate_existing=True)
    if books is None:
        return Numbers(0, 0, None, 0, False)
    return Numbers(books.arrived, books.taken, books.capacity, books.waiting, books.is_offered)


def find(ctx: Context, event: Event, words: str) -> list[Entry]:
    """Parties whose code, name, telephone or address this is, the likeliest first; at most `FOUND_MOST`.

    Of a name the beginnings of its words in any order are enough.
    """
    words = words.strip()[:200]
    matches = _matches(words)
    if not matches:
        return []
    query = (
        select(Registration)
        .where(Registration.event_id == event.id, or_(*matches))
        .order_by(Registration.name_key, Registration.id)
        .limit(FOUND_MOST * 2)
    )
    rows = list(ctx.session.execute(query).scalars())
    code = parse_door_code(words)
    rows.sort(key=lambda row: row.code != code)
    kept = dict.fromkeys(_kept(ctx, row) for row in rows)
    return [entry(ctx, row) for row in list(kept)[:FOUND_MOST]]


def alike(ctx: Context, event: Event, words: str) -> list[Entry]:
    """Parties whose name sounds like what was typed, the likeliest first: for when `find` gives nobody.

    Names are heard in a queue and written by two people; each word typed must be near one of the name.
    """
    parts = [part for part in registrations.name_key(words.strip()[:200]).split() if part.isalpha()]
    if not parts or "@" in words:
        return []
    query = select(Registration.id, Registration.name_key).where(
        Registration.event_id == event.id, Registration.state != RegistrationState.MERGED
    )
    rated = [(_likeness(parts, row.name_key.split()), row.id) for row in ctx.session.execute(query)]
    best = sorted((-rate, number) for rate, number in rated if rate >= _HEARD)
    return [entry(ctx, ctx.session.get_one(Registration, number)) for _rate, number in best[:ALIKE_MOST]]


def _likeness(parts: list[str], name: list[str]) -> float:
    """How near the farthest of these words is to a word of the name, of 100."""
    return min(max((fuzz.ratio(part, word) for word in name), default=0.0) for part in parts)


def entry(ctx: Context, registration: Registration) -> Entry:
    """A party with the mark that stands for it, or its number in the queue."""
    if registration.arrived_at is not None:
        query = select(Arrival).where(Arrival.registration_id == registration.id, Arrival.undone_at.is_(None))
        return Entry(registration, ctx.session.execute(query).scalar_one_or_none())
    waits = registration.state is RegistrationState.WAITING
    return Entry(registration, None, seats.place_of(ctx, registration) if waits else None)


def one(ctx: Context, event: Event, registration_id: int) -> Entry:
    """One party of this event, by the row under which it stands. Raises `NotFound`."""
    row = ctx.session.get(Registration, registration_id)
    if row is None or row.event_id != event.id:
        raise NotFound("registration")
    return entry(ctx, _kept(ctx, row))


def marked(ctx: Context, event: Event, arrival_id: int) -> tuple[Arrival, Registration]:
    """A mark of this event with its party. Raises `NotFound`."""
    arrival = ctx.session.get(Arrival, arrival_id)
    if arrival is None or arrival.event_id != event.id:
        raise NotFound("arrival")
    return arrival, ctx.session.get_one(Registration, arrival.registration_id)


def last(ctx: Context, event: Event) -> list[tuple[Arrival, Registration]]:
    """Who came last, the latest first."""
    query = (
        select(Arrival, Registration)
        .join(Registration, Registration.id == Arrival.registration_id)
        .where(Arrival.event_id == event.id, Arrival.undone_at.is_(None))
        .order_by(Arrival.at.desc(), Arrival.id.desc())
        .limit(LAST_MOST)
    )
    return [(arrival, row) for arrival, row in ctx.session.execute(query)]


def needs(ctx: Context, event: Event) -> Needs:
    """What those with a place asked for. One statement."""
    query = (
        select(Registration)
        .where(Registration.event_id == event.id, Registration.state == RegistrationState.CONFIRMED)
        .order_by(Registration.name_key, Registration.id)
    )
    # JSON compares differently on the two engines; a list of a neighbourhood is short.
    rows = [row for row in ctx.session.execute(query).scalars() if row.needs or row.needs_note]
    expected: Counter[str] = Counter()
    arrived: Counter[str] = Counter()
    for row in rows:
        for need in row.needs:
            expected[need] += row.party_size
            arrived[need] += row.arrived_count
    sums = [Need(need, count, arrived[need]) for need, count in expected.most_common()]
    return Needs(sums, rows[:NEEDS_MOST])


def event_of(ctx: Context, code: str, what: str) -> Event:
    """The meeting that this host runs; the look at its names is written down. Raises `NotFound`."""
    event, grant = hosting.by_code(ctx, code)
    hosting.look(ctx, event, grant, what)
    return event


def _matches(words: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    code = parse_door_code(words)
    if code:
        found.append(Registration.code == code)
    if "@" in words:
        found.append(Registration.email_key == fold_email(words))
    digits = "".join(c for c in words if c.isdecimal())
    if len(digits) >= _SHORTEST_PHONE and not any(c.isalpha() for c in words):
        # The end of it is enough: with or without the country's number, people say it from the back.
        found.append(Registration.phone_key.endswith(digits[-10:], autoescape=True))
    parts = registrations.name_key(words).split()
    if parts and "@" not in words:
        found.append(and_(*(_begins(part) for part in parts)))
    return found


def _begins(part: str) -> ColumnElement[bool]:
    """A word of the name begins like this; "dangelo" finds "D'Angelo" too."""
    padded = " " + Registration.name_key
    begins: ColumnElement[bool] = padded.contains(f" {part}", autoescape=True)
    if part[0] in _ARTICLES and len(part) > _SHORTEST_PART:
        begins = begins | padded.contains(f" {part[1:]}", autoescape=True)
    return begins


def _kept(ctx: Context, row: Registration) -> Registration:
    while row.state is RegistrationState.MERGED and row.merged_into_id is not None:
        row = ctx.session.get_one(Registration, row.merged_into_id)
    return row
