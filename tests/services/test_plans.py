"""Lists walk an index that stands in their order: what they cost does not grow with what was ever said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.jobs import reminders
from lab.kernel.clock import FrozenClock
from lab.models.contributions import State
from lab.services import (
    contributions,
    desk,
    listing,
    outcomes,
    programme,
    projects,
    proposal_pages,
    threads,
    trace,
)
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.desk import Filters, Pile
from lab.services.listing import Wish
from lab.services.tally import Filter
from tests.world import World

Acting = Callable[[Session, str], Context]
Read = Callable[[Context, World], object]

#: What is read, and the index that it must walk without sorting.
READ: dict[str, tuple[Read, str]] = {
    "one project's inputs": (
        lambda ctx, world: listing.page(ctx, Wish(project_id=world.project)), "ix_contribution_project_newest"
    ),
    "a project's voices": (
        lambda ctx, world: projects.voices(ctx, world.project), "ix_contribution_project_newest"
    ),
    "the late ones": (lambda ctx, _world: outcomes.late(ctx, Filter()), "ix_contribution_desk"),
    "the open pile": (lambda ctx, _world: desk.inbox(ctx, Filters(pile=Pile.OPEN)), "ix_contribution_desk"),
    "what waits with an office": (
        lambda ctx, _world: programme.office_page(ctx, "U06"), "ix_contribution_office_desk"
    ),
    "whose promise is near": (
        lambda ctx, _world: reminders.remind(ctx, timedelta(minutes=15)), "ix_contribution_desk"
    ),
}  # fmt: skip


@contextmanager
def _sent(database: Database) -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        seen.append((statement, values))

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("what", READ)
def test_lists_walk_their_index(database: Database, acting: Acting, world: World, what: str) -> None:
    if not database.is_sqlite:
        pytest.skip("small tables are read whole there")
    read, index = READ[what]
    with database.session() as session:
        with _sent(database) as statements:
            read(acting(session, "facilitator"), world)
        connection = session.connection()
        plans = [
            [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
            for statement, values in statements
            if statement.startswith("SELECT")
        ]
    walked = [plan for plan in plans if any(f"INDEX {index}" in step for step in plan)]
    assert walked, plans
    assert not [step for plan in walked for step in plan if "TEMP B-TREE" in step]


def test_the_next_item_is_asked_for_with_the_same_statements(
    database: Database, acting: Acting, world: World
) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        codes = [contributions.place(ctx, Placement(f"Voce {number}")).code for number in range(2)]
    asked: list[list[object]] = []
    for code, who in zip(codes, ("rosa", "moderator"), strict=True):
        with database.session() as session:
            sent: list[object] = []
            event.listen(session, "do_orm_execute", lambda state, sent=sent: sent.append(state.statement))
            ctx = acting(session, who)
            item = proposal_pages.item(ctx, code).contribution
            trace.of_contribution(ctx, item.id)
            threads.thread(ctx, item.id)
            asked.append(sent)
    # Putting them together takes longer than sending them.
    assert all(one is other for one, other in zip(*asked, strict=True))


def test_a_project_lists_what_was_said_of_it_newest_first_page_by_page(
    database: Database, acting: Acting, world: World, clock: FrozenClock
) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        for number in range(9):
            said_at = clock.now() - timedelta(days=number // 2)  # two of each day
            mine = (world.project,) if number != 4 else ()
            contributions.place(ctx, Placement(f"Voce {number}", project_ids=mine, said_at=said_at))
        gone = contributions.place(ctx, Placement("Ritirata", project_ids=(world.project,)))
        with contributions.changing(ctx, gone.id) as changing:
            contributions.move(ctx, changing, State.WITHDRAWN)
    wish = Wish(project_id=world.project)
    with database.session() as session:
        ctx = acting(session, "rosa")
        every = listing.page(ctx, wish)
        assert [one.excerpt for one in every.items] == [f"Voce {n}" for n in (1, 0, 3, 2, 5, 7, 6, 8)]
        first = listing.page(ctx, wish, limit=3)
        second = listing.page(ctx, wish, first.items[-1].key, limit=3)
        third = listing.page(ctx, wish, second.items[-1].key, limit=3)
        assert [*first.items, *second.items, *third.items] == every.items
        assert (first.more, second.more, third.more) == (True, True, False)
        back = listing.page(ctx, wish, third.items[0].key, backwards=True, limit=3)
        assert back.items == second.items
