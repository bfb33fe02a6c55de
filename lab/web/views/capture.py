"""Writing down what a meeting says: lines, parts, sheets, answers. Plain forms; a script makes them quick."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid
from lab.models.events import Event
from lab.policy.permissions import Permission
from lab.services import capture, capture_kinds, capture_pages, capture_parts, capture_questions, desk, once
from lab.services.capture import Correction
from lab.services.capture_parts import Part
from lab.services.capture_questions import Reply
from lab.services.context import Context
from lab.web import capture_page as pages
from lab.web import uploads
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.event_tabs import event_tabs, event_trail
from lab.web.forms.base import LabForm, refuse
from lab.web.forms.capture import CorrectForm, DueForm, LineForm, PartForm, ReplyForm, SheetForm
from lab.web.qr import qr_svg

blueprint = Blueprint("capture", __name__, url_prefix="/regia/eventi/<code>/raccolta")

Shown = str | Response | tuple[str, int] | tuple[Response, int]


@blueprint.get("")
@allow(Permission.EVENT_CAPTURE)
def show(code: str) -> str:
    """The form that the meeting asks for, and what was written down."""
    event = capture.meeting(context(), code)
    return pages.draw(event, pages.line_form(event, pages.way_of(event, request.args.get("modo"))))


@blueprint.post("")
@allow(Permission.EVENT_CAPTURE)
def write(code: str) -> Shown:
    """Save one line; the next begins at the same table."""
    event = capture.meeting(context(), code)
    form = LineForm()
    way = pages.way_of(event, form.way.data)
    pages.line_form(event, way, form)
    if not form.validate():
        return _again(event, form, None)
    sent = pages.Sent()
    try:
        sent = pages.take_photos(request.files.getlist("photos"))
        with transaction() as ctx:
            written = capture.write(ctx, pages.command(event, form, sent))
    except (Invalid, Conflict) as error:
        sent.discard()
        return _again(event, form, error)
    if written.again:
        sent.discard()
    one = written.contribution
    if pages.wants_json():
        return jsonify(code=one.code, url=url_for("proposals.show", code=one.code))
    flash(_("Ricevuta: %(code)s", code=one.code), "success")
    keep = {name: form[name].data for name in pages.STICKY if name in form}
    return redirect(url_for("capture.show", code=code, modo=way.slug, **keep) + "#scrivi", 303)


def _again(event: Event, form: LineForm, error: Invalid | Conflict | None) -> Shown:
    answer = pages.refused(form, error)
    return (pages.draw(event, form), answer) if isinstance(answer, int) else answer


@blueprint.get("/chiave")
@allow(Permission.EVENT_CAPTURE)
def key(code: str) -> Response:
    """A fresh token for the script, and a sign by which it knows whose lines it holds."""
    ctx = context()
    capture.meeting(ctx, code)
    return jsonify(token=generate_csrf(), who=(once.own_key(ctx, "capture") or "")[:16])


@blueprint.get("/lavoro.js")
@allow(Permission.EVENT_CAPTURE)
def worker(code: str) -> Response:
    """The service worker of this page: gives the stored copy when there is no network, nothing else."""
    capture.meeting(context(), code)
    assets = lab().assets
    path = assets.folder / assets.url("capture-worker.js").removeprefix(assets.PREFIX)
    answer = Response(path.read_bytes(), mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    # It lies below the page that it serves.
    answer.headers["Service-Worker-Allowed"] = url_for("capture.show", code=code)
    return answer


@blueprint.get("/riga/<line_code>")
@allow(Permission.EVENT_CAPTURE)
def line(code: str, line_code: str) -> str:
    """One line, to be put right."""
    event = capture.meeting(context(), code)
    remark = capture_pages.line(context(), event, line_code)
    one = remark.contribution
    data = {
        "version": one.version, "text": one.text, "author_name": one.author_name, "place": one.place_id,
        "theme": one.theme_id, "part": remark.part.title if remark.part else "", "round": remark.round,
        "count": one.supports_base or None, "self_help": remark.self_help,
        "priority": remark.priority.value if remark.priority else None,
    }  # fmt: skip
    return _line_page(
        event, line_code, _correct_form(event, line_code, CorrectForm(formdata=None, data=data))
    )


@blueprint.post("/riga/<line_code>")
@allow(Permission.EVENT_CAPTURE)
def correct(code: str, line_code: str) -> Shown:
    """Put a line right."""
    event = capture.meeting(context(), code)
    remark = capture_pages.line(context(), event, line_code)
    form = _correct_form(event, line_code, CorrectForm())
    way = capture.way_of(event, remark, remark.contribution)
    if not form.validate():
        return _line_page(event, line_code, form), 422
    said = pages.command(event, form, pages.Sent())
    change = Correction(
        remark.contribution_id, form.version.data, said.text, said.author_name, said.place_id, said.theme_id,
        said.part, said.round, said.count, said.priority, said.self_help,
    )  # fmt: skip
    try:
        with transaction() as ctx:
            capture.correct(ctx, change)
    except (Invalid, Conflict) as error:
        status = pages.refused(form, error)
        if isinstance(error, Conflict):
            form.version.data = capture_pages.line(context(), event, line_code).contribution.version
            form.version.raw_data = None
        return _line_page(event, line_code, form), status if isinstance(status, int) else 422
    flash(_("Corretta."), "success")
    return redirect(url_for("capture.show", code=code, modo=way.slug), 303)


def _correct_form(event: Event, line_code: str, form: CorrectForm) -> CorrectForm:
    remark = capture_pages.line(context(), event, line_code)
    form.offer(desk.choices(context()))
    form.suit(capture.way_of(event, remark, remark.contribution), may_route=False)
    for name in ("photos", "private", "due"):
        if name in form:
            del form[name]
    return form


def _line_page(event: Event, line_code: str, form: CorrectForm) -> str:
    return render_template(
        "pages/capture/line.html",
        event=event,
        tabs=event_tabs(event),
        form=form,
        line_code=line_code,
        breadcrumb=event_trail(
            event, (_("Raccolta"), url_for("capture.show", code=event.code)), (line_code, None)
        ),
    )


@blueprint.post("/parti")
@allow(Permission.EVENT_CAPTURE)
def save_part(code: str) -> Shown:
    """Make a stop, a table or a group, or change it."""
    event = capture.meeting(context(), code)
    form = PartForm()
    way = pages.way_of(event, request.args.get("modo"))
    if way.part is None:
        way = next((one for one in capture_kinds.ways(event.kind) if one.part), way)
    if way.part is None:
        raise Conflict("changed_meanwhile")
    pages.suit_part(form, way.part)
    form.offer(desk.choices(context()))
    if not form.validate():
        return _part_again(event, form, way.slug, None)
    try:
        with transaction() as ctx:
            part = capture_parts.save(ctx, _part(event, form, way))
    except (Invalid, Conflict) as error:
        return _part_again(event, form, way.slug, error)
    here = url_for("capture.show", code=code, modo=way.slug) + "#parti"
    if pages.wants_json():
        return jsonify(code=part.title, url=here, version=part.version)
    flash(_("Salvato."), "success")
    return redirect(here, 303)


def _part(event: Event, form: PartForm, way: type[capture_kinds.Way]) -> Part:
    assert way.part is not None
    return Part(
        event.id,
        way.part,
        form.title.data or "",
        form.part_id.data,
        form.version.data,
        form["place"].data if "place" in form else None,
        (form["convenor"].data or "") if "convenor" in form else "",
        (form["report"].data or "") if "report" in form else "",
    )


def _part_again(event: Event, form: PartForm, slug: str, error: Invalid | Conflict | None) -> Shown:
    mine = None
    if isinstance(error, Conflict):
        parts = capture_parts.of_event(context(), event)
        mine = next((one for one in parts if one.id == form.part_id.data), None)
    known: dict[str, Any] = {}
    if mine is not None:
        form.version.data, form.version.raw_data = mine.version, None
        meanwhile = _("Intanto c'era scritto: %(words)s", words=mine.report or mine.title)
        form.form_errors.append(meanwhile)
        known = {"version": mine.version, "meanwhile": meanwhile}
    answer = pages.refused(form, error, **known)
    if not isinstance(answer, int):
        return answer
    way = pages.way_of(event, slug)
    return pages.draw(event, pages.line_form(event, way), part=form), answer


@blueprint.post("/foto")
@allow(Permission.EVENT_CAPTURE)
def add_sheet(code: str) -> Shown:
    """Put the photographs of sheets on the meeting's page."""
    event = capture.meeting(context(), code)
    form = SheetForm()
    files = uploads.given(request.files.getlist("photo"))
    if not form.validate() or not files:
        return _sheet_again(event, form, None if form.errors else Invalid("photo", "empty"))
    try:
        for number, file in enumerate(files):
            name = capture_parts.sheet_name(context(), f"{form.idempotency_key.data}-{number}")
            pages.keep_sheet(event, file, name or "", form.alt.data or "")
    except (Invalid, Conflict) as error:
        return _sheet_again(event, form, error)
    if pages.wants_json():
        return jsonify(code=event.code)
    flash(_("La foto è sulla pagina dell'incontro."), "success")
    return redirect(url_for("capture.show", code=code) + "#fogli", 303)


