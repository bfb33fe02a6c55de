"""How one signs up for a meeting: places, times, what is asked, and for how long names are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from lab.db.locking import expect_version
from lab.kernel.errors import Invalid
from lab.kernel.text import clean_line, clean_text
from lab.models.events import Offer
from lab.models.registrations import EventQuestion, QuestionKind, Registration, SeatGroup, SignUp
from lab.services import audit, hosting, registrations, seats
from lab.services.context import Context
from lab.services.sign_up_answers import PARTY_MOST

CAPACITY_MOST = 100_000
KEEP_MOST = 365
REMIND_MOST = 30
GROUPS_MOST = 12
QUESTIONS_MOST = 12
OPTIONS_MOST = 20


@dataclass(frozen=True)
class Group:
    """Places kept for some people, or a limit of their own. `id` None: new."""

    name: str
    reserved: int = 0
    most: int | None = None
    id: int | None = None


@dataclass(frozen=True)
class Question:
    """Something this meeting asks whoever signs up. `id` None: new."""

    label: str
    kind: QuestionKind = QuestionKind.TEXT
    options: tuple[str, ...] = ()
    is_required: bool = False
    id: int | None = None


@dataclass(frozen=True)
class Settings:
    """All of it, as the page shows it. Groups and questions that are left out are taken away."""

    event_id: int
    expected_version: int | None = None
    is_offered: bool = True
    capacity: int | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    party_most: int = 4
    asks: tuple[str, ...] = ()
    consent_note: str = ""
    keep_days: int = 30
    remind_days: int = 1
    groups: tuple[Group, ...] = ()
    questions: tuple[Question, ...] = ()
    #: Fewer places than people already have: they all keep theirs, nobody new gets one.
    under_taken: bool = False


@dataclass(frozen=True)
class Rules:
    """How one signs up for a meeting now."""

    sign_up: SignUp
    groups: Sequence[SeatGroup]
    questions: Sequence[EventQuestion]


def rules(ctx: Context, event_id: int) -> Rules | None:
    """What holds now; None where nobody has set up signing up. Three statements."""
    sign_up = ctx.session.get(SignUp, event_id)
    return None if sign_up is None else Rules(sign_up, groups(ctx, event_id), questions(ctx, event_id))


def groups(ctx: Context, event_id: int) -> list[SeatGroup]:
    """The groups of a meeting in their order."""
    query = select(SeatGroup).where(SeatGroup.event_id == event_id)
    return list(ctx.session.execute(query.order_by(SeatGroup.position, SeatGroup.id)).scalars())


def questions(ctx: Context, event_id: int) -> list[EventQuestion]:
    """The meeting's own questions in their order."""
    query = select(EventQuestion).where(EventQuestion.event_id == event_id)
    return list(ctx.session.execute(query.order_by(EventQuestion.position, EventQuestion.id)).scalars())


def save(ctx: Context, command: Settings) -> SignUp:
    """Change the rules under the lock of the places; more places go at once to whoever waits.

    Raises `NotFound` for everybody but hosts, `Conflict("changed_meanwhile")`, and `Invalid` for capacity
    (under_taken, reserved_above), keep_days (promise_made), groups (group_in_use, …), questions and the
    plain fields.
    """
    event, grant = hosting.run(ctx, command.event_id)
    _check_plain(command)
    registrations.ensure_books(ctx, event.id)
    with seats.books(ctx, event.id) as held:
        sign_up = held.sign_up
        if _holds_already(ctx, sign_up, command):
            return sign_up
        expect_version(sign_up, command.expected_version)
        _check_promises(ctx, held, command)
        before = _agreed(sign_up)
        asked_before = _asked(questions(ctx, event.id))
        _write_plain(sign_up, command)
        _write_groups(ctx, held, command.groups)
        _write_questions(ctx, event.id, command.questions)
        if before != _agreed(sign_up) or asked_before != _asked(questions(ctx, event.id)):
            sign_up.consent_version += 1
        sign_up.version += 1
        # More places, or fewer kept for others: somebody in the queue may fit now.
        held.freed = True
        audit.record(
            ctx, "event.sign_up_changed", event, grant, capacity=sign_up.capacity, offered=sign_up.is_offered
        )
    return sign_up


def _check_plain(command: Settings) -> None:
    for name, value, least, most in (
        ("capacity", command.capacity, 0, CAPACITY_MOST),
        ("party_most", command.party_most, 1, PARTY_MOST),
        ("keep_days", command.keep_days, 1, KEEP_MOST),
        ("remind_days", command.remind_days, 0, REMIND_MOST),
    ):
        if value is not None and not least <= value <= most:
            raise Invalid(name, "out_of_range")
    if command.opens_at and command.closes_at and command.closes_at <= command.opens_at:
        raise Invalid("closes_at", "dates_out_of_order")
    if not set(command.asks) <= set(Offer):
        raise Invalid("asks", "unknown")
    if len(command.groups) > GROUPS_MOST:
        raise Invalid("groups", "too_many")
    if len(command.questions) > QUESTIONS_MOST:
        raise Invalid("questions", "too_many")
    for row, group in enumerate(command.groups):
        _check_group(group, f"groups.{row}")
    for row, question in enumerate(command.questions):
        _check_question(question, f"questions.{row}")
    kept = sum(group.reserved for group in command.groups)
    if command.capacity is not None and kept > command.capacity:
        raise Invalid("capacity", "reserved_above")


