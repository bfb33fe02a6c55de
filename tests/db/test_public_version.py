"""The number that page caches hang on: it moves with every public change and with nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from lab.app import create_app
from lab.db.engine import Database
from lab.db.version import current_version, mark_public_change
from lab.kernel.clock import FrozenClock
from lab.models.accounts import Person
from lab.models.contributions import Contribution, State
from lab.models.events import Event, Fullness
from lab.models.operations import AuditEntry, Draft, OutboxItem
from lab.models.programme import Theme
from lab.models.projects import Project
from lab.policy.actor import SYSTEM
from lab.services import contributions, site
from lab.services.context import Context
from lab.services.contributions import Placement, place
from lab.settings import Settings
from tests.meetings import make_event
from tests.world import NOW, World


def version(database: Database) -> int:
    with database.session() as session:
        return current_version(session)


def say(session: Session, text: str = "Serve una panchina", **values: object) -> Contribution:
    return place(Context(session, SYSTEM, NOW), Placement(text=text, **values))  # type: ignore[arg-type]


def _edit(session: Session, world: World) -> None:
    session.get_one(Project, world.project).title = "Il parco nuovo"


def _new(session: Session, world: World) -> None:
    session.add(Theme(code="acqua", name="Acqua", names={}, position=9))


def _gone(session: Session, world: World) -> None:
    session.delete(session.get_one(Theme, world.repairs))


def _bulk_update(session: Session, world: World) -> None:
    session.execute(update(Project).values(position=3))


def _bulk_delete(session: Session, world: World) -> None:
    session.execute(delete(Event))


def _bulk_insert(session: Session, world: World) -> None:
    session.execute(insert(Theme), [{"code": "z", "name": "Z", "names": {}, "position": 1, "retired": False}])


def _said(session: Session, world: World) -> None:
    say(session)


def _settings(session: Session, world: World) -> None:
    site.store(Context(session, SYSTEM, NOW), site.Profile(town="Altrove"))


def _marked(session: Session, world: World) -> None:
    mark_public_change(session)


PUBLIC = [_edit, _new, _gone, _bulk_update, _bulk_delete, _bulk_insert, _said, _settings, _marked]


@pytest.mark.parametrize("change", PUBLIC)
def test_a_public_change_moves_it(
    database: Database, world: World, change: Callable[[Session, World], None]
) -> None:
    before = version(database)
    with database.writing() as session:
        change(session, world)
    assert version(database) == before + 1


def _private(session: Session, world: World) -> None:
    session.get_one(Person, world.people["rosa"]).unread_count = 4
    session.add(OutboxItem(topic="x", payload={}, created_at=NOW, available_at=NOW))
    session.add(Draft(person_id=world.people["rosa"], form="proposal:new", data={}, updated_at=NOW))
    session.add(AuditEntry(at=NOW, verb="x", subject_kind="x"))


def _nothing(session: Session, world: World) -> None:
    project = session.get_one(Project, world.project)
    project.title = str(project.title)


@pytest.mark.parametrize("change", [_private, _nothing])
def test_what_nobody_sees_does_not_move_it(
    database: Database, world: World, change: Callable[[Session, World], None]
) -> None:
    before = version(database)
    with database.writing() as session:
        change(session, world)
    assert version(database) == before


def test_what_is_taken_back_does_not_move_it(database: Database, world: World) -> None:
    before = version(database)
    with pytest.raises(RuntimeError), database.writing() as session:
        say(session)
        raise RuntimeError
    with database.writing() as session:
        session.get_one(Person, world.people["rosa"]).unread_count = 4
    assert version(database) == before


def test_the_quick_reading_sees_what_another_process_committed(database: Database, world: World) -> None:
    other = Database(database.engine.url.render_as_string(hide_password=False))
    assert other.glance.version() == version(database)
    with database.writing() as session:
        say(session)
    assert other.glance.version() == version(database)
    other.dispose()


# --- the page cache in front of two processes -------------------------------------------------------------


@pytest.fixture
def other_app(settings: Settings, clock: FrozenClock, app: Flask) -> Iterator[Flask]:
    """A second process on the same database."""
    other = create_app(settings, clock)
    yield other
    other.extensions["lab"].database.dispose()


def test_no_process_serves_what_another_has_changed(database: Database, app: Flask, other_app: Flask) -> None:
    for number in range(3):
        for one in (app, other_app):
            assert f"Parola{number}" not in one.test_client().get("/proposte").text
        with database.writing() as session:
            say(session, f"Parola{number} da leggere subito")
        for one in (other_app, app):
            assert f"Parola{number}" in one.test_client().get("/proposte").text


def test_an_unchanged_page_is_not_sent_again(database: Database, app: Flask) -> None:
    browser = app.test_client()
    first = browser.get("/proposte")
    again = browser.get("/proposte", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    with database.writing() as session:
        say(session)
    changed = browser.get("/proposte", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_what_is_hidden_is_gone_from_every_process_at_once(
    database: Database, app: Flask, other_app: Flask
) -> None:
    with database.writing() as session:
        said = say(session, "Sparisco fra poco")
        identity, code = said.id, said.code
    assert "Sparisco" in other_app.test_client().get(f"/proposte/{code}").text
    with database.writing() as session:
        ctx = Context(session, SYSTEM, NOW)
        with contributions.changing(ctx, identity) as held:
            contributions.move(ctx, held, State.IN_REVIEW)
            held.visibility = type(held.visibility).HIDDEN
    for one in (other_app, app):
        assert one.test_client().get(f"/proposte/{code}").status_code == 404
        assert "Sparisco" not in one.test_client().get("/proposte").text


def test_a_new_day_is_drawn_anew(clock: FrozenClock, database: Database, app: Flask) -> None:
    """ "Today" and "late" follow the clock although nothing was written."""
    with database.writing() as session:
        say(session)
    before = app.test_client().get("/proposte").text
    clock.move_to(NOW.replace(year=NOW.year + 1))
    assert app.test_client().get("/proposte").text != before
    assert date(2027, 1, 1) < clock.now().date()


def test_a_meeting_that_has_begun_takes_nobody_more(
    clock: FrozenClock, database: Database, world: World, app: Flask, sign_in: Callable[[str], FlaskClient]
) -> None:
    """The hour goes on although nothing was written."""
    with database.writing() as session:
        make_event(session, world, starts_at=NOW + timedelta(hours=1), fullness=Fullness.FREE)
    readers = [app.test_client(), sign_in("rosa")]
    assert all("/eventi/EV90/iscrizione" in one.get("/eventi/EV90").text for one in readers)
    clock.advance(timedelta(hours=1, minutes=5))
    assert not [one for one in readers if "/eventi/EV90/iscrizione" in one.get("/eventi/EV90").text]


def test_readers_of_different_languages_get_their_own(app: Flask) -> None:
    browser = app.test_client()
    for language in ("it", "en", "ar", "it"):
        answer = browser.get("/proposte", headers={"Accept-Language": language})
        assert f'<html lang="{language}"' in answer.text


def test_a_signed_in_reader_is_never_given_the_kept_page(
    app: Flask, sign_in: Callable[[str], object]
) -> None:
    app.test_client().get("/proposte")
    assert "no-store" in sign_in("rosa").get("/proposte").headers["Cache-Control"]  # type: ignore[attr-defined]
