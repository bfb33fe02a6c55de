"""What hangs on a meeting: projects, bodies, documents, agenda, the other dates, promises. One statement."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Date,
    Row,
    Select,
    Text,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from lab.db.types import UtcDateTime
from lab.models.capture import Commitment, Minutes, MinutesState
from lab.models.events import AgendaItem, Event, EventBody, EventDocument, EventProject
from lab.models.programme import Body, Office
from lab.models.projects import Project
from lab.services.context import Context

#: Other dates of a series that a page shows.
DATES = 40

Line = Row[Any]


@dataclass(frozen=True)
class Parts:
    """Rows with `id`, `code`, `title`, `more`, `number`, `state`, `at` and `day` as each part needs them."""

    projects: list[Line]
    bodies: list[Line]
    #: `more` is the address of a link, `number` the bytes of a file of ours.
    documents: list[Line]
    #: `number` is the length in minutes.
    agenda: list[Line]
    #: Other public dates of the series: `at`, `state`.
    dates: list[Line]
    #: Promises made there: `title` what, `more` who, `day` by when, `state`.
    commitments: list[Line]
    has_minutes: bool


_COLUMNS: dict[str, Any] = {
    "id": BigInteger(),
    "position": BigInteger(),
    "number": BigInteger(),
    "at": UtcDateTime(),
    "day": Date(),
    "code": Text(),
    "title": Text(),
    "more": Text(),
    "state": Text(),
}


def _part(part: str, /, **columns: Any) -> Select[Any]:
    named = [
        (cast(columns[name], kind) if isinstance(kind, Text) else columns[name]).label(name)
        if name in columns
        else cast(null(), kind).label(name)
        for name, kind in _COLUMNS.items()
    ]
    return select(literal(part).label("part"), *named)


def parts(ctx: Context, event: Event) -> Parts:
    """All of them, each in its order. One statement, however many there are."""
    found: dict[str, list[Line]] = defaultdict(list)
    for row in ctx.session.execute(_query(event)):
        found[row.part].append(row)
    for kind in found:
        found[kind].sort(key=lambda row: (row.position or 0, row.id))
    return Parts(
        projects=found["project"],
        bodies=sorted(found["body"], key=lambda row: row.title),
        documents=found["document"],
        agenda=found["agenda"],
        dates=sorted(found["date"], key=lambda row: (row.at, row.id)),
        commitments=found["commitment"],
        has_minutes=bool(found["minutes"]),
    )


def _query(event: Event) -> CompoundSelect[Any]:
    key = event.id
    selects = [
        _part("project", id=Project.id, code=Project.code, title=Project.title, position=Project.position)
        .join_from(Project, EventProject, EventProject.project_id == Project.id)
        .where(EventProject.event_id == key),
        _part("body", id=Body.id, code=Body.code, title=Body.name)
        .join_from(Body, EventBody, EventBody.body_id == Body.id)
        .where(EventBody.event_id == key),
        _part("document", id=EventDocument.id, title=EventDocument.title, more=EventDocument.url,
              number=EventDocument.bytes, position=EventDocument.position)
        .where(EventDocument.event_id == key),
        _part("agenda", id=AgendaItem.id, title=AgendaItem.title, number=AgendaItem.minutes,
              position=AgendaItem.position)
        .where(AgendaItem.event_id == key),
        _part("commitment", id=Commitment.id, code=Commitment.code, title=Commitment.text,
              more=func.coalesce(Office.name, Body.name, Commitment.owner_name), day=Commitment.due_on,
              state=Commitment.state, position=Commitment.position)
        .select_from(Commitment)
        .outerjoin(Office, Office.id == Commitment.office_id)
        .outerjoin(Body, Body.id == Commitment.body_id)
        .where(Commitment.event_id == key, Commitment.is_public),
        _part("minutes", id=Minutes.event_id)
        .where(Minutes.event_id == key, Minutes.state == MinutesState.PUBLISHED),
    ]  # fmt: skip
    if event.series_id is not None:
        # The latest dates under the limit, so that those to come are always among them.
        other = (
            select(Event)
            .where(Event.series_id == event.series_id, Event.id != key, Event.is_public)
            .order_by(Event.starts_at.desc(), Event.id.desc())
            .limit(DATES)
            .subquery()
        )
        dates = other.c
        selects.append(
            _part("date", id=dates.id, code=dates.code, title=dates.title, at=dates.starts_at,
                  state=dates.state).select_from(other)
        )  # fmt: skip
    return union_all(*selects)
