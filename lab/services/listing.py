"""Lists of proposals: filters, order and pages by key, at the same cost for twenty rows and a million."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from lab.db import search
from lab.db.types import UtcDateTime
from lab.models.contributions import (
    ASIDE_STATES,
    Contribution,
    ContributionProject,
    Kind,
    State,
    Visibility,
)
from lab.models.programme import Office, Place, Theme
from lab.models.projects import Project
from lab.services.context import Context

#: Full rows of one, two, three or four cards.
PAGE = 24
#: How many are put on the plan at once.
PINS = 60
#: So few inputs of a project are sorted at once.
_FEW = 2_000


class Order(StrEnum):
    """What comes first. Searches are always newest first."""

    RECENT = "recent"
    SUPPORTED = "supported"
    DISCUSSED = "discussed"


@dataclass(frozen=True)
class Wish:
    """What a reader asked to see; ids and codes are known to exist."""

    words: str = ""
    theme_id: int | None = None
    place_id: int | None = None
    office_id: int | None = None
    project_id: int | None = None
    event_id: int | None = None
    state: State | None = None
    kind: Kind | None = None
    order: Order = Order.RECENT
    on_plan: bool = False


@dataclass(frozen=True)
class Listed:
    """One line of the list, as cards read it."""

    id: int
    code: str
    title: str
    excerpt: str
    lang: str
    state: State
    kind: Kind
    created_at: datetime
    decided_at: datetime | None
    promise_due_at: datetime
    is_open: bool
    supports_count: int
    comments_count: int
    photos_count: int
    theme: str | None
    theme_names: dict[str, Any] | None
    place_code: str | None
    place: str | None
    place_names: dict[str, Any] | None
    x: int | None
    y: int | None
    office: str | None
    #: What the pages go on from: the values of the order's columns.
    key: tuple[Any, ...]


@dataclass(frozen=True)
class Found:
    """A page of lines; `more` says whether there are others in the direction one was going."""

    items: list[Listed]
    more: bool


@dataclass(frozen=True)
class Choice:
    """One answer of a filter."""

    what: str
    id: int
    code: str
    name: str
    names: dict[str, Any] | None
    retired: bool
    x: int | None
    y: int | None

    def word(self, locale: str) -> str:
        """The name in the reader's language."""
        return str((self.names or {}).get(locale) or self.name)


_ORDERS: dict[Order, InstrumentedAttribute[Any]] = {
    Order.RECENT: Contribution.created_at,
    Order.SUPPORTED: Contribution.supports_count,
    Order.DISCUSSED: Contribution.comments_count,
}

_COLUMNS = (
    Contribution.id,
    Contribution.code,
    Contribution.title,
    Contribution.excerpt,
    Contribution.lang,
    Contribution.state,
    Contribution.kind,
    Contribution.created_at,
    Contribution.decided_at,
    Contribution.promise_due_at,
    Contribution.is_open,
    Contribution.supports_count,
    Contribution.comments_count,
    Contribution.photos_count,
    Theme.name.label("theme"),
    Theme.names.label("theme_names"),
    Place.code.label("place_code"),
    Place.name.label("place"),
    Place.names.label("place_names"),
    Contribution.x,
    Contribution.y,
    Place.x.label("place_x"),
    Place.y.label("place_y"),
    Office.name.label("office"),
)


def choices(ctx: Context) -> list[Choice]:
    """Every theme, place, office and project one can choose from, in one statement.

    Offices that closed and retired themes and places stay: what was said about them can still be found.
    """
    none = null()
    parts = union_all(
        select(
            literal("theme").label("what"), Theme.id, Theme.code, Theme.name, Theme.names, Theme.retired,
            none.label("x"), none.label("y"), Theme.position.label("position"),
        ),
        select(
            literal("place"), Place.id, Place.code, Place.name, Place.names, Place.retired,
            Place.x, Place.y, literal(0),
        ),
        select(
            literal("office"), Office.id, Office.code, Office.name, none, Office.closed_on.is_not(None),
            none, none, literal(0),
        ),
        select(
            literal("project"), Project.id, Project.code, Project.title, none, literal(False),
            none, none, Project.position,
        ),
    ).subquery()  # fmt: skip
    rows = ctx.session.execute(select(parts).order_by(parts.c.what, parts.c.position, parts.c.name))
    return [Choice(*row[:8]) for row in rows]


def page(
    ctx: Context, wish: Wish, key: Sequence[Any] | None = None, *, backwards: bool = False, limit: int = PAGE
) -> Found:
    """The lines after `key` (or before it when going `backwards`), in the order asked.

    `key` is that of the line at the edge of the page one comes from; one that makes no sense is ignored.
    """
    query, columns = _base(ctx, wish)
    edge = _edge(columns, key, backwards)
    if edge is not None:
        query = query.where(edge)
    ordered = [column.asc() if backwards else column.desc() for column in columns]
    rows = ctx.session.execute(query.order_by(*ordered).limit(limit + 1)).all()
    items = [_listed(row, len(columns)) for row in rows[:limit]]
    if backwards:
        items.reverse()
    return Found(items, more=len(rows) > limit)


