"""Acts on one meeting at the desk: publish, cancel, again on other days, who runs it, its documents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid
from lab.models.events import Event
from lab.policy.permissions import Permission
from lab.services import event_desk, event_documents, event_editing, event_hosts, event_series
from lab.web import uploads
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.event_tabs import event_tabs
from lab.web.forms.base import LabForm, refuse
from lab.web.forms.events import CancelForm, CopyForm, DocumentForm, HostsForm, SeriesForm
from lab.web.numbers import version_of
from lab.web.views.event_desk import Page, blueprint, crumbs, seen_now


def _done(code: str, words: str) -> Response:
    flash(words, "success")
    return redirect(url_for("event_desk.show", code=code), 303)


def _draw(template: str, form: Any, event: Event, title: str, **values: Any) -> str:
    return render_template(
        f"pages/event_desk/{template}.html",
        event_form=form,
        event=event,
        tabs=event_tabs(event),
        breadcrumb=[*crumbs(event), (title, None)],
        **values,
    )


@blueprint.post("/<code>/pubblica")
@allow(Permission.EVENT_EDIT)
def publish(code: str) -> Response:
    """Show a draft to everybody."""
    event = event_desk.own(context(), code)
    if LabForm().validate_on_submit():
        with transaction() as writing:
            event_editing.publish(writing, event_editing.Publish(event.id, None))
        return _done(code, _("Adesso lo leggono tutti."))
    return redirect(url_for("event_desk.show", code=code), 303)


@blueprint.get("/<code>/annulla")
@allow(Permission.EVENT_EDIT)
def ask_cancel(code: str) -> str:
    """What happens when it is called off."""
    event = event_desk.own(context(), code)
    return _draw("cancel", CancelForm(data={"version": str(event.version)}), event, _("Annulla"))


@blueprint.post("/<code>/annulla")
@allow(Permission.EVENT_EDIT)
def cancel(code: str) -> Response | Page:
    """Call it off, with the reason."""
    event = event_desk.own(context(), code)
    form, status = CancelForm(), 422
    if form.validate_on_submit():
        try:
            with transaction() as writing:
                version = version_of(form.version.data)
                event_editing.cancel(writing, event_editing.Cancel(event.id, version, form.reason.data or ""))
        except Invalid as error:
            refuse(form, error)
        except Conflict as error:
            status, event = refuse(form, error), seen_now(form, code)
        else:
            return _done(code, _("L'incontro è annullato. Chi ha lasciato un contatto riceve un messaggio."))
    return _draw("cancel", form, event, _("Annulla")), status


@blueprint.get("/<code>/copia")
@allow(Permission.EVENT_EDIT)
def ask_copy(code: str) -> str:
    """The same meeting on another day: a week later unless said otherwise."""
    event = event_desk.own(context(), code)
    local = event.starts_at.astimezone(ZoneInfo(lab().settings.timezone))
    form = CopyForm(data={"day": local.date() + timedelta(days=7), "hour": local.time()})
    return _draw("copy", form, event, _("Copia"))


@blueprint.post("/<code>/copia")
@allow(Permission.EVENT_EDIT)
def copy(code: str) -> Response | Page:
    """Copy it as a draft."""
    event = event_desk.own(context(), code)
    form = CopyForm()
    if form.validate_on_submit():
        assert form.day.data is not None and form.hour.data is not None
        try:
            with transaction() as writing:
                command = event_series.Duplicate(
                    event.id, form.day.data, form.hour.data, form.idempotency_key.data
                )
                made = event_series.duplicate(writing, command).code
        except Invalid as error:
            refuse(form, error)
        else:
            return _done(made, _("Questa è la copia: guardala e pubblicala."))
    return _draw("copy", form, event, _("Copia")), 422


@blueprint.get("/<code>/serie")
@allow(Permission.EVENT_EDIT)
def ask_series(code: str) -> str:
    """More dates at once."""
    event = event_desk.own(context(), code)
    return _draw("series", SeriesForm(data={"version": str(event.version)}), event, _("Altre date"))


@blueprint.post("/<code>/serie")
@allow(Permission.EVENT_EDIT)
def make_series(code: str) -> Response | Page:
    """Make them, each a meeting of its own."""
    event = event_desk.own(context(), code)
    form, status = SeriesForm(), 422
    if form.validate_on_submit():
        times = form.times.data or 0
        try:
            with transaction() as writing:
                event_series.repeat(writing, event_series.Repeat(
                    event.id, version_of(form.version.data), event_series.Rhythm(form.rhythm.data), times,
                    form.idempotency_key.data,
                ))  # fmt: skip
        except Invalid as error:
            refuse(form, error)
        except Conflict as error:
            status, event = refuse(form, error), seen_now(form, code)
        else:
            made = ngettext("C'è %(num)d data in più.", "Ci sono %(num)d date in più.", times)
            return _done(code, made)
    return _draw("series", form, event, _("Altre date")), status


@blueprint.get("/<code>/conduce")
@allow(Permission.EVENT_EDIT)
def hosts(code: str) -> str:
    """Who runs it, and so sees who signed up."""
    event = event_desk.own(context(), code)
    data = {"version": str(event.version), "hosts": [host.person_id for host in event.hosts]}
    return _draw("hosts", _people(HostsForm(data=data), event), event, _("Chi conduce"))


@blueprint.post("/<code>/conduce")
@allow(Permission.EVENT_EDIT)
def save_hosts(code: str) -> Response | Page:
    """Say anew who runs it."""
    event = event_desk.own(context(), code)
    form, status = _people(HostsForm(), event), 422
    if form.validate_on_submit():
        try:
            with transaction() as writing:
                chosen = frozenset(form.hosts.data or ())
                event_hosts.change(
                    writing, event_hosts.ChangeHosts(event.id, version_of(form.version.data), chosen)
                )
        except Invalid as error:
            refuse(form, error)
        except Conflict as error:
            status, event = refuse(form, error), seen_now(form, code)
        else:
            flash(_("Fatto. Solo chi conduce vede chi è iscritto."), "success")
            return redirect(url_for("event_desk.index"), 303)
    return _draw("hosts", form, event, _("Chi conduce")), status


def _people(form: HostsForm, event: Event) -> HostsForm:
    form.hosts.choices = [(one.id, one.name) for one in event_hosts.candidates(context(), event.id)]
    return form


@blueprint.get("/<code>/documenti")
@allow(Permission.EVENT_EDIT)
def documents(code: str) -> str:
    """What one reads before or after."""
    event = event_desk.own(context(), code)
    return _draw_documents(DocumentForm(), event)


@blueprint.post("/<code>/documenti")
@allow(Permission.EVENT_EDIT)
def add_document(code: str) -> Response | Page:
    """Put a link or a PDF onto its page."""
    event = event_desk.own(context(), code)
    form = DocumentForm()
    if form.validate_on_submit():
        try:
            _store(event.id, form)
        except Invalid as error:
            refuse(form, error)
        else:
            flash(_("Aggiunto."), "success")
            return redirect(url_for("event_desk.documents", code=code), 303)
    return _draw_documents(form, event), 422


def _store(event_id: int, form: DocumentForm) -> None:
    """The file first, then its row; a file without a row is taken away again."""
    settings = lab().settings
    name, size = "", 0
    if form.file.data:
        name, size = uploads.receive_pdf(settings.uploads, form.file.data, settings.max_upload_bytes)
    kept = ""
    try:
        with transaction() as writing:
            command = event_documents.AddDocument(
                event_id, form.title.data or "", form.url.data or "", name, size
            )
            kept = event_documents.add(writing, command).file_name
    finally:
        if name != kept:
            uploads.discard_pdf(settings.uploads, name)


@blueprint.post("/<code>/documenti/<int:number>/togli")
@allow(Permission.EVENT_EDIT)
def remove_document(code: str, number: int) -> Response:
    """Take one off."""
    event = event_desk.own(context(), code)
    if LabForm().validate_on_submit():
        with transaction() as writing:
            name = event_documents.remove(writing, event.id, number)
        uploads.discard_pdf(lab().settings.uploads, name)
        flash(_("Tolto."), "success")
    return redirect(url_for("event_desk.documents", code=code), 303)


def _draw_documents(form: DocumentForm, event: Event) -> str:
    return _draw(
        "documents",
        form,
        event,
        _("Documenti"),
        documents=event_documents.of(context(), event.id),
        act_form=LabForm(),
    )
