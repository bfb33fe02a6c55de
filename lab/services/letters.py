"""Letters for people without e-mail: who has something to hear, printing it, handing it over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select

from lab.db.locking import locked
from lab.models.accounts import MailRhythm, Person
from lab.models.contributions import Step
from lab.models.notifications import Letter, Notification
from lab.policy.permissions import Permission
from lab.services import audience, audit, telling
from lab.services.context import Context

#: Sheets printed in one go.
MOST = 50
#: A second press of the same button shows what the first one printed.
_SAME_PRESS = timedelta(minutes=5)
_RECENT = 30


@dataclass(frozen=True)
class Waiting:
    """A person who should get a letter: how many things to hear, since when."""

    person_id: int
    name: str
    postal: str
    count: int
    since: datetime


@dataclass(frozen=True)
class Printed:
    """A letter that was printed."""

    id: int
    name: str
    postal: str
    printed_at: datetime
    handed_over_at: datetime | None


@dataclass(frozen=True)
class Part:
    """One item of a letter with the steps of its thread, oldest first."""

    group: telling.Group
    steps: Sequence[Step]


@dataclass(frozen=True)
class Sheet:
    """A letter as it is printed."""

    letter_id: int
    name: str
    postal: str
    locale: str
    printed_at: datetime
    parts: list[Part]


_NOT_MAILED = Notification.mailed_at.is_(None)
#: Who hears by letter alone.
_BY_LETTER = (
    Person.email.is_(None),
    Person.mail_rhythm != MailRhythm.NEVER,
    Person.blocked_at.is_(None),
    Person.anonymised_at.is_(None),
)


def who_waits() -> Select[int]:
    """The ids of people who should get a letter, in no order."""
    told = select(Notification.id).where(Notification.person_id == Person.id, _NOT_MAILED)
    return select(Person.id).where(*_BY_LETTER, told.exists())


def waiting(ctx: Context, person_id: int | None = None, limit: int = 200) -> list[Waiting]:
    """People without e-mail who have something to hear, who waits longest first; or one of them only."""
    ctx.require(Permission.LETTER_PRINT)
    since = func.min(Notification.created_at)
    query = (
        select(Person.id, Person.name, Person.postal, func.count(), since)
        .join(Notification, Notification.person_id == Person.id)
        .where(_NOT_MAILED, *_BY_LETTER)
        .group_by(Person.id, Person.name, Person.postal)
        .order_by(since, Person.id)
        .limit(limit)
    )
    if person_id is not None:
        query = query.where(Person.id == person_id)
    return [
        Waiting(person_id, name, postal or "", count, first)
        for person_id, name, postal, count, first in ctx.session.execute(query)
    ]


def printed(ctx: Context) -> list[Printed]:
    """The last letters: first those not yet handed over, then the newest."""
    ctx.require(Permission.LETTER_PRINT)
    query = (
        select(Letter, Person.name, Person.postal)
        .join(Person, Person.id == Letter.person_id)
        .order_by(Letter.handed_over_at.is_not(None), Letter.printed_at.desc(), Letter.id.desc())
        .limit(_RECENT)
    )
    return [
        Printed(letter.id, name, postal or "", letter.printed_at, letter.handed_over_at)
        for letter, name, postal in ctx.session.execute(query)
    ]


def print_letters(ctx: Context, person_id: int | None = None) -> list[int]:
    """Make the letter of one person, or of everybody who waits (at most `MOST`); their ids.

    What goes on paper counts as told from here on. Pressed twice, the second time gives back the letters of
    the first. People to whom nothing may be told any more get none.
    """
    grant = ctx.require(Permission.LETTER_PRINT)
    wanted = waiting(ctx, person_id, MOST)
    made = [letter for one in wanted if (letter := _print_one(ctx, one.person_id)) is not None]
    ctx.session.flush()
    for letter in made:
        audit.record(ctx, "letter.print", letter, grant)
    ctx.session.flush()
    return [letter.id for letter in made] or _just_printed(ctx, person_id)


def _print_one(ctx: Context, person_id: int) -> Letter | None:
    locked(ctx.session, Person, person_id)
    query = select(Notification).where(Notification.person_id == person_id, Notification.mailed_at.is_(None))
    notes = list(ctx.session.execute(query).scalars())
    told = telling.tell(ctx, audience.actors(ctx, [person_id])[person_id], notes)
    for note in notes:
        note.mailed_at = ctx.now
    if not told or ctx.actor.person_id is None:
        return None
    letter = Letter(
        person_id=person_id,
        printed_at=ctx.now,
        printed_by_id=ctx.actor.person_id,
        notification_ids={"ids": sorted(step.id for step in told)},
    )
    ctx.session.add(letter)
    return letter


def _just_printed(ctx: Context, person_id: int | None) -> list[int]:
    query = select(Letter.id).where(
        Letter.printed_by_id == ctx.actor.person_id, Letter.printed_at > ctx.now - _SAME_PRESS
    )
    if person_id is not None:
        query = query.where(Letter.person_id == person_id)
    return list(ctx.session.execute(query.order_by(Letter.id).limit(MOST)).scalars())


def sheets(ctx: Context, letter_ids: Sequence[int]) -> list[Sheet]:
    """Letters to print, now or again; what was hidden since is no longer in them."""
    ctx.require(Permission.LETTER_PRINT)
    query = (
        select(Letter, Person)
        .join(Person, Person.id == Letter.person_id)
        .where(Letter.id.in_(letter_ids[:MOST]), Person.anonymised_at.is_(None))
        .order_by(Letter.id)
    )
    return [_sheet(ctx, letter, person) for letter, person in ctx.session.execute(query)]


def _sheet(ctx: Context, letter: Letter, person: Person) -> Sheet:
    notes: list[Notification] = []
    for some in audience.chunks(letter.notification_ids.get("ids", [])):
        found = select(Notification).where(Notification.id.in_(some), Notification.person_id == person.id)
        notes += ctx.session.execute(found).scalars()
    actor = audience.actors(ctx, [person.id])[person.id]
    groups = telling.group(telling.tell(ctx, actor, notes))
    steps = _steps(ctx, groups)
    parts = [Part(group, steps.get(_contribution_id(group), [])) for group in groups]
    return Sheet(letter.id, person.name, person.postal or "", person.locale, letter.printed_at, parts)


def _contribution_id(group: telling.Group) -> int:
    return group.item.contribution.id if group.item.contribution else 0


def _steps(ctx: Context, groups: list[telling.Group]) -> dict[int, list[Step]]:
    found: dict[int, list[Step]] = {}
    for some in audience.chunks(_contribution_id(group) for group in groups):
        query = select(Step).where(Step.contribution_id.in_(some), Step.is_public).order_by(Step.at, Step.id)
        for step in ctx.session.execute(query).scalars():
            found.setdefault(step.contribution_id, []).append(step)
    return found


def hand_over(ctx: Context, letter_id: int) -> Letter:
    """The letter is in the person's hands. Raises `NotFound`; a second time changes nothing."""
    grant = ctx.require(Permission.LETTER_PRINT)
    letter = locked(ctx.session, Letter, letter_id)
    if letter.handed_over_at is None:
        letter.handed_over_at = ctx.now
        audit.record(ctx, "letter.hand_over", letter, grant)
        ctx.session.flush()
    return letter
