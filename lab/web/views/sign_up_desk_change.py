"""A sign-up changed by who runs the meeting: they are three now, here is the address. The queue stays."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from lab.kernel.errors import Conflict, Invalid
from lab.models.events import Event
from lab.models.registrations import Registration
from lab.policy.permissions import Permission
from lab.services import sign_up_desk, sign_up_settings
from lab.services.sign_up_answers import PARTY_MOST
from lab.services.sign_up_changes import Change
from lab.web.access import allow
from lab.web.app_state import context, transaction
from lab.web.forms import sign_up as forms
from lab.web.forms.base import refuse
from lab.web.forms.sign_up_desk import ChangedForm
from lab.web.numbers import version_of
from lab.web.views.sign_up_desk import blueprint, draw, held


def _row(event: Event, registration_id: int) -> Registration:
    return sign_up_desk.one(context(), event, registration_id)


def _form(event: Event, row: Registration) -> Any:
    ctx = context()
    form = forms.with_questions(ChangedForm, sign_up_settings.questions(ctx, event.id))()
    books = sign_up_desk.books_of(ctx, event.id)
    groups = [(group.id, group.name) for group in sign_up_settings.groups(ctx, event.id)]
    asks = dict.fromkeys([*(books.asks if books else ()), *row.needs])
    forms.offer(form, most=max(PARTY_MOST, row.party_size), groups=groups, asks=asks)
    return form


def _page(event: Event, row: Registration, form: Any, status: int = 200, problem: str = "") -> Response:
    return draw(
        "change",
        event,
        status,
        r=row,
        form=form,
        questions=[field for field in form if field.name.startswith(forms.PREFIX)],
        has_groups=len(form.group.choices) > 1,
        problem=problem,
        crumb=row.name or row.code,
    )


@blueprint.get("/iscritti/<int:registration_id>/cambia")
@allow(Permission.EVENT_RUN)
def change(code: str, registration_id: int) -> Response:
    """The sign-up as it stands, to be put right for somebody who rings up."""
    event = held(code, "person")
    row = _row(event, registration_id)
    form = _form(event, row)
    forms.fill_from(form, row)
    return _page(event, row, form)


@blueprint.post("/iscritti/<int:registration_id>/cambia")
@allow(Permission.EVENT_RUN)
def save_change(code: str, registration_id: int) -> AnyResponse:
    """Write the change down, if it fits."""
    event = held(code)
    row = _row(event, registration_id)
    form = _form(event, row)
    if not form.validate():
        return _page(event, row, form, 422)
    try:
        with transaction() as ctx:
            sign_up_desk.change(ctx, event.id, _command(row.id, form))
    except Invalid as error:
        refuse(form, Invalid(forms.place_error(error.field), error.code))
        return _page(held(code), _row(event, registration_id), form, 422)
    except Conflict as error:
        return _page(held(code), _row(event, registration_id), form, 409, error.code)
    flash(_("Salvato."), "success")
    return redirect(url_for("sign_up_desk.one", code=code, registration_id=registration_id), 303)


def _command(registration_id: int, form: Any) -> Change:
    return Change(registration_id, version_of(request.form.get("version")), **form.said())
