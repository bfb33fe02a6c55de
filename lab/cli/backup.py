"""`lab backup` and `lab restore`: database and photographs in one file, on either engine, while in use."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

import click
from sqlalchemy import Connection

from lab.cli.common import fail, going_through, known_revision, open_database, require_schema, say, words
from lab.db import dump, migrations
from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.settings import Settings

FORMAT = 1


@click.command(help=words("Copia di sicurezza in un file.", "Back up into one file."))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write everything as of one moment; the site goes on working meanwhile."""
    with open_database() as (settings, database):
        require_schema(database)
        # Written beside the target and renamed at the end: a half-made file never has the final name.
        partial = file.with_name(file.name + ".part")
        try:
            with _for_owner_alone(partial) as out:
                with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as archive:
                    counts, pictures = _fill(archive, settings, database)
                out.flush()
                os.fsync(out.fileno())
            os.replace(partial, file)
        except OSError as error:
            raise fail(f"La copia non è riuscita: {error}", f"The backup failed: {error}") from error
        finally:
            partial.unlink(missing_ok=True)
    rows = sum(counts.values())
    say(f"Copia fatta: {rows} righe, {pictures} foto, in {file}.",
        f"Backed up {rows} rows and {pictures} pictures into {file}.")  # fmt: skip


def _for_owner_alone(path: Path) -> IO[bytes]:
    """A new file that nobody else may read, from its first byte on."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


def _fill(archive: tarfile.TarFile, settings: Settings, database: Database) -> tuple[dict[str, int], int]:
    # The line is given back before the pictures: PostgreSQL ends one that rests inside a transaction.
    with closing(dump.snapshot(database.engine)) as connection:
        counts = _add_tables(archive, connection)
    pictures = _add_uploads(archive, settings.uploads)
    manifest = {
        "format": FORMAT,
        "revision": migrations.head_revision(),
        "made_at": utcnow().isoformat(),
        "counts": counts,
        "pictures": pictures,
    }
    _add(archive, "manifest.json", json.dumps(manifest, indent=1).encode())
    return counts, pictures


def _add_tables(archive: tarfile.TarFile, connection: Connection) -> dict[str, int]:
    counts = {}
    # Run every night by a clock, it says one line: the bar is for who looks on.
    for table in going_through(dump.tables(), quiet=not sys.stdout.isatty()):
        with tempfile.TemporaryFile() as file:
            count = 0
            for line in dump.lines(connection, table):
                file.write(line.encode() + b"\n")
                count += 1
            counts[table.name] = count
            _add_file(archive, f"tables/{table.name}.jsonl", file)
    return counts


def _add_uploads(archive: tarfile.TarFile, folder: Path) -> int:
    count = 0
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        # What is just being written gets its name later; what is taken away meanwhile is no longer needed.
        if path.suffix == ".part" or not path.is_file():
            continue
        with suppress(FileNotFoundError):
            archive.add(path, arcname=f"uploads/{path.relative_to(folder).as_posix()}", recursive=False)
            count += 1
    return count


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    _add_file(archive, name, io.BytesIO(content))


def _add_file(archive: tarfile.TarFile, name: str, file: IO[bytes]) -> None:
    info = tarfile.TarInfo(name)
    info.size = file.seek(0, io.SEEK_END)
    info.mtime = int(utcnow().timestamp())
    file.seek(0)
    archive.addfile(info, file)


@click.command(help=words("Rimette una copia in un posto vuoto.", "Restore a backup into an empty place."))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Fill an empty database and photo folder from a backup, in one transaction."""
    with open_database() as (settings, database):
        try:
            with tarfile.open(file, "r:gz") as archive:
                rows, pictures = _restore(archive, settings, database)
        except (OSError, EOFError, zlib.error, tarfile.TarError, ValueError, KeyError) as error:
            raise fail(
                f"La copia non si legge, non è cambiato nulla: {error}",
                f"The backup cannot be read, nothing was changed: {error}",
            ) from error
    say(f"Rimesse {rows} righe e {pictures} foto.", f"Restored {rows} rows and {pictures} pictures.")


def _restore(archive: tarfile.TarFile, settings: Settings, database: Database) -> tuple[int, int]:
    manifest = json.loads(_member(archive, "manifest.json").read())
    if manifest["format"] != FORMAT or manifest["revision"] != migrations.head_revision():
        raise fail(
            f"La copia è della versione {manifest['revision']}: usa il programma di allora.",
            f"The backup is of revision {manifest['revision']}: restore with that release.",
        )
    known_revision(database)
    migrations.upgrade(database.engine)
    with database.engine.connect().execution_options(lab_write=True) as connection, connection.begin():
        if not dump.is_empty(connection):
            raise fail("Il database non è vuoto.", "The database is not empty.")
        _load_tables(archive, connection, manifest["counts"])
        # Before the rows stand: where there is no room for the pictures, it can be done again.
        pictures = _extract_uploads(archive, settings)
    return sum(manifest["counts"].values()), pictures


def _load_tables(archive: tarfile.TarFile, connection: Connection, counts: dict[str, int]) -> None:
    for table in going_through(dump.tables(), quiet=not sys.stdout.isatty()):
        if table.name not in counts:
            continue
        if table.name == "content_version":
            dump.empty(connection, table)
        loaded = dump.load(connection, table, _text_lines(_member(archive, f"tables/{table.name}.jsonl")))
        if loaded != counts[table.name]:
            raise fail(f"La copia è rovinata: {table.name}.", f"The backup is damaged: {table.name}.")
    dump.settle_sequences(connection)


def _text_lines(file: IO[bytes]) -> Iterator[str]:
    for line in file:
        yield line.decode()


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    try:
        member = archive.extractfile(name)
    except KeyError:
        member = None
    if member is None:
        raise fail(f"Nella copia manca {name}.", f"The backup lacks {name}.")
    return member


def _extract_uploads(archive: tarfile.TarFile, settings: Settings) -> int:
    settings.uploads.mkdir(parents=True, exist_ok=True)
    count = 0
    for member in archive.getmembers():
        if not member.name.startswith("uploads/") or not member.isreg():
            continue
        member.name = member.name.removeprefix("uploads/")
        # The "data" filter refuses names that leave the folder, links and devices.
        archive.extract(member, settings.uploads, filter="data")
        count += 1
    return count
