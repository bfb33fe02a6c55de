"""Writing down what is said at a meeting: every line is an input of the lab from the moment it is saved.

The meeting's row is locked (not its key, so that sign-ups go on) while a line is placed: the same line sent
twice, or by two phones at once, is one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from lab.kernel.clock import local_date
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.ids import token_digest
from lab.kernel.text import clean_line, clean_text, excerpt, fold
from lab.models.capture import EventPart, EventRemark, PartKind, Priority
from lab.models.contributions import (
    OPEN_STATES,
    Contribution,
    Kind,
    Proposal,
    Visibility,
)
from lab.models.events import Event, EventProject, EventState
from lab.models.programme import Place, Theme
from lab.models.projects import Project
from lab.models.rooms import QuestionState, RoomQuestion
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import audit, capture_kinds, contributions, once, outbox, photos, references, room, routing
from lab.services.capture_kinds import Ask, Way
from lab.services.context import Context
from lab.services.photos import StoredPhoto

#: Hands or cards on one line, and rounds of a world café.
COUNT_LIMIT = 2000
ROUND_LIMIT = 20
#: Longest title of a part, and how many parts a meeting has at most.
PART_LIMIT = 120
PARTS = 60
#: What is written within this time after the end was said at the meeting itself.
_STILL_THERE = timedelta(hours=3)
#: Days by which a written answer may be promised, at most.
_FARTHEST = timedelta(days=366)


@dataclass(frozen=True)
class Line:
    """One thing said. `way` is the name of one of the meeting's ways; only it and the words are needed."""

    event_id: int
    way: str
    text: str
    author_name: str = ""
    theme_id: int | None = None
    place_id: int | None = None
    #: Pass it to this office at once.
    office_id: int | None = None
    #: The stop, table or group by its title; made when there is none of this title yet.
    part: str = ""
    round: int | None = None
    #: Cards, or hands; None where nobody counted.
    count: int | None = None
    priority: Priority | None = None
    self_help: bool = False
    private: bool = False
    #: The day by which a question is answered in writing; None: the promise of every input.
    answer_due_on: date | None = None
    #: When it was written, by the phone's clock; believed only during the meeting.
    said_at: datetime | None = None
    photos: tuple[StoredPhoto, ...] = ()
    #: Digests of the photographs as they were sent: they tell a repeat from another line.
    photo_digests: tuple[str, ...] = ()
    idempotency_key: str | None = None


@dataclass(frozen=True)
class Written:
    """The input a line became. `again`: it had been received before."""

    contribution: Contribution
    again: bool


@dataclass(frozen=True)
class Correction:
    """A slip of the pen put right while the input is open. `version` is that of the input."""

    contribution_id: int
    version: int | None
    text: str
    author_name: str = ""
    place_id: int | None = None
    theme_id: int | None = None
    part: str = ""
    round: int | None = None
    count: int | None = None
    priority: Priority | None = None
    self_help: bool = False


def meeting(ctx: Context, code: str) -> Event:
    """The meeting to write at, with its hosts and place. Raises `NotFound` for outsiders."""
    query = (
        select(Event).where(Event.code == code).options(selectinload(Event.hosts), joinedload(Event.place))
    )
    event = ctx.session.execute(query).scalar_one_or_none()
    if event is None:
        raise NotFound("event")
    ctx.require(Permission.EVENT_CAPTURE, event)
    return event


def held(ctx: Context, event_id: int) -> tuple[Event, Grant]:
    """The meeting with its hosts, locked until the transaction ends, and the right to write at it.

    Raises `NotFound` for outsiders, `Conflict("event_cancelled")`.
    """
    query = (
        select(Event)
        .where(Event.id == event_id)
        .options(selectinload(Event.hosts))
        .with_for_update(of=Event, key_share=True)
        .execution_options(populate_existing=True)
    )
    event = ctx.session.execute(query).scalar_one_or_none()
    if event is None:
        raise NotFound("event")
    grant = ctx.require(Permission.EVENT_CAPTURE, event)
    if event.state is EventState.CANCELLED:
        raise Conflict("event_cancelled")
    return event, grant


