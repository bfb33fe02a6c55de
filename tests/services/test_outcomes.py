"""The kept numbers are those one would count, whatever happened in whatever order."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.kernel.errors import LabError
from lab.models.actions import Action, ActionContribution, ActionState
from lab.models.contributions import Contribution, Kind, Outcome, State
from lab.services import actions, contributions, outcomes, tally, weaving
from lab.services.actions import Adopt, Draft, Propose, Report, SendBack
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.tally import Cell, Filter, Kept
from lab.services.weaving import Unweave, Weave
from tests.services.test_actions import adopted, merged, plan, said
from tests.world import World

Acting = Callable[[Session, str], Context]


class Chance:
    """Random acts of everybody, refused ones included."""

    def __init__(self, database: Database, acting: Acting, world: World, seed: int) -> None:
        self.database, self.acting, self.world = database, acting, world
        self.dice = random.Random(seed)  # the same walk each time

    def act(self) -> None:
        acts = [
            self.say, self.say, self.decline, self.draft, self.draft, self.propose, self.propose, self.adopt,
            self.adopt, self.send_back, self.report, self.report, self.weave, self.weave, self.unweave,
            self.merge,
        ]  # fmt: skip
        with self.database.writing() as session:
            try:
                self.dice.choice(acts)(session)
            except LabError:
                session.rollback()

    def one(self, session: Session, model: type[Action] | type[Contribution]) -> int:
        ids = session.execute(select(model.id).order_by(model.id)).scalars().all()
        return self.dice.choice(ids) if ids else 0

    def office(self, session: Session, action_id: int) -> Context:
        action = session.get(Action, action_id)
        lead = action.office_id if action else 0
        return self.acting(session, "office" if lead == self.world.verde else "other_office")

    def say(self, session: Session) -> None:
        what = Placement(
            "Parole", kind=self.dice.choice(list(Kind)), theme_id=self.dice.choice([None, self.world.green])
        )
        contributions.place(self.acting(session, "system"), what)

    def decline(self, session: Session) -> None:
        ctx = self.acting(session, "system")
        with contributions.changing(ctx, self.one(session, Contribution)) as item:
            item.office_id = self.dice.choice([self.world.verde, self.world.lavori])
            contributions.move(ctx, item, State.DECLINED, Outcome.DECLINED)

    def draft(self, session: Session) -> None:
        lead = self.dice.choice([self.world.verde, self.world.lavori])
        chosen = (self.one(session, Contribution), self.one(session, Contribution))
        actions.draft(self.acting(session, "facilitator"), Draft(plan(self.world, office_id=lead), chosen))

    def propose(self, session: Session) -> None:
        actions.propose(self.acting(session, "facilitator"), Propose(self.one(session, Action)))

    def adopt(self, session: Session) -> None:
        chosen = self.one(session, Action)
        actions.adopt(self.office(session, chosen), Adopt(chosen, under_way=self.dice.random() < 0.5))

    def send_back(self, session: Session) -> None:
        chosen = self.one(session, Action)
        actions.send_back(self.office(session, chosen), SendBack(chosen, None, "No"))

    def report(self, session: Session) -> None:
        chosen = self.one(session, Action)
        state = self.dice.choice(actions.REPORTABLE)
        actions.report(self.office(session, chosen), Report(chosen, "Ecco", state=state))

    def weave(self, session: Session) -> None:
        ctx = self.acting(session, "moderator")
        weaving.weave(ctx, Weave(self.one(session, Action), (self.one(session, Contribution),)))

    def unweave(self, session: Session) -> None:
        ctx = self.acting(session, "moderator")
        ties = session.execute(select(ActionContribution)).scalars().all()
        if ties:
            tie = self.dice.choice(ties)
            weaving.unweave(ctx, Unweave(tie.action_id, tie.contribution_id, "No"))

    def merge(self, session: Session) -> None:
        source, target = self.one(session, Contribution), self.one(session, Contribution)
        into = session.get(Contribution, target)
        if source != target and into is not None and into.merged_into_id is None:
            merged(session, self.acting(session, "system"), source, target)


def counted(ctx: Context) -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for item in ctx.session.execute(select(Contribution)).scalars():
        found[tuple(contributions.tally_key(ctx, item).values())] += 1
    return found


def _wishes(cells: list[Cell]) -> list[Filter]:
    """Every combination of period, theme, office and kind."""
    months = sorted({cell.month for cell in cells})
    periods = [(None, None), (months[len(months) // 2], None), (months[0], months[-1])]
    themes: list[int | None] = [None, *{cell.theme_id for cell in cells}]
    offices: list[int | None] = [None, *{cell.office_id for cell in cells}]
    return [
        Filter(*period, theme, office, kind)
        for period in periods
        for theme in themes
        for office in offices
        for kind in (None, Kind.REPORT)
    ]


def _the_page_says_what_the_cells_say(ctx: Context, cells: list[Cell]) -> None:
    for wish in _wishes(cells):
        chosen = tally.cells(ctx, wish)
        assert chosen == [cell for cell in cells if _fits(cell, wish)]
        found = tally.overview(ctx, wish)
        asking = [cell for cell in chosen if cell.state is not State.WITHDRAWN]
        assert found.total == sum(cell.count for cell in chosen)
        assert found.withdrawn == found.total - sum(cell.count for cell in asking)
        assert dict(found.themes) == _grouped([(cell.theme_id, cell) for cell in asking])
        assert dict(found.offices) == _grouped([(cell.office_id, cell) for cell in asking])
        by_month = _grouped([(cell.month, cell) for cell in asking])
        assert {month: kept for month, kept in found.months if kept.total} == by_month
        assert found.kept == _grouped([(0, cell) for cell in asking]).get(0, Kept())
        for state in State:
            assert found.states.get(state, 0) == sum(cell.count for cell in chosen if cell.state is state)


def _fits(cell: Cell, wish: Filter) -> bool:
    return (
        (wish.since is None or cell.month >= wish.since)
        and (wish.until is None or cell.month <= wish.until)
        and (wish.theme_id is None or cell.theme_id == wish.theme_id)
        and (wish.office_id is None or cell.office_id == wish.office_id)
        and (wish.kind is None or cell.kind is wish.kind)
    )


def _grouped(cells: list[tuple[object, Cell]]) -> dict[object, Kept]:
    counts: dict[object, Counter[str]] = {}
    for group, cell in cells:
        counts.setdefault(group, Counter())[cell.timeliness] += cell.count
    return {group: Kept(count["in_time"], count["late"], count["open"]) for group, count in counts.items()}


@pytest.mark.parametrize("seed", range(4))
def test_after_anything_the_tally_equals_a_recount(
    database: Database, acting: Acting, world: World, clock: FrozenClock, seed: int
) -> None:
    chance = Chance(database, acting, world, seed)
    for _ in range(70):
        chance.act()
        clock.advance(timedelta(hours=chance.dice.randint(1, 90)))
    with database.session() as session:
        ctx = acting(session, "system")
        cells = tally.cells(ctx, Filter())
        kept = {(c.month, c.kind, c.theme_id, c.office_id, c.state, c.timeliness): c.count for c in cells}
        assert kept == dict(counted(ctx))
        _the_page_says_what_the_cells_say(ctx, cells)
        for item in session.execute(select(Contribution)).scalars():
            states = session.execute(
                select(Action.state)
                .join(ActionContribution, ActionContribution.action_id == Action.id)
                .where(ActionContribution.contribution_id == item.id, Action.is_public)
            ).scalars().all()  # fmt: skip
            if item.state is not State.MERGED:
                done = bool(states) and all(state is ActionState.DONE for state in states)
                assert (item.state is State.DONE) == done
                assert (item.state is State.TAKEN_UP) == (bool(states) and not done)
        ties = select(ActionContribution.action_id, func.count()).group_by(ActionContribution.action_id)
        numbers = {row[0]: row[1] for row in session.execute(ties)}
        for action in session.execute(select(Action)).scalars():
            assert action.contributions_count == numbers.get(action.id, 0)


def test_filters_add_up_and_late_ones_are_counted(
    database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    adopted(database, acting, world, count=3)
    with database.writing() as session:
        ctx = acting(session, "system")
        contributions.place(ctx, Placement("Un lampione", kind=Kind.REPORT, theme_id=world.green))
    clock.advance(timedelta(days=45))
    with database.writing() as session:
        said(acting(session, "system"))
    with database.session() as session:
        ctx = acting(session, "rosa")
        everything = tally.overview(ctx, Filter())
        assert everything.total == 5
        assert (everything.kept.in_time, everything.kept.late, everything.kept.open) == (3, 0, 2)
        assert [month.month for month, _kept in everything.months] == [11, 12, 1]
        parts = [tally.overview(ctx, Filter(theme_id=theme)).total for theme in (0, world.green)]
        assert parts == [4, 1]
        assert tally.overview(ctx, Filter(kind=Kind.REPORT)).total == 1
        assert outcomes.late(ctx, Filter()).count == 1
        assert outcomes.late(ctx, Filter(kind=Kind.PROPOSAL)).count == 0
        told = outcomes.latest(ctx, limit=2)
        assert len(told) == 1  # three inputs, one action: told once
        assert told[0].action_title == "Tre fontanelle al parco"
        assert told[0].office == "Servizio Verde e Ambiente"
        # Of a year gone by, and of one theme or office: the same few, found on another way.
        this_year = Filter(since=date(2026, 1, 1), until=date(2026, 12, 1))
        assert [one.action_title for one in outcomes.latest(ctx, wish=this_year)] == [told[0].action_title]
        assert outcomes.late(ctx, this_year).count == 1
        assert outcomes.latest(ctx, wish=Filter(since=date(2025, 1, 1), until=date(2025, 12, 1))) == []
        assert outcomes.latest(ctx, wish=Filter(theme_id=world.green)) == []
        assert outcomes.late(ctx, Filter(theme_id=world.green)).count == 1


def test_what_is_taken_back_within_a_transaction_is_not_counted(
    database: Database, acting: Acting, world: World
) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        contributions.place(ctx, Placement("Una panchina"))
        with pytest.raises(LookupError), session.begin_nested():
            contributions.place(ctx, Placement("Un doppione"))
            raise LookupError
    with pytest.raises(LookupError), database.writing() as session:
        contributions.place(acting(session, "system"), Placement("Mai detta"))
        raise LookupError
    with database.writing() as session:
        contributions.place(acting(session, "system"), Placement("Una fontana"))
    with database.session() as session:
        assert tally.overview(acting(session, "rosa"), Filter()).total == 2
