"""The whole thing as people meet it: served by its own command, a real browser, a real mail server."""

from __future__ import annotations

import contextlib
import email
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.databases import PostgresqlFactory, SqliteFactory

ROOT = Path(__file__).parents[2]
PASSWORD = "crocione-demo"
PHONE = {"width": 360, "height": 740}
LAPTOP = {"width": 1280, "height": 800}
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass
class Mailbox:
    """Everything that the mail server was handed."""

    messages: list[Message] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # aiosmtpd's name
        self.messages.append(email.message_from_bytes(envelope.content))
        return "250 kept"

    def to(self, address: str) -> list[str]:
        """The plain texts sent to one address, oldest first."""
        return [_text(message) for message in self.messages if address in str(message["To"])]

    def find(self, address: str, words: str) -> str | None:
        """The newest text to this address that holds these words."""
        return next((text for text in reversed(self.to(address)) if words in text), None)

    def wait(self, seconds: float) -> None:
        """Give the worker a moment, less when a mail comes meanwhile."""
        known, until = len(self.messages), time.monotonic() + seconds
        while time.monotonic() < until and len(self.messages) == known:
            time.sleep(0.05)


def _text(message: Message) -> str:
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            return str(message["Subject"]) + "\n" + payload.decode("utf-8")
    return ""


@dataclass
class Site:
    """A running site with its worker."""

    url: str
    mailbox: Mailbox
    environ: dict[str, str]
    process: subprocess.Popen[bytes] = field(init=False)

    def lab(self, *arguments: str) -> str:
        """Run a `lab` command against this site."""
        done = subprocess.run(
            [sys.executable, "-m", "lab.cli", *arguments],
            env=self.environ, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        return done.stdout

    @property
    def port(self) -> str:
        """The port on which it is served."""
        return self.url.rpartition(":")[2]

    def start(self, *, jobs: bool = True, **environ: str) -> None:
        """Serve it, with the job runner unless told otherwise; `environ` changes settings from now on."""
        self.environ.update(environ)
        runner = ["--with-worker"] if jobs else []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lab.cli", "serve", "--port", self.port, *runner],
            env=self.environ, cwd=ROOT, start_new_session=True,
        )  # fmt: skip
        _wait_ready(self)

    def pull_the_plug(self) -> None:
        """Every process of it ends at once, in the middle of whatever it does."""
        mark = f"LAB_BASE_URL={self.url}\0".encode()
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if mark in (folder / "environ").read_bytes() + b"\0":
                    os.kill(int(folder.name), signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """End it as an administrator would."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(25)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)


def _free_port() -> int:
    """A port below those that outgoing connections are given: none of them takes it before it is used."""
    while True:
        port = 12_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


Factory = SqliteFactory | PostgresqlFactory


@pytest.fixture(params=["sqlite", "postgresql"])
def factory(request: pytest.FixtureRequest) -> Factory:
    """What makes databases of this engine."""
    made: Factory = request.getfixturevalue(f"{request.param}_factory")
    return made


@contextlib.contextmanager
def running(
    factory: Factory, folder: Path, fill: Callable[[Site], object], *, jobs: bool = True
) -> Iterator[Site]:
    """A site with a database of its own, filled by `fill`, served on a free port by two processes."""
    url, port, mail_port = factory.make(), _free_port(), _free_port()
    mailbox = Mailbox()
    mail_server = Controller(mailbox, hostname="127.0.0.1", port=mail_port)
    mail_server.start()
    environ = {
        **os.environ,
        "LAB_HOME": str(folder),
        "LAB_DATABASE_URL": url.replace("postgresql+psycopg://", "postgresql://"),
        "LAB_SMTP_URL": f"smtp://127.0.0.1:{mail_port}?tls=none",
        "LAB_MAIL_FROM": "laboratorio@demo.example",
        "LAB_BASE_URL": f"http://127.0.0.1:{port}",
        "LAB_LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(ROOT),
        "PORT": str(port),
    }
    site = Site(f"http://127.0.0.1:{port}", mailbox, environ)
    fill(site)
    try:
        site.start(jobs=jobs)
        yield site
    finally:
        site.stop()
        mail_server.stop()
        factory.drop(url)


@pytest.fixture
def site(factory: Factory, tmp_path: Path) -> Iterator[Site]:
    """The demo neighbourhood."""
    with running(factory, tmp_path, lambda site: site.lab("demo", "load")) as found:
        yield found


def _wait_ready(site: Site) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert site.process.poll() is None, "the site stopped by itself"
        try:
            with urllib.request.urlopen(f"{site.url}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the site is not ready after two minutes")


def _chromium() -> str:
    path = os.environ.get("LAB_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "Chromium is missing: make test installs it, or set LAB_TEST_CHROMIUM"
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        yield chromium
        chromium.close()


Open = Callable[..., Page]


@pytest.fixture
def open_browser(browser: Browser, site: Site) -> Iterator[Open]:
    """`open_browser(viewport, script=False)` is a device of its own: no cookies shared with the others."""
    contexts: list[BrowserContext] = []

    def opened(viewport: dict[str, int] = LAPTOP, *, script: bool = True, locale: str = "it-IT") -> Page:
        context = browser.new_context(
            viewport=viewport,
            java_script_enabled=script,
            locale=locale,
            base_url=site.url,  # type: ignore[arg-type]
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


def sign_in(page: Page, who: str) -> None:
    """Sign a demo persona in through the page."""
    page.goto("/accedi")
    page.fill('input[name="email"]', f"{who}@demo.example")
    page.fill('input[name="password"]', PASSWORD)
    page.click('main button[type="submit"] >> nth=0')
    page.wait_for_url(re.compile(r"^(?!.*/accedi).*$"))


@pytest.fixture(autouse=True)
def _no_stray_threads() -> Iterator[None]:
    yield
    assert threading.active_count() < 50
