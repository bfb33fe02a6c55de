"""Real databases for tests: a migrated SQLite file copied for each test, a throw-away PostgreSQL cluster.

The cluster runs from the system's binaries as an unprivileged user, on a unix socket, with fsync off, and
is gone at exit. Each test gets a database as good as new: empty, or holding the small neighbourhood of
`tests.world`, which is built once and copied. What a used database is made new by stands in `tests.renewal`.
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
from tests.renewal import Content, Renewal
from tests.world import World, build


class SqliteFactory:
    """Copies one migrated file. An address serves again, always with a new file behind it."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = folder / "template.db"
        self._filled = folder / "filled.db"
        self._world: World | None = None
        self._free: list[Path] = []
        database = Database(f"sqlite:///{self.template}")
        migrations.upgrade(database.engine)
        _close_whole(database)

    def make(self) -> str:
        """An empty database."""
        return self._copy(self.template)

    def make_filled(self) -> tuple[str, World]:
        """A database with the small neighbourhood in it."""
        if self._world is None:
            shutil.copyfile(self.template, self._filled)
            database = Database(f"sqlite:///{self._filled}")
            with database.writing() as session:
                self._world = build(session)
            _close_whole(database)
        return self._copy(self._filled), self._world

    def make_in(self, folder: Path) -> str:
        """A database in a folder of the test's own."""
        path = folder / f"{uuid.uuid4().hex}.db"
        shutil.copyfile(self.template, path)
        return f"sqlite:///{path}"

    def drop(self, url: str) -> None:
        path = Path(url.removeprefix("sqlite:///"))
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        if path.parent == self.folder:
            self._free.append(path)

    def _copy(self, source: Path) -> str:
        path = self._free.pop() if self._free else self.folder / f"{uuid.uuid4().hex}.db"
        shutil.copyfile(source, path)
        return f"sqlite:///{path}"

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
        self._renewals: dict[str, Renewal] = {}
        self._filled: tuple[World, Content] | None = None
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
        template = Renewal(self._line("template_lab"))
        self._schema = template.schema()
        template.close()

    def make(self) -> str:
        """An empty database."""
        return self._url(self._emptied.pop() if self._emptied else self._new())

    def make_filled(self) -> tuple[str, World]:
        """A database with the small neighbourhood in it."""
        url = self.make()
        renewal = self._renewal(_name(url))
        if self._filled is None:
            database = Database(url)
            with database.writing() as session:
                world = build(session)
            database.dispose()
            self._filled = world, renewal.read()
        else:
            renewal.write(self._filled[1])
        return url, self._filled[0]

    def _new(self) -> str:
        name = f"t{uuid.uuid4().hex}"
        self._admin(f'CREATE DATABASE "{name}" TEMPLATE "template_lab" STRATEGY file_copy')
        return name

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
        name = _name(url)
        if name in self._elsewhere:
            self._elsewhere.remove(name)
            self._admin(f'DROP DATABASE "{name}" WITH (FORCE)')
            self._admin(f'DROP TABLESPACE "{name}"')
            return
        try:
            is_as_new = self._renewal(name).renew(self._schema)
        except psycopg.OperationalError:  # the test has restarted the server: the line is cut
            self._renewals.pop(name).close()
            is_as_new = self._renewal(name).renew(self._schema)
        if is_as_new:
            self._emptied.append(name)
            return
        self._renewals.pop(name).close()
        self._admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def close(self) -> None:
        for renewal in self._renewals.values():
            renewal.close()
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self) -> None:
        # Its output goes to a file: the new server would hold a pipe of ours open for as long as it lives.
        self._run(
            "pg_ctl", "-D", str(self.data), "-w", "-l", str(self.folder / "log"), "-m", "fast", "restart"
        )

    def _renewal(self, name: str) -> Renewal:
        """The line on which a used database is made new; it stays open, as first questions are slow."""
        if name not in self._renewals:
            self._renewals[name] = Renewal(self._line(name))
        return self._renewals[name]

    def _line(self, name: str) -> str:
        return f"host={self.folder} user=lab dbname={name}"

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://lab@/{name}?host={self.folder}"

    def _admin(self, statement: str) -> None:
        with psycopg.connect(self._line("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [str(_binaries() / program), *arguments]
        if self.user:
            command = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", *command]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.folder, env=_environ()
        )
        if check and done.returncode:
            raise RuntimeError(f"{program}: {done.stderr or done.stdout}")


def _close_whole(database: Database) -> None:
    """Close a SQLite database so that its file alone holds everything."""
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()


def _name(url: str) -> str:
    """The name of a database of the cluster."""
    return url.split("/")[3].split("?")[0]


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
