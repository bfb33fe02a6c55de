"""Reading asks for nothing but what it reads, changes nothing, and survives a database that restarts."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import func, select, text

from lab.db.engine import Database
from lab.models.accounts import Person
from tests.world import NOW, World


def _names(database: Database) -> list[str]:
    with database.session() as session:
        return list(session.execute(select(Person.name).order_by(Person.id)).scalars())


def test_a_session_for_reading_writes_nothing(database: Database, world: World) -> None:
    before = _names(database)
    with database.session() as session:
        session.add(Person(name="Di passaggio", created_at=NOW))
        with pytest.raises(RuntimeError, match="for reading"):
            session.flush()
    with database.session() as session:
        session.get_one(Person, world.people["rosa"]).name = "Altra"
        with pytest.raises(RuntimeError, match="for reading"):
            session.execute(select(Person.id))
    assert _names(database) == before


def test_a_transaction_in_a_reader_s_session_is_one_and_then_over(database: Database, world: World) -> None:
    before = _names(database)
    with database.session() as session:
        session.execute(select(Person.id))
        with pytest.raises(LookupError), database.writing(session):
            session.add(Person(name="Mai", created_at=NOW))
            session.flush()
            raise LookupError
        assert _names(database) == before
        with database.writing(session):
            session.add(Person(name="Nuova", created_at=NOW))
            session.flush()
            assert _names(database) == before
        assert session.execute(select(func.count(Person.id))).scalar_one() == len(before) + 1
        session.add(Person(name="Dopo", created_at=NOW))
        with pytest.raises(RuntimeError, match="for reading"):
            session.flush()


def test_many_rows_are_read_in_portions(database: Database, world: World) -> None:
    with database.session() as session:
        query = select(Person.name).order_by(Person.id).execution_options(yield_per=2)
        assert list(session.execute(query).scalars()) == _names(database)


def test_reading_holds_no_transaction_open_on_the_server(database: Database, world: World) -> None:
    if database.is_sqlite:
        pytest.skip("a transaction there costs nothing and gives a request one moment")
    with database.session() as session:
        session.execute(select(Person.id)).all()
        driver = session.connection().connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        assert driver.info.transaction_status is TransactionStatus.IDLE


def test_connections_that_the_server_closed_are_noticed_before_they_are_used(
    database: Database, world: World
) -> None:
    if database.is_sqlite:
        pytest.skip("no server there")
    before = _names(database)
    others = text(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    keeper = Database(database.engine.url.render_as_string(hide_password=False))
    try:
        for _ in range(3):
            # Several connections lie in the pool, all of them dead.
            with database.session() as one, database.session() as two:
                assert [s.execute(text("SELECT 1")).scalar_one() for s in (one, two)] == [1, 1]
            with keeper.session() as session:
                session.execute(others)
            assert _names(database) == before
            with database.writing() as session:
                session.execute(text("SELECT 1"))
    finally:
        keeper.dispose()
