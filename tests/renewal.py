"""Makes a used PostgreSQL database as good as new, which is quicker than making another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

#: Tells whether the schema has been changed since: every change of it writes rows of the catalogue anew.
_SCHEMA = """
SELECT (SELECT string_agg(version_num, ',') FROM alembic_version),
  (SELECT md5(string_agg(c.oid || '.' || c.xmin, ',' ORDER BY c.oid))
     FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace),
  (SELECT count(*) || '.' || sum(a.xmin::text::bigint) FROM pg_attribute a
     JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace),
  (SELECT count(*) || '.' || sum(xmin::text::bigint) FROM pg_constraint),
  (SELECT count(*) || '.' || sum(xmin::text::bigint) FROM pg_trigger),
  (SELECT count(*) || '.' || sum(xmin::text::bigint) FROM pg_proc)
"""
#: Whoever has left a transaction or a lock behind would hold up the next test.
_LEFT_BEHIND = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity one
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
  AND (state <> 'idle' OR EXISTS (SELECT FROM pg_locks l WHERE l.pid = one.pid))
"""
_TABLES = """
SELECT tablename FROM pg_tables
WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'content_version')
"""
_NUMBERS = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value > 0"
#: Numbers begin again.
_FIRST = """
SELECT setval(format('%I', sequencename)::regclass, start_value, false) FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL
"""


@dataclass(frozen=True)
class Content:
    """What a database holds: the rows of its tables, as COPY writes them, and the last numbers it gave."""

    rows: dict[str, bytes]
    numbers: dict[str, int]
    version: int


class Renewal:
    """One line to one database."""

    def __init__(self, conninfo: str) -> None:
        self._line = psycopg.connect(conninfo, autocommit=True, prepare_threshold=0)
        names = [name for (name,) in self._line.execute(_TABLES)]
        self._filled = " UNION ALL ".join(
            f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in names
        )

    def close(self) -> None:
        self._line.close()

    def schema(self) -> Any:
        """Something that is the same while nobody changes the schema, also in copies of the database."""
        return self._one(_SCHEMA)

    def renew(self, schema: Any) -> bool:
        """Empty it. False when its schema is no longer this one."""
        self._line.execute(_LEFT_BEHIND)
        if self.schema() != schema:
            return False
        with self._line.transaction():
            self._line.execute("SET LOCAL session_replication_role = replica")
            for name in self._tables():
                self._line.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))
            self._line.execute(_FIRST)
            self._set_version(1)
        return True

    def read(self) -> Content:
        """What it holds now."""
        rows = {}
        for name in self._tables():
            out = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))
            with self._line.cursor().copy(out) as copy:
                rows[name] = b"".join(bytes(part) for part in copy)
        numbers: dict[str, int] = dict(self._line.execute(_NUMBERS).fetchall())
        return Content(rows, numbers, self._one("SELECT version FROM content_version")[0])

    def write(self, content: Content) -> None:
        """Put that into it while it is empty."""
        with self._line.transaction():
            self._line.execute("SET LOCAL session_replication_role = replica")
            for name, rows in content.rows.items():
                with self._line.cursor().copy(
                    sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))
                ) as to:
                    to.write(rows)
            for name, value in content.numbers.items():
                self._line.execute("SELECT setval(%s, %s)", (name, value))
            self._set_version(content.version)

    def _tables(self) -> list[str]:
        """The tables that hold something."""
        return [name for (name,) in self._line.execute(self._filled)]

    def _set_version(self, version: int) -> None:
        self._line.execute("UPDATE content_version SET version = %s", (version,))

    def _one(self, query: str) -> Any:
        return self._line.execute(query).fetchone()
