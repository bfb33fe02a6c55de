"""The promised day: names, contacts, needs and answers of a meeting are deleted; the numbers stay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, update

from lab.models.events import Event
from lab.models.kiosk import TrayItem
from lab.models.operations import AuditEntry
from lab.models.registrations import Arrival, Registration, RegistrationMerge, RegistrationState, SignUp
from lab.services import audit, registrations, seats, sign_up_desk, tickets
from lab.services.context import Context

#: Meetings whose day came within one run; a backlog is done on the next nights.
_MOST = 100
#: What says who it was. Digests of it go too: a name can be guessed and compared.
_NOBODY: dict[str, Any] = {
    "name": "",
    "name_key": "",
    "email": None,
    "email_key": None,
    "phone": None,
    "phone_key": None,
    "person_id": None,
    "needs": [],
    "needs_note": "",
    "answers": {},
    "payload_hash": None,
    "claim_digest": None,
    "override_reason": "",
}


def due(ctx: Context) -> list[int]:
    """The meetings whose promised day has come and whose lists are still there. One statement."""
    query = (
        select(SignUp, Event)
        .join(Event, Event.id == SignUp.event_id)
        .where(SignUp.forgotten_at.is_(None), Event.starts_at < ctx.now)
        .order_by(Event.starts_at, Event.id)
    )
    found = [
        event.id
        for sign_up, event in ctx.session.execute(query)
        if tickets.ends_at(event) + timedelta(days=sign_up.keep_days) <= ctx.now
    ]
    return found[:_MOST]


def forget(ctx: Context, event_id: int) -> int:
    """Empty the list of one meeting; how many rows. Counters, arrivals and the sums of needs stay."""
    with seats.books(ctx, event_id) as held:
        event = held.sign_up.event
        kept: dict[str, Any] = {
            "parties": _count(ctx, event_id, RegistrationState.CONFIRMED),
            "people": held.sign_up.taken,
            "arrived": held.sign_up.arrived,
            "waiting": held.sign_up.waiting,
            "needs": {need.code: need.parties for need in sign_up_desk.needs(ctx, event_id)},
        }
        _forget_words_about(ctx, event_id)
        mine = Registration.event_id == event_id
        emptied = update(Registration).where(mine).values(**_NOBODY, forgotten_at=ctx.now)
        gone = ctx.session.execute(emptied.execution_options(synchronize_session=False))
        merges = update(RegistrationMerge).where(RegistrationMerge.event_id == event_id).values(before={})
        ctx.session.execute(merges.execution_options(synchronize_session=False))
        digests = update(Arrival).where(Arrival.event_id == event_id).values(payload_hash=None)
        ctx.session.execute(digests.execution_options(synchronize_session=False))
        # What tablets brought and nobody took holds names as well.
        _forget_tray(ctx, TrayItem.event_id == event_id)
        held.sign_up.forgotten_at = ctx.now
        audit.record(ctx, "event.list_forgotten", event, **kept)
    return int(gone.rowcount)  # type: ignore[attr-defined]


def _forget_tray(ctx: Context, items: ColumnElement[bool]) -> None:
    settled = func.coalesce(TrayItem.settled_at, ctx.now)
    emptied = update(TrayItem).where(items).values(payload={}, settlement="", settled_at=settled)
    ctx.session.execute(emptied.execution_options(synchronize_session=False))


def _count(ctx: Context, event_id: int, state: RegistrationState) -> int:
    query = select(func.count()).where(Registration.event_id == event_id, Registration.state == state)
    return int(ctx.session.execute(query).scalar_one())


def _forget_words_about(ctx: Context, event_id: int) -> None:
    """Reasons that hosts wrote down may name people; who did what and when stays in the log."""
    audit.forget_reasons(
        ctx,
        audit.about(TrayItem, select(TrayItem.id).where(TrayItem.event_id == event_id)),
        audit.about(Registration, select(Registration.id).where(Registration.event_id == event_id)),
        and_(audit.about(Event, [event_id]), AuditEntry.verb.like("registration.%")),
    )


def forget_person(ctx: Context, person_id: int) -> int:
    """Somebody leaves for good: all of theirs loses its name, and places still to come go on to others."""
    query = (
        select(Registration.id, Registration.event_id, Event.starts_at, Registration.client_uuid)
        .join(Event, Event.id == Registration.event_id)
        .where(Registration.person_id == person_id)
        .order_by(Registration.event_id, Registration.id)
    )
    found = ctx.session.execute(query).all()
    ids = {registration_id for registration_id, *_rest in found}
    for registration_id, event_id, starts_at, client_uuid in found:
        with seats.books(ctx, event_id):
            _take_contact_back(ctx, registration_id, ids)
            if client_uuid is not None:
                _forget_tray(ctx, and_(TrayItem.event_id == event_id, TrayItem.client_uuid == client_uuid))
            # First nameless, so that nobody is told at an address that is to be forgotten.
            emptied = update(Registration).where(Registration.id == registration_id)
            ctx.session.execute(emptied.values(**_NOBODY, forgotten_at=ctx.now))
            if starts_at > ctx.now:
                registrations.cancel(ctx, registration_id)
    digests = update(Arrival).where(Arrival.registration_id.in_(ids)).values(payload_hash=None)
    ctx.session.execute(digests.execution_options(synchronize_session=False))
    audit.forget_reasons(ctx, audit.about(Registration, ids))
    return len(found)


def _take_contact_back(ctx: Context, gone_id: int, ids: set[int]) -> None:
    """A row that was found to be the same party may have got its contact from this one: there it goes too."""
    query = select(RegistrationMerge).where(
        RegistrationMerge.gone_id == gone_id,
        RegistrationMerge.kept_id.not_in(ids),
        RegistrationMerge.undone_at.is_(None),
    )
    for merge in ctx.session.execute(query).scalars():
        gone, kept = (ctx.session.get_one(Registration, one) for one in (gone_id, merge.kept_id))
        for name in merge.before.get("contacts", ()):
            if getattr(kept, name) == getattr(gone, name):
                setattr(kept, name, None)
    ctx.session.flush()
