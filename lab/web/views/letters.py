"""Letters for people without e-mail: print, print again, hand over."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from lab.kernel.ids import format_receipt_code
from lab.policy.permissions import Permission
from lab.services import letters
from lab.services.letters import Part, Sheet
from lab.web import filo
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.forms.base import LabForm
from lab.web.said import said

blueprint = Blueprint("letters", __name__)


@dataclass(frozen=True)
class Drawn:
    """One item of a letter with its thread drawn."""

    part: Part
    stops: list[filo.Stop]
    here: str
    written_code: str


@blueprint.get("/regia/lettere")
@allow(Permission.LETTER_PRINT)
def index() -> str:
    """Who should get a letter, and the letters that lie printed."""
    ctx = context()
    return render_template(
        "pages/letters/index.html",
        waiting=letters.waiting(ctx),
        printed=letters.printed(ctx),
        most=letters.MOST,
        form=LabForm(),
    )


@blueprint.post("/regia/lettere")
@allow(Permission.LETTER_PRINT)
def make() -> Response:
    """Make the letters and show them ready for the printer."""
    person_id = request.form.get("persona", type=int)
    with transaction() as ctx:
        ids = letters.print_letters(ctx, person_id)
    if not ids:
        flash(_("Non c'è più niente da stampare."), "info")
        return redirect(url_for("letters.index"), 303)
    return redirect(url_for("letters.sheets", n=ids), 303)


@blueprint.get("/regia/lettere/fogli")
@allow(Permission.LETTER_PRINT)
def sheets() -> str | Response:
    """The sheets, one letter a page; the same address prints them again."""
    ids = [n for n in request.args.getlist("n", type=int) if 0 < n < 2**31]
    found = letters.sheets(context(), ids) if ids else []
    if not found:
        return redirect(url_for("letters.index"), 303)
    return render_template("pages/letters/sheets.html", letters=[_written(sheet) for sheet in found])


def _written(sheet: Sheet) -> Markup:
    enabled = lab().settings.locales
    # A letter speaks its reader's language, whoever prints it.
    with force_locale(sheet.locale if sheet.locale in enabled else enabled[0]):
        letter = render_template(
            "pages/letters/_letter.html",
            sheet=sheet,
            parts=[_drawn(part) for part in sheet.parts],
            said=said,
            address=lab().settings.base_url.partition("://")[2],
        )
    return Markup(letter)  # noqa: S704  # a template's own output, escaped there


def _drawn(part: Part) -> Drawn:
    contribution = part.group.item.contribution
    if contribution is None:
        return Drawn(part, [], "", "")
    stops, here = filo.stops(contribution.state, filo.dates_of(part.steps))
    code = part.group.item.receipt_code
    return Drawn(part, stops, here, format_receipt_code(code) if code else "")


@blueprint.post("/regia/lettere/<int(max=2147483647):letter_id>/consegnata")
@allow(Permission.LETTER_PRINT)
def hand_over(letter_id: int) -> Response:
    """It is in the person's hands."""
    with transaction() as ctx:
        letters.hand_over(ctx, letter_id)
    flash(_("Segnata come consegnata."), "success")
    return redirect(url_for("letters.index"), 303)
