"""`python -m bench`: fills throw-away databases, measures, prints one table and stops."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from sqlalchemy import select

import lab.models  # noqa: F401  # every table is known before the first query
from bench import data, engines, load, measure, report, rush, server, site, tablets, weight
from bench.report import Line
from lab.cli.serving import THREADS
from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.models.accounts import Person

FULL = (1_000, 20_000, 1_000_000)
#: Pages are asked for under load up to this size; beyond it, what they cost is measured one by one.
_UNDER_LOAD = 20_000
_MARK = "<!-- the table below is written by `python -m bench --write` -->"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--sizes", default="1000,20000", help="numbers of proposals, growing")
    parser.add_argument("--full", action="store_true", help=f"sizes {','.join(map(str, FULL))}; takes long")
    parser.add_argument("--engines", default="sqlite,postgresql")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each round of load")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="put the table into this page (docs/bench.md)"
    )
    found = parser.parse_args()
    found.sizes = FULL if found.full else tuple(sorted(int(size) for size in found.sizes.split(",")))
    return found


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def _engine(name: str, options: argparse.Namespace, folder: Path) -> Iterator[Line]:
    with engines.engine(name) as make, ExitStack() as stack:
        small: measure.Stand | None = None
        # The smallest stays open: pages are asked of it and of each larger one by turns.
        for size in options.sizes:
            url = make()
            database = Database(url, slow_ms=60_000)
            stack.callback(database.dispose)
            data.start(database)
            site.make_bare_table(database)
            _say(f"{name}: {size:,} proposals, filled in {data.fill(database, size):.0f} s")
            app = stack.enter_context(site.in_process(url, folder))
            stand = measure.Stand(size, app, _readers(app, database))
            if size <= _UNDER_LOAD:
                yield from _loaded(name, size, url, folder, stand.readers, database, options)
            _say(f"{name}: pages one by one")
            yield from measure.statements(name, size, app, stand.readers)
            if small is not None:
                yield from measure.growth(name, small, stand)
            small = small or stand
        _say(f"{name}: import")
        yield from measure.import_rate(name, options.sizes[-1], database)


def _readers(app: Flask, database: Database) -> measure.Readers:
    newest = select(Person.id).order_by(Person.id.desc()).limit(400)
    with database.session() as session:
        people = list(session.execute(newest).scalars())
    staff = site.person(app, "facilitatore@demo.example")
    return measure.Readers(site.sign_in(app, people), site.sign_in(app, [staff])[0])


def _loaded(
    name: str, size: int, url: str, folder: Path, readers: measure.Readers, database: Database,
    options: argparse.Namespace,
) -> Iterator[Line]:  # fmt: skip
    environ = site.environ(url, folder)
    with (
        server.serving("wsgi:app", environ) as port,
        server.serving("bench.targets:create()", environ) as bare,
    ):
        _say(f"{name}: under load")
        yield from measure.speed(name, size, (port, bare), readers, options.seconds)
        if size == max(one for one in options.sizes if one <= _UNDER_LOAD):
            yield from measure.submit(name, size, (port, bare), readers, database, 3 * options.seconds)
            _say(f"{name}: rush")
            with site.in_process(url, folder) as app:
                yield from rush.rush(name, size, (port, bare), app, database, options.seconds)
            _say(f"{name}: tablets")
            yield from tablets.sync(name, size, (port, bare), database, options.seconds)
            yield from weight.weigh(port, f"/proposte/PR{size // 2}") if name == "sqlite" else ()


def main() -> None:
    """Measure what was asked for and print it."""
    options = _options()
    # Whoever stops us stops the servers and databases we started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    lines: list[Line] = []
    with TemporaryDirectory(prefix="lab-bench-home-") as folder:
        for name in options.engines.split(","):
            lines += _engine(name, options, Path(folder))
    about = {
        "when": utcnow().date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load": load.loader(),
        "hello": "a bare Flask view of 20 bytes, same gunicorn: "
        f"{server.WORKERS} workers of {THREADS} threads",
    }
    print(report.as_json(lines, about) if options.json else report.as_text(lines))
    if not options.json:
        print("\n" + "; ".join(f"{key}: {value}" for key, value in about.items()))
    if options.write:
        _write(options.write, lines, about)


def _write(page: Path, lines: list[Line], about: dict[str, str]) -> None:
    kept = page.read_text(encoding="utf-8").split(_MARK)[0]
    notes = "; ".join(f"{key}: {value}" for key, value in about.items())
    page.write_text(f"{kept}{_MARK}\n\n{report.as_markdown(lines)}\n\n{notes}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
