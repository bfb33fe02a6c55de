"""One record that a person must look at: correct and take it, try it again, or leave it out."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid
from lab.models.events import Event
from lab.models.kiosk import TrayItem
from lab.policy.permissions import Permission
from lab.services import hosting, kiosk_people, kiosk_tray
from lab.services.kiosk_tray import Take
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.forms.base import LabForm, refuse
from lab.web.forms.kiosk import DropForm, TakeForm, as_typed
from lab.web.kiosk_words import FIELD_WORDS, value_words
from lab.web.labels import error_words
from lab.web.views.kiosk_desk import Shown, blueprint, common

_ITEM = "/<code>/totem/vassoio/<int:item_id>"


@blueprint.get(_ITEM)
@allow(Permission.EVENT_RUN)
def item(code: str, item_id: int) -> str:
    """The record with its content; that somebody looked is written down."""
    with transaction() as ctx:
        event, found = kiosk_tray.look(ctx, code, item_id)
    return _draw(event, found)


@blueprint.post(_ITEM)
@allow(Permission.EVENT_RUN)
def take(code: str, item_id: int) -> Shown:
    """Take it in, as corrected."""
    found = _found(code, item_id)
    form, status = TakeForm(), 422
    form.keep(_fields(found))
    if form.validate_on_submit():
        try:
            with transaction() as ctx:
                kiosk_tray.take(ctx, Take(item_id, form.said(), _reason(form)), lab().signer)
        except (Invalid, Conflict) as error:
            status = refuse(form, error)
        else:
            return _done(code, _("Preso."))
    event, _grant = hosting.by_code(context(), code)
    return _draw(event, _found(code, item_id), take_form=form), status


@blueprint.post(f"{_ITEM}/lascia")
@allow(Permission.EVENT_RUN)
def drop(code: str, item_id: int) -> Shown:
    """Leave it out, with a reason."""
    _found(code, item_id)
    form, status = DropForm(), 422
    if form.validate_on_submit():
        try:
            with transaction() as ctx:
                kiosk_tray.drop(ctx, item_id, form.reason.data)
        except (Invalid, Conflict) as error:
            status = refuse(form, error)
        else:
            return _done(code, _("Lasciato fuori."))
    event, _grant = hosting.by_code(context(), code)
    return _draw(event, _found(code, item_id), drop_form=form), status


@blueprint.post(f"{_ITEM}/riprova")
@allow(Permission.EVENT_RUN)
def try_again(code: str, item_id: int) -> Shown:
    """Read once more what could not be read."""
    _found(code, item_id)
    try:
        with transaction() as ctx:
            kiosk_tray.try_again(ctx, item_id, lab().signer)
    except (Invalid, Conflict) as error:
        flash(str(error_words(error.code)), "warning")
        return redirect(url_for("kiosk_desk.item", code=code, item_id=item_id), 303)
    return _done(code, _("Preso."))


def _found(code: str, item_id: int) -> TrayItem:
    return kiosk_tray.of_host(context(), code, item_id)[1]


def _fields(found: TrayItem) -> tuple[str, ...]:
    if found.reason == kiosk_people.PROMISED:
        return ("override",)
    people = ("override",) if found.kind in ("sign_up", "walk_in", "check_in") else ()
    return (*kiosk_tray.FIELDS.get(found.kind, ()), *people)


def _done(code: str, words: str) -> Response:
    flash(words, "success")
    return redirect(url_for("kiosk_desk.index", code=code), 303)


def _draw(
    event: Event, found: TrayItem, take_form: TakeForm | None = None, drop_form: DropForm | None = None
) -> str:
    said = found.payload.get("said") or {}
    if take_form is None:
        take_form = TakeForm(formdata=None, data=as_typed(said))
        take_form.keep(_fields(found))
    return render_template(
        "pages/kiosk_desk/item.html",
        item=found,
        is_closed=found.reason in kiosk_tray.CLOSED,
        is_promise=found.reason == kiosk_people.PROMISED,
        facts=_facts(found, said),
        other=found.payload.get("envelope", {}).get("event", "") if found.reason == "other_event" else "",
        take_form=take_form,
        drop_form=drop_form or DropForm(formdata=None),
        again_form=LabForm(formdata=None),
        **common(event, (_("Da guardare"), None)),
    )


def _reason(form: TakeForm) -> str:
    return (form.override.data or "") if "override" in form else ""


def _facts(found: TrayItem, said: dict[str, Any]) -> list[tuple[str, str]]:
    """What was said, without what stands in a field below."""
    in_fields = _fields(found) if found.settled_at is None else ()
    return [
        (str(FIELD_WORDS[name]), value_words(said[name]))
        for name in FIELD_WORDS
        if said.get(name) and name not in in_fields
    ]
