"""The look-up by receipt code: what became of one input, for whoever holds the slip, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from lab.kernel.clock import local_date
from lab.kernel.errors import NotFound
from lab.kernel.ids import parse_receipt_code
from lab.models.actions import PUBLIC_ACTION_STATES, Action, ActionContribution, ActionState
from lab.models.answers import Answer, Verdict
from lab.models.contributions import Contribution, Proposal, State, Step, StepKind, Visibility
from lab.models.moderation import ModerationAct
from lab.models.programme import Body, Office
from lab.services import contributions
from lab.services.context import Context

#: Merges are followed to the input that lives on, this many links at most.
_CHAIN = 8
#: Steps of the other input that are this person's matter too: not what else it took in, nor its edits.
_TOLD = (
    StepKind.ROUTED,
    StepKind.PASSED_ON,
    StepKind.CO_DESIGN,
    StepKind.WOVEN,
    StepKind.UNWOVEN,
    StepKind.ADOPTED,
    StepKind.UNDER_WAY,
    StepKind.UPDATED,
    StepKind.DONE,
    StepKind.ANSWERED,
    StepKind.REOPENED,
)


@dataclass(frozen=True)
class Reply:
    """What an office answered."""

    verdict: Verdict
    reason: str
    office: str
    body: str
    at: datetime


@dataclass(frozen=True)
class Woven:
    """An action that grew out of it; public ones only."""

    code: str
    title: str
    state: ActionState
    office: str
    progress: int
    due_on: date | None


@dataclass(frozen=True)
class Happening:
    """One dated step, with whom it concerned. `borrowed`: it happened to the input this one lives on in."""

    kind: StepKind
    at: datetime
    office: str
    body: str
    text: str
    borrowed: bool


@dataclass(frozen=True)
class Receipt:
    """What the holder of a receipt code reads. No name, no address, nobody else's words."""

    code: str
    number: str
    state: State
    visibility: Visibility
    title: str
    excerpt: str
    lang: str
    said_at: datetime
    promise_due_at: datetime
    decided_at: datetime | None
    timeliness: str
    is_overdue: bool
    office: str
    office_due_on: date | None
    withdrawn_reason: str
    #: How many photographs came with the words.
    photos: int
    #: The public code and title of the input that lives on, when this one was merged.
    merged_code: str | None = None
    merged_title: str = ""
    merged_state: State | None = None
    hidden_reason: str = ""
    appealed: bool = False
    appeal_answer: str = ""
    reply: Reply | None = None
    actions: list[Woven] = field(default_factory=list)
    steps: list[Happening] = field(default_factory=list)

    @property
    def is_public(self) -> bool:
        """Whether the input has a page that everybody reads."""
        return self.visibility is Visibility.PUBLIC

    @property
    def standing(self) -> State:
        """The state that tells its fate: that of the input it was merged into, where there is one."""
        return self.merged_state or self.state


def read(ctx: Context, written: str) -> Receipt:
    """What became of the input with this receipt code, however the code was written.

    Raises `NotFound("receipt")` for a code that nobody was given.
    """
    code = parse_receipt_code(written)
    if code is None:
        raise NotFound("receipt")
    own, proposal, fate, reply = _inputs(ctx, code)
    act = _hiding_act(ctx, own) if own.visibility is Visibility.HIDDEN else None
    merged = fate.id != own.id
    return Receipt(
        code=own.receipt_code,
        number=own.code,
        state=own.state,
        visibility=own.visibility,
        title=own.title,
        excerpt=own.excerpt,
        lang=own.lang,
        said_at=own.created_at,
        promise_due_at=own.promise_due_at,
        decided_at=fate.decided_at,
        timeliness=contributions.timeliness(own),
        is_overdue=fate.is_open and _day(ctx, own.promise_due_at) < _day(ctx, ctx.now),
        office=fate.office.name if fate.office else "",
        office_due_on=fate.office_due_on,
        withdrawn_reason=proposal.withdrawn_reason if proposal else "",
        photos=own.photos_count,
        merged_code=fate.code if merged else None,
        merged_title=(fate.title or fate.excerpt) if merged else "",
        merged_state=fate.state if merged else None,
        hidden_reason=act.reason if act else "",
        appealed=bool(act and act.appealed_at),
        appeal_answer=act.appeal_answer if act else "",
        reply=reply,
        actions=_actions(ctx, fate.id),
        steps=_steps(ctx, own, fate),
    )


