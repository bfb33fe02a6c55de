"""Flags: once per person, and enough different people put a text aside until a moderator looks."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.errors import Conflict, NotFound
from lab.models.contributions import Contribution, Step, StepKind, Visibility
from lab.models.conversation import Comment
from lab.models.moderation import Flag, FlagReason, ModerationAct
from lab.models.operations import OutboxItem
from lab.policy.actor import ANONYMOUS
from lab.services import contributions, conversation, flags
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.conversation import WriteComment
from lab.services.flags import RaiseFlag
from tests.world import NOW, World

Acting = Callable[[Session, str], Context]
CROWD = ("samir", "committee", "delegate")


@pytest.fixture
def item(database: Database, acting: Acting, world: World) -> int:
    with database.writing() as session:
        placed = contributions.place(
            acting(session, "rosa"), Placement(text="Parole dure", person_id=world.people["rosa"])
        )
        return placed.id


@pytest.fixture
def comment(database: Database, acting: Acting, item: int) -> int:
    with database.writing() as session:
        return conversation.write(acting(session, "rosa"), WriteComment(item, "Parole durissime")).id


def flag(database: Database, acting: Acting, who: str, command: RaiseFlag) -> Flag:
    with database.writing() as session:
        ctx = Context(session, ANONYMOUS, NOW) if who == "nobody" else acting(session, who)
        return flags.raise_flag(ctx, command)


def events(database: Database) -> list[str]:
    with database.session() as session:
        return [row.payload.get("event", "") for row in session.execute(select(OutboxItem)).scalars()]


def test_the_same_person_flags_a_text_once(database: Database, acting: Acting, item: int) -> None:
    flag(database, acting, "samir", RaiseFlag(FlagReason.HARASSMENT, contribution_id=item))
    with pytest.raises(Conflict, match="flagged_already"):
        flag(database, acting, "samir", RaiseFlag(FlagReason.SPAM, contribution_id=item))


def test_a_second_sending_of_the_same_page_is_the_same_flag(
    database: Database, acting: Acting, item: int
) -> None:
    command = RaiseFlag(FlagReason.SPAM, contribution_id=item, idempotency_key="once")
    first = flag(database, acting, "nobody", command)
    assert flag(database, acting, "nobody", command).id == first.id


def test_enough_different_people_put_an_input_aside(database: Database, acting: Acting, item: int) -> None:
    for who in CROWD[:2]:
        flag(database, acting, who, RaiseFlag(FlagReason.HARASSMENT, contribution_id=item))
    with database.session() as session:
        assert session.get_one(Contribution, item).visibility is Visibility.PUBLIC
    flag(database, acting, CROWD[2], RaiseFlag(FlagReason.OTHER, contribution_id=item))
    with database.session() as session:
        hidden = session.get_one(Contribution, item)
        act = session.execute(select(ModerationAct)).scalar_one()
        step = session.execute(select(Step).where(Step.kind == StepKind.HIDDEN)).scalar_one()
    assert (hidden.visibility, hidden.is_listed) == (Visibility.HIDDEN, False)
    assert (act.act, act.capacity, act.person_id, act.contribution_id) == ("hide", "system", None, item)
    assert act.reason == step.text == flags.BY_FLAGS
    assert "contribution.hidden" in events(database)
    with pytest.raises(NotFound):
        flag(database, acting, "office", RaiseFlag(FlagReason.SPAM, contribution_id=item))
    with pytest.raises(Conflict, match="already_gone"):
        flag(database, acting, "moderator", RaiseFlag(FlagReason.SPAM, contribution_id=item))


def test_enough_different_people_put_a_comment_aside_and_lower_the_count(
    database: Database, acting: Acting, item: int, comment: int
) -> None:
    for who in CROWD:
        flag(database, acting, who, RaiseFlag(FlagReason.HARASSMENT, comment_id=comment))
    with database.session() as session:
        assert session.get_one(Comment, comment).hidden_at == NOW
        kept = session.get_one(Contribution, item)
        assert (kept.visibility, kept.comments_count) == (Visibility.PUBLIC, 0)
    assert "comment.hidden" in events(database)
    with pytest.raises(Conflict, match="already_gone"):
        flag(database, acting, "office", RaiseFlag(FlagReason.SPAM, comment_id=comment))


def test_flags_without_account_wait_for_a_moderator_and_hide_nothing(
    database: Database, acting: Acting, item: int
) -> None:
    for _ in range(9):
        flag(database, acting, "nobody", RaiseFlag(FlagReason.SPAM, contribution_id=item))
    with database.session() as session:
        assert session.get_one(Contribution, item).visibility is Visibility.PUBLIC
        assert session.execute(select(func.count()).select_from(Flag)).scalar_one() == 9


def test_flags_a_moderator_has_looked_at_count_no_more(database: Database, acting: Acting, item: int) -> None:
    for who in CROWD[:2]:
        flag(database, acting, who, RaiseFlag(FlagReason.SPAM, contribution_id=item))
    with database.writing() as session:
        for one in session.execute(select(Flag)).scalars():
            one.settled_at = NOW
    flag(database, acting, CROWD[2], RaiseFlag(FlagReason.SPAM, contribution_id=item))
    with database.session() as session:
        assert session.get_one(Contribution, item).visibility is Visibility.PUBLIC


def test_many_flags_at_once_hide_once_and_lose_none(database: Database, acting: Acting, item: int) -> None:
    people = ("samir", "committee", "delegate", "office", "other_office", "coordinator", "administrator")
    start = threading.Barrier(len(people) * 2)
    faults: list[Exception] = []

    def press(who: str) -> None:
        start.wait()
        try:
            flag(database, acting, who, RaiseFlag(FlagReason.THREAT, contribution_id=item))
        except (Conflict, NotFound):
            pass  # flagged already, or put aside meanwhile
        except Exception as error:
            faults.append(error)

    workers = [threading.Thread(target=press, args=(who,)) for who in people for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert faults == []
    with database.session() as session:
        assert session.get_one(Contribution, item).visibility is Visibility.HIDDEN
        assert session.execute(select(func.count()).select_from(ModerationAct)).scalar_one() == 1
        per_person = session.execute(select(func.count(Flag.id)).group_by(Flag.person_id)).scalars().all()
    assert set(per_person) == {1}
    assert len(per_person) == 3


def test_what_is_not_there_cannot_be_flagged(database: Database, acting: Acting, item: int) -> None:
    for command in (
        RaiseFlag(FlagReason.SPAM),
        RaiseFlag(FlagReason.SPAM, contribution_id=10**9),
        RaiseFlag(FlagReason.SPAM, comment_id=10**9),
    ):
        with pytest.raises(NotFound):
            flag(database, acting, "samir", command)
