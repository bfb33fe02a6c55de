"""What became of a meeting: every point and every remark with its state, action and answer; who promised
what and whether it was kept; the minutes and the photographed sheets. One statement, whatever the number.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Date, Select, Text, func, select, union_all
from sqlalchemy.orm import aliased, joinedload

from lab.db.parts import Shape
from lab.db.types import UtcDateTime
from lab.kernel.clock import local_date
from lab.kernel.errors import NotFound
from lab.models.actions import PUBLIC_ACTION_STATES, Action, ActionContribution, ActionState
from lab.models.answers import Answer, Verdict
from lab.models.capture import (
    Commitment,
    CommitmentState,
    EventPart,
    EventRemark,
    Minutes,
    MinutesState,
    MinutesVersion,
    RemarkForm,
)
from lab.models.contributions import Contribution, Kind, State, Visibility
from lab.models.events import Event
from lab.models.pictures import Photo
from lab.models.programme import Body, Office, Place
from lab.models.rooms import RoomQuestion
from lab.services.context import Context

#: Remarks on one page of a meeting.
SHOWN = 60


@dataclass(frozen=True)
class Woven:
    """A public action that took a remark up."""

    code: str
    title: str
    state: ActionState


@dataclass(frozen=True)
class Answered:
    """What was answered, by whom and when. `verdict` is None for the written answer to a question."""

    text: str
    by: str
    at: datetime
    verdict: Verdict | None = None


@dataclass
class Said:
    """One remark, question or agreed point with all that became of it."""

    id: int
    code: str
    kind: Kind
    form: RemarkForm | None
    state: State
    title: str
    words: str
    lang: str
    author: str
    part: str
    place: str
    office: str
    count: int
    supports: int
    position: int
    #: The day by which an answer is promised.
    due_on: date | None
    is_open: bool
    is_late: bool
    into: str
    actions: list[Woven] = field(default_factory=list)
    answer: Answered | None = None


@dataclass(frozen=True)
class Promise:
    """A commitment as everybody reads it."""

    code: str
    text: str
    owner: str
    office_code: str
    body_code: str
    due_on: date | None
    state: CommitmentState
    note: str
    closed_at: datetime | None
    is_late: bool


@dataclass
class EventOutcome:
    """All of it. `published_at` is None while there are no minutes."""

    points: list[Said] = field(default_factory=list)
    questions: list[Said] = field(default_factory=list)
    remarks: list[Said] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    #: Photographed sheets: name, widths, width, height, what one sees.
    sheets: list[tuple[str, tuple[int, ...], int, int, str]] = field(default_factory=list)
    published_at: datetime | None = None
    summary: str = ""
    text: str = ""
    attended: int | None = None
    corrected_at: datetime | None = None
    #: Where the next page of remarks goes on; None at the end.
    more_after: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (
            self.points or self.questions or self.remarks or self.promises or self.sheets or self.published_at
        )


_part = Shape(
    id=BigInteger(),
    code=Text(),
    kind=Text(),
    form=Text(),
    state=Text(),
    title=Text(),
    words=Text(),
    lang=Text(),
    who=Text(),
    part_title=Text(),
    place=Text(),
    office=Text(),
    other=Text(),
    number=BigInteger(),
    second=BigInteger(),
    position=BigInteger(),
    at=UtcDateTime(),
    day=Date(),
).part


def meeting(ctx: Context, code: str) -> Event:
    """A public meeting with its place. One statement. Raises `NotFound`."""
    query = select(Event).where(Event.code == code, Event.is_public).options(joinedload(Event.place))
    found = ctx.session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound("event")
    return found


def of(ctx: Context, event_id: int, limit: int = SHOWN, after: int | None = None) -> EventOutcome:
    """What became of this meeting as everybody may read it, with `limit` remarks. One statement.

    `after` is the id of the remark from which a further page goes on; it holds remarks only.
    """
    ids = _ids(event_id, limit, after)
    parts = [_said(ids), _written(ids), _woven(ids), _answered(ids)]
    if after is None:
        parts += [_promised(event_id), _sheets(event_id), _minutes(event_id), _corrected(event_id)]
    return _read(ctx, list(ctx.session.execute(union_all(*parts))), limit)


def _ids(event_id: int, limit: int, after: int | None) -> Any:
    """The ids of a page of remarks, one more to know of, and on the first page those of all points agreed."""
    one = Contribution
    public = (
        one.event_id == event_id,
        one.visibility == Visibility.PUBLIC,
        one.state != State.WITHDRAWN,
    )
    points = select(EventRemark.contribution_id).where(
        EventRemark.event_id == event_id, EventRemark.form == RemarkForm.AGREED_POINT
    )
    remarks = select(one.id).where(*public, one.id.not_in(points)).order_by(one.id).limit(limit + 1)
    if after is not None:
        remarks = remarks.where(one.id > after)
        return select(remarks.subquery().c.id)
    return union_all(select(remarks.subquery().c.id), select(one.id).where(*public, one.id.in_(points)))


def _said(ids: Any) -> Select[Any]:
    one, into = Contribution, aliased(Contribution)
    return (
        _part(
            "said", id=one.id, code=one.code, kind=one.kind, form=EventRemark.form, state=one.state,
            title=one.title, words=one.text, lang=one.lang, who=one.author_name, part_title=EventPart.title,
            place=Place.name, office=Office.name, other=into.code, number=EventRemark.count,
            second=one.supports_count, position=EventRemark.position, at=one.promise_due_at,
            day=func.coalesce(RoomQuestion.answer_due_on, one.office_due_on),
        )
        .select_from(one)
        .outerjoin(EventRemark, EventRemark.contribution_id == one.id)
        .outerjoin(EventPart, EventPart.id == EventRemark.part_id)
        .outerjoin(RoomQuestion, RoomQuestion.contribution_id == one.id)
        .outerjoin(Place, Place.id == one.place_id)
        .outerjoin(Office, Office.id == one.office_id)
        .outerjoin(into, (into.id == one.merged_into_id) & (into.visibility == Visibility.PUBLIC))
        .where(one.id.in_(ids))
    )  # fmt: skip


def _written(ids: Any) -> Select[Any]:
    one = RoomQuestion
    columns = {"id": one.contribution_id, "words": one.answer, "who": one.signed_as, "at": one.answered_at}
    return _part("written", **columns).where(one.contribution_id.in_(ids), one.answered_at.is_not(None))


def _fate() -> Any:
    # What was merged lives on in another: its actions and answers are this one's too.
    return func.coalesce(Contribution.merged_into_id, Contribution.id)


def _woven(ids: Any) -> Select[Any]:
    columns = {"id": Contribution.id, "code": Action.code, "title": Action.title, "state": Action.state}
    return (
        _part("action", **columns)
        .select_from(Contribution)
        .join(ActionContribution, ActionContribution.contribution_id == _fate())
        .join(Action, Action.id == ActionContribution.action_id)
        .where(Contribution.id.in_(ids), Action.state.in_(PUBLIC_ACTION_STATES))
    )


def _answered(ids: Any) -> Select[Any]:
    columns = {
        "id": Contribution.id, "words": Answer.reason, "who": Office.name, "state": Answer.verdict,
        "at": Answer.published_at,
    }  # fmt: skip
    return (
        _part("answer", **columns)
        .select_from(Contribution)
        .join(Answer, Answer.contribution_id == _fate())
        .join(Office, Office.id == Answer.office_id)
        .where(Contribution.id.in_(ids), Answer.published_at.is_not(None))
    )


def _promised(event_id: int) -> Select[Any]:
    one = Commitment
    columns = {
        "id": one.id, "code": one.code, "title": one.text, "state": one.state, "words": one.note,
        "who": func.coalesce(Office.name, Body.name, one.owner_name), "office": Office.code,
        "other": Body.code, "position": one.position, "at": one.closed_at, "day": one.due_on,
    }  # fmt: skip
    return (
        _part("promise", **columns)
        .select_from(one)
        .outerjoin(Office, Office.id == one.office_id)
        .outerjoin(Body, Body.id == one.body_id)
        .where(one.event_id == event_id, one.is_public)
    )


def _sheets(event_id: int) -> Select[Any]:
    columns = {
        "id": Photo.id, "code": Photo.name, "words": Photo.widths, "title": Photo.alt,
        "number": Photo.width, "second": Photo.height, "position": Photo.position,
    }  # fmt: skip
    return _part("sheet", **columns).where(Photo.event_id == event_id)


def _minutes(event_id: int) -> Select[Any]:
    columns = {
        "id": Minutes.event_id, "title": Minutes.summary, "words": Minutes.text, "number": Minutes.attended,
        "at": Minutes.published_at,
    }  # fmt: skip
    published = Minutes.state == MinutesState.PUBLISHED
    return _part("minutes", **columns).where(Minutes.event_id == event_id, published)


def _corrected(event_id: int) -> Select[Any]:
    columns = {"id": MinutesVersion.id, "number": MinutesVersion.number, "at": MinutesVersion.corrected_at}
    return _part("corrected", **columns).where(MinutesVersion.event_id == event_id)


def _read(ctx: Context, rows: list[Any], limit: int) -> EventOutcome:
    by_part: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_part[row.part].append(row)
    found = EventOutcome(promises=[_promise(ctx, row) for row in _ordered(by_part["promise"])])
    for row in by_part["minutes"]:
        found.summary, found.text, found.attended = row.title, row.words, row.number
        found.published_at = row.at
    if found.published_at is not None:
        found.corrected_at = max((row.at for row in by_part["corrected"]), default=None)
    for row in _ordered(by_part["sheet"]):
        widths = tuple(int(width) for width in row.words.split(","))
        found.sheets.append((row.code, widths, row.number, row.second, row.title))
    said = sorted(by_part["said"], key=lambda row: int(row.id))
    points = [row for row in said if row.form == RemarkForm.AGREED_POINT.value]
    remarks = [row for row in said if row.form != RemarkForm.AGREED_POINT.value]
    found.more_after = remarks[limit - 1].id if len(remarks) > limit else None
    known = {row.id: _remark(ctx, row) for row in (*points, *remarks[:limit])}
    _add_ends(known, by_part)
    for one in sorted(known.values(), key=lambda one: (one.position, one.id)):
        _pile(found, one).append(one)
    return found


def _ordered(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: (row.position, row.id))


def _pile(found: EventOutcome, one: Said) -> list[Said]:
    if one.form is RemarkForm.AGREED_POINT:
        return found.points
    return found.questions if one.kind is Kind.QUESTION else found.remarks


def _add_ends(known: dict[int, Said], by_part: dict[str, list[Any]]) -> None:
    for row in sorted(by_part["action"], key=lambda row: str(row.code)):
        if row.id in known:
            known[row.id].actions.append(Woven(row.code, row.title, ActionState(row.state)))
    # The newest answer counts; an office's comes after what was written for the room, if later.
    for row in sorted([*by_part["written"], *by_part["answer"]], key=lambda row: row.at):
        if row.id in known:
            verdict = Verdict(row.state) if row.state else None
            known[row.id].answer = Answered(row.words, row.who or "", row.at, verdict)


def _remark(ctx: Context, row: Any) -> Said:
    state = State(row.state)
    is_open = state in (State.RECEIVED, State.IN_REVIEW, State.CO_DESIGN)
    due = row.day or local_date(row.at, ctx.timezone)
    return Said(
        id=row.id,
        code=row.code,
        kind=Kind(row.kind),
        form=RemarkForm(row.form) if row.form else None,
        state=state,
        title=row.title or "",
        words=row.words,
        lang=row.lang,
        author=row.who or "",
        part=row.part_title or "",
        place=row.place or "",
        office=row.office or "",
        count=row.number or 1,
        supports=row.second or 0,
        position=row.position or 0,
        due_on=due,
        is_open=is_open,
        is_late=is_open and due < local_date(ctx.now, ctx.timezone),
        into=row.other or "",
    )


def _promise(ctx: Context, row: Any) -> Promise:
    state = CommitmentState(row.state)
    is_open = state is CommitmentState.OPEN
    return Promise(
        code=row.code,
        text=row.title,
        owner=row.who or "",
        office_code=row.office or "",
        body_code=row.other or "",
        due_on=row.day,
        state=state,
        note=row.words or "",
        closed_at=row.at,
        is_late=is_open and row.day is not None and row.day < local_date(ctx.now, ctx.timezone),
    )
