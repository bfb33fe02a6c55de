"""Short lists to choose from."""

from __future__ import annotations

from sqlalchemy import select

from lab.models.programme import Body, Office
from lab.services.context import Context


def offices(ctx: Context) -> list[tuple[int, str]]:
    """Offices that are open, as id and name."""
    query = select(Office.id, Office.name).where(Office.closed_on.is_(None)).order_by(Office.name)
    return [(row.id, row.name) for row in ctx.session.execute(query)]


def bodies(ctx: Context) -> list[tuple[int, str]]:
    """Partner bodies, as id and name."""
    query = select(Body.id, Body.name).order_by(Body.name)
    return [(row.id, row.name) for row in ctx.session.execute(query)]
