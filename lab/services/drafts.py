"""Half-written forms, kept on the server as one types; of a person, or of a browser without account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.exc import IntegrityError

from lab.db.constraints import is_violation
from lab.kernel.ids import token_digest
from lab.models.operations import Draft
from lab.services.context import Context

#: How long a draft waits for its writer.
KEEP = timedelta(days=30)
#: How long photographs wait in a draft that nobody touches.
KEEP_PHOTOS = timedelta(days=1)
#: PostgreSQL calls the constraint by its first column, SQLite names both.
_TAKEN = (
    "uq_draft_person_id",
    "uq_draft_browser_digest",
    "uq_draft_person_id_form",
    "uq_draft_browser_digest_form",
)


@dataclass(frozen=True)
class Owner:
    """Whose draft it is: a person, else the browser that holds this random token. Neither: nobody's."""

    person_id: int | None = None
    browser_token: str | None = None

    @property
    def nobody(self) -> bool:
        """Whether there is nothing to look for."""
        return self.person_id is None and not self.browser_token


@dataclass(frozen=True)
class Kept:
    """A draft as it was last written."""

    data: dict[str, Any]
    updated_at: datetime


def _mine(owner: Owner) -> list[ColumnElement[bool]]:
    """Conditions in order: the person's own, then what this browser wrote before signing in."""
    conditions: list[ColumnElement[bool]] = []
    if owner.person_id is not None:
        conditions.append(Draft.person_id == owner.person_id)
    if owner.browser_token:
        conditions.append(Draft.browser_digest == token_digest(owner.browser_token))
    return conditions


def load(ctx: Context, owner: Owner, form: str) -> Kept | None:
    """What this writer left in this form; None when nothing."""
    for condition in _mine(owner):
        row = ctx.session.execute(select(Draft).where(condition, Draft.form == form)).scalar_one_or_none()
        if row is not None:
            return Kept(dict(row.data), row.updated_at)
    return None


def save(ctx: Context, owner: Owner, form: str, data: dict[str, Any]) -> None:
    """Keep what was typed so far; keys not in `data` stay as they were (photographs beside words)."""
    if owner.nobody:
        return
    row = _locked(ctx, owner, form)
    if row is None:
        row = _fresh(ctx, owner, form)
    if owner.person_id is not None and row.person_id is None:
        # What was begun before signing in goes on in the person's name.
        row.person_id, row.browser_digest = owner.person_id, None
    row.data = {**row.data, **data}
    row.updated_at = ctx.now
    ctx.session.flush()


def _locked(ctx: Context, owner: Owner, form: str) -> Draft | None:
    for condition in _mine(owner):
        query = select(Draft).where(condition, Draft.form == form).with_for_update()
        row = ctx.session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
        if row is not None:
            return row
    return None


def _fresh(ctx: Context, owner: Owner, form: str) -> Draft:
    digest = None if owner.person_id is not None else token_digest(owner.browser_token or "")
    row = Draft(person_id=owner.person_id, browser_digest=digest, form=form, data={}, updated_at=ctx.now)
    try:
        with ctx.session.begin_nested():
            ctx.session.add(row)
    except IntegrityError as error:
        if not any(is_violation(error, name) for name in _TAKEN):
            raise
        # Two pauses in typing at once: the other one made the row.
        found = _locked(ctx, owner, form)
        assert found is not None
        return found
    return row


def take(ctx: Context, owner: Owner, form: str) -> Kept | None:
    """Read a draft under lock and delete it: of two senders at once only one gets it."""
    row = _locked(ctx, owner, form)
    if row is None:
        return None
    kept = Kept(dict(row.data), row.updated_at)
    ctx.session.delete(row)
    ctx.session.flush()
    return kept


def drop(ctx: Context, owner: Owner, form: str) -> None:
    """Throw a draft away, the person's and the browser's."""
    for condition in _mine(owner):
        ctx.session.execute(delete(Draft).where(condition, Draft.form == form))


def forget_old(ctx: Context) -> int:
    """Delete drafts nobody came back to; how many."""
    old = delete(Draft).where(Draft.updated_at < ctx.now - KEEP)
    return int(ctx.session.execute(old).rowcount)  # type: ignore[attr-defined]
