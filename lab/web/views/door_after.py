"""After the meeting: likely doubles, and the count that adds up."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict
from lab.models.events import Event
from lab.models.registrations import Registration
from lab.policy.permissions import Permission
from lab.services import doubles, head_count, hosting
from lab.services.alike_names import Why
from lab.web.access import allow
from lab.web.app_state import context, transaction
from lab.web.event_tabs import event_tabs, event_trail
from lab.web.forms.base import LabForm
from lab.web.labels import error_words
from lab.web.views.door import Page, blueprint, seen

_ACTS = {
    "unisci": doubles.unite,
    "diversi": doubles.keep_apart,
    "riguarda": doubles.look_again,
}


@blueprint.get("/doppi", endpoint="doubles")
@allow(Permission.EVENT_RUN)
def show_doubles(code: str) -> str:
    """Pairs that may be one party, and what was decided."""
    return _doubles(seen(code, "doubles"))


@blueprint.post("/doppi")
@allow(Permission.EVENT_RUN)
def decide(code: str) -> Response | Page:
    """Say of two rows that they are one party, or two."""
    event, _grant = hosting.by_code(context(), code)
    act = request.form.get("scelta", "")
    pair = [n for n in request.form.getlist("riga", type=int) if 0 < n < 2**31]
    if act not in _ACTS or len(pair) != 2:
        return _doubles(seen(code, "doubles")), 400
    try:
        with transaction() as ctx:
            _ACTS[act](ctx, event.id, *pair)
    except Conflict as error:
        return _doubles(seen(code, "doubles"), str(error_words(error.code))), 409
    words = {
        "unisci": _("Unite. Resta il posto di chi era prima."),
        "diversi": _("Restano due. Non te le mostriamo più insieme."),
        "riguarda": _("Le rimettiamo tra quelle da guardare."),
    }
    flash(words[act], "success")
    return redirect(url_for("door.doubles", code=code), 303)


@blueprint.post("/doppi/<int(max=2147483647):merge_id>/separa")
@allow(Permission.EVENT_RUN)
def separate(code: str, merge_id: int) -> Response | Page:
    """Undo a merge."""
    event, _grant = hosting.by_code(context(), code)
    try:
        with transaction() as ctx:
            doubles.separate(ctx, event.id, merge_id)
    except Conflict as error:
        return _doubles(seen(code, "doubles"), str(error_words(error.code))), 409
    flash(_("Separate: ognuna com'era prima."), "success")
    return redirect(url_for("door.doubles", code=code), 303)


@blueprint.get("/conto")
@allow(Permission.EVENT_RUN)
def count(code: str) -> str:
    """Paper + tablets + site + door - merged = total, with the numbers."""
    event, _grant = hosting.by_code(context(), code)
    ctx = context()
    return render_template(
        "pages/door/count.html",
        event=event,
        tabs=event_tabs(event),
        totals=head_count.totals(ctx, event),
        alike=doubles.count(ctx, event),
        breadcrumb=event_trail(
            event, (_("Ingresso"), url_for("door.show", code=event.code)), (_("Il conto"), None)
        ),
    )


def _doubles(event: Event, trouble: str = "") -> str:
    return render_template(
        "pages/door/doubles.html",
        event=event,
        tabs=event_tabs(event),
        found=doubles.look(context(), event),
        why=_why_words,
        line=_line_words,
        trouble=trouble,
        form=LabForm(),
        breadcrumb=event_trail(
            event, (_("Ingresso"), url_for("door.show", code=event.code)), (_("Doppi"), None)
        ),
    )


def _why_words(why: Why) -> str:
    words: dict[Why, str] = {
        Why.SAME_CONTACT: _("stesso contatto"),
        Why.SAME_NAME: _("stesso nome"),
        Why.CLOSE_NAME: _("nomi quasi uguali"),
        Why.PART_OF_NAME: _("un nome sta nell'altro"),
    }
    return words[why]


def _line_words(row: Registration) -> str:
    """Where a row comes from when it is a line of paper."""
    if row.sheet_no is None:
        return ""
    return str(_("foglio %(sheet)s, riga %(line)s", sheet=row.sheet_no, line=row.line_no))
