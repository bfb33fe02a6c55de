"""What is new in public, for the feed: outcomes of inputs, adopted actions and their news, meetings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select

from lab.kernel.errors import NotFound
from lab.models.actions import PUBLIC_ACTION_STATES, Action, ActionProject, ActionUpdate
from lab.models.answers import Answer
from lab.models.contributions import Contribution, ContributionProject, Outcome, State, Visibility
from lab.models.events import Event, EventState
from lab.models.programme import Office
from lab.models.projects import Project
from lab.services import events, telling
from lab.services.context import Context

#: Entries in a feed.
MOST = 30
_DECIDED = (State.ANSWERED, State.DECLINED, State.TAKEN_UP, State.DONE)


@dataclass(frozen=True)
class Entry:
    """One entry. `key` never changes for the same thing; `kind` and `outcome` pick its words."""

    key: str
    kind: str
    at: datetime
    path_kind: str
    code: str
    title: str
    text: str
    office: str
    outcome: Outcome | None = None
    #: When a meeting begins.
    day: datetime | None = None


def project_title(ctx: Context, code: str) -> tuple[int, str]:
    """Id and title of a project. Raises `NotFound("project")`."""
    row = ctx.session.execute(select(Project.id, Project.title).where(Project.code == code)).first()
    if row is None:
        raise NotFound("project")
    return row.id, row.title


def news(ctx: Context, project_id: int | None = None) -> list[Entry]:
    """The newest entries, of the whole lab or of one project; four statements."""
    entries = [
        *_outcomes(ctx, project_id),
        *_adopted(ctx, project_id),
        *_updates(ctx, project_id),
        *_meetings(ctx, project_id),
    ]
    return sorted(entries, key=lambda entry: (entry.at, entry.key), reverse=True)[:MOST]


def _outcomes(ctx: Context, project_id: int | None) -> list[Entry]:
    # The newest decisions first, by their index; their answers are joined to those few only.
    newest = select(Contribution.id).where(
        Contribution.decided_at.is_not(None),
        Contribution.visibility == Visibility.PUBLIC,
        Contribution.state.in_(_DECIDED),
    )
    if project_id is not None:
        newest = newest.join(
            ContributionProject, ContributionProject.contribution_id == Contribution.id
        ).where(ContributionProject.project_id == project_id)
    few = newest.order_by(Contribution.decided_at.desc(), Contribution.id.desc()).limit(MOST).subquery()
    published = and_(Answer.contribution_id == Contribution.id, Answer.published_at.is_not(None))
    query = (
        select(Contribution, Answer, Office.name)
        .join(few, few.c.id == Contribution.id)
        .outerjoin(Answer, published)
        .outerjoin(Office, Office.id == Answer.office_id)
        .order_by(Contribution.id, Answer.published_at)
    )
    entries: dict[str, Entry] = {}
    for contribution, answer, office in ctx.session.execute(query):
        entry = _outcome(contribution, answer, office or "")
        entries[entry.key] = entry
    return list(entries.values())


def _outcome(contribution: Contribution, answer: Answer | None, office: str) -> Entry:
    return Entry(
        key=f"contribution-{contribution.id}",
        kind="outcome",
        at=(answer.published_at if answer else None) or contribution.decided_at or contribution.created_at,
        path_kind="contribution",
        code=contribution.code,
        title=telling.title_of(contribution),
        text=answer.reason if answer else contribution.excerpt,
        office=office,
        outcome=contribution.outcome,
    )


def _adopted(ctx: Context, project_id: int | None) -> list[Entry]:
    query = (
        select(Action, Office.name)
        .join(Office, Office.id == Action.office_id)
        .where(Action.adopted_at.is_not(None), Action.state.in_(PUBLIC_ACTION_STATES))
    )
    if project_id is not None:
        query = query.join(ActionProject, ActionProject.action_id == Action.id).where(
            ActionProject.project_id == project_id
        )
    query = query.order_by(Action.adopted_at.desc(), Action.id.desc()).limit(MOST)
    return [
        Entry(f"action-{action.id}", "adopted", action.adopted_at or action.created_at, "action",
              action.code, action.title, action.aim, office)
        for action, office in ctx.session.execute(query)
    ]  # fmt: skip


def _updates(ctx: Context, project_id: int | None) -> list[Entry]:
    query = (
        select(ActionUpdate, Action.code, Action.title)
        .join(Action, Action.id == ActionUpdate.action_id)
        .where(Action.state.in_(PUBLIC_ACTION_STATES))
    )
    if project_id is not None:
        query = query.join(ActionProject, ActionProject.action_id == Action.id).where(
            ActionProject.project_id == project_id
        )
    query = query.order_by(ActionUpdate.at.desc(), ActionUpdate.id.desc()).limit(MOST)
    return [
        Entry(f"update-{update.id}", "done" if update.progress == 100 else "update", update.at, "action",
              code, title, update.text, update.signed_as)
        for update, code, title in ctx.session.execute(query)
    ]  # fmt: skip


def _meetings(ctx: Context, project_id: int | None) -> list[Entry]:
    """Meetings when they are announced, moved or called off."""
    query = events.public(events.Wish(project_id=project_id)).where(Event.changed_at.is_not(None))
    query = query.order_by(Event.changed_at.desc(), Event.id.desc()).limit(MOST)
    return [
        Entry(f"event-{event.id}", "called_off" if event.state is EventState.CANCELLED else "meeting",
              event.changed_at or event.starts_at, "event", event.code, event.title,
              event.cancelled_reason or event.purpose or event.text, "", day=event.starts_at)
        for event in ctx.session.execute(query).scalars()
    ]  # fmt: skip
