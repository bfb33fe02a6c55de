"""What the read API answers with, field by field. The OpenAPI description is made from these classes.

Codes stay codes, words stay in the language in which they were written. Add fields freely; to change or
drop one takes a new version of the API.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from lab.models.actions import ActionKind, ActionState
from lab.models.answers import Verdict
from lab.models.contributions import Channel, Kind, Outcome, State, StepKind, Visibility
from lab.models.programme import BodyKind
from lab.models.projects import ProjectState

Url = Annotated[str, ("format", "uri")]
#: On the schematic plan, from the top left corner.
OnPlan = Annotated[int, ("minimum", 0), ("maximum", 1000)]
PerCent = Annotated[int, ("minimum", 0), ("maximum", 100)]
Cents = Annotated[int, ("minimum", 0), ("description", "Euro cents")]


@dataclass(frozen=True, kw_only=True)
class Ref:
    """Something that has a page of its own; `url` is that page."""

    code: str
    title: str
    url: Url


@dataclass(frozen=True, kw_only=True)
class ThemeRef:
    """A theme."""

    code: str
    name: str


@dataclass(frozen=True, kw_only=True)
class PlaceRef:
    """A place of the plan; coordinates run 0-1000 from the top left corner."""

    code: str
    name: str
    x: OnPlan
    y: OnPlan


@dataclass(frozen=True, kw_only=True)
class OfficeRef:
    """A municipal office."""

    code: str
    name: str
    url: Url


@dataclass(frozen=True, kw_only=True)
class Partner:
    """A body that takes part."""

    code: str
    name: str
    url: Url


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Something a person said. `author` is the name they chose; null where they gave none.

    `x` and `y` are the pin, or the place where there is no pin.
    """

    code: str
    url: Url
    kind: Kind
    channel: Channel
    title: str
    text: str
    lang: str
    author: str | None
    created_at: datetime
    state: State
    outcome: Outcome | None
    is_open: bool
    promise_due_at: datetime
    decided_at: datetime | None
    theme: ThemeRef | None
    place: PlaceRef | None
    x: OnPlan | None
    y: OnPlan | None
    office: OfficeRef | None
    event: Ref | None
    projects: list[Ref]
    merged_into: Ref | None
    supports_count: int
    comments_count: int


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photograph in its largest size."""

    url: Url
    alt: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class AnswerGiven:
    """What an office answered; `body` is whom it was passed on to."""

    verdict: Verdict
    reason: str
    office: str
    body: str | None
    published_at: datetime


@dataclass(frozen=True, kw_only=True)
class Step:
    """One dated step in the life of an input, with what it concerned."""

    kind: StepKind
    at: datetime
    text: str
    office: str | None
    body: str | None
    action: str | None
    other: str | None


@dataclass(frozen=True, kw_only=True)
class ProposalWhole(Proposal):
    """One proposal with its answers (the first one counts) and its trace."""

    co_authors: list[str]
    edited_at: datetime | None
    withdrawn_reason: str | None
    photos: list[Photo]
    took_in: list[Ref]
    answers: list[AnswerGiven]
    actions: list[Ref]
    steps: list[Step]


@dataclass(frozen=True, kw_only=True)
class Action:
    """An action that an office has adopted."""

    code: str
    url: Url
    title: str
    kind: ActionKind
    aim: str
    state: ActionState
    office: OfficeRef
    projects: list[Ref]
    starts_on: date | None
    due_on: date | None
    progress: PerCent
    adopted_at: datetime | None
    done_at: datetime | None
    updated_at: datetime
    contributions_count: int


@dataclass(frozen=True, kw_only=True)
class ActionMilestone:
    """A step on the way."""

    title: str
    due_on: date | None
    done_on: date | None


@dataclass(frozen=True, kw_only=True)
class Update:
    """What was reported about an action; progress and state where they moved."""

    action: str
    at: datetime
    text: str
    progress: PerCent | None
    state: ActionState | None
    signed_as: str


@dataclass(frozen=True, kw_only=True)
class Words:
    """An input behind an action; `merged_into` is the code of the input it went into."""

    code: str
    title: str
    url: Url
    said_at: datetime | None
    merged_into: str | None


@dataclass(frozen=True, kw_only=True)
class ActionWhole(Action):
    """One action with all that hangs on it: the first 60 inputs and the latest 40 updates."""

    credits: str
    milestones: list[ActionMilestone]
    bodies: list[Partner]
    events: list[Ref]
    needs: list[Ref]
    needed_by: list[Ref]
    updates: list[Update]
    proposals: list[Words]


@dataclass(frozen=True, kw_only=True)
class Project:
    """A formal project of the programme."""

    code: str
    url: Url
    title: str
    axis: str
    description: str
    continuity: str
    office: OfficeRef
    place: PlaceRef | None
    state: ProjectState
    state_since: date
    contributions_count: int


@dataclass(frozen=True, kw_only=True)
class ProjectMilestone:
    """A stretch of the timeline."""

    title: str
    starts_on: date
    ends_on: date
    progress: PerCent


@dataclass(frozen=True, kw_only=True)
class Share:
    """Money from one source; null while the share is not known."""

    source: str
    cents: Cents | None


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """A number the project is measured by."""

    name: str
    value: int
    goal: int | None


@dataclass(frozen=True, kw_only=True)
class Change:
    """What changed, when and why."""

    at: datetime
    what: str
    before: str
    after: str
    why: str
    office: str | None


@dataclass(frozen=True, kw_only=True)
class ProjectWhole(Project):
    """One project, its latest 12 changes, and where to read what belongs to it."""

    milestones: list[ProjectMilestone]
    funding: list[Share]
    bodies: list[Partner]
    indicators: list[Indicator]
    changes: list[Change]
    proposals_url: Url
    actions_url: Url
    events_url: Url


@dataclass(frozen=True, kw_only=True)
class Body:
    """A partner of the programme."""

    code: str
    url: Url
    name: str
    kind: BodyKind
    is_signatory: bool
    note: str


@dataclass(frozen=True, kw_only=True)
class BodyWhole(Body):
    """One body with the projects it is involved in, and where to read its actions."""

    projects: list[Ref]
    actions_url: Url


@dataclass(frozen=True, kw_only=True)
class Input:
    """What was handed in; `url` is null while not everybody may read it."""

    code: str
    url: Url | None
    kind: Kind
    channel: Channel
    title: str
    excerpt: str
    lang: str
    said_at: datetime
    visibility: Visibility
    theme: ThemeRef | None
    place: PlaceRef | None


@dataclass(frozen=True, kw_only=True)
class Merges:
    """The input it went into, and those that went into it."""

    into: Ref | None
    took_in: list[Ref]


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How it stands: `state` is that of the input it lives on in."""

    state: State
    outcome: Outcome | None
    promise_due_at: datetime
    decided_at: datetime | None
    is_overdue: bool
    answer: AnswerGiven | None
    withdrawn_reason: str | None
    hidden_reason: str | None


@dataclass(frozen=True, kw_only=True)
class InputTrace:
    """All that became of one input: for whoever holds its receipt code."""

    receipt: str
    input: Input
    merges: Merges
    theme: ThemeRef | None
    office: OfficeRef | None
    office_due_on: date | None
    actions: list[Action]
    projects: list[Ref]
    conventions: list[Ref]
    updates: list[Update]
    steps: list[Step]
    outcome: Ending


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What went wrong (RFC 9457), as a `code`. `parameter` names the part of the address to blame."""

    type: str
    title: str
    status: int
    detail: str | None
    parameter: str | None
    code: str
