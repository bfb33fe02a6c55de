"""Columns give back what was put in, the same on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, StatementError

from lab.db.constraints import is_violation, violated
from lab.db.engine import Database
from lab.models.accounts import Credential, MailRhythm, Person
from tests.world import NOW, World

PRECISE = datetime(2026, 3, 29, 0, 59, 59, 123456, tzinfo=UTC)


def add(database: Database, **values: object) -> int:
    with database.writing() as session:
        person = Person(**{"name": "Ada", "created_at": NOW, **values})
        session.add(person)
        session.flush()
        return person.id


@pytest.mark.parametrize("offset", [-11, 0, 2, 14])
def test_an_instant_comes_back_as_the_same_instant_in_utc(database: Database, offset: int) -> None:
    local = PRECISE.astimezone(timezone(timedelta(hours=offset)))
    identity = add(database, created_at=local)
    with database.session() as session:
        found = session.execute(select(Person.created_at).where(Person.id == identity)).scalar_one()
    assert (found, found.tzinfo) == (PRECISE, UTC)


def test_instants_are_compared_in_the_database_as_instants(database: Database) -> None:
    early, late = (
        add(database, created_at=PRECISE),
        add(database, created_at=PRECISE + timedelta(microseconds=1)),
    )
    east = (PRECISE + timedelta(microseconds=1)).astimezone(timezone(timedelta(hours=9)))
    with database.session() as session:
        found = session.execute(select(Person.id).where(Person.created_at >= east)).scalars().all()
    assert late in found
    assert early not in found


def test_an_instant_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="time zone"):
        add(database, created_at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_code_is_kept_as_its_text_and_an_unknown_one_is_refused(database: Database) -> None:
    identity = add(database, mail_rhythm=MailRhythm.DAILY)
    with database.session() as session:
        query = text("SELECT mail_rhythm FROM person WHERE id = :id").bindparams(id=identity)
        assert session.execute(query).scalar_one() == "daily"
    with pytest.raises((StatementError, ValueError)):
        add(database, mail_rhythm="hourly")


def test_a_violated_rule_is_told_by_the_same_name_on_both_engines(database: Database, world: World) -> None:
    with pytest.raises(IntegrityError) as caught, database.writing() as session:
        session.add(Credential(person_id=add_to(session), email_key="rosa@example.org", created_at=NOW))
        session.flush()
    assert violated(caught.value) == "uq_credential_email_key"
    assert is_violation(caught.value, "uq_credential_email_key")


def add_to(session: object) -> int:
    person = Person(name="Due", created_at=NOW)
    session.add(person)  # type: ignore[attr-defined]
    session.flush()  # type: ignore[attr-defined]
    return person.id
