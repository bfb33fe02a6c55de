"""What a test sees being asked of the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from lab.db.engine import Database

#: What begins and ends a transaction asks for nothing.
_TURNS = ("BEGIN", "SAVEPOINT", "RELEASE")
#: How a process learns whether its kept pages still hold: asked once in a while, whatever the page.
VERSION = "SELECT version FROM content_version"


@contextmanager
def statements(database: Database, *, but: str | tuple[str, ...] = ()) -> Iterator[list[str]]:
    """The SQL that is sent meanwhile; what begins with the words of `but` is left out."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(_TURNS) and not (but and statement.startswith(but)):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