def _day(ctx: Context, instant: datetime) -> date:
    return local_date(instant, ctx.timezone)


def _inputs(ctx: Context, code: str) -> tuple[Contribution, Proposal | None, Contribution, Reply | None]:
    """The input itself, its proposal part, the input that tells its fate, and the answer to that one."""
    target = aliased(Contribution)
    # Asked together: the page must not grow with the answers.
    query = (
        select(Contribution, Proposal, target, Answer, Office.name, Body.name)
        .outerjoin(Proposal, Proposal.contribution_id == Contribution.id)
        .outerjoin(target, target.id == Contribution.merged_into_id)
        .outerjoin(Answer, Answer.id == _latest_answer(func.coalesce(target.id, Contribution.id)))
        .outerjoin(Office, Office.id == Answer.office_id)
        .outerjoin(Body, Body.id == Answer.body_id)
        .where(Contribution.receipt_code == code)
        .options(joinedload(Contribution.office), joinedload(target.office))
    )
    row = ctx.session.execute(query).unique().one_or_none()
    if row is None:
        raise NotFound("receipt")
    own, proposal, answer, office, body = row[0], row[1], row[3], row[4], row[5]
    survivor: Contribution | None = row[2]
    if survivor is None:
        return own, proposal, own, _reply(answer, office, body)
    for _ in range(_CHAIN):
        if survivor.merged_into_id is None:
            break
        survivor, answer, office, body = _further(ctx, survivor.merged_into_id)
    if survivor.visibility is not Visibility.PUBLIC:
        return own, proposal, own, None
    return own, proposal, survivor, _reply(answer, office, body)


def _further(ctx: Context, contribution_id: int) -> Any:
    query = (
        select(Contribution, Answer, Office.name, Body.name)
        .select_from(Contribution)
        .outerjoin(Answer, Answer.id == _latest_answer(Contribution.id))
        .outerjoin(Office, Office.id == Answer.office_id)
        .outerjoin(Body, Body.id == Answer.body_id)
        .where(Contribution.id == contribution_id)
        .options(joinedload(Contribution.office))
    )
    return ctx.session.execute(query).unique().one()


def _latest_answer(contribution_id: Any) -> Any:
    other = aliased(Answer)
    return (
        select(other.id)
        .where(other.contribution_id == contribution_id, other.published_at.is_not(None))
        .order_by(other.published_at.desc(), other.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def _reply(answer: Answer | None, office: str | None, body: str | None) -> Reply | None:
    if answer is None or answer.published_at is None:
        return None
    return Reply(answer.verdict, answer.reason, office or "", body or "", answer.published_at)


def _hiding_act(ctx: Context, own: Contribution) -> ModerationAct | None:
    query = (
        select(ModerationAct)
        .where(ModerationAct.contribution_id == own.id, ModerationAct.act == "hide")
        .order_by(ModerationAct.at.desc(), ModerationAct.id.desc())
        .limit(1)
    )
    return ctx.session.execute(query).scalar_one_or_none()


def _actions(ctx: Context, contribution_id: int) -> list[Woven]:
    query = (
        select(Action.code, Action.title, Action.state, Office.name, Action.progress, Action.due_on)
        .join(ActionContribution, ActionContribution.action_id == Action.id)
        .join(Office, Office.id == Action.office_id)
        .where(ActionContribution.contribution_id == contribution_id, Action.state.in_(PUBLIC_ACTION_STATES))
        .order_by(Action.adopted_at, Action.id)
    )
    return [Woven(*row) for row in ctx.session.execute(query)]


def _steps(ctx: Context, own: Contribution, fate: Contribution) -> list[Happening]:
    query = (
        select(Step, Office.name, Body.name)
        .outerjoin(Office, Office.id == Step.office_id)
        .outerjoin(Body, Body.id == Step.body_id)
        .where(_concerning(own, fate), Step.is_public)
        .order_by(Step.at, Step.id)
    )
    return [
        Happening(step.kind, step.at, office or "", body or "", step.text, step.contribution_id != own.id)
        for step, office, body in ctx.session.execute(query)
    ]


def _concerning(own: Contribution, fate: Contribution) -> ColumnElement[bool]:
    """Its own steps; after a merge also what becomes of the input it lives on in."""
    mine = Step.contribution_id == own.id
    return (
        mine if fate.id == own.id else or_(mine, and_(Step.contribution_id == fate.id, Step.kind.in_(_TOLD)))
    )
