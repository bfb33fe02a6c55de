"""How many came, by where we know it from: paper + tablets + site + door - merged = total.

Every row that says somebody came counts once where it came from, those merged into another too; what is
counted twice that way is what was merged. The total is what the books say: the sum of the marks that stand.
Where nobody marked anything, the total is the number that the team wrote: counted by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, select

from lab.models.events import Event
from lab.models.kiosk import TrayItem
from lab.models.registrations import Registration, RegistrationState, SignUp, Source
from lab.services.context import Context

#: In this order, and always all of these; the last one only when there is somebody.
SOURCES = (Source.PAPER, Source.KIOSK, Source.SITE, Source.DOOR)


@dataclass(frozen=True)
class Count:
    """One source: rows that say somebody came, the people they speak of, and people who did not come."""

    source: Source
    rows: int
    people: int
    absent: int


@dataclass(frozen=True)
class Totals:
    """The count of a meeting. `sum(counts) + by_hand - merged == total`."""

    counts: tuple[Count, ...]
    #: People of whom there is only a number, and no row to tell where they come from.
    by_hand: int
    #: People counted on two rows, and how many rows were merged.
    merged: int
    merged_rows: int
    total: int
    #: Records of tablets that a person must look at.
    in_review: int
    #: People who had a place and were not marked.
    absent: int
    #: Parties still on the waiting list.
    waiting: int
    #: How many its page says there were, where it says something else.
    told: int | None

    @property
    def claimed(self) -> int:
        """People on all sources together, before what was merged is taken away."""
        return sum(count.people for count in self.counts)

    def by_source(self) -> dict[str, int]:
        """People by source, as minutes keep it; with `by_hand` and `merged` when there are any."""
        found = {count.source.value: count.people for count in self.counts if count.people}
        if self.by_hand:
            found["by_hand"] = self.by_hand
        return {**found, "merged": self.merged} if self.merged else found


def totals(ctx: Context, event: Event) -> Totals:
    """The count as it stands. Three statements; the caller has checked who asks."""
    books = ctx.session.get(SignUp, event.id, populate_existing=True)
    counts, merged_rows = _counts(ctx, event.id)
    claimed = sum(count.people for count in counts)
    marked = books.arrived if books else 0
    total = marked if marked or claimed else event.attendance or 0
    review = select(func.count()).where(TrayItem.event_id == event.id, TrayItem.settled_at.is_(None))
    return Totals(
        counts=counts,
        by_hand=max(0, total - claimed),
        merged=max(0, claimed - total),
        merged_rows=merged_rows,
        total=total,
        in_review=int(ctx.session.execute(review).scalar_one()),
        absent=sum(count.absent for count in counts),
        waiting=books.waiting if books else 0,
        told=event.attendance if event.attendance != total else None,
    )


def _counts(ctx: Context, event_id: int) -> tuple[tuple[Count, ...], int]:
    came = Registration.arrived_count > 0
    seated = Registration.state == RegistrationState.CONFIRMED
    # Whoever a host wrote down on a tablet was counted by a tablet.
    tablet = (Registration.source == Source.KIOSK) | Registration.device_id.is_not(None)
    query = (
        select(
            Registration.source,
            tablet.label("by_tablet"),
            func.count(case((came, 1))),
            func.coalesce(func.sum(Registration.arrived_count), 0),
            func.coalesce(func.sum(case((seated & ~came, Registration.party_size), else_=0)), 0),
            func.count(case((came & (Registration.state == RegistrationState.MERGED), 1))),
        )
        # Also who cancelled after having come: they were there.
        .where(Registration.event_id == event_id, came | seated)
        .group_by(Registration.source, "by_tablet")
    )
    found: dict[Source, list[int]] = {source: [0, 0, 0] for source in SOURCES}
    merged_rows = 0
    for source, by_tablet, rows, people, absent, merged in ctx.session.execute(query):
        sums = found.setdefault(Source.KIOSK if by_tablet else Source(source), [0, 0, 0])
        for position, number in enumerate((rows, people, absent)):
            sums[position] += int(number)
        merged_rows += int(merged)
    return tuple(Count(source, *sums) for source, sums in found.items()), merged_rows