def _base(ctx: Context, wish: Wish) -> tuple[Select[Any], list[ColumnElement[Any]]]:
    found = search.matches(ctx.session, wish.words, "contribution") if wish.words else None
    columns: list[ColumnElement[Any]]
    if found is not None:
        documents = search.search_document.c
        columns = [documents.id]
        source: FromClause = search.search_document.join(
            Contribution, documents.contribution_id == Contribution.id
        )
        conditions = [documents.kind == "contribution", documents.is_public, found]
    elif wish.project_id is not None and (wish.order is Order.RECENT or _is_small(ctx, wish.project_id)):
        # From the links, which stand in the order of time: a project of many inputs is not read whole. The
        # few of a small one are sorted; by a sum, which is in no index that would lead through all inputs.
        links = ContributionProject.__table__
        source = links.join(Contribution, ContributionProject.contribution_id == Contribution.id)
        columns = [ContributionProject.said_at.expression, ContributionProject.contribution_id.expression]
        if wish.order is not Order.RECENT:
            columns[0] = _ORDERS[wish.order] + 0
        conditions = [ContributionProject.project_id == wish.project_id]
        wish = replace(wish, project_id=None)
    else:
        columns = [_ORDERS[wish.order].expression, Contribution.id.expression]
        source = Contribution.__table__
        conditions = []
    query = (
        select(*_COLUMNS, *(column.label(f"key{n}") for n, column in enumerate(columns)))
        .select_from(source)
        .outerjoin(Theme, Theme.id == Contribution.theme_id)
        .outerjoin(Place, Place.id == Contribution.place_id)
        .outerjoin(Office, Office.id == Contribution.office_id)
        .where(*conditions, *_conditions(wish))
    )
    return query, columns


def _is_small(ctx: Context, project_id: int) -> bool:
    """Whether so little was said of a project that it is quicker read whole than met on a walk."""
    some = select(ContributionProject.contribution_id).where(ContributionProject.project_id == project_id)
    counted = select(func.count()).select_from(some.limit(_FEW + 1).subquery())
    return int(ctx.session.execute(counted).scalar_one()) <= _FEW


def _conditions(wish: Wish) -> list[ColumnElement[bool]]:
    if wish.state in ASIDE_STATES:
        conditions = [Contribution.visibility == Visibility.PUBLIC, Contribution.state == wish.state]
    elif wish.state is not None:
        conditions = [
            Contribution.visibility == Visibility.PUBLIC,
            Contribution.state == wish.state,
            Contribution.is_listed.expression,
        ]
    else:
        conditions = [Contribution.is_listed.expression]
    for column, value in (
        (Contribution.theme_id, wish.theme_id),
        (Contribution.place_id, wish.place_id),
        (Contribution.office_id, wish.office_id),
        (Contribution.event_id, wish.event_id),
        (Contribution.kind, wish.kind),
    ):
        if value is not None:
            conditions.append(column == value)
    if wish.project_id is not None:
        # Asked of each input on the way, not made into a list of all beforehand.
        spoken = exists().where(
            ContributionProject.contribution_id == Contribution.id,
            ContributionProject.project_id == wish.project_id,
        )
        conditions.append(spoken)
    if wish.on_plan:
        conditions.append(or_(Contribution.place_id.is_not(None), Contribution.x.is_not(None)))
    return conditions


def _edge(
    columns: list[ColumnElement[Any]], key: Sequence[Any] | None, backwards: bool
) -> ColumnElement[bool] | None:
    if key is None or len(key) != len(columns):
        return None
    values = [_value(column, part) for column, part in zip(columns, key, strict=True)]
    if any(value is None for value in values):
        return None
    beyond: list[ColumnElement[bool]] = [
        c > v if backwards else c < v for c, v in zip(columns, values, strict=True)
    ]
    if len(columns) == 1:
        return beyond[0]
    first, value = columns[0], values[0]
    # The first condition alone bounds the walk of the index; the pair settles ties.
    bound = first >= value if backwards else first <= value
    return and_(bound, or_(beyond[0], and_(first == value, beyond[1])))


def _value(column: ColumnElement[Any], part: Any) -> Any:
    """A part of a key as its column compares it; None when it is of another kind."""
    if isinstance(column.type, UtcDateTime):
        try:
            return datetime.fromisoformat(part).astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            return None
    return part if isinstance(part, int) and not isinstance(part, bool) else None


def _listed(row: Any, parts: int) -> Listed:
    values = row._mapping
    key = tuple(values[f"key{n}"] for n in range(parts))
    return Listed(
        **{name: values[name] for name in Listed.__dataclass_fields__ if name not in ("key", "x", "y")},
        x=values["x"] if values["x"] is not None else values["place_x"],
        y=values["y"] if values["y"] is not None else values["place_y"],
        key=tuple(part.isoformat() if isinstance(part, datetime) else part for part in key),
    )
