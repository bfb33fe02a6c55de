"""What became of everything that came from tablets: dates, kinds, codes and states, no names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from lab.models.contributions import Channel, Contribution, Kind
from lab.models.kiosk import Device
from lab.models.registrations import Arrival, Registration, Source
from lab.services.context import Context

#: Of each kind, the latest.
SHOWN = 100


@dataclass(frozen=True)
class Line:
    """One thing that came: `state` is a code that has words, `code` what people know it by."""

    at: datetime
    kind: str
    state: Any
    code: str = ""
    device: str = ""


def read(ctx: Context, event_id: int) -> list[Line]:
    """The latest first. Four statements. The caller has checked who looks."""
    names = {
        row.id: row.name
        for row in ctx.session.execute(select(Device.id, Device.name).where(Device.event_id == event_id))
    }
    lines = [*_sign_ups(ctx, event_id, names), *_arrivals(ctx, event_id, names), *_words(ctx, event_id)]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _sign_ups(ctx: Context, event_id: int, names: dict[int, str]) -> list[Line]:
    query = (
        select(Registration.created_at, Registration.code, Registration.state, Registration.device_id)
        .where(Registration.event_id == event_id, Registration.source == Source.KIOSK)
        .order_by(Registration.id.desc())
        .limit(SHOWN)
    )
    return [
        Line(row.created_at, "sign_up", row.state, row.code, names.get(row.device_id, ""))
        for row in ctx.session.execute(query)
    ]


def _arrivals(ctx: Context, event_id: int, names: dict[int, str]) -> list[Line]:
    query = (
        select(Arrival.at, Arrival.source, Arrival.device_id, Registration.code)
        .join(Registration, Registration.id == Arrival.registration_id)
        .where(Arrival.event_id == event_id, Arrival.device_id.is_not(None), Arrival.undone_at.is_(None))
        .order_by(Arrival.id.desc())
        .limit(SHOWN)
    )
    return [
        Line(row.at, "check_in", row.source, row.code, names.get(row.device_id, ""))
        for row in ctx.session.execute(query)
    ]


def _words(ctx: Context, event_id: int) -> list[Line]:
    query = (
        select(Contribution.typed_at, Contribution.kind, Contribution.code, Contribution.state)
        .where(Contribution.event_id == event_id, Contribution.channel == Channel.KIOSK)
        .order_by(Contribution.id.desc())
        .limit(SHOWN)
    )
    kinds = {Kind.QUESTION: "question", Kind.REMARK: "how_it_was"}
    return [
        Line(row.typed_at, kinds.get(row.kind, "idea"), row.state, row.code)
        for row in ctx.session.execute(query)
    ]
