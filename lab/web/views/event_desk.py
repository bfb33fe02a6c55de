"""The desk of meetings: the list, a new one, one with all its parts, its form."""

from __future__ import annotations

from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid
from lab.models.events import Event
from lab.policy.permissions import Permission
from lab.services import event_desk, event_editing
from lab.services.event_desk import File
from lab.web import event_page
from lab.web import programme_cards as cards
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.event_tabs import event_tabs
from lab.web.forms.base import LabForm, refuse
from lab.web.forms.events import EventForm, write_agenda
from lab.web.pagination import decode_key, encode_key, page_url

blueprint = Blueprint("event_desk", __name__, url_prefix="/regia/eventi")

AFTER = "dopo"
#: When most meetings begin.
USUAL_HOUR = time(18)
Page = tuple[str, int]


@blueprint.get("")
@allow(Permission.EVENT_EDIT)
def index() -> str:
    """Drafts, what comes, what has been: all for the team, one's own for the others."""
    after = cards.mark_of(decode_key(request.args.get(AFTER), 2))
    found = event_desk.lists(context(), after)
    last = found.past[-1] if found.has_more else None
    return render_template(
        "pages/event_desk/index.html",
        found=found,
        place_name=cards.local_name,
        first_url=page_url(dopo=None) if after else None,
        next_url=page_url(dopo=encode_key(last.starts_at.isoformat(), last.id)) if last else None,
        breadcrumb=[(_("Incontri"), None)],
    )


@blueprint.get("/nuovo")
@allow(Permission.EVENT_EDIT)
def new() -> str:
    """The form of a new meeting: four answers are enough."""
    event_editing.may_create(context())
    return _draw_new(_offered(EventForm(data={"kind": "meeting", "hour": USUAL_HOUR, "languages": ["it"]})))


@blueprint.post("/nuovo")
@allow(Permission.EVENT_EDIT)
def create() -> Response | Page:
    """Begin a meeting, as a draft or for everybody at once."""
    form = _offered(EventForm())
    if form.validate_on_submit():
        try:
            with transaction() as writing:
                command = event_editing.Create(
                    form.plan(), bool(form.sign_up.data), "publish" in request.form,
                    form.idempotency_key.data,
                )  # fmt: skip
                code = event_editing.create(writing, command).code
        except Invalid as error:
            refuse(form, error)
        else:
            flash(_("Fatto. L'incontro c'è."), "success")
            return redirect(url_for("event_desk.show", code=code), 303)
    return _draw_new(form), 422


@blueprint.get("/<code>")
@allow(Permission.EVENT_EDIT)
def show(code: str) -> str:
    """One meeting: how it stands, what is missing, what one can do."""
    ctx = context()
    found = event_desk.file(ctx, code)
    return render_template(
        "pages/event_desk/show.html",
        found=found,
        event=found.event,
        tabs=event_tabs(found.event),
        place_name=cards.local_name(found.event.place),
        duration=cards.duration_words(found.event.minutes),
        ends_at=event_page.ends_at(found.event),
        missing=_missing(found),
        is_over=event_desk.is_over(ctx, found.event),
        goes_on=event_page.is_going_on(ctx, found.event) and ctx.may(Permission.EVENT_RUN, found.event),
        act_form=LabForm(),
        breadcrumb=[*crumbs(found.event)[:-1], (found.event.code, None)],
    )


@blueprint.get("/<code>/modifica")
@allow(Permission.EVENT_EDIT)
def edit(code: str) -> str:
    """The form with what is written."""
    found = event_desk.file(context(), code)
    form = EventForm(data=_data(found))
    return _draw_edit(_offered(form, found.event.place_id), found.event)


@blueprint.post("/<code>/modifica")
@allow(Permission.EVENT_EDIT)
def save(code: str) -> Response | Page:
    """Write it anew; whatever fails, what was typed is still there."""
    event = event_desk.own(context(), code)
    form, status = _offered(EventForm(), event.place_id), 422
    if form.validate_on_submit():
        try:
            with transaction() as writing:
                command = event_editing.Change(event.id, form.drawn_version(), form.plan())
                event_editing.change(writing, command)
        except Invalid as error:
            refuse(form, error)
        except Conflict as error:
            status, event = refuse(form, error), seen_now(form, code)
        else:
            flash(_("Fatto. Se cambiano giorno, ora o posto, chi è iscritto riceve un messaggio."), "success")
            return redirect(url_for("event_desk.show", code=code), 303)
    return _draw_edit(form, event), status


def seen_now(form: Any, code: str) -> Event:
    """The meeting as it is now: sending again means having seen it."""
    event = event_desk.own(context(), code)
    form.version.data = str(event.version)
    return event


def crumbs(event: Event) -> list[tuple[Any, str | None]]:
    """The way back from a page of one meeting."""
    return [
        (_("Incontri"), url_for("event_desk.index")),
        (event.code, url_for("event_desk.show", code=event.code)),
    ]


def _offered(form: EventForm, keep_place: int | None = None) -> EventForm:
    found = event_desk.choices(context(), keep_place)
    form.offer(found.places, found.projects, found.bodies)
    return form


def _draw_new(form: EventForm) -> str:
    return render_template(
        "pages/event_desk/new.html",
        event_form=form,
        breadcrumb=[(_("Incontri"), url_for("event_desk.index")), (_("Nuovo"), None)],
    )


def _draw_edit(form: EventForm, event: Event) -> str:
    return render_template(
        "pages/event_desk/edit.html",
        event_form=form,
        event=event,
        tabs=event_tabs(event),
        is_over=event_desk.is_over(context(), event),
        breadcrumb=[*crumbs(event), (_("Cambia"), None)],
    )


def _data(found: File) -> dict[str, Any]:
    event = found.event
    local = event.starts_at.astimezone(ZoneInfo(lab().settings.timezone))
    same = (
        "title", "minutes", "place_note", "text", "purpose", "promise", "organisers", "languages", "offers",
        "offers_note", "access_note", "seats", "result", "attendance",
    )  # fmt: skip
    return {
        **{name: getattr(event, name) for name in same},
        "kind": str(event.kind),
        "influence": str(event.influence or ""),
        "day": local.date(),
        "hour": local.time(),
        "place": str(event.place_id or ""),
        "projects": sorted(found.project_ids),
        "bodies": sorted(found.body_ids),
        "agenda": write_agenda(found.agenda),
        "version": str(event.version),
    }


def _missing(found: File) -> list[str]:
    """What would make people more likely to come, and is not written yet."""
    event = found.event
    wanted = (
        (event.purpose, _("a che cosa serve")),
        (event.promise, _("che cosa può ancora cambiare")),
        (event.place_id or event.place_note, _("dove")),
        (event.text, _("che cosa si fa")),
        (event.access_note, _("come si entra")),
        (found.project_ids, _("di quali progetti si parla")),
    )
    return [str(words) for value, words in wanted if not value]