def _sheet_again(event: Event, form: SheetForm, error: Invalid | Conflict | None) -> Shown:
    if isinstance(error, Invalid) and error.field == "photos":
        error = Invalid("photo", error.code)
    answer = pages.refused(form, error)
    if not isinstance(answer, int):
        return answer
    return pages.draw(event, pages.line_form(event, pages.way_of(event, None)), sheet=form), answer


@blueprint.post("/foto/togli")
@allow(Permission.EVENT_CAPTURE)
def drop_sheet(code: str) -> Shown:
    """Take the photograph of a sheet away."""
    event = capture.meeting(context(), code)
    if LabForm().validate():
        with transaction() as ctx:
            capture_parts.remove_sheet(ctx, event.id, request.form.get("name", "")[:64])
        flash(_("La foto non c'è più."), "success")
    return redirect(url_for("capture.show", code=code) + "#fogli", 303)


@blueprint.get("/stampa")
@allow(Permission.EVENT_CAPTURE)
def paper(code: str) -> str:
    """What was written down, on paper before people leave: each group, table or stop on its own."""
    event = capture.meeting(context(), code)
    said = capture_parts.on_paper(context(), event)
    parts = [part for part in capture_parts.of_event(context(), event) if part.report or part.id in said]
    return render_template(
        "pages/capture/paper.html",
        event=event,
        parts=parts,
        said=said,
        qr=qr_svg(lab().settings.base_url + url_for("events.show", code=event.code)),
    )


