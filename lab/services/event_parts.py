"""What hangs on a meeting: projects, bodies, documents, agenda, the other dates. One statement."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, CompoundSelect, Date, Row, Text, select, union_all

from lab.db.parts import Shape
from lab.db.types import UtcDateTime
from lab.models.events import AgendaItem, Event, EventBody, EventDocument, EventProject
from lab.models.programme import Body
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


_part = Shape(
    id=BigInteger(),
    position=BigInteger(),
    number=BigInteger(),
    at=UtcDateTime(),
    day=Date(),
    code=Text(),
    title=Text(),
    more=Text(),
    state=Text(),
).part


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
