"""The log of who did what in which capacity: append-only, kept for good, no personal text.

Only reasons can name people: they go with those they speak of, what was done and when stays.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, or_, update

from lab.db.base import Base
from lab.models.operations import AuditEntry
from lab.policy.actor import Grant
from lab.services.context import Context

#: What people know by a public code; other codes may be secrets and are never written down.
_BY_CODE = frozenset({"contribution", "action", "project", "event"})


def record(
    ctx: Context,
    verb: str,
    subject: Any,
    grant: Grant | None = None,
    *,
    reason: str = "",
    **details: Any,
) -> AuditEntry:
    """Write one entry about `subject` (a model with an `id`) in the transaction of the act itself."""
    if subject.__tablename__ in _BY_CODE:
        details.setdefault("code", subject.code)
    entry = AuditEntry(
        at=ctx.now,
        person_id=ctx.actor.person_id,
        capacity=str(grant.role) if grant else ("system" if ctx.actor.is_system else ""),
        office_id=grant.office_id if grant else None,
        body_id=grant.body_id if grant else None,
        verb=verb,
        subject_kind=subject.__tablename__,
        subject_id=getattr(subject, "id", None),
        reason=reason,
        details=details,
        request_id=ctx.request_id,
    )
    ctx.session.add(entry)
    return entry


def about(model: type[Base], ids: Any) -> ColumnElement[bool]:
    """The entries about rows of a model; `ids` are numbers or a select of them."""
    return and_(AuditEntry.subject_kind == model.__tablename__, AuditEntry.subject_id.in_(ids))


def forget_reasons(ctx: Context, *entries: ColumnElement[bool]) -> None:
    """Empty the reasons of these entries."""
    emptied = update(AuditEntry).where(or_(*entries), AuditEntry.reason != "").values(reason="")
    ctx.session.execute(emptied.execution_options(synchronize_session=False))
