"""Telling people: one notification for each person and happening, to be read, mailed or printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, tuple_, update

from lab.kernel.errors import NotFound
from lab.models.accounts import MailRhythm, Person
from lab.models.actions import Action
from lab.models.contributions import Contribution
from lab.models.notifications import Notification
from lab.policy.permissions import Permission
from lab.services import audience, outbox, telling
from lab.services.context import Context

#: After the first thing to say, how long mail waits for more, so that one step gives one message.
GROUP_WAIT = timedelta(minutes=2)
PAGE = 30


@dataclass(frozen=True)
class Hearer:
    """Somebody who should hear, why (`kind`) and about what. `details` holds ids and dates only."""

    person_id: int
    kind: str
    contribution_id: int | None = None
    action_id: int | None = None
    project_id: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    event_id: int | None = None
    #: It goes out in a mail of its own, so that grouped mail does not say it again.
    has_own_mail: bool = False


def tell(
    ctx: Context,
    hearers: Iterable[Hearer],
    event_key: str,
    at: datetime,
    group_wait: timedelta = GROUP_WAIT,
) -> int:
    """Write down who hears of a happening; how many did.

    A person hears of one `event_key` once, by the first entry that names them. Whoever may not read the
    subject is left out. Mail is asked for in the same transaction, for those who want it at once.
    """
    wanted: dict[int, Hearer] = {}
    for hearer in hearers:
        wanted.setdefault(hearer.person_id, hearer)
    allowed = _allowed(ctx, wanted)
    told = 0
    for some in audience.chunks(allowed):
        told += _tell_some(ctx, [wanted[one] for one in some], event_key, at, group_wait)
    ctx.session.flush()
    return told


def _allowed(ctx: Context, wanted: dict[int, Hearer]) -> list[int]:
    session = ctx.session
    contributions = _load(ctx, Contribution, {h.contribution_id for h in wanted.values()})
    actions = _load(ctx, Action, {h.action_id for h in wanted.values()})
    actors = audience.actors(ctx, wanted)
    session.flush()
    return [
        person_id
        for person_id, hearer in wanted.items()
        if telling.may_hear(
            ctx,
            actors[person_id],
            contributions.get(hearer.contribution_id or 0),
            actions.get(hearer.action_id or 0),
        )
    ]


def _load(ctx: Context, model: Any, ids: set[int | None]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for some in audience.chunks(one for one in ids if one is not None):
        for row in ctx.session.execute(select(model).where(model.id.in_(some))).scalars():
            found[row.id] = row
    return found


def _tell_some(
    ctx: Context, hearers: Sequence[Hearer], event_key: str, at: datetime, group_wait: timedelta
) -> int:
    # The person's row is locked before anything else, here and where mail is put together: a piece of news
    # is either in the message being written or asks for the next one. In order of id, against deadlocks.
    ids = [hearer.person_id for hearer in hearers]
    query = select(Person).where(Person.id.in_(ids)).order_by(Person.id).with_for_update()
    people = {
        person.id: person
        for person in ctx.session.execute(query.execution_options(populate_existing=True)).scalars()
    }
    known = set(
        ctx.session.execute(
            select(Notification.person_id).where(
                Notification.person_id.in_(ids), Notification.event_key == event_key
            )
        ).scalars()
    )
    told = 0
    for hearer in hearers:
        person = people.get(hearer.person_id)
        if person is None or person.id in known or not audience.reachable(person):
            continue
        ctx.session.add(_notification(ctx, hearer, person, event_key, at))
        person.unread_count += 1
        told += 1
        if person.email and person.mail_rhythm is MailRhythm.AT_ONCE and not hearer.has_own_mail:
            ask_for_mail(ctx, person.id, group_wait)
    return told


def _notification(ctx: Context, hearer: Hearer, person: Person, event_key: str, at: datetime) -> Notification:
    return Notification(
        person_id=person.id,
        event_key=event_key,
        kind=hearer.kind,
        contribution_id=hearer.contribution_id,
        action_id=hearer.action_id,
        project_id=hearer.project_id,
        event_id=hearer.event_id,
        details=hearer.details,
        created_at=at,
        # Who wants no mail is not sent, later, all that they did not want.
        mailed_at=ctx.now if person.mail_rhythm is MailRhythm.NEVER or hearer.has_own_mail else None,
    )


def mail_key(person_id: int) -> str:
    """The mark under which a person's next grouped message waits."""
    return f"news:{person_id}"


def ask_for_mail(ctx: Context, person_id: int, group_wait: timedelta = GROUP_WAIT) -> None:
    """Ask for one message with everything this person has not been sent; asked twice, one message."""
    outbox.put(ctx, "news", {"person_id": person_id}, at=ctx.now + group_wait, dedupe_key=mail_key(person_id))


