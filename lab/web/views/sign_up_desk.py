"""The list of who signed up, for who runs the meeting alone; every look, print and file is written down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from lab.db.engine import Database
from lab.kernel.csvsafe import csv_lines
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.text import clean_line
from lab.models.events import Event, Offer
from lab.models.registrations import Registration, RegistrationState, Source
from lab.policy.permissions import Permission
from lab.services import hosting, seats, sign_up_desk, sign_up_settings, tickets
from lab.services.context import Context
from lab.services.registrations import Party
from lab.services.sign_up_answers import PARTY_MOST
from lab.services.sign_up_desk import Wish
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.event_tabs import event_tabs
from lab.web.forms import sign_up as forms
from lab.web.forms.base import LabForm, refuse
from lab.web.forms.sign_up_desk import MoveForm, ReasonForm, TypedForm, told_check
from lab.web.i18n import language
from lab.web.labels import error_words, label
from lab.web.pagination import decode_key, encode_key, page_url

blueprint = Blueprint("sign_up_desk", __name__, url_prefix="/regia/eventi/<code>")
STATES = {
    "confermate": RegistrationState.CONFIRMED,
    "attesa": RegistrationState.WAITING,
    "annullate": RegistrationState.CANCELLED,
    "doppie": RegistrationState.MERGED,
}


def held(code: str, what: str = "") -> Event:
    """The meeting, for its hosts; with `what` the look at names is written down. Raises `NotFound`."""
    if len(code) > 24:
        raise NotFound("event")
    if not what:
        return hosting.by_code(context(), code)[0]
    with transaction() as ctx:
        event, grant = hosting.by_code(ctx, code)
        hosting.look(ctx, event, grant, what)
    return event


def draw(template: str, event: Event, status: int = 200, **values: Any) -> Response:
    """A page of this meeting at the desk; nobody keeps it."""
    crumbs = [
        (_("Incontri"), url_for("event_desk.index")),
        (event.code, url_for("event_desk.show", code=event.code)),
        (_("Iscritti"), url_for("sign_up_desk.people", code=event.code)),
    ]
    page = render_template(
        f"pages/sign_up_desk/{template}.html",
        event=event,
        tabs=event_tabs(event),
        need_words=forms.need_words,
        breadcrumb=[*crumbs, *([(values["crumb"], None)] if values.get("crumb") else [])],
        **values,
    )
    answer = make_response(page, status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _wish() -> Wish:
    state = STATES.get(request.args.get("stato", ""))
    mark = decode_key(request.args.get("dopo"), 2)
    wants = int if state is RegistrationState.WAITING else str
    good = mark is not None and isinstance(mark[0], wants) and isinstance(mark[1], int)
    return Wish(state, clean_line(request.args.get("q", ""), 80), tuple(mark) if mark and good else None)


@blueprint.get("/iscritti")
@allow(Permission.EVENT_RUN)
def people(code: str) -> Response:
    """Who comes, who waits, what they need, whom to ring up."""
    event = held(code, "people")
    ctx, wish = context(), _wish()
    found = sign_up_desk.people(ctx, event, wish)
    shown, more = found[: sign_up_desk.PAGE], len(found) > sign_up_desk.PAGE
    last = shown[-1] if more else None
    return draw(
        "people",
        event,
        books=sign_up_desk.books_of(ctx, event.id),
        rows=shown,
        first_number=_first_number(ctx, shown, wish),
        wish=wish,
        state=request.args.get("stato", "") if wish.state else "",
        needs=sign_up_desk.needs(ctx, event.id),
        to_call=sign_up_desk.to_call(ctx, event),
        unreachable=sign_up_desk.unreachable(ctx, event.id),
        states=[("", _("Tutti")), *((word, str(label(state))) for word, state in STATES.items())],
        next_url=page_url(dopo=encode_key(*sign_up_desk.key_of(last, wish))) if last else None,
        first_url=page_url(dopo=None) if wish.after else None,
        has_begun=event.starts_at <= ctx.now,
        form=LabForm(),
    )


def _first_number(ctx: Context, rows: list[Registration], wish: Wish) -> int | None:
    """The number in the queue of the first row, where the queue is what is shown."""
    if wish.state is not RegistrationState.WAITING or wish.words or not rows:
        return None
    return seats.place_of(ctx, rows[0])


@blueprint.get("/iscritti/stampa")
@allow(Permission.EVENT_RUN)
def paper(code: str) -> Response:
    """The list on paper, by name, with the code and a box to tick; then who waits, by number."""
    event = held(code, "people_print")
    ctx = context()
    come = sign_up_desk.everybody(ctx, event.id, RegistrationState.CONFIRMED)
    rows = sorted(come, key=lambda row: (row.name_key, row.id))
    waiting = list(sign_up_desk.everybody(ctx, event.id, RegistrationState.WAITING))
    return draw("paper", event, rows=rows, waiting=waiting, books=sign_up_desk.books_of(ctx, event.id))


@blueprint.get("/iscritti.csv")
@allow(Permission.EVENT_RUN)
def file(code: str) -> Response:
    """The list as a file, row by row: everybody with their state, or the state that the page shows."""
    event = held(code, "people_file")
    asked = context()
    names = {str(one.id): one.label for one in sign_up_settings.questions(asked, event.id)}
    # Words are looked up now: when the rows leave, the request and its language are over.
    words = {code.value: str(label(code)) for kind in (Offer, RegistrationState, Source) for code in kind}
    lines = csv_lines(_rows(event.id, _wish().state, names, words, asked, lab().database))
    answer = Response(lines, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="iscritti-{event.code}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _rows(
    event_id: int,
    state: RegistrationState | None,
    names: dict[str, str],
    words: dict[str, str],
    asked: Context,
    database: Database,
) -> Iterator[Any]:
    yield (
        "codice", "nome", "stato", "persone", "gruppo", "e-mail", "telefono", "serve", "nota",
        "numero in coda", "iscritto il", "come", "arrivati", *names.values(),
    )  # fmt: skip
    # The request's session is closed before the first line leaves: the file has one of its own.
    zone = ZoneInfo(asked.timezone)
    with database.session() as session:
        for one in sign_up_desk.everybody(replace(asked, session=session), event_id, state):
            yield (
                one.code, one.name, words[one.state.value], one.party_size,
                one.group.name if one.group else "", one.email, one.phone,
                ", ".join(words[code] for code in one.needs), one.needs_note, one.queue_no,
                one.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
                words[one.source.value], one.arrived_count, *(_cell(one.answers.get(key)) for key in names),
            )  # fmt: skip


def _cell(value: Any) -> Any:
    return ", ".join(value) if isinstance(value, list) else value


@blueprint.get("/iscritti/sguardi")
@allow(Permission.DESK_SEE)
def looks(code: str) -> Response:
    """Who looked at the names: for the hosts, the coordinator and the administrators."""
    event, seen = sign_up_desk.looks(context(), code[:24])
    return draw("looks", event, seen=seen, look_words=_look_words, crumb=_("Chi ha guardato"))


def _look_words(what: str) -> str:
    """Which page it was."""
    words = {
        "people": _("ha aperto l'elenco"),
        "person": _("ha aperto un'iscrizione"),
        "people_print": _("ha stampato l'elenco"),
        "people_file": _("ha scaricato l'elenco"),
        "door": _("ha aperto l'ingresso"),
        "doubles": _("ha guardato le iscrizioni doppie"),
        "tray": _("ha letto una cosa arrivata da un totem"),
    }
    return str(words.get(what, _("ha guardato dei nomi")))


# --- one of them


@blueprint.get("/iscritti/<int:registration_id>")
@allow(Permission.EVENT_RUN)
def one(code: str, registration_id: int) -> Response:
    """One sign-up with what can be done for them."""
    return _one(held(code, "person"), registration_id)


def _one(event: Event, registration_id: int, status: int = 200, **values: Any) -> Response:
    ctx = context()
    row = sign_up_desk.one(ctx, event, registration_id)
    found = tickets.of_registration(ctx, row)
    given = {
        "cancel_form": ReasonForm(formdata=None),
        "over_form": ReasonForm(formdata=None),
        "move_form": MoveForm(formdata=None),
        "form": LabForm(formdata=None),
        "problem": "",
        **values,
    }
    return draw(
        "one",
        event,
        status,
        r=row,
        t=found,
        number=seats.place_of(ctx, row),
        needs=[forms.need_words(need) for need in row.needs],
        answers=[(q.label, _cell(row.answers.get(str(q.id)))) for q in found.questions],
        crumb=row.name or row.code,
        **given,
    )


def _done(code: str, registration_id: int, words: str) -> AnyResponse:
    flash(words, "success")
    return redirect(url_for("sign_up_desk.one", code=code, registration_id=registration_id), 303)


@blueprint.post("/iscritti/<int:registration_id>/annulla")
@allow(Permission.EVENT_RUN)
def cancel(code: str, registration_id: int) -> AnyResponse:
    """Take them off the list."""
    event, form = held(code), ReasonForm()
    try:
        if form.validate():
            with transaction() as ctx:
                sign_up_desk.cancel(ctx, event.id, registration_id, form.reason.data or "")
            return _done(code, registration_id, _("Iscrizione annullata. Il posto va a chi aspetta."))
    except Invalid as error:
        refuse(form, error)
    return _one(held(code), registration_id, 422, cancel_form=form)


@blueprint.post("/iscritti/<int:registration_id>/sposta")
@allow(Permission.EVENT_RUN)
def move(code: str, registration_id: int) -> AnyResponse:
    """Another number in the queue."""
    event, form = held(code), MoveForm()
    try:
        if form.validate():
            with transaction() as ctx:
                number, reason = form.number.data or 0, form.reason.data or ""
                sign_up_desk.move(ctx, event.id, registration_id, number, reason)
            return _done(code, registration_id, _("Spostata nella lista d'attesa."))
    except Invalid as error:
        refuse(form, error)
    except Conflict as error:
        return _one(held(code), registration_id, 409, move_form=form, problem=error.code)
    return _one(held(code), registration_id, 422, move_form=form)


@blueprint.post("/iscritti/<int:registration_id>/oltre")
@allow(Permission.EVENT_RUN)
def seat_over(code: str, registration_id: int) -> AnyResponse:
    """A place above the count."""
    event, form = held(code), ReasonForm()
    try:
        if form.validate():
            with transaction() as ctx:
                sign_up_desk.seat_over(ctx, event.id, registration_id, form.reason.data or "")
            return _done(code, registration_id, _("Ha un posto, oltre quelli previsti."))
    except Invalid as error:
        refuse(form, error)
    except Conflict as error:
        return _one(held(code), registration_id, 409, over_form=form, problem=error.code)
    return _one(held(code), registration_id, 422, over_form=form)


@blueprint.post("/iscritti/<int:registration_id>/separa")
@allow(Permission.EVENT_RUN)
def set_apart(code: str, registration_id: int) -> AnyResponse:
    """They share an address or a telephone and are two."""
    event = held(code)
    try:
        with transaction() as ctx:
            sign_up_desk.set_apart(ctx, event.id, registration_id)
    except Conflict as error:
        return _one(held(code), registration_id, 409, problem=error.code)
    return _done(code, registration_id, _("Ora è un'iscrizione a sé."))


@blueprint.post("/iscritti/<int:registration_id>/chiamato")
@allow(Permission.EVENT_RUN)
def called(code: str, registration_id: int) -> AnyResponse:
    """Somebody has rung them up."""
    event = held(code)
    with transaction() as ctx:
        sign_up_desk.called(ctx, event.id, registration_id)
    flash(_("Segnato: l'avete chiamato."), "success")
    return redirect(url_for("sign_up_desk.people", code=code), 303)


# --- by telephone


def _typed(event: Event) -> TypedForm:
    ctx = context()
    form: TypedForm = forms.with_questions(TypedForm, sign_up_settings.questions(ctx, event.id))()
    books = sign_up_desk.books_of(ctx, event.id)
    groups = [(group.id, group.name) for group in sign_up_settings.groups(ctx, event.id)]
    forms.offer(form, most=PARTY_MOST, groups=groups, asks=books.asks if books else ())
    return form


def _typing(event: Event, form: TypedForm, status: int = 200, problem: str = "") -> Response:
    questions = [field for field in form if field.name.startswith(forms.PREFIX)]
    return draw(
        "add",
        event,
        status,
        form=form,
        questions=questions,
        has_groups=len(form.group.choices) > 1,
        problem=problem,
        crumb=_("Scrivi qualcuno"),
    )


@blueprint.get("/iscritti/nuova")
@allow(Permission.EVENT_RUN)
def add(code: str) -> Response:
    """Somebody rings up: the same form, with less asked."""
    event = held(code)
    return _typing(event, _typed(event))


@blueprint.post("/iscritti/nuova")
@allow(Permission.EVENT_RUN)
def write_down(code: str) -> AnyResponse:
    """Write them down."""
    event = held(code)
    form = _typed(event)
    good = form.validate()
    if not form.told.data:
        form.told.errors = [told_check()]
    if not good or not form.told.data:
        return _typing(event, form, 422)
    try:
        with transaction() as ctx:
            row = sign_up_desk.add(ctx, _party(event, form))
    except Invalid as error:
        refuse(form, Invalid(forms.place_error(error.field), error.code))
        return _typing(held(code), form, 422)
    except Conflict as error:
        return _typing(held(code), form, 409, str(error_words(error.code)))
    return _done(code, row.id, _("Scritto. Il codice per l'ingresso è %(code)s.", code=row.code))


def _party(event: Event, form: TypedForm) -> Party:
    return Party(
        event.id,
        **form.said(),
        locale=language(),
        client_uuid=(form.idempotency_key.data or "")[:36] or None,
        override_reason=form.override_reason.data or "",
    )
