"""From somebody's words to what was built, and back, whoever asks."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.models.contributions import Contribution, StepKind, Visibility
from lab.services import actions, contributions, trace, weaving
from lab.services.actions import Report, SendBack
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.weaving import Weave
from tests.services.test_actions import adopted, inputs_of, merged, proposed, said
from tests.statements import statements
from tests.world import World

Acting = Callable[[Session, str], Context]


def kinds(walk: trace.Trace) -> list[tuple[str, str]]:
    return [(node.kind, node.code) for node in walk.nodes]


def test_one_walks_from_the_words_to_the_office_and_back(
    database: Database, acting: Acting, world: World
) -> None:
    action = adopted(database, acting, world, count=1)
    with database.writing() as session:
        ctx = acting(session, "system")
        words = contributions.place(
            ctx, Placement("Una fontana!", theme_id=world.green, project_ids=(world.other_project,))
        )
        weaving.weave(acting(session, "facilitator"), Weave(action.id, (words.id,)))
    with database.session() as session:
        ctx = acting(session, "rosa")
        there = trace.of_contribution(ctx, words.id)
        assert kinds(there) == [
            ("word", words.code), ("theme", "verde"), ("action", action.code), ("project", "P1"),
            ("project", "P4"), ("office", "U06"),
        ]  # fmt: skip
        assert [step.kind for step in there.steps] == [StepKind.SAID, StepKind.WOVEN, StepKind.ADOPTED]
        assert there.steps[-1].action_code == action.code
        back = trace.of_action(ctx, action.id)
        assert ("word", words.code) in kinds(back)
        assert {kind for kind, _ in kinds(back)} == {"word", "theme", "action", "project", "office"}
        project = trace.of_project(ctx, world.project)
        assert {("word", words.code), ("action", action.code), ("project", "P4")} <= set(kinds(project))


def test_merged_words_walk_on_and_are_found_again(database: Database, acting: Acting, world: World) -> None:
    action = adopted(database, acting, world)
    with database.writing() as session:
        ctx = acting(session, "system")
        [target] = inputs_of(session, action.id)
        source = said(ctx, "Anch'io ho sete")
        merged(session, ctx, source, target.id)
    with database.session() as session:
        ctx = acting(session, "rosa")
        code = session.get_one(Contribution, source).code
        walk = kinds(trace.of_contribution(ctx, source))
        assert walk[:2] == [("word", code), ("word", target.code)]
        assert ("action", action.code) in walk
        [found] = [node for node in trace.of_action(ctx, action.id).nodes if node.code == code]
        assert found.into == target.code
    with database.writing() as session, contributions.changing(acting(session, "system"), target.id) as head:
        head.visibility = Visibility.HIDDEN
    with database.session() as session:
        nodes = trace.of_action(acting(session, "rosa"), action.id).nodes
        assert [node.into for node in nodes if node.code == code] == [""]
        assert target.code not in {node.code for node in nodes}


def test_what_is_not_public_is_not_named(database: Database, acting: Acting, world: World) -> None:
    action = proposed(database, acting, world)
    with database.session() as session:
        [words] = inputs_of(session, action.id)
        walk = trace.of_contribution(acting(session, "rosa"), words.id)
        assert not walk.of("action")
        assert walk.steps[-1].kind is StepKind.WOVEN
        assert walk.steps[-1].action_code == ""
    with database.writing() as session:
        actions.send_back(acting(session, "office"), SendBack(action.id, None, "No"))
    other = adopted(database, acting, world)
    with database.writing() as session:
        ctx = acting(session, "system")
        hidden = said(ctx, "Dati miei")
        weaving.weave(acting(session, "facilitator"), Weave(other.id, (hidden,)))
        with contributions.changing(ctx, hidden) as contribution:
            contribution.visibility = Visibility.PRIVATE
    with database.session() as session:
        walk = trace.of_action(acting(session, "rosa"), other.id)
        assert hidden not in {node.id for node in walk.of("word")}


def test_a_walk_is_one_statement_however_much_hangs_on_it(
    database: Database, acting: Acting, world: World
) -> None:
    action = adopted(database, acting, world, count=12)
    with database.writing() as session:
        actions.report(acting(session, "office"), Report(action.id, "Avanti"))
    with database.session() as session:
        ctx = acting(session, "rosa")
        first = inputs_of(session, action.id)[0].id
        with statements(database) as seen:
            trace.of_contribution(ctx, first)
            trace.of_action(ctx, action.id)
            trace.of_project(ctx, world.project)
    assert len(seen) == 3
