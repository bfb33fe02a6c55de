"""Throw-away databases for measuring: a SQLite file and a PostgreSQL cluster, both as safe as in service."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.databases import PostgresqlFactory, SqliteFactory


@contextmanager
def engine(name: str) -> Iterator[Callable[[], str]]:
    """Makes migrated, empty databases of this engine and gives their addresses; all are gone afterwards.

    What is written is on disk when it is said to be, as in service.
    """
    if name == "sqlite":
        folder = Path(tempfile.mkdtemp(prefix="lab-bench-"))
        files = SqliteFactory(folder)
        try:
            yield files.make
        finally:
            files.close()
        return
    cluster = PostgresqlFactory(durable=True)
    try:
        yield cluster.make
    finally:
        cluster.close()
