"""People as the staff meet them: registered at the desk, found again, shut out and let in; and made one
when two records turn out to be the same person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, delete, func, or_, select, update

from lab.db.locking import locked
from lab.kernel.errors import Denied, Invalid, NotFound
from lab.kernel.text import clean_line, clean_text, fold_email, is_same_mailbox, valid_email
from lab.models.accounts import Credential, Person, PersonCard, Role, RoleGrant
from lab.models.contributions import Contribution, ContributionAuthor
from lab.models.conversation import Comment, Follow, Support
from lab.models.events import EventHost
from lab.models.moderation import Flag
from lab.models.notifications import Letter, Notification
from lab.models.operations import Draft
from lab.models.registrations import Registration
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import audit, contributions, sessions, sign_in
from lab.services.context import Context
from lab.services.terms import is_staff

NAME_LIMIT = 60
REASON_LIMIT = 500
PAGE = 40
#: The same person typed twice by the same hand within this time is one double click.
_DOUBLE = timedelta(minutes=2)
#: So much of what a person has said is shown beside their name.
_SAID = 30


@dataclass(frozen=True)
class Register:
    """Somebody met at the desk. Only the name is needed; `postal` says where letters go."""

    name: str
    locale: str = "it"
    postal: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True)
class Block:
    """Shut somebody out, or with `reason` for the log let them in again."""

    person_id: int
    reason: str


def register(ctx: Context, command: Register) -> Person:
    """Write down a person without account. The same data twice in two minutes gives the same person.

    An address given here is where we write to; it opens nothing until its owner has proved it.
    Raises `Invalid`.
    """
    grant = ctx.require(Permission.PERSON_REGISTER)
    fields = _fields(command)
    same = [getattr(Person, name) == value for name, value in fields.items()]
    again = select(Person).where(
        *same, Person.created_by_id == ctx.actor.person_id, Person.created_at > ctx.now - _DOUBLE
    )
    known = ctx.session.execute(again.limit(1)).scalar_one_or_none()
    if known is not None and not ctx.actor.is_system:
        return known
    person = Person(created_at=ctx.now, created_by_id=ctx.actor.person_id, **fields)
    ctx.session.add(person)
    ctx.session.flush()
    audit.record(ctx, "person.register", person, grant)
    return person


def change(ctx: Context, person_id: int, command: Register) -> Person:
    """Correct what the desk wrote down.

    Raises `Denied("has_account")`, since account holders do it themselves, and `Invalid` as `register`;
    `Denied("staff_by_administrator")`, since whoever proves the address gets the function as well.
    """
    grant = ctx.require(Permission.PERSON_REGISTER)
    person = locked(ctx.session, Person, person_id)
    if ctx.session.get(Credential, person_id) is not None or person.anonymised_at is not None:
        raise Denied("has_account")
    if is_staff(ctx, person.id) and ctx.actor.grant_of(Role.ADMINISTRATOR) is None:
        raise Denied("staff_by_administrator")
    for name, value in _fields(command).items():
        setattr(person, name, value)
    audit.record(ctx, "person.change", person, grant)
    ctx.session.flush()
    return person


def _fields(command: Register) -> dict[str, str | None]:
    name = clean_line(command.name, NAME_LIMIT + 1)
    if not any(c.isalnum() for c in name):
        raise Invalid("name", "name_missing")
    if len(name) > NAME_LIMIT:
        raise Invalid("name", "name_too_long")
    phone = clean_line(command.phone, 33)
    if len(phone) > 32 or sum(c.isdigit() for c in phone) < (5 if phone else 0):
        raise Invalid("phone", "bad_phone")
    if len(clean_line(command.postal, 201)) > 200:
        raise Invalid("postal", "too_long")
    email = command.email.strip()
    if email and not valid_email(email):
        raise Invalid("email", "bad_email")
    return {
        "name": name,
        "locale": command.locale,
        "postal": clean_line(command.postal, 200) or None,
        "phone": phone or None,
        "email": email or None,
        "email_key": fold_email(email) if email else None,
    }


def search(
    ctx: Context, words: str = "", before: int | None = None, *, only_staff: bool = False
) -> Sequence[Person]:
    """People by name or address, newest first, one more than a page; `before` is the last id shown."""
    ctx.require(Permission.PERSON_REGISTER)
    query = select(Person).where(Person.anonymised_at.is_(None))
    for word in clean_line(words, 100).split()[:5]:
        query = query.where(
            or_(Person.name.icontains(word, autoescape=True), Person.email.icontains(word, autoescape=True))
        )
    if before is not None:
        query = query.where(Person.id < before)
    if only_staff:
        query = query.where(Person.id.in_(_with_roles()))
    return ctx.session.execute(query.order_by(Person.id.desc()).limit(PAGE + 1)).scalars().all()


def _with_roles() -> Select[int]:
    return select(RoleGrant.person_id).distinct()


def one(ctx: Context, person_id: int) -> Person:
    """One person, for the staff. Raises `NotFound`, also for people who left."""
    ctx.require(Permission.PERSON_REGISTER)
    person = ctx.session.get(Person, person_id)
    if person is None or person.anonymised_at is not None:
        raise NotFound("person")
    return person


def said(ctx: Context, person_id: int) -> Sequence[Contribution]:
    """What a person has said, the newest first, for those who see all that the lab works on; nothing else."""
    if ctx.actor.overseer is None:
        return []
    query = (
        select(Contribution)
        .where(Contribution.person_id == person_id)
        .order_by(Contribution.created_at.desc(), Contribution.id.desc())
        .limit(_SAID)
    )
    return ctx.session.execute(query).scalars().all()


def block(ctx: Context, command: Block) -> None:
    """Shut somebody out: their sessions end, they are told why. Raises `Invalid("reason", "required")`,
    `Denied("own_account")`, `Denied("staff_by_administrator")`.
    """
    person, grant, reason = _for_block(ctx, command)
    if person.blocked_at is not None:
        return
    person.blocked_at = ctx.now
    sessions.end_all(ctx, person.id)
    audit.record(ctx, "person.block", person, grant, reason=reason)
    if person.email and person.email_verified_at:
        sign_in.send(ctx, "account_blocked", person.email, person.locale, name=person.name, reason=reason)


def unblock(ctx: Context, command: Block) -> None:
    """Let somebody in again. Raises `Invalid` and `Denied` as `block`."""
    person, grant, reason = _for_block(ctx, command)
    if person.blocked_at is None:
        return
    person.blocked_at = None
    audit.record(ctx, "person.unblock", person, grant, reason=reason)
    if person.email and person.email_verified_at:
        sign_in.send(ctx, "account_unblocked", person.email, person.locale, name=person.name)


def _for_block(ctx: Context, command: Block) -> tuple[Person, Grant, str]:
    grant = ctx.require(Permission.PERSON_BLOCK)
    reason = clean_text(command.reason, REASON_LIMIT)
    if not reason:
        raise Invalid("reason", "required")
    person = locked(ctx.session, Person, command.person_id)
    if person.id == ctx.actor.person_id:
        raise Denied("own_account")
    if is_staff(ctx, person.id) and ctx.actor.grant_of(Role.ADMINISTRATOR) is None:
        raise Denied("staff_by_administrator")
    return person, grant, reason


def claim(ctx: Context, email: str, into: Person | None = None) -> Person | None:
    """Make one person of all records without account under an address whose owner has just proved it. Other
    spellings of it count only where they surely lead to the same mailbox.

    They become part of `into`, or of the oldest of them; None when there are none. A record that was shut
    out stays so: joining anew is no way around it.
    """
    query = (
        select(Person)
        .outerjoin(Credential, Credential.person_id == Person.id)
        .where(
            Person.email_key == fold_email(email),
            Person.anonymised_at.is_(None),
            Credential.person_id.is_(None),
        )
        .order_by(Person.id)
        .with_for_update(of=Person)
    )
    found = [
        person
        for person in ctx.session.execute(query).scalars()
        if person is not into and is_same_mailbox(person.email or "", email)
    ]
    if not found:
        return into
    keeper = into or found.pop(0)
    for other in found:
        _absorb(ctx, keeper, other)
    return keeper


def _absorb(ctx: Context, keeper: Person, other: Person) -> None:
    if other.blocked_at is not None and keeper.blocked_at is None:
        keeper.blocked_at = other.blocked_at
    _absorb_hands(ctx, keeper.id, other.id)
    _absorb_notifications(ctx, keeper, other)
    _absorb_meetings(ctx, keeper.id, other.id)
    for model in (Contribution, ContributionAuthor, Comment, RoleGrant, Flag, Letter):
        ctx.session.execute(update(model).where(model.person_id == other.id).values(person_id=keeper.id))
    ctx.session.execute(delete(Draft).where(Draft.person_id == other.id))
    card = update(PersonCard).where(PersonCard.person_id == other.id, PersonCard.revoked_at.is_(None))
    ctx.session.execute(card.values(revoked_at=ctx.now))
    sessions.end_all(ctx, other.id)
    other.name, other.email, other.email_key, other.phone, other.postal = "", None, None, None, None
    other.anonymised_at = ctx.now
    audit.record(ctx, "person.join", keeper, other_id=other.id)


def _absorb_hands(ctx: Context, keeper_id: int, other_id: int) -> None:
    """Supports and follows: one hand each, so what both held counts once."""
    held = select(Support.contribution_id).where(Support.person_id == keeper_id)
    twice = select(Support.contribution_id).where(
        Support.person_id == other_id, Support.contribution_id.in_(held)
    )
    for contribution_id in ctx.session.execute(twice).scalars().all():
        ctx.session.execute(
            delete(Support).where(Support.person_id == other_id, Support.contribution_id == contribution_id)
        )
        with contributions.changing(ctx, contribution_id) as contribution:
            contribution.supports_count -= 1
    ctx.session.execute(update(Support).where(Support.person_id == other_id).values(person_id=keeper_id))
    mine = ctx.session.execute(select(Follow).where(Follow.person_id == keeper_id)).scalars().all()
    known = {(item.contribution_id, item.action_id, item.project_id) for item in mine}
    theirs = ctx.session.execute(select(Follow).where(Follow.person_id == other_id)).scalars().all()
    for follow in theirs:
        if (follow.contribution_id, follow.action_id, follow.project_id) not in known:
            follow.person_id = keeper_id
            continue
        ctx.session.delete(follow)
        if follow.contribution_id is not None:
            with contributions.changing(ctx, follow.contribution_id) as contribution:
                contribution.followers_count -= 1


def _absorb_meetings(ctx: Context, keeper_id: int, other_id: int) -> None:
    """Tickets, and meetings to host. Where both have one, the other's still opens by its key."""
    for model in (Registration, EventHost):
        held = select(model.event_id).where(model.person_id == keeper_id)
        theirs = update(model).where(model.person_id == other_id, model.event_id.not_in(held))
        ctx.session.execute(theirs.values(person_id=keeper_id))


def _absorb_notifications(ctx: Context, keeper: Person, other: Person) -> None:
    known = select(Notification.event_key).where(Notification.person_id == keeper.id)
    theirs = Notification.person_id == other.id
    ctx.session.execute(
        update(Notification).where(theirs, Notification.event_key.not_in(known)).values(person_id=keeper.id)
    )
    ctx.session.execute(delete(Notification).where(theirs))
    unread = select(func.count()).where(Notification.person_id == keeper.id, Notification.read_at.is_(None))
    keeper.unread_count = int(ctx.session.execute(unread).scalar_one())
