"""What the pages of capture read: what lines begin with, what was written down."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lab.kernel.errors import NotFound
from lab.models.capture import EventRemark
from lab.models.contributions import Contribution, Visibility
from lab.models.events import Event
from lab.models.programme import Theme
from lab.policy.permissions import Permission
from lab.services import capture
from lab.services.context import Context

#: Lines of one page.
SHOWN = 60


def theme_ahead(ctx: Context, event: Event) -> int | None:
    """The theme that lines begin with: the only one of the office that alone leads the meeting's projects.

    The office itself is never chosen ahead: whoever writes says who has to see to it.
    """
    offices = {one.office_id for one in capture.projects(ctx, event.id)}
    if len(offices) != 1:
        return None
    query = select(Theme.id).where(Theme.office_id == offices.pop(), ~Theme.retired).limit(2)
    themes = list(ctx.session.execute(query).scalars())
    return themes[0] if len(themes) == 1 else None


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
