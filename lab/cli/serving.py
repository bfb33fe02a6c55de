"""`lab serve` and `lab worker`: the processes of a running site."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import click

from lab.cli.common import acting, fail, open_database, require_schema, settings, words
from lab.cli.demo.accounts import KIOSK_CODE, KIOSK_PIN, PASSWORD, SIGN_INS
from lab.db.engine import Database
from lab.jobs import runner
from lab.services import devices, site
from lab.settings import Settings

#: A process that ends sooner than this many seconds could not start: starting it again would not help.
YOUNG = 5.0
#: Seconds that children have to finish what they are doing before they are killed.
GRACE = 20.0
#: Requests that one process answers at once. In a rush those that wait are done together, and more do more.
THREADS = 16


@click.command(help=words("Avvia il sito.", "Serve the site."))
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help=words("L'indirizzo su cui ascolta.", "The address it listens on."),
)
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(1, 65535),
    help=words("La porta.", "The port."),
)
@click.option(
    "--workers",
    default=2,
    show_default=True,
    type=click.IntRange(1, 64),
    help=words("Quanti processi rispondono.", "How many processes answer."),
)
@click.option(
    "--threads",
    default=THREADS,
    show_default=True,
    type=click.IntRange(1, 256),
    help=words("Quante richieste insieme per processo.", "Requests that each answers at once."),
)
@click.option(
    "--with-worker", is_flag=True, help=words("Avvia anche i lavori.", "Run the job runner as well.")
)
@click.option("--demo", is_flag=True, help=words("Mostra gli accessi demo.", "Print the demo sign-ins."))
def serve(host: str, port: int, workers: int, threads: int, with_worker: bool, demo: bool) -> None:
    """Start gunicorn, and the job runner if asked; stop both on Ctrl-C or SIGTERM. What dies in between is
    started again.
    """
    current = settings()
    _require_free(host, port)
    with open_database() as (_settings, database):
        require_schema(database)
        if demo and not current.is_production:
            _print_sign_ins(f"http://{host}:{port}")
            _print_kiosk_code(current, database, f"http://{host}:{port}/totem")
    environ = {**os.environ, "PORT": str(port)}
    commands = [_gunicorn(host, port, workers, threads)]
    if with_worker:
        commands.append([sys.executable, "-m", "lab.cli", "worker"])
    sys.exit(supervise(commands, environ, current.home))


def _require_free(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on: gunicorn would try for so long that it looks alive."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise fail(
                f"La porta {port} è occupata: scegline un'altra (--port, o PORT= con make).",
                f"Port {port} is taken: choose another one (--port, or PORT= with make).",
            ) from error
        raise fail(
            f"Su {host}:{port} non si può ascoltare: {error.strerror}.",
            f"Nothing can listen on {host}:{port}: {error.strerror}.",
        ) from error


def _gunicorn(host: str, port: int, workers: int, threads: int) -> list[str]:
    return [
        sys.executable, "-m", "gunicorn", "wsgi:app",
        "--bind", f"{host}:{port}",
        "--worker-class", "gthread", "--workers", str(workers), "--threads", str(threads),
        "--keep-alive", "5", "--timeout", "60", "--graceful-timeout", "15",
        "--no-control-socket", "--log-level", "warning",
    ]  # fmt: skip


def supervise(commands: list[list[str]], environ: dict[str, str], home: Path, young: float = YOUNG) -> int:
    """Keep these processes running until we are told to stop (0), or one cannot start (its exit code).

    The site goes on while its job runner is away, and the other way round: nothing is lost meanwhile.
    """
    stopping = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    children = [_Child(command, environ, home) for command in commands]
    code = 0
    while not stopping:
        for child in children:
            ended = child.process.poll()
            if ended is not None and child.age < young:
                code, stopping = ended or 1, True
            elif ended is not None:
                click.echo(f"{' '.join(child.command[2:4])}: {ended}, restart", err=True)
                child.start()
        time.sleep(0.2)
    _stop_all([child.process for child in children])
    return code


class _Child:
    """A process of ours, which can be started again."""

    def __init__(self, command: list[str], environ: dict[str, str], home: Path) -> None:
        self.command = command
        self.environ = environ
        self.home = home
        self.start()

    def start(self) -> None:
        # A process group of their own: Ctrl-C reaches only us, and we stop them in order.
        self.process = subprocess.Popen(self.command, env=self.environ, cwd=self.home, start_new_session=True)
        self.started = time.monotonic()

    @property
    def age(self) -> float:
        return time.monotonic() - self.started


def _stop_all(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + GRACE
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)


def _print_sign_ins(address: str) -> None:
    click.echo(words(f"Il sito è su {address}", f"The site is at {address}"))
    click.echo(words(f"Accessi demo (password {PASSWORD}):", f"Demo sign-ins (password {PASSWORD}):"))
    for account in SIGN_INS:
        click.echo(f"  {account.email:32} {account.what}")


def _print_kiosk_code(current: Settings, database: Database, address: str) -> None:
    """The code of the demonstration's tablet, moved on to the meeting that comes next."""
    with acting(current, database) as ctx:
        event = devices.standing_code(ctx, KIOSK_CODE, KIOSK_PIN) if site.demo_accounts(ctx) else None
    if event is None:
        return
    code = f"{KIOSK_CODE[:4]}-{KIOSK_CODE[4:]}"
    click.echo(
        words(
            f"Totem: {address}  codice {code}, PIN {KIOSK_PIN} (incontro {event.code})",
            f"Kiosk: {address}  code {code}, PIN {KIOSK_PIN} (meeting {event.code})",
        )
    )


@click.command(help=words("Esegue i lavori in attesa.", "Carry out waiting work."))
@click.option("--once", is_flag=True, help=words("Fa quel che c'è ed esce.", "Do what is due and leave."))
def worker(once: bool) -> None:
    """Send mail, fan out news, remind, clean up."""
    current = settings()
    with open_database() as (_settings, database):
        require_schema(database)
    runner.run(current, once=once)