def _check_group(group: Group, row: str) -> None:
    if not clean_line(group.name, 80):
        raise Invalid(f"{row}.name", "name_missing")
    if not 0 <= group.reserved <= CAPACITY_MOST:
        raise Invalid(f"{row}.reserved", "out_of_range")
    if group.most is not None and not group.reserved <= group.most <= CAPACITY_MOST:
        raise Invalid(f"{row}.most", "most_under_reserved")


def _check_question(question: Question, row: str) -> None:
    if not clean_line(question.label, 200):
        raise Invalid(f"{row}.label", "required")
    options = [clean_line(one, 120) for one in question.options]
    if question.kind in (QuestionKind.ONE, QuestionKind.MANY):
        if len(options) < 2 or len(set(options)) < len(options) or not all(options):
            raise Invalid(f"{row}.options", "two_options")
        if len(options) > OPTIONS_MOST:
            raise Invalid(f"{row}.options", "too_many")


def _check_promises(ctx: Context, held: seats.Books, command: Settings) -> None:
    sign_up = held.sign_up
    lower = command.capacity is not None and (sign_up.capacity is None or command.capacity < sign_up.capacity)
    if lower and (command.capacity or 0) < sign_up.taken + sign_up.lent and not command.under_taken:
        raise Invalid("capacity", "under_taken")
    if command.keep_days > sign_up.keep_days and _anybody(ctx, sign_up.event_id):
        # People were told a day. It can come earlier, not later.
        raise Invalid("keep_days", "promise_made")


def _anybody(ctx: Context, event_id: int) -> bool:
    query = select(Registration.id).where(Registration.event_id == event_id).limit(1)
    return ctx.session.execute(query).first() is not None


def _agreed(sign_up: SignUp) -> tuple[Any, ...]:
    return sign_up.consent_note, sign_up.keep_days, tuple(sign_up.asks)


def _asked(found: Sequence[EventQuestion]) -> tuple[Any, ...]:
    return tuple((one.label, one.kind, tuple(one.options)) for one in found)


def _plain(command: Settings) -> dict[str, Any]:
    """The columns of the rules that are neither groups nor questions."""
    same = ("is_offered", "capacity", "opens_at", "closes_at", "party_most", "keep_days", "remind_days")
    return {
        **{name: getattr(command, name) for name in same},
        "asks": sorted(set(command.asks)),
        "consent_note": clean_text(command.consent_note, 1000),
    }


def _write_plain(sign_up: SignUp, command: Settings) -> None:
    for name, value in _plain(command).items():
        setattr(sign_up, name, value)


def _holds_already(ctx: Context, sign_up: SignUp, command: Settings) -> bool:
    """Whether an earlier sending of the same page brought this about: two clicks are one change."""
    if command.expected_version in (None, sign_up.version):
        return False
    kept = [(one.name, one.reserved, one.most) for one in groups(ctx, sign_up.event_id)]
    asked = [(q.label, q.kind, q.options, q.is_required) for q in questions(ctx, sign_up.event_id)]
    return (
        all(getattr(sign_up, name) == value for name, value in _plain(command).items())
        and kept == [(clean_line(one.name, 80), one.reserved, one.most) for one in command.groups]
        and asked
        == [(clean_line(q.label, 200), q.kind, _options(q), q.is_required) for q in command.questions]
    )


def _options(question: Question) -> list[str]:
    chooses = question.kind in (QuestionKind.ONE, QuestionKind.MANY)
    return [clean_line(option, 120) for option in question.options] if chooses else []


def _write_groups(ctx: Context, held: seats.Books, wanted: tuple[Group, ...]) -> None:
    event_id = held.sign_up.event_id
    known = {group.id: group for group in groups(ctx, event_id)}
    for gone in set(known) - {one.id for one in wanted}:
        used = select(func.count()).where(Registration.group_id == gone)
        if ctx.session.execute(used).scalar_one():
            raise Invalid("groups", "group_in_use")
        ctx.session.delete(known.pop(gone))
    for position, one in enumerate(wanted):
        group = known.get(one.id or 0)
        if group is None:
            group = SeatGroup(event_id=event_id, taken=0)
            ctx.session.add(group)
        group.position, group.name = position, clean_line(one.name, 80)
        group.reserved, group.most = one.reserved, one.most
    ctx.session.flush()
    held.sign_up.has_groups = bool(wanted)
    held.groups = {group.id: group for group in groups(ctx, event_id)}


def _write_questions(ctx: Context, event_id: int, wanted: tuple[Question, ...]) -> None:
    known = {question.id: question for question in questions(ctx, event_id)}
    for gone in set(known) - {one.id for one in wanted}:
        ctx.session.delete(known.pop(gone))
    for position, one in enumerate(wanted):
        question = known.get(one.id or 0)
        if question is None:
            question = EventQuestion(event_id=event_id)
            ctx.session.add(question)
        question.position, question.label = position, clean_line(one.label, 200)
        question.kind, question.is_required = one.kind, one.is_required
        question.options = _options(one)
    ctx.session.flush()
