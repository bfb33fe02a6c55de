"""What a notification says, looked up at the moment it is read, sent or printed.

Notifications hold ids only. Whatever was hidden, made private or taken back since then is not told, and
nobody is told of what they may not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import select

from lab.db.base import Base
from lab.kernel.text import clean_line, excerpt
from lab.models.actions import Action, ActionUpdate
from lab.models.answers import Answer
from lab.models.contributions import Contribution, Visibility
from lab.models.conversation import Comment
from lab.models.events import Event
from lab.models.moderation import ModerationAct
from lab.models.notifications import Notification
from lab.models.programme import Body, Office
from lab.models.projects import Project, ProjectChange
from lab.policy import rules
from lab.policy.actor import Actor
from lab.policy.permissions import Permission
from lab.services import audience
from lab.services.context import Context

#: Kinds that only staff receive; each leads to the desk.
OFFICE_KINDS = frozenset({"office_asked", "office_due", "office_late", "action_proposed", "office_withdrawn"})
TEAM_KINDS = frozenset(
    {
        "promise_near", "promise_late", "team_office_late",
        "given_back", "action_sent_back", "team_adopted", "appeal_made",
    }
)  # fmt: skip
#: They ask for an answer: once it is there, there is nothing to say.
ASKING_KINDS = frozenset(
    {"office_asked", "office_due", "office_late", "promise_near", "promise_late", "team_office_late"}
)
#: Told to co-authors although the input that holds their words is the one nobody reads any more.
OWN_KINDS = frozenset({"hidden", "restored"})
#: They tell of one's own words being hidden, or of what was answered to the appeal.
APPEAL_KINDS = frozenset({"hidden", "comment_hidden", "appeal_settled"})
_TITLE = 80
_QUOTE = 400

T = TypeVar("T", bound=Base)


@dataclass(frozen=True)
class Item:
    """What a group of news is about: its kind, code and first words, and whether everybody may read it."""

    kind: str
    code: str
    title: str
    is_public: bool
    #: Written on the receipt; only for the person's own inputs.
    receipt_code: str = ""
    contribution: Contribution | None = None


@dataclass(frozen=True)
class Told:
    """One step in the life of an item. `kind` picks the sentence, `values` fill it."""

    id: int
    kind: str
    at: datetime
    item: Item
    values: dict[str, str | date] = field(default_factory=dict)
    #: Words that came with it (a reason, a comment) and who signs them.
    quote: str = ""
    quote_by: str = ""
    is_new: bool = False
    #: The act that hid the reader's own words, where they can ask to think again.
    act_id: int | None = None


@dataclass
class Group:
    """All the steps of one item, newest first."""

    item: Item
    steps: list[Told]

    @property
    def at(self) -> datetime:
        """When the newest of them happened."""
        return self.steps[0].at

    @property
    def is_new(self) -> bool:
        """Whether any of them has not been read."""
        return any(step.is_new for step in self.steps)


class _Facts:
    """Everything a batch of notifications refers to, each table asked once."""

    def __init__(self, ctx: Context, notes: Sequence[Notification]) -> None:
        self.ctx = ctx
        ids = {
            name: {note.details[name] for note in notes if note.details.get(name)}
            for name in ("answer_id", "office_id", "body_id", "act_id", "comment_id", "update_id")
        }
        ids["change_id"] = {note.details["change_id"] for note in notes if note.details.get("change_id")}
        about = {
            note.details[name] for note in notes for name in ("about", "other_id") if note.details.get(name)
        }
        self.contributions = self._get(
            Contribution, about | {n.contribution_id for n in notes if n.contribution_id}
        )
        self.actions = self._get(Action, {n.action_id for n in notes if n.action_id})
        self.projects = self._get(Project, {n.project_id for n in notes if n.project_id})
        self.events = self._get(Event, {n.event_id for n in notes if n.event_id})
        self.answers = self._get(Answer, ids["answer_id"])
        self.acts = self._get(ModerationAct, ids["act_id"])
        self.comments = self._get(Comment, ids["comment_id"])
        self.updates = self._get(ActionUpdate, ids["update_id"])
        self.changes = self._get(ProjectChange, ids["change_id"])
        offices = ids["office_id"] | {a.office_id for a in self.answers.values()}
        offices |= {a.office_id for a in self.actions.values()}
        offices |= {c.office_id for c in self.contributions.values() if c.office_id}
        self.offices = self._get(Office, offices)
        bodies = ids["body_id"] | {a.body_id for a in self.answers.values() if a.body_id}
        self.bodies = self._get(Body, bodies)

    def _get(self, model: type[T], ids: Iterable[int]) -> dict[int, T]:
        found: dict[int, T] = {}
        key: Any = model.__mapper__.primary_key[0]
        for some in audience.chunks(ids):
            for row in self.ctx.session.execute(select(model).where(key.in_(some))).scalars():
                found[int(getattr(row, "id"))] = row  # noqa: B009  # Base itself promises no id
        return found


def may_hear(ctx: Context, actor: Actor, contribution: Contribution | None, action: Action | None) -> bool:
    """Whether this person may read the input and the action that a piece of news is about."""
    asked = ((Permission.CONTRIBUTION_READ, contribution), (Permission.ACTION_READ, action))
    return all(
        rules.decide(actor, permission, subject, ctx.now).allowed
        for permission, subject in asked
        if subject is not None
    )


def tell(ctx: Context, actor: Actor, notes: Sequence[Notification]) -> list[Told]:
    """What these notifications of one person say now, newest first; what may not be told is left out."""
    facts = _Facts(ctx, notes)
    told = []
    for note in sorted(notes, key=lambda n: (n.created_at, n.id), reverse=True):
        contribution = facts.contributions.get(note.contribution_id or 0)
        action = facts.actions.get(note.action_id or 0)
        if not may_hear(ctx, actor, contribution, action):
            continue
        if note.kind in ASKING_KINDS and contribution is not None and not contribution.is_open:
            continue
        about = facts.contributions.get(note.details.get("about", 0))
        if note.kind not in OWN_KINDS and not may_hear(ctx, actor, about, None):
            continue
        step = _step(facts, actor, note)
        if step is not None:
            told.append(step)
    return told


def group(told: Iterable[Told]) -> list[Group]:
    """News by item, newest item first and newest step first within it.

    The same sentence of the same day is told once: three twins that were merged are one piece of news.
    """
    groups: dict[tuple[str, str], Group] = {}
    said: set[tuple[object, ...]] = set()
    for step in sorted(told, key=lambda t: (t.at, t.id), reverse=True):
        key = (step.item.kind, step.item.code)
        sentence = (key, step.kind, step.at.date(), step.quote, step.act_id, *sorted(step.values.items()))
        if sentence in said:
            continue
        said.add(sentence)
        if key in groups:
            groups[key].steps.append(step)
        else:
            groups[key] = Group(step.item, [step])
    return list(groups.values())


def title_of(contribution: Contribution) -> str:
    """How an input is called in a sentence: its title, else its first words."""
    return excerpt(contribution.title or contribution.text, _TITLE)


def _page_of(kind: str) -> str:
    """The kind of page on which one does something about a piece of news of an input."""
    if kind == "appeal_made":
        return "moderation"
    return "desk" if kind in OFFICE_KINDS | TEAM_KINDS else "contribution"


def _item(facts: _Facts, actor: Actor, note: Notification) -> Item | None:
    contribution = facts.contributions.get(note.contribution_id or 0)
    if contribution is not None:
        own = contribution.person_id == actor.person_id
        return Item(
            _page_of(note.kind),
            contribution.code,
            title_of(contribution),
            contribution.visibility is Visibility.PUBLIC,
            contribution.receipt_code if own else "",
            contribution,
        )
    action = facts.actions.get(note.action_id or 0)
    if action is not None:
        kind = "weaving" if note.kind in OFFICE_KINDS | TEAM_KINDS else "action"
        return Item(kind, action.code, clean_line(action.title, 160), action.is_public)
    project = facts.projects.get(note.project_id or 0)
    if project is not None:
        return Item("project", project.code, clean_line(project.title, 160), True)
    event = facts.events.get(note.event_id or 0)
    if event is not None:
        kind = "minutes" if note.kind == "event_minutes" else "event"
        return Item(kind, event.code, clean_line(event.title, 160), event.is_public)
    return None


def _step(facts: _Facts, actor: Actor, note: Notification) -> Told | None:
    item = _item(facts, actor, note)
    if item is None:
        return None
    kind, values = note.kind, _values(facts, note)
    quote = _quote(facts, actor, note)
    if quote is None:
        return None
    if note.kind == "answered":
        answer = facts.answers.get(note.details.get("answer_id", 0))
        if answer is None:
            return None
        kind = f"answered_{answer.verdict}"
    words, by = quote
    act_id = _act_on_own(facts, actor, note)
    return Told(note.id, kind, note.created_at, item, values, words, by, note.read_at is None, act_id)


def _act_on_own(facts: _Facts, actor: Actor, note: Notification) -> int | None:
    """The act behind the news, for the author of the words alone: only they can appeal."""
    act = facts.acts.get(note.details.get("act_id", 0)) if note.kind in APPEAL_KINDS else None
    if act is None:
        return None
    hidden = facts.comments.get(act.comment_id or 0) or facts.contributions.get(act.contribution_id or 0)
    return act.id if hidden is not None and hidden.person_id == actor.person_id else None


def _values(facts: _Facts, note: Notification) -> dict[str, str | date]:
    details = note.details
    answer = facts.answers.get(details.get("answer_id", 0))
    action = facts.actions.get(note.action_id or 0)
    contribution = facts.contributions.get(note.contribution_id or 0)
    about = facts.contributions.get(details.get("about", 0))
    event = facts.events.get(note.event_id or 0)
    office_id = details.get("office_id") or (answer.office_id if answer else None)
    if office_id is None and action is not None:
        office_id = action.office_id
    if office_id is None and contribution is not None:
        office_id = contribution.office_id
    office = facts.offices.get(office_id or 0)
    body = facts.bodies.get(details.get("body_id") or (answer.body_id if answer else None) or 0)
    values: dict[str, str | date] = {
        "office": office.name if office else "",
        "who": body.name if body else (office.name if office else ""),
        "action": clean_line(action.title, 160) if action else "",
    }
    other = facts.contributions.get(details.get("other_id", 0))
    values["other"] = title_of(other) if other and other.visibility is Visibility.PUBLIC else ""
    comment = facts.comments.get(details.get("comment_id", 0))
    values["name"] = comment.author_name if comment else ""
    if event is not None:
        values["due"] = event.starts_at
    elif details.get("due"):
        values["due"] = date.fromisoformat(details["due"])
    elif about or contribution:
        standing = about or contribution
        assert standing is not None
        # The office's own day is earlier and between colleagues: the promise is what residents were told.
        own_day = standing.office_due_on if note.kind == "office_asked" else None
        values["due"] = own_day or standing.promise_due_at
    return values


def _quote(facts: _Facts, actor: Actor, note: Notification) -> tuple[str, str] | None:
    """The words that came with it; None when they were taken back, and the news with them."""
    details = note.details
    answer = facts.answers.get(details.get("answer_id", 0))
    if answer is not None:
        if answer.published_at is None:
            return None
        return _cut(answer.reason), ""
    if details.get("comment_id"):
        return _comment_quote(facts, actor, note)
    act = facts.acts.get(details.get("act_id", 0))
    if act is not None:
        return _cut(_said_of(act, note.kind)), ""
    update = facts.updates.get(details.get("update_id", 0))
    if update is not None:
        return _cut(update.text), update.signed_as
    change = facts.changes.get(details.get("change_id", 0))
    if change is not None:
        return _cut(change.why), ""
    if note.kind == "action_sent_back":
        action = facts.actions.get(note.action_id or 0)
        return (_cut(action.sent_back_reason) if action else ""), ""
    return "", ""


def _comment_quote(facts: _Facts, actor: Actor, note: Notification) -> tuple[str, str] | None:
    comment = facts.comments.get(note.details["comment_id"])
    if comment is None or comment.deleted_at:
        return None
    act = facts.acts.get(note.details.get("act_id", 0))
    if act is not None and comment.person_id == actor.person_id:
        return _cut(_said_of(act, note.kind)), ""
    if comment.hidden_at and note.kind in ("comment", "reply"):
        return None
    return _cut(comment.text), ""


def _said_of(act: ModerationAct, kind: str) -> str:
    """The words that speak at this moment: why it was hidden, what its author asks, what was answered."""
    return {"appeal_made": act.appeal, "appeal_settled": act.appeal_answer}.get(kind, act.reason)


def _cut(words: str) -> str:
    return excerpt(words, _QUOTE)
