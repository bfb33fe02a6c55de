"""Public codes: PR41 follows PR40, under a lock, with room for whole batches."""

from __future__ import annotations

from sqlalchemy import Table, select

from lab.db.upsert import add_to
from lab.models.operations import CodeCounter
from lab.services.context import Context


def next_code(ctx: Context, prefix: str) -> str:
    """The next free code under `prefix`, at least two digits: A09, A10, A100."""
    return format_code(prefix, reserve(ctx, prefix, 1))


def format_code(prefix: str, number: int) -> str:
    """PR, 7 -> PR07."""
    return f"{prefix}{number:02d}"


def reserve(ctx: Context, prefix: str, how_many: int) -> int:
    """Take `how_many` numbers at once; gives the first of them."""
    table = CodeCounter.__table__
    assert isinstance(table, Table)
    return add_to(ctx.session, table, {"prefix": prefix}, how_many, counter="last") - how_many + 1


def hold(ctx: Context, prefix: str) -> None:
    """Wait for whoever is making something under `prefix`; until the transaction ends nobody else does."""
    reserve(ctx, prefix, 0)


def at_least(ctx: Context, prefix: str, number: int) -> None:
    """Make sure that the next code comes after `number` (codes that were given elsewhere)."""
    last = ctx.session.execute(select(CodeCounter.last).where(CodeCounter.prefix == prefix)).scalar()
    if (last or 0) < number:
        reserve(ctx, prefix, number - (last or 0))
