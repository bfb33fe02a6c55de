"""Fills a database with the demo and then with as many proposals as asked, quickly and always the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

from bench.words import RARE_WORD, Speaker, Words, is_rare
from lab.cli.demo import loader
from lab.db import dump, vocabulary
from lab.db.engine import Database
from lab.db.search import INDEXED, search_document
from lab.kernel.clock import utcnow
from lab.kernel.ids import ALPHABET
from lab.kernel.text import search_text
from lab.models.accounts import Person
from lab.models.contributions import (
    ASIDE_STATES,
    OPEN_STATES,
    Contribution,
    ContributionProject,
    Outcome,
    Proposal,
    State,
    Step,
    Tally,
)
from lab.models.conversation import Comment
from lab.models.operations import CodeCounter
from lab.models.programme import Office, Place, Theme
from lab.models.projects import Project
from lab.policy.actor import SYSTEM
from lab.services.context import Context
from lab.services.tally import rows_of

CHUNK = 2_000
#: Residents who sign in and speak.
RESIDENTS = 1_000
_STATES = (
    [State.DECLINED] * 22 + [State.ANSWERED] * 30 + [State.TAKEN_UP] * 8 + [State.DONE] * 12
    + [State.MERGED] * 8 + [State.WITHDRAWN] * 2 + [State.RECEIVED] * 6 + [State.IN_REVIEW] * 9
    + [State.CO_DESIGN] * 3
)  # fmt: skip
_OUTCOMES = {
    State.ANSWERED: Outcome.ACCEPTED,
    State.TAKEN_UP: Outcome.ACTION,
    State.DONE: Outcome.ACCEPTED,
    State.DECLINED: Outcome.DECLINED,
    State.MERGED: Outcome.MERGED,
    State.WITHDRAWN: Outcome.WITHDRAWN,
}
TALLIED = ("month", "kind", "theme_id", "office_id", "state", "timeliness")
TABLES = (Contribution, Proposal, Step, search_document, ContributionProject, Comment)


def table_of(model: Any) -> Table:
    """The table behind a model."""
    found = model if isinstance(model, Table) else model.__table__
    assert isinstance(found, Table)
    return found


def start(database: Database) -> None:
    """The demo neighbourhood, and residents to sign in."""
    now = utcnow()
    with database.writing() as session:
        loader.load(Context(session, SYSTEM, now), now.date())
        people = [
            {
                "name": f"Abitante {n}",
                "email": f"a{n}@example.org",
                "email_key": f"a{n}@example.org",
                "created_at": now,
            }
            for n in range(RESIDENTS)
        ]
        session.execute(insert(Person), people)


class Ids:
    """What proposals refer to."""

    def __init__(self, connection: Connection) -> None:
        self.themes = list(connection.execute(select(Theme.id)).scalars())
        self.places = list(connection.execute(select(Place.id)).scalars())
        self.offices = list(connection.execute(select(Office.id)).scalars())
        self.projects = list(connection.execute(select(Project.id)).scalars())
        self.people = list(connection.execute(select(Person.id)).scalars())


def fill(database: Database, upto: int) -> float:
    """Bring the number of proposals to `upto`; the seconds it took. Growing adds to what is there."""
    begun = utcnow()
    with database.engine.connect() as connection:
        ids = Ids(connection)
        there = int(connection.execute(select(func.max(Contribution.id))).scalar() or 0)
        comment = int(connection.execute(select(func.max(Comment.id))).scalar() or 0)
    speaker = Speaker(seed=there)
    tally: Counter[tuple[Any, ...]] = Counter()
    while there < upto:
        count = min(CHUNK, upto - there)
        rows, comment = _rows(speaker, ids, there, count, comment, tally)
        with database.engine.connect().execution_options(lab_write=True) as connection, connection.begin():
            for model in TABLES:
                if rows[table_of(model).name]:
                    put(connection, table_of(model), rows[table_of(model).name])
        there += count
    with database.writing() as session:
        said = (
            word
            for words in (*speaker.titles, *speaker.texts)
            for word in search_text(words.text, INDEXED).split()
        )
        vocabulary.learn(session, {*said, RARE_WORD, "abitante"})
    _settle(database, upto, tally)
    return (utcnow() - begun).total_seconds()


def batches(
    speaker: Speaker, ids: Ids, first: int, count: int, size: int = 1_000
) -> Iterator[dict[str, list[dict[str, Any]]]]:
    """Rows of `count` proposals numbered from `first`, by table, not written."""
    for start_at in range(first, first + count, size):
        rows, _ = _rows(speaker, ids, start_at - 1, min(size, first + count - start_at), 0, Counter())
        yield rows


def put(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Write rows as quickly as the engine takes them, every index kept."""
    names = list(rows[0])
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        driver.executemany(
            f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})",
            [[_stored(value) for value in row.values()] for row in rows],
        )
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(list(row.values()))


def _stored(value: Any) -> Any:
    """As SQLAlchemy stores instants in SQLite."""
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value


