"""What the holder of a receipt code reads, in every state an input can be in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.kernel.errors import NotFound
from lab.kernel.ids import format_receipt_code, new_receipt_code
from lab.models.actions import Action, ActionContribution, ActionKind, ActionState
from lab.models.answers import Answer, Verdict
from lab.models.contributions import Contribution, Outcome, Proposal, State, StepKind, Visibility
from lab.models.moderation import ModerationAct
from lab.policy.actor import ANONYMOUS
from lab.services import contributions, receipts
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.receipts import Receipt
from tests.statements import statements
from tests.world import NOW, World

Acting = Callable[[Session, str], Context]


def placed(
    database: Database, acting: Acting, text: str = "Il lampione è spento", **more: object
) -> Contribution:
    with database.writing() as session:
        return contributions.place(
            acting(session, "system"), Placement(text=text, author_name="Nadia", **more)
        )  # type: ignore[arg-type]


def look(database: Database, code: str, clock: FrozenClock) -> Receipt:
    with database.session() as session:
        return receipts.read(Context(session, ANONYMOUS, clock.now()), code)


def change(database: Database, acting: Acting, item: Contribution, work: Callable[..., None]) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        with contributions.changing(ctx, item.id) as it:
            work(ctx, it)


def add_answer(database: Database, item: Contribution, world: World, published: bool = True) -> None:
    with database.writing() as session:
        session.add(
            Answer(
                contribution_id=item.id, office_id=world.lavori, verdict=Verdict.DECLINED,
                reason="Costa troppo.", created_at=NOW, published_at=NOW if published else None,
            )
        )  # fmt: skip


def add_action(database: Database, item: Contribution, world: World, state: ActionState) -> None:
    with database.writing() as session:
        action = Action(
            code=f"A-{state}", title="Nuova luce", kind=ActionKind.WORK, state=state, office_id=world.lavori,
            created_at=NOW, updated_at=NOW, adopted_at=NOW, due_on=date(2027, 3, 1), progress=20,
        )  # fmt: skip
        session.add(action)
        session.flush()
        session.add(ActionContribution(action_id=action.id, contribution_id=item.id, at=NOW))


def test_a_fresh_receipt_says_by_when_and_nothing_personal(
    database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    item = placed(database, acting)
    seen = look(database, item.receipt_code, clock)
    assert (seen.state, seen.number, seen.is_overdue) == (State.RECEIVED, item.code, False)
    assert seen.promise_due_at == NOW + timedelta(days=30)
    assert [step.kind for step in seen.steps] == [StepKind.SAID]
    assert "Nadia" not in repr(seen)


def test_however_the_code_is_written_it_is_the_same_receipt(
    database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    item = placed(database, acting)
    for written in (
        format_receipt_code(item.receipt_code).lower(),
        f"  {item.receipt_code[:4]} {item.receipt_code[4:]} ",
    ):
        assert look(database, written, clock).code == item.receipt_code


def test_unknown_and_misspelt_codes_find_nothing(
    database: Database, world: World, clock: FrozenClock
) -> None:
    for written in (new_receipt_code(), "ABCD-EFGH", "", "x" * 5000, "'; DROP TABLE"):
        with pytest.raises(NotFound):
            look(database, written, clock)


def test_a_broken_promise_is_said(
    database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    item = placed(database, acting)
    clock.advance(timedelta(days=30))
    assert not look(database, item.receipt_code, clock).is_overdue
    clock.advance(timedelta(days=1))
    assert look(database, item.receipt_code, clock).is_overdue


def test_the_office_and_its_answer_are_shown_once_published(
    database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    item = placed(database, acting)
    add_answer(database, item, world, published=False)
    assert look(database, item.receipt_code, clock).reply is None

    def decline(ctx: Context, it: Contribution) -> None:
        it.office_id = world.lavori
        contributions.move(ctx, it, State.DECLINED, Outcome.DECLINED)
        contributions.add_step(ctx, it, StepKind.ANSWERED, office_id=world.lavori)

    with database.writing() as session:
        session.query(Answer).update({"published_at": NOW})
    change(database, acting, item, decline)
    seen = look(database, item.receipt_code, clock)
    assert seen.reply is not None
    assert (seen.reply.verdict, seen.reply.reason) == (Verdict.DECLINED, "Costa troppo.")
    assert seen.office == seen.reply.office == "Settore Lavori Pubblici"
    assert seen.timeliness == "in_time"


def test_only_adopted_actions_are_shown(
    database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    item = placed(database, acting)
    add_action(database, item, world, ActionState.PROPOSED)
    add_action(database, item, world, ActionState.UNDER_WAY)
    seen = look(database, item.receipt_code, clock)
    assert [(one.state, one.progress, one.office) for one in seen.actions] == [
        (ActionState.UNDER_WAY, 20, "Settore Lavori Pubblici")
    ]


def test_a_merged_input_tells_the_fate_of_the_one_it_lives_on_in(
    database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    first, second, last = (placed(database, acting, text) for text in ("Uno", "Due", "Tre"))
    for source, target in ((first, second), (second, last)):

        def merge(ctx: Context, it: Contribution, target: Contribution = target) -> None:
            contributions.move(ctx, it, State.MERGED, Outcome.MERGED)
            it.merged_into_id = target.id
            contributions.add_step(ctx, it, StepKind.MERGED, other_id=target.id)

        change(database, acting, source, merge)
    add_answer(database, last, world)
    add_action(database, last, world, ActionState.DONE)

    def finish(ctx: Context, it: Contribution) -> None:
        contributions.move(ctx, it, State.TAKEN_UP, Outcome.ACTION)
        contributions.add_step(ctx, it, StepKind.TOOK_IN, text="parole di altri")
        contributions.add_step(ctx, it, StepKind.WOVEN)
        contributions.move(ctx, it, State.DONE, Outcome.ACTION)

    change(database, acting, last, finish)
    seen = look(database, first.receipt_code, clock)
    assert (seen.state, seen.standing) == (State.MERGED, State.DONE)
    assert (seen.merged_code, seen.merged_title) == (last.code, "Tre")
    assert seen.reply is not None
    assert len(seen.actions) == 1
    kinds = [(step.kind, step.borrowed) for step in seen.steps]
    assert (StepKind.MERGED, False) in kinds
    assert (StepKind.WOVEN, True) in kinds
    assert StepKind.TOOK_IN not in [kind for kind, _ in kinds]
    assert seen.excerpt == "Uno"


def test_nothing_is_told_of_a_twin_that_is_not_public(
    database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    item, twin = placed(database, acting), placed(database, acting, "Segreto", visibility=Visibility.PRIVATE)

    def merge(ctx: Context, it: Contribution) -> None:
        contributions.move(ctx, it, State.MERGED, Outcome.MERGED)
        it.merged_into_id = twin.id

    change(database, acting, item, merge)
    add_answer(database, twin, world)
    seen = look(database, item.receipt_code, clock)
    assert "Segreto" not in repr(seen)
    assert seen.reply is None
    assert seen.merged_code is None


def test_hidden_withdrawn_private_and_waiting_inputs_say_so(
    database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    hidden, withdrawn = placed(database, acting), placed(database, acting)
    private = placed(database, acting, visibility=Visibility.PRIVATE)
    waiting = placed(database, acting, visibility=Visibility.WAITING)
    change(database, acting, hidden, lambda _ctx, it: setattr(it, "visibility", Visibility.HIDDEN))
    change(database, acting, withdrawn, lambda ctx, it: contributions.move(ctx, it, State.WITHDRAWN))
    with database.writing() as session:
        session.add(ModerationAct(contribution_id=hidden.id, act="hide", reason="C'era un telefono.", at=NOW))
        session.get_one(Proposal, withdrawn.id).withdrawn_reason = "L'hanno già fatto."
    seen = look(database, hidden.receipt_code, clock)
    assert (seen.visibility, seen.hidden_reason, seen.is_public) == (
        Visibility.HIDDEN, "C'era un telefono.", False,
    )  # fmt: skip
    assert look(database, withdrawn.receipt_code, clock).withdrawn_reason == "L'hanno già fatto."
    assert look(database, private.receipt_code, clock).visibility is Visibility.PRIVATE
    assert look(database, waiting.receipt_code, clock).visibility is Visibility.WAITING


def test_reading_a_receipt_asks_the_database_three_times(
    database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    item = placed(database, acting)
    add_answer(database, item, world)
    add_action(database, item, world, ActionState.UNDER_WAY)
    with statements(database) as seen:
        look(database, item.receipt_code, clock)
    assert len(seen) == 3
