"""What a command points at: the rows behind its ids are there, or the field is named."""

from __future__ import annotations

from sqlalchemy import select

from lab.db.base import Base
from lab.kernel.clock import local_date
from lab.kernel.errors import Invalid
from lab.models.programme import Office
from lab.services.context import Context


def known(ctx: Context, field: str, model: type[Base], *keys: int | None) -> None:
    """Raise `Invalid(field, "unknown")` unless each of these rows is there; None points at nothing.

    One statement, none without ids.
    """
    wanted = {key for key in keys if key is not None}
    if not wanted:
        return
    column = model.__mapper__.primary_key[0]
    if len(ctx.session.execute(select(column).where(column.in_(wanted))).all()) < len(wanted):
        raise Invalid(field, "unknown")


def office_in_being(ctx: Context, office_id: int, field: str = "office") -> Office:
    """An office that can be given work today. Raises `Invalid(field, "unknown")` for one that was closed."""
    office = ctx.session.get(Office, office_id)
    if office is None or (
        office.closed_on is not None and office.closed_on <= local_date(ctx.now, ctx.timezone)
    ):
        raise Invalid(field, "unknown")
    return office
