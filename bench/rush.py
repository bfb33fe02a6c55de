"""A thousand people for eighty places at once, over HTTP, beside a view that does one INSERT."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import select

from bench import load
from bench.report import Line, line
from bench.site import visitor
from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.kernel.ids import new_key
from lab.models.events import Event
from lab.models.registrations import Registration, RegistrationState, SignUp
from lab.policy.actor import SYSTEM
from lab.services import sign_up_settings
from lab.services.context import Context
from lab.services.sign_up_settings import Settings

PEOPLE, PLACES = 1_000, 80
_CONNECTIONS = 50
_CODE = "RUSH"


def rush(
    engine: str, size: int, ports: tuple[int, int], app: Flask, database: Database, seconds: float
) -> Iterator[Line]:
    """Everybody sends the filled form; 80 are in, 920 stand in the order in which they came."""
    site, bare = ports
    event_id = _meeting(database)
    requests = [_filled(app, number) for number in range(PEOPLE)]
    plain = load.request("POST", "/insert", {})
    inserted = load.drive(bare, iter(lambda: plain, None), seconds, connections=_CONNECTIONS)
    came = load.drive(site, iter(requests), 120, connections=_CONNECTIONS)
    seated, waiting, in_order = _found(database, event_id)
    right = (seated, waiting, in_order, came.errors) == (PLACES, PEOPLE - PLACES, True, 0)
    measured = f"{came.rate:.0f}/s, {seated} in, {waiting} waiting, {came.errors} errors"
    yield line(
        engine, size, "rush : one INSERT", measured if right else f"WRONG: {measured}",
        came.rate / inserted.rate if right else 0.0, floor=0.5,
    )  # fmt: skip


def _meeting(database: Database) -> int:
    with database.writing() as session:
        ctx = Context(session, SYSTEM, utcnow())
        like = session.execute(select(Event).where(Event.starts_at > ctx.now).limit(1)).scalar_one()
        event = Event(code=_CODE, kind=like.kind, title="Tutti insieme", starts_at=like.starts_at)
        session.add(event)
        session.flush()
        sign_up_settings.save(ctx, Settings(event.id, capacity=PLACES))
        return event.id


def _filled(app: Flask, number: int) -> bytes:
    reader = visitor(app)
    fields = {
        "csrf_token": reader.csrf, "idempotency_key": new_key(), "name": f"Abitante {number}",
        "party_size": "1", "consent": "y", "email": f"abitante{number}@example.org",
    }  # fmt: skip
    headers = {"Cookie": reader.cookie, "Content-Type": "application/x-www-form-urlencoded"}
    return load.request("POST", f"/eventi/{_CODE}/iscrizione", headers, urlencode(fields).encode())


def _found(database: Database, event_id: int) -> tuple[int, int, bool]:
    with database.session() as session:
        rows = session.execute(
            select(Registration.id, Registration.state, Registration.queue_no)
            .where(Registration.event_id == event_id)
            .order_by(Registration.id)
        ).all()
        taken = session.get_one(SignUp, event_id).taken
    queue = [row.queue_no for row in rows if row.state is RegistrationState.WAITING]
    seated = [row for row in rows if row.state is RegistrationState.CONFIRMED]
    return taken, len(queue), queue == list(range(1, len(queue) + 1)) and rows[: len(seated)] == seated
