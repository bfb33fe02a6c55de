"""The trace, walkable both ways: from somebody's words to what was built, and back to the words.

Each walk is one statement: its parts are asked for together, each row saying what it is. The statements are
put together once: that takes longer than sending them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, CompoundSelect, Select, Text, bindparam, case, func, or_, select, union_all
from sqlalchemy.orm import aliased

from lab.db.parts import Shape
from lab.db.types import UtcDateTime
from lab.models.actions import PUBLIC_ACTION_STATES, Action, ActionContribution, ActionProject, ActionState
from lab.models.contributions import Channel, Contribution, ContributionProject, Step, StepKind, Visibility
from lab.models.programme import Body, Office, Theme
from lab.models.projects import Project
from lab.services.context import Context

#: Words shown of an action or a project, and steps of an input.
WORDS = 60
STEPS = 300
#: Where the walk begins.
_THIS = bindparam("this", type_=BigInteger())


@dataclass(frozen=True)
class Node:
    """One stop of the walk. `kind`: word, theme, action, project, office (more may come)."""

    kind: str
    id: int
    code: str
    title: str
    at: datetime | None = None
    #: Only for words: the first of them, their language, who said them and how they came.
    words: str = ""
    lang: str = ""
    by: str = ""
    channel: Channel | None = None
    #: Only for actions.
    state: ActionState | None = None
    #: Only for words that were merged: the code of the input they went into.
    into: str = ""


@dataclass(frozen=True)
class Passage:
    """One dated step in the life of an input, with what it concerned as far as everybody may know."""

    kind: StepKind
    at: datetime
    text: str
    office: str
    body: str
    other_code: str
    action_code: str
    action_title: str


@dataclass(frozen=True)
class Trace:
    """The stops of a walk in order, and for an input its dated steps, oldest first."""

    nodes: tuple[Node, ...]
    steps: tuple[Passage, ...] = ()

    def of(self, kind: str) -> list[Node]:
        """The stops of one kind."""
        return [node for node in self.nodes if node.kind == kind]


_part = Shape(
    id=BigInteger(),
    rank=BigInteger(),
    at=UtcDateTime(),
    code=Text(),
    title=Text(),
    words=Text(),
    kind=Text(),
    who=Text(),
    lang=Text(),
    other=Text(),
).part
_ORDER = {"word": 0, "theme": 1, "action": 2, "project": 3, "office": 4, "step": 5}


def of_contribution(ctx: Context, contribution_id: int) -> Trace:
    """From an input to its theme, its public actions, their projects and offices; its public steps.

    What was merged walks on from the input it went into.
    """
    return _walk(ctx, _from_contribution(), contribution_id)


@cache
def _from_contribution() -> CompoundSelect[Any]:
    own = select(Contribution.merged_into_id).where(Contribution.id == _THIS).scalar_subquery()
    target = func.coalesce(own, _THIS)
    mine = or_(Contribution.id == _THIS, Contribution.id == own)
    woven = (
        select(Action.id)
        .join(ActionContribution, ActionContribution.action_id == Action.id)
        .where(ActionContribution.contribution_id == target, Action.state.in_(PUBLIC_ACTION_STATES))
    )
    readable = or_(Contribution.visibility == Visibility.PUBLIC, Contribution.id == _THIS)
    return union_all(
        _words(rank=_when(Contribution.id == _THIS)).where(mine, readable),
        _themes().where(Theme.id == select(Contribution.theme_id).where(Contribution.id == target)
                        .scalar_subquery()),
        _actions().where(Action.id.in_(woven)),
        _projects().where(_served(woven, target)),
        _offices().where(
            or_(
                Office.id.in_(select(Action.office_id).where(Action.id.in_(woven))),
                Office.id
                == select(Contribution.office_id).where(Contribution.id == target).scalar_subquery(),
            )
        ),
        _steps(),
    )  # fmt: skip


def of_action(ctx: Context, action_id: int) -> Trace:
    """From an action back to the public words that started it, merged ones too, and on to its projects."""
    return _walk(ctx, _from_action(), action_id)


@cache
def _from_action() -> CompoundSelect[Any]:
    linked = select(ActionContribution.contribution_id).where(ActionContribution.action_id == _THIS)
    this = select(Action.id).where(Action.id == _THIS)
    return union_all(
        *_words_of(linked),
        _themes().where(Theme.id.in_(select(Contribution.theme_id).where(Contribution.id.in_(linked)))),
        _actions().where(Action.id == _THIS),
        _projects().where(
            Project.id.in_(select(ActionProject.project_id).where(ActionProject.action_id.in_(this)))
        ),
        _offices().where(Office.id.in_(select(Action.office_id).where(Action.id == _THIS))),
    )


def of_project(ctx: Context, project_id: int) -> Trace:
    """From a project back to its public actions and to the public words behind them."""
    return _walk(ctx, _from_project(), project_id)


@cache
def _from_project() -> CompoundSelect[Any]:
    actions = (
        select(Action.id)
        .join(ActionProject, ActionProject.action_id == Action.id)
        .where(ActionProject.project_id == _THIS, Action.state.in_(PUBLIC_ACTION_STATES))
    )
    linked = select(ActionContribution.contribution_id).where(ActionContribution.action_id.in_(actions))
    return union_all(
        *_words_of(linked),
        _themes().where(Theme.id.in_(select(Contribution.theme_id).where(Contribution.id.in_(linked)))),
        _actions().where(Action.id.in_(actions)),
        _projects().where(Project.id == _THIS),
        _offices().where(Office.id.in_(select(Project.office_id).where(Project.id == _THIS))),
    )


def _when(condition: Any) -> Any:
    # The input itself comes before the one it went into.
    return case((condition, 0), else_=1)


def _words(rank: Any = 0, **more: Any) -> Select[Any]:
    columns = {
        "id": Contribution.id,
        "rank": rank,
        "at": Contribution.created_at,
        "code": Contribution.code,
        "title": Contribution.title,
        "words": Contribution.excerpt,
        "kind": Contribution.channel,
        "who": Contribution.author_name,
        "lang": Contribution.lang,
        **more,
    }
    return _part("word", **columns)


def _words_of(linked: Any) -> tuple[Select[Any], Select[Any]]:
    """The words woven in, and those merged into them. Apart: each then has an index of its own."""
    into = aliased(Contribution)
    public = Contribution.visibility == Visibility.PUBLIC
    whole = select(Contribution.id).where(Contribution.id.in_(linked), public)
    merged = select(Contribution.id).where(Contribution.merged_into_id.in_(linked), public)
    whole, merged = (each.order_by(Contribution.id).limit(WORDS) for each in (whole, merged))
    return (
        _words().where(Contribution.id.in_(select(whole.subquery().c.id))),
        # Where not everybody may read what they went into, it is not named.
        _words(rank=1, other=into.code)
        .outerjoin(into, (into.id == Contribution.merged_into_id) & (into.visibility == Visibility.PUBLIC))
        .where(Contribution.id.in_(select(merged.subquery().c.id))),
    )


def _themes() -> Select[Any]:
    return _part("theme", id=Theme.id, rank=Theme.position, code=Theme.code, title=Theme.name)


def _actions() -> Select[Any]:
    return _part(
        "action", id=Action.id, at=Action.adopted_at, code=Action.code, title=Action.title, kind=Action.state
    )


def _projects() -> Select[Any]:
    return _part("project", id=Project.id, rank=Project.position, code=Project.code, title=Project.title)


def _served(woven: Any, contribution_id: Any) -> Any:
    of_actions = select(ActionProject.project_id).where(ActionProject.action_id.in_(woven))
    of_words = select(ContributionProject.project_id).where(
        ContributionProject.contribution_id == contribution_id
    )
    return or_(Project.id.in_(of_actions), Project.id.in_(of_words))


def _offices() -> Select[Any]:
    return _part("office", id=Office.id, code=Office.code, title=Office.name)


def _steps() -> Select[Any]:
    other = aliased(Contribution)
    # Codes of what not everybody may read stay out: the step is told, not its other end.
    known_other = (other.id == Step.other_id) & (other.visibility == Visibility.PUBLIC)
    known_action = (Action.id == Step.action_id) & Action.state.in_(PUBLIC_ACTION_STATES)
    return (
        _part(
            "step", id=Step.id, at=Step.at, kind=Step.kind, words=Step.text, who=Office.name,
            lang=Body.name, other=other.code, code=Action.code, title=Action.title,
        )
        .select_from(Step)
        .outerjoin(other, known_other)
        .outerjoin(Action, known_action)
        .outerjoin(Office, Office.id == Step.office_id)
        .outerjoin(Body, Body.id == Step.body_id)
        .where(Step.contribution_id == _THIS, Step.is_public)
    )  # fmt: skip


def _walk(ctx: Context, parts: CompoundSelect[Any], start: int) -> Trace:
    rows = list(ctx.session.execute(parts, {_THIS.key: start}))
    nodes = [_node(row) for row in rows if row.part != "step"]
    ranks = {(row.part, row.id): row.rank or 0 for row in rows}
    nodes.sort(key=lambda node: (_ORDER[node.kind], ranks[node.kind, node.id], node.id))
    steps = sorted((row for row in rows if row.part == "step"), key=lambda row: (row.at, row.id))
    return Trace(tuple(nodes), tuple(_passage(row) for row in steps[-STEPS:]))


def _node(row: Any) -> Node:
    return Node(
        kind=row.part,
        id=row.id,
        code=row.code,
        title=row.title or "",
        at=row.at,
        words=row.words or "",
        lang=row.lang or "",
        by=row.who or "",
        channel=Channel(row.kind) if row.part == "word" else None,
        state=ActionState(row.kind) if row.part == "action" else None,
        into=row.other or "",
    )


def _passage(row: Any) -> Passage:
    return Passage(
        kind=StepKind(row.kind),
        at=row.at,
        text=row.words or "",
        office=row.who or "",
        body=row.lang or "",
        other_code=row.other or "",
        action_code=row.code or "",
        action_title=row.title or "",
    )
