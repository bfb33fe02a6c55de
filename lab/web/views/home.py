"""The first page."""

from __future__ import annotations

from flask import Blueprint, render_template

from lab.services import home, outcomes
from lab.web import programme_cards as cards
from lab.web.access import cached
from lab.web.app_state import context
from lab.web.fragments import same_for_readers
from lab.web.labels import state_tone
from lab.web.views.outcomes import told_card

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@same_for_readers
@cached
def index() -> str:
    """What is on, have your say, what has changed because people spoke, where the door is."""
    ctx = context()
    front = home.front(ctx)
    return render_template(
        "pages/home/index.html",
        events=[cards.event_card(event) for event in front.events],
        projects=[cards.project_card(project) for project in front.projects],
        pins=[{"x": pin.x, "y": pin.y, "tone": state_tone(pin.state)} for pin in front.pins],
        promise=front.kept,
        outcomes=[told_card(one) for one in outcomes.latest(ctx, home.OUTCOMES)],
    )
