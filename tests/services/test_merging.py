"""Merging twins, taking them apart again, dividing one in two: nobody's voice is lost or counted twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lab.db import sums
from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.kernel.errors import Conflict, Denied, Invalid, NotFound
from lab.models.contributions import (
    Contribution,
    ContributionAuthor,
    Merge,
    Outcome,
    State,
    Step,
    StepKind,
    Tally,
    Visibility,
)
from lab.models.conversation import Follow, Support
from lab.models.operations import AuditEntry, OutboxItem
from lab.services import contributions, follows, merging, supports, triage
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.merging import Split, Unite
from lab.services.tally import whole
from tests.world import NOW, World

Acting = Callable[[Session, str], Context]


def _say(ctx: Context, text: str, who: int | None = None, **more: object) -> int:
    return contributions.place(ctx, Placement(text=text, person_id=who, author_name=text[:6], **more)).id  # type: ignore[arg-type]


def _books(session: Session) -> list[tuple[object, ...]]:
    """Everything that must come back exactly: counters, states, rows, the outcome tally."""
    session.expire_all()
    sums.settle(session)
    items = session.execute(select(Contribution).order_by(Contribution.id)).scalars()
    found: list[tuple[object, ...]] = [
        (
            c.id, c.state, c.outcome, c.decided_at, c.holder_id, c.visibility, c.merged_into_id, c.is_open,
            c.is_listed, c.supports_base, c.supports_count, c.followers_count,
        )
        for c in items
    ]  # fmt: skip
    supporters = select(Support.contribution_id, Support.person_id).order_by(
        Support.contribution_id, Support.person_id
    )
    found += [("support", *row) for row in session.execute(supporters)]
    followers = select(Follow.contribution_id, Follow.person_id).order_by(
        Follow.contribution_id, Follow.person_id
    )
    found += [("follow", *row) for row in session.execute(followers)]
    authors = select(ContributionAuthor.contribution_id, ContributionAuthor.via_id).order_by(
        ContributionAuthor.contribution_id, ContributionAuthor.via_id
    )
    found += [("author", *row) for row in session.execute(authors)]
    by_state = select(Tally.state, func.sum(Tally.count)).where(*whole()).group_by(Tally.state)
    found += [("tally", *row) for row in session.execute(by_state.order_by(Tally.state)) if row[1]]
    return found


def _support(session: Session, acting: Acting, who: str, contribution_id: int) -> None:
    supports.add(acting(session, who), supports.AddSupport(contribution_id))


def test_a_twin_typed_from_paper_joins_the_one_from_the_phone(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        rosa = _say(
            acting(session), "Una panchina all'ombra", world.people["rosa"], project_ids=(world.project,)
        )
        paper = _say(
            acting(session), "Panchine al parco", project_ids=(world.other_project,), supports_base=4
        )
        _support(session, acting, "samir", paper)
    with database.writing() as session:
        merging.unite(acting(session, "facilitator"), Unite(rosa, (paper,), "Dicono la stessa cosa"))
    with database.session() as session:
        one, twin = session.get(Contribution, rosa), session.get(Contribution, paper)
        assert one is not None and twin is not None
        assert (twin.state, twin.outcome, twin.merged_into_id) == (State.MERGED, Outcome.MERGED, rosa)
        assert twin.visibility is Visibility.PUBLIC and not twin.is_listed and not twin.is_open
        assert (one.state, one.supports_count, one.supports_base) == (State.RECEIVED, 5, 4)
        assert one.followers_count == 1  # who followed the twin now follows the one that lives on
        names = session.execute(select(ContributionAuthor.name, ContributionAuthor.via_id)).all()
        assert [tuple(row) for row in names] == [("Panchi", paper)]
        kinds = session.execute(select(Step.kind, Step.other_id).where(Step.other_id.is_not(None))).all()
        assert {tuple(row) for row in kinds} == {(StepKind.MERGED, rosa), (StepKind.TOOK_IN, paper)}
        told = [row.payload["event"] for row in session.execute(select(OutboxItem)).scalars()]
        assert "contribution.merged" in told
        verbs = set(session.execute(select(AuditEntry.verb)).scalars())
        assert {"contribution.merge", "contribution.took_in"} <= verbs


def test_taking_apart_brings_back_exactly_what_was(database: Database, world: World, acting: Acting) -> None:
    with database.writing() as session:
        ctx = acting(session)
        rosa = _say(ctx, "Una panchina all'ombra", world.people["rosa"], project_ids=(world.project,))
        paper = _say(ctx, "Panchine al parco", supports_base=4, project_ids=(world.other_project,))
        triage.take(acting(session, "moderator"), paper)
        for who in ("samir", "delegate"):
            _support(session, acting, who, paper)
        _support(session, acting, "samir", rosa)
        before = _books(session)
    with database.writing() as session:
        merging.unite(acting(session, "facilitator"), Unite(rosa, (paper,), "Uguali"))
    with database.writing() as session:
        merging.separate(acting(session, "moderator"), paper, "Parlano di due parchi diversi")
        assert _books(session) == before
        merge = session.execute(select(Merge)).scalar_one()
        assert merge.undone_at is not None and merge.undone_by_id == world.people["moderator"]


def test_a_voice_given_before_becoming_co_author_no_longer_counts_and_comes_back(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        rosa = _say(acting(session), "Una panchina", world.people["rosa"])
        twins = [_say(acting(session), f"Panchine {n}", world.people["samir"]) for n in range(2)]
        _support(session, acting, "samir", rosa)
        _support(session, acting, "delegate", twins[0])
        before = _books(session)
    with database.writing() as session:
        team = acting(session, "facilitator")
        merging.unite(team, Unite(rosa, tuple(twins), "Uguali"))
        assert session.get_one(Contribution, rosa).supports_count == 1  # the delegate's, not the co-author's
        merging.separate(team, twins[0], "Diverse")
        assert session.get_one(Contribution, rosa).supports_count == 0
        merging.separate(team, twins[1], "Diverse")
    with database.writing() as session:
        assert _books(session) == before
        merges = AuditEntry.verb.like("contribution.%merge")
        reasons = select(AuditEntry.verb, AuditEntry.reason).where(merges)
        assert {tuple(row) for row in session.execute(reasons)} == {
            ("contribution.merge", "Uguali"),
            ("contribution.unmerge", "Diverse"),
        }


def test_somebody_who_supports_their_own_twin_is_not_counted_under_their_own_words(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        rosa = _say(acting(session), "Una panchina", world.people["rosa"])
        other = _say(acting(session), "Panchine", world.people["samir"])
        _support(session, acting, "rosa", other)
        merging.unite(acting(session, "facilitator"), Unite(rosa, (other,), "Uguali"))
        assert session.get_one(Contribution, rosa).supports_count == 0


@pytest.mark.parametrize("who", ["rosa", "office", "coordinator", "delegate", "administrator"])
def test_only_the_team_merges_and_divides(database: Database, world: World, acting: Acting, who: str) -> None:
    with database.writing() as session:
        one, two = _say(acting(session), "Una cosa. Un'altra."), _say(acting(session), "Due")
    with database.writing() as session, pytest.raises(NotFound):
        merging.unite(acting(session, who), Unite(one, (two,), "Uguali"))
    with database.writing() as session, pytest.raises(NotFound):
        merging.split(acting(session, who), Split(one, None, "Una cosa."))


def test_one_alone_cannot_be_merged(database: Database, world: World, acting: Acting) -> None:
    with database.writing() as session:
        one = _say(acting(session), "Una")
        with pytest.raises(Invalid) as told:
            merging.unite(acting(session, "facilitator"), Unite(one, (one,), "Uguali"))
        assert (told.value.field, told.value.code) == ("sources", "one_alone")


def test_what_is_merged_withdrawn_hidden_or_private_is_not_merged(
    database: Database, world: World, acting: Acting
) -> None:
    with database.writing() as session:
        ctx = acting(session)
        one = _say(ctx, "Una")
        gone = _say(ctx, "Due", state=State.WITHDRAWN, outcome=Outcome.WITHDRAWN, decided_at=NOW)
        hidden = _say(ctx, "Tre", visibility=Visibility.HIDDEN)
        private = _say(ctx, "Quattro", visibility=Visibility.PRIVATE)
        unread = _say(ctx, "Cinque", visibility=Visibility.WAITING)
        taken_up = _say(ctx, "Sei", state=State.TAKEN_UP, outcome=Outcome.ACTION, decided_at=NOW)
    codes = {}
    for other in (gone, hidden, private, unread, taken_up):
        with database.writing() as session, pytest.raises(Conflict) as told:
            merging.unite(acting(session, "facilitator"), Unite(one, (other,), "Uguali"))
        codes[other] = told.value.code
    assert list(codes.values()) == [
        "state_withdrawn", "hidden_first", "private_apart", "read_first", "woven_lives_on",
    ]  # fmt: skip


def test_merging_on_an_old_page_is_refused(database: Database, world: World, acting: Acting) -> None:
    with database.writing() as session:
        one, two = _say(acting(session), "Una"), _say(acting(session), "Due")
        triage.take(acting(session, "moderator"), two)
    with database.writing() as session, pytest.raises(Conflict) as told:
        merging.unite(acting(session, "facilitator"), Unite(one, (two,), "Uguali", {one: 1, two: 1}))
    assert told.value.code == "changed_meanwhile"


def test_a_chain_comes_apart_from_its_end(database: Database, world: World, acting: Acting) -> None:
    with database.writing() as session:
        a, b, c = (_say(acting(session), words) for words in ("Una", "Due", "Tre"))
        _support(session, acting, "samir", a)
        before = _books(session)
        team = acting(session, "facilitator")
        merging.unite(team, Unite(b, (a,), "Uguali"))
        merging.unite(team, Unite(c, (b,), "Uguali"))
        assert session.get_one(Contribution, c).supports_count == 1
        with pytest.raises(Conflict) as told:
            merging.separate(team, a, "Diverse")
        assert told.value.code == "undo_later_first"
        merging.separate(team, b, "Diverse")
        merging.separate(team, a, "Diverse")
        assert _books(session) == before


def test_dividing_makes_a_second_one_with_its_own_receipt_and_the_same_promise(
    database: Database, world: World, acting: Acting, clock: FrozenClock
) -> None:
    with database.writing() as session:
        origin = _say(
            acting(session), "Manca la luce. Vorrei un orto.", world.people["rosa"], place_id=world.park
        )
    clock.advance(timedelta(days=3))
    with database.writing() as session:
        split = Split(origin, 1, "Vorrei  un orto.", "Un orto", idempotency_key="k1")
        made = merging.split(acting(session, "facilitator"), split)
        again = merging.split(acting(session, "facilitator"), split)
        assert again.id == made.id
    with database.session() as session:
        new, old = session.get_one(Contribution, made.id), session.get_one(Contribution, origin)
        assert old.text == "Manca la luce. Vorrei un orto."
        assert (new.split_from_id, new.person_id, new.place_id) == (origin, world.people["rosa"], world.park)
        assert new.receipt_code != old.receipt_code and new.promise_due_at == old.promise_due_at
        assert new.state is State.IN_REVIEW
    with database.writing() as session:
        merging.unite(acting(session, "facilitator"), Unite(origin, (made.id,), "Erano una cosa sola"))
        assert session.get_one(Contribution, made.id).merged_into_id == origin


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "required"), ("Una cosa. Un'altra.", "whole"), ("Parole del facilitatore", "not_their_words")],
)
def test_dividing_takes_only_words_that_were_said(
    database: Database, world: World, acting: Acting, text: str, code: str
) -> None:
    with database.writing() as session:
        origin = _say(acting(session), "Una cosa. Un'altra.")
        with pytest.raises(Invalid) as told:
            merging.split(acting(session, "facilitator"), Split(origin, 1, text))
        assert told.value.code == code


PEOPLE = ("samir", "delegate", "committee", "administrator")
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("support"), st.sampled_from(PEOPLE), st.integers(0, 3)),
        st.tuples(st.just("follow"), st.sampled_from(PEOPLE), st.integers(0, 3)),
        st.tuples(st.just("unite"), st.integers(0, 3), st.integers(0, 3)),
        st.tuples(st.just("separate"), st.integers(0, 3), st.just(0)),
    ),
    max_size=14,
)


class Undone(Exception):
    """Nothing of one example stays for the next."""


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(first=MOVES, later=MOVES)
def test_whatever_is_merged_and_undone_counts_stay_those_of_the_rows(
    database: Database, world: World, acting: Acting, first: list[tuple[str, object, object]],
    later: list[tuple[str, object, object]],
) -> None:  # fmt: skip
    with suppress(Undone), database.writing() as session:
        ids = [_say(acting(session), f"Voce {n}", supports_base=n) for n in range(4)]
        _play(session, acting, ids, [move for move in first if move[0] in ("support", "follow")])
        session.flush()
        before = [
            row for row in _books(session) if row[0] in ids or row[0] in ("support", "follow", "author")
        ]
        _play(session, acting, ids, [move for move in later if move[0] in ("unite", "separate")])
        _counts_match(session)
        _undo_all(session, acting, ids)
        after = [row for row in _books(session) if row[0] in ids or row[0] in ("support", "follow", "author")]
        assert after == before
        _play(session, acting, ids, later)
        _counts_match(session)
        raise Undone


def _play(session: Session, acting: Acting, ids: list[int], moves: list[tuple[str, object, object]]) -> None:
    team = acting(session, "facilitator")
    for what, one, other in moves:
        try:
            with session.begin_nested():
                if what == "support":
                    _support(session, acting, str(one), ids[int(str(other))])
                elif what == "follow":
                    this = follows.FollowThis(follows.Followed.CONTRIBUTION, ids[int(str(other))])
                    follows.add(acting(session, str(one)), this)
                elif what == "unite":
                    merging.unite(team, Unite(ids[int(str(one))], (ids[int(str(other))],), "Uguali"))
                else:
                    merging.separate(team, ids[int(str(one))], "Diverse")
        except (Conflict, Denied, Invalid, NotFound):
            continue


def _undo_all(session: Session, acting: Acting, ids: list[int]) -> None:
    for _ in ids:
        _play(session, acting, ids, [("separate", n, 0) for n in range(len(ids))])


def _counts_match(session: Session) -> None:
    session.expire_all()
    for c in session.execute(select(Contribution)).scalars():
        rows = session.execute(
            select(func.count()).select_from(Support).where(Support.contribution_id == c.id)
        ).scalar_one()
        following = session.execute(
            select(func.count()).select_from(Follow).where(Follow.contribution_id == c.id)
        ).scalar_one()
        assert (c.supports_count, c.followers_count) == (rows + c.supports_base, following)
    sums.settle(session)
    total = session.execute(select(func.sum(Tally.count)).where(*whole())).scalar_one()
    assert total == session.execute(select(func.count()).select_from(Contribution)).scalar_one()
    assert not session.execute(select(Tally.id).where(Tally.count < 0)).first()
