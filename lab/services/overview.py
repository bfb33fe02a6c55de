"""What belongs to one person: what they said, what they follow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import joinedload

from lab.models.actions import Action
from lab.models.contributions import Contribution
from lab.models.conversation import Follow
from lab.models.projects import Project
from lab.policy.permissions import Permission
from lab.policy.visibility import readable_actions, readable_contributions
from lab.services.context import Context

PAGE = 10
#: Followed things on one page: people follow some, not hundreds.
FOLLOWS = 50


def said_by_me(ctx: Context, before: tuple[datetime, int] | None = None) -> Sequence[Contribution]:
    """What the person gave, newest first, one more than a page; `before` is the last one shown."""
    ctx.require(Permission.ACCOUNT_SELF)
    query = (
        select(Contribution)
        .where(Contribution.person_id == ctx.actor.person_id)
        .options(
            joinedload(Contribution.office), joinedload(Contribution.theme), joinedload(Contribution.place)
        )
        .order_by(Contribution.created_at.desc(), Contribution.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        at, last_id = before
        query = query.where(
            or_(Contribution.created_at < at, and_(Contribution.created_at == at, Contribution.id < last_id))
        )
    return ctx.session.execute(query).scalars().all()


def followed(ctx: Context) -> Sequence[tuple[Follow, Contribution | None, Action | None, Project | None]]:
    """What the person follows and may read, newest first."""
    ctx.require(Permission.ACCOUNT_SELF)
    query = (
        select(Follow, Contribution, Action, Project)
        .outerjoin(Contribution, Contribution.id == Follow.contribution_id)
        .outerjoin(Action, Action.id == Follow.action_id)
        .outerjoin(Project, Project.id == Follow.project_id)
        .where(
            Follow.person_id == ctx.actor.person_id,
            or_(Follow.contribution_id.is_(None), readable_contributions(ctx.actor)),
            or_(Follow.action_id.is_(None), readable_actions(ctx.actor)),
        )
        .order_by(Follow.id.desc())
        .limit(FOLLOWS)
    )
    return [(row[0], row[1], row[2], row[3]) for row in ctx.session.execute(query)]
