"""The job runner: takes due work from the outbox, one piece at a time, until it is told to stop.

Work that only changes the database runs in one transaction with the mark that it is done: whatever kills
the worker, its effects happen once. A mail cannot be part of a transaction. It is written in one, sent
outside any, and marked in another: a worker killed in between sends it again, with the same Message-ID.
At least once, then, and recognisable; a database is never held up by a mail server.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.jobs import digests, handlers, leases, meetings, reminders, retention
from lab.jobs.leases import Leased
from lab.kernel.clock import Clock, SystemClock, local_date
from lab.kernel.errors import Unavailable
from lab.kernel.tokens import Signer
from lab.mail import post
from lab.mail.transports import MailPostponed, MailRefused, MailServerAway, Transport, transport_for
from lab.models.operations import OutboxItem
from lab.policy.actor import SYSTEM
from lab.services import notifications, outbox
from lab.services.context import Context
from lab.settings import Settings

log = logging.getLogger("lab.jobs")

#: Seconds between two looks at an empty outbox.
IDLE = 1.0
#: Seconds to wait when the database does not answer.
DATABASE_AWAY = 5.0
#: How often the daily work is looked at, and how long mails rest after the server did not answer.
SCHEDULE_EVERY = timedelta(minutes=1)
MAIL_REST = timedelta(seconds=30)

#: Daily work and its local time.
DAILY: dict[str, time] = {"retention": time(3, 30), "reminders": time(6, 30), "digest": time(7, 0)}


@dataclass
class Runner:
    """One worker. Several may run beside each other, in one process or many."""

    settings: Settings
    database: Database
    clock: Clock
    transport: Transport | None
    group_wait: timedelta = notifications.GROUP_WAIT
    stop: threading.Event = field(default_factory=threading.Event)
    _mail_rests_until: datetime | None = None
    _scheduled_at: datetime | None = None

    def work(self) -> None:
        """Go on until `stop` is set; the piece in hand is finished first."""
        while not self.stop.is_set():
            try:
                if not self.step():
                    self.stop.wait(IDLE)
            except (OperationalError, InterfaceError, Unavailable) as error:
                log.warning("database away: %s", type(error).__name__)
                self.stop.wait(DATABASE_AWAY)
            except Exception:
                # A worker that is gone tells nobody anything: it says what is wrong and tries again.
                log.exception("the worker stumbled")
                self.stop.wait(DATABASE_AWAY)

    def drain(self) -> int:
        """Do all that is due now; how many pieces were tried."""
        tried = 0
        while not self.stop.is_set() and self.step():
            tried += 1
        return tried

    def step(self) -> bool:
        """Do one piece of work; False when none is due."""
        now = self.clock.now()
        if self._scheduled_at is None or now - self._scheduled_at >= SCHEDULE_EVERY:
            schedule(self.database, now, self.settings.timezone)
            self._scheduled_at = now
        leased = leases.take(self.database, now, self._resting(now))
        if leased is None:
            return False
        try:
            if leased.topic == "mail":
                self._mail(leased)
            else:
                self._in_one_transaction(leased)
        except (OperationalError, InterfaceError, Unavailable) as error:
            leases.postpone(self.database, leased, self.clock.now(), type(error).__name__)
        except Exception as error:
            log.exception("work failed", extra={"topic": leased.topic, "item": leased.id})
            leases.fail(self.database, leased, self.clock.now(), f"{type(error).__name__}: {error}")
        return True

    def _resting(self, now: datetime) -> frozenset[str]:
        resting = self._mail_rests_until is not None and now < self._mail_rests_until
        return frozenset({"mail"}) if self.transport is None or resting else frozenset()

    def _context(self, session: Session) -> Context:
        return Context(
            session, SYSTEM, self.clock.now(), self.settings.default_locale, timezone=self.settings.timezone
        )

    def _in_one_transaction(self, leased: Leased) -> None:
        with self.database.writing() as session:
            item = leases.held(session, leased)
            if item is None:
                return
            ctx = self._context(session)
            TOPICS[item.topic](self, ctx, item)
            leases.finish(item, ctx.now)

    def _mail(self, leased: Leased) -> None:
        message = self._written(leased)
        if message is not None:
            assert self.transport is not None
            try:
                self.transport.send(message)
            except MailServerAway as error:
                log.warning("mail server away: %s", error)
                self._mail_rests_until = self.clock.now() + MAIL_REST
                leases.postpone(self.database, leased, self.clock.now(), str(error))
                return
            except (MailPostponed, MailRefused) as error:
                hopeless = isinstance(error, MailRefused)
                leases.fail(self.database, leased, self.clock.now(), str(error), hopeless=hopeless)
                return
        with self.database.writing() as session:
            item = leases.held(session, leased)
            if item is not None:
                item.payload = outbox.scrubbed(item.payload)
                leases.finish(item, self.clock.now())
            if message is not None:
                leases.hurry(session, "mail", self.clock.now())

    def _written(self, leased: Leased) -> EmailMessage | None:
        # Reading only: nothing is locked while the mail server takes its time.
        with self.database.session() as session:
            item = session.execute(
                select(OutboxItem).where(OutboxItem.id == leased.id, OutboxItem.lease_token == leased.token)
            ).scalar_one_or_none()
            if item is None:
                return None
            ctx = self._context(session)
            signer = Signer(self.settings.secret_key, self.clock)
            mail = post.write(ctx, self.settings, signer, item)
            return post.message(ctx, self.settings, item, mail) if mail else None


Handler = Callable[[Runner, Context, OutboxItem], None]


def _announce(runner: Runner, ctx: Context, item: OutboxItem) -> None:
    handlers.fan_out(ctx, item.id, item.payload, runner.group_wait)


def _news(runner: Runner, ctx: Context, item: OutboxItem) -> None:
    notifications.collect(ctx, item.payload["person_id"])
    # What comes after this message asks for the next one.
    item.dedupe_key = None


def _digest(runner: Runner, ctx: Context, item: OutboxItem) -> None:
    last = digests.send_some(ctx, item.payload.get("after", 0))
    if last is not None:
        outbox.put(ctx, "digest", {"after": last})


def _reminders(runner: Runner, ctx: Context, item: OutboxItem) -> None:
    reminders.remind(ctx, runner.group_wait)
    meetings.remind(ctx)


def _retention(runner: Runner, ctx: Context, item: OutboxItem) -> None:
    log.info("retention", extra={"dropped": retention.clean_up(ctx, runner.settings.uploads)})


#: Everything the outbox may ask for, except mails. An unknown topic fails and is shown to staff.
TOPICS: dict[str, Handler] = {
    "announce": _announce,
    "news": _news,
    "digest": _digest,
    "reminders": _reminders,
    "retention": _retention,
}


def schedule(database: Database, now: datetime, timezone: str) -> None:
    """Ask for today's daily work, once a day whoever asks; a worker that was off does it when it is back."""
    today = local_date(now, timezone)
    wanted = {f"{topic}:{today.isoformat()}": topic for topic in DAILY}
    with database.session() as reading:
        query = select(OutboxItem.dedupe_key).where(OutboxItem.dedupe_key.in_(wanted))
        known = set(reading.execute(query).scalars())
    missing = {key: topic for key, topic in wanted.items() if key not in known}
    for key, topic in missing.items():
        at = datetime.combine(today, DAILY[topic], ZoneInfo(timezone))
        _ask_once(database, now, timezone, topic, at, key)


def _ask_once(database: Database, now: datetime, timezone: str, topic: str, at: datetime, key: str) -> None:
    # Another worker may ask at the same moment: the unique key keeps one of the two.
    with contextlib.suppress(IntegrityError), database.writing() as session:
        ctx = Context(session, SYSTEM, now, timezone=timezone)
        outbox.put(ctx, topic, {}, at=at, dedupe_key=key)


def run(settings: Settings, once: bool = False, clock: Clock | None = None) -> int:
    """Run a worker: with `once` until nothing is due, else until SIGTERM or SIGINT; how many pieces.

    With `once`, mail does not wait for more news to go along: what is due is grouped and goes.
    """
    database = Database(settings.database_url, slow_ms=settings.slow_statement_ms)
    runner = Runner(settings, database, clock or SystemClock(), transport_for(settings.smtp))
    try:
        with _stopped_by_signals(runner.stop):
            if once:
                runner.group_wait = timedelta(0)
                return runner.drain()
            runner.work()
            return 0
    finally:
        database.dispose()


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(_number: int, _frame: Any) -> None:
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
