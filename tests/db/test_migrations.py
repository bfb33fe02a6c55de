"""Migrations: up, down and up again with data; equal to the models; safe to interrupt."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event, inspect, select

from lab.db import migrations
from lab.db.base import Base
from lab.db.engine import Database
from lab.models.accounts import Person
from tests.world import build


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_an_empty_place_is_brought_to_the_newest_state(database: Database) -> None:
    assert migrations.current_revision(database.engine) == migrations.head_revision()
    assert {table.name for table in Base.metadata.sorted_tables} <= tables(database)


def test_down_and_up_again_with_data_in_it(database: Database) -> None:
    with database.writing() as session:
        build(session)
    migrations.downgrade(database.engine, "base")
    assert tables(database) == set()
    assert migrations.current_revision(database.engine) is None
    migrations.upgrade(database.engine)
    with database.writing() as session:
        assert session.execute(select(Person.id)).first() is None
        world = build(session)
    with database.session() as session:
        assert session.get(Person, world.people["rosa"]) is not None


def test_running_it_again_does_nothing(database: Database) -> None:
    with database.writing() as session:
        build(session)
    migrations.upgrade(database.engine)
    with database.session() as session:
        assert session.execute(select(Person.id)).first() is not None


def test_the_migrated_schema_is_the_one_of_the_models(database: Database) -> None:
    def ours(item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        return not (name or "").startswith(("search_fts", "ix_search_document_vector", "vector"))

    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": ours, "target_metadata": Base.metadata}
        )
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("after", [3, 25, 60])
def test_an_interrupted_migration_leaves_nothing_half_done(database: Database, after: int) -> None:
    """Power fails in the middle; the next start simply does it again."""
    migrations.downgrade(database.engine, "base")
    made = 0

    def fail(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        nonlocal made
        made += statement.lstrip().upper().startswith("CREATE")
        if made > after:
            raise KeyboardInterrupt

    event.listen(database.engine, "before_cursor_execute", fail)
    with pytest.raises(KeyboardInterrupt):
        migrations.upgrade(database.engine)
    event.remove(database.engine, "before_cursor_execute", fail)
    assert tables(database) == set()
    migrations.upgrade(database.engine)
    with database.writing() as session:
        build(session)
