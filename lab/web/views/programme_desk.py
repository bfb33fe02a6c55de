"""The desk of the programme: the coordinator keeps its words, phases, bodies, offices and leading offices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from lab.db.base import Base
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.programme import Body, BodyKind, Office, Phase
from lab.models.projects import Project
from lab.policy.permissions import Permission
from lab.services import programme, project_desk, seen
from lab.services import programme_editing as editing
from lab.services.context import Context
from lab.web.access import allow
from lab.web.app_state import context, transaction
from lab.web.forms import programme as forms
from lab.web.forms.base import refuse
from lab.web.numbers import version_of

blueprint = Blueprint("programme_desk", __name__, url_prefix="/regia/programma")

Page = tuple[str, int]


@dataclass(frozen=True)
class Section:
    """One form of the programme: its row, what it shows at first, its choices and its service."""

    title: Any
    form: type[FlaskForm]
    find: Callable[[Context, int | None], Base | None]
    load: Callable[[Any], dict[str, Any]]
    send: Callable[[Context, Any, int | None], Base]
    offer: Callable[[Context, Any], None] = lambda _ctx, _form: None
    #: Whether there is one of it only, without a number in its address.
    single: bool = False


def _row(model: type[Any]) -> Callable[[Context, int | None], Base | None]:
    return lambda ctx, key: editing.row(ctx, model, key)


def _fields(*names: str) -> Callable[[Any], dict[str, Any]]:
    return lambda row: {name: getattr(row, name) for name in names}


def _load_programme(row: Any) -> dict[str, Any]:
    offices = {
        "political_office": str(row.political_office_id or ""),
        "technical_office": str(row.technical_office_id or ""),
    }
    return _fields("title", "summary", "starts_on", "ends_on")(row) | offices


def _send_programme(ctx: Context, form: forms.ProgrammeForm, key: int | None) -> Base:
    command = editing.ChangeProgramme(
        title=form.title.data or "",
        summary=form.summary.data or "",
        political_office_id=int(form.political_office.data) if form.political_office.data else None,
        technical_office_id=int(form.technical_office.data) if form.technical_office.data else None,
        starts_on=form.starts_on.data,
        ends_on=form.ends_on.data,
        seen=form.seen.data or "",
    )
    return editing.change_programme(ctx, command)


def _offer_leads(ctx: Context, form: forms.ProgrammeForm) -> None:
    offices = [(str(work.office.id), work.office.name) for work in programme.offices(ctx)]
    form.political_office.choices = [("", _("Nessuno, per ora")), *offices]
    form.technical_office.choices = [("", _("Nessuno, per ora")), *offices]


def _send_phase(ctx: Context, form: forms.PhaseForm, key: int | None) -> Base:
    command = editing.SavePhase(
        phase_id=key,
        title=form.title.data or "",
        text=form.text.data or "",
        starts_on=form.starts_on.data,
        ends_on=form.ends_on.data,
        seen=form.seen.data or "",
    )
    return editing.save_phase(ctx, command)


def _send_body(ctx: Context, form: forms.BodyForm, key: int | None) -> Base:
    command = editing.SaveBody(
        body_id=key,
        name=form.name.data or "",
        kind=BodyKind(form.kind.data),
        is_signatory=bool(form.is_signatory.data),
        note=form.note.data or "",
        seen=form.seen.data or "",
    )
    return editing.save_body(ctx, command)


def _load_office(row: Any) -> dict[str, Any]:
    return _fields("name", "task", "email")(row) | {"body": row.body_id, "is_closed": bool(row.closed_on)}


def _send_office(ctx: Context, form: forms.OfficeForm, key: int | None) -> Base:
    command = editing.SaveOffice(
        office_id=key,
        body_id=form.body.data,
        name=form.name.data or "",
        task=form.task.data or "",
        email=form.email.data or "",
        is_closed=bool(form.is_closed.data),
        seen=form.seen.data or "",
    )
    return editing.save_office(ctx, command)


def _offer_bodies(ctx: Context, form: forms.OfficeForm) -> None:
    form.body.choices = [(body.id, body.name) for body in project_desk.all_bodies(ctx)]


def _offer_offices(ctx: Context, form: Any) -> None:
    form.office.choices = [(work.office.id, work.office.name) for work in programme.offices(ctx)]


def _send_project(ctx: Context, form: Any, key: int | None) -> Base:
    if key is None:
        command = editing.AddProject(form.title.data or "", form.axis.data or "", form.office.data)
        return editing.add_project(ctx, command)
    over = editing.HandOver(key, version_of(form.version.data), form.office.data, form.why.data or "")
    return editing.hand_over(ctx, over)


SECTIONS: dict[str, Section] = {
    "programma": Section(
        _l("Il programma"), forms.ProgrammeForm, lambda ctx, key: programme.the_programme(ctx),
        _load_programme, _send_programme, _offer_leads, single=True,
    ),
    "fase": Section(
        _l("Una fase"), forms.PhaseForm, _row(Phase),
        _fields("title", "text", "starts_on", "ends_on"), _send_phase,
    ),
    "soggetto": Section(
        _l("Un soggetto"), forms.BodyForm, _row(Body),
        _fields("name", "kind", "is_signatory", "note"), _send_body,
    ),
    "ufficio": Section(
        _l("Un ufficio"), forms.OfficeForm, _row(Office), _load_office, _send_office, _offer_bodies
    ),
    "progetto": Section(
        _l("Un progetto"), forms.ProjectForm, _row(Project),
        lambda row: {"office": row.office_id, "version": str(row.version)}, _send_project, _offer_offices,
    ),
}  # fmt: skip


@blueprint.get("")
@allow(Permission.PROGRAMME_EDIT)
def index() -> str:
    """The programme with everything that can be changed."""
    ctx = context()
    return render_template(
        "pages/programme/desk.html",
        found=programme.overview(ctx),
        closed=programme.closed_offices(ctx),
        lines=project_desk.lines(ctx),
        breadcrumb=[(_("Progetti"), url_for("project_desk.index")), (_("Il programma"), None)],
    )


@blueprint.get("/<section>")
@blueprint.get("/<section>/<int:key>")
@allow(Permission.PROGRAMME_EDIT)
def change(section: str, key: int | None = None) -> str:
    """The form for one part."""
    ctx = context()
    known = _known(section, key)
    row = known.find(ctx, key)
    data = (known.load(row) if row is not None else {}) | {"seen": seen.fingerprint(row)}
    form = _form_of(known, key)(data=data)
    known.offer(ctx, form)
    return _draw(form, known, section, key)


@blueprint.post("/<section>")
@blueprint.post("/<section>/<int:key>")
@allow(Permission.PROGRAMME_EDIT)
def save(section: str, key: int | None = None) -> Response | Page:
    """Send what was typed; whatever fails, it is still there."""
    ctx = context()
    known = _known(section, key)
    known.find(ctx, key)
    form = _form_of(known, key)()
    known.offer(ctx, form)
    status = 422
    if form.validate_on_submit():
        try:
            with transaction() as writing:
                known.send(writing, form, key)
        except Invalid as error:
            refuse(form, error)
        except Conflict as error:
            status = refuse(form, error)
            _seen_now(form, known, key)
        else:
            flash(_("Fatto. Lo leggono tutti da adesso."), "success")
            return redirect(url_for("programme_desk.index"), 303)
    return _draw(form, known, section, key), status


def _known(section: str, key: int | None) -> Section:
    known = SECTIONS.get(section)
    if known is None or (known.single and key is not None):
        raise NotFound("section")
    return known


def _form_of(known: Section, key: int | None) -> type[FlaskForm]:
    # A project once added belongs to its office: only who leads it is decided here.
    return forms.HandOverForm if known.form is forms.ProjectForm and key is not None else known.form


def _seen_now(form: Any, known: Section, key: int | None) -> None:
    """It changed meanwhile: sending again means having been told."""
    row = known.find(context(), key)
    if "seen" in form:
        form.seen.data = seen.fingerprint(row)
    if "version" in form and isinstance(row, Project):
        form.version.data = str(row.version)


def _draw(form: Any, known: Section, section: str, key: int | None) -> str:
    crumbs = [
        (_("Progetti"), url_for("project_desk.index")),
        (_("Il programma"), url_for("programme_desk.index")),
    ]
    row = known.find(context(), key)
    # Handing over asks for an office only: the page says of which project.
    title = f"{row.code} · {row.title}" if isinstance(row, Project) else known.title
    return render_template(
        "pages/programme/change.html",
        edit_form=form,
        section=section,
        key=key,
        section_title=title,
        breadcrumb=[*crumbs, (title, None)],
    )
