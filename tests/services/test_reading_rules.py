"""Lists and single things agree: who may see one by the rule finds it in the list, and nobody else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload

from lab.db.engine import Database
from lab.models.actions import Action, ActionKind, ActionState
from lab.models.capture import Commitment
from lab.models.contributions import Contribution, Visibility
from lab.models.events import Event
from lab.policy import rules, visibility
from lab.policy.actor import ANONYMOUS, SYSTEM, Actor
from lab.policy.permissions import Permission
from lab.services import contributions
from lab.services.context import Context
from lab.services.contributions import Placement
from tests.meetings import make_event
from tests.world import NOW, World

TWINS: dict[Permission, Callable[[Actor], ColumnElement[bool]]] = {
    Permission.CONTRIBUTION_READ: visibility.readable_contributions,
    Permission.CONTRIBUTION_WORK: visibility.workable_contributions,
    Permission.ACTION_READ: visibility.readable_actions,
    Permission.EVENT_EDIT: visibility.editable_events,
    Permission.COMMITMENT_UPDATE: visibility.answerable_commitments,
}
OF: dict[Permission, Any] = {
    Permission.CONTRIBUTION_READ: Contribution,
    Permission.CONTRIBUTION_WORK: Contribution,
    Permission.ACTION_READ: Action,
    Permission.EVENT_EDIT: Event,
    Permission.COMMITMENT_UPDATE: Commitment,
}


def _fill(session: Session, world: World) -> None:
    """One of each that differs for the rules."""
    ctx = Context(session, SYSTEM, NOW)
    offices = (None, world.verde, world.lavori)
    for seen, office in product(Visibility, offices):
        one = contributions.place(ctx, Placement(text="Una panchina", person_id=world.people["rosa"]))
        with contributions.changing(ctx, one.id) as item:
            item.visibility, item.office_id = seen, office
    for number, (state, office) in enumerate(product(ActionState, (world.verde, world.lavori))):
        session.add(
            Action(
                code=f"A{number}", title="Una", aim="x", kind=ActionKind.WORK, state=state, office_id=office,
                created_at=NOW, updated_at=NOW,
            )
        )  # fmt: skip
    for number, who in enumerate(("facilitator", "office", "delegate", "rosa")):
        make_event(session, world, host=who, code=f"EV9{number}", starts_at=NOW + timedelta(days=number))
    for number, owner in enumerate(
        ({"office_id": world.verde}, {"body_id": world.aler}, {"owner_name": "Ada"})
    ):
        session.add(Commitment(code=f"IM{number}", text="Fare", created_at=NOW, **owner))


def _everybody(world: World) -> Iterator[tuple[str, Actor]]:
    yield "nobody", ANONYMOUS
    yield "system", SYSTEM
    for who in world.people:
        yield who, world.actor(who)


def test_lists_show_to_each_what_the_rules_show_them_one_by_one(database: Database, world: World) -> None:
    with database.writing() as session:
        _fill(session, world)
    with database.session() as session:
        for permission, twin in TWINS.items():
            model = OF[permission]
            query = select(model).options(*([selectinload(Event.hosts)] if model is Event else []))
            rows = session.execute(query).scalars().all()
            for who, actor in _everybody(world):
                by_rule = {row.id for row in rows if rules.decide(actor, permission, row, NOW).allowed}
                in_list = set(session.execute(select(model.id).where(twin(actor))).scalars())
                assert in_list == by_rule, (permission, who)