def collect(ctx: Context, person_id: int, tag: str = "news") -> int:
    """Turn all that a person has not been sent into mails (one for each function); how many.

    From here on the notifications count as mailed: the mail itself waits in the outbox until it is out.
    """
    query = select(Person).where(Person.id == person_id).with_for_update()
    person = ctx.session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if person is None or not person.email or not audience.reachable(person):
        return 0
    waiting = select(Notification).where(
        Notification.person_id == person_id, Notification.mailed_at.is_(None)
    )
    notes = ctx.session.execute(waiting.order_by(Notification.created_at, Notification.id)).scalars().all()
    by_tag: dict[str, list[int]] = {}
    for note in notes:
        note.mailed_at = ctx.now
        if person.mail_rhythm is not MailRhythm.NEVER:
            by_tag.setdefault(_tag(note.kind, tag), []).append(note.id)
    for name, ids in by_tag.items():
        outbox.put(ctx, "mail", {"tag": name, "person_id": person_id, "notification_ids": ids})
    ctx.session.flush()
    return len(by_tag)


def _tag(kind: str, tag: str) -> str:
    if kind in telling.OFFICE_KINDS:
        return "office_asked"
    return "reminder_team" if kind in telling.TEAM_KINDS else tag


def waiting_for_digest(ctx: Context, after: int, limit: int) -> list[int]:
    """People who want mail once a day and have something in it: the next `limit` of them by id."""
    query = (
        select(Notification.person_id)
        .join(Person, Person.id == Notification.person_id)
        .where(
            Notification.mailed_at.is_(None),
            Notification.person_id > after,
            Person.mail_rhythm == MailRhythm.DAILY,
            Person.email.is_not(None),
        )
        .distinct()
        .order_by(Notification.person_id)
        .limit(limit)
    )
    return list(ctx.session.execute(query).scalars())


@dataclass(frozen=True)
class NewsPage:
    """One page of a person's news by item, and the key after which the next page begins."""

    groups: list[telling.Group]
    next_key: tuple[datetime, int] | None
    unread: int


def mine(ctx: Context, after: tuple[datetime, int] | None = None) -> NewsPage:
    """What the actor has been told, newest first. Raises `Denied` for who is not signed in."""
    ctx.require(Permission.ACCOUNT_SELF)
    person_id = ctx.actor.person_id
    query = select(Notification).where(Notification.person_id == person_id)
    if after is not None:
        query = query.where(tuple_(Notification.created_at, Notification.id) < after)
    query = query.order_by(Notification.created_at.desc(), Notification.id.desc()).limit(PAGE + 1)
    notes = list(ctx.session.execute(query).scalars())
    shown, more = notes[:PAGE], len(notes) > PAGE
    unread = select(Person.unread_count).where(Person.id == person_id)
    return NewsPage(
        telling.group(telling.tell(ctx, ctx.actor, shown)),
        (shown[-1].created_at, shown[-1].id) if more else None,
        ctx.session.execute(unread).scalar() or 0,
    )


def mark_read(ctx: Context) -> None:
    """The actor has read everything so far."""
    ctx.require(Permission.ACCOUNT_SELF)
    person_id = ctx.actor.person_id
    locked = select(Person).where(Person.id == person_id).with_for_update()
    person = ctx.session.execute(locked.execution_options(populate_existing=True)).scalar_one()
    ctx.session.execute(
        update(Notification)
        .where(Notification.person_id == person_id, Notification.read_at.is_(None))
        .values(read_at=ctx.now)
    )
    person.unread_count = 0
    ctx.session.flush()


def reader(ctx: Context, person_id: int | None) -> Person:
    """Whom a link in a mail was written for. Raises `NotFound`."""
    person = ctx.session.get(Person, person_id) if person_id is not None else None
    if person is None or person.anonymised_at is not None:
        raise NotFound("person")
    return person


def set_rhythm(ctx: Context, person_id: int, rhythm: MailRhythm) -> Person:
    """Change how often a person gets mail, by the signed link in each mail: whoever holds it may.

    Raises `NotFound` for a person who is no more.
    """
    query = select(Person).where(Person.id == person_id).with_for_update()
    person = ctx.session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if person is None or person.anonymised_at is not None:
        raise NotFound("person")
    person.mail_rhythm = rhythm
    if rhythm is MailRhythm.NEVER:
        ctx.session.execute(
            update(Notification)
            .where(Notification.person_id == person_id, Notification.mailed_at.is_(None))
            .values(mailed_at=ctx.now)
        )
    ctx.session.flush()
    return person
