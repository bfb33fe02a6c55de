"""Supports, following and comments: what a person's hand and words do to the counts, also in a crowd."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.kernel.errors import Conflict, Denied, Invalid, NotFound
from lab.models.accounts import Person
from lab.models.contributions import Contribution, ContributionAuthor, State, Visibility
from lab.models.conversation import Comment, Follow, Support
from lab.models.moderation import FlagReason
from lab.models.operations import OutboxItem
from lab.policy.actor import ANONYMOUS, Actor
from lab.services import contributions, conversation, flags, follows, moderation, supports, threads
from lab.services.context import Context
from lab.services.contributions import Placement
from lab.services.conversation import EditComment, WriteComment
from lab.services.follows import Followed, FollowThis
from lab.services.supports import AddSupport
from tests.statements import statements
from tests.world import NOW, World

Acting = Callable[[Session, str], Context]


@pytest.fixture
def item(database: Database, acting: Acting, world: World) -> int:
    with database.writing() as session:
        placed = contributions.place(
            acting(session, "rosa"), Placement(text="Una panchina all'ombra", person_id=world.people["rosa"])
        )
        return placed.id


def as_(database: Database, acting: Acting, who: str, act: Callable[[Context], Any]) -> Any:
    with database.writing() as session:
        return act(acting(session, who))


def read(database: Database, item: int) -> Contribution:
    with database.session() as session:
        return session.get_one(Contribution, item)


def crowd(database: Database, size: int) -> list[int]:
    with database.writing() as session:
        people = [Person(name=f"Vicina {n}", created_at=NOW) for n in range(size)]
        session.add_all(people)
        session.flush()
        return [person.id for person in people]


def at_once(jobs: list[Callable[[], Any]]) -> list[Any]:
    """Run every job in a thread of its own, let go together; their results or what they raised."""
    start = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def run(number: int, job: Callable[[], Any]) -> None:
        start.wait()
        try:
            results[number] = job()
        except Exception as error:
            results[number] = error

    workers = [threading.Thread(target=run, args=pair) for pair in enumerate(jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results


# supports


def test_a_support_counts_once_and_can_be_taken_back(database: Database, acting: Acting, item: int) -> None:
    assert as_(database, acting, "samir", lambda ctx: supports.add(ctx, AddSupport(item)))
    assert not as_(database, acting, "samir", lambda ctx: supports.add(ctx, AddSupport(item)))
    assert read(database, item).supports_count == 1
    assert as_(database, acting, "samir", lambda ctx: supports.remove(ctx, item))
    assert not as_(database, acting, "samir", lambda ctx: supports.remove(ctx, item))
    assert read(database, item).supports_count == 0


def test_hands_counted_in_a_room_stay_beside_single_supports(
    database: Database, acting: Acting, item: int
) -> None:
    with database.writing() as session:
        counted = {"supports_base": 40, "supports_count": 40}
        session.execute(update(Contribution).where(Contribution.id == item).values(counted))
    as_(database, acting, "samir", lambda ctx: supports.add(ctx, AddSupport(item)))
    assert read(database, item).supports_count == 41


def test_supporting_follows_only_when_one_wants(database: Database, acting: Acting, item: int) -> None:
    as_(database, acting, "samir", lambda ctx: supports.add(ctx, AddSupport(item, follow=False)))
    as_(database, acting, "committee", lambda ctx: supports.add(ctx, AddSupport(item, follow=True)))
    assert read(database, item).followers_count == 1
    with database.session() as session:
        assert supports.standing(acting(session, "samir"), item) == supports.Standing(True, False)
        assert supports.standing(acting(session, "committee"), item) == supports.Standing(True, True)


def test_taking_a_support_back_leaves_the_news_until_one_ends_them(
    database: Database, acting: Acting, item: int
) -> None:
    as_(database, acting, "samir", lambda ctx: supports.add(ctx, AddSupport(item)))
    as_(database, acting, "samir", lambda ctx: supports.remove(ctx, item))
    assert read(database, item).followers_count == 1
    as_(database, acting, "samir", lambda ctx: follows.unfollow(ctx, FollowThis(Followed.CONTRIBUTION, item)))
    assert read(database, item).followers_count == 0


def test_nobody_supports_their_own_words(database: Database, acting: Acting, item: int) -> None:
    with pytest.raises(Denied, match="own_support"):
        as_(database, acting, "rosa", lambda ctx: supports.add(ctx, AddSupport(item)))


def test_nobody_supports_their_own_words_through_a_twin(
    database: Database, acting: Acting, item: int, world: World
) -> None:
    with database.writing() as session:
        twin = ContributionAuthor(
            contribution_id=item, person_id=world.people["moderator"], name="Lia", via_id=item
        )
        session.add(twin)
    with pytest.raises(Denied, match="own_support"):
        as_(database, acting, "moderator", lambda ctx: supports.add(ctx, AddSupport(item)))


def test_a_moderator_does_not_decide_on_an_input_that_holds_their_own_words(
    database: Database, acting: Acting, item: int, world: World
) -> None:
    as_(database, acting, "samir", lambda ctx: flags.raise_flag(
        ctx, flags.RaiseFlag(FlagReason.HARASSMENT, contribution_id=item)
    ))  # fmt: skip
    with database.writing() as session:
        session.add(
            ContributionAuthor(
                contribution_id=item, person_id=world.people["moderator"], name="M.", via_id=item
            )
        )
    subject, words = moderation.Subject(contribution_id=item), "Offende una persona del quartiere"
    acts: list[Callable[[Context], Any]] = [
        lambda ctx: moderation.hide(ctx, subject, words),
        lambda ctx: moderation.leave(ctx, subject),
    ]
    for act in acts:
        with pytest.raises(Denied, match="own_words"):
            as_(database, acting, "moderator", act)
    with database.writing() as session:
        session.get_one(Contribution, item).visibility = Visibility.HIDDEN
    with pytest.raises(Denied, match="own_words"):
        as_(database, acting, "moderator", lambda ctx: moderation.restore(ctx, subject, words))


@pytest.mark.parametrize("visibility", [Visibility.HIDDEN, Visibility.PRIVATE, Visibility.WAITING])
def test_what_is_not_public_cannot_be_supported_nor_commented(
    database: Database, acting: Acting, item: int, visibility: Visibility
) -> None:
    with database.writing() as session, contributions.changing(acting(session, "system"), item) as it:
        it.visibility = visibility
    with pytest.raises(NotFound):
        as_(database, acting, "samir", lambda ctx: supports.add(ctx, AddSupport(item)))
    with pytest.raises(NotFound):
        as_(database, acting, "samir", lambda ctx: conversation.write(ctx, WriteComment(item, "Ciao")))


def test_what_was_merged_or_withdrawn_takes_no_more_supports(
    database: Database, acting: Acting, item: int
) -> None:
    with database.writing() as session:
        ctx = acting(session, "system")
        with contributions.changing(ctx, item) as it:
            contributions.move(ctx, it, State.WITHDRAWN)
    with pytest.raises(Denied, match="set_aside"):
        as_(database, acting, "samir", lambda ctx: supports.add(ctx, AddSupport(item)))


def test_without_an_account_one_is_asked_to_sign_in(database: Database, item: int) -> None:
    with database.writing() as session:
        ctx = Context(session, ANONYMOUS, NOW)
        for act in (
            lambda: supports.add(ctx, AddSupport(item)),
            lambda: supports.remove(ctx, item),
            lambda: follows.follow(ctx, FollowThis(Followed.CONTRIBUTION, item)),
            lambda: conversation.write(ctx, WriteComment(item, "Ciao")),
        ):
            with pytest.raises(Denied, match="sign_in"):
                act()


def test_one_person_pressing_many_times_at_once_counts_once(
    database: Database, acting: Acting, item: int
) -> None:
    def press() -> bool:
        with database.writing() as session:
            return supports.add(acting(session, "samir"), AddSupport(item))

    results = at_once([press] * 12)
    assert sorted(results) == [False] * 11 + [True]
    after = read(database, item)
    assert (after.supports_count, after.followers_count) == (1, 1)


def test_a_crowd_supporting_at_once_is_counted_exactly(database: Database, item: int) -> None:
    def press(person_id: int) -> Callable[[], bool]:
        def job() -> bool:
            with database.writing() as session:
                return supports.add(Context(session, Actor(person_id, "x"), NOW), AddSupport(item))

        return job

    results = at_once([press(person) for person in crowd(database, 24)])
    assert results == [True] * 24
    after = read(database, item)
    assert (after.supports_count, after.followers_count) == (24, 24)
    with database.session() as session:
        assert session.execute(select(func.count()).select_from(Support)).scalar_one() == 24
        assert session.execute(select(func.count()).select_from(Follow)).scalar_one() == 24


def test_giving_and_taking_back_at_once_leaves_count_and_rows_agreed(database: Database, item: int) -> None:
    people = crowd(database, 8)

    def job(person_id: int, act: str) -> Callable[[], Any]:
        def run() -> Any:
            with database.writing() as session:
                ctx = Context(session, Actor(person_id, "x"), NOW)
                return supports.add(ctx, AddSupport(item)) if act == "add" else supports.remove(ctx, item)

        return run

    results = at_once([job(person, act) for person in people for act in ("add", "remove")])
    assert not [result for result in results if isinstance(result, Exception)]
    with database.session() as session:
        rows = session.execute(select(func.count()).select_from(Support)).scalar_one()
    assert read(database, item).supports_count == rows


# following actions and projects


def test_projects_can_be_followed_and_left(database: Database, acting: Acting, world: World) -> None:
    this = FollowThis(Followed.PROJECT, world.project)
    assert as_(database, acting, "samir", lambda ctx: follows.follow(ctx, this))
    assert not as_(database, acting, "samir", lambda ctx: follows.follow(ctx, this))
    with database.session() as session:
        assert follows.is_following(acting(session, "samir"), this)
        assert not follows.is_following(acting(session, "rosa"), this)
    assert as_(database, acting, "samir", lambda ctx: follows.unfollow(ctx, this))
    assert not as_(database, acting, "samir", lambda ctx: follows.unfollow(ctx, this))


def test_what_does_not_exist_cannot_be_followed(database: Database, acting: Acting) -> None:
    with pytest.raises(NotFound):
        as_(database, acting, "samir", lambda ctx: follows.subject_id(ctx, Followed.ACTION, "A99"))
    with pytest.raises(NotFound):
        as_(database, acting, "samir", lambda ctx: follows.follow(ctx, FollowThis(Followed.PROJECT, 10**9)))


# comments


def say(
    database: Database, acting: Acting, who: str, item: int, text: str, parent: int | None = None, **more: Any
) -> int:
    with database.writing() as session:
        return conversation.write(acting(session, who), WriteComment(item, text, parent, **more)).id


def shown(database: Database, acting: Acting, item: int, **wish: Any) -> threads.Thread:
    with database.session() as session:
        return threads.thread(acting(session, "rosa"), item, **wish)


def test_a_comment_is_counted_and_announced_once(database: Database, acting: Acting, item: int) -> None:
    first = say(database, acting, "samir", item, "Anche vicino alla scuola", idempotency_key="k1")
    assert say(database, acting, "samir", item, "Anche vicino alla scuola", idempotency_key="k1") == first
    assert read(database, item).comments_count == 1
    with database.session() as session:
        told = [row.payload for row in session.execute(select(OutboxItem)).scalars()]
    written = [one for one in told if one.get("event") == "comment.written"]
    assert [one["comment_id"] for one in written] == [first]


def test_a_key_of_somebody_else_gives_nothing_of_theirs(
    database: Database, acting: Acting, item: int
) -> None:
    mine = say(database, acting, "samir", item, "Mio", idempotency_key="k1")
    yours = say(database, acting, "rosa", item, "Tuo", idempotency_key="k1")
    assert [b.root.comment.id for b in shown(database, acting, item).branches] == [mine, yours]


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "required"), (" \n\t ", "required"), ("x" * 2001, "too_long"), ("x" * 90_000, "too_long")],
)
def test_empty_and_endless_comments_are_refused(
    database: Database, acting: Acting, item: int, text: str, code: str
) -> None:
    with pytest.raises(Invalid, match=code):
        say(database, acting, "samir", item, text)
    assert read(database, item).comments_count == 0


def test_replies_hang_where_they_were_said(database: Database, acting: Acting, item: int) -> None:
    root = say(database, acting, "samir", item, "Uno")
    other = say(database, acting, "samir", item, "Due")
    a = say(database, acting, "rosa", item, "Risposta a uno", root)
    b = say(database, acting, "samir", item, "Risposta alla risposta", a)
    c = say(database, acting, "rosa", item, "Ancora più sotto", b)
    d = say(database, acting, "samir", item, "Seconda risposta a uno", root)
    one, two = shown(database, acting, item).branches
    assert (one.root.comment.id, two.root.comment.id) == (root, other)
    assert [(v.comment.id, v.level) for v in one.replies] == [(a, 1), (b, 2), (c, 2), (d, 1)]
    # Too deep to be drawn deeper: it says whom it answers.
    assert [v.answers for v in one.replies] == ["", "", "samir", ""]


def test_a_reply_belongs_to_the_same_input(database: Database, acting: Acting, item: int) -> None:
    with database.writing() as session:
        elsewhere = contributions.place(acting(session, "rosa"), Placement(text="Altro")).id
    root = say(database, acting, "samir", item, "Uno")
    with pytest.raises(NotFound):
        say(database, acting, "samir", elsewhere, "Risposta", root)
    with pytest.raises(NotFound):
        say(database, acting, "samir", item, "Risposta", 10**9)


def test_a_deleted_comment_keeps_its_replies_and_leaves_the_count(
    database: Database, acting: Acting, item: int
) -> None:
    root = say(database, acting, "samir", item, "Mi pento")
    reply = say(database, acting, "rosa", item, "Peccato", root)
    as_(database, acting, "samir", lambda ctx: conversation.delete(ctx, root))
    (branch,) = shown(database, acting, item).branches
    assert branch.root.comment.deleted_at
    assert branch.root.comment.text == branch.root.comment.author_name == ""
    assert [voice.comment.id for voice in branch.replies] == [reply]
    assert read(database, item).comments_count == 1
    with pytest.raises(Denied, match="already_gone"):
        as_(database, acting, "samir", lambda ctx: conversation.delete(ctx, root))
    assert read(database, item).comments_count == 1
    with pytest.raises(Conflict, match="already_gone"):
        say(database, acting, "rosa", item, "Ancora", root)


def test_words_flagged_by_somebody_wait_for_the_moderators_when_deleted(
    database: Database, acting: Acting, item: int
) -> None:
    root = say(database, acting, "samir", item, "Brutte parole")
    flag = flags.RaiseFlag(FlagReason.HARASSMENT, comment_id=root)
    as_(database, acting, "rosa", lambda ctx: flags.raise_flag(ctx, flag))
    as_(database, acting, "samir", lambda ctx: conversation.delete(ctx, root))
    with database.session() as session:
        assert session.get_one(Comment, root).text == "Brutte parole"
    # Judged, they go as their author wished.
    subject = moderation.Subject(comment_id=root)
    as_(database, acting, "moderator", lambda ctx: moderation.leave(ctx, subject))
    with database.session() as session:
        row = session.get_one(Comment, root)
        assert row.text == row.author_name == ""


def test_words_flagged_by_somebody_are_not_changed_before_a_moderator_reads_them(
    database: Database, acting: Acting, item: int
) -> None:
    root = say(database, acting, "samir", item, "Brutte parole")
    flag = flags.RaiseFlag(FlagReason.HARASSMENT, comment_id=root)
    as_(database, acting, "rosa", lambda ctx: flags.raise_flag(ctx, flag))
    harmless = EditComment(root, "Buongiorno a tutti")
    with pytest.raises(Invalid, match="flagged_now"):
        as_(database, acting, "samir", lambda ctx: conversation.edit(ctx, harmless))
    with database.session() as session:
        assert session.get_one(Comment, root).text == "Brutte parole"
    subject = moderation.Subject(comment_id=root)
    as_(database, acting, "moderator", lambda ctx: moderation.leave(ctx, subject))
    as_(database, acting, "samir", lambda ctx: conversation.edit(ctx, harmless))


def test_the_name_of_a_comment_put_aside_is_not_said_by_those_who_answered_it(
    database: Database, acting: Acting, item: int
) -> None:
    said: list[int] = []
    for who in ("samir", "rosa", "samir", "rosa"):
        said.append(say(database, acting, who, item, "Parole", said[-1] if said else None))
    as_(database, acting, "moderator", lambda ctx: conversation.hide(ctx, said[2]))
    (branch,) = shown(database, acting, item).branches
    assert [voice.answers for voice in branch.replies] == ["", "", ""]


def test_a_correction_is_marked_and_only_ones_own(
    database: Database, acting: Acting, item: int, clock: FrozenClock
) -> None:
    root = say(database, acting, "samir", item, "Con un erore")
    clock.advance(timedelta(minutes=3))
    as_(database, acting, "samir", lambda ctx: conversation.edit(ctx, EditComment(root, "Con un erore")))
    with database.session() as session:
        assert session.get_one(Comment, root).edited_at is None
    as_(database, acting, "samir", lambda ctx: conversation.edit(ctx, EditComment(root, "Senza errore")))
    with database.session() as session:
        assert session.get_one(Comment, root).edited_at == clock.now()
    for somebody in ("rosa", "moderator", "administrator"):
        with pytest.raises(NotFound):
            as_(database, acting, somebody, lambda ctx: conversation.edit(ctx, EditComment(root, "No")))
        with pytest.raises(NotFound):
            as_(database, acting, somebody, lambda ctx: conversation.delete(ctx, root))


def test_where_comments_are_closed_only_staff_speaks(
    database: Database, acting: Acting, item: int, world: World
) -> None:
    as_(database, acting, "facilitator", lambda ctx: conversation.close(ctx, item, closed=True))
    with pytest.raises(Denied, match="comments_closed"):
        say(database, acting, "samir", item, "Ma io…")
    said = say(database, acting, "office", item, "Rispondiamo qui.")
    with database.session() as session:
        comment = session.get_one(Comment, said)
    assert (comment.capacity, comment.office_id) == ("office", world.verde)
    as_(database, acting, "facilitator", lambda ctx: conversation.close(ctx, item, closed=False))
    say(database, acting, "samir", item, "Ora sì")


@pytest.mark.parametrize("who", ["rosa", "office", "delegate", "committee", "administrator"])
def test_only_the_team_closes_comments(database: Database, acting: Acting, item: int, who: str) -> None:
    with pytest.raises(NotFound):
        as_(database, acting, who, lambda ctx: conversation.close(ctx, item, closed=True))


def test_a_long_conversation_is_read_page_by_page_both_ways(
    database: Database, acting: Acting, item: int
) -> None:
    with database.writing() as session:
        session.add_all(
            Comment(
                contribution_id=item,
                text=f"n. {n}",
                author_name="x",
                created_at=NOW + timedelta(minutes=n // 2),
            )
            for n in range(threads.ROOTS * 2 + 5)
        )
    for newest in (False, True):
        seen: list[int] = []
        after = None
        while True:
            page = shown(database, acting, item, after=after, newest=newest)
            seen += [branch.root.comment.id for branch in page.branches]
            assert len(page.branches) <= threads.ROOTS
            after = page.next_key
            if after is None:
                break
        assert len(seen) == len(set(seen)) == threads.ROOTS * 2 + 5
        assert seen == sorted(seen, reverse=newest)


def test_a_page_of_conversation_is_one_statement_however_long_it_is(
    database: Database, acting: Acting, item: int
) -> None:
    with database.writing() as session:
        roots = [
            Comment(
                contribution_id=item, text=f"n. {n}", author_name="x", created_at=NOW + timedelta(minutes=n)
            )
            for n in range(60)
        ]
        session.add_all(roots)
        session.flush()
        session.add_all(
            Comment(
                contribution_id=item, root_id=roots[0].id, parent_id=roots[0].id, depth=1, text="r",
                author_name="y", created_at=NOW + timedelta(hours=2, minutes=n),
            )
            for n in range(threads.REPLIES + 7)
        )  # fmt: skip
    with statements(database) as seen:
        page = shown(database, acting, item)
    assert len(seen) == 1
    assert len(page.branches[0].replies) == threads.REPLIES
    assert page.branches[0].more == 7
    with database.session() as session:
        found = threads.branch(acting(session, "rosa"), page.branches[0].replies[3].comment.id)
    assert found is not None
    assert len(found[1].branches[0].replies) == threads.REPLIES + 7


def test_a_branch_of_an_input_that_is_not_public_stays_closed(
    database: Database, acting: Acting, item: int
) -> None:
    root = say(database, acting, "samir", item, "Uno")
    with database.writing() as session, contributions.changing(acting(session, "system"), item) as it:
        it.visibility = Visibility.HIDDEN
    with database.session() as session, pytest.raises(NotFound):
        threads.branch(acting(session, "samir"), root)


def test_many_comments_at_once_are_all_kept_and_counted(database: Database, item: int) -> None:
    def speak(person_id: int) -> Callable[[], int]:
        def job() -> int:
            with database.writing() as session:
                ctx = Context(session, Actor(person_id, "x"), NOW)
                return conversation.write(ctx, WriteComment(item, "Anch'io")).id

        return job

    results = at_once([speak(person) for person in crowd(database, 12)])
    assert len(set(results)) == 12
    assert read(database, item).comments_count == 12
