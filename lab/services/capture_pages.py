"""What the pages of capture read: what lines begin with, what was written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lab.kernel.errors import NotFound
from lab.models.capture import EventRemark
from lab.models.contributions import Contribution, Visibility
from lab.models.events import Event
from lab.models.programme import Office, Theme
from lab.models.projects import Project
from lab.policy.permissions import Permission
from lab.services import capture
from lab.services.context import Context

#: Lines of one page.
SHOWN = 60


@dataclass(frozen=True)
class Prefill:
    """What every line of a meeting begins with."""

    place_id: int | None
    theme_id: int | None
    office_id: int | None
    projects: tuple[Project, ...]


def prefill(ctx: Context, event: Event) -> Prefill:
    """What lines begin with: the meeting's place and projects; the office when one alone leads them, and
    its theme when it has but one."""
    served = capture.projects(ctx, event.id)
    offices = {one.office_id for one in served}
    office_id = offices.pop() if len(offices) == 1 else None
    theme_id = None
    if office_id is not None:
        query = select(Theme.id).where(Theme.office_id == office_id, ~Theme.retired).limit(2)
        themes = list(ctx.session.execute(query).scalars())
        theme_id = themes[0] if len(themes) == 1 else None
        office = ctx.session.get(Office, office_id)
        office_id = office_id if office is not None and office.closed_on is None else None
    return Prefill(event.place_id, theme_id, office_id, served)


def lines(ctx: Context, event: Event, after: int | None = None, limit: int = SHOWN) -> Sequence[EventRemark]:
    """What was written down, the latest first, from before the input `after` on. One statement."""
    ctx.require(Permission.EVENT_CAPTURE, event)
    query = (
        select(EventRemark)
        .join(EventRemark.contribution)
        .where(EventRemark.event_id == event.id, Contribution.visibility != Visibility.HIDDEN)
        .options(
            joinedload(EventRemark.contribution).joinedload(Contribution.place),
            joinedload(EventRemark.contribution).joinedload(Contribution.office),
            joinedload(EventRemark.part),
        )
        .order_by(EventRemark.contribution_id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(EventRemark.contribution_id < after)
    return ctx.session.execute(query).scalars().all()


def line(ctx: Context, event: Event, code: str) -> EventRemark:
    """One line of the meeting. Raises `NotFound`."""
    ctx.require(Permission.EVENT_CAPTURE, event)
    query = (
        select(EventRemark)
        .join(EventRemark.contribution)
        .where(EventRemark.event_id == event.id, Contribution.code == code)
        .options(joinedload(EventRemark.contribution), joinedload(EventRemark.part))
    )
    found = ctx.session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound("contribution")
    return found
