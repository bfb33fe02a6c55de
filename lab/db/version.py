"""The public content version: one number that moves whenever what everybody can read changes.

Page caches in every process key on it, so a reader never sees an answer older than the last commit.
The row is touched as the last statement before the commit, which keeps its lock for one fsync only.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Integer, Table, event, select, update
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from lab.db.base import Base, Id

content_version = Table(
    "content_version",
    Base.metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Id, nullable=False),
)

_CHANGED = "lab.public_changed"


def current_version(session: Session) -> int:
    """The number of public changes committed so far."""
    return int(session.execute(select(content_version.c.version)).scalar_one())


def mark_public_change(session: Session) -> None:
    """Say that this transaction changes public content; needed only after core bulk statements."""
    session.info[_CHANGED] = True


def settle_version(session: Session) -> None:
    """Move the version on if this transaction changed public content. Called right before commit."""
    session.flush()
    if session.info.pop(_CHANGED, False):
        session.execute(update(content_version).values(version=content_version.c.version + 1))


def forget_changes(session: Session) -> None:
    """After a rollback nothing has changed."""
    session.info.pop(_CHANGED, None)


@event.listens_for(Session, "after_flush")
def _notice_flush(session: Session, _context: UOWTransaction) -> None:
    if session.info.get(_CHANGED):
        return
    for group in (session.new, session.deleted):
        if any(getattr(instance, "__public__", False) for instance in group):
            session.info[_CHANGED] = True
            return
    for instance in session.dirty:
        if getattr(instance, "__public__", False) and session.is_modified(instance):
            session.info[_CHANGED] = True
            return


@event.listens_for(Session, "do_orm_execute")
def _notice_bulk(state: ORMExecuteState) -> None:
    if state.is_update or state.is_delete or state.is_insert:
        mapper: Any = state.bind_mapper
        if mapper is not None and getattr(mapper.class_, "__public__", False):
            state.session.info[_CHANGED] = True