def _settle(database: Database, upto: int, tally: Counter[tuple[Any, ...]]) -> None:
    with database.engine.connect().execution_options(lab_write=True) as connection, connection.begin():
        known = {
            tuple(row[1:]): row[0]
            for row in connection.execute(select(Tally.id, *(getattr(Tally, key) for key in TALLIED)))
        }
        table = table_of(Tally)
        for values, count in tally.items():
            if values in known:
                same = table.c.id == known[values]
                connection.execute(table.update().where(same).values(count=table.c.count + count))
            else:
                row = dict(zip(TALLIED, values, strict=True))
                connection.execute(insert(table).values(**row, count=count))
        counter = table_of(CodeCounter)
        connection.execute(counter.update().where(counter.c.prefix == "PR").values(last=upto + 1000))
        dump.settle_sequences(connection)
    if database.is_sqlite:
        return  # plans without statistics, as in service
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _rows(
    speaker: Speaker, ids: Ids, after: int, count: int, comment: int, tally: Counter[tuple[Any, ...]]
) -> tuple[dict[str, list[dict[str, Any]]], int]:
    rows: dict[str, list[dict[str, Any]]] = {table_of(model).name: [] for model in TABLES}
    source = speaker.random
    for number in range(after + 1, after + count + 1):
        title, text = source.choice(speaker.titles), source.choice(speaker.texts)
        one = contribution(source, ids, number, title, text)
        rows["contribution"].append(one)
        rows["proposal"].append(
            {"contribution_id": number, "edit_until": one["created_at"], "withdrawn_reason": ""}
        )
        rows["step"].append(_step(one))
        rows["search_document"].append(_document(one, title, text))
        if source.random() < 0.3:
            project = source.choice(ids.projects)
            rows["contribution_project"].append(
                {"contribution_id": number, "project_id": project, "said_at": one["created_at"]}
            )
        for _ in range(one["comments_count"]):
            comment += 1
            rows["comment"].append(_comment(speaker, ids, one, comment))
        month: date = one["created_at"].date().replace(day=1)
        timeliness = "open" if one["is_open"] else "in_time"
        mine = (month, "proposal", one["theme_id"] or 0, one["office_id"] or 0, one["state"], timeliness)
        tally.update(tuple(row.values()) for row in rows_of(dict(zip(TALLIED, mine, strict=True))))
    return rows, comment


def contribution(source: Random, ids: Ids, number: int, title: Words, text: Words) -> dict[str, Any]:
    """One proposal as a row, with everything that follows from its state."""
    # Time goes forward with the numbers; the newest was said a minute ago.
    said = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=number * 60)
    state = source.choice(_STATES)
    decided = None if state in OPEN_STATES else said + timedelta(days=source.randint(1, 25))
    return {
        "id": number, "kind": "proposal", "code": f"PR{number}", "receipt_code": receipt(number),
        "channel": "site", "created_at": said, "typed_at": said, "person_id": source.choice(ids.people),
        "author_name": f"Abitante {number % 997}", "title": title.text,
        "text": f"{text.text} {RARE_WORD}" if is_rare(number) else text.text,
        "excerpt": text.excerpt, "lang": "it",
        "theme_id": source.choice(ids.themes), "place_id": source.choice([*ids.places, None]),
        "state": state, "outcome": _OUTCOMES.get(state), "visibility": "public",
        "is_open": state in OPEN_STATES, "is_listed": state not in ASIDE_STATES, "read_at": said,
        "office_id": source.choice(ids.offices) if state is not State.RECEIVED else None,
        "promise_due_at": said + timedelta(days=30), "decided_at": decided,
        "supports_base": 0, "supports_count": int(source.paretovariate(1.2)) - 1,
        "comments_count": source.choices((0, 1, 3, 12), weights=(80, 12, 7, 1))[0],
        "followers_count": 0, "photos_count": 0, "comments_closed": False, "version": 1,
        "x": None, "y": None, "source": None, "source_ref": None, "idempotency_key": None,
    }  # fmt: skip


def receipt(number: int) -> str:
    """Eight symbols, different for each number."""
    symbols = []
    for _ in range(8):
        number, rest = divmod(number, len(ALPHABET))
        symbols.append(ALPHABET[rest])
    return "".join(symbols)


def _step(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "contribution_id": one["id"], "at": one["created_at"], "kind": "said", "is_public": True,
        "capacity": "", "text": "",
    }  # fmt: skip


def _document(one: dict[str, Any], title: Words, text: Words) -> dict[str, Any]:
    rare = RARE_WORD if is_rare(one["id"]) else ""
    folded = f"{title.folded} {text.folded} {rare} {one['author_name'].lower()} {one['code'].lower()}"
    return {"kind": "contribution", "contribution_id": one["id"], "is_public": True, "folded": folded}


def _comment(speaker: Speaker, ids: Ids, one: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "id": number, "contribution_id": one["id"], "person_id": speaker.random.choice(ids.people),
        "author_name": "Vicina", "text": speaker.random.choice(speaker.remarks), "lang": "it", "depth": 0,
        "capacity": "", "created_at": one["created_at"] + timedelta(hours=number % 300),
    }  # fmt: skip
