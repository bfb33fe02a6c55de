"""Mails over a real SMTP server on this machine: what arrives is what was meant, and nothing more."""

from __future__ import annotations

import contextlib
import email
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import update

from lab.db.engine import Database
from lab.jobs.runner import Runner
from lab.kernel.clock import FrozenClock
from lab.kernel.ids import format_receipt_code, new_receipt_code, parse_receipt_code
from lab.mail.render import render
from lab.mail.transports import MailPostponed, MailRefused, MailServerAway, SmtpTransport
from lab.models.accounts import Person
from lab.models.contributions import Contribution
from lab.models.registrations import RegistrationState
from lab.policy.actor import SYSTEM
from lab.services import contributions, outbox
from lab.services.context import Context
from lab.services.site import Profile
from lab.settings import Settings, SmtpServer, resource_dir
from tests.world import NOW, World


class Post:
    """What the server has taken; `answer` is said instead of taking when set."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.answer = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer:
            return self.answer
        self.mails.append(email.message_from_bytes(envelope.content, policy=default))  # type: ignore[arg-type]
        self.recipients += envelope.rcpt_tos
        return "250 taken"


@pytest.fixture
def post() -> Post:
    return Post()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server(post: Post) -> Iterator[Controller]:
    controller = Controller(post, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    with contextlib.suppress(RuntimeError):  # the test has stopped it already
        controller.stop(no_assert=True)


def port_of(controller: Controller) -> int:
    return int(controller.port)


@pytest.fixture
def transport(server: Controller) -> SmtpTransport:
    return SmtpTransport(SmtpServer("127.0.0.1", port_of(server), "none"), timeout=5)


def simple(subject: str = "Prova") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", subject
    message.set_content("ciao")
    return message


def test_a_mail_arrives(transport: SmtpTransport, post: Post) -> None:
    transport.send(simple())
    assert post.recipients == ["b@example.org"]
    assert post.mails[0]["Subject"] == "Prova"


def test_a_server_that_is_not_there_is_away(transport: SmtpTransport, server: Controller) -> None:
    server.stop()
    with pytest.raises(MailServerAway):
        transport.send(simple())


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [("452 full", MailPostponed), ("421 shutting down", MailServerAway), ("554 no", MailRefused)],
)
def test_what_the_server_says_is_understood(
    transport: SmtpTransport, post: Post, answer: str, trouble: type[Exception]
) -> None:
    post.answer = answer
    with pytest.raises(trouble):
        transport.send(simple())


def test_encryption_that_is_asked_for_is_not_done_without(server: Controller, post: Post) -> None:
    with pytest.raises(MailServerAway):
        SmtpTransport(SmtpServer("127.0.0.1", port_of(server), "starttls"), timeout=5).send(simple())
    assert post.mails == []


class Office:
    """The whole way: something is said and decided, the worker runs, the server takes mails."""

    def __init__(self, database: Database, world: World, clock: FrozenClock, runner: Runner) -> None:
        self.database, self.world, self.clock, self.runner = database, world, clock, runner

    def say(self, **more: Any) -> Contribution:
        with self.database.writing() as session:
            ctx = Context(session, SYSTEM, self.clock.now())
            what = contributions.Placement(person_id=self.world.people["rosa"], **more)
            said = contributions.place(ctx, what)
            outbox.announce(ctx, "contribution.co_design", contribution_id=said.id)
        return said

    def work(self) -> None:
        self.runner.drain()
        self.clock.advance(timedelta(minutes=3))
        self.runner.drain()


@pytest.fixture
def office(
    settings: Settings, database: Database, world: World, clock: FrozenClock, transport: SmtpTransport
) -> Office:
    return Office(database, world, clock, Runner(settings, database, clock, transport))


def test_the_server_goes_away_and_comes_back_and_each_mail_arrives_once(
    office: Office, server: Controller, post: Post
) -> None:
    port = port_of(server)
    server.stop()
    for number in range(3):
        office.say(text=f"Cosa {number}")
        office.work()
    assert post.mails == []
    back = Controller(post, hostname="127.0.0.1", port=port)
    back.start()
    try:
        office.clock.advance(timedelta(minutes=11))
        office.runner.drain()
        office.work()
    finally:
        back.stop()
    bodies = [str(mail.get_body(("plain",)).get_content()) for mail in post.mails]  # type: ignore[union-attr]
    assert sorted("Cosa" in body for body in bodies) == [True] * 3
    assert len({mail["Message-ID"] for mail in post.mails}) == 3


def test_names_and_titles_cannot_add_headers_or_recipients(office: Office, post: Post) -> None:
    with office.database.writing() as session:
        session.execute(update(Person).values(name="Rosa\r\nBcc: all@example.org\r\n\r\n<b>x</b>"))
    said = office.say(text="x", title="Luce")
    with office.database.writing() as session:
        poison = "Luce\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script>"
        session.execute(update(Contribution).where(Contribution.id == said.id).values(title=poison))
    office.work()
    (mail,) = post.mails
    assert post.recipients == ["rosa@example.org"]
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Novità: Luce Bcc: all@example.org")
    html = str(mail.get_body(("html",)).get_content())  # type: ignore[union-attr]
    assert "<script>" not in html and "<b>x" not in html
    assert "&lt;script&gt;" in html


def test_a_mail_speaks_its_readers_language(office: Office, post: Post) -> None:
    with office.database.writing() as session:
        session.execute(update(Person).values(locale="ar"))
    office.say(text="Ombra")
    office.work()
    html = str(post.mails[0].get_body(("html",)).get_content())  # type: ignore[union-attr]
    assert '<html lang="ar" dir="rtl">' in html
    assert "نوفمبر" in html
    assert post.mails[0]["Content-Language"] == "ar"


CODE = {"code": "482913", "minutes": 10}
NAME = {"name": "Rosa"}
TAGS = sorted(path.name for path in (resource_dir("templates") / "emails").iterdir() if path.is_dir())


MEETING = SimpleNamespace(
    title="Assemblea", code="EV90", starts_at=NOW, minutes=90, place_note="", cancelled_reason="Piove.",
)  # fmt: skip
PARTY = SimpleNamespace(party_size=2, code="K7PX", name="Rosa", locale="it", email="rosa@example.org")
TICKET = SimpleNamespace(kept_until=NOW, standing=SimpleNamespace(number=3, state=RegistrationState.WAITING))
#: What a mail about a sign-up speaks of.
SIGNED_UP = {
    "event": MEETING, "registration": PARTY, "ticket": TICKET, "place": "Parco", "what": ["when"],
    "ticket_url": "http://x/biglietto/y", "event_url": "http://x/eventi/EV90", "qr_cid": "ticket.1@x",
}  # fmt: skip


@pytest.mark.parametrize("tag", TAGS)
def test_every_mail_has_its_three_parts(tag: str, settings: Settings) -> None:
    values = {
        **CODE, **NAME, **SIGNED_UP,
        "groups": [], "stop_url": "http://x/", "words": "Ciao", "words_lang": "it",
        "receipt_code": "ABCDEFGH", "due": NOW, "reason": "Perché sì.", "until": NOW,
    }  # fmt: skip
    words = render(settings, Profile(), tag, "it", NOW, values)
    assert words.subject and "\n" not in words.subject
    assert "{{" not in words.text + words.html
    assert words.html.startswith("<!doctype html>")
    html = words.html.replace('<img src="cid:ticket.1@x"', "")
    assert "<img" not in html and "src=" not in html, "nothing is loaded, nobody is tracked"


def test_numbers_keep_their_order_in_words_that_run_the_other_way(settings: Settings) -> None:
    profile = Profile(phone="0362 26 31")
    values = {
        **NAME,
        "words": "Ciao",
        "words_lang": "it",
        "receipt_code": "2345JKLM",
        "due": NOW,
        "stop_url": "http://x/",
    }
    arabic = render(settings, profile, "receipt", "ar", NOW, values).text
    for group in ("0362 26 31", "2345-JKLM"):
        isolated = f"\u2066{group}\u2069"
        assert isolated in arabic
    # What is copied with the invisible signs around it is understood.
    code = new_receipt_code()
    assert parse_receipt_code(f"\u2066{format_receipt_code(code)}\u2069") == code
    assert "\u2066" not in render(settings, profile, "receipt", "it", NOW, values).text
    ticket = render(
        settings, profile, "sign_up_confirmed", "ar", NOW, {**NAME, **SIGNED_UP, "stop_url": ""}
    ).text
    assert f"\u2066{PARTY.code}\u2069" in ticket


def test_a_language_that_is_not_enabled_falls_back(settings: Settings) -> None:
    only = replace(settings, locales=("it",))
    assert 'lang="it"' in render(only, Profile(), "sign_in_code", "ar", NOW, CODE).html
