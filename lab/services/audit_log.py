"""Reading the log of who did what."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from lab.models.accounts import Person
from lab.models.operations import AuditEntry
from lab.models.programme import Body, Office
from lab.policy.permissions import Permission
from lab.services.context import Context

PAGE = 50
Line = tuple[AuditEntry, str | None, str | None, str | None]


def read(
    ctx: Context,
    before: int | None = None,
    person_id: int | None = None,
    subject: tuple[str, int] | None = None,
) -> Sequence[Line]:
    """Entries with the names of person, office and body, newest first, one more than a page.

    `person_id`: only what this person did; `subject`: only what was done to this thing (its kind and id).
    """
    ctx.require(Permission.AUDIT_SEE)
    query = (
        select(AuditEntry, Person.name, Office.name, Body.name)
        .outerjoin(Person, Person.id == AuditEntry.person_id)
        .outerjoin(Office, Office.id == AuditEntry.office_id)
        .outerjoin(Body, Body.id == AuditEntry.body_id)
        .order_by(AuditEntry.id.desc())
        .limit(PAGE + 1)
    )
    if before is not None:
        query = query.where(AuditEntry.id < before)
    if person_id is not None:
        query = query.where(AuditEntry.person_id == person_id)
    if subject is not None:
        query = query.where(AuditEntry.subject_kind == subject[0], AuditEntry.subject_id == subject[1])
    return [(row[0], row[1], row[2], row[3]) for row in ctx.session.execute(query)]
