from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.kernel import clock

ROME = "Europe/Rome"
YEARS = datetime(2000, 1, 1), datetime(2040, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone


def test_a_local_day_begins_at_local_midnight() -> None:
    assert clock.local_date(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), ROME) == date(2026, 7, 2)
    assert clock.end_of_local_day(date(2026, 7, 1), ROME) == datetime(2026, 7, 1, 22, tzinfo=UTC)
    assert clock.end_of_local_day(datetime(2026, 7, 1, 21, 59, tzinfo=UTC), ROME).hour == 22


@pytest.mark.parametrize(("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 5, 1), 24)])
def test_days_when_the_clocks_change(day: tuple[int, int, int], hours: int) -> None:
    length = clock.end_of_local_day(date(*day), ROME) - clock.start_of_local_day(date(*day), ROME)
    assert length == timedelta(hours=hours)


@given(
    st.datetimes(*YEARS, timezones=st.just(UTC)),
    st.sampled_from([ROME, "Asia/Karachi", "Asia/Beirut", "America/Lima", "Pacific/Apia"]),
)
def test_every_instant_lies_within_its_local_day(instant: datetime, zone: str) -> None:
    day = clock.local_date(instant, ZoneInfo(zone))
    assert clock.start_of_local_day(day, zone) <= instant < clock.end_of_local_day(day, zone)


def test_a_frozen_clock_moves_only_when_told() -> None:
    frozen = clock.FrozenClock(datetime(2026, 7, 1, 12, tzinfo=ZoneInfo(ROME)))
    assert frozen.now() == frozen.now() == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert frozen.now().tzinfo is UTC
    assert frozen.advance(timedelta(hours=1)) == frozen.now() == datetime(2026, 7, 1, 11, tzinfo=UTC)


def test_naive_times_are_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        clock.local_date(datetime(2026, 7, 1), ROME)  # noqa: DTZ001 - the fault under test
    assert clock.SystemClock().now().tzinfo is UTC
