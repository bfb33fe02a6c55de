"""Typing for others: what was said at the desk, by telephone, on paper, written down by the team."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lab.kernel.clock import local_date
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.text import excerpt
from lab.models.accounts import Credential, Person
from lab.models.contributions import (
    OPEN_STATES,
    Channel,
    Contribution,
    Kind,
    Outcome,
    Proposal,
    State,
    StepKind,
    Visibility,
)
from lab.models.events import Event, EventState
from lab.models.programme import Place, Theme
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import audit, contributions, once, outbox, people, references, wording
from lab.services.context import Context

#: The ways by which things reach somebody who writes them down, the most frequent first.
CHANNELS = (
    Channel.DESK,
    Channel.PAPER,
    Channel.PHONE,
    Channel.BOX,
    Channel.ASSEMBLY,
    Channel.STAIR_ASSEMBLY,
    Channel.WALK,
    Channel.PLANNING_FOR_REAL,
    Channel.OPEN_SPACE,
    Channel.WORLD_CAFE,
    Channel.WORKING_GROUP,
    Channel.WORKSHOP,
    Channel.PARTY,
    Channel.SURVEY,
    Channel.MAIL,
)
#: Most hands one can count in a room of this neighbourhood, with room to spare.
HANDS_LIMIT = 2000
REASON_LIMIT = 1000
#: Paper older than this is an archive: that is what imports are for.
OLDEST = timedelta(days=5 * 366)
#: How far back and ahead events are offered as origins.
_EVENTS_BACK = timedelta(days=120)
_EVENTS_AHEAD = timedelta(days=1)
_SHOWN_PEOPLE = 400


@dataclass(frozen=True)
class TypeIn:
    """What somebody said, as the team writes it down. Only text and channel are needed."""

    text: str
    channel: Channel
    kind: Kind = Kind.PROPOSAL
    title: str = ""
    #: The name others read; the person's own when empty.
    author_name: str = ""
    person_id: int | None = None
    #: Who spoke, as they said it. With `register` they are kept as a person, so that letters reach them.
    person_name: str = ""
    register: bool = False
    postal: str = ""
    theme_id: int | None = None
    place_id: int | None = None
    event_id: int | None = None
    said_on: date | None = None
    hands: int = 0
    private: bool = False
    idempotency_key: str | None = None


def type_in(ctx: Context, command: TypeIn) -> Contribution:
    """Place what somebody else said, with the channel, the event and who typed it.

    Raises `NotFound` for anybody outside the team; `Invalid` for text, title, channel, said_on, hands, who,
    shown_name, postal, theme, place or event.
    """
    grant = ctx.require(Permission.CONTRIBUTION_TYPE)
    key = once.own_key(ctx, command.idempotency_key)
    again = contributions.with_key(ctx, key)
    if again is not None:
        return again
    _check(ctx, command)
    person = _person(ctx, command)
    placed = contributions.place(
        ctx,
        contributions.Placement(
            text=command.text,
            kind=command.kind,
            title=command.title,
            channel=command.channel,
            author_name=command.author_name or (person.name if person else command.person_name),
            person_id=person.id if person else None,
            typed_by_id=ctx.actor.person_id,
            lang=person.locale if person else "it",
            theme_id=command.theme_id,
            place_id=command.place_id,
            event_id=command.event_id,
            visibility=Visibility.PRIVATE if command.private else Visibility.PUBLIC,
            said_at=_moment(ctx, command.said_on),
            supports_base=command.hands,
            idempotency_key=key,
        ),
    )
    audit.record(ctx, "contribution.type", placed, grant, channel=str(command.channel))
    outbox.announce(ctx, "contribution.placed", contribution_id=placed.id)
    return placed


def _check(ctx: Context, command: TypeIn) -> None:
    wording.text("text", command.text, contributions.TEXT_LIMIT)
    wording.line("title", command.title, contributions.TITLE_LIMIT)
    wording.line("shown_name", command.author_name, contributions.NAME_LIMIT)
    wording.line("who", command.person_name, contributions.NAME_LIMIT)
    if command.channel not in CHANNELS:
        raise Invalid("channel", "unknown")
    if not 0 <= command.hands <= HANDS_LIMIT:
        raise Invalid("hands", "out_of_range")
    today = local_date(ctx.now, ctx.timezone)
    if command.said_on is not None and command.said_on > today:
        raise Invalid("said_on", "in_the_future")
    if command.said_on is not None and command.said_on < today - OLDEST:
        raise Invalid("said_on", "too_old")
    references.known(ctx, "theme", Theme, command.theme_id)
    references.known(ctx, "place", Place, command.place_id)
    references.known(ctx, "event", Event, command.event_id)


def _person(ctx: Context, command: TypeIn) -> Person | None:
    if command.person_id is not None:
        person = ctx.session.get(Person, command.person_id)
        if person is None or person.anonymised_at is not None:
            raise Invalid("who", "unknown")
        return person
    if command.register:
        try:
            return people.register(ctx, people.Register(name=command.person_name, postal=command.postal))
        except Invalid as error:
            field = "who" if error.field == "name" else error.field
            raise Invalid(field, error.code) from error
    return None


def _moment(ctx: Context, day: date | None) -> datetime | None:
    """Now for what is said today; noon for an earlier day, whose hour nobody knows."""
    if day is None or day == local_date(ctx.now, ctx.timezone):
        return None
    return datetime.combine(day, time(12), tzinfo=ZoneInfo(ctx.timezone)).astimezone(UTC)


@dataclass(frozen=True)
class Retype:
    """What was written down, put right: the words, the title, the name others read."""

    contribution_id: int
    version: int | None
    text: str
    title: str = ""
    author_name: str = ""


def retype(ctx: Context, command: Retype) -> Contribution:
    """Put right what the team wrote down for somebody else; what stood before stays readable.

    Raises `NotFound` for the words of those who wrote themselves, `Invalid` for text, title or author_name,
    `Conflict("changed_meanwhile")`, `Conflict("state_…")` once settled.
    """
    text = wording.text("text", command.text, contributions.TEXT_LIMIT, needed=True)
    title = wording.line("title", command.title, contributions.TITLE_LIMIT)
    name = wording.line("author_name", command.author_name, contributions.NAME_LIMIT)
    with _written_down(ctx, command.contribution_id, command.version) as (one, proposal, grant):
        if (text, title, name) == (one.text, one.title, one.author_name):
            return one
        if (text, title) != (one.text, one.title):
            contributions.keep_words(ctx, one)
            one.text, one.title, one.excerpt = text, title, excerpt(text, contributions.EXCERPT)
            proposal.edited_at = ctx.now
            contributions.add_step(ctx, one, StepKind.EDITED, grant)
            outbox.announce(ctx, "contribution.edited", contribution_id=one.id)
        one.author_name = name
        audit.record(ctx, "contribution.retype", one, grant)
    return one


def withdraw(ctx: Context, contribution_id: int, version: int | None, reason: str) -> Contribution:
    """Take back what the team wrote down, as whoever said it asks; it stays readable with the reason.

    Raises `NotFound` for the words of those who wrote themselves, `Invalid("reason", "required")`,
    `Conflict("changed_meanwhile")`, `Conflict("state_…")` once settled.
    """
    words = wording.text("reason", reason, REASON_LIMIT, needed=True)
    with _written_down(ctx, contribution_id, version) as (one, proposal, grant):
        contributions.move(ctx, one, State.WITHDRAWN, Outcome.WITHDRAWN)
        proposal.withdrawn_at, proposal.withdrawn_reason = ctx.now, words
        contributions.add_step(ctx, one, StepKind.WITHDRAWN, grant, text=words)
        audit.record(ctx, "contribution.withdraw_for", one, grant, reason=words)
        outbox.announce(ctx, "contribution.withdrawn", contribution_id=one.id)
    return one


@contextmanager
def _written_down(
    ctx: Context, contribution_id: int, version: int | None
) -> Iterator[tuple[Contribution, Proposal, Grant]]:
    """One input that the team wrote down and nobody has settled, held for a change."""
    grant = ctx.require(Permission.CONTRIBUTION_TYPE)
    with contributions.changing(ctx, contribution_id, version) as one:
        proposal = ctx.session.get(Proposal, one.id)
        if one.typed_by_id is None or proposal is None:
            raise NotFound("contribution")
        if one.state not in OPEN_STATES or one.visibility is Visibility.HIDDEN:
            raise Conflict("already_decided" if one.state in OPEN_STATES else f"state_{one.state}")
        yield one, proposal, grant


def recent_events(ctx: Context) -> Sequence[Event]:
    """Events of the last months as origins, the latest first."""
    query = (
        select(Event)
        .where(
            Event.starts_at >= ctx.now - _EVENTS_BACK,
            Event.starts_at <= ctx.now + _EVENTS_AHEAD,
            Event.state != EventState.CANCELLED,
            Event.is_public,
        )
        .order_by(Event.starts_at.desc(), Event.id.desc())
        .limit(60)
    )
    return ctx.session.execute(query).scalars().all()


def known_people(ctx: Context) -> Sequence[Person]:
    """People without account whom the desk has met, by name: those one types for again and again."""
    ctx.require(Permission.PERSON_REGISTER)
    with_account = select(Credential.person_id).where(Credential.person_id == Person.id).exists()
    query = (
        select(Person)
        .where(Person.anonymised_at.is_(None), Person.email.is_(None), ~with_account)
        .order_by(Person.id.desc())
        .limit(_SHOWN_PEOPLE)
    )
    return sorted(ctx.session.execute(query).scalars().all(), key=lambda person: person.name.casefold())


def typed(ctx: Context, code: str) -> Contribution:
    """One input with what a receipt slip says. Raises `NotFound` outside the team."""
    ctx.require(Permission.CONTRIBUTION_TYPE)
    query = (
        select(Contribution)
        .where(Contribution.code == code)
        .options(
            joinedload(Contribution.event), joinedload(Contribution.place), joinedload(Contribution.theme)
        )
    )
    found = ctx.session.execute(query).unique().scalar_one_or_none()
    if found is None:
        raise NotFound("contribution")
    return found
