"""Closing a meeting: minutes, points that become inputs, promises, and what became of everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.capture import Commitment, CommitmentState, EventRemark, RemarkForm
from lab.models.contributions import ContributionProject
from lab.models.events import Event, EventState
from lab.models.operations import OutboxItem
from lab.services import capture, commitments, event_outcome, minutes, room, weaving
from lab.services.commitments import Settle
from lab.services.minutes import Point, Promise, Write
from lab.services.weaving import Weave
from tests.meetings import make_event
from tests.services.test_actions import adopted
from tests.statements import statements
from tests.world import NOW, World

Acting = Callable[..., Any]


@pytest.fixture
def session(database: Database, world: World) -> Any:
    with database.writing() as session:
        yield session


@pytest.fixture
def event(session: Session, world: World) -> Event:
    """A meeting of yesterday in which 23 people were counted."""
    return make_event(session, world, starts_at=NOW - timedelta(days=1), sign_up_arrived=23)


def words(event: Event, **more: Any) -> Write:
    return Write(
        event.id,
        **{
            "version": 0,
            "summary": "Abbiamo scelto i giochi.",
            "text": "Si è parlato di **scivoli**.",
            "attended": 23,
            "points": (Point("Uno scivolo per i piccoli"), Point("")),
            "promises": (
                Promise("Chiedere tre prezzi", owner_name="Il comitato", due_on=date(2026, 12, 20)),
            ),
            **more,
        },
    )


def test_a_draft_begins_with_who_was_counted_and_keeps_what_is_written(
    session: Session, event: Event, acting: Acting
) -> None:
    ctx = acting(session, "facilitator")
    assert minutes.draft(ctx, event).attended == 23
    minutes.save(ctx, words(event))
    minutes.save(ctx, words(event, version=1, summary="Meglio così."))
    found = minutes.draft(ctx, event)
    assert (found.summary, found.version, len(found.points)) == ("Meglio così.", 2, 1)
    assert [one.code for one in found.promises] == ["I01"]
    with pytest.raises(Conflict, match="changed_meanwhile"):
        minutes.save(acting(session, "moderator"), words(event, version=1))
    # Nobody else reads a draft, nor its promises.
    assert event_outcome.of(ctx, event.id).is_empty


def test_publishing_closes_the_meeting_once(
    session: Session, world: World, event: Event, acting: Acting
) -> None:
    ctx = acting(session, "facilitator")
    minutes.save(ctx, words(event))
    for _ in range(2):
        minutes.publish(ctx, words(event, version=1))
    # A colleague who typed something else is told, not thanked.
    with pytest.raises(Conflict, match="already_published"):
        minutes.publish(ctx, words(event, version=1, summary="Altre parole."))
    session.expire_all()
    assert (event.state, event.attendance, event.result) == (
        EventState.HELD, 23, "Abbiamo scelto i giochi.",
    )  # fmt: skip
    point = session.execute(select(EventRemark)).scalar_one()
    assert point.form is RemarkForm.AGREED_POINT
    linked = select(ContributionProject.project_id).where(
        ContributionProject.contribution_id == point.contribution_id
    )
    assert list(session.execute(linked).scalars()) == [world.project]
    told = [item.payload for item in session.execute(select(OutboxItem)).scalars()]
    assert [one["event_id"] for one in told if one.get("event") == "minutes.published"] == [event.id]
    found = event_outcome.of(ctx, event.id)
    assert [one.words for one in found.points] == ["Uno scivolo per i piccoli"]
    assert [(one.owner, one.due_on, one.is_late) for one in found.promises] == [
        ("Il comitato", date(2026, 12, 20), False)
    ]


def test_publishing_closes_the_room_to_further_questions(
    session: Session, event: Event, acting: Acting
) -> None:
    ctx = acting(session, "facilitator")
    assert room.is_open(room.open_room(ctx, event.id))
    minutes.publish(ctx, words(event))
    assert not room.is_open(room.of(ctx, event))


def test_only_a_host_publishes_and_only_after_the_beginning(
    session: Session, world: World, event: Event, acting: Acting
) -> None:
    for who in ("moderator", "office", "coordinator", "rosa"):
        with pytest.raises(NotFound):
            minutes.publish(acting(session, who), words(event))
    with pytest.raises(NotFound):
        minutes.save(acting(session, "office"), words(event))
    hidden = make_event(session, world, code="EV93", starts_at=NOW - timedelta(days=1), is_public=False)
    with pytest.raises(Conflict, match="event_not_public"):
        minutes.publish(acting(session, "facilitator"), words(hidden))
    coming = make_event(session, world, code="EV92")
    with pytest.raises(Conflict, match="not_begun"):
        minutes.publish(acting(session, "facilitator"), words(coming))
    with pytest.raises(Conflict, match="not_published"):
        minutes.correct(acting(session, "facilitator"), words(event, note="Perché sì"))


def test_what_is_wrong_names_its_line(session: Session, event: Event, acting: Acting) -> None:
    ctx = acting(session, "facilitator")
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"promises": (Promise("Bene", owner_name="Io"), Promise("Senza nome"))}, "promises-1"),
        ({"promises": (Promise("", owner_name="Io"),)}, "promises-0"),
        ({"promises": (Promise("Prima", owner_name="Io", due_on=date(2020, 1, 1)),)}, "promises-0"),
        ({"points": (Point("x" * 1001),)}, "points-0"),
        ({"attended": -1}, "attended"),
        ({"text": "x" * 30_001}, "text"),
    )
    for changes, field in wrong:
        with pytest.raises(Invalid) as refused:
            minutes.publish(ctx, words(event, **changes))
        assert refused.value.field == field
    with pytest.raises(Invalid, match="summary"):
        minutes.publish(ctx, words(event, summary="", text=""))


def test_a_correction_leaves_the_earlier_text_to_be_read(
    session: Session, event: Event, acting: Acting
) -> None:
    ctx = acting(session, "facilitator")
    minutes.publish(ctx, words(event))
    fixed = words(event, version=1, text="Si è parlato di altalene.", points=(Point("Un'altalena"),),
                  promises=())  # fmt: skip
    with pytest.raises(Invalid, match="note"):
        minutes.correct(ctx, fixed)
    for _ in range(2):
        minutes.correct(ctx, replace(fixed, note="Erano altalene", points=fixed.points))
        fixed = replace(fixed, points=())
    before = minutes.versions(ctx, event.id)
    assert [(one.number, one.text, one.note) for one in before] == [
        (1, "Si è parlato di **scivoli**.", "Erano altalene")
    ]
    found = event_outcome.of(ctx, event.id)
    assert [one.words for one in found.points] == ["Uno scivolo per i piccoli", "Un'altalena"]
    assert (len(found.promises), found.corrected_at) == (1, NOW)


def test_a_promise_is_kept_or_late_for_everybody_to_see(
    session: Session, world: World, event: Event, acting: Acting
) -> None:
    ctx = acting(session, "facilitator")
    due = date(2026, 11, 22)
    minutes.publish(
        ctx, words(event, promises=(Promise("Tagliare l'erba", office_id=world.verde, due_on=due),))
    )
    assert [one.is_late for one in event_outcome.of(ctx, event.id).promises] == [True]
    mine = commitments.mine(acting(session, "office"))
    assert [one.text for one in mine.items] == ["Tagliare l'erba"]
    assert commitments.mine(acting(session, "other_office")).items == []
    one = mine.items[0]
    with pytest.raises(NotFound):
        commitments.settle(acting(session, "other_office"), Settle(one.id, 1, CommitmentState.KEPT))
    with pytest.raises(Invalid, match="note"):
        commitments.settle(acting(session, "office"), Settle(one.id, 1, CommitmentState.DROPPED))
    for _ in range(2):
        commitments.settle(acting(session, "office"), Settle(one.id, 1, CommitmentState.KEPT, "Fatto."))
    with pytest.raises(Conflict, match="changed_meanwhile"):
        commitments.settle(ctx, Settle(one.id, 1, CommitmentState.OPEN))
    told = event_outcome.of(ctx, event.id).promises[0]
    assert (told.state, told.note, told.is_late) == (CommitmentState.KEPT, "Fatto.", False)
    assert commitments.public_page(ctx, commitments.Wish(CommitmentState.KEPT)).items[0].code == one.code


def test_a_draft_promise_cannot_be_settled(session: Session, event: Event, acting: Acting) -> None:
    ctx = acting(session, "facilitator")
    minutes.save(ctx, words(event))
    one = session.execute(select(Commitment)).scalar_one()
    with pytest.raises(Conflict, match="minutes_not_published"):
        commitments.settle(ctx, Settle(one.id, 1, CommitmentState.KEPT))


def test_a_remark_woven_into_an_action_is_seen_on_the_page_of_the_meeting(
    database: Database, world: World, acting: Acting
) -> None:
    action = adopted(database, acting, world)
    with database.writing() as session:
        ctx = acting(session, "facilitator")
        event = make_event(session, world, starts_at=NOW - timedelta(days=1))
        said = capture.write(ctx, capture.Line(event.id, "osservazioni", "Manca l'ombra")).contribution
        weaving.weave(ctx, Weave(action.id, (said.id,)))
        minutes.publish(ctx, words(event))
        event_id = event.id
    with database.session() as session:
        ctx = acting(session, "rosa")
        with statements(database) as seen:
            found = event_outcome.of(ctx, event_id)
        assert len(seen) == 1
        [one] = found.remarks
        assert [(woven.code, woven.title) for woven in one.actions] == [(action.code, action.title)]
        assert (len(found.points), len(found.promises)) == (1, 1)
