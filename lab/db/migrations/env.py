"""How Alembic runs here: on the engine it is handed, one transaction for each migration."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import Engine

from lab.db.base import Base
from lab.db.types import Code, UtcDateTime

engine: Engine = context.config.attributes["engine"]

#: Made by statements of one engine only (see lab/db/search.py), so the comparison leaves them out.
_SEARCH = ("search_fts", "ix_search_document_vector", "vector")


def include(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    return not (name or "").startswith(_SEARCH)


def plain_types(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Migrations name the database's own types: they must still run when ours have moved on."""
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, Code):
        return "sa.String(length=32)"
    return False


with engine.connect() as connection:
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # Table rebuilds (batch mode) would fire foreign key checks half way.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.rollback()
    context.configure(
        connection=connection.execution_options(lab_write=True),
        target_metadata=Base.metadata,
        render_as_batch=sqlite,
        transaction_per_migration=True,
        include_object=include,
        compare_type=True,
        render_item=plain_types,
    )
    with context.begin_transaction():
        context.run_migrations()
    if sqlite:
        connection.rollback()
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
