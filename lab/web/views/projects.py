"""Formal projects, read."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from lab.services import projects
from lab.web import programme_cards as cards
from lab.web.access import cached
from lab.web.app_state import context
from lab.web.change_words import change_words
from lab.web.forms.base import LabForm
from lab.web.labels import label
from lab.web.reader import reader

blueprint = Blueprint("projects", __name__)

#: How many actions the trace draws; the section above it has them all.
_STEPS = 3


@blueprint.get("/progetti")
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
    found = projects.page(context(), code)
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
        nodes=_walk(found),
        form=LabForm() if reader() else None,
        breadcrumb=[(_("Progetti"), url_for("projects.index")), (project.title, None)],
    )


def _walk(found: projects.ProjectPage) -> list[dict[str, Any]]:
    """From the voices to the office, as the drawn trace takes it."""
    project = found.project
    count = project.contributions_count
    spoken = ngettext("%(num)d voce su questo progetto", "%(num)d voci su questo progetto", count)
    walk: list[dict[str, Any]] = []
    if count:
        voices_url = url_for("proposals.index", progetto=project.code)
        walk.append({"kind": "word", "label": spoken, "url": voices_url})
    walk += [
        {
            "kind": "action",
            "label": action.title,
            "title": str(label(action.state)),
            "url": url_for("actions.show", code=action.code),
        }
        for action in found.actions[:_STEPS]
    ]
    walk.append({"kind": "project", "label": project.title, "title": str(label(project.state))})
    office_url = url_for("programme.office", code=project.office.code)
    walk.append({"kind": "office", "label": project.office.name, "url": office_url})
    return walk
