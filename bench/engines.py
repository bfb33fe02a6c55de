"""Throw-away databases for measuring: a SQLite file and a PostgreSQL cluster, both as safe as in service."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.db import migrations
from lab.db.engine import Database
from tests.databases import PostgresqlFactory


@contextmanager
def engine(name: str) -> Iterator[str]:
    """The address of a migrated, empty database of this engine; gone afterwards. "Saved" means on disk."""
    if name == "sqlite":
        folder = Path(tempfile.mkdtemp(prefix="lab-bench-"))
        url = f"sqlite:///{folder}/bench.db"
        database = Database(url)
        migrations.upgrade(database.engine)
        database.dispose()
        try:
            yield url
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return
    factory = PostgresqlFactory(durable=True)
    try:
        yield factory.make()
    finally:
        factory.close()