def write(ctx: Context, line: Line) -> Written:
    """Take one line down: the input, what the meeting adds to it, its photographs, in this transaction.

    Raises `NotFound` for outsiders, `Invalid` for way, text, part, round, count, place, theme, due or
    photos, `Conflict("event_cancelled")`, and `Conflict("same_id_other_content")` when something else was
    received under the same key.
    """
    event, grant = held(ctx, line.event_id)
    way = capture_kinds.way(event.kind, line.way)
    if way is None:
        raise Invalid("way", "unknown")
    line = _tidy(way, line)
    key, digest = once.own_key(ctx, line.idempotency_key), _digest(line)
    again = contributions.with_key(ctx, key)
    if again is not None:
        if again.payload_hash != digest:
            raise Conflict("same_id_other_content")
        return Written(again, again=True)
    _check(ctx, line)
    placed = _place(ctx, event, way, line, key, digest)
    _add_remark(ctx, event, way, line, placed)
    photos.attach(ctx, line.photos, contribution_id=placed.id)
    if line.office_id is not None:
        routing.route(ctx, routing.Route(placed.id, None, line.office_id))
    audit.record(ctx, "contribution.type", placed, grant, channel=str(placed.channel))
    outbox.announce(ctx, "contribution.placed", contribution_id=placed.id)
    room.touch(ctx, event.id)
    return Written(placed, again=False)


def _tidy(way: type[Way], line: Line) -> Line:
    """The line without what its way does not ask for."""
    return replace(
        line,
        text=clean_text(line.text, contributions.TEXT_LIMIT + 1),
        author_name=clean_line(line.author_name, contributions.NAME_LIMIT + 1),
        office_id=line.office_id if way.wants(Ask.OFFICE) else None,
        part=clean_line(line.part, PART_LIMIT + 1) if way.wants(Ask.PART) else "",
        round=line.round if way.wants(Ask.ROUND) else None,
        count=line.count if way.wants(Ask.COUNT) else None,
        priority=line.priority if way.wants(Ask.PRIORITY) else None,
        self_help=line.self_help and way.wants(Ask.SELF_HELP),
        private=line.private and way.wants(Ask.PRIVATE),
        answer_due_on=line.answer_due_on if way.wants(Ask.DUE) else None,
    )


def _digest(line: Line) -> str:
    """What tells one line from another sent under the same key; the moment and stored names do not."""
    parts = [
        line.way, line.text, line.author_name, line.theme_id, line.place_id, line.office_id, line.part,
        line.round, line.count, line.priority, line.self_help, line.private,
        line.answer_due_on.isoformat() if line.answer_due_on else None, list(line.photo_digests),
    ]  # fmt: skip
    return token_digest(json.dumps(parts, ensure_ascii=False))


def _check(ctx: Context, line: Line | Correction) -> None:
    if not line.text:
        raise Invalid("text", "required")
    if len(line.text) > contributions.TEXT_LIMIT:
        raise Invalid("text", "too_long")
    if len(line.author_name) > contributions.NAME_LIMIT:
        raise Invalid("author_name", "too_long")
    if line.count is not None and not 1 <= line.count <= COUNT_LIMIT:
        raise Invalid("count", "out_of_range")
    if line.round is not None and not 1 <= line.round <= ROUND_LIMIT:
        raise Invalid("round", "out_of_range")
    references.known(ctx, "theme", Theme, line.theme_id)
    references.known(ctx, "place", Place, line.place_id)
    if len(line.part) > PART_LIMIT:
        raise Invalid("part", "too_long")
    if isinstance(line, Line) and line.answer_due_on is not None:
        today = local_date(ctx.now, ctx.timezone)
        if not today <= line.answer_due_on <= today + _FARTHEST:
            raise Invalid("due", "out_of_range")


def part_of(ctx: Context, event: Event, kind: PartKind | None, title: str) -> int | None:
    """The part of a meeting (held) with this title, made when there is none; None without a title.

    Raises `Invalid("part", "too_many")`.
    """
    if kind is None or not title:
        return None
    mine = select(EventPart).where(EventPart.event_id == event.id)
    parts = ctx.session.execute(mine.order_by(EventPart.position)).scalars().all()
    for part in parts:
        if part.kind is kind and fold(part.title) == fold(title):
            return part.id
    if len(parts) >= PARTS:
        raise Invalid("part", "too_many")
    last = max((part.position for part in parts), default=0)
    made = EventPart(event_id=event.id, kind=kind, title=title, position=last + 1)
    ctx.session.add(made)
    ctx.session.flush()
    return made.id


