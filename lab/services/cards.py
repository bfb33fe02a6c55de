"""Printed cards whose QR signs in somebody without e-mail: issued, replaced, revoked."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from lab.db.locking import locked
from lab.kernel.errors import Conflict, Denied, NotFound
from lab.kernel.ids import new_token, token_digest
from lab.models.accounts import Credential, Person, PersonCard
from lab.policy.permissions import Permission
from lab.services import audit, sessions
from lab.services.context import Context
from lab.services.terms import is_staff

#: Random bits in the card's address: long enough, and still a QR that an old phone reads.
_BITS = 160


@dataclass(frozen=True)
class IssueCard:
    """A card for a person. `replaces` is the id of the living card the page showed, None for none."""

    person_id: int
    replaces: int | None = None


@dataclass(frozen=True)
class NewCard:
    """A card just made. The token is known only now: afterwards there is its digest."""

    card: PersonCard
    token: str


def living(ctx: Context, person_id: int) -> PersonCard | None:
    """The card of a person that works today."""
    query = select(PersonCard).where(PersonCard.person_id == person_id, PersonCard.revoked_at.is_(None))
    return ctx.session.execute(query).scalar_one_or_none()


def issue(ctx: Context, command: IssueCard) -> NewCard:
    """Make a card; the one before stops working and its sessions end.

    Raises `Conflict("has_account")` for people with an account and `Conflict("is_staff")` for people with
    a function (the card is a key that can be lost), `Conflict("changed_meanwhile")` when somebody else has
    just made or revoked one.
    """
    grant = ctx.require(Permission.CARD_ISSUE)
    person = locked(ctx.session, Person, command.person_id)
    if person.anonymised_at or person.blocked_at:
        raise Conflict("person_closed")
    if ctx.session.get(Credential, person.id) is not None:
        raise Conflict("has_account")
    if is_staff(ctx, person.id):
        raise Conflict("is_staff")
    before = living(ctx, person.id)
    if (before.id if before else None) != command.replaces:
        raise Conflict("changed_meanwhile")
    if before is not None:
        _revoke(ctx, before)
    token = new_token(_BITS)
    card = PersonCard(
        person_id=person.id,
        token_digest=token_digest(token),
        issued_at=ctx.now,
        issued_by_id=ctx.actor.person_id or person.id,
    )
    ctx.session.add(card)
    ctx.session.flush()
    audit.record(ctx, "card.replace" if before else "card.issue", person, grant)
    return NewCard(card, token)


def revoke(ctx: Context, person_id: int) -> None:
    """Make a person's card worthless and end its sessions; nothing happens when there is none."""
    grant = ctx.require(Permission.CARD_ISSUE)
    person = locked(ctx.session, Person, person_id)
    card = living(ctx, person.id)
    if card is None:
        return
    _revoke(ctx, card)
    audit.record(ctx, "card.revoke", person, grant)


def _revoke(ctx: Context, card: PersonCard) -> None:
    card.revoked_at = ctx.now
    sessions.end_all(ctx, card.person_id)
    # The unique index allows one living card: the old one goes before the new one comes.
    ctx.session.flush()


def holder(ctx: Context, token: str) -> Person:
    """Whose card this is. Raises `NotFound` for a token that is unknown or no longer good."""
    query = (
        select(Person)
        .join(PersonCard, PersonCard.person_id == Person.id)
        .where(
            PersonCard.token_digest == token_digest(token),
            PersonCard.revoked_at.is_(None),
            Person.anonymised_at.is_(None),
        )
    )
    person = ctx.session.execute(query).scalar_one_or_none()
    if person is None:
        raise NotFound("card")
    return person


def is_good(ctx: Context, person_id: int, token: str) -> bool:
    """Whether this token is the person's living card."""
    card = living(ctx, person_id)
    return card is not None and card.token_digest == token_digest(token)


def enter(ctx: Context, token: str, browser: sessions.Browser) -> str:
    """Sign in with a card; gives the session's token.

    Raises `NotFound` for a card that is not good, `Denied` for people who are blocked or hold a function.
    """
    person = holder(ctx, token)
    if is_staff(ctx, person.id):
        raise Denied("card_not_for_staff")
    card = living(ctx, person.id)
    if card is not None:
        card.used_at = ctx.now
    return sessions.open_session(ctx, person.id, "card", browser)
