"""The desk of projects: offices move their own on, everybody else on the staff reads how they stand."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.projects import Project
from lab.policy.permissions import Permission
from lab.services import project_desk
from lab.services import project_editing as editing
from lab.web import programme_cards as cards
from lab.web.access import allow
from lab.web.app_state import context, transaction
from lab.web.change_words import change_words, part_words
from lab.web.forms.base import refuse
from lab.web.forms.projects import EditForm, RemoveForm
from lab.web.numbers import version_of
from lab.web.views.project_sections import SECTIONS, Section

blueprint = Blueprint("project_desk", __name__, url_prefix="/regia/progetti")

Page = tuple[str, int]


@blueprint.get("")
@allow(Permission.DESK_SEE)
def index() -> str:
    """All projects, one's own first."""
    found = project_desk.lines(context())
    return render_template(
        "pages/project_desk/index.html",
        mine=[line for line in found if line.is_mine],
        ours=[line for line in found if line.is_ours and not line.is_mine],
        others=[line for line in found if not (line.is_mine or line.is_ours)],
        standing=cards.standing_words,
        breadcrumb=[(_("Progetti"), None)],
    )


@blueprint.get("/<code>")
@allow(Permission.PROJECT_EDIT)
def edit(code: str) -> str:
    """One project with everything its office can change."""
    found = project_desk.dossier(context(), code)
    return render_template(
        "pages/project_desk/edit.html",
        found=found,
        project=found.project,
        place_name=cards.local_name(found.project.place),
        sentence=cards.standing_words(found.project),
        today=cards.today(),
        breadcrumb=[*_crumbs(found.project)[:-1], (found.project.code, None)],
    )


@blueprint.get("/<code>/<section>")
@blueprint.get("/<code>/<section>/<int:part>")
@allow(Permission.PROJECT_EDIT)
def change(code: str, section: str, part: int | None = None) -> str:
    """The form for one part."""
    ctx = context()
    known, project = _known(section, part), project_desk.own(ctx, code)
    form = known.form(data=known.load(ctx, project, part) | {"version": str(project.version)})
    known.offer(ctx, form)
    return _draw(form, known, project, section, part)


@blueprint.post("/<code>/<section>")
@blueprint.post("/<code>/<section>/<int:part>")
@allow(Permission.PROJECT_EDIT)
def save(code: str, section: str, part: int | None = None) -> Response | Page:
    """Send what was typed; whatever fails, it is still there."""
    ctx = context()
    known, project = _known(section, part), project_desk.own(ctx, code)
    form = known.form()
    known.offer(ctx, form)
    status, seen = 422, None
    if form.validate_on_submit():
        try:
            with transaction() as writing:
                known.send(writing, form, form.edit(project.id), part)
        except Invalid as error:
            refuse(form, error)
        except Conflict as error:
            seen, status = version_of(form.version.data), refuse(form, error)
            project = _seen_now(form, code)
        else:
            return _done(code)
    return _draw(form, known, project, section, part, seen), status


@blueprint.get("/<code>/<section>/<int:part>/togli")
@allow(Permission.PROJECT_EDIT)
def ask_removal(code: str, section: str, part: int) -> str:
    """What goes, and why."""
    ctx = context()
    known, project = _removable(section), project_desk.own(ctx, code)
    form = RemoveForm(data={"version": str(project.version)})
    return _draw_removal(form, known, project, section, part)


@blueprint.post("/<code>/<section>/<int:part>/togli")
@allow(Permission.PROJECT_EDIT)
def remove(code: str, section: str, part: int) -> Response | Page:
    """Take a part out."""
    known, project = _removable(section), project_desk.own(context(), code)
    form, status = RemoveForm(), 422
    if form.validate_on_submit():
        try:
            with transaction() as writing:
                assert known.remove is not None
                known.remove(writing, editing.Remove(form.edit(project.id), part))
        except Invalid as error:
            refuse(form, error)
        except Conflict as error:
            status, project = refuse(form, error), _seen_now(form, code)
        else:
            return _done(code)
    return _draw_removal(form, known, project, section, part), status


def _known(section: str, part: int | None) -> Section:
    known = SECTIONS.get(section)
    if known is None or (part is not None and known.model is None):
        raise NotFound("section")
    return known


def _removable(section: str) -> Section:
    known = SECTIONS.get(section)
    if known is None or known.remove is None:
        raise NotFound("section")
    return known


def _seen_now(form: EditForm, code: str) -> Project:
    """The project as it is now: sending again means having seen it."""
    project = project_desk.own(context(), code)
    form.version.data = str(project.version)
    return project


def _done(code: str) -> Response:
    flash(_("Fatto. Lo leggono tutti, e chi segue il progetto riceve un avviso."), "success")
    return redirect(url_for("project_desk.edit", code=code), 303)


def _draw(
    form: EditForm, known: Section, project: Project, section: str, part: int | None, seen: int | None = None
) -> str:
    """`seen`: the version whose page was sent, where colleagues have changed the project since."""
    return render_template(
        "pages/project_desk/change.html",
        edit_form=form,
        meanwhile=project_desk.changes_since(context(), project, seen),
        change_words=change_words,
        project=project,
        section=section,
        part=part,
        section_title=known.title,
        standing=cards.standing_words(project),
        can_remove=part is not None and known.remove is not None,
        breadcrumb=[*_crumbs(project), (known.title, None)],
    )


def _draw_removal(form: EditForm, known: Section, project: Project, section: str, part: int) -> str:
    row = project_desk.part(context(), known.model, project, part)
    return render_template(
        "pages/project_desk/remove.html",
        edit_form=form,
        project=project,
        what=part_words(row),
        section=section,
        part=part,
        breadcrumb=[*_crumbs(project), (known.title, None)],
    )


def _crumbs(project: Project) -> list[tuple[Any, str | None]]:
    return [
        (_("Progetti"), url_for("project_desk.index")),
        (project.code, url_for("project_desk.edit", code=project.code)),
    ]
