"""The ticket in hand: where one stands, changing it, giving the place back; no account needed.

Its address is the key. It is never logged (the log tells routes), never sent on (no rating, no canonical
address, `Referrer-Policy: same-origin`), never stored by browsers or search engines.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.events import EventState
from lab.models.registrations import RegistrationState
from lab.policy.permissions import Permission
from lab.services import (
    event_calendar,
    hosting,
    limits,
    registrations,
    sign_up_changes,
    sign_up_settings,
    tickets,
)
from lab.services.limits import Limit
from lab.services.sign_up_changes import Change
from lab.services.tickets import Ticket
from lab.web import entrance, event_page
from lab.web import programme_cards as cards
from lab.web.access import allow, public
from lab.web.app_state import context, lab, transaction
from lab.web.forms import sign_up as forms
from lab.web.forms.base import LabForm, refuse
from lab.web.labels import error_words
from lab.web.numbers import version_of
from lab.web.own_pages import draw as draw_mine
from lab.web.qr import qr_svg
from lab.web.reader import reader

blueprint = Blueprint("tickets", __name__)
_LONGEST_KEY = 400


def _ticket(key: str) -> Ticket:
    return tickets.ticket(context(), lab().signer, key[:_LONGEST_KEY])


def _private(page: str, status: int = 200) -> Response:
    answer = make_response(page, status)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _draw(template: str, key: str, ticket: Ticket, status: int = 200, **values: Any) -> Response:
    page = render_template(
        f"pages/tickets/{template}.html",
        t=ticket,
        key=key,
        event=ticket.event,
        r=ticket.registration,
        sign_up=ticket.sign_up,
        goes_on=event_page.is_going_on(context(), ticket.event),
        place_name=cards.local_name(ticket.event.place),
        canonical_url=None,
        rate=False,
        exit_url=url_for("tickets.show", key=key),
        exit_label=_("Torna al biglietto"),
        **values,
    )
    return _private(page, status)


@blueprint.get("/biglietto/<key>")
@public
def show(key: str) -> Response:
    """Where the sign-up stands, what to show at the door, what can still be done."""
    ticket = _ticket(key)
    address = lab().settings.base_url + url_for("tickets.show", key=key)
    answers = [
        (one.label, _answer_words(ticket.registration.answers.get(str(one.id))))
        for one in ticket.questions
        if ticket.registration.answers.get(str(one.id))
    ]
    return _draw(
        "show",
        key,
        ticket,
        qr=qr_svg(address),
        answers=answers,
        needs=[forms.need_words(code) for code in ticket.registration.needs],
        door_url=_door(ticket),
        claim=LabForm() if reader() and ticket.registration.person_id is None else None,
        is_mine=ticket.registration.person_id is not None
        and ticket.registration.person_id == context().actor.person_id,
    )


def _door(ticket: Ticket) -> str | None:
    """Where a host who read this ticket with the phone's own camera marks the arrival."""
    ctx = context()
    if not ctx.actor.is_staff:
        return None
    try:
        event, _grant = hosting.run(ctx, ticket.event.id)
    except NotFound:
        return None
    number = ticket.registration.id
    return url_for("door.ticket", code=event.code, registration_id=number, _anchor="door-answer")


def _answer_words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return str({"yes": _("Sì"), "no": _("No")}.get(value, value or ""))


