"""A worker with a mailbox in its hand, and a neighbourhood in which something happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import update

from lab.db.engine import Database
from lab.jobs.runner import Runner
from lab.kernel.clock import FrozenClock
from lab.models.accounts import Person
from lab.models.contributions import Contribution
from lab.policy.actor import SYSTEM
from lab.services import contributions, outbox
from lab.services.context import Context
from lab.settings import Settings
from tests.world import World


class Mailbox:
    """Takes every mail; `trouble` is raised instead when set."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.trouble: Exception | None = None

    def send(self, message: EmailMessage) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.mails.append(message)

    def to(self, who: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == f"{who}@example.org"]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


class Scene:
    """Short ways to make things happen."""

    def __init__(self, database: Database, clock: FrozenClock, world: World, runner: Runner) -> None:
        self.database, self.clock, self.world, self.runner = database, clock, world, runner

    @contextmanager
    def act(self, who: str = "system") -> Iterator[Context]:
        actor = SYSTEM if who == "system" else self.world.actor(who)
        with self.database.writing() as session:
            yield Context(session, actor, self.clock.now())

    def say(self, who: str | None, text: str = "Panchine all'ombra", **more: Any) -> Contribution:
        with self.act() as ctx:
            person_id = self.world.people[who] if who else None
            what = contributions.Placement(text=text, person_id=person_id, author_name=who or "", **more)
            return contributions.place(ctx, what)

    def announce(self, event: str, by: str = "system", **ids: Any) -> None:
        with self.act(by) as ctx:
            outbox.announce(ctx, event, **ids)

    def person(self, who: str, **values: Any) -> None:
        with self.act() as ctx:
            ctx.session.execute(update(Person).where(Person.id == self.world.people[who]).values(**values))

    def work(self) -> None:
        """The worker does what is due, waits for the grouping time, and goes on."""
        self.runner.drain()
        self.clock.advance(timedelta(minutes=3))
        self.runner.drain()


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def make_runner(
    settings: Settings, database: Database, clock: FrozenClock, mailbox: Mailbox
) -> Callable[[], Runner]:
    return lambda: Runner(settings, database, clock, mailbox)


@pytest.fixture
def scene(database: Database, clock: FrozenClock, world: World, make_runner: Callable[[], Runner]) -> Scene:
    return Scene(database, clock, world, make_runner())
