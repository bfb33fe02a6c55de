"""Changing a sign-up that stands: how many come, who, what they need. The place in the queue stays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from lab.db.locking import expect_version
from lab.kernel.errors import Conflict, Invalid
from lab.kernel.text import clean_text
from lab.models.registrations import Registration, RegistrationMerge, RegistrationState
from lab.policy.permissions import Permission
from lab.services import outbox, registrations, seats, twins
from lab.services.context import Context
from lab.services.registrations import STANDING
from lab.services.sign_up_answers import check_answers, check_size


@dataclass(frozen=True)
class Change:
    """What a sign-up shall say from now on; every part of it, also what stays."""

    registration_id: int
    expected_version: int | None
    name: str
    email: str = ""
    phone: str = ""
    party_size: int = 1
    group_id: int | None = None
    needs: tuple[str, ...] = ()
    needs_note: str = ""
    answers: dict[str, Any] = field(default_factory=dict)


def change(ctx: Context, command: Change, *, free_hand: bool = False) -> Registration:
    """Write it down under the lock; who waits and fits gets what became free.

    `free_hand`: a host changes it and may go over the form's largest party. Who may: the caller has opened
    the ticket or is a host. Raises `Invalid` as `registrations.sign_up` does, `Invalid("party_size",
    "party_does_not_fit")` when a confirmed party would no longer fit, and `Conflict` for changed_meanwhile,
    already_cancelled, merged_by_host.
    """
    columns = registrations.who(command.name, command.email, command.phone)
    event_id = registrations.event_of(ctx, command.registration_id)
    check_answers(ctx, event_id, command.answers, asks_all=not free_hand)
    with seats.books(ctx, event_id) as held:
        registration = registrations.locked_registration(ctx, command.registration_id)
        if _says_so_already(registration, command, columns):
            return registration
        _check(ctx, held, registration, command, free_hand)
        if registration.state in STANDING:
            _resize(held, registration, command)
        else:
            _resize_beside(held, registration, command)
        for name, value in columns.items():
            setattr(registration, name, value)
        for name, value in _wanted(command).items():
            setattr(registration, name, value)
        registration.version += 1
        if registration.state in STANDING:
            _apart_from_twin(ctx, registration)
        registrations.tell(ctx, "registration.changed", registration)
    return registration


def _wanted(command: Change) -> dict[str, Any]:
    """What they need and what they answered, as it is kept."""
    return {
        "needs": sorted(set(command.needs)),
        "needs_note": clean_text(command.needs_note, registrations.NOTE_LIMIT),
        "answers": command.answers,
    }


def _says_so_already(registration: Registration, command: Change, columns: dict[str, Any]) -> bool:
    """Whether an earlier sending of the same form wrote it down: two clicks are one change."""
    if registration.version == command.expected_version or registration.cancelled_at is not None:
        return False
    size = {"party_size": command.party_size, "group_id": command.group_id}
    # The keys of a contact may be left out beside a twin's.
    contact = {name: columns[name] for name in ("name", "email", "phone")}
    wanted = {**contact, **_wanted(command), **size}
    return all(getattr(registration, name) == value for name, value in wanted.items())


def _check(
    ctx: Context, held: seats.Books, registration: Registration, command: Change, free_hand: bool
) -> None:
    expect_version(registration, command.expected_version)
    if registration.cancelled_at is not None or registration.forgotten_at is not None:
        raise Conflict("already_cancelled")
    if merged_by_host(ctx, registration):
        raise Conflict("merged_by_host")
    if not set(command.needs) <= set(held.sign_up.asks) | set(registration.needs):
        raise Invalid("needs", "unknown")
    if command.group_id is not None and command.group_id not in held.groups:
        raise Invalid("group_id", "unknown")
    # Whoever was given more than the form allows keeps it.
    if command.party_size != registration.party_size:
        check_size(held.sign_up, command.party_size, free_hand=free_hand)


def _resize(held: seats.Books, registration: Registration, command: Change) -> None:
    if (command.party_size, command.group_id) == (registration.party_size, registration.group_id):
        return
    if not held.could_be(registration, command.party_size, command.group_id):
        raise Invalid("party_size", "party_does_not_fit")
    held.resize(registration, command.party_size, command.group_id)


def _resize_beside(held: seats.Books, registration: Registration, command: Change) -> None:
    """A second sign-up of the same contact holds no place, and is refused what a first one would be."""
    before = registration.party_size, registration.group_id
    wanted = command.party_size, command.group_id
    registration.party_size, registration.group_id = wanted
    grows = wanted[1] != before[1] or wanted[0] > before[0]
    if grows and registration.confirmed_at is not None and not held.fits(registration):
        registration.party_size, registration.group_id = before
        raise Invalid("party_size", "party_does_not_fit")


def _apart_from_twin(ctx: Context, registration: Registration) -> None:
    """A contact that stands elsewhere in the list is kept without its key, and its owner hears of it.

    Whoever typed somebody else's address reads the same as for any other.
    """
    person_id, registration.person_id = registration.person_id, None
    twin = twins.standing(ctx, registration)
    registration.person_id = person_id
    if twin is not None:
        registration.email_key = registration.phone_key = None
        outbox.announce(ctx, "registration.repeated", registration_id=twin.id)


def merged_by_host(ctx: Context, registration: Registration) -> bool:
    """Whether a person found this sign-up to be the same as another; its holder goes on with that one."""
    if registration.state is not RegistrationState.MERGED:
        return False
    merge = select(RegistrationMerge.id).where(
        RegistrationMerge.gone_id == registration.id, RegistrationMerge.undone_at.is_(None)
    )
    return ctx.session.execute(merge).first() is not None


def claim(ctx: Context, registration_id: int) -> Registration:
    """Put an opened ticket among one's own things. Raises `Denied` for the signed-out,
    `Conflict("already_signed_up")` when one has another standing there, `Conflict("someone_elses")`.
    """
    ctx.require(Permission.ACCOUNT_SELF)
    person_id = ctx.actor.person_id
    assert person_id is not None
    with seats.books(ctx, registrations.event_of(ctx, registration_id)):
        registration = registrations.locked_registration(ctx, registration_id)
        if registration.person_id == person_id:
            return registration
        if registration.person_id is not None:
            raise Conflict("someone_elses")
        if registration.cancelled_at is None and twins.has_own(ctx, registration, person_id):
            raise Conflict("already_signed_up")
        registration.person_id = person_id
        registration.version += 1
    return registration
