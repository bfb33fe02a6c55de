"""Promises at the desk: what an office or a body took on, and how it ended."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid
from lab.models.capture import CommitmentState
from lab.policy.permissions import Permission
from lab.services import commitments
from lab.services.commitments import Mark, Settle
from lab.web.access import allow
from lab.web.app_state import context, transaction
from lab.web.forms.base import refuse
from lab.web.forms.minutes import SettleForm
from lab.web.nav import NavItem
from lab.web.pagination import decode_key, encode_key, page_url

blueprint = Blueprint("commitments", __name__, url_prefix="/regia/impegni")

AFTER = "dopo"


@blueprint.get("")
@allow(Permission.COMMITMENT_UPDATE)
def index() -> str:
    """What is still to do, the oldest day first; or how the rest ended."""
    return _page()


def _page(number: int = 0, again: SettleForm | None = None) -> str:
    ctx = context()
    closed = request.args.get("stato") == "chiusi"
    found = commitments.mine(ctx, closed=closed, after=_mark())
    last = found.items[-1] if found.has_more else None
    key = encode_key(last.due_on.isoformat() if last.due_on else "", last.id) if last else None
    return render_template(
        "pages/commitments/index.html",
        found=found,
        closed=closed,
        tabs=[
            NavItem(_("Da fare"), url_for("commitments.index"), not closed),
            NavItem(_("Chiusi"), url_for("commitments.index", stato="chiusi"), closed),
        ],
        owner=commitments.owner,
        is_late=lambda one: commitments.is_late(ctx, one),
        fresh=lambda one: _form(one.id, one.version, one.state, one.note, number, again),
        first_url=url_for("commitments.index", stato=request.args.get("stato")) if _mark() else None,
        next_url=page_url(**{AFTER: key}) if key else None,
        breadcrumb=[(_("Impegni"), None)],
    )


def _form(
    key: int, version: int, state: CommitmentState, note: str, number: int, again: SettleForm | None
) -> SettleForm:
    form = again if again is not None and key == number else None
    if form is None:
        form = SettleForm(formdata=None, data={"version": version, "state": state.value, "note": note})
    elif form.form_errors:
        form.version.data, form.version.raw_data = version, None
    for one in form:
        one.id = f"impegno-{key}-{one.short_name}"
        one.label.field_id = one.id
    return form


def _mark() -> Mark | None:
    values = decode_key(request.args.get(AFTER), 2)
    if values is None or not isinstance(values[1], int):
        return None
    try:
        return (date.fromisoformat(str(values[0])) if values[0] else None), values[1]
    except ValueError:
        return None


@blueprint.post("/<int:number>")
@allow(Permission.COMMITMENT_UPDATE)
def settle(number: int) -> Response | tuple[str, int]:
    """Say how it ended."""
    form = SettleForm()
    if not form.validate():
        return _page(number, form), 422
    command = Settle(number, form.version.data, CommitmentState(form.state.data), form.note.data or "")
    try:
        with transaction() as ctx:
            commitments.settle(ctx, command)
    except (Invalid, Conflict) as error:
        status = refuse(form, error)
        return _page(number, form), status
    flash(_("Segnato: lo leggono tutti."), "success")
    return redirect(url_for("commitments.index"), 303)
