"""One input at the desk: everything known about it, who did what meanwhile, and the draft of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from lab.kernel.errors import NotFound
from lab.models.accounts import Person, Role
from lab.models.actions import Action
from lab.models.answers import Answer
from lab.models.contributions import Contribution, ContributionProject, Step
from lab.models.moderation import DeskNote, PassedOn
from lab.models.operations import AuditEntry
from lab.policy.permissions import Permission
from lab.services import answers
from lab.services.context import Context

#: Two clicks on one button come this close; whatever comes later was meant.
TWO_CLICKS = timedelta(seconds=5)


@dataclass(frozen=True)
class Act:
    """An entry of the log about an input or an action, and the account that acted."""

    entry: AuditEntry
    account: str

    @property
    def name(self) -> str:
        """Who acted in a function of theirs. "" for residents, who may have spoken without a name."""
        return "" if self.entry.capacity in ("", Role.RESIDENT) else self.account


@dataclass(frozen=True)
class Moment:
    """One line of the history: a step of the trace, an act of the desk, or both together."""

    at: datetime
    step: Step | None
    act: Act | None


def item(ctx: Context, code: str) -> Contribution:
    """One input with what the desk shows of it. Raises `NotFound`, also for what another office has."""
    query = (
        select(Contribution)
        .where(Contribution.code == code)
        .options(
            joinedload(Contribution.person),
            joinedload(Contribution.typed_by),
            joinedload(Contribution.holder),
            joinedload(Contribution.theme),
            joinedload(Contribution.place),
            joinedload(Contribution.office),
            joinedload(Contribution.event),
        )
        .execution_options(populate_existing=True)
    )
    found = ctx.session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound("contribution")
    ctx.require(Permission.CONTRIBUTION_WORK, found)
    return found


def other(ctx: Context, contribution_id: int | None) -> Contribution | None:
    """Another input that this one leads to; None where there is none."""
    return ctx.session.get(Contribution, contribution_id) if contribution_id is not None else None


def project_ids(ctx: Context, contribution_id: int) -> list[int]:
    """The projects an input speaks about."""
    query = select(ContributionProject.project_id).where(
        ContributionProject.contribution_id == contribution_id
    )
    return sorted(ctx.session.execute(query).scalars())


def steps(ctx: Context, contribution_id: int) -> Sequence[Step]:
    """The whole trace, the newest first, with what is not public."""
    query = (
        select(Step)
        .where(Step.contribution_id == contribution_id)
        .options(joinedload(Step.office), joinedload(Step.body), joinedload(Step.other))
        .order_by(Step.at.desc(), Step.id.desc())
        .limit(60)
    )
    return ctx.session.execute(query).scalars().all()


def notes(ctx: Context, contribution_id: int) -> Sequence[DeskNote]:
    """The team's notes, the newest first."""
    query = (
        select(DeskNote)
        .where(DeskNote.contribution_id == contribution_id)
        .options(joinedload(DeskNote.person))
        .order_by(DeskNote.at.desc(), DeskNote.id.desc())
    )
    return ctx.session.execute(query).scalars().all()


def passed_on(ctx: Context, contribution_id: int) -> Sequence[PassedOn]:
    """To whom it was handed, the newest first, with the note they got."""
    query = (
        select(PassedOn)
        .where(PassedOn.contribution_id == contribution_id)
        .options(joinedload(PassedOn.body), joinedload(PassedOn.office))
        .order_by(PassedOn.at.desc(), PassedOn.id.desc())
    )
    return ctx.session.execute(query).scalars().all()


def acts_since(ctx: Context, subject: Contribution | Action, version: int) -> list[Act]:
    """What others did since the page with this version was drawn, the oldest first."""
    meanwhile = min(max(subject.version - version, 0), 10)
    return _acts(ctx, subject.__tablename__, subject.id, meanwhile)[::-1] if meanwhile else []


def just_done(ctx: Context, contribution: Contribution, verb: str) -> bool:
    """Whether the reader did this very thing to it a moment ago, and nobody anything since: two clicks."""
    latest = _acts(ctx, Contribution.__tablename__, contribution.id, 1)
    return was_mine(ctx, contribution, verb) and ctx.now - latest[0].entry.at < TWO_CLICKS


def acts_on(ctx: Context, subject: Contribution | Action) -> list[Act]:
    """What was done to it, the newest first."""
    return _acts(ctx, subject.__tablename__, subject.id, 60)


def was_mine(ctx: Context, subject: Contribution | Action, verb: str) -> bool:
    """Whether the latest act on it is this one, by the reader: the request is the second of two clicks."""
    latest = [act.entry for act in _acts(ctx, subject.__tablename__, subject.id, 1)]
    return [(entry.verb, entry.person_id) for entry in latest] == [(verb, ctx.actor.person_id)]


def history(ctx: Context, contribution_id: int) -> list[Moment]:
    """The trace and every act of the desk that left no step in it, the newest first, with who did it."""
    trail, acts = steps(ctx, contribution_id), _acts(ctx, Contribution.__tablename__, contribution_id, 60)
    # A step and the entry of the log are written in one transaction, at one moment.
    by_time = {act.entry.at: act for act in acts}
    stepped = {step.at for step in trail}
    found = [Moment(step.at, step, by_time.get(step.at)) for step in trail]
    found += [Moment(act.entry.at, None, act) for act in acts if act.entry.at not in stepped]
    return sorted(found, key=lambda moment: moment.at, reverse=True)


def _acts(ctx: Context, kind: str, subject_id: int, most: int) -> list[Act]:
    query = (
        select(AuditEntry, func.coalesce(Person.name, ""))
        .outerjoin(Person, Person.id == AuditEntry.person_id)
        .where(AuditEntry.subject_kind == kind, AuditEntry.subject_id == subject_id)
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .limit(most)
    )
    return [Act(entry, name) for entry, name in ctx.session.execute(query)]


def own_draft(ctx: Context, contribution: Contribution) -> Answer | None:
    """The draft of the reader's office on this input."""
    if contribution.office_id is None or contribution.office_id not in ctx.actor.office_ids:
        return None
    return answers.draft(ctx, contribution.id, contribution.office_id)
