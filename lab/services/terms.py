"""Which functions are held on which day."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, and_, or_, select

from lab.kernel.clock import local_date
from lab.models.accounts import RoleGrant
from lab.policy.actor import STAFF
from lab.services.context import Context


def today(ctx: Context) -> date:
    """The day it is in the neighbourhood."""
    return local_date(ctx.now, ctx.timezone)


def in_force(day: date) -> ColumnElement[bool]:
    """Condition: the grant is held on this day, first and last day included."""
    return and_(RoleGrant.starts_on <= day, or_(RoleGrant.ends_on.is_(None), RoleGrant.ends_on >= day))


def is_staff(ctx: Context, person_id: int) -> bool:
    """Whether the person has the desk in any function today."""
    query = select(RoleGrant.id).where(
        RoleGrant.person_id == person_id, RoleGrant.role.in_(STAFF), in_force(today(ctx))
    )
    return ctx.session.execute(query.limit(1)).first() is not None
