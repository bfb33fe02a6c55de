"""Writing down what is said at a meeting: an input from the first moment, once, whoever sends it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.capture import EventPart, EventRemark, PartKind, Priority, RemarkForm
from lab.models.contributions import (
    Channel,
    Contribution,
    ContributionProject,
    ContributionVersion,
    Kind,
    State,
    Visibility,
)
from lab.models.events import Event, EventKind, EventState
from lab.models.pictures import Photo
from lab.models.rooms import RoomQuestion
from lab.services import capture, capture_kinds, capture_parts, capture_questions, desk, event_plan, photos
from lab.services.capture import Line
from lab.services.photos import StoredPhoto
from tests.meetings import make_event
from tests.world import NOW, World

Acting = Callable[..., Any]
YESTERDAY = NOW - timedelta(days=1)


@pytest.fixture
def session(database: Database, world: World) -> Any:
    with database.writing() as session:
        yield session


@pytest.fixture
def event(session: Session, world: World) -> Event:
    """A planning for real that began an hour ago."""
    return make_event(
        session, world, kind=EventKind.PLANNING_FOR_REAL, starts_at=NOW - timedelta(hours=1), minutes=120
    )


def card(event: Event, text: str = "Una panchina", **more: Any) -> Line:
    return Line(event.id, "carte", text, **{"idempotency_key": f"key of {text}", **more})


def test_a_card_is_an_input_of_the_desk_at_once(
    session: Session, world: World, event: Event, acting: Acting
) -> None:
    ctx = acting(session, "facilitator")
    found = capture.write(
        ctx, card(event, place_id=world.park, count=7, priority=Priority.NOW, self_help=True)
    )
    one = found.contribution
    assert (one.kind, one.channel, one.event_id) == (Kind.REMARK, Channel.PLANNING_FOR_REAL, event.id)
    assert (one.supports_count, one.typed_by_id) == (7, world.people["facilitator"])
    remark = session.get(EventRemark, one.id)
    assert remark is not None
    assert (remark.form, remark.count, remark.priority) == (RemarkForm.CARD, 7, Priority.NOW)
    assert remark.self_help
    spoken_of = select(ContributionProject.project_id).where(ContributionProject.contribution_id == one.id)
    assert list(session.execute(spoken_of).scalars()) == [world.project]
    assert one.code in [item.code for item in desk.inbox(ctx, desk.Filters()).items]


def test_the_same_line_twice_is_one(session: Session, event: Event, acting: Acting) -> None:
    ctx = acting(session, "facilitator")
    first = capture.write(ctx, card(event, count=2))
    again = capture.write(ctx, card(event, count=2, said_at=NOW))
    assert again.again
    assert again.contribution.id == first.contribution.id
    assert session.execute(select(func.count(EventRemark.contribution_id))).scalar() == 1


def test_the_same_key_with_other_words_is_refused(session: Session, event: Event, acting: Acting) -> None:
    ctx = acting(session, "facilitator")
    capture.write(ctx, card(event))
    with pytest.raises(Conflict, match="same_id_other_content"):
        capture.write(ctx, replace(card(event), text="Un'altra cosa"))
    # A colleague's key is another key, even when it reads the same.
    assert not capture.write(acting(session, "moderator"), card(event)).again


def test_who_neither_hosts_nor_belongs_to_the_team_finds_nothing(
    session: Session, event: Event, acting: Acting
) -> None:
    for who in ("rosa", "office", "delegate", "administrator", "coordinator"):
        with pytest.raises(NotFound):
            capture.write(acting(session, who), card(event))
        with pytest.raises(NotFound):
            capture.meeting(acting(session, who), event.code)


def test_an_office_that_hosts_writes_at_its_own_meeting(
    session: Session, world: World, acting: Acting
) -> None:
    event = make_event(session, world, host="office", kind=EventKind.SITE_MEETING, starts_at=YESTERDAY)
    found = capture.write(acting(session, "office"), Line(event.id, "osservazioni", "La rete è rotta"))
    assert found.contribution.channel is Channel.SITE_MEETING


def test_what_cannot_be_is_refused_with_the_field(session: Session, event: Event, acting: Acting) -> None:
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"text": "  "}, "text"),
        ({"text": "a" * 5001}, "text"),
        ({"count": 0}, "count"),
        ({"place_id": 9999}, "place"),
        ({"way": "tappe"}, "way"),
        ({"author_name": "a" * 61}, "author_name"),
    )
    for changes, field in wrong:
        with pytest.raises(Invalid) as refused:
            capture.write(acting(session, "facilitator"), replace(card(event), **changes))
        assert refused.value.field == field


def test_nothing_is_written_at_a_cancelled_meeting(session: Session, event: Event, acting: Acting) -> None:
    event.state = EventState.CANCELLED
    session.flush()
    with pytest.raises(Conflict, match="event_cancelled"):
        capture.write(acting(session, "facilitator"), card(event))


def test_the_hour_of_a_phone_counts_only_during_the_meeting(
    session: Session, event: Event, acting: Acting
) -> None:
    ctx = acting(session, "facilitator")
    during = NOW - timedelta(minutes=20)
    assert capture.write(ctx, card(event, "uno", said_at=during)).contribution.created_at == during
    a_day_wrong = NOW - timedelta(days=1)
    assert capture.write(ctx, card(event, "due", said_at=a_day_wrong)).contribution.created_at == NOW
    event.starts_at = NOW - timedelta(days=3)
    session.flush()
    late = capture.write(ctx, card(event, "tre")).contribution
    assert late.created_at == event.starts_at + timedelta(minutes=event.minutes)


def test_a_stop_has_its_photograph_and_passes_to_its_office(
    session: Session, world: World, acting: Acting
) -> None:
    ctx = acting(session, "facilitator")
    walk = make_event(session, world, kind=EventKind.WALK, starts_at=NOW - timedelta(hours=1))
    stop = capture_parts.save(
        ctx, capture_parts.Part(walk.id, PartKind.STOP, "Davanti alla scuola", place_id=world.park)
    )
    again = capture_parts.save(ctx, capture_parts.Part(walk.id, PartKind.STOP, "Davanti alla scuola"))
    assert again.id == stop.id
    one = capture.write(
        ctx,
        Line(
            walk.id, "tappe", "Il lampione è spento", part="davanti alla SCUOLA", office_id=world.verde,
            photos=(StoredPhoto("a" * 32, 800, 600, (320, 800)),), photo_digests=("x",),
        ),
    ).contribution  # fmt: skip
    assert (one.office_id, one.state, one.photos_count) == (world.verde, State.IN_REVIEW, 1)
    assert len(photos.of_contribution(ctx, one.id)) == 1
    remark = session.get(EventRemark, one.id)
    assert remark is not None
    assert remark.part_id == stop.id


def test_two_people_at_one_report_lose_nothing(session: Session, world: World, acting: Acting) -> None:
    ctx = acting(session, "facilitator")
    event = make_event(session, world, starts_at=YESTERDAY)
    group = capture_parts.save(ctx, capture_parts.Part(event.id, PartKind.GROUP, "Giochi"))
    seen = group.version
    mine = capture_parts.Part(event.id, PartKind.GROUP, "Giochi", group.id, seen, report="Due scivoli")
    capture_parts.save(ctx, mine)
    with pytest.raises(Conflict, match="changed_meanwhile"):
        capture_parts.save(acting(session, "moderator"), replace(mine, report="Un'altalena"))
    anew = replace(mine, part_id=None, version=None)
    assert capture_parts.save(ctx, anew).id == group.id
    with pytest.raises(Invalid, match="name_taken"):
        capture_parts.save(acting(session, "moderator"), replace(anew, report="Un'altalena"))
    kept = session.get(EventPart, group.id)
    assert kept is not None
    assert kept.report == "Due scivoli"


def test_a_slip_of_the_pen_is_put_right_and_the_hands_follow(
    session: Session, event: Event, acting: Acting
) -> None:
    ctx = acting(session, "facilitator")
    one = capture.write(ctx, card(event, "Una panchna", count=3)).contribution
    fixed = capture.correct(
        ctx, capture.Correction(one.id, one.version, "Una panchina", count=5, priority=Priority.SOON)
    )
    assert (fixed.text, fixed.excerpt, fixed.supports_count) == ("Una panchina", "Una panchina", 5)
    before = session.execute(select(ContributionVersion)).scalar_one()
    assert before.text == "Una panchna"
    with pytest.raises(Conflict, match="changed_meanwhile"):
        capture.correct(ctx, capture.Correction(one.id, 1, "Tardi"))


def test_a_question_has_a_day_and_then_a_signed_answer(
    session: Session, event: Event, acting: Acting
) -> None:
    ctx = acting(session, "facilitator")
    line = Line(event.id, "domande", "Quando apre il parco?", answer_due_on=date(2026, 12, 10))
    one = capture.write(ctx, line).contribution
    question = session.get(RoomQuestion, one.id)
    assert question is not None
    assert (one.kind, question.answer_due_on) == (Kind.QUESTION, date(2026, 12, 10))
    words = "Il parco apre il 21 marzo, dopo la semina."
    reply = capture_questions.Reply(one.id, one.version, words, "Servizio Verde")
    for stranger in ("moderator", "office", "rosa"):
        with pytest.raises(NotFound):
            capture_questions.answer(acting(session, stranger), reply)
    with pytest.raises(Invalid, match="signed"):
        capture_questions.answer(ctx, replace(reply, signed_as=" "))
    capture_questions.answer(ctx, reply)
    capture_questions.answer(ctx, reply)
    session.expire_all()
    assert (question.answer, question.signed_as, question.answered_at) == (words, "Servizio Verde", NOW)
    answered = session.get(Contribution, one.id)
    assert answered is not None
    assert answered.state is State.ANSWERED


def test_what_is_private_is_neither_public_nor_on_the_wall(
    session: Session, event: Event, acting: Acting
) -> None:
    one = capture.write(
        acting(session, "facilitator"), Line(event.id, "osservazioni", "Ho lo sfratto", private=True)
    ).contribution
    assert one.visibility is Visibility.PRIVATE
    assert capture_parts.on_paper(acting(session, "facilitator"), event) == {}


def test_a_sheet_sent_twice_is_on_the_page_once(session: Session, event: Event, acting: Acting) -> None:
    ctx = acting(session, "facilitator")
    name = capture_parts.sheet_name(ctx, "uuid-of-the-phone")
    assert name is not None
    for _ in range(2):
        capture_parts.add_sheet(ctx, event.id, StoredPhoto(name, 800, 600, (320, 800)))
    assert [photo.name for photo in capture_parts.sheets(ctx, event.id)] == [name]
    assert photos.readable(acting(session, "rosa"), name)
    capture_parts.remove_sheet(ctx, event.id, name)
    assert session.execute(select(func.count(Photo.id))).scalar() == 0


def test_every_kind_of_meeting_has_its_ways_and_its_usual_length() -> None:
    assert set(event_plan.USUAL) == set(EventKind)
    for kind in EventKind:
        names = [way.slug for way in capture_kinds.ways(kind)]
        assert names
        assert len(names) == len(set(names))
