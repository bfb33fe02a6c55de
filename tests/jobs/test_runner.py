"""The worker: nothing lost, nothing twice, whatever dies or stays away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from lab.db.engine import Database
from lab.jobs import digests, leases, runner
from lab.jobs.runner import Runner, schedule
from lab.kernel.clock import FrozenClock
from lab.mail.transports import MailPostponed, MailRefused, MailServerAway
from lab.models.accounts import MailRhythm
from lab.models.notifications import Notification
from lab.models.operations import OutboxItem
from lab.services import outbox
from tests.jobs.conftest import Mailbox, Scene, text_of
from tests.jobs.test_telling import answer


def code_mail(scene: Scene, to: str = "rosa@example.org", code: str = "482913") -> None:
    values = {"code": code, "minutes": 10}
    with scene.act() as ctx:
        outbox.put(ctx, "mail", {"tag": "sign_in_code", "to": to, "locale": "it", "values": values})


def items(scene: Scene, topic: str) -> list[OutboxItem]:
    with scene.act() as ctx:
        query = select(OutboxItem).where(OutboxItem.topic == topic).order_by(OutboxItem.id)
        return list(ctx.session.execute(query).scalars())


class Killed(BaseException):
    """Stands for SIGKILL: no handler of the program runs."""


def test_a_code_goes_out_and_stays_nowhere(scene: Scene, mailbox: Mailbox) -> None:
    code_mail(scene)
    scene.runner.drain()
    assert "482913" in text_of(mailbox.mails[0])
    (item,) = items(scene, "mail")
    assert item.done_at is not None
    assert item.payload == {"tag": "sign_in_code"}


def test_a_worker_killed_while_telling_tells_everybody_once(
    scene: Scene, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.runner.drain()
    answer(scene, scene.say("rosa"))

    def die(*_args: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(leases, "finish", die)
        with pytest.raises(Killed):
            scene.runner.drain()
    with scene.act() as ctx:
        assert ctx.session.execute(select(Notification)).first() is None, "half done is not done"
    scene.runner.drain()
    assert mailbox.mails == [], "the lease of the dead worker still runs"
    scene.clock.advance(leases.LEASE)
    scene.work()
    assert len(mailbox.to("rosa")) == 1


def test_a_worker_killed_after_sending_sends_again_under_the_same_id(
    scene: Scene, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.runner.drain()
    code_mail(scene)

    def die(*_args: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(leases, "finish", die)
        with pytest.raises(Killed):
            scene.runner.drain()
    scene.clock.advance(leases.LEASE)
    scene.runner.drain()
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    scene.clock.advance(leases.LEASE)
    scene.runner.drain()
    assert len(mailbox.mails) == 2


def test_two_workers_at_once_send_each_mail_once(
    scene: Scene, mailbox: Mailbox, make_runner: Callable[[], Runner]
) -> None:
    for number in range(30):
        code_mail(scene, code=f"{number:06d}")
    said = scene.say("rosa")
    scene.announce("contribution.co_design", contribution_id=said.id)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            make_runner().drain()
        except BaseException as error:  # told to the test
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    codes = [text_of(mail).split("\n\n")[1].strip() for mail in mailbox.mails]
    assert sorted(codes) == [f"{number:06d}" for number in range(30)]
    with scene.act() as ctx:
        assert len(ctx.session.execute(select(Notification)).all()) == 1
    assert all(item.done_at for item in items(scene, "mail"))


def test_the_mail_server_is_away_and_everything_goes_out_when_it_is_back(
    scene: Scene, mailbox: Mailbox
) -> None:
    mailbox.trouble = MailServerAway("ConnectionRefusedError")
    for who in ("rosa", "samir"):
        answer(scene, scene.say(who))
    for _ in range(40):
        scene.clock.advance(timedelta(minutes=5))
        scene.runner.drain()
    assert mailbox.mails == []
    assert all(item.parked_at is None for item in items(scene, "mail"))
    mailbox.trouble = None
    scene.clock.advance(timedelta(minutes=11))
    scene.runner.drain()
    scene.clock.advance(timedelta(hours=1))
    scene.runner.drain()
    assert sorted(mail["To"] for mail in mailbox.mails) == ["rosa@example.org", "samir@example.org"]


def test_other_work_goes_on_while_the_mail_server_is_away(scene: Scene, mailbox: Mailbox) -> None:
    mailbox.trouble = MailServerAway("timeout")
    code_mail(scene)
    code_mail(scene, "samir@example.org")
    scene.announce("contribution.co_design", contribution_id=scene.say("rosa").id)
    scene.runner.drain()
    assert [item.attempts for item in items(scene, "mail")] == [1, 0], "one try is enough to know"
    assert all(item.done_at for item in items(scene, "announce"))


def test_a_code_that_has_run_out_is_not_sent_late(scene: Scene, mailbox: Mailbox) -> None:
    mailbox.trouble = MailServerAway("timeout")
    code_mail(scene)
    scene.runner.drain()
    mailbox.trouble = None
    scene.clock.advance(timedelta(minutes=11))
    scene.runner.drain()
    assert mailbox.mails == []
    assert items(scene, "mail")[0].payload == {"tag": "sign_in_code"}


def test_a_mail_that_is_refused_is_shown_to_staff_at_once_and_can_be_tried_again(
    scene: Scene, mailbox: Mailbox
) -> None:
    mailbox.trouble = MailRefused("550 no such user")
    code_mail(scene)
    scene.runner.drain()
    with scene.act("administrator") as ctx:
        (parked,) = outbox.parked(ctx)
        assert "550" in parked.last_error
        outbox.retry(ctx, parked.id)
    mailbox.trouble = None
    scene.runner.drain()
    assert len(mailbox.mails) == 1


def test_work_that_fails_is_tried_later_and_later_and_then_parked(scene: Scene, mailbox: Mailbox) -> None:
    mailbox.trouble = MailPostponed("451 later")
    answer(scene, scene.say("rosa"))
    scene.work()
    tried = []
    for _ in range(3000):
        (item,) = items(scene, "mail")
        if item.parked_at:
            break
        if not tried or tried[-1] != item.attempts:
            tried.append(item.attempts)
        scene.clock.move_to(max(item.available_at, scene.clock.now() + timedelta(seconds=1)))
        scene.runner.drain()
    assert tried == [1, 2, 3, 4, 5, 6, 7]
    assert items(scene, "mail")[0].attempts == leases.MOST_ATTEMPTS == 8


@pytest.mark.filterwarnings("ignore")
def test_work_nobody_understands_is_parked_in_the_end(scene: Scene) -> None:
    with scene.act() as ctx:
        outbox.put(ctx, "nonsense", {})
    for _ in range(9):
        scene.clock.advance(timedelta(hours=13))
        scene.runner.drain()
    (item,) = items(scene, "nonsense")
    assert item.parked_at is not None and "KeyError" in item.last_error


def test_without_a_mail_server_mails_wait_and_nothing_fails(
    scene: Scene, make_runner: Callable[[], Runner]
) -> None:
    worker = make_runner()
    worker.transport = None
    answer(scene, scene.say("rosa"))
    worker.drain()
    scene.clock.advance(timedelta(minutes=3))
    worker.drain()
    (item,) = items(scene, "mail")
    assert item.done_at is None and item.attempts == 0


@pytest.mark.parametrize(
    ("day", "seven_in_utc"),
    [
        ("2026-03-28", datetime(2026, 3, 28, 6, 0, tzinfo=UTC)),
        ("2026-03-29", datetime(2026, 3, 29, 5, 0, tzinfo=UTC)),
        ("2026-10-25", datetime(2026, 10, 25, 6, 0, tzinfo=UTC)),
        ("2026-10-24", datetime(2026, 10, 24, 5, 0, tzinfo=UTC)),
    ],
)
def test_the_digest_leaves_at_seven_by_the_clock_on_the_wall(
    scene: Scene, database: Database, day: str, seven_in_utc: datetime
) -> None:
    for _ in range(2):
        schedule(database, seven_in_utc - timedelta(hours=5), "Europe/Rome")
    (digest,) = items(scene, "digest")
    assert digest.dedupe_key == f"digest:{day}"
    assert digest.available_at == seven_in_utc


def test_a_morning_of_many_digests_is_done_in_parts_and_reaches_everybody_once(
    scene: Scene, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "_PORTION", 1)
    for who in ("rosa", "samir"):
        scene.person(who, mail_rhythm=MailRhythm.DAILY)
        answer(scene, scene.say(who))
    scene.work()
    assert not mailbox.mails
    scene.clock.advance(timedelta(days=1))
    scene.runner.drain()
    assert [len(mailbox.to(who)) for who in ("rosa", "samir")] == [1, 1]
    assert len({item.payload.get("after") for item in items(scene, "digest")}) == 3


def test_old_things_are_dropped(scene: Scene) -> None:
    scene.runner.transport = None
    code_mail(scene)
    scene.announce("contribution.co_design", contribution_id=scene.say("rosa").id)
    scene.runner.drain()
    scene.clock.advance(timedelta(days=1))
    scene.runner.drain()
    assert items(scene, "mail")[0].payload == {"tag": "sign_in_code"}, "an unsent code does not stay"
    scene.clock.advance(timedelta(days=100))
    scene.runner.drain()
    assert items(scene, "announce") == []


def test_run_once_does_what_is_due_and_leaves(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox, clock: FrozenClock
) -> None:
    monkeypatch.setattr(runner, "transport_for", lambda _server: mailbox)
    answer(scene, scene.say("rosa"))
    assert runner.run(scene.runner.settings, once=True, clock=clock) >= 3
    assert len(mailbox.to("rosa")) == 1, "no waiting for more news in a run by hand"


def test_every_mail_says_that_a_machine_sent_it(scene: Scene, mailbox: Mailbox) -> None:
    answer(scene, scene.say("rosa"))
    scene.work()
    mail: EmailMessage = mailbox.mails[0]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"].startswith("<http")
    assert mail.get_body(("html",)) is not None
