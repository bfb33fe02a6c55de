"""A newcomer loads the demo and finds the whole neighbourhood, with dates around today."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from click.testing import Result
from sqlalchemy import func, select

from lab.cli import serving
from lab.cli.demo.accounts import KIOSK_CODE
from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.kernel.errors import NotFound
from lab.kernel.passwords import verify_password
from lab.models.accounts import Credential
from lab.models.actions import Action, ActionProject
from lab.models.capture import Commitment
from lab.models.contributions import Contribution, ContributionAuthor, State, Tally
from lab.models.events import Event, EventHost, EventState
from lab.models.operations import CodeCounter
from lab.models.projects import Milestone, Project
from lab.models.registrations import Registration, SignUp
from lab.policy.actor import SYSTEM
from lab.services import devices
from lab.services.context import Context
from lab.services.tally import whole

Run = Callable[..., Result]


def test_the_whole_neighbourhood_is_there(lab: Run, database: Database) -> None:
    result = lab("demo", "load")
    assert result.exit_code == 0, result.output
    assert result.stdout == "Demo loaded: 8 projects, 20 meetings, 40 proposals, 14 actions, 24 people.\n"
    with database.session() as session:
        counts = {
            model: session.execute(select(func.count()).select_from(model)).scalar_one()
            for model in (Contribution, Action, Project, Event)
        }
        assert list(counts.values()) == [40, 14, 8, 20]
        # an action always belongs to at least one formal project
        without = select(Action.id).where(
            ~select(ActionProject).where(ActionProject.action_id == Action.id).exists()
        )
        assert session.execute(without).all() == []
        # the twin is merged, its author kept
        merged = session.execute(select(Contribution).where(Contribution.state == State.MERGED)).scalar_one()
        kept = session.execute(select(ContributionAuthor)).scalar_one()
        assert (kept.via_id, kept.contribution_id) == (merged.id, merged.merged_into_id)
        # the books agree with the things
        assert session.execute(select(func.sum(Tally.count)).where(*whole())).scalar_one() == 40


def test_every_meeting_has_its_words_places_hosts_and_books(lab: Run, database: Database) -> None:
    assert lab("demo", "load", "--reference-date", "2026-11-23").exit_code == 0
    with database.session() as session:
        events = {event.code: event for event in session.execute(select(Event)).scalars()}
        books = {row.event_id: row for row in session.execute(select(SignUp)).scalars()}
        for event in events.values():
            assert event.purpose
            assert event.promise
            assert event.influence
            assert event.place_id
            assert event.id in books
        asked = {"EV16": 71, "EV17": 0, "EV18": 16, "EV19": 7, "EV20": 5}
        people = func.coalesce(func.sum(Registration.party_size), 0)
        for code, number in asked.items():
            signed_up = select(people).where(Registration.event_id == events[code].id)
            assert session.execute(signed_up).scalar_one() == number
            assert books[events[code].id].taken == number
        # of what has been only totals are left, and nobody in the demo can be written to
        past = select(Registration.id).join(Event, Event.id == Registration.event_id)
        assert session.execute(past.where(Event.state == EventState.HELD)).first() is None
        contact = Registration.email.is_not(None) | Registration.phone.is_not(None)
        assert session.execute(select(Registration.id).where(contact)).first() is None
        assert (events["EV01"].attendance, books[events["EV01"].id].arrived) == (118, 118)
        assert (events["EV16"].languages, events["EV16"].offers) == (
            ["it", "ar", "es"], ["childcare", "interpreter"]
        )  # fmt: skip
        assert events["EV12"].series_id == events["EV15"].series_id is not None
        hosts = select(func.count()).select_from(EventHost)
        assert session.execute(hosts).scalar_one() == 40
        promised = session.execute(select(Commitment.code, Commitment.event_id).order_by(Commitment.code))
        assert {row.code: row.event_id for row in promised} == {
            "I01": events["EV15"].id, "I07": events["EV04"].id
        }  # fmt: skip
        rows = session.execute(select(CodeCounter.prefix, CodeCounter.last))
        counters = {row.prefix: row.last for row in rows}
        assert (counters["EV"], counters["I"]) == (20, 10)


def test_dates_move_with_the_day_it_is_loaded(lab: Run, database: Database) -> None:
    assert lab("demo", "load", "--reference-date", "2030-03-04").exit_code == 0
    with database.session() as session:
        coming = session.execute(
            select(func.min(Event.starts_at)).where(Event.state == EventState.PLANNED)
        ).scalar_one()
        assert datetime(2030, 3, 4, tzinfo=UTC) < coming < datetime(2030, 3, 12, tzinfo=UTC)
        assert session.execute(select(func.max(Milestone.ends_on))).scalar_one().year == 2032


def test_everybody_signs_in_with_the_shown_password(lab: Run, database: Database) -> None:
    lab("demo", "load")
    with database.session() as session:
        for key in ("residente@demo.example", "ufficio@demo.example", "amministratore@demo.example"):
            credential = session.execute(select(Credential).where(Credential.email_key == key)).scalar_one()
            assert verify_password(credential.password_hash, "crocione-demo")


def test_loading_twice_changes_nothing(lab: Run, database: Database) -> None:
    lab("demo", "load")
    assert lab("demo", "load").exit_code == 1
    assert lab("demo", "load", "--if-empty").exit_code == 0
    with database.session() as session:
        assert session.execute(select(func.count()).select_from(Contribution)).scalar_one() == 40


def test_never_in_production(lab: Run, database: Database) -> None:
    result = lab(
        "demo", "load",
        LAB_ENV="production", LAB_SECRET_KEY="s" * 40, LAB_BASE_URL="https://lab.example.org",
        LAB_MAIL_FROM="lab@example.org",
    )  # fmt: skip
    assert result.exit_code == 1
    with database.session() as session:
        assert session.execute(select(Credential)).first() is None


def test_an_empty_schema_is_told_plainly(lab: Run, tmp_path: object) -> None:
    result = lab("demo", "load", url=f"sqlite:///{tmp_path}/fresh.db")
    assert result.exit_code == 1
    assert "lab db upgrade" in result.output


def test_the_tablet_of_the_demo_pairs_with_the_meeting_that_comes_next(
    lab: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "supervise", lambda *_: 0)
    lab("demo", "load")
    said = lab("serve", "--demo").output
    coming = select(Event.code).where(Event.starts_at > utcnow(), Event.state == EventState.PLANNED)
    with database.writing() as session:
        ctx = Context(session, SYSTEM, utcnow())
        first = session.execute(coming.order_by(Event.starts_at, Event.id).limit(1)).scalar_one()
        assert f"/totem  code CRCN-TTEM, PIN 2468 (meeting {first})" in said
        made = [devices.pair(ctx, "crcn ttem", standing_too=True).device for _ in range(2)]
        assert {device.event.code for device in made} == {first}
        assert len({device.prefix for device in made}) == 2
        # where real people are, a code that everybody knows opens nothing
        with pytest.raises(NotFound):
            devices.pair(ctx, KIOSK_CODE, standing_too=False)
