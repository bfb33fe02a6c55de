"""Signing up for a meeting: two taps and a name, no account, no script."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from lab.db.constraints import is_violation
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.ids import new_key
from lab.models.registrations import Registration
from lab.services import limits, registrations, sign_up_pages, tickets
from lab.services.context import Context
from lab.services.registrations import Party
from lab.services.sign_up_pages import Door, Sheet, Way
from lab.web import entrance
from lab.web import programme_cards as cards
from lab.web.access import ask_to_sign_in, public
from lab.web.app_state import context, lab, transaction
from lab.web.forms import sign_up as forms
from lab.web.forms.base import refuse
from lab.web.i18n import language

blueprint = Blueprint("sign_up", __name__)


@dataclass(frozen=True)
class _Wish:
    """Who wants to come, in the context and from the address of their own request."""

    ctx: Context
    party: Party
    address: str


def _door(code: str) -> Door:
    return sign_up_pages.door(context(), _known(code))


def _known(code: str) -> str:
    if len(code) > 24:
        raise NotFound("event")
    return code


def _sheet(code: str) -> tuple[Sheet, list[tuple[int, str]]]:
    """What reading a filled form takes, with the groups to choose from."""
    found = lab().database.glance.rows(sign_up_pages.PLAIN, {"code": _known(code)})
    if found:
        return sign_up_pages.plain_sheet(found[0], context().now), []
    door = _door(code)
    return door.sheet, _groups(door)


def _groups(door: Door) -> list[tuple[int, str]]:
    return [(group.id, f"{group.name}{_left(door, group.id)}") for group in door.groups]


def _form(sheet: Sheet, groups: list[tuple[int, str]]) -> Any:
    form = forms.with_questions(forms.SignUpForm, sheet.questions)()
    forms.offer(form, most=sheet.party_most, groups=groups, asks=sheet.asks)
    return form


def _left(door: Door, group_id: int) -> str:
    room = door.room(context(), group_id)
    if room is None:
        return ""
    words = ngettext("resta %(num)d posto", "restano %(num)d posti", room) if room else _("lista d'attesa")
    return f" ({words})"


def ticket_url(registration: Registration) -> str:
    """Where this sign-up's ticket is."""
    return url_for("tickets.show", key=tickets.key_for(lab().signer, registration))


@blueprint.get("/eventi/<code>/iscrizione")
@public
def new(code: str) -> str | Response:
    """The form; whoever is in already sees their ticket."""
    door = _door(code)
    if door.own is not None:
        return redirect(ticket_url(door.own), 303)
    if not door.sheet.is_open:
        return _page(door, None)
    form = _form(door.sheet, _groups(door))
    actor = context().actor
    form.name.data = actor.name
    form.signed.data = "1" if actor.is_signed_in else ""
    form.agreed.data = str(door.sign_up.consent_version) if door.sign_up else ""
    return _page(door, form)


def _page(door: Door, form: Any, problem: str = "") -> str:
    ctx = context()
    return render_template(
        "pages/sign_up/new.html",
        event=door.event,
        sign_up=door.sign_up,
        place_name=cards.local_name(door.event.place),
        form=form,
        way=door.way.value,
        room=door.room(ctx) if door.sheet.is_open else None,
        full=door.way is Way.FULL,
        questions=_answers(door, form) if form else [],
        has_groups=bool(door.groups),
        kept_until=tickets.day_of_forgetting(ctx, door.event, door.sign_up) if door.sign_up else None,
        problem=problem,
        exit_url=url_for("events.show", code=door.event.code),
        canonical_url=None,
    )


def _answers(door: Door, form: Any) -> list[Any]:
    # A question asked since the form was sent has no field in it.
    names = [f"{forms.PREFIX}{one.id}" for one in door.questions]
    return [form[name] for name in names if name in form]


@blueprint.post("/eventi/<code>/iscrizione")
@public
def create(code: str) -> Response | str | tuple[str, int]:
    """One sign-up for one filled form, however often it is sent."""
    # Only when something is wrong a page is drawn.
    sheet, groups = _sheet(code)
    form = _form(sheet, groups)
    if not sheet.is_open:
        # What was sent before it closed, and is sent again, still leads to its ticket.
        return _again(sheet, form) or (_page(_door(code), None), 409)
    if form.signed.data and not context().actor.is_signed_in:
        return ask_to_sign_in()
    if not form.validate():
        return _page(_door(code), form), 422
    party = _party(sheet, form)
    try:
        return redirect(ticket_url(_placed(party)), 303)
    except Conflict as error:
        if error.code == "already_signed_up":
            return redirect(url_for("sign_up.new", code=code), 303)
        return _page(_door(code), form, error.code), 409
    except Invalid as error:
        _count_failure()
        refuse(form, Invalid(forms.place_error(error.field), error.code))
        return _page(_door(code), form), 422


def _again(sheet: Sheet, form: Any) -> Response | None:
    found = registrations.by_client_uuid(context(), form.idempotency_key.data, sheet.event_id)
    return redirect(ticket_url(found), 303) if found else None


def _party(sheet: Sheet, form: Any) -> Party:
    key = form.idempotency_key.data
    return Party(
        sheet.event_id,
        **form.said(),
        consent=bool(form.consent.data),
        locale=language(),
        consent_version=_version(form.agreed.data, sheet.consent_version),
        person_id=context().actor.person_id,
        client_uuid=key if key and len(key) <= 36 else new_key(),
    )


def _version(written: str | None, newest: int) -> int:
    """The version of the words somebody agreed to: what their page carried, never one still to come."""
    seen = int(written) if written and written.isascii() and written.isdecimal() and len(written) < 9 else 0
    return seen if 0 < seen <= newest else newest


def _placed(party: Party) -> Registration:
    ctx = context()
    # What was read before is old by the time others have written, and whoever waits holds no connection.
    ctx.session.close()
    wish = _Wish(ctx, party, entrance.address())
    try:
        return lab().together.do(("sign_up", party.event_id), wish, _place)
    except IntegrityError as error:
        if not is_violation(error, "uq_registration_client_uuid"):
            raise
        # Two clicks at the same moment: the other one was first.
        found = registrations.repeated(context(), party.client_uuid, registrations.payload_hash(party))
        assert found is not None
        return found


def _place(wishes: Sequence[_Wish]) -> list[Registration]:
    with lab().database.writing() as session:
        acts = [(replace(wish.ctx, session=session), wish.party) for wish in wishes]
        placed = registrations.sign_up_all(acts)
        # Counted in the transaction of the act: no commit more. What fails is counted afterwards. Last,
        # since a whole hall shares the row of its address.
        for address, times in sorted(Counter(wish.address for wish in wishes).items()):
            limits.spend(acts[0][0], limits.SIGN_UP_PER_ADDRESS, address, times)
        return placed


def _count_failure() -> None:
    with transaction() as ctx:
        limits.spend(ctx, limits.SIGN_UP_PER_ADDRESS, entrance.address())
