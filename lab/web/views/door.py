"""At the door: find, mark, let in, take back; for the hosts of the meeting alone.

Names never stand in an address: what is searched for is posted. With script the answers are put in place,
without it every answer is the whole page.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.ids import new_key
from lab.models.events import Event
from lab.policy.permissions import Permission
from lab.services import arrivals, door_list, hosting
from lab.services.arrivals import Arrive, WalkIn
from lab.web import door_answer
from lab.web.access import allow
from lab.web.app_state import context, transaction
from lab.web.door_answer import STOPS, Answer, Say
from lab.web.event_tabs import event_tabs, event_trail
from lab.web.forms.base import LabForm
from lab.web.forms.sign_up import need_words
from lab.web.labels import error_words

blueprint = Blueprint("door", __name__, url_prefix="/regia/eventi/<code>/ingresso")

FRAGMENT = "X-Fragment"
Page = tuple[str, int]


@blueprint.get("")
@allow(Permission.EVENT_RUN)
def show(code: str) -> str:
    """The page of the door; after a mark (`fatto`) with what it did."""
    event = seen(code, "door")
    arrival_id = request.args.get("fatto", type=int)
    answer = None
    if arrival_id is not None and 0 < arrival_id < 2**31:
        answer = door_answer.after_mark(context(), event, arrival_id, again="ancora" in request.args)
    return _draw(event, answer)


@blueprint.get("/conto.json")
@allow(Permission.EVENT_RUN)
def live(code: str) -> Response:
    """The numbers alone, asked for every few seconds: nobody's name, so no look."""
    event, _grant = hosting.by_code(context(), code)
    now = door_list.numbers(context(), event)
    return jsonify(arrived=now.arrived, taken=now.taken, waiting=now.waiting, full=now.is_full)


@blueprint.post("/cerca")
@allow(Permission.EVENT_RUN)
def find(code: str) -> str:
    """Who this may be: by name, code, telephone, or the address of a ticket."""
    event = seen(code, "search")
    words = request.form.get("parole", "").strip()[:400]
    if not words:
        return _draw(event, None)
    return _draw(event, door_answer.found(context(), event, words))


@blueprint.post("/arrivo")
@allow(Permission.EVENT_RUN)
def mark(code: str) -> AnyResponse | Page:
    """Mark a party as arrived: the one chosen, or the one whose code or ticket was read."""
    event, _grant = hosting.by_code(context(), code)
    words = request.form.get("letto", "").strip()[:400]
    command: Arrive | None = None
    try:
        with transaction() as ctx:
            command = replace(
                door_answer.whom(ctx, event, words, _number("iscrizione")),
                people=_number("quanti"),
                override_reason=request.form.get("perche", ""),
                client_uuid=_uuid(),
            )
            done = arrivals.arrive(ctx, command)
    except NotFound as error:
        say = Say.OTHER_EVENT if error.thing == Say.OTHER_EVENT else Say.UNKNOWN
        return _refusal(code, Answer(say), 404)
    except Conflict as error:
        assert command is not None
        if error.code not in STOPS:
            return _refusal(code, Answer(Say.REFUSED, trouble=str(error_words(error.code))), 409)
        return _refusal(code, door_answer.refused(context(), event, STOPS[error.code], command), 409)
    except Invalid as error:
        return _refusal(code, Answer(Say.REFUSED, trouble=str(error_words(error.code))), 422)
    return _marked(code, done.arrival.id, again=done.again)


@blueprint.post("/senza-iscrizione")
@allow(Permission.EVENT_RUN)
def walk_in(code: str) -> AnyResponse | Page:
    """Let in somebody who is on no list; the name is enough."""
    event, _grant = hosting.by_code(context(), code)
    name = request.form.get("nome", "")[:200]
    people = _number("quanti") or 1
    try:
        with transaction() as ctx:
            reason = request.form.get("perche", "")
            command = WalkIn(event.id, name, people, override_reason=reason, client_uuid=_uuid())
            done = arrivals.walk_in(ctx, command)
    except Conflict as error:
        words = "" if error.code in STOPS else str(error_words(error.code))
        say = STOPS.get(error.code, Say.REFUSED)
        return _refusal(code, Answer(say, words=name, people=people, trouble=words), 409)
    except Invalid as error:
        words = str(error_words(error.code))
        answer = Answer(Say.REFUSED, words=name, people=people, trouble=words)
        return _refusal(code, answer, 422)
    return _marked(code, done.arrival.id, again=done.again)


@blueprint.post("/<int(max=2147483647):arrival_id>/annulla")
@allow(Permission.EVENT_RUN)
def undo(code: str, arrival_id: int) -> AnyResponse:
    """Take a mark back."""
    event, _grant = hosting.by_code(context(), code)
    with transaction() as ctx:
        arrivals.undo(ctx, event.id, arrival_id)
    return _marked(code, arrival_id)


@blueprint.post("/<int(max=2147483647):arrival_id>/quanti")
@allow(Permission.EVENT_RUN)
def recount(code: str, arrival_id: int) -> AnyResponse | Page:
    """Say anew how many of a party came."""
    event, _grant = hosting.by_code(context(), code)
    people = _number("quanti") or 0
    try:
        with transaction() as ctx:
            arrivals.recount(ctx, event.id, arrival_id, people, request.form.get("perche", ""))
    except (Conflict, Invalid) as error:
        answer = door_answer.after_mark(context(), event, arrival_id, again=True)
        words = str(error_words(error.code))
        status = 422 if isinstance(error, Invalid) else 409
        return _refusal(code, replace(answer, trouble=words, people=people), status)
    return _marked(code, arrival_id)


@blueprint.get("/biglietto/<int(max=2147483647):registration_id>")
@allow(Permission.EVENT_RUN)
def ticket(code: str, registration_id: int) -> str:
    """One party, as a host finds it who read the ticket with the phone's own camera."""
    event = seen(code, "ticket")
    entry = door_list.one(context(), event, registration_id)
    return _draw(event, Answer(Say.FOUND, [entry]))


def seen(code: str, what: str) -> Event:
    """The meeting that this host runs, with the look written down. Raises `NotFound`."""
    with transaction() as ctx:
        return door_list.event_of(ctx, code, what)


def _draw(event: Event, answer: Answer | None) -> str:
    ctx = context()
    piece = request.headers.get(FRAGMENT) == "1"
    return render_template(
        "pages/door/_pieces.html" if piece else "pages/door/show.html",
        event=event,
        tabs=[] if piece else event_tabs(event),
        numbers=door_list.numbers(ctx, event),
        last=door_list.last(ctx, event),
        needs=None if piece else door_list.needs(ctx, event),
        answer=answer,
        say=Say,
        form=LabForm(),
        new_key=new_key,
        need_word=need_words,
        breadcrumb=event_trail(event, (_("Ingresso"), None)),
    )


def _refusal(code: str, answer: Answer, status: int) -> Page:
    return _draw(seen(code, "door"), answer), status


def _marked(code: str, arrival_id: int, *, again: bool = False) -> AnyResponse:
    to = url_for("door.show", code=code, fatto=arrival_id, ancora=1 if again else None, _anchor="door-answer")
    return redirect(to, 303)


def _number(name: str) -> int | None:
    found: int | None = request.form.get(name, type=int)
    return found if found is not None and -(2**31) < found < 2**31 else None


def _uuid() -> str | None:
    return request.form.get("chiave", "").strip()[:36] or None
