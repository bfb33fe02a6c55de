"""The programme in plain words: phases, who leads it, bodies and offices."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _

from lab.services import programme
from lab.web import programme_cards as cards
from lab.web.access import cached
from lab.web.app_state import context
from lab.web.fragments import same_for_readers

blueprint = Blueprint("programme", __name__)


def _here(label: str) -> list[tuple[str, str | None]]:
    return [(_("Il Contratto"), url_for("programme.index")), (label, None)]


@blueprint.get("/contratto")
@same_for_readers
@cached
def index() -> str:
    """How the Contratto di Quartiere works and who does what."""
    return render_template(
        "pages/programme/index.html",
        found=programme.overview(context()),
        breadcrumb=[(_("Il Contratto"), None)],
    )


@blueprint.get("/contratto/soggetti")
@same_for_readers
@cached
def bodies() -> str:
    """Everybody who takes part: signatories apart from the others."""
    found = programme.bodies(context())
    return render_template(
        "pages/programme/bodies.html",
        signatories=[body for body in found if body.is_signatory],
        others=[body for body in found if not body.is_signatory],
        breadcrumb=_here(_("I soggetti")),
    )


@blueprint.get("/contratto/soggetti/<code>")
@same_for_readers
@cached
def body(code: str) -> str:
    """One body: what it is, in which projects and actions it is involved."""
    found = programme.body_page(context(), code)
    above = [*_here("")[:1], (_("I soggetti"), url_for("programme.bodies"))]
    return render_template(
        "pages/programme/body.html",
        found=found,
        actions=[cards.action_card(action) for action in found.actions],
        standing=cards.standing_words,
        breadcrumb=[*above, (found.body.name, None)],
    )


@blueprint.get("/contratto/uffici/<code>")
@same_for_readers
@cached
def office(code: str) -> str:
    """One office: what it leads and how it keeps the promise of an answer."""
    found = programme.office_page(context(), code)
    return render_template(
        "pages/programme/office.html",
        found=found,
        actions=[cards.action_card(action) for action in found.actions],
        waiting=[cards.waiting_card(voice, found.office.name) for voice in found.waiting],
        standing=cards.standing_words,
        breadcrumb=_here(found.office.name),
    )
