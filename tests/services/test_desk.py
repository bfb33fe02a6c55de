"""The desk: sorting, routing, answering; two people at one input; what an office may see."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.kernel.errors import Conflict, Denied, Invalid, LabError, NotFound
from lab.models.answers import Answer, Verdict
from lab.models.contributions import Contribution, Kind, Outcome, State, Step, StepKind, Visibility
from lab.models.moderation import PassedOn
from lab.models.operations import AuditEntry, OutboxItem
from lab.models.programme import Office
from lab.services import answers, contributions, desk, desk_alike, desk_item, routing, triage
from lab.services.answers import Reply
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.desk import Filters, Pile
from lab.services.routing import Route
from lab.services.triage import KeepPrivate, Sort
from tests.world import World

Acting = Callable[[Session, str], Context]
REASON = "Lo facciamo in primavera, quando arrivano le piante nuove."


def _say(ctx: Context, text: str = "Una panchina", **more: object) -> int:
    return contributions.place(ctx, Placement(text=text, **more)).id  # type: ignore[arg-type]


def _routed(
    session: Session, acting: Acting, world: World, text: str = "Una panchina", **more: object
) -> int:
    one = _say(acting(session, "system"), text, **more)
    routing.route(acting(session, "facilitator"), Route(one, None, world.verde))
    return one


def _events(session: Session) -> list[str]:
    return [
        row.payload["event"] for row in session.execute(select(OutboxItem).order_by(OutboxItem.id)).scalars()
    ]


def _reply(contribution_id: int, verdict: Verdict = Verdict.ACCEPTED, **more: object) -> Reply:
    return Reply(contribution_id, None, verdict, REASON, **more)  # type: ignore[arg-type]


# sorting


def test_what_waits_becomes_public_once_somebody_has_read_it(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _say(acting(session, "system"), visibility=Visibility.WAITING)
        triage.read(acting(session, "facilitator"), one)
        triage.read(acting(session, "moderator"), one)
        item = session.get_one(Contribution, one)
        assert (item.visibility, item.state, item.is_listed) == (Visibility.PUBLIC, State.IN_REVIEW, True)
        kinds = list(session.execute(select(Step.kind).where(Step.contribution_id == one)).scalars())
        assert kinds == [StepKind.SAID, StepKind.READ]


def test_sorting_keeps_the_tally_of_themes_and_says_so_once(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _say(acting(session, "system"))
        ctx = acting(session, "facilitator")
        for theme in (world.green, world.repairs):
            triage.sort(ctx, Sort(one, None, Kind.REPORT, theme, world.park, (world.project,)))
        item = session.get_one(Contribution, one)
        assert (item.kind, item.theme_id, item.place_id) == (Kind.REPORT, world.repairs, world.park)
        steps = select(func.count()).where(Step.contribution_id == one, Step.kind == StepKind.SORTED)
        assert session.execute(steps.select_from(Step)).scalar_one() == 1


def test_sorting_by_something_that_is_gone_names_the_field(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _say(acting(session, "system"))
        with pytest.raises(Invalid) as told:
            triage.sort(acting(session, "facilitator"), Sort(one, None, Kind.REPORT, 10**15, None))
        assert told.value.field == "theme"


def test_a_private_matter_handed_to_a_body_is_settled_and_out_of_public(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _say(acting(session, "system"))
        command = KeepPrivate(one, None, body_id=world.aler, note="Scala B, chiamare", words="Ti chiama ALER")
        triage.keep_private(acting(session, "facilitator"), command)
        item = session.get_one(Contribution, one)
        assert (item.visibility, item.state, item.outcome, item.is_listed) == (
            Visibility.PRIVATE, State.ANSWERED, Outcome.PASSED_ON, False,
        )  # fmt: skip
        assert session.execute(select(PassedOn.body_id, PassedOn.note)).one() == (
            world.aler,
            "Scala B, chiamare",
        )
        step = session.execute(select(Step).where(Step.kind == StepKind.PASSED_ON)).scalar_one()
        assert (step.text, step.body_id) == ("Ti chiama ALER", world.aler)
        assert "contribution.passed_on" in _events(session)


def test_a_private_matter_handed_to_an_office_is_answered_by_it(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _say(acting(session, "system"))
        triage.keep_private(
            acting(session, "moderator"), KeepPrivate(one, None, office_id=world.verde, note="Ok")
        )
        item = session.get_one(Contribution, one)
        assert item.is_open and item.office_id == world.verde
        answers.publish(acting(session, "office"), _reply(one))
        assert session.get_one(Contribution, one).visibility is Visibility.PRIVATE


def test_a_private_matter_goes_to_one_place_with_a_word(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _say(acting(session, "system"))
        ctx = acting(session, "facilitator")
        with pytest.raises(Invalid) as told:
            triage.keep_private(ctx, KeepPrivate(one, None, world.aler, world.verde, note="x"))
        assert told.value.code == "one_of_two"
        with pytest.raises(Invalid) as told:
            triage.keep_private(ctx, KeepPrivate(one, None, world.aler))
        assert told.value.field == "note"


def test_what_a_colleague_has_in_hand_is_taken_only_knowingly(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _say(acting(session, "system"))
        triage.take(acting(session, "facilitator"), one)
        with pytest.raises(Conflict) as told:
            triage.take(acting(session, "moderator"), one)
        assert told.value.code == "held_by_other"
        triage.take(acting(session, "moderator"), one, over=True)
        assert session.get_one(Contribution, one).holder_id == world.people["moderator"]
        triage.let_go(acting(session, "moderator"), one)
        assert session.get_one(Contribution, one).holder_id is None


# routing


def test_an_office_gets_it_with_a_day_before_the_promise(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _routed(session, acting, world)
        item = session.get_one(Contribution, one)
        assert (item.office_id, item.office_due_on) == (world.verde, date(2026, 12, 18))
        assert item.state is State.IN_REVIEW
        routing.route(acting(session, "facilitator"), Route(one, None, world.verde))
        assert _events(session).count("contribution.routed") == 1


def test_a_late_one_is_asked_for_tomorrow(
    database: Database, world: World, acting: Acting, clock: FrozenClock
) -> None:
    with database.writing() as session:
        one = _say(acting(session, "system"))
    clock.advance(timedelta(days=90))
    with database.writing() as session:
        routing.route(acting(session, "facilitator"), Route(one, None, world.verde))
        assert session.get_one(Contribution, one).office_due_on == date(2027, 2, 22)


@pytest.mark.parametrize(
    ("office", "due", "field"), [(10**15, None, "office"), (0, date(2026, 11, 1), "due_on")]
)
def test_a_wrong_office_or_a_day_gone_by_is_refused(
    database: Database, world: World, acting: Acting, office: int, due: date | None, field: str
) -> None:
    with database.writing() as session:
        one = _say(acting(session, "system"))
        with pytest.raises(Invalid) as told:
            routing.route(acting(session, "facilitator"), Route(one, None, office or world.verde, due))
        assert told.value.field == field


def test_an_office_that_was_closed_gets_nothing_more(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _say(acting(session, "system"))
        session.get_one(Office, world.lavori).closed_on = date(2026, 11, 20)
        with pytest.raises(Invalid, match="unknown"):
            routing.route(acting(session, "facilitator"), Route(one, None, world.lavori))
        private = KeepPrivate(one, None, office_id=world.lavori, note="Un caso personale")
        with pytest.raises(Invalid, match="unknown"):
            triage.keep_private(acting(session, "moderator"), private)


def test_taking_back_needs_a_reason_and_hides_it_from_the_office(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _routed(session, acting, world)
        with pytest.raises(Invalid):
            routing.take_back(acting(session, "facilitator"), one, None, " ")
        routing.take_back(acting(session, "facilitator"), one, None, "Riguarda i Lavori pubblici")
        with pytest.raises(NotFound):
            answers.save(acting(session, "office"), _reply(one))


# answering


@pytest.mark.parametrize(
    ("verdict", "state", "outcome"),
    [
        (Verdict.ACCEPTED, State.ANSWERED, Outcome.ACCEPTED),
        (Verdict.ACCEPTED_IN_PART, State.ANSWERED, Outcome.ACCEPTED_IN_PART),
        (Verdict.ALREADY_SO, State.ANSWERED, Outcome.ALREADY_SO),
        (Verdict.DECLINED, State.DECLINED, Outcome.DECLINED),
        (Verdict.PASSED_ON, State.ANSWERED, Outcome.PASSED_ON),
    ],
)
def test_each_answer_brings_its_outcome(
    database: Database, world: World, acting: Acting, verdict: Verdict, state: State, outcome: Outcome
) -> None:
    with database.writing() as session:
        one = _routed(session, acting, world)
        body = world.aler if verdict is Verdict.PASSED_ON else None
        answers.publish(acting(session, "office"), _reply(one, verdict, body_id=body))
        item = session.get_one(Contribution, one)
        assert (item.state, item.outcome, item.is_open) == (state, outcome, False)
        assert "contribution.answered" in _events(session)


def test_an_answer_to_what_is_an_action_leaves_it_one(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _routed(session, acting, world)
        with contributions.changing(acting(session, "system"), one) as item:
            contributions.move(acting(session, "system"), item, State.TAKEN_UP, Outcome.ACTION)
        answers.publish(acting(session, "office"), _reply(one))
        item = session.get_one(Contribution, one)
        assert (item.state, item.outcome) == (State.TAKEN_UP, Outcome.ACTION)


def test_a_draft_is_the_offices_own_until_published(database: Database, world: World, acting: Acting) -> None:
    with database.writing() as session:
        one = _routed(session, acting, world)
        ctx = acting(session, "office")
        first = answers.save(ctx, _reply(one))
        second = answers.save(ctx, _reply(one, Verdict.DECLINED, draft_version=1))
        assert first.id == second.id and second.version == 2
        assert answers.published(ctx, one) == []
        with pytest.raises(Conflict) as told:
            answers.save(ctx, _reply(one, draft_version=1))
        assert told.value.code == "draft_changed"
        answers.publish(ctx, _reply(one, draft_version=2))
        assert [a.verdict for a in answers.published(ctx, one)] == [Verdict.ACCEPTED]
        assert answers.draft(ctx, one, world.verde) is None


def test_clicking_publish_twice_answers_once(database: Database, world: World, acting: Acting) -> None:
    with database.writing() as session:
        one = _routed(session, acting, world)
        version = session.get_one(Contribution, one).version
        reply = Reply(one, version, Verdict.ACCEPTED, REASON)
        first = answers.publish(acting(session, "office"), reply)
    with database.writing() as session:
        assert answers.publish(acting(session, "office"), reply).id == first.id
        assert _events(session).count("contribution.answered") == 1


def test_a_corrected_answer_is_a_new_one_and_the_old_stays_readable(
    database: Database, world: World, acting: Acting, clock: FrozenClock
) -> None:
    with database.writing() as session:
        one = _routed(session, acting, world)
        answers.publish(acting(session, "office"), _reply(one, Verdict.DECLINED))
        decided = session.get_one(Contribution, one).decided_at
    clock.advance(timedelta(days=2))
    with database.writing() as session:
        answers.publish(acting(session, "office"), _reply(one, Verdict.ACCEPTED))
        found = answers.published(acting(session, "system"), one)
        assert [a.verdict for a in found] == [Verdict.ACCEPTED, Verdict.DECLINED]
        item = session.get_one(Contribution, one)
        assert (item.state, item.decided_at) == (State.ANSWERED, decided)


def test_an_answer_says_why(database: Database, world: World, acting: Acting) -> None:
    with database.writing() as session:
        one = _routed(session, acting, world)
        ctx = acting(session, "office")
        with pytest.raises(Invalid) as told:
            answers.publish(ctx, Reply(one, None, Verdict.DECLINED, "No."))
        assert (told.value.field, told.value.code) == ("reason", "too_short")
        with pytest.raises(Invalid) as told:
            answers.publish(ctx, _reply(one, Verdict.PASSED_ON))
        assert (told.value.field, told.value.code) == ("body", "choose_body")


@pytest.mark.parametrize(
    "who", ["rosa", "other_office", "facilitator", "moderator", "coordinator", "delegate"]
)
def test_nobody_answers_for_an_office_but_itself(
    database: Database, world: World, acting: Acting, who: str
) -> None:
    with database.writing() as session:
        one = _routed(session, acting, world)
        for act in (answers.save, answers.publish):
            with pytest.raises(NotFound):
                act(acting(session, who), _reply(one))


# the inbox


def test_an_office_sees_only_what_is_its_own(database: Database, world: World, acting: Acting) -> None:
    with database.writing() as session:
        mine = _routed(session, acting, world)
        hers = _say(acting(session, "system"), "Un lampione")
        routing.route(acting(session, "facilitator"), Route(hers, None, world.lavori))
        _say(acting(session, "system"), "Nessuno l'ha letta")
        ctx = acting(session, "office")
        assert [one.id for one in desk.inbox(ctx, Filters(pile=Pile.TO_ANSWER)).items] == [mine]
        assert [one.id for one in desk.inbox(ctx, Filters(pile=Pile.OPEN)).items] == [mine]
        code = session.get_one(Contribution, hers).code
        with pytest.raises(NotFound):
            desk_item.item(ctx, code)
        assert desk.counts(ctx)[Pile.TO_ANSWER] == 1
        with pytest.raises(NotFound):
            triage.note(ctx, hers, "ciao")


@pytest.mark.parametrize("who", ["rosa", "committee", "delegate", "administrator"])
def test_the_inbox_is_closed_to_others(database: Database, world: World, acting: Acting, who: str) -> None:
    with database.session() as session, pytest.raises(NotFound):
        desk.inbox(acting(session, who), Filters())


def test_pages_go_on_where_the_last_one_ended_and_back(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        ids = [_say(acting(session, "system"), f"Voce numero {n}") for n in range(desk.PER_PAGE + 5)]
        ctx, filters = acting(session, "facilitator"), Filters()
        first = desk.inbox(ctx, filters)
        second = desk.inbox(ctx, filters, after=desk.key_of(ctx, filters, first.items[-1]))
        assert [one.id for one in first.items + second.items] == ids
        assert (first.has_before, first.has_after, second.has_before, second.has_after) == (
            False,
            True,
            True,
            False,
        )
        back = desk.inbox(ctx, filters, before=desk.key_of(ctx, filters, second.items[0]))
        assert [one.id for one in back.items] == [one.id for one in first.items] and not back.has_before


def test_piles_and_filters_count_what_they_show(
    database: Database, world: World, acting: Acting, clock: FrozenClock
) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        old = _say(ctx, "Vecchia", source="prova", source_ref="1", said_at=clock.now() - timedelta(days=60))
        routed = _routed(session, acting, world, "Un orto", theme_id=world.green)
        held = _say(ctx, "Una lampada", kind=Kind.REPORT)
        triage.take(acting(session, "moderator"), held)
        closed = _routed(session, acting, world, "Fatta")
        answers.publish(acting(session, "office"), _reply(closed))
    with database.session() as session:
        ctx = acting(session, "facilitator")
        counts = desk.counts(ctx)
        shown = {
            pile: [one.id for one in desk.inbox(ctx, Filters(pile=pile)).items] for pile in desk.TEAM_PILES
        }
        assert shown == {
            Pile.OPEN: [old, routed, held], Pile.UNREAD: [old, held], Pile.HELD: [held], Pile.LATE: [old],
            Pile.ROUTED: [routed], Pile.CLOSED: [closed],
        }  # fmt: skip
        assert all(counts[pile] == len(shown[pile]) for pile in desk.TEAM_PILES if pile is not Pile.CLOSED)
        for filters, found in (
            (Filters(theme_id=world.green), [routed]),
            (Filters(kind=Kind.REPORT), [held]),
            (Filters(query="ortò"), [routed]),
            (Filters(query=session.get_one(Contribution, held).receipt_code.lower()), [held]),
            (Filters(query=session.get_one(Contribution, held).code), [held]),
            (Filters(holder_id=world.people["moderator"]), [held]),
            (Filters(office_id=world.verde), [routed]),
        ):
            assert [one.id for one in desk.inbox(ctx, filters).items] == found, filters


def test_the_open_pile_is_read_from_its_index(database: Database, world: World, acting: Acting) -> None:
    with database.session() as session:
        if database.engine.dialect.name != "sqlite":
            pytest.skip("small tables are read whole there")
        query = (
            "EXPLAIN QUERY PLAN SELECT id FROM contribution WHERE contribution.is_open"
            " ORDER BY promise_due_at, id LIMIT 30"
        )
        plan = " ".join(row[-1] for row in session.connection().exec_driver_sql(query))
        assert "ix_contribution_desk" in plan and "TEMP B-TREE" not in plan


def test_twins_are_offered_the_most_alike_first(database: Database, world: World, acting: Acting) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        one = _say(ctx, "Vorrei una fontanella nel parco vicino ai giochi", place_id=world.park)
        twin = _say(ctx, "Manca una fontanella al parco, vicino ai giochi", place_id=world.park)
        _say(ctx, "L'ascensore della scala B è rotto")
        private = _say(ctx, "Una fontanella nel parco vicino ai giochi", visibility=Visibility.PRIVATE)
        found = [
            c.id for c in desk_alike.alike(acting(session, "facilitator"), session.get_one(Contribution, one))
        ]
        assert found == [twin] and private not in found


def test_a_bulk_act_does_what_it_can_and_says_what_not(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        ids = [_say(acting(session, "system"), f"Voce {n}") for n in range(3)]
        triage.take(acting(session, "moderator"), ids[1])
        codes = [session.get_one(Contribution, one).code for one in ids]
    with database.writing() as session:
        ctx = acting(session, "facilitator")
        chosen = dict.fromkeys(codes, 1) | {"PR999": 1}
        result = desk.in_bulk(
            ctx, chosen, lambda item, version: triage.set_theme(ctx, item.id, world.green, version)
        )
        assert result.done == [codes[0], codes[2]]
        assert result.refused == [("PR999", "already_gone"), (codes[1], "changed_meanwhile")]
        themes = select(Contribution.theme_id).order_by(Contribution.id)
        assert list(session.execute(themes).scalars()) == [world.green, None, world.green]


def test_who_comes_second_hears_what_the_first_one_did(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _say(acting(session, "system"))
        routing.route(acting(session, "moderator"), Route(one, 1, world.verde))
    with database.writing() as session, pytest.raises(Conflict) as told:
        routing.route(acting(session, "facilitator"), Route(one, 1, world.lavori))
    assert told.value.code == "changed_meanwhile"
    with database.session() as session:
        item = session.get_one(Contribution, one)
        acts = desk_item.acts_since(acting(session, "facilitator"), item, 1)
        assert [(act.entry.verb, act.name) for act in acts] == [("contribution.route", "Moderator")]


def test_two_moderators_at_once_one_acts_one_is_told(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _say(acting(session, "system"))
    outcome: list[str] = []
    start = threading.Barrier(2)

    def act(office_id: int) -> None:
        start.wait()
        try:
            with database.writing() as session:
                routing.route(acting(session, "moderator"), Route(one, 1, office_id))
            outcome.append("done")
        except LabError as error:
            outcome.append(getattr(error, "code", type(error).__name__))

    threads = [threading.Thread(target=act, args=(office,)) for office in (world.verde, world.lavori)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome) == ["changed_meanwhile", "done"]
    with database.session() as session:
        item = session.get_one(Contribution, one)
        routes = select(AuditEntry).where(AuditEntry.verb == "contribution.route")
        assert item.version == 2 and len(session.execute(routes).all()) == 1


def test_an_office_that_clicks_twice_at_the_same_moment_answers_once(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        one = _routed(session, acting, world)
        version = session.get_one(Contribution, one).version
    ids: list[int] = []
    start = threading.Barrier(2)

    def act() -> None:
        start.wait()
        with database.writing() as session:
            reply = Reply(one, version, Verdict.ACCEPTED, REASON)
            ids.append(answers.publish(acting(session, "office"), reply).id)

    threads = [threading.Thread(target=act) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 2 and len(set(ids)) == 1
    with database.session() as session:
        assert session.execute(select(func.count()).select_from(Answer)).scalar_one() == 1


RIGHTS = {
    "read": {"facilitator", "moderator"},
    "sort": {"facilitator", "moderator"},
    "keep_private": {"facilitator", "moderator"},
    "route": {"facilitator", "moderator", "coordinator"},
    "take": {"facilitator", "moderator", "coordinator"},
    "note": {"facilitator", "moderator", "coordinator"},
}


@pytest.mark.parametrize(
    "who", ["rosa", "facilitator", "moderator", "office", "coordinator", "delegate", "administrator"]
)
def test_who_may_do_what_at_the_desk(database: Database, world: World, acting: Acting, who: str) -> None:
    allowed = set()
    for act in RIGHTS:
        with database.writing() as session:
            one = _say(acting(session, "system"))
            ctx = acting(session, who)
            try:
                _try(act, ctx, one, world)
                allowed.add(act)
            except (NotFound, Denied):
                pass
            session.flush()
    assert allowed == {act for act, people in RIGHTS.items() if who in people}


def _try(act: str, ctx: Context, one: int, world: World) -> None:
    if act == "read":
        triage.read(ctx, one)
    elif act == "sort":
        triage.sort(ctx, Sort(one, None, Kind.REPORT, None, None))
    elif act == "keep_private":
        triage.keep_private(ctx, KeepPrivate(one, None))
    elif act == "route":
        routing.route(ctx, Route(one, None, world.verde))
    elif act == "take":
        triage.take(ctx, one)
    else:
        triage.note(ctx, one, "Chiamata la scala B")
