"""The minutes of a meeting: written at the desk, published, corrected; read by everybody."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.events import Event
from lab.policy.permissions import Permission
from lab.services import capture, capture_pages, desk, event_outcome, minutes
from lab.services.minutes import Draft, Write
from lab.web.access import allow, cached
from lab.web.app_state import context, transaction
from lab.web.event_tabs import event_tabs, event_trail
from lab.web.forms.base import refuse
from lab.web.forms.minutes import MinutesForm, row_of

blueprint = Blueprint("minutes", __name__)

Shown = str | Response | tuple[str, int]
#: Remarks of the public page of the minutes.
_WHOLE = 600


@blueprint.get("/regia/eventi/<code>/verbale")
@allow(Permission.EVENT_CAPTURE)
def edit(code: str) -> str:
    """The minutes to go on with."""
    event = capture.meeting(context(), code)
    found = minutes.draft(context(), event)
    form = MinutesForm(
        formdata=None,
        data={
            "version": found.version,
            "attended": found.attended,
            "summary": found.summary,
            "text": found.text,
            "points": [] if found.is_published else [_point_row(one) for one in found.points],
            "promises": [row_of(one) for one in found.promises],
        },
    )
    return _page(event, form, found)


def _point_row(point: minutes.Point) -> dict[str, Any]:
    return {"text": point.text, "project": point.project_ids[0] if point.project_ids else None}


def _page(event: Event, form: MinutesForm, found: Draft, preview: bool = False, theirs: bool = False) -> str:
    ctx = context()
    form.offer(desk.choices(ctx))
    return render_template(
        "pages/minutes/edit.html",
        event=event,
        tabs=event_tabs(event),
        form=form,
        found=found,
        preview=preview,
        theirs=theirs,
        lines=capture_pages.lines(ctx, event),
        may_publish=ctx.may(Permission.EVENT_RUN, event),
        begun=event.starts_at <= ctx.now,
        breadcrumb=event_trail(event, (_("Verbale"), None)),
    )


@blueprint.post("/regia/eventi/<code>/verbale")
@allow(Permission.EVENT_CAPTURE)
def write(code: str) -> Shown:
    """Keep the draft, look at it as everybody will, publish it, or correct what is published."""
    event = capture.meeting(context(), code)
    form = MinutesForm()
    form.offer(desk.choices(context()))
    what = request.form.get("fai", "salva")
    if not form.validate():
        return _again(event, form, 422)
    if what == "prova":
        return _page(event, form, minutes.draft(context(), event), preview=True)
    act = {"pubblica": minutes.publish, "correggi": minutes.correct}.get(what, minutes.save)
    try:
        with transaction() as ctx:
            act(ctx, _command(event, form))
    except Invalid as error:
        if not form.refuse_row(error):
            refuse(form, error)
        return _again(event, form, 422)
    except Conflict as error:
        return _conflict(event, form, error)
    if act is minutes.save:
        flash(_("La bozza è salvata."), "success")
        return redirect(url_for("minutes.edit", code=code), 303)
    return redirect(url_for("minutes.show", code=code), 303)


def _command(event: Event, form: MinutesForm) -> Write:
    return Write(
        event_id=event.id,
        version=form.version.data or 0,
        summary=form.summary.data or "",
        text=form.text.data or "",
        attended=form.attended.data,
        points=tuple(one.form.read() for one in form.points),
        promises=tuple(one.form.read() for one in form.promises),
        note=form.note.data or "",
    )


def _again(event: Event, form: MinutesForm, status: int) -> tuple[str, int]:
    return _page(event, form, minutes.draft(context(), event)), status


def _conflict(event: Event, form: MinutesForm, error: Conflict) -> tuple[str, int]:
    """Somebody was quicker: their text is on the page beside what was typed, which can be sent knowingly."""
    status = refuse(form, error)
    found = minutes.draft(context(), event)
    form.version.data, form.version.raw_data = found.version, None
    theirs = error.code in ("changed_meanwhile", "already_published")
    return _page(event, form, found, theirs=theirs), status


@blueprint.get("/eventi/<code>/verbale")
@cached
def show(code: str) -> str:
    """The minutes for everybody, with what became of every point."""
    ctx = context()
    event = event_outcome.meeting(ctx, code)
    outcome = event_outcome.of(ctx, event.id, _WHOLE)
    if outcome.published_at is None:
        raise NotFound("minutes")
    return render_template(
        "pages/minutes/show.html",
        event=event,
        outcome=outcome,
        versions=minutes.versions(ctx, event.id) if outcome.corrected_at else [],
        breadcrumb=[
            (_("Incontri"), url_for("events.index")),
            (event.title, url_for("events.show", code=code)),
            (_("Verbale"), None),
        ],
    )