@blueprint.get("/biglietto/<key>/calendario.ics")
@public
def calendar(key: str) -> Response:
    """The meeting for one's own calendar, with the code for the door."""
    ticket = _ticket(key)
    place = cards.local_name(ticket.event.place)
    address = lab().settings.base_url + url_for("events.show", code=ticket.event.code)
    waits = ticket.standing.state is RegistrationState.WAITING
    note = _("Il codice per l'ingresso è %(code)s.", code=ticket.registration.code)
    if waits:
        note = " ".join([_("Sei in lista d'attesa: vieni se ti diciamo che c'è posto."), note])
    file = event_calendar.calendar_file(
        [event_calendar.Entry(ticket.event, address, place, note, is_tentative=waits)],
        timezone=lab().settings.timezone,
        base_url=lab().settings.base_url,
        now=context().now,
    )
    answer = Response(file, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="incontro.ics"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


# --- changing it


def _form(ticket: Ticket) -> Any:
    form = forms.with_questions(forms.PartyFields, ticket.questions)()
    sign_up = ticket.sign_up
    groups = sign_up_settings.groups(context(), ticket.event.id) if sign_up.has_groups else []
    forms.offer(
        form,
        most=max(sign_up.party_most, ticket.registration.party_size),
        groups=[(group.id, group.name) for group in groups],
        asks=dict.fromkeys([*sign_up.asks, *ticket.registration.needs]),
    )
    return form


def _change_page(key: str, ticket: Ticket, form: Any, status: int = 200, problem: str = "") -> Response:
    questions = [form[f"{forms.PREFIX}{one.id}"] for one in ticket.questions]
    has_groups = len(form.group.choices) > 1
    return _draw(
        "change", key, ticket, status, form=form, questions=questions, has_groups=has_groups, problem=problem
    )


@blueprint.get("/biglietto/<key>/cambia")
@public
def change(key: str) -> AnyResponse:
    """The form as it was filled in."""
    ticket = _ticket(key)
    if not ticket.can_change:
        return redirect(url_for("tickets.show", key=key), 303)
    form = _form(ticket)
    forms.fill_from(form, ticket.registration)
    return _change_page(key, ticket, form)


@blueprint.post("/biglietto/<key>/cambia")
@public
def save(key: str) -> AnyResponse:
    """Write the change down, if it fits."""
    ticket = _ticket(key)
    form = _form(ticket)
    if not ticket.can_change:
        return _change_page(key, ticket, form, 409, _why_not(ticket))
    if not form.validate():
        return _change_page(key, ticket, form, 422)
    _spend(limits.CHANGE_PER_TICKET, str(ticket.registration.id))
    try:
        with transaction() as ctx:
            sign_up_changes.change(ctx, _command(ticket, form))
    except Invalid as error:
        refuse(form, Invalid(forms.place_error(error.field), error.code))
        return _change_page(key, _ticket(key), form, 422)
    except Conflict as error:
        return _change_page(key, _ticket(key), form, 409, error.code)
    return redirect(url_for("tickets.show", key=key), 303)


def _why_not(ticket: Ticket) -> str:
    """What happened while somebody was changing it."""
    if ticket.event.state is EventState.CANCELLED:
        return "event_cancelled"
    if ticket.standing.is_doubled:
        return "merged_by_host"
    return "sign_up_closed" if ticket.is_over else "already_cancelled"


def _command(ticket: Ticket, form: Any) -> Change:
    return Change(ticket.registration.id, version_of(request.form.get("version")), **form.said())


@blueprint.get("/biglietto/<key>/lascia")
@public
def leave(key: str) -> AnyResponse:
    """One question before the place goes to somebody else. Mails lead here: a look changes nothing."""
    ticket = _ticket(key)
    if not ticket.can_change:
        return redirect(url_for("tickets.show", key=key), 303)
    return _draw("leave", key, ticket, form=LabForm())


@blueprint.post("/biglietto/<key>/lascia")
@public
def give_back(key: str) -> AnyResponse:
    """Give the place back; it goes to whoever waits in the same moment."""
    ticket = _ticket(key)
    if ticket.can_change:
        one = ticket.registration
        # Beside somebody's own sign-up others are made and given back without using up theirs.
        contact = one.email_key if one.state in registrations.STANDING else None
        _spend(limits.GIVE_BACK_PER_CONTACT, contact or f"ticket {one.id}")
        with transaction() as ctx:
            registrations.cancel(ctx, ticket.registration.id)
    return redirect(url_for("tickets.show", key=key), 303)


def _spend(limit: Limit, key: str) -> None:
    # Mails go to whatever address was typed: neither one mailbox nor many are to be flooded from here.
    with transaction() as ctx:
        limits.spend(ctx, limit, key)
        limits.spend(ctx, limits.SIGN_UP_PER_ADDRESS, entrance.address())


# --- with an account


@blueprint.post("/biglietto/<key>/mio")
@allow(Permission.ACCOUNT_SELF)
def claim(key: str) -> AnyResponse:
    """Keep it among my things."""
    ticket = _ticket(key)
    try:
        with transaction() as ctx:
            sign_up_changes.claim(ctx, ticket.registration.id)
    except Conflict as error:
        flash(str(error_words(error.code)), "error")
    else:
        flash(_("Ora la trovi anche tra le tue cose."), "success")
    return redirect(url_for("tickets.show", key=key), 303)


@blueprint.get("/io/iscrizioni")
@allow(Permission.ACCOUNT_SELF)
def mine() -> AnyResponse:
    """The meetings I signed up for."""
    ctx = context()
    found: list[dict[str, Any]] = [
        {
            "url": url_for("tickets.show", key=tickets.key_for(lab().signer, one)),
            "event": one.event,
            "place": cards.local_name(one.event.place),
            "state": tickets.state_shown(ctx, one),
            "party": one.party_size,
        }
        for one in tickets.mine(ctx)
    ]
    coming = [one for one in found if one["event"].starts_at >= ctx.now]
    past = [one for one in reversed(found) if one["event"].starts_at < ctx.now]
    return _private(draw_mine("sign_ups", coming=coming, past=past))