def _place(
    ctx: Context, event: Event, way: type[Way], line: Line, key: str | None, digest: str
) -> Contribution:
    said_at = _moment(ctx, event, line.said_at)
    return contributions.place(
        ctx,
        contributions.Placement(
            text=line.text,
            kind=way.kind,
            channel=capture_kinds.channel(event.kind),
            author_name=line.author_name,
            typed_by_id=ctx.actor.person_id,
            lang=str(event.languages[0]) if event.languages else "it",
            theme_id=line.theme_id,
            place_id=line.place_id,
            project_ids=tuple(one.id for one in projects(ctx, event.id)),
            event_id=event.id,
            visibility=Visibility.PRIVATE if line.private else Visibility.PUBLIC,
            said_at=said_at,
            supports_base=line.count or 0,
            idempotency_key=key,
            extra={"payload_hash": digest, "photos_count": len(line.photos)},
        ),
    )


def _moment(ctx: Context, event: Event, written_at: datetime | None) -> datetime:
    """When it was said: as the phone tells while the meeting was on, now while it is, else at its end."""
    end = event.starts_at + timedelta(minutes=event.minutes)
    if written_at is not None and event.starts_at <= written_at <= min(end + _STILL_THERE, ctx.now):
        return written_at
    return ctx.now if ctx.now <= end + _STILL_THERE else end


def _add_remark(ctx: Context, event: Event, way: type[Way], line: Line, placed: Contribution) -> None:
    ctx.session.add(
        EventRemark(
            contribution_id=placed.id,
            event_id=event.id,
            form=way.form,
            part_id=part_of(ctx, event, way.part, line.part),
            round=line.round,
            count=line.count or 1,
            priority=line.priority,
            self_help=line.self_help,
        )
    )
    if way.kind is Kind.QUESTION:
        due = line.answer_due_on or local_date(placed.promise_due_at, ctx.timezone)
        state = QuestionState.SET_ASIDE if line.private else QuestionState.SHOWN
        ctx.session.add(
            RoomQuestion(contribution_id=placed.id, event_id=event.id, state=state, answer_due_on=due)
        )
    ctx.session.flush()


def correct(ctx: Context, command: Correction) -> Contribution:
    """Put a line right; the earlier words stay readable. Hands and cards follow the new count.

    Raises `NotFound`, `Invalid` as `write`, `Conflict("changed_meanwhile")`, and `Conflict("state_…")` once
    it is settled.
    """
    remark = ctx.session.get(EventRemark, command.contribution_id)
    if remark is None:
        raise NotFound("contribution")
    event, grant = held(ctx, remark.event_id)
    command = replace(
        command,
        text=clean_text(command.text, contributions.TEXT_LIMIT + 1),
        author_name=clean_line(command.author_name, contributions.NAME_LIMIT + 1),
        part=clean_line(command.part, PART_LIMIT + 1),
    )
    with contributions.changing(ctx, command.contribution_id, command.version) as one:
        if one.state not in OPEN_STATES:
            raise Conflict(f"state_{one.state}")
        _check(ctx, command)
        if command.text != one.text:
            _keep_words(ctx, one)
            one.text, one.excerpt = command.text, excerpt(command.text, contributions.EXCERPT)
        one.author_name = command.author_name
        one.place_id, one.theme_id = command.place_id, command.theme_id
        hands = command.count or 0
        one.supports_count += hands - one.supports_base
        one.supports_base = hands
        way = way_of(event, remark, one)
        remark.part_id, remark.round = part_of(ctx, event, way.part, command.part), command.round
        remark.count, remark.priority = command.count or 1, command.priority
        remark.self_help = command.self_help
        audit.record(ctx, "contribution.edit", one, grant)
    room.touch(ctx, event.id)
    return one


def way_of(event: Event, remark: EventRemark, one: Contribution) -> type[Way]:
    """The way by which a line was taken down; the first of the meeting for points agreed in its minutes."""
    mine = capture_kinds.ways(event.kind)
    return next((way for way in mine if (way.form, way.kind) == (remark.form, one.kind)), mine[0])


def _keep_words(ctx: Context, one: Contribution) -> None:
    contributions.keep_words(ctx, one)
    proposal = ctx.session.get(Proposal, one.id)
    if proposal is not None:
        proposal.edited_at = ctx.now


def projects(ctx: Context, event_id: int) -> tuple[Project, ...]:
    """The formal projects the meeting serves."""
    query = (
        select(Project)
        .join(EventProject, EventProject.project_id == Project.id)
        .where(EventProject.event_id == event_id)
        .order_by(Project.position, Project.id)
    )
    return tuple(ctx.session.execute(query).scalars())
