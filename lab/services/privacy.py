"""What a person may ask of their data: a whole copy, and to be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update

from lab.db.base import Base
from lab.db.locking import locked
from lab.kernel.errors import NotFound
from lab.models.accounts import Credential, MailRhythm, Person, PersonCard, RoleGrant, SignInCode, WebSession
from lab.models.contributions import Contribution, ContributionAuthor, ContributionVersion
from lab.models.conversation import Comment, Follow, Support
from lab.models.moderation import Flag
from lab.models.notifications import Letter, Notification
from lab.models.operations import AuditEntry, Draft
from lab.models.registrations import Registration
from lab.policy.permissions import Permission
from lab.services import audit, contributions, outbox, registration_retention, roles, sessions, tickets
from lab.services.context import Context

#: Never part of a copy: digests and hashes are keys, not data about somebody.
_SECRET = frozenset(
    {"token_digest", "password_hash", "browser_digest", "code_digest", "idempotency_key", "claim_digest"}
)


def copy_of(ctx: Context) -> dict[str, Any]:
    """Everything kept about the person who asks, ready for JSON; secrets left out."""
    ctx.require(Permission.ACCOUNT_SELF)
    person_id = ctx.actor.person_id
    mine = {
        "person": _rows(ctx, Person, Person.id == person_id),
        "account": _rows(ctx, Credential, Credential.person_id == person_id),
        "functions": _rows(ctx, RoleGrant, RoleGrant.person_id == person_id),
        "cards": _rows(ctx, PersonCard, PersonCard.person_id == person_id),
        "sign_ins": _rows(ctx, WebSession, WebSession.person_id == person_id),
        "contributions": _rows(ctx, Contribution, Contribution.person_id == person_id),
        "earlier_versions": _rows(ctx, ContributionVersion, ContributionVersion.person_id == person_id),
        "co_authored": _rows(ctx, ContributionAuthor, ContributionAuthor.person_id == person_id),
        "comments": _rows(ctx, Comment, Comment.person_id == person_id),
        "supports": _rows(ctx, Support, Support.person_id == person_id),
        "follows": _rows(ctx, Follow, Follow.person_id == person_id),
        "reports": _rows(ctx, Flag, Flag.person_id == person_id),
        "notifications": _rows(ctx, Notification, Notification.person_id == person_id),
        "letters": _rows(ctx, Letter, Letter.person_id == person_id),
        "drafts": _rows(ctx, Draft, Draft.person_id == person_id),
        "sign_ups": _sign_ups(ctx, Registration.person_id == person_id),
        "acts": _rows(ctx, AuditEntry, AuditEntry.person_id == person_id),
    }
    return {"made_at": ctx.now.isoformat(), **mine}


#: They tell of another party on the list, or are made of what stands beside them.
_OF_OTHERS = frozenset(
    {"merged_into_id", "lease_id", "reminded_at", "payload_hash", "name_key", "email_key", "phone_key"}
)


def _sign_ups(ctx: Context, condition: ColumnElement[bool]) -> list[dict[str, Any]]:
    """As their holder reads them: nobody learns from a copy who else is on a list."""
    found = ctx.session.execute(select(Registration).where(condition)).scalars()
    shown = {one.id: tickets.state_shown(ctx, one).value for one in found}
    rows = _rows(ctx, Registration, condition)
    kept = [{key: value for key, value in row.items() if key not in _OF_OTHERS} for row in rows]
    return [{**row, "state": shown[row["id"]]} for row in kept]


def _rows(ctx: Context, model: type[Base], condition: ColumnElement[bool]) -> list[dict[str, Any]]:
    columns = [column for column in model.__table__.columns if column.key not in _SECRET]
    rows: Sequence[Any] = ctx.session.execute(select(*columns).where(condition)).mappings().all()
    return [{key: _plain(value) for key, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return value.isoformat() if isinstance(value, date | datetime) else value


def erase_own(ctx: Context, session_id: int) -> None:
    """The person leaves for good. Raises `Denied("prove_first")`, `Denied("last_administrator")`."""
    ctx.require(Permission.ACCOUNT_SELF)
    sessions.require_proof(ctx, session_id)
    assert ctx.actor.person_id is not None
    erase(ctx, ctx.actor.person_id)


def erase(ctx: Context, person_id: int) -> None:
    """Take name and contact away everywhere and close every door; what was said stays, without a name.

    Only for the person (through `erase_own`) and for administrators. Doing it again does nothing.
    Raises `NotFound` and `Denied("last_administrator")`.
    """
    grant = None if ctx.actor.person_id == person_id else ctx.require(Permission.ROLE_GRANT)
    person = locked(ctx.session, Person, person_id)
    if person.anonymised_at is not None:
        return
    roles.end_of_person(ctx, person_id)
    outbox.forget(ctx, person_id, _addresses(ctx, person))
    _close_doors(ctx, person)
    _take_name_away(ctx, person_id)
    registration_retention.forget_person(ctx, person_id)
    audit.forget_reasons(ctx, audit.about(Person, [person_id]))
    person.name, person.email, person.email_key = "", None, None
    person.phone, person.postal, person.email_verified_at = None, None, None
    person.mail_rhythm = MailRhythm.NEVER
    person.unread_count = 0
    person.anonymised_at = ctx.now
    audit.record(ctx, "person.erase", person, grant)
    ctx.session.flush()


def _addresses(ctx: Context, person: Person) -> set[str]:
    """Where mails to somebody may be waiting to go: their address, and one they have asked to change to."""
    asked = select(SignInCode.email).where(SignInCode.person_id == person.id)
    found = {person.email, person.email_key, *ctx.session.execute(asked).scalars()}
    return {one for one in found if one}


def _close_doors(ctx: Context, person: Person) -> None:
    if person.email_key:
        ctx.session.execute(delete(SignInCode).where(SignInCode.email_key == person.email_key))
    ctx.session.execute(delete(SignInCode).where(SignInCode.person_id == person.id))
    ctx.session.execute(delete(Credential).where(Credential.person_id == person.id))
    ctx.session.execute(delete(WebSession).where(WebSession.person_id == person.id))
    card = update(PersonCard).where(PersonCard.person_id == person.id, PersonCard.revoked_at.is_(None))
    ctx.session.execute(card.values(revoked_at=ctx.now))
    for model in (Notification, Draft, Follow):
        _forget(ctx, model, person.id)


def _forget(ctx: Context, model: type[Notification | Draft | Follow], person_id: int) -> None:
    if model is Follow:
        followed = select(Follow.contribution_id).where(
            Follow.person_id == person_id, Follow.contribution_id.is_not(None)
        )
        for contribution_id in ctx.session.execute(followed).scalars().all():
            with contributions.changing(ctx, contribution_id or 0) as contribution:
                contribution.followers_count -= 1
    ctx.session.execute(delete(model).where(model.person_id == person_id))


def _take_name_away(ctx: Context, person_id: int) -> None:
    said = select(Contribution.id).where(Contribution.person_id == person_id).order_by(Contribution.id)
    for contribution_id in ctx.session.execute(said).scalars().all():
        # Through the books: the name is in the search entry too.
        with contributions.changing(ctx, contribution_id) as contribution:
            contribution.author_name = ""
    for model in (ContributionAuthor, Comment):
        column = {"name": ""} if model is ContributionAuthor else {"author_name": ""}
        ctx.session.execute(update(model).where(model.person_id == person_id).values(**column))


def by_id(ctx: Context, person_id: int) -> Person:
    """A person who has not left. Raises `NotFound`."""
    person = ctx.session.get(Person, person_id)
    if person is None or person.anonymised_at is not None:
        raise NotFound("person")
    return person
