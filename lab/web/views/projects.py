"""Formal projects, read."""

from __future__ import annotations

from itertools import groupby

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _

from lab.services import projects, trace
from lab.web import action_words, item_parts
from lab.web import programme_cards as cards
from lab.web.access import cached
from lab.web.app_state import context
from lab.web.change_words import change_words
from lab.web.fragments import same_for_readers

blueprint = Blueprint("projects", __name__)


@blueprint.get("/progetti")
@same_for_readers
@cached
def index() -> str:
    """All projects by axis, each with where it stands and since when."""
    found = sorted(projects.listing(context()), key=lambda s: (s.project.axis == "", s.project.axis))
    return render_template(
        "pages/projects/index.html",
        axes=[
            (axis, [cards.standing_card(standing) for standing in group])
            for axis, group in groupby(found, key=lambda s: s.project.axis)
        ],
        breadcrumb=[(_("Progetti"), None)],
    )


@blueprint.get("/progetti/<code>")
@cached
def show(code: str) -> str:
    """One project: where it stands, its timeline, what was said about it and what came of it."""
    ctx = context()
    found = projects.page(ctx, code)
    project = found.project
    now = projects.under_way(found.stages, cards.today())
    return render_template(
        "pages/projects/show.html",
        page=found,
        project=project,
        sentence=cards.standing_words(project, now),
        place_name=cards.local_name(project.place),
        today=cards.today(),
        voices=[cards.voice_card(voice) for voice in found.voices],
        actions=[cards.action_card(action) for action in found.actions],
        changes=[(change, change_words(change)) for change in found.changes],
        nodes=action_words.walk(trace.of_project(ctx, project.id)),
        follow=item_parts.follow_button("progetti", project.code, project.id, following=found.followed),
        breadcrumb=[(_("Progetti"), url_for("projects.index")), (project.title, None)],
    )
