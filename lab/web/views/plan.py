"""The schematic plan of the neighbourhood and its places."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _

from lab.services import plan
from lab.web import programme_cards as cards
from lab.web.access import cached
from lab.web.app_state import context
from lab.web.fragments import same_for_readers

blueprint = Blueprint("plan", __name__)


@blueprint.get("/pianta")
@same_for_readers
@cached
def index() -> str:
    """The drawn plan with its places, and the same as a list."""
    found = plan.places(context())
    return render_template(
        "pages/plan/index.html",
        places=[
            {
                "code": work.place.code,
                "name": cards.local_name(work.place),
                "x": work.place.x,
                "y": work.place.y,
                "url": url_for("plan.show", code=work.place.code),
                "projects": work.projects,
            }
            for work in found
        ],
        breadcrumb=[(_("La pianta"), None)],
    )


@blueprint.get("/pianta/<code>")
@same_for_readers
@cached
def show(code: str) -> str:
    """What is at one place."""
    found = plan.page(context(), code)
    name = cards.local_name(found.place)
    return render_template(
        "pages/plan/show.html",
        place=found.place,
        name=name,
        projects=found.projects,
        voices=[cards.voice_card(voice) for voice in found.voices],
        actions=[cards.action_card(action) for action in found.actions],
        events=[cards.event_card(event) for event in found.events],
        breadcrumb=[(_("La pianta"), url_for("plan.index")), (name, None)],
    )
