"""What is measured. Each function gives lines of the table and ends by itself."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import func, insert, select

from bench import data, load
from bench.report import Line, line
from bench.site import Reader, browser, counting
from bench.words import COMMON_WORD, RARE_WORD, TWO_WORDS, Speaker
from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.kernel.ids import new_key
from lab.models.contributions import Contribution
from lab.policy.actor import SYSTEM
from lab.services import imports
from lab.services.context import Context
from lab.services.import_rows import Mapping, ProposalRow
from lab.web.pagination import encode_key

#: Many and short: in some of them one worker of two gets all connections, which halves either side.
ROUNDS = 7
SUBMIT = "/proposte/nuova/controlla"
#: Things said by one resident while measuring; the limit is thirty an hour.
_EACH = 25
_IMPORTED = 4_000


@dataclass(frozen=True)
class Case:
    """A page. `floor` is the share of *hello* aimed at, `growth` how much slower it may be at a million."""

    what: str
    path: str
    who: str = ""
    floor: float | None = None
    growth: float | None = 1.3


@dataclass(frozen=True)
class Readers:
    """Signed-in browsers."""

    residents: list[Reader]
    facilitator: Reader

    def of(self, case: Case) -> Reader | None:
        """Who reads this page."""
        return {"resident": self.residents[0], "facilitator": self.facilitator}.get(case.who)


def under_load(size: int) -> list[Case]:
    """The pages asked for as fast as they come; targets are for 20,000 proposals."""
    item = f"/proposte/PR{size // 2}"
    return [
        Case("list", "/proposte", floor=0.6),
        Case("item", item, floor=0.6),
        Case("search", f"/proposte?q={COMMON_WORD}"),
        Case("home", "/"),
        Case("list, signed in", "/proposte", "resident", floor=0.15),
        Case("item, signed in", item, "resident"),
    ]


def drawn_anew(database: Database, size: int) -> list[Case]:
    """Pages whose own work is measured: nothing of them is kept from before."""
    with database.session() as session:
        half = session.execute(select(Contribution).where(Contribution.id == size // 2)).scalar_one()
    middle = encode_key(half.created_at.isoformat(), half.id)
    return [
        Case("list", "/proposte?"),
        Case("list, half way down", f"/proposte?dopo={middle}"),
        Case("list, one theme", "/proposte?tema=verde"),
        Case("list, one state", "/proposte?stato=in-esame"),
        Case("list, most supported", "/proposte?ordine=sostenute"),
        Case("list, one project", "/proposte?progetto=P4"),
        Case("on the plan", "/proposte?vista=pianta"),
        Case("item", f"/proposte/PR{half.id}?"),
        Case("home", "/?"),
        Case("outcomes", "/esiti?"),
        Case("search, common word", f"/proposte?q={COMMON_WORD}", growth=2),
        Case("search, rare word", f"/proposte?q={RARE_WORD}", growth=2),
        Case("search, two words", f"/proposte?{urlencode({'q': TWO_WORDS})}", growth=2),
        Case("search everything", f"/cerca?q={COMMON_WORD}", growth=2),
        Case("list, signed in", "/proposte?", "resident"),
        Case("desk", "/regia?", "facilitator"),
        Case("desk, late ones", "/regia?in_ritardo=1", "facilitator"),
    ]


def speed(
    engine: str, size: int, ports: tuple[int, int], readers: Readers, seconds: float
) -> Iterator[Line]:  # fmt: skip
    """Answers a second beside those of the bare view, round by round; the median of the rounds."""
    site, hello = ports
    for case in under_load(size):
        reader = readers.of(case)
        headers = {"Cookie": reader.cookie} if reader else {}
        load.get(site, case.path, 0.5, headers)
        rounds = [
            (load.get(hello, "/", seconds), load.get(site, case.path, seconds, headers))
            for _ in range(ROUNDS)
        ]
        ratio = statistics.median(page.rate / bare.rate for bare, page in rounds)
        page = sorted((page for _bare, page in rounds), key=lambda one: one.rate)[ROUNDS // 2]
        measured = f"{page.rate:.0f}/s, {page.median_ms:.1f} ms" + _errors([page for _b, page in rounds])
        yield line(engine, size, f"{case.what} : hello", measured, ratio, floor=case.floor)


def _errors(loads: list[load.Load]) -> str:
    wrong = sum(one.errors for one in loads)
    return f", {wrong} errors" if wrong else ""


def statements(engine: str, size: int, app: Flask, readers: Readers) -> Iterator[Line]:
    """Statements sent for pages that are drawn anew."""
    cases = [case for case in drawn_anew(app.extensions["lab"].database, size) if case.who != "facilitator"]
    for case in cases:
        client = browser(app, readers.of(case))
        client.get(f"{case.path}&warm=1")
        with counting(app) as seen:
            status = client.get(f"{case.path}&n=1").status_code
        if status == 200:
            count = len([one for one in seen if not one.startswith(("BEGIN", "SAVEPOINT"))])
            yield line(engine, size, f"statements: {case.what}", str(count), count, ceiling=6)


@dataclass(frozen=True)
class Stand:
    """The application on a database of one size, here in this process."""

    size: int
    app: Flask
    readers: Readers


def growth(engine: str, small: Stand, large: Stand, times: int = 15) -> Iterator[Line]:
    """How much slower the same page is with more proposals: drawn anew, by turns, medians compared."""
    few = {case.what: case for case in drawn_anew(small.app.extensions["lab"].database, small.size)}
    for case in drawn_anew(large.app.extensions["lab"].database, large.size):
        sides = [
            (browser(stand.app, stand.readers.of(one)), one.path)
            for stand, one in ((small, few[case.what]), (large, case))
        ]
        if any(client.get(path).status_code != 200 for client, path in sides):
            continue
        taken: tuple[list[float], list[float]] = ([], [])
        for number in range(times + 3):
            for times_of, (client, path) in zip(taken, sides, strict=True):
                begun = time.perf_counter()
                client.get(f"{path}&n={number}")
                times_of.append((time.perf_counter() - begun) * 1000)
        quick, slow = (statistics.median(one[3:]) for one in taken)
        measured = f"{slow:.1f} ms, {quick:.1f} at {small.size:,}"
        yield line(engine, large.size, f"growth: {case.what}", measured, slow / quick, ceiling=case.growth)


def submit(
    engine: str, size: int, ports: tuple[int, int], readers: Readers, database: Database, seconds: float
) -> Iterator[Line]:  # fmt: skip
    """Saying something while signed in, beside a view that does one INSERT on the same engine."""
    site, bare = ports
    plain = load.request("POST", "/insert", {})
    inserted = load.drive(bare, iter(lambda: plain, None), seconds)
    before = _count(database)
    said = load.drive(site, _sayings(readers), seconds)
    placed = _count(database) - before
    measured = f"{said.rate:.0f}/s, {said.median_ms:.1f} ms, {placed} kept" + _errors([said])
    yield line(engine, size, "submit : one INSERT", measured, said.rate / inserted.rate)


def _count(database: Database) -> int:
    with database.session() as session:
        return int(session.execute(select(func.count()).select_from(Contribution)).scalar_one())


def _sayings(readers: Readers) -> Iterator[bytes]:
    speaker = Speaker(seed=7)
    for _ in range(_EACH):
        for reader in readers.residents:
            fields = {
                "csrf_token": reader.csrf, "idempotency_key": new_key(), "signed": "1", "theme": "verde",
                "text": speaker.random.choice(speaker.texts).text, "title": "", "author_name": "Abitante",
            }  # fmt: skip
            headers = {"Cookie": reader.cookie, "Content-Type": "application/x-www-form-urlencoded"}
            yield load.request("POST", SUBMIT, headers, urlencode(fields).encode())


def import_rate(engine: str, size: int, database: Database) -> Iterator[Line]:
    """`lab import proposals` beside a bulk insert of ready rows, same tables, same indexes."""
    with TemporaryDirectory() as folder:
        path = _csv(Path(folder) / "proposals.csv")
        mapping = Mapping(
            source="bench",
            fields={"id": "id", "title": "title", "text": "text", "date": "date", "author": "author"},
        )
        begun = time.perf_counter()
        good = (row for row in imports.read_proposals(path, mapping) if isinstance(row, ProposalRow))
        for batch in imports.batches(good):
            with database.writing() as session:
                imports.write_proposals(Context(session, SYSTEM, utcnow()), mapping, batch)
        imported = _IMPORTED / (time.perf_counter() - begun)
    raw = _IMPORTED / _raw_insert(database)
    measured = f"{imported:.0f} rows/s, raw {raw:.0f}"
    yield line(engine, size, "import : bulk insert", measured, imported / raw, floor=0.2)


def _csv(path: Path) -> Path:
    speaker = Speaker(seed=9)
    with path.open("w", encoding="utf-8") as file:
        file.write("id,title,text,date,author\n")
        for number in range(_IMPORTED):
            title, text = speaker.random.choice(speaker.titles), speaker.random.choice(speaker.texts)
            file.write(f'{number},"{title.text}","{text.text}",2025-03-0{number % 9 + 1},Vicina\n')
    return path


def _raw_insert(database: Database) -> float:
    with database.engine.connect() as connection:
        ids = data.Ids(connection)
        first = int(connection.execute(select(func.max(Contribution.id))).scalar_one()) + 1_000_000
    rows = list(islice(data.batches(Speaker(seed=11), ids, first, _IMPORTED), None))
    begun = time.perf_counter()
    for batch in rows:
        with database.engine.connect().execution_options(lab_write=True) as connection, connection.begin():
            for name in ("contribution", "proposal", "step", "search_document"):
                table = next(one for one in map(data.table_of, data.TABLES) if one.name == name)
                connection.execute(insert(table), batch[name])
    return time.perf_counter() - begun