@blueprint.get("/domande")
@allow(Permission.EVENT_CAPTURE)
def questions(code: str) -> str:
    """The questions with their day and their written answers."""
    return _questions_page(capture.meeting(context(), code))


def _questions_page(event: Event, number: int = 0, again: ReplyForm | DueForm | None = None) -> str:
    ctx = context()
    return render_template(
        "pages/capture/questions.html",
        event=event,
        tabs=event_tabs(event),
        questions=capture_questions.of_event(ctx, event),
        fresh=lambda one: pages.reply_forms(one, number, again),
        may_answer=ctx.may(Permission.EVENT_RUN, event),
        breadcrumb=event_trail(
            event, (_("Raccolta"), url_for("capture.show", code=event.code)), (_("Domande"), None)
        ),
    )


@blueprint.post("/domande/<int:number>/risposta")
@allow(Permission.EVENT_RUN)
def answer(code: str, number: int) -> Shown:
    """Publish the written answer to a question."""
    form = ReplyForm()

    def act(ctx: Context) -> None:
        reply = Reply(number, form.version.data, form.text.data or "", form.signed.data or "")
        capture_questions.answer(ctx, reply)

    return _question_act(code, number, form, act, _("La risposta è pubblicata."))


@blueprint.post("/domande/<int:number>/giorno")
@allow(Permission.EVENT_RUN)
def promise(code: str, number: int) -> Shown:
    """Say by which day a question is answered."""
    form = DueForm()

    def act(ctx: Context) -> None:
        assert form.due.data is not None
        capture_questions.promise(ctx, number, form.due.data)

    return _question_act(code, number, form, act, _("Il giorno è segnato."))


def _question_act(
    code: str, number: int, form: ReplyForm | DueForm, act: Callable[[Context], None], done: str
) -> Shown:
    event = capture.meeting(context(), code)
    if not form.validate():
        return _questions_page(event, number, form), 422
    try:
        with transaction() as ctx:
            act(ctx)
    except (Invalid, Conflict) as error:
        status = refuse(form, error)
        return _questions_page(event, number, form), status
    flash(done, "success")
    return redirect(url_for("capture.questions", code=code) + f"#domanda-{number}", 303)
