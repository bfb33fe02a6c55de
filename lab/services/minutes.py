"""The minutes of a meeting: drafted, published by a host, corrected in the open.

Publishing closes the meeting: it has been held, so many came, this is what came of it. Every point agreed
becomes an input, so that its outcome can be followed; every promise a public commitment. All of it in one
transaction, under the meeting's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, select

from lab.db.locking import expect_version
from lab.kernel.clock import local_date
from lab.kernel.errors import Conflict, Invalid
from lab.kernel.ids import token_digest
from lab.models.capture import (
    Commitment,
    EventRemark,
    Minutes,
    MinutesState,
    MinutesVersion,
    RemarkForm,
)
from lab.models.contributions import Kind
from lab.models.events import Event, EventState
from lab.models.programme import Body, Office
from lab.models.projects import Project
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import (
    audit,
    capture,
    capture_kinds,
    codes,
    contributions,
    head_count,
    outbox,
    references,
    room,
    wording,
)
from lab.services.context import Context

SUMMARY_LIMIT = 1000
TEXT_LIMIT = 30_000
POINT_LIMIT = 1000
WHAT_LIMIT = 500
OWNER_LIMIT = 120
NOTE_LIMIT = 500
#: Points and promises of one meeting.
POINTS = 40
PROMISES = 40
ATTENDED_LIMIT = 20_000
#: A promise is for a day within these years, and no earlier than the meeting.
_YEARS = timedelta(days=10 * 366)


@dataclass(frozen=True)
class Point:
    """Something all agreed on. Without projects it speaks about those of the meeting."""

    text: str
    project_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Promise:
    """Who does what by when: an office, a body, or somebody by name."""

    text: str
    office_id: int | None = None
    body_id: int | None = None
    owner_name: str = ""
    due_on: date | None = None


@dataclass(frozen=True)
class Write:
    """The minutes as the page sends them. `version` is the number it was drawn with (0: none yet).

    Once published, `points` and `promises` are further ones, and `note` says why there is a correction.
    """

    event_id: int
    version: int
    summary: str = ""
    text: str = ""
    attended: int | None = None
    points: tuple[Point, ...] = ()
    promises: tuple[Promise, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Draft:
    """What the page shows: the minutes so far, or what is known before anybody wrote."""

    minutes: Minutes | None
    version: int
    summary: str
    text: str
    attended: int | None
    counts: dict[str, Any]
    points: tuple[Point, ...]
    promises: tuple[Commitment, ...]

    @property
    def is_published(self) -> bool:
        """Whether everybody reads them."""
        return self.minutes is not None and self.minutes.state is MinutesState.PUBLISHED


def draft(ctx: Context, event: Event) -> Draft:
    """The minutes to go on with. Attendance comes from the head count until somebody writes another.

    Raises `NotFound` for outsiders.
    """
    ctx.require(Permission.EVENT_CAPTURE, event)
    minutes = ctx.session.get(Minutes, event.id)
    counts = counted(ctx, event)
    known = counts.get("total") or event.attendance
    if minutes is None:
        return Draft(None, 0, event.result, "", known, counts, (), ())
    attended = minutes.attended if minutes.attended is not None else known
    promises = () if minutes.state is MinutesState.PUBLISHED else tuple(_drafted(ctx, event.id))
    points = tuple(Point(str(one["text"]), tuple(one.get("project_ids", ()))) for one in minutes.points)
    return Draft(minutes, minutes.version, minutes.summary, minutes.text, attended, counts, points, promises)


def counted(ctx: Context, event: Event) -> dict[str, Any]:
    """How many came by the books: from paper, tablets, site and door; {} where nobody counted."""
    totals = head_count.totals(ctx, event)
    # Marks outlive the names, which are deleted on their day; a number told by hand was not counted.
    is_counted = totals.claimed or totals.total != (event.attendance or 0)
    return {"total": totals.total, **totals.by_source()} if is_counted else {}


def _drafted(ctx: Context, event_id: int) -> Sequence[Commitment]:
    query = select(Commitment).where(Commitment.event_id == event_id, ~Commitment.is_public)
    return ctx.session.execute(query.order_by(Commitment.position, Commitment.id)).scalars().all()


def save(ctx: Context, command: Write) -> Minutes:
    """Keep a draft; nobody but the hosts and the team reads it.

    Raises `NotFound`, `Invalid`, `Conflict("changed_meanwhile")`, `Conflict("already_published")`.
    """
    event, grant = capture.held(ctx, command.event_id)
    tidy, stands = _tidy(ctx, event, command), draft(ctx, event)
    if stands.minutes is not None and not stands.is_published and _content(stands) == _content(tidy):
        # Two clicks are one.
        return stands.minutes
    minutes = _write(ctx, event, tidy)
    audit.record(ctx, "minutes.save", event, grant, code=event.code)
    return minutes


def _content(one: Draft | Write) -> tuple[Any, ...]:
    promised = [(p.text, p.office_id, p.body_id, p.owner_name, p.due_on) for p in one.promises]
    return one.summary, one.text, one.attended, one.points, promised


def _write(ctx: Context, event: Event, command: Write) -> Minutes:
    minutes = _locked(ctx, event.id)
    if minutes is None:
        if command.version:
            raise Conflict("changed_meanwhile")
        minutes = Minutes(event_id=event.id, version=0, changed_at=ctx.now)
        ctx.session.add(minutes)
    elif minutes.state is MinutesState.PUBLISHED:
        raise Conflict("already_published")
    else:
        expect_version(minutes, command.version)
    minutes.summary, minutes.text, minutes.attended = command.summary, command.text, command.attended
    minutes.points = [{"text": one.text, "project_ids": list(one.project_ids)} for one in command.points]
    minutes.changed_at, minutes.version = ctx.now, minutes.version + 1
    _draft_promises(ctx, event, command.promises)
    ctx.session.flush()
    return minutes


def _locked(ctx: Context, event_id: int) -> Minutes | None:
    query = select(Minutes).where(Minutes.event_id == event_id).execution_options(populate_existing=True)
    return ctx.session.execute(query).scalar_one_or_none()


def _draft_promises(ctx: Context, event: Event, promises: Sequence[Promise]) -> None:
    """Bring the rows of the draft in line; those that stay keep their code."""
    rows = list(_drafted(ctx, event.id))
    for position, promise in enumerate(promises):
        if position < len(rows):
            row = rows[position]
        else:
            row = Commitment(code=codes.next_code(ctx, "I"), event_id=event.id, created_at=ctx.now)
            ctx.session.add(row)
        row.text, row.due_on, row.position = promise.text, promise.due_on, position
        row.office_id, row.body_id, row.owner_name = promise.office_id, promise.body_id, promise.owner_name
    surplus = [row.id for row in rows[len(promises) :]]
    if surplus:
        ctx.session.execute(delete(Commitment).where(Commitment.id.in_(surplus)))


def publish(ctx: Context, command: Write) -> Minutes:
    """Publish the minutes and close the meeting; who came hears. Publishing the same again changes nothing.

    Raises `NotFound` for everybody but the hosts, `Invalid`, `Conflict("not_begun")` before its day,
    `Conflict("event_not_public")`, `Conflict("changed_meanwhile")`, `Conflict("already_published")`.
    """
    event, _ = capture.held(ctx, command.event_id)
    grant = ctx.require(Permission.EVENT_RUN, event)
    if event.starts_at > ctx.now:
        raise Conflict("not_begun")
    if not event.is_public:
        raise Conflict("event_not_public")
    tidy = _tidy(ctx, event, command)
    before = _locked(ctx, event.id)
    if before is not None and before.state is MinutesState.PUBLISHED and _says(ctx, before, tidy):
        return before
    if not (tidy.summary or tidy.text):
        raise Invalid("summary", "required")
    minutes = _write(ctx, event, tidy)
    minutes.state = MinutesState.PUBLISHED
    minutes.published_at, minutes.published_by_id = ctx.now, ctx.actor.person_id
    minutes.counts = counted(ctx, event)
    _close(ctx, event, minutes, grant, first=0)
    if room.is_open(room.of(ctx, event)):
        # What is asked after the minutes would be in none: nobody is in the room any more.
        room.close_room(ctx, event.id)
    audit.record(ctx, "minutes.publish", event, grant, code=event.code)
    outbox.announce(ctx, "minutes.published", event_id=event.id)
    return minutes


def _says(ctx: Context, minutes: Minutes, command: Write) -> bool:
    """Whether published minutes are these."""
    said = [str(one["text"]) for one in minutes.points]
    taken_on = select(Commitment.text).where(Commitment.event_id == minutes.event_id, Commitment.is_public)
    return (
        (minutes.summary, minutes.text, minutes.attended) == (command.summary, command.text, command.attended)
        and said == [one.text for one in command.points]
        and {one.text for one in command.promises} <= set(ctx.session.execute(taken_on).scalars())
    )


def correct(ctx: Context, command: Write) -> Minutes:
    """Put published minutes right: the earlier text stays readable, with the day and the reason.

    Points and promises of the command are added to those published. The same correction again is one.
    Raises `NotFound` for everybody but the hosts, `Invalid`, `Conflict("changed_meanwhile")`,
    `Conflict("not_published")`.
    """
    event, _ = capture.held(ctx, command.event_id)
    grant = ctx.require(Permission.EVENT_RUN, event)
    minutes = _locked(ctx, event.id)
    if minutes is None or minutes.state is not MinutesState.PUBLISHED:
        raise Conflict("not_published")
    tidy = _tidy(ctx, event, command)
    if not (tidy.summary or tidy.text):
        raise Invalid("summary", "required")
    same = (minutes.summary, minutes.text, minutes.attended) == (tidy.summary, tidy.text, tidy.attended)
    if same and not tidy.points and not tidy.promises:
        return minutes
    expect_version(minutes, command.version)
    if not tidy.note:
        raise Invalid("note", "required")
    _keep(ctx, minutes, tidy.note)
    first = len(minutes.points)
    minutes.summary, minutes.text, minutes.attended = tidy.summary, tidy.text, tidy.attended
    added = [{"text": one.text, "project_ids": list(one.project_ids)} for one in tidy.points]
    minutes.points = [*minutes.points, *added]
    minutes.changed_at, minutes.version = ctx.now, minutes.version + 1
    _draft_promises(ctx, event, tidy.promises)
    _close(ctx, event, minutes, grant, first=first)
    audit.record(ctx, "minutes.correct", event, grant, code=event.code, reason=tidy.note)
    return minutes


def _keep(ctx: Context, minutes: Minutes, note: str) -> None:
    ctx.session.add(
        MinutesVersion(
            event_id=minutes.event_id,
            number=len(versions(ctx, minutes.event_id)) + 1,
            summary=minutes.summary,
            text=minutes.text,
            attended=minutes.attended,
            corrected_at=ctx.now,
            corrected_by_id=ctx.actor.person_id,
            note=note,
        )
    )
    ctx.session.flush()


def _close(ctx: Context, event: Event, minutes: Minutes, grant: Grant, first: int) -> None:
    """Make inputs of the points from `first` on, publish the promises, and say that it has been held."""
    ctx.session.flush()
    for position, point in enumerate(minutes.points[first:], start=first):
        _place(ctx, event, point, position, grant)
    published = select(Commitment.id).where(Commitment.event_id == event.id, Commitment.is_public)
    ahead = len(ctx.session.execute(published).all())
    for offset, row in enumerate(_drafted(ctx, event.id)):
        row.is_public, row.position, row.created_at = True, ahead + offset, ctx.now
    event.state = EventState.HELD
    event.result, event.attendance = minutes.summary, minutes.attended
    event.version += 1
    ctx.session.flush()
    room.touch(ctx, event.id)


def _place(ctx: Context, event: Event, point: dict[str, Any], position: int, grant: Grant) -> None:
    placed = contributions.place(
        ctx,
        contributions.Placement(
            text=str(point["text"]),
            kind=Kind.REMARK,
            channel=capture_kinds.channel(event.kind),
            typed_by_id=ctx.actor.person_id,
            lang=str(event.languages[0]) if event.languages else "it",
            place_id=event.place_id,
            project_ids=tuple(
                point.get("project_ids") or [one.id for one in capture.projects(ctx, event.id)]
            ),
            event_id=event.id,
            said_at=min(event.starts_at + timedelta(minutes=event.minutes), ctx.now),
            idempotency_key=token_digest(f"minutes {event.id} point {position}"),
        ),
    )
    ctx.session.add(
        EventRemark(
            contribution_id=placed.id,
            event_id=event.id,
            form=RemarkForm.AGREED_POINT,
            position=position,
        )
    )
    audit.record(ctx, "contribution.type", placed, grant, channel=str(placed.channel))
    outbox.announce(ctx, "contribution.placed", contribution_id=placed.id)


def _tidy(ctx: Context, event: Event, command: Write) -> Write:
    """The command with clean words and without empty lines. Raises `Invalid`."""
    points = tuple(one for one in (_point(ctx, *row) for row in enumerate(command.points)) if one.text)
    promises = tuple(
        one for one in (_promise(ctx, event, *row) for row in enumerate(command.promises)) if one.text
    )
    if len(points) > POINTS:
        raise Invalid("points", "too_many")
    if len(promises) > PROMISES:
        raise Invalid("promises", "too_many")
    if command.attended is not None and not 0 <= command.attended <= ATTENDED_LIMIT:
        raise Invalid("attended", "out_of_range")
    return Write(
        command.event_id,
        command.version,
        wording.text("summary", command.summary, SUMMARY_LIMIT),
        wording.text("text", command.text, TEXT_LIMIT),
        command.attended,
        points,
        promises,
        wording.line("note", command.note, NOTE_LIMIT),
    )


def _point(ctx: Context, row: int, point: Point) -> Point:
    field = f"points-{row}"
    references.known(ctx, field, Project, *point.project_ids)
    text = wording.text(field, point.text, POINT_LIMIT)
    return Point(text, tuple(dict.fromkeys(point.project_ids)))


def _promise(ctx: Context, event: Event, row: int, promise: Promise) -> Promise:
    field = f"promises-{row}"
    text = wording.text(field, promise.text, WHAT_LIMIT)
    owner = wording.line(field, promise.owner_name, OWNER_LIMIT)
    named = [one for one in (promise.office_id, promise.body_id, owner) if one]
    if not text:
        if named or promise.due_on:
            raise Invalid(field, "what_is_missing")
        return Promise("")
    if len(named) != 1:
        raise Invalid(field, "one_owner")
    references.known(ctx, field, Office, promise.office_id)
    references.known(ctx, field, Body, promise.body_id)
    if promise.due_on is not None:
        held_on = local_date(event.starts_at, ctx.timezone)
        if not held_on <= promise.due_on <= held_on + _YEARS:
            raise Invalid(field, "due_out_of_range")
    return Promise(text, promise.office_id, promise.body_id, owner, promise.due_on)


def versions(ctx: Context, event_id: int) -> Sequence[MinutesVersion]:
    """What published minutes said before their corrections, the latest first. One statement."""
    query = select(MinutesVersion).where(MinutesVersion.event_id == event_id)
    return ctx.session.execute(query.order_by(MinutesVersion.number.desc())).scalars().all()
