"""Sheets of paper of a meeting: printing them, typing them in."""

from __future__ import annotations

from dataclasses import replace

from flask import Response, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from lab.kernel.errors import Conflict, Invalid
from lab.models.events import Event
from lab.models.registrations import PaperSheet
from lab.policy.permissions import Permission
from lab.services import hosting, paper
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.event_tabs import event_tabs, event_trail
from lab.web.forms.base import LabForm, refuse
from lab.web.forms.paper import SheetsForm, Typed, as_typed, from_form, in_words
from lab.web.qr import qr_svg
from lab.web.views.door import Page, blueprint, seen

_CHOICE = "scelta"


@blueprint.get("/fogli")
@allow(Permission.EVENT_RUN)
def sheet(code: str) -> str:
    """The sheets that were printed, and printing more."""
    event, _grant = hosting.by_code(context(), code)
    return _sheets(event, SheetsForm(formdata=None))


@blueprint.post("/fogli")
@allow(Permission.EVENT_RUN)
def print_sheets(code: str) -> AnyResponse | Page:
    """Give numbers to new sheets and show them ready for the printer."""
    event, _grant = hosting.by_code(context(), code)
    form = SheetsForm()
    if not form.validate_on_submit():
        return _sheets(event, form), 422
    try:
        with transaction() as ctx:
            made = paper.print_sheets(ctx, event.id, form.how_many.data or 0, form.lines.data)
            numbers = [one.number for one in made]
    except Invalid as error:
        refuse(form, error)
        return _sheets(hosting.by_code(context(), code)[0], form), 422
    return redirect(url_for("door.printed", code=code, n=numbers), 303)


@blueprint.get("/fogli/stampa")
@allow(Permission.EVENT_RUN)
def printed(code: str) -> str | AnyResponse:
    """Sheets for the printer, one a page; the same address prints them again."""
    event, _grant = hosting.by_code(context(), code)
    numbers = [n for n in request.args.getlist("n", type=int) if 0 < n < 10_000][:100]
    found = paper.some_sheets(context(), event, numbers)
    if not found:
        return redirect(url_for("door.sheet", code=code), 303)
    base = lab().settings.base_url
    sheets = [(one, qr_svg(base + url_for("door.grid", code=code, number=one.number))) for one in found]
    return render_template("pages/door/print.html", event=event, sheets=sheets)


@blueprint.get("/fogli/<int(max=9999):number>")
@allow(Permission.EVENT_RUN)
def grid(code: str, number: int) -> str:
    """The lines of one sheet, to be typed in."""
    event = seen(code, "paper")
    found = paper.sheet_of(context(), event.id, number)
    return _grid(event, found, [as_typed(line) for line in paper.lines(context(), found)])


@blueprint.post("/fogli/<int(max=9999):number>")
@allow(Permission.EVENT_RUN)
def save_grid(code: str, number: int) -> AnyResponse | Page:
    """All lines at once: those that are right are saved, the others stay as typed with what is wrong."""
    event, _grant = hosting.by_code(context(), code)
    event_id, lines = event.id, paper.sheet_of(context(), event.id, number).lines
    typed = [_chosen(from_form(request.form, n, f"-{n}")) for n in range(1, lines + 1)]
    kept = [one if one.is_blank else _save(event_id, number, one) for one in typed]
    wrong = [one for one in kept if one.trouble]
    if wrong:
        event = seen(code, "paper")
        page = _grid(event, paper.sheet_of(context(), event.id, number), kept)
        return page, 409 if all(one.differs for one in wrong) else 422
    if "finito" in request.form:
        with transaction() as ctx:
            paper.finish(ctx, event_id, number, is_typed=True)
        flash(_("Foglio %(number)s finito.", number=number), "success")
        return redirect(url_for("door.sheet", code=code), 303)
    flash(_("Foglio %(number)s salvato.", number=number), "success")
    return redirect(url_for("door.grid", code=code, number=number), 303)


@blueprint.post("/fogli/<int(max=9999):number>/<int(max=99):line_no>")
@allow(Permission.EVENT_RUN)
def save_line(code: str, number: int, line_no: int) -> Response | tuple[Response, int]:
    """One line, as one leaves it. Answers with how it stands now."""
    event, _grant = hosting.by_code(context(), code)
    kept = _save(event.id, number, from_form(request.form, line_no))
    answer = jsonify(
        saved=not kept.trouble,
        version=kept.version,
        trouble=kept.trouble,
        field=kept.field,
        merged=bool(kept.line and kept.line.is_merged),
        other=_other(kept),
    )
    return (answer, 409 if kept.differs else 422) if kept.trouble else answer


@blueprint.post("/fogli/<int(max=9999):number>/riapri")
@allow(Permission.EVENT_RUN)
def open_again(code: str, number: int) -> AnyResponse:
    """A sheet that was said to be finished is not."""
    event, _grant = hosting.by_code(context(), code)
    with transaction() as ctx:
        paper.finish(ctx, event.id, number, is_typed=False)
    return redirect(url_for("door.grid", code=code, number=number), 303)


def _save(event_id: int, number: int, typed: Typed) -> Typed:
    try:
        with transaction() as ctx:
            return as_typed(paper.type_line(ctx, typed.command(event_id, number)))
    except (Invalid, Conflict) as error:
        standing = paper.lines(context(), paper.sheet_of(context(), event_id, number))
        return typed.refused(error, standing[typed.number - 1])


def _chosen(typed: Typed) -> Typed:
    """Without script: whose reading of a line shall stand."""
    choice = request.form.get(f"{_CHOICE}-{typed.number}")
    if choice != "altra":
        # Asked and not answered: it is asked again.
        asked = f"altra-name-{typed.number}" in request.form and choice != "mia"
        return replace(typed, version=None) if asked else typed
    fields = {
        name: request.form.get(f"altra-{name}-{typed.number}", "")
        for name in ("name", "contact", "people", "needs", "arrived")
    }
    return from_form({**fields, "version": str(typed.version or "")}, typed.number)


def _other(kept: Typed) -> dict[str, object] | None:
    if not kept.differs or kept.line is None:
        return None
    theirs = as_typed(kept.line)
    return {
        "name": theirs.name,
        "contact": theirs.contact,
        "people": theirs.people,
        "needs": theirs.needs,
        "arrived": theirs.arrived,
        "words": in_words(theirs),
    }


def _sheets(event: Event, form: SheetsForm) -> str:
    return render_template(
        "pages/door/sheets.html",
        event=event,
        tabs=event_tabs(event),
        sheets=paper.sheets(context(), event),
        form=form,
        breadcrumb=event_trail(
            event, (_("Ingresso"), url_for("door.show", code=event.code)), (_("Fogli di carta"), None)
        ),
    )


def _grid(event: Event, found: PaperSheet, typed: list[Typed]) -> str:
    return render_template(
        "pages/door/grid.html",
        event=event,
        tabs=event_tabs(event),
        sheet=found,
        lines=typed,
        as_typed=as_typed,
        in_words=in_words,
        form=LabForm(),
        breadcrumb=event_trail(
            event, (_("Ingresso"), url_for("door.show", code=event.code)), (_("Fogli di carta"), None)
        ),
    )
