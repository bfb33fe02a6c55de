"""Row locks and compare-and-swap: how two people at once get one right answer."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from lab.db.base import Base
from lab.kernel.errors import Conflict, NotFound

T = TypeVar("T", bound=Base)


def locked(session: Session, model: type[T], key: Any, *options: Any) -> T:
    """The newest state of one row, locked until the transaction ends.

    On PostgreSQL this is SELECT … FOR UPDATE; on SQLite the writing transaction already holds the only
    write lock. Raises `NotFound` when the row is not there.
    """
    primary_key = model.__mapper__.primary_key[0]
    query = (
        select(model)
        .where(primary_key == key)
        .options(*options)
        .with_for_update(of=model)
        .execution_options(populate_existing=True)
    )
    row = session.execute(query).unique().scalar_one_or_none()
    if row is None:
        raise NotFound(model.__tablename__)
    return row


def expect_version(row: Any, version: int | None) -> None:
    """Refuse to act on something that changed since the person looked at it.

    `version` is the number the form was drawn with; None skips the check (acts that cannot collide).
    Raises `Conflict("changed_meanwhile")`.
    """
    if version is not None and row.version != version:
        raise Conflict("changed_meanwhile")
