"""How one signs up for a meeting: its page at the desk, for who runs it."""

from __future__ import annotations

from flask import Response, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from lab.kernel.errors import Conflict, Invalid
from lab.models.events import Event
from lab.policy.permissions import Permission
from lab.services import sign_up_settings
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.forms.base import refuse
from lab.web.forms.sign_up_desk import RulesForm, rules_data
from lab.web.labels import error_words
from lab.web.views.sign_up_desk import blueprint, draw, held


def _page(event: Event, form: RulesForm, status: int = 200, problem: str = "") -> Response:
    found = sign_up_settings.rules(context(), event.id)
    if status == 409 and found is not None:
        form.beside(rules_data(found, lab().settings.timezone))
    return draw(
        "settings",
        event,
        status,
        form=form.with_blanks(),
        books=found.sign_up if found else None,
        problem=problem,
        crumb=_("Come ci si iscrive"),
    )


@blueprint.get("/iscrizioni")
@allow(Permission.EVENT_RUN)
def settings(code: str) -> Response:
    """Places, times, what is asked, for how long names are kept."""
    event = held(code)
    found = sign_up_settings.rules(context(), event.id)
    if found is None:
        # The version of rules that nobody has changed yet.
        data = {"version": "1", "party_most": 4, "keep_days": 30, "remind_days": 1, "capacity": event.seats}
    else:
        data = rules_data(found, lab().settings.timezone)
    return _page(event, RulesForm(data=data))


@blueprint.post("/iscrizioni")
@allow(Permission.EVENT_RUN)
def save_settings(code: str) -> AnyResponse:
    """Keep them; more places go at once to whoever waits."""
    event, form = held(code), RulesForm()
    if not form.validate():
        return _page(event, form, 422)
    try:
        wanted = form.settings(event.id, lab().settings.timezone)
    except ValueError:
        refuse(form, Invalid("opens_hour", "no_such_hour"))
        return _page(event, form, 422)
    try:
        with transaction() as ctx:
            sign_up_settings.save(ctx, wanted)
    except Invalid as error:
        if error.field in ("groups", "questions"):
            return _page(held(code), form, 422, error.code)
        if "." in error.field:
            form.blame_row(error.field, str(error_words(error.code)))
            return _page(held(code), form, 422)
        where = {"opens_at": "opens_day", "closes_at": "closes_day"}.get(error.field, error.field)
        refuse(form, Invalid(where, error.code))
        return _page(held(code), form, 422)
    except Conflict as error:
        return _page(held(code), form, 409, error.code)
    flash(_("Salvato."), "success")
    return redirect(url_for("sign_up_desk.settings", code=code), 303)
