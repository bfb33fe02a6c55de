"""Everything goes wrong at once, and is counted: what was written is there once, and everybody is answered.

Two tablets come back together with a full outbox each. While they deliver, a process that serves them is
killed in the middle of its work, the database is restarted, and answers are lost on the way.
`LAB_TEST_RECORDS=500` plays the full size: then the other process and the one that runs the jobs are killed
as well.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.models.contributions import Contribution
from lab.models.kiosk import HowItWas, SeatLease, TrayItem
from lab.models.registrations import Registration, RegistrationState, SignUp
from lab.policy.actor import SYSTEM
from lab.services import devices, leases, sealing
from lab.services.context import Context
from lab.services.devices import NewCode
from lab.settings import Settings
from tests.databases import PostgresqlFactory
from tests.journeys.conftest import ROOT, Factory, Site, running
from tests.meetings import make_event
from tests.tablets import PIN, Pen
from tests.world import build

#: Records on each of the two tablets.
EACH = int(os.environ.get("LAB_TEST_RECORDS", "40"))
IS_FULL = EACH >= 500
PLACES = EACH
LENT = 8
BATCH = 20
#: Seconds after which all must be in, whatever happened.
PATIENCE = 120 + EACH
#: The application on a tablet waits half a minute after a failure, then twice as long each time.
PAUSE, LONGEST_PAUSE = 0.1, 2.0
#: One sending in so many is cut off before its answer is read.
CUT = 7


@dataclass
class Outbox:
    """A tablet that sends as its application does: in order, the same bytes, until all are answered."""

    url: str
    token: str
    records: list[dict[str, Any]]
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    sendings: int = 0
    failures: int = 0

    def waiting(self) -> list[dict[str, Any]]:
        return [one for one in self.records if one["client_uuid"] not in self.answers]

    def deliver(self) -> None:
        """Go on until nothing waits."""
        until, pause = time.monotonic() + PATIENCE, PAUSE
        while batch := self.waiting()[:BATCH]:
            assert time.monotonic() < until, f"{len(self.waiting())} records still wait"
            status, results = self.send(batch)
            if status == 200 and self.take(results):
                pause = PAUSE
                continue
            self.failures += 1
            # Whatever else is said, nothing is given up.
            assert status in (0, 200) or status >= 500, status
            time.sleep(pause * random.uniform(0.8, 1.2))
            pause = min(LONGEST_PAUSE, 2 * pause)

    def take(self, results: list[dict[str, Any]]) -> bool:
        """Keep what is final; False when something has to be sent again."""
        final = [one for one in results if one["status"] != 503]
        for one in final:
            self.answers.setdefault(one["client_uuid"], []).append(one)
        return len(final) == len(results)

    def send(self, batch: list[dict[str, Any]]) -> tuple[int, list[dict[str, Any]]]:
        """One sending: its status and results; (0, []) when no answer came."""
        self.sendings += 1
        address = urlsplit(self.url)
        line = http.client.HTTPConnection(address.hostname or "", address.port, timeout=15)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            line.request("POST", "/totem/api/records", json.dumps({"records": batch, "report": {}}), headers)
            if self.sendings % CUT == 3:
                return 0, []
            answer = line.getresponse()
            said = json.loads(answer.read())
        except (OSError, http.client.HTTPException):
            return 0, []
        finally:
            line.close()
        return answer.status, said.get("results", [])


@dataclass
class Hall:
    """A meeting, two tablets that were without network, and the site they come back to."""

    site: Site
    database: Database
    event_id: int
    outboxes: list[Outbox]
    #: Addresses of people who wait for a confirmation.
    addresses: set[str]
    lease_id: int
    #: The job runner.
    jobs: subprocess.Popen[bytes] | None = None

    @property
    def written(self) -> list[dict[str, Any]]:
        return [record for outbox in self.outboxes for record in outbox.records]

    def arrived(self) -> int:
        """Records that stand in the database now; -1 while it is away."""
        try:
            with self.database.session() as session:
                return sum(rows(session, model) for model in (Registration, Contribution, HowItWas))
        except DBAPIError:
            return -1

    def over(self) -> bool:
        """Whether more places are given than there are."""
        with suppress(DBAPIError), self.database.session() as session:
            books = session.get_one(SignUp, self.event_id)
            return books.taken + books.lent > PLACES
        return False

    def begin_jobs(self) -> None:
        self.jobs = subprocess.Popen(
            [sys.executable, "-m", "lab.cli", "worker"], env=self.site.environ, cwd=ROOT
        )

    def kill_jobs(self) -> None:
        if self.jobs is not None:
            self.jobs.kill()
            self.jobs.wait()


def rows(session: Session, model: Any) -> int:
    return int(session.execute(select(func.count()).select_from(model)).scalar_one())


def children(process: int) -> list[int]:
    """The processes that this one started."""
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def servers(site: Site) -> list[int]:
    """The processes that answer requests: children of gunicorn, which is a child of `lab serve`."""
    (master,) = children(site.process.pid)
    return children(master)


@pytest.fixture
def hall(factory: Factory, tmp_path: Path) -> Iterator[Hall]:
    prepared: dict[str, Any] = {}
    with running(factory, tmp_path, lambda site: prepared.update(_meeting(site)), jobs=False) as site:
        for outbox in prepared["outboxes"]:
            outbox.url = site.url
        database = Database(Settings.from_environ(site.environ).database_url)
        found = Hall(site=site, database=database, **prepared)
        try:
            yield found
        finally:
            found.kill_jobs()
            database.dispose()


def _meeting(site: Site) -> dict[str, Any]:
    """A meeting with two paired tablets, one of which was lent places, and what was said on them."""
    database, now = Database(Settings.from_environ(site.environ).database_url), utcnow()
    try:
        with database.writing() as session:
            ctx = Context(session, SYSTEM, now)
            starts = now + timedelta(hours=2)
            event = make_event(session, build(session), starts_at=starts, sign_up_capacity=PLACES)
            paired = [_pair(ctx, event.id, name) for name in ("Ingresso", "Cortile")]
            first = devices.by_token(ctx, paired[0].token)
            assert first is not None
            lease = leases.lend(ctx, first, LENT)
            key = sealing.current_key(ctx)
            session.flush()
    finally:
        database.dispose()
    pen = Pen(event=event.code, seal={"key_id": key.id, "public_key": key.public_key})
    addresses: set[str] = set()
    outboxes = []
    for tablet, lent in zip(paired, (lease.id, None), strict=True):
        said = [_record(pen, tablet.device.prefix, lent, number, addresses) for number in range(EACH)]
        outboxes.append(Outbox("", tablet.token, said))
    return {"event_id": event.id, "outboxes": outboxes, "addresses": addresses, "lease_id": lease.id}


def _pair(ctx: Context, event_id: int, name: str) -> devices.Paired:
    _, code = devices.make_code(ctx, NewCode(event_id, name, PIN))
    return devices.pair(ctx, code, standing_too=False)


def _record(pen: Pen, prefix: str, lease_id: int | None, number: int, addresses: set[str]) -> dict[str, Any]:
    """What somebody said at the tablet: mostly sign-ups, with ideas and words about the evening between."""
    now = utcnow()
    if number % 10 == 9:
        return pen.write("idea", at=now, text=f"Una panchina alla fermata, {prefix} {number}.", locale="it")
    if number % 10 == 8:
        return pen.write("how_it_was", at=now, stars=1 + number % 5, locale="it")
    more: dict[str, Any] = {"party_size": 1 + number % 3}
    if number % 10 == 3:
        more["email"] = f"{prefix}.{number}@example.org".lower()
        addresses.add(more["email"])
    if lease_id is not None and number < LENT:
        more |= {"lease_id": lease_id, "party_size": 1}
    return pen.sign_up(f"Abitante {prefix} {number}", at=now, **more)


@pytest.mark.journey
def test_two_tablets_come_back_while_everything_falls(hall: Hall, factory: Factory) -> None:
    if IS_FULL:
        hall.begin_jobs()
    begun, total = time.monotonic(), len(hall.written)
    with ThreadPoolExecutor(len(hall.outboxes)) as pool:
        sendings = [pool.submit(outbox.deliver) for outbox in hall.outboxes]
        _calamities(hall, factory, total, sendings)
        for sending in sendings:
            sending.result()
    took = time.monotonic() - begun
    answers = {uuid: told for outbox in hall.outboxes for uuid, told in outbox.answers.items()}
    assert set(answers) == {record["client_uuid"] for record in hall.written}
    assert {len(told) for told in answers.values()} == {1}
    assert {told[0]["status"] for told in answers.values()} <= {200, 201}
    _everything_once(hall, answers)
    _told_anew_the_same(hall)
    if IS_FULL:
        _everybody_is_written_to(hall)
    again = sum(told[0]["status"] == 200 for told in answers.values())
    print(
        f"{factory.name}: {total} records in {took:.1f} s, {sum(o.sendings for o in hall.outboxes)} sendings,"
        f" {sum(o.failures for o in hall.outboxes)} failed, {again} answers lost and told again"
    )


def _calamities(hall: Hall, factory: Factory, total: int, sendings: list[Future[None]]) -> None:
    """Each when its share of the records is in."""
    first, second = servers(hall.site)
    planned: list[tuple[float, Callable[[], object]]] = [(0.2, lambda: os.kill(first, signal.SIGKILL))]
    if IS_FULL:
        planned += [(0.35, hall.kill_jobs), (0.4, hall.begin_jobs)]
    if isinstance(factory, PostgresqlFactory):
        planned.append((0.5, factory.restart))
    if IS_FULL:
        planned.append((0.75, lambda: os.kill(second, signal.SIGKILL)))
    while not all(sending.done() for sending in sendings):
        assert not hall.over()
        if planned and hall.arrived() >= planned[0][0] * total:
            planned.pop(0)[1]()
        time.sleep(0.01)
    assert not planned, "all was in before everything had fallen"


def _everything_once(hall: Hall, answers: dict[str, list[dict[str, Any]]]) -> None:
    kinds = [record["kind"] for record in hall.written]
    with hall.database.session() as session:
        assert rows(session, Registration) == kinds.count("sign_up")
        assert rows(session, Contribution) == kinds.count("idea")
        assert rows(session, HowItWas) == kinds.count("how_it_was")
        assert rows(session, TrayItem) == 0
        books = session.get_one(SignUp, hall.event_id)
        found = session.execute(select(Registration).order_by(Registration.queue_no)).scalars().all()
        lease = session.get_one(SeatLease, hall.lease_id)
    stands: dict[RegistrationState, list[Registration]] = {}
    for row in found:
        stands.setdefault(row.state, []).append(row)
        told = answers[str(row.client_uuid)][0]
        assert (told["result"], told["code"]) == (row.state.value, row.code)
    assert set(stands) == {RegistrationState.CONFIRMED, RegistrationState.WAITING}
    assert books.taken == sum(row.party_size for row in stands[RegistrationState.CONFIRMED])
    assert books.taken + books.lent <= PLACES
    assert (lease.used, books.lent) == (lease.seats, 0)
    # Nobody's number in the queue is missing, and none is given twice.
    queue = [row.queue_no for row in stands[RegistrationState.WAITING]]
    assert queue == list(range(1, books.waiting + 1))


def _told_anew_the_same(hall: Hall) -> None:
    """A tablet restored from an old copy sends everything again: the same is said, and nothing changes."""
    for outbox in hall.outboxes:
        for start in range(0, len(outbox.records), BATCH):
            status, results = outbox.send(outbox.records[start : start + BATCH])
            for one in results:
                before = outbox.answers[one["client_uuid"]][0]
                assert one["status"] == 200
                assert (one["result"], one.get("code")) == (before["result"], before.get("code"))
            assert status in (0, 200)
    assert hall.arrived() == len(hall.written)


def _everybody_is_written_to(hall: Hall) -> None:
    """The job runner was killed as well: whoever left an address hears of the sign-up all the same."""
    until = time.monotonic() + PATIENCE
    while missing := {one for one in hall.addresses if not hall.site.mailbox.to(one)}:
        assert time.monotonic() < until, missing
        hall.site.mailbox.wait(1)
