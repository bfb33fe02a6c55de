"""Steering the screen in the room from the facilitator's phone."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid
from lab.models.events import Event
from lab.models.rooms import PollState, QuestionState, RoomView
from lab.policy.permissions import Permission
from lab.services import room, room_polls, room_questions
from lab.services.room import Steer
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.event_tabs import event_tabs, event_trail
from lab.web.forms.base import LabForm, refuse
from lab.web.forms.room import DoorsForm, MessageForm, PollForm
from lab.web.labels import error_words
from lab.web.qr import qr_svg
from lab.web.views.room import bars, screen_key

blueprint = Blueprint("room_desk", __name__)

Shown = str | tuple[str, int] | Response

#: What a button may do to a question, and to a poll.
_QUESTION_ACTS = {
    "mostra": QuestionState.SHOWN,
    "risposta": QuestionState.ANSWERED,
    "da-parte": QuestionState.SET_ASIDE,
}
_POLL_ACTS = {"apri": PollState.OPEN, "chiudi": PollState.CLOSED}


def _event(code: str) -> Event:
    """The meeting, for its hosts alone."""
    event = room.event_of(context(), code)
    context().require(Permission.EVENT_RUN, event)
    return event


@blueprint.get("/regia/eventi/<code>/sala")
@allow(Permission.EVENT_RUN)
def steer(code: str) -> str:
    """The remote control: what the wall shows, questions that wait, polls."""
    return _page(_event(code))


def _page(event: Event, poll_form: PollForm | None = None, said: str = "") -> str:
    ctx = context()
    current = room.of(ctx, event)
    join = lab().settings.base_url + url_for("room.phone", code=event.code)
    return render_template(
        "pages/room/steer.html",
        poll_form=poll_form or PollForm(formdata=None),
        message_form=MessageForm(formdata=None, message=current.message),
        doors_form=DoorsForm(
            formdata=None, questions_open=current.questions_open, is_moderated=current.is_moderated
        ),
        said=said,
        screen_url=url_for("room.show", code=event.code, chiave=screen_key(event)),
        join=join,
        qr=qr_svg(join, "room-qr"),
        tabs=event_tabs(event),
        breadcrumb=event_trail(event, (_("Sala"), None)),
        **_live(event),
    )


def _live(event: Event) -> dict[str, Any]:
    ctx = context()
    current = room.of(ctx, event)
    return {
        "event": event,
        "room": current,
        "views": list(RoomView),
        "is_open": room.is_open(current),
        "beat": room.beat(ctx, event.id),
        "agenda": room.agenda(ctx, event, current),
        "questions": room_questions.for_host(ctx, event),
        "polls": [(poll, bars(poll)) for poll in room_polls.all_of(ctx, event)],
        "photos": room.photos(ctx, event),
        "plain_form": LabForm(formdata=None),
        "Q": QuestionState,
        "P": PollState,
    }


@blueprint.get("/regia/eventi/<code>/sala/adesso")
@allow(Permission.EVENT_RUN)
def fragment(code: str) -> str:
    """The part of the remote control that changes by itself."""
    return render_template("pages/room/_steer.html", **_live(_event(code)))


def _done(code: str, anchor: str | None = None) -> Response:
    return redirect(url_for("room_desk.steer", code=code, _anchor=anchor), 303)


@blueprint.post("/regia/eventi/<code>/sala/apri")
@allow(Permission.EVENT_RUN)
def open_(code: str) -> Shown:
    """Let the phones in."""
    event = _event(code)
    try:
        with transaction() as ctx:
            room.open_room(ctx, event.id)
    except Conflict as error:
        return _page(event, said=str(error_words(error.code))), 409
    flash(_("La sala è aperta: i telefoni possono entrare."), "success")
    return _done(code)


@blueprint.post("/regia/eventi/<code>/sala/chiudi")
@allow(Permission.EVENT_RUN)
def close(code: str) -> Response:
    """Send the phones home."""
    event = _event(code)
    with transaction() as ctx:
        room.close_room(ctx, event.id)
    flash(_("La sala è chiusa. Le domande restano."), "success")
    return _done(code)


@blueprint.post("/regia/eventi/<code>/sala/mostra")
@allow(Permission.EVENT_RUN)
def show(code: str) -> Shown:
    """Change what the wall shows: a view, a point of the agenda, a photograph, one question large."""
    event = _event(code)
    if not LabForm().validate_on_submit():
        abort(400)
    view = request.form.get("vista", "")
    command = Steer(
        view=RoomView(view) if view in set(RoomView) else None,
        agenda_item_id=_number("punto"),
        photo_id=_number("foto"),
        question_id=_number("domanda"),
    )
    return _steer(event, command)


def _number(name: str) -> int | None:
    written = request.form.get(name, "")
    return int(written) if written.isdecimal() and len(written) < 13 else None


@blueprint.post("/regia/eventi/<code>/sala/riga")
@allow(Permission.EVENT_RUN)
def message(code: str) -> Shown:
    """Write a line on the wall, or take it away."""
    event = _event(code)
    form = MessageForm()
    if not form.validate_on_submit():
        return _page(event, said=_("La riga è troppo lunga.")), 422
    return _steer(event, Steer(message=form.message.data or ""))


@blueprint.post("/regia/eventi/<code>/sala/porte")
@allow(Permission.EVENT_RUN)
def doors(code: str) -> Shown:
    """Whether phones may ask, and whether somebody reads first."""
    event = _event(code)
    form = DoorsForm()
    if not form.validate_on_submit():
        abort(400)
    return _steer(event, Steer(questions_open=form.questions_open.data, is_moderated=form.is_moderated.data))


def _steer(event: Event, command: Steer) -> Shown:
    try:
        with transaction() as ctx:
            room.steer(ctx, event.id, command)
    except (Conflict, Invalid) as error:
        return _page(event, said=str(error_words(error.code))), 409
    return _done(event.code)


@blueprint.post("/regia/eventi/<code>/sala/domande/<int:number>")
@allow(Permission.EVENT_RUN)
def question(code: str, number: int) -> Shown:
    """Let the room read a question, mark it as answered, set it aside."""
    event = _event(code)
    state = _QUESTION_ACTS.get(request.form.get("che", ""))
    if not LabForm().validate_on_submit() or state is None:
        abort(400)
    try:
        with transaction() as ctx:
            room_questions.settle(ctx, number, state)
    except Conflict as error:
        return _page(event, said=str(error_words(error.code))), 409
    return _done(code, "domande")


@blueprint.post("/regia/eventi/<code>/sala/sondaggi")
@allow(Permission.EVENT_RUN)
def make_poll(code: str) -> Shown:
    """Prepare a poll."""
    event = _event(code)
    form = PollForm()
    if not form.validate_on_submit():
        return _page(event, form), 422
    command = room_polls.MakePoll(event.id, form.text.data, tuple(a.data or "" for a in form.answers))
    try:
        with transaction() as ctx:
            room_polls.make(ctx, command)
    except Invalid as error:
        refuse(form, error)
        return _page(event, form), 422
    return _done(code, "sondaggi")


@blueprint.post("/regia/eventi/<code>/sala/sondaggi/<int:number>")
@allow(Permission.EVENT_RUN)
def poll(code: str, number: int) -> Shown:
    """Open or close a poll."""
    event = _event(code)
    state = _POLL_ACTS.get(request.form.get("che", ""))
    if not LabForm().validate_on_submit() or state is None:
        abort(400)
    try:
        with transaction() as ctx:
            room_polls.set_state(ctx, number, state)
    except Conflict as error:
        return _page(event, said=str(error_words(error.code))), 409
    return _done(code, "sondaggi")
