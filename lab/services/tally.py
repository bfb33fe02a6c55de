"""The tally of inputs: which rows an input counts in, and the numbers that pages draw from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, cast, exists, func, literal, null, select, union_all
from sqlalchemy.types import JSON, String

from lab.models.contributions import ANY, Kind, State, Tally
from lab.models.programme import Office, Theme
from lab.services.context import Context


@dataclass(frozen=True)
class Filter:
    """Which inputs: said in these months (first days, both included), about this theme, … 0 is "none yet"."""

    since: date | None = None
    until: date | None = None
    theme_id: int | None = None
    office_id: int | None = None
    kind: Kind | None = None


@dataclass(frozen=True)
class Cell:
    """One combination of the tally and how many inputs are in it."""

    month: date
    kind: Kind
    theme_id: int
    theme: str
    office_id: int
    office: str
    state: State
    timeliness: str
    count: int


@dataclass(frozen=True)
class Kept:
    """How the promise was kept in one group."""

    in_time: int = 0
    late: int = 0
    open: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.in_time + self.late + self.open


@dataclass(frozen=True)
class Overview:
    """The numbers of the page, after filtering; `months` go from the first to the last without a gap."""

    total: int
    withdrawn: int
    kept: Kept
    states: dict[State, int]
    months: list[tuple[date, Kept]]
    #: By id (0: none yet), most first.
    themes: list[tuple[int, Kept]]
    offices: list[tuple[int, Kept]]


@dataclass(frozen=True)
class Choices:
    """What one can choose between: years, themes and offices about which something was said."""

    #: Latest first.
    years: list[int] = field(default_factory=list)
    #: By id: the name, and the names in other languages.
    themes: dict[int, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    offices: dict[int, str] = field(default_factory=dict)


def rows_of(key: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The four rows in which an input with this key counts: its own, and those of all themes and offices."""
    for theme_id in (key["theme_id"], ANY):
        for office_id in (key["office_id"], ANY):
            yield {**key, "theme_id": theme_id, "office_id": office_id}


def whole() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The condition that leaves each input counted once: all themes together, all offices together."""
    return Tally.theme_id == ANY, Tally.office_id == ANY


def choices(ctx: Context) -> Choices:
    """One statement."""
    no_names = cast(null(), JSON(none_as_null=True))
    said = Tally.count != 0
    parts = union_all(
        select(
            literal("month"), literal(0), cast(Tally.month, String), no_names
        ).where(*whole(), said).group_by(Tally.month),
        select(literal("theme"), Theme.id, Theme.name, Theme.names).where(
            exists().where(Tally.theme_id == Theme.id, Tally.office_id == ANY, said)
        ),
        select(literal("office"), Office.id, Office.name, no_names).where(
            exists().where(Tally.office_id == Office.id, Tally.theme_id == ANY, said)
        ),
    )  # fmt: skip
    years: set[int] = set()
    found = Choices()
    for what, identity, name, names in ctx.session.execute(parts):
        if what == "month":
            years.add(int(name[:4]))
        elif what == "theme":
            found.themes[identity] = (name, names or {})
        else:
            found.offices[identity] = name
    found.years.extend(sorted(years, reverse=True))
    return found


def overview(ctx: Context, wish: Filter) -> Overview:
    """Everything the page draws for this choice, added up by the database in one statement.

    Who took their words back asked for no answer: they are told apart and weigh on no share.
    """
    states: Counter[State] = Counter()
    withdrawn = 0
    months: dict[date, Counter[str]] = {}
    groups: dict[str, dict[int, Counter[str]]] = {"theme": {}, "office": {}}
    for what, identity, month, state, timeliness, count in ctx.session.execute(_sums(wish)):
        if what in groups:
            groups[what].setdefault(identity, Counter())[timeliness] += int(count)
            continue
        states[State(state)] += int(count)
        if state == State.WITHDRAWN:
            withdrawn += int(count)
        else:
            months.setdefault(month, Counter())[timeliness] += int(count)
    by_month = {month: _kept(counts) for month, counts in months.items()}
    return Overview(
        total=sum(states.values()),
        withdrawn=withdrawn,
        kept=_kept(sum(months.values(), Counter())),
        states={state: states[state] for state in State if states[state]},
        months=[(month, by_month.get(month, Kept())) for month in _months(by_month)],
        themes=_most_first(groups["theme"]),
        offices=_most_first(groups["office"]),
    )


def _sums(wish: Filter) -> Any:
    theme = ANY if wish.theme_id is None else wish.theme_id
    office = ANY if wish.office_id is None else wish.office_id
    count = func.sum(Tally.count)
    asking = Tally.state != State.WITHDRAWN
    nothing, no_month = cast(null(), Tally.state.type), cast(null(), Date)
    parts = (
        select(literal("whole"), literal(0), Tally.month, Tally.state, Tally.timeliness, count)
        .where(Tally.theme_id == theme, Tally.office_id == office)
        .group_by(Tally.month, Tally.state, Tally.timeliness),
        select(literal("theme"), Tally.theme_id, no_month, nothing, Tally.timeliness, count)
        .where(_one_or_each(Tally.theme_id, wish.theme_id), Tally.office_id == office, asking)
        .group_by(Tally.theme_id, Tally.timeliness),
        select(literal("office"), Tally.office_id, no_month, nothing, Tally.timeliness, count)
        .where(_one_or_each(Tally.office_id, wish.office_id), Tally.theme_id == theme, asking)
        .group_by(Tally.office_id, Tally.timeliness),
    )
    return union_all(*(part.where(*_when(wish)).having(count != 0) for part in parts))


def _one_or_each(column: Any, chosen: int | None) -> ColumnElement[bool]:
    """The one that was chosen; else every one apart, their sum left out."""
    found: ColumnElement[bool] = column > ANY if chosen is None else column == chosen
    return found


def _when(wish: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wish.since is not None:
        conditions.append(Tally.month >= wish.since)
    if wish.until is not None:
        conditions.append(Tally.month <= wish.until)
    if wish.kind is not None:
        conditions.append(Tally.kind == wish.kind)
    return conditions


def cells(ctx: Context, wish: Filter) -> list[Cell]:
    """Every combination that fits, with the names of its theme and office; one statement."""
    query = (
        select(
            Tally.month, Tally.kind, Tally.theme_id, func.coalesce(Theme.name, ""), Tally.office_id,
            func.coalesce(Office.name, ""), Tally.state, Tally.timeliness, Tally.count,
        )
        .outerjoin(Theme, Theme.id == Tally.theme_id)
        .outerjoin(Office, Office.id == Tally.office_id)
        .where(
            _one_or_each(Tally.theme_id, wish.theme_id), _one_or_each(Tally.office_id, wish.office_id),
            Tally.count != 0, *_when(wish),
        )
        .order_by(Tally.month, Tally.id)
    )  # fmt: skip
    return [Cell(*row) for row in ctx.session.execute(query)]


def _kept(count: Counter[str]) -> Kept:
    return Kept(count["in_time"], count["late"], count["open"])


def _most_first(groups: dict[int, Counter[str]]) -> list[tuple[int, Kept]]:
    found = {identity: _kept(counts) for identity, counts in groups.items()}
    return sorted(found.items(), key=lambda item: (item[0] == 0, -item[1].total, item[0]))


def _months(groups: dict[date, Kept]) -> Iterator[date]:
    if not groups:
        return
    month, last = min(groups), max(groups)
    while month <= last:
        yield month
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
