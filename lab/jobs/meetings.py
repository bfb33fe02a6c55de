"""News of meetings: who signed up hears by mail and, with an account, on the site; reminders; forgetting."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Select, and_, or_, select, update

from lab.jobs.happenings import Happening
from lab.kernel.clock import local_date
from lab.models.events import Event, EventState
from lab.models.registrations import Registration, RegistrationState, SignUp
from lab.services import notifications, outbox, registration_retention, twins
from lab.services.context import Context
from lab.services.notifications import Hearer
from lab.services.registrations import STANDING

#: Meetings looked at in one run; sign-ups written in one portion.
_MEETINGS, _PORTION = 200, 500


def registrant(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Whoever made the sign-up concerned, when they have an account."""
    registration = ctx.session.get(Registration, h.ids["registration_id"])
    if registration is not None and registration.person_id and registration.state in STANDING:
        if h.event == "registration.placed" and registration.state is RegistrationState.WAITING:
            kind = "sign_up_waiting"
        yield _hearer(registration, kind)


def leaver(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Whoever made a sign-up that was cancelled."""
    registration = ctx.session.get(Registration, h.ids["registration_id"])
    if registration is not None and registration.person_id:
        yield _hearer(registration, kind)


def signed_up(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Everybody with an account who signed up for a meeting and did not give it back."""
    for registration, _by_mail in ctx.session.execute(_hearing(h.ids["event_id"])):
        if registration.person_id:
            yield _hearer(registration, kind)


def who_came(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Everybody with an account who was there."""
    for registration in ctx.session.execute(_came(h.ids["event_id"])).scalars():
        if registration.person_id:
            yield _hearer(registration, kind)


def _hearer(registration: Registration, kind: str) -> Hearer:
    return Hearer(registration.person_id or 0, kind, event_id=registration.event_id, has_own_mail=True)


def _hearing(event_id: int) -> Select[Registration, bool]:
    """Whoever counts on coming, and whether by mail too: they hear of changes, and are reminded.

    Of an evening that was, second sign-ups hear nothing: who came is known only of the first, and is not
    for everybody to know.
    """
    stands = Registration.state.in_(STANDING)
    second = and_(or_(twins.hears(), twins.reads()), Registration.cancelled_at.is_(None))
    return (
        select(Registration, or_(stands, twins.hears()))
        .outerjoin(twins.FIRST, twins.FIRST.id == Registration.merged_into_id)
        .where(Registration.event_id == event_id, or_(stands, second))
        .order_by(Registration.id)
    )


def _came(event_id: int) -> Select[Registration]:
    mine = and_(Registration.event_id == event_id, Registration.arrived_at.is_not(None))
    return (
        select(Registration)
        .where(mine, Registration.state == RegistrationState.CONFIRMED)
        .order_by(Registration.id)
    )


# --- mails

#: What happened to one sign-up -> the mail about it.
_OF_ONE = {
    "registration.promoted": "sign_up_promoted",
    "registration.cancelled": "sign_up_cancelled",
    "registration.changed": "sign_up_changed",
    "registration.repeated": "sign_up_repeated",
}
#: What happened to a meeting -> the mail to all concerned.
_OF_ALL = {
    "event.changed": "event_moved",
    "event.cancelled": "event_off",
    "minutes.published": "event_minutes",
}


def ask_for_mails(ctx: Context, h: Happening) -> None:
    """Put the mails about this happening into the outbox; called once for each, in its transaction."""
    if h.event == "registration.placed":
        registration = ctx.session.get(Registration, h.ids["registration_id"])
        stands = registration is not None and registration.state is not RegistrationState.CANCELLED
        if registration is not None and stands and twins.is_told(ctx, registration):
            waits = registration.queue_no is not None
            _ask(ctx, registration.id, "sign_up_waiting" if waits else "sign_up_confirmed")
    elif h.event == "registration.repeated":
        # Somebody who types the same address again and again sends its owner one mail a day.
        day = local_date(ctx.now, ctx.timezone).isoformat()
        registration_id = h.ids["registration_id"]
        _ask(ctx, registration_id, _OF_ONE[h.event], key=f"repeated:{registration_id}:{day}")
    elif h.event in _OF_ONE:
        registration = ctx.session.get(Registration, h.ids["registration_id"])
        if registration is not None and twins.is_told(ctx, registration):
            _ask(ctx, registration.id, _OF_ONE[h.event])
    elif h.event in _OF_ALL:
        for registration in _to_mail(ctx, h):
            if registration.email or registration.person_id:
                _ask(ctx, registration.id, _OF_ALL[h.event], what=list(h.ids.get("what") or ()))


def _to_mail(ctx: Context, h: Happening) -> list[Registration]:
    event_id = h.ids["event_id"]
    if h.event == "minutes.published":
        return list(ctx.session.execute(_came(event_id)).scalars())
    return [registration for registration, by_mail in ctx.session.execute(_hearing(event_id)) if by_mail]


def _ask(
    ctx: Context, registration_id: int, tag: str, *, key: str | None = None, what: list[str] | None = None
) -> None:
    payload = {"tag": tag, "registration_id": registration_id, **({"what": what} if what else {})}
    outbox.put(ctx, "mail", payload, dedupe_key=key)


# --- daily work


def remind(ctx: Context) -> int:
    """Remind who has a place of meetings that begin within the promised days; how many sign-ups."""
    today = local_date(ctx.now, ctx.timezone)
    query = (
        select(Event.id, Event.starts_at, SignUp.remind_days)
        .join(SignUp, SignUp.event_id == Event.id)
        .where(
            Event.starts_at > ctx.now,
            Event.starts_at < ctx.now + timedelta(days=32),
            Event.state == EventState.PLANNED,
            SignUp.remind_days > 0,
        )
        .order_by(Event.starts_at, Event.id)
        .limit(_MEETINGS)
    )
    told = 0
    for event_id, starts_at, days in ctx.session.execute(query).all():
        if local_date(starts_at, ctx.timezone) <= today + timedelta(days=days):
            told += _remind_of(ctx, event_id)
    return told


def _remind_of(ctx: Context, event_id: int) -> int:
    """Those who signed up on this very day know; everybody is reminded once."""
    fresh = ctx.now - timedelta(hours=18)
    query = _hearing(event_id).where(
        Registration.state != RegistrationState.WAITING,
        Registration.reminded_at.is_(None),
        Registration.confirmed_at < fresh,
    )
    hearing = ctx.session.execute(query).all()
    found = [row[0] for row in hearing]
    for start in range(0, len(found), _PORTION):
        ids = [one.id for one in found[start : start + _PORTION]]
        reminded = update(Registration).where(Registration.id.in_(ids)).values(reminded_at=ctx.now)
        ctx.session.execute(reminded.execution_options(synchronize_session=False))
    hearers = [_hearer(one, "event_reminder") for one in found if one.person_id]
    key = f"event_reminder:{event_id}:{local_date(ctx.now, ctx.timezone).isoformat()}"
    notifications.tell(ctx, hearers, key, ctx.now)
    for registration, by_mail in hearing:
        if by_mail and (registration.email or registration.person_id):
            _ask(ctx, registration.id, "event_reminder")
    return len(found)


def forget(ctx: Context) -> int:
    """Delete names, contacts, needs and answers of meetings whose promised day has come; how many."""
    return sum(registration_retention.forget(ctx, event_id) for event_id in registration_retention.due(ctx))
