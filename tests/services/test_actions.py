"""From inputs to an action that an office adopts, and what the inputs hear and become on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.kernel.errors import Conflict, Denied, Invalid, NotFound
from lab.models.actions import Action, ActionKind, ActionMilestone, ActionState, ActionUpdate
from lab.models.answers import Answer, Verdict
from lab.models.contributions import Contribution, Outcome, State, Step, StepKind
from lab.models.operations import AuditEntry, OutboxItem
from lab.services import actions, contributions, weaving
from lab.services.action_plan import MilestonePlan, Plan
from lab.services.actions import Adopt, Amend, Draft, Propose, Report, SendBack
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.weaving import Unweave, Weave
from tests.world import World

Acting = Callable[[Session, str], Context]


def plan(world: World, **changes: object) -> Plan:
    values: dict[str, object] = {
        "title": "Tre fontanelle al parco",
        "kind": ActionKind.WORK,
        "aim": "Acqua da bere vicino ai giochi.",
        "project_ids": (world.project,),
        "office_id": world.verde,
        "due_on": date(2027, 5, 31),
    }
    return Plan(**{**values, **changes})  # type: ignore[arg-type]


def said(ctx: Context, text: str = "Vorrei una fontanella") -> int:
    return contributions.place(ctx, Placement(text=text)).id


def drafted(database: Database, acting: Acting, world: World, count: int = 1, **changes: object) -> Action:
    with database.writing() as session:
        ctx = acting(session, "facilitator")
        inputs = tuple(said(ctx, f"Vorrei una fontanella {n}") for n in range(count))
        return actions.draft(ctx, Draft(plan(world, **changes), inputs))


def proposed(database: Database, acting: Acting, world: World, count: int = 1, **changes: object) -> Action:
    action = drafted(database, acting, world, count, **changes)
    with database.writing() as session:
        return actions.propose(acting(session, "facilitator"), Propose(action.id, action.version))


def adopted(database: Database, acting: Acting, world: World, count: int = 1, **changes: object) -> Action:
    action = proposed(database, acting, world, count, **changes)
    with database.writing() as session:
        return actions.adopt(acting(session, "office"), Adopt(action.id, action.version))


def inputs_of(session: Session, action_id: int) -> list[Contribution]:
    ctx = Context(session, None, None)  # type: ignore[arg-type]
    ids = weaving.linked_ids(ctx, action_id)
    return list(session.execute(select(Contribution).where(Contribution.id.in_(ids))).scalars())


def steps(session: Session, contribution_id: int) -> list[StepKind]:
    query = select(Step.kind).where(Step.contribution_id == contribution_id).order_by(Step.id)
    return list(session.execute(query).scalars())


def events(session: Session) -> list[str]:
    query = select(OutboxItem.payload).where(OutboxItem.topic == "announce").order_by(OutboxItem.id)
    return [payload["event"] for payload in session.execute(query).scalars()]


def test_an_action_needs_a_project_an_input_and_plain_words(
    database: Database, acting: Acting, world: World
) -> None:
    with database.writing() as session:
        ctx = acting(session, "facilitator")
        words = (said(ctx),)
        for changes, field, code in (
            ({"project_ids": ()}, "projects", "at_least_one"),
            ({"project_ids": (999,)}, "projects", "unknown"),
            ({"title": " \n "}, "title", "required"),
            ({"title": "x" * 161}, "title", "too_long"),
            ({"aim": ""}, "aim", "required"),
            ({"office_id": 999}, "office", "unknown"),
            ({"body_ids": (999,)}, "bodies", "unknown"),
            ({"starts_on": date(2027, 6, 1)}, "due_on", "before_start"),
            ({"due_on": date(202, 6, 1)}, "due_on", "unlikely_date"),
            ({"milestones": (MilestonePlan(""),)}, "milestones", "required"),
            ({"milestones": (MilestonePlan("a"),) * 13}, "milestones", "too_many"),
        ):
            with pytest.raises(Invalid) as error:
                actions.draft(ctx, Draft(plan(world, **changes), words))
            assert (error.value.field, error.value.code) == (field, code)
        with pytest.raises(Invalid) as error:
            actions.draft(ctx, Draft(plan(world), ()))
        assert (error.value.field, error.value.code) == ("contributions", "at_least_one")


def test_only_the_team_drafts_and_residents_never_see_the_desk(
    database: Database, acting: Acting, world: World
) -> None:
    with database.writing() as session:
        words = (said(acting(session, "facilitator")),)
        for who in ("rosa", "office", "coordinator", "delegate", "administrator", "committee"):
            with pytest.raises(NotFound):
                actions.draft(acting(session, who), Draft(plan(world), words))


def test_the_same_click_twice_makes_one_draft(database: Database, acting: Acting, world: World) -> None:
    with database.writing() as session:
        words = (said(acting(session, "facilitator")),)
    made = []
    for _ in range(2):
        with database.writing() as session:
            ctx = acting(session, "facilitator")
            made.append(actions.draft(ctx, Draft(plan(world), words, "same-key")).id)
    assert made[0] == made[1]


def test_from_draft_to_done_the_inputs_go_along(
    database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    action = drafted(database, acting, world, count=2)
    with database.session() as session:
        for item in inputs_of(session, action.id):
            assert item.state is State.RECEIVED
            assert steps(session, item.id) == [StepKind.SAID]
    with database.writing() as session:
        actions.propose(acting(session, "facilitator"), Propose(action.id, 1))
    with database.session() as session:
        for item in inputs_of(session, action.id):
            assert item.is_open
            assert steps(session, item.id)[-1] is StepKind.WOVEN
    clock.advance(timedelta(days=2))
    with database.writing() as session:
        actions.adopt(acting(session, "office"), Adopt(action.id, 2))
    with database.session() as session:
        for item in inputs_of(session, action.id):
            assert (item.state, item.outcome) == (State.TAKEN_UP, Outcome.ACTION)
            assert item.decided_at == clock.now()
            assert steps(session, item.id)[-1] is StepKind.ADOPTED
    with database.writing() as session:
        ctx = acting(session, "office")
        actions.report(ctx, Report(action.id, "Cantiere aperto.", 3, 20, ActionState.UNDER_WAY))
    with database.writing() as session:
        actions.report(acting(session, "office"), Report(action.id, "Bevete!", state=ActionState.DONE))
    with database.session() as session:
        stored = session.get_one(Action, action.id)
        assert (stored.state, stored.progress, stored.done_at) == (ActionState.DONE, 100, clock.now())
        for item in inputs_of(session, action.id):
            assert item.state is State.DONE
            assert steps(session, item.id)[-2:] == [StepKind.UNDER_WAY, StepKind.DONE]
        assert [name for name in events(session) if name.startswith("action.")] == [
            "action.proposed", "action.adopted", "action.updated", "action.done",
        ]  # fmt: skip
        assert events(session).count("contribution.woven") == 2
        capacities = session.execute(
            select(AuditEntry.capacity).where(AuditEntry.verb == "action.adopt")
        ).scalars()
        assert list(capacities) == ["office"]


def test_only_the_leading_office_decides(database: Database, acting: Acting, world: World) -> None:
    action = proposed(database, acting, world)
    with database.writing() as session:
        for who in ("other_office", "facilitator", "moderator", "coordinator", "rosa", "administrator"):
            ctx = acting(session, who)
            with pytest.raises(NotFound):
                actions.adopt(ctx, Adopt(action.id, action.version))
            with pytest.raises(NotFound):
                actions.send_back(ctx, SendBack(action.id, action.version, "No"))


def test_the_office_sends_back_with_a_reason_and_the_team_proposes_again(
    database: Database, acting: Acting, world: World
) -> None:
    action = proposed(database, acting, world)
    with database.writing() as session:
        with pytest.raises(Invalid):
            actions.send_back(acting(session, "office"), SendBack(action.id, action.version, "  "))
        actions.send_back(acting(session, "office"), SendBack(action.id, action.version, "Troppo caro."))
    with database.session() as session:
        assert all(item.is_open for item in inputs_of(session, action.id))
    with database.writing() as session:
        ctx = acting(session, "facilitator")
        changed = actions.amend(ctx, Amend(action.id, 3, plan(world, title="Due fontanelle")))
        actions.propose(ctx, Propose(action.id, changed.version))
    with database.session() as session:
        [item] = inputs_of(session, action.id)
        assert steps(session, item.id).count(StepKind.WOVEN) == 1


def test_the_office_changes_and_adopts_but_keeps_its_own_lead(
    database: Database, acting: Acting, world: World
) -> None:
    action = proposed(database, acting, world)
    with database.writing() as session:
        changes = plan(world, title="Una fontanella", office_id=world.lavori)
        done = actions.adopt(acting(session, "office"), Adopt(action.id, action.version, changes, True))
        assert (done.title, done.office_id, done.state) == (
            "Una fontanella", world.verde, ActionState.UNDER_WAY,
        )  # fmt: skip
        assert done.is_public


def test_what_cannot_follow_is_refused(database: Database, acting: Acting, world: World) -> None:
    action = drafted(database, acting, world)
    with database.writing() as session:
        office = acting(session, "office")
        with pytest.raises(Conflict):
            actions.adopt(office, Adopt(action.id))
        with pytest.raises(Conflict):
            actions.report(office, Report(action.id, "Presto!"))
        with pytest.raises(Conflict):
            actions.propose(acting(session, "facilitator"), Propose(action.id, 7))
    undated = drafted(database, acting, world, due_on=None)
    with database.writing() as session, pytest.raises(Invalid) as error:
        actions.propose(acting(session, "facilitator"), Propose(undated.id))
    assert error.value.field == "due_on"
    public = adopted(database, acting, world)
    with database.writing() as session:
        for changes in (
            {"text": ""},
            {"text": "", "state": ActionState.SUSPENDED},
            {"text": "x", "progress": 101},
            {"text": "x", "state": ActionState.DRAFT},
            {"text": "x", "milestone_ids": (999,)},
        ):
            with pytest.raises(Invalid):
                actions.report(acting(session, "office"), Report(public.id, **changes))  # type: ignore[arg-type]
            session.rollback()
        with pytest.raises(NotFound):
            actions.report(acting(session, "other_office"), Report(public.id, "Ciao"))
        with pytest.raises(NotFound):
            actions.amend(acting(session, "facilitator"), Amend(public.id, None, plan(world)))


def test_an_update_is_signed_by_function_and_sent_twice_stays_one(
    database: Database, acting: Acting, world: World
) -> None:
    action = adopted(database, acting, world, milestones=(MilestonePlan("Gara"), MilestonePlan("Posa")))
    with database.session() as session:
        query = select(ActionMilestone).order_by(ActionMilestone.position)
        first, second = session.execute(query).scalars()
    for _ in range(2):
        with database.writing() as session:
            ctx = acting(session, "office")
            news = Report(action.id, "Gara fatta.", action.version, 30, None, (first.id,), "k1")
            actions.report(ctx, news)
    with database.writing() as session:
        actions.report(acting(session, "facilitator"), Report(action.id, "Grazie a chi ha aiutato."))
    with database.session() as session:
        signed = session.execute(
            select(ActionUpdate.signed_as, ActionUpdate.capacity).order_by(ActionUpdate.id)
        )
        assert list(map(tuple, signed)) == [
            ("Servizio Verde e Ambiente", "office"),
            ("Laboratorio di quartiere", "facilitator"),
        ]
        assert session.get_one(ActionMilestone, first.id).done_on is not None
        assert session.get_one(ActionMilestone, second.id).done_on is None


def test_milestones_keep_what_was_reached_when_they_are_renamed(
    database: Database, acting: Acting, world: World
) -> None:
    action = adopted(database, acting, world, milestones=(MilestonePlan("Gara"), MilestonePlan("Posa")))
    with database.session() as session:
        first = session.execute(select(ActionMilestone).where(ActionMilestone.title == "Gara")).scalar_one()
    with database.writing() as session:
        ctx = acting(session, "office")
        done = actions.report(ctx, Report(action.id, "Fatto", milestone_ids=(first.id,)))
        changed = plan(world, milestones=(MilestonePlan("Gara chiusa", id=first.id),))
        actions.amend(ctx, Amend(action.id, None, changed))
        assert done.id
    with database.session() as session:
        [left] = session.execute(select(ActionMilestone)).scalars()
        assert (left.title, left.done_on is not None) == ("Gara chiusa", True)


def test_actions_cannot_wait_for_each_other_in_a_ring(
    database: Database, acting: Acting, world: World
) -> None:
    ids = [drafted(database, acting, world).id for _ in range(3)]
    with database.writing() as session:
        ctx = acting(session, "facilitator")
        actions.amend(ctx, Amend(ids[0], None, plan(world, needs_ids=(ids[1],))))
        actions.amend(ctx, Amend(ids[1], None, plan(world, needs_ids=(ids[2],))))
        for needs in ((ids[0],), (ids[2],)):
            with pytest.raises(Invalid) as error:
                actions.amend(ctx, Amend(ids[2], None, plan(world, needs_ids=needs)))
            assert error.value.code == "ring"


def test_several_inputs_to_several_actions(database: Database, acting: Acting, world: World) -> None:
    first = adopted(database, acting, world, count=2)
    second = adopted(database, acting, world, count=1)
    with database.session() as session:
        shared = inputs_of(session, first.id)[0].id
    with database.writing() as session:
        ctx = acting(session, "facilitator")
        for _ in range(2):  # the second time changes nothing
            weaving.weave(ctx, Weave(second.id, (shared,)))
        assert session.get_one(Action, second.id).contributions_count == 2
    with database.writing() as session:
        actions.report(acting(session, "office"), Report(first.id, "Fatta", state=ActionState.DONE))
    with database.session() as session:
        # still under way in the other action
        assert session.get_one(Contribution, shared).state is State.TAKEN_UP
    with database.writing() as session:
        actions.report(acting(session, "office"), Report(second.id, "Fatta", state=ActionState.DONE))
    with database.session() as session:
        assert session.get_one(Contribution, shared).state is State.DONE
    with database.writing() as session:
        news = Report(second.id, "Si è rotta, riapriamo", state=ActionState.UNDER_WAY)
        actions.report(acting(session, "office"), news)
    with database.session() as session:
        assert session.get_one(Contribution, shared).state is State.TAKEN_UP


def test_an_answered_input_can_be_woven_and_goes_back_to_its_answer(
    database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    action = adopted(database, acting, world)
    with database.writing() as session:
        ctx = acting(session, "system")
        item = said(ctx)
        with contributions.changing(ctx, item) as contribution:
            contributions.move(ctx, contribution, State.DECLINED, Outcome.DECLINED)
        session.add(
            Answer(contribution_id=item, office_id=world.verde, verdict=Verdict.DECLINED, reason="No",
                   created_at=clock.now(), published_at=clock.now())
        )  # fmt: skip
    decided = clock.now()
    clock.advance(timedelta(days=3))
    with database.writing() as session:
        weaving.weave(acting(session, "facilitator"), Weave(action.id, (item,)))
    with database.session() as session:
        woven = session.get_one(Contribution, item)
        assert (woven.state, woven.outcome, woven.decided_at) == (State.TAKEN_UP, Outcome.ACTION, decided)
        assert steps(session, item)[-2:] == [StepKind.WOVEN, StepKind.ADOPTED]
    with database.writing() as session:
        ctx = acting(session, "facilitator")
        with pytest.raises(Invalid):
            weaving.unweave(ctx, Unweave(action.id, item, ""))
        weaving.unweave(ctx, Unweave(action.id, item, "Parla d'altro"))
    with database.session() as session:
        left = session.get_one(Contribution, item)
        assert (left.state, left.outcome, left.decided_at) == (State.DECLINED, Outcome.DECLINED, decided)
        assert steps(session, item)[-1] is StepKind.UNWOVEN
        assert "contribution.unwoven" in events(session)
        assert session.get_one(Action, action.id).contributions_count == 1


def test_an_unanswered_input_taken_out_is_open_again(
    database: Database, acting: Acting, world: World
) -> None:
    action = adopted(database, acting, world)
    with database.session() as session:
        [item] = inputs_of(session, action.id)
    with database.writing() as session:
        weaving.unweave(acting(session, "facilitator"), Unweave(action.id, item.id, "Sbaglio nostro"))
    with database.session() as session:
        left = session.get_one(Contribution, item.id)
        assert (left.state, left.outcome, left.is_open, left.decided_at) == (
            State.IN_REVIEW, None, True, None,
        )  # fmt: skip


def test_words_taken_out_of_a_draft_never_heard_of_it(
    database: Database, acting: Acting, world: World
) -> None:
    action = drafted(database, acting, world)
    with database.session() as session:
        [item] = inputs_of(session, action.id)
    with database.writing() as session:
        weaving.unweave(acting(session, "facilitator"), Unweave(action.id, item.id, "Altro tema"))
    with database.session() as session:
        assert steps(session, item.id) == [StepKind.SAID]
        assert "contribution.unwoven" not in events(session)


def merged(session: Session, ctx: Context, source: int, target: int) -> None:
    with contributions.changing(ctx, source) as contribution:
        contributions.move(ctx, contribution, State.MERGED, Outcome.MERGED)
        contribution.merged_into_id = target


def test_what_was_merged_hears_too_and_a_merged_one_weaves_its_target(
    database: Database, acting: Acting, world: World
) -> None:
    action = proposed(database, acting, world)
    with database.writing() as session:
        ctx = acting(session, "system")
        target, source, source_of_source = said(ctx), said(ctx), said(ctx)
        merged(session, ctx, source, target)
        merged(session, ctx, source_of_source, source)
        weaving.weave(acting(session, "facilitator"), Weave(action.id, (source_of_source,)))
    with database.writing() as session:
        actions.adopt(acting(session, "office"), Adopt(action.id, action.version))
    with database.session() as session:
        assert session.get_one(Contribution, target).state is State.TAKEN_UP
        for item in (source, source_of_source):
            assert session.get_one(Contribution, item).state is State.MERGED
            assert steps(session, item)[-2:] == [StepKind.WOVEN, StepKind.ADOPTED]


def test_an_input_merged_after_it_was_linked_brings_the_action_along(
    database: Database, acting: Acting, world: World
) -> None:
    action = proposed(database, acting, world)
    with database.writing() as session:
        ctx = acting(session, "system")
        [item] = inputs_of(session, action.id)
        target = said(ctx)
        merged(session, ctx, item.id, target)
    with database.writing() as session:
        actions.adopt(acting(session, "office"), Adopt(action.id, action.version))
    with database.session() as session:
        assert session.get_one(Contribution, target).state is State.TAKEN_UP
        assert session.get_one(Contribution, item.id).state is State.MERGED


def test_withdrawn_and_unknown_words_are_not_woven(database: Database, acting: Acting, world: World) -> None:
    action = drafted(database, acting, world)
    with database.writing() as session:
        system = acting(session, "system")
        gone = said(system)
        with contributions.changing(system, gone) as contribution:
            contributions.move(system, contribution, State.WITHDRAWN, Outcome.WITHDRAWN)
        ctx = acting(session, "facilitator")
        for ids, code in (((gone,), "withdrawn"), ((10**12,), "unknown"), ((), "at_least_one")):
            with pytest.raises(Invalid) as error:
                weaving.weave(ctx, Weave(action.id, ids))
            assert error.value.code == code
        with pytest.raises((NotFound, Denied)):
            weaving.weave(acting(session, "office"), Weave(action.id, (gone,)))


def test_two_clicks_at_once_adopt_once(database: Database, acting: Acting, world: World) -> None:
    action = proposed(database, acting, world, count=3)
    results: list[str] = []
    barrier = threading.Barrier(4)

    def click() -> None:
        barrier.wait()
        try:
            with database.writing() as session:
                actions.adopt(acting(session, "office"), Adopt(action.id, action.version))
            results.append("adopted")
        except Conflict as error:
            results.append(error.code)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["action_to_start"] * 3 + ["adopted"]
    with database.session() as session:
        assert events(session).count("action.adopted") == 1
        adopted_steps = select(func.count()).where(Step.kind == StepKind.ADOPTED)
        assert session.execute(adopted_steps).scalar_one() == 3


def test_two_who_make_a_ring_at_once_do_not_both_succeed(
    database: Database, acting: Acting, world: World
) -> None:
    ids = [drafted(database, acting, world).id for _ in range(2)]
    results: list[str] = []
    barrier = threading.Barrier(2)

    def wait_for(one: int, other: int) -> None:
        barrier.wait()
        try:
            with database.writing() as session:
                ctx = acting(session, "facilitator")
                actions.amend(ctx, Amend(one, None, plan(world, needs_ids=(other,))))
            results.append("kept")
        except Invalid as error:
            results.append(error.code)

    threads = [threading.Thread(target=wait_for, args=pair) for pair in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["kept", "ring"]
