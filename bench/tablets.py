"""Two tablets that come back together with 500 records each, beside a view that does one INSERT."""

from __future__ import annotations

import json
import time
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from bench import load
from bench.report import Line, line
from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.models.events import Event
from lab.models.registrations import Registration, SignUp
from lab.policy.actor import SYSTEM
from lab.services import devices, sealing
from lab.services.context import Context
from lab.services.devices import NewCode

TABLETS = 2
EACH = 500
_BATCH = 20


@dataclass(frozen=True)
class _Outbox:
    token: str
    records: list[dict[str, Any]]


def sync(
    engine: str, size: int, ports: tuple[int, int], database: Database, seconds: float
) -> Iterator[Line]:
    """How many records a second come in, sealed, when all tablets send at once."""
    site, bare = ports
    plain = load.request("POST", "/insert", {})
    # As many at a time as there are tablets: both wait for their answer before they send on.
    inserted = load.drive(bare, iter(lambda: plain, None), seconds, connections=TABLETS)
    outboxes = _written(database)
    begun = time.perf_counter()
    with ThreadPoolExecutor(TABLETS) as pool:
        refused = sum(pool.map(lambda outbox: _deliver(site, outbox), outboxes))
    took = time.perf_counter() - begun
    kept = _kept(database)
    rate = TABLETS * EACH / took
    measured = f"{TABLETS * EACH:,} in {took:.1f} s, {rate:.0f}/s, {kept:,} kept, {refused} refused"
    yield line(engine, size, "sync : one INSERT", measured, rate / inserted.rate)


def _written(database: Database) -> list[_Outbox]:
    """What the tablets hold when the network comes back: sign-ups, and an idea for every ten."""
    with database.writing() as session:
        ctx = Context(session, SYSTEM, utcnow())
        coming = select(Event).where(Event.starts_at > ctx.now).order_by(Event.starts_at, Event.id)
        event = session.execute(coming.limit(1)).scalar_one()
        tokens = []
        for number in range(TABLETS):
            _, code = devices.make_code(ctx, NewCode(event.id, f"Tablet {number}", "2580"))
            tokens.append(devices.pair(ctx, code, standing_too=False).token)
        session.get_one(SignUp, event.id).capacity = EACH
        key = sealing.current_key(ctx)
        seal = (key.id, key.public_key)
    return [_Outbox(token, [_record(event.code, seal, number) for number in range(EACH)]) for token in tokens]


def _record(event: str, seal: tuple[int, str], number: int) -> dict[str, Any]:
    name, is_idea = str(uuid.uuid4()), number % 10 == 9
    kind = "idea" if is_idea else "sign_up"
    payload: dict[str, Any] = {"name": f"Abitante {number}", "locale": "it"}
    payload |= {"text": f"Una panchina, e sono {number}."} if is_idea else {"consent": True, "party_size": 1}
    return {
        "v": 3, "client_uuid": name, "event": event, "kind": kind, "seq": number,
        "created_at": utcnow().isoformat(), "clock_offset_ms": 0,
        "sealed": sealing.seal(*seal, payload, sealing.associated(name, event, kind)),
    }  # fmt: skip


def _deliver(port: int, outbox: _Outbox) -> int:
    """Send everything as the application does, batch after batch; how many were not taken."""
    refused = 0
    for start in range(0, len(outbox.records), _BATCH):
        body = json.dumps({"records": outbox.records[start : start + _BATCH], "report": {}}).encode()
        asked = urllib.request.Request(  # our own server
            f"http://127.0.0.1:{port}/totem/api/records",
            body,
            {"Authorization": f"Bearer {outbox.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=60) as answer:
            results = json.load(answer)["results"]
        refused += sum(one["status"] != 201 for one in results)
    return refused


def _kept(database: Database) -> int:
    with database.session() as session:
        mine = select(func.count()).where(Registration.device_id.is_not(None))
        return int(session.execute(mine).scalar_one())
