"""Time: instants are aware datetimes in UTC; local days exist only through a named time zone."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Who tells the time, so that tests can hold it still."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return utcnow()


class FrozenClock:
    """A clock that moves only when told to."""

    def __init__(self, instant: datetime) -> None:
        self._instant = _as_utc(instant)

    def now(self) -> datetime:
        """The instant at which the clock stands."""
        return self._instant

    def move_to(self, instant: datetime) -> None:
        """Set the clock to an aware instant."""
        self._instant = _as_utc(instant)

    def advance(self, by: timedelta) -> datetime:
        """Move by a duration (negative goes back) and return the new instant."""
        self._instant += by
        return self._instant


def utcnow() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


#: Seconds for which what is kept of a page still tells the right time: what is on, over, open or late.
FRESH = 300


def fresh_at(instant: datetime) -> int:
    """A number that changes every `FRESH` seconds, at midnight of every zone too."""
    return int(instant.timestamp()) // FRESH


def local_date(instant: datetime, tz: str | tzinfo) -> date:
    """The calendar day on which `instant` falls in the zone. Raises ValueError for a naive datetime."""
    return _as_utc(instant).astimezone(_zone(tz)).date()


def start_of_local_day(day: date, tz: str | tzinfo) -> datetime:
    """The first instant, in UTC, of a local day; given an instant, of the local day it falls on."""
    zone = _zone(tz)
    if isinstance(day, datetime):
        day = local_date(day, zone)
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def end_of_local_day(day: date, tz: str | tzinfo) -> datetime:
    """The first instant, in UTC, after a local day: `now < end` means the day is not over.

    A local day lasts 23 or 25 hours when the clocks change. Given an instant, uses the local day it falls on.
    """
    zone = _zone(tz)
    if isinstance(day, datetime):
        day = local_date(day, zone)
    return start_of_local_day(day + timedelta(days=1), zone)


def local_instant(day: date, clock: time, tz: str | tzinfo) -> datetime:
    """A wall clock's day and hour in the zone as an instant; of an hour that comes twice, the first.

    Raises ValueError for an hour that does not exist: in spring the clock jumps over it.
    """
    zone = _zone(tz)
    instant = datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != datetime.combine(day, clock):
        raise ValueError("this hour does not exist on this day")
    return instant


def _zone(tz: str | tzinfo) -> tzinfo:
    return ZoneInfo(tz) if isinstance(tz, str) else tz


def _as_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("a naive datetime says no instant: give it a time zone")
    return instant.astimezone(UTC)
