"""Real databases for tests: a migrated SQLite file copied for each test, a throw-away PostgreSQL cluster.

The cluster runs from the system's binaries as an unprivileged user, on a unix socket, with fsync off, and
is gone at exit. Each test gets a database of its own, made from a migrated template.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import psycopg

import lab.models  # noqa: F401  # the metadata is complete before migrations compare with it
from lab.db import migrations
from lab.db.engine import Database

#: What tells whether a test has changed the schema: revision, columns, indexes and constraints.
_SCHEMA = """
SELECT (SELECT string_agg(version_num, ',') FROM alembic_version),
  (SELECT md5(string_agg(format('%s.%s %s', table_name, column_name, data_type), ','
          ORDER BY table_name, column_name)) FROM information_schema.columns WHERE table_schema = 'public'),
  (SELECT md5(string_agg(indexdef, ',' ORDER BY indexname)) FROM pg_indexes WHERE schemaname = 'public'),
  (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_trigger)
"""
#: Empties the tables that hold something, and lets their numbers begin again.
_EMPTY = """
DO $$
DECLARE one record; filled boolean;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR one IN SELECT tablename AS name FROM pg_tables
             WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'content_version') LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', one.name) INTO filled;
    IF filled THEN EXECUTE format('DELETE FROM %I', one.name); END IF;
  END LOOP;
  UPDATE content_version SET version = 1;
  FOR one IN SELECT sequencename AS name FROM pg_sequences
             WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART', one.name);
  END LOOP;
END $$
"""


class SqliteFactory:
    """Copies one migrated file."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = folder / "template.db"
        database = Database(f"sqlite:///{self.template}")
        migrations.upgrade(database.engine)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.dispose()

    def make(self) -> str:
        return self.make_in(self.folder)

    def make_in(self, folder: Path) -> str:
        """A database in a folder of the test's own."""
        path = folder / f"{uuid.uuid4().hex}.db"
        shutil.copyfile(self.template, path)
        return f"sqlite:///{path}"

    def drop(self, url: str) -> None:
        base = url.removeprefix("sqlite:///")
        for suffix in ("", "-wal", "-shm"):
            Path(base + suffix).unlink(missing_ok=True)

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgresqlFactory:
    """Runs a cluster and hands out databases made from a migrated template."""

    name = "postgresql"

    def __init__(self, *, durable: bool = False) -> None:
        """`durable` writes to disk as in service, for measuring; tests do without."""
        self.folder = Path(tempfile.mkdtemp(prefix="lab-pg-", dir="/tmp"))  # sockets want short paths
        self.user = _unprivileged()
        if self.user:
            shutil.chown(self.folder, self.user)
        self.data = self.folder / "data"
        self._emptied: list[str] = []
        #: Databases that lie in a folder of a test's own.
        self._elsewhere: set[str] = set()
        self._run(
            "initdb", "-D", str(self.data), "-U", "lab", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"
        )
        options = (
            f"-c listen_addresses='' -k {self.folder} -c max_connections=200"
            + (" -c shared_buffers=256MB" if durable else " -c shared_buffers=64MB")
            + ("" if durable else " -c fsync=off -c full_page_writes=off -c synchronous_commit=off")
        )
        self._run(
            "pg_ctl", "-D", str(self.data), "-w", "-l", str(self.folder / "log"), "-o", options, "start"
        )
        self._admin('CREATE DATABASE "template_lab"')
        database = Database(self._url("template_lab"))
        migrations.upgrade(database.engine)
        database.dispose()
        with psycopg.connect(f"host={self.folder} user=lab dbname=template_lab") as connection:
            self._schema = connection.execute(_SCHEMA).fetchone()

    def make(self) -> str:
        if self._emptied:
            return self._url(self._emptied.pop())
        name = f"t{uuid.uuid4().hex}"
        self._admin(f'CREATE DATABASE "{name}" TEMPLATE "template_lab" STRATEGY file_copy')
        return self._url(name)

    def make_in(self, folder: Path) -> str:
        """A database whose rows lie in a folder of the test's own, empty and inside ours."""
        name = f"t{uuid.uuid4().hex}"
        place = folder / "rows"
        place.mkdir()
        if self.user:
            shutil.chown(place, self.user)
        self._admin(f"CREATE TABLESPACE \"{name}\" LOCATION '{place}'")
        self._admin(
            f'CREATE DATABASE "{name}" TEMPLATE "template_lab" TABLESPACE "{name}" STRATEGY file_copy'
        )
        self._elsewhere.add(name)
        return self._url(name)

    def drop(self, url: str) -> None:
        name = url.split("/")[3].split("?")[0]
        if name in self._elsewhere:
            self._elsewhere.remove(name)
            self._admin(f'DROP DATABASE "{name}" WITH (FORCE)')
            self._admin(f'DROP TABLESPACE "{name}"')
            return
        if self._empty(name):
            self._emptied.append(name)
            return
        self._admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def close(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self) -> None:
        # Its output goes to a file: the new server would hold a pipe of ours open for as long as it lives.
        self._run(
            "pg_ctl", "-D", str(self.data), "-w", "-l", str(self.folder / "log"), "-m", "fast", "restart"
        )

    def _empty(self, name: str) -> bool:
        """Make a used database as good as new, which is quicker than making another one. False when its
        schema is no longer the template's."""
        with psycopg.connect(f"host={self.folder} user=lab dbname={name}", autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if connection.execute(_SCHEMA).fetchone() != self._schema:
                return False
            connection.execute(_EMPTY)
        return True

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://lab@/{name}?host={self.folder}"

    def _admin(self, statement: str) -> None:
        with psycopg.connect(f"host={self.folder} user=lab dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [str(_binaries() / program), *arguments]
        if self.user:
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", *command]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.folder, env=_environ()
        )
        if check and done.returncode:
            raise RuntimeError(f"{program}: {done.stderr or done.stdout}")


def _environ() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root; then the system's own user for it, or nobody, runs it."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise RuntimeError("no unprivileged user to run PostgreSQL as")


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if found:
        return found[-1]
    initdb = shutil.which("initdb")
    if initdb is None:
        raise RuntimeError("PostgreSQL's binaries are missing: install the package postgresql")
    return Path(initdb).resolve().parent
