"""Offices move their own projects on and nobody else's; every change says why and is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.contributions import Visibility
from lab.models.operations import AuditEntry, OutboxItem
from lab.models.programme import Body, BodyKind, Office, Programme
from lab.models.projects import Milestone, Project, ProjectChange, ProjectFunding, ProjectState
from lab.services import contributions, programme, projects, seen
from lab.services import programme_editing as keeping
from lab.services import project_editing as editing
from lab.services.context import Context
from tests.world import World

Acting = Callable[[Session, str], Context]
WHY = "La gara è finita."


def edit(world: World, version: int | None = 1, why: str = WHY) -> editing.Edit:
    return editing.Edit(world.project, version, why)


def state(world: World, **changes: object) -> editing.ChangeState:
    return editing.ChangeState(edit(world, **changes), ProjectState.ON_SITE, date(2026, 11, 20))  # type: ignore[arg-type]


def test_a_new_state_is_written_down_told_and_signed(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        editing.change_state(acting(session, "office"), state(world))
    with database.session() as session:
        project = session.get_one(Project, world.project)
        assert (project.state, project.state_since, project.version) == (
            ProjectState.ON_SITE, date(2026, 11, 20), 2,
        )  # fmt: skip
        change = session.execute(select(ProjectChange)).scalar_one()
        assert (change.what, change.before, change.after, change.why) == (
            "state", "in_design", "on_site", WHY,
        )  # fmt: skip
        told = session.execute(select(OutboxItem)).scalar_one().payload
        assert told["event"] == "project.changed"
        assert told["change_id"] == change.id
        entry = session.execute(select(AuditEntry)).scalar_one()
        assert (entry.capacity, entry.office_id) == ("office", world.verde)


@pytest.mark.parametrize("who", ["other_office", "rosa", "moderator", "coordinator", "administrator"])
def test_nobody_outside_the_leading_office_changes_a_project(
    database: Database, world: World, acting: Acting, who: str
) -> None:
    with pytest.raises(NotFound), database.writing() as session:
        editing.change_state(acting(session, who), state(world))


def test_two_at_once_are_told_apart(database: Database, world: World, acting: Acting) -> None:
    with database.writing() as session:
        editing.change_state(acting(session, "office"), state(world))
    with pytest.raises(Conflict), database.writing() as session:
        editing.change_state(acting(session, "office"), state(world))


def test_without_a_reason_nothing_moves(database: Database, world: World, acting: Acting) -> None:
    with pytest.raises(Invalid) as refusal, database.writing() as session:
        editing.change_state(acting(session, "office"), state(world, why=" \u200b "))
    assert refusal.value.field == "why"


def test_saving_the_same_again_tells_nobody(database: Database, world: World, acting: Acting) -> None:
    same = editing.ChangeState(edit(world), ProjectState.IN_DESIGN, date(2026, 3, 1))
    with database.writing() as session:
        editing.change_state(acting(session, "office"), same)
    with database.session() as session:
        assert session.execute(select(ProjectChange)).first() is None
        assert session.get_one(Project, world.project).version == 1


@pytest.mark.parametrize(
    ("starts", "ends", "progress", "field"),
    [
        (date(2026, 5, 2), date(2026, 5, 1), 10, "ends_on"),
        (date(2026, 5, 1), date(2026, 5, 2), 101, "progress"),
        (date(2026, 5, 1), date(2026, 5, 2), -1, "progress"),
        (date(1, 1, 1), date(2026, 5, 2), 0, "starts_on"),
        (date(2026, 1, 1), date(9999, 12, 31), 0, "ends_on"),
    ],
)
def test_a_stretch_with_wrong_days_or_progress_is_refused(
    database: Database, world: World, acting: Acting, starts: date, ends: date, progress: int, field: str
) -> None:
    command = editing.SaveMilestone(edit(world), None, "Scavi", starts, ends, progress)
    with pytest.raises(Invalid) as refusal, database.writing() as session:
        editing.save_milestone(acting(session, "office"), command)
    assert refusal.value.field == field


def test_a_state_cannot_have_begun_tomorrow(database: Database, world: World, acting: Acting) -> None:
    command = editing.ChangeState(edit(world), ProjectState.ON_SITE, date(2026, 11, 24))
    with pytest.raises(Invalid) as refusal, database.writing() as session:
        editing.change_state(acting(session, "office"), command)
    assert refusal.value.code == "in_future"


def test_parts_are_added_changed_and_taken_out(database: Database, world: World, acting: Acting) -> None:
    with database.writing() as session:
        ctx = acting(session, "office")
        days = (date(2026, 5, 1), date(2026, 9, 1))
        editing.save_milestone(ctx, editing.SaveMilestone(edit(world), None, "Scavi / prova", *days, 20))
        editing.save_funding(ctx, editing.SaveFunding(edit(world, 2), None, "Regione", 125_000_050))
        editing.save_funding(ctx, editing.SaveFunding(edit(world, 3), None, "Comune", None))
        editing.save_indicator(ctx, editing.SaveIndicator(edit(world, 4), None, "Alberi", 3, 40))
        editing.change_bodies(ctx, editing.ChangeBodies(edit(world, 5), frozenset({world.aler})))
    with database.session() as session:
        found = projects.page(acting(session, "rosa"), "P4")
        assert [stage.label for stage in found.stages] == ["Scavi / prova"]
        assert (found.known_cents, found.has_unknown_share) == (125_000_050, True)
        assert [body.name for body in found.partners] == ["ALER"]
        assert len(found.changes) == 5
        row = session.execute(select(Milestone.id)).scalar_one()
    with database.writing() as session:
        editing.remove_milestone(acting(session, "office"), editing.Remove(edit(world, 6), row))
    with database.session() as session:
        assert projects.page(acting(session, "rosa"), "P4").stages == []


def test_a_part_of_another_project_is_not_there(database: Database, world: World, acting: Acting) -> None:
    with database.writing() as session:
        other = ProjectFunding(project_id=world.other_project, source="Stato", cents=1)
        session.add(other)
        session.flush()
        key = other.id
    for command in (
        lambda ctx: editing.save_funding(ctx, editing.SaveFunding(edit(world), key, "Mio", 5)),
        lambda ctx: editing.remove_funding(ctx, editing.Remove(edit(world), key)),
    ):
        with pytest.raises(NotFound), database.writing() as session:
            command(acting(session, "office"))


def test_money_below_zero_and_unknown_bodies_are_refused(
    database: Database, world: World, acting: Acting
) -> None:
    with pytest.raises(Invalid), database.writing() as session:
        editing.save_funding(acting(session, "office"), editing.SaveFunding(edit(world), None, "X", -1))
    with pytest.raises(Invalid), database.writing() as session:
        editing.change_bodies(acting(session, "office"), editing.ChangeBodies(edit(world), frozenset({999})))


def test_only_public_voices_are_counted(database: Database, world: World, acting: Acting) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        said = contributions.Placement(text="Più ombra", project_ids=(world.project,))
        first = contributions.place(ctx, said)
        contributions.place(ctx, said)
        with contributions.changing(ctx, first.id) as one:
            one.visibility = Visibility.HIDDEN
            contributions.link_projects(ctx, one, [world.project, world.other_project])
    with database.writing() as session:
        ctx = acting(session, "system")
        assert session.get_one(Project, world.project).contributions_count == 1
        assert session.get_one(Project, world.other_project).contributions_count == 0
        with contributions.changing(ctx, first.id) as one:
            one.visibility = Visibility.PUBLIC
            contributions.link_projects(ctx, one, [world.other_project])
    with database.session() as session:
        assert session.get_one(Project, world.project).contributions_count == 1
        assert session.get_one(Project, world.other_project).contributions_count == 1


def test_the_coordinator_hands_a_project_over_and_the_past_stays(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        command = keeping.HandOver(world.project, 1, world.lavori, "Il cantiere è cominciato.")
        keeping.hand_over(acting(session, "coordinator"), command)
    with pytest.raises(NotFound), database.writing() as session:
        editing.change_state(acting(session, "office"), state(world, version=2))
    with database.session() as session:
        change = session.execute(select(ProjectChange)).scalar_one()
        assert (change.before, change.after) == ("Servizio Verde e Ambiente", "Settore Lavori Pubblici")


def test_bodies_offices_and_projects_get_codes_that_are_free(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        ctx = acting(session, "coordinator")
        body = keeping.save_body(
            ctx, keeping.SaveBody(None, "Orti in comune", BodyKind.ASSOCIATION, False, "")
        )
        office = keeping.save_office(
            ctx, keeping.SaveOffice(None, world.comune, "Nuovo", "", "ufficio@example.org", False)
        )
        project = keeping.add_project(ctx, keeping.AddProject("Piazza", "", office.id))
        assert len({body.code, "E01", "E03"}) == 3
        assert len({office.code, "U06", "U03"}) == 3
        assert len({project.code, "P1", "P4"}) == 3


def test_the_same_words_sent_twice_make_one(database: Database, world: World, acting: Acting) -> None:
    body = keeping.SaveBody(None, "Orti in comune", BodyKind.ASSOCIATION, False, "Coltiva")
    office = keeping.SaveOffice(None, world.comune, "Ufficio Orti", "", "", False)
    phase = keeping.SavePhase(None, "Ascolto", "", date(2026, 1, 1), None)
    project = keeping.AddProject("Piazza dell'Orologio", "", world.verde)

    def send() -> list[int]:
        with database.writing() as session:
            ctx = acting(session, "coordinator")
            made = [keeping.save_body(ctx, body), keeping.save_office(ctx, office)]
            return [
                one.id for one in (*made, keeping.save_phase(ctx, phase), keeping.add_project(ctx, project))
            ]

    assert send() == send()
    with database.writing() as session:
        ctx = acting(session, "coordinator")
        for refused in (
            lambda: keeping.save_body(ctx, replace(body, name="orti in comune", note="Vende")),
            lambda: keeping.add_project(ctx, replace(project, office_id=world.lavori)),
        ):
            with pytest.raises(Invalid, match="name_taken"):
                refused()


def test_the_name_of_a_closed_office_may_come_back(database: Database, world: World, acting: Acting) -> None:
    office = keeping.SaveOffice(None, world.comune, "Ufficio Orti", "", "", True)
    with database.writing() as session:
        ctx = acting(session, "coordinator")
        closed = keeping.save_office(ctx, office)
        assert keeping.save_office(ctx, replace(office, is_closed=False)).id != closed.id


@pytest.mark.parametrize("who", ["rosa", "office", "moderator", "delegate"])
def test_only_coordinator_and_administrator_keep_the_programme(
    database: Database, world: World, acting: Acting, who: str
) -> None:
    with pytest.raises(NotFound), database.writing() as session:
        command = keeping.SaveBody(None, "X", BodyKind.ASSOCIATION, True, "")
        keeping.save_body(acting(session, who), command)


def test_two_people_editing_one_body_are_told_apart(database: Database, world: World, acting: Acting) -> None:
    with database.session() as session:
        shown = seen.fingerprint(session.get_one(Body, world.aler))
    command = keeping.SaveBody(world.aler, "ALER Milano", BodyKind.INSTITUTION, True, "", shown)
    # The same tap twice is one.
    for _ in range(2):
        with database.writing() as session:
            keeping.save_body(acting(session, "coordinator"), command)
    with pytest.raises(Conflict), database.writing() as session:
        keeping.save_body(acting(session, "administrator"), replace(command, name="ALER"))


def test_an_office_that_leads_projects_cannot_close(database: Database, world: World, acting: Acting) -> None:
    with database.session() as session:
        shown = seen.fingerprint(session.get_one(Office, world.verde))
    command = keeping.SaveOffice(world.verde, world.comune, "Verde", "", "", True, shown)
    with pytest.raises(Conflict) as refusal, database.writing() as session:
        keeping.save_office(acting(session, "coordinator"), command)
    assert refusal.value.code == "office_leads"


def test_the_programme_names_its_two_offices_and_phases_in_order(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        ctx = acting(session, "coordinator")
        shown = seen.fingerprint(session.execute(select(Programme)).scalar_one())
        keeping.change_programme(
            ctx, keeping.ChangeProgramme("Contratto", "", world.verde, world.lavori, None, None, shown)
        )
        for title, starts, ends in (
            ("Ascolto", date(2026, 1, 1), date(2026, 6, 30)),
            ("Insieme", date(2026, 7, 1), None),
        ):
            keeping.save_phase(ctx, keeping.SavePhase(None, title, "", starts, ends))
        with pytest.raises(Invalid):
            wrong = keeping.SavePhase(None, "X", "", date(2026, 7, 1), date(2026, 6, 1))
            keeping.save_phase(ctx, wrong)
    with database.session() as session:
        found = programme.overview(acting(session, "rosa"))
        assert found.programme is not None
        assert found.programme.political_office is not None
        assert found.programme.political_office.id == world.verde
        assert found.current is not None
        assert found.current.title == "Insieme"


def test_an_office_page_counts_how_it_keeps_the_promise(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        one = contributions.place(ctx, contributions.Placement(text="Luce"))
        with contributions.changing(ctx, one.id) as held:
            held.office_id = world.verde
    with database.session() as session:
        found = programme.office_page(acting(session, "rosa"), "U06")
        assert (found.promise.waiting, found.promise.answered) == (1, 0)
        assert [waiting.id for waiting in found.waiting] == [one.id]
