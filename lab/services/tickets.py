"""Tickets: what whoever signed up holds in hand. Its key opens it without an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lab.kernel.clock import local_date
from lab.kernel.errors import NotFound
from lab.kernel.ids import token_digest
from lab.kernel.tokens import Signer
from lab.models.events import Event, EventState
from lab.models.registrations import EventQuestion, Registration, RegistrationState, SignUp
from lab.policy.permissions import Permission
from lab.services import seats, sign_up_changes, twins
from lab.services.context import Context

#: What a ticket's key is signed for, and how long it opens; names are deleted long before.
TICKET = "ticket"
TICKET_AGE = timedelta(days=1000)
#: A tablet's claim has 128 random bits or more.
_CLAIM = 20
PAGE = 60


@dataclass(frozen=True)
class Standing:
    """Where a party stands, as its holder reads it. `number` counts people with a place, or parties that
    wait; `of` is None where nobody counts places, or above them.
    """

    state: RegistrationState
    number: int = 0
    of: int | None = None
    #: It had waited before it got its place.
    is_promoted: bool = False
    #: A host found it to be the same party as another sign-up.
    is_doubled: bool = False


@dataclass(frozen=True)
class Ticket:
    """A sign-up with everything its page says."""

    registration: Registration
    event: Event
    sign_up: SignUp
    standing: Standing
    questions: list[EventQuestion]
    #: The day on which name, contact and answers are deleted.
    kept_until: date
    is_over: bool

    @property
    def can_change(self) -> bool:
        """Whether its holder can still change it or give the place back."""
        return (
            not self.is_over
            and self.event.state is not EventState.CANCELLED
            and self.standing.state is not RegistrationState.CANCELLED
            and not self.standing.is_doubled
        )


def key_for(signer: Signer, registration: Registration) -> str:
    """What opens the ticket of this sign-up; nobody can guess or make one."""
    return signer.sign(TICKET, registration.id)


def open_key(ctx: Context, signer: Signer, key: str) -> Registration:
    """The sign-up that a key or the claim of a tablet opens. Raises `NotFound`, also once it is forgotten."""
    query = select(Registration)
    if "." in key:
        found_id = signer.open(TICKET, key, TICKET_AGE)
        if not isinstance(found_id, int):
            raise NotFound("ticket")
        query = query.where(Registration.id == found_id)
    else:
        if not _CLAIM <= len(key) <= 64:
            raise NotFound("ticket")
        query = query.where(Registration.claim_digest == token_digest(key))
    found = ctx.session.execute(query).scalar_one_or_none()
    if found is None or found.forgotten_at is not None:
        raise NotFound("ticket")
    return found


def ticket(ctx: Context, signer: Signer, key: str) -> Ticket:
    """Everything about the sign-up that a key opens. Raises `NotFound`."""
    return of_registration(ctx, open_key(ctx, signer, key))


def of_registration(ctx: Context, registration: Registration) -> Ticket:
    """The same for a sign-up at hand. Three statements, four while it stands."""
    query = (
        select(SignUp)
        .where(SignUp.event_id == registration.event_id)
        .options(joinedload(SignUp.event).joinedload(Event.place))
    )
    sign_up = ctx.session.execute(query).scalar_one()
    asked = select(EventQuestion).where(EventQuestion.event_id == registration.event_id)
    questions = list(ctx.session.execute(asked.order_by(EventQuestion.position, EventQuestion.id)).scalars())
    return Ticket(
        registration,
        sign_up.event,
        sign_up,
        standing(ctx, registration, sign_up),
        questions,
        day_of_forgetting(ctx, sign_up.event, sign_up),
        is_over=ends_at(sign_up.event) <= ctx.now,
    )


def ends_at(event: Event) -> datetime:
    """When the meeting ends."""
    return event.starts_at + timedelta(minutes=event.minutes)


def day_of_forgetting(ctx: Context, event: Event, sign_up: SignUp) -> date:
    """The promised day on which names and contacts are deleted."""
    return local_date(ends_at(event) + timedelta(days=sign_up.keep_days), ctx.timezone)


def standing(ctx: Context, registration: Registration, sign_up: SignUp) -> Standing:
    """Where it stands for its holder.

    A second sign-up with the contact of another reads like a first one: it tells nobody that the other
    exists, and holds no place.
    """
    if registration.cancelled_at is not None or registration.state is RegistrationState.CANCELLED:
        return Standing(RegistrationState.CANCELLED)
    if sign_up_changes.merged_by_host(ctx, registration):
        kept = ctx.session.get(Registration, registration.merged_into_id)
        if kept is not None and kept.state is not RegistrationState.MERGED:
            found = standing(ctx, kept, sign_up)
            return Standing(found.state, found.number, found.of, is_doubled=True)
        return Standing(RegistrationState.CANCELLED, is_doubled=True)
    if _is_seated(registration, sign_up):
        number = seats.place_of(ctx, registration, waits=False)
        last = number + registration.party_size - 1
        of = sign_up.capacity if sign_up.capacity is not None and last <= sign_up.capacity else None
        promoted = (
            registration.confirmed_at is not None and registration.confirmed_at > registration.created_at
        )
        return Standing(RegistrationState.CONFIRMED, number, of, is_promoted=promoted)
    return Standing(RegistrationState.WAITING, seats.place_of(ctx, registration, waits=True))


def state_shown(ctx: Context, registration: Registration) -> RegistrationState:
    """The state its holder reads; no statement but for a second sign-up."""
    if registration.state is not RegistrationState.MERGED:
        return registration.state
    return standing(ctx, registration, ctx.session.get_one(SignUp, registration.event_id)).state


def _is_seated(registration: Registration, sign_up: SignUp) -> bool:
    if registration.state is RegistrationState.MERGED:
        free = None if sign_up.capacity is None else sign_up.capacity - sign_up.taken
        nobody_waits = not sign_up.waiting and (free is None or free >= registration.party_size)
        return registration.confirmed_at is not None or nobody_waits
    return registration.state is RegistrationState.CONFIRMED


def own(ctx: Context, event_id: int) -> Registration | None:
    """The actor's sign-up for a meeting that holds a place or waits for one; nobody else is asked about."""
    if ctx.actor.person_id is None:
        return None
    query = select(Registration).where(
        Registration.event_id == event_id, Registration.person_id == ctx.actor.person_id, twins.holds()
    )
    return ctx.session.execute(query).scalar_one_or_none()


def mine(ctx: Context) -> list[Registration]:
    """The actor's sign-ups, the next meeting first, then what has been. Raises `Denied`."""
    ctx.require(Permission.ACCOUNT_SELF)
    query = (
        select(Registration)
        .join(Event, Event.id == Registration.event_id)
        .where(Registration.person_id == ctx.actor.person_id)
        .options(joinedload(Registration.event).joinedload(Event.place))
        .order_by(Event.starts_at < ctx.now, Event.starts_at, Registration.id)
        .limit(PAGE)
    )
    return list(ctx.session.execute(query).scalars())
