"""The screen in the room and the hand in the hall: everybody may look, phones take part without account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, jsonify, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from lab.kernel.clock import local_date
from lab.kernel.errors import Conflict, Invalid
from lab.kernel.ids import new_token
from lab.models.events import Event
from lab.models.rooms import Room, RoomPoll, RoomView
from lab.policy.actor import ANONYMOUS
from lab.policy.permissions import Permission
from lab.services import limits, room, room_polls, room_questions
from lab.services.context import Context
from lab.web import entrance, programme_cards, room_live
from lab.web.access import public
from lab.web.app_state import context, lab, transaction
from lab.web.forms.base import refuse
from lab.web.forms.room import AskForm
from lab.web.labels import error_words
from lab.web.qr import qr_svg

blueprint = Blueprint("room", __name__)

#: The random token by which one phone has one hand; it says nothing about whose phone it is.
_VOTER = "hall"
_ASKED = "asked"
#: What the address of a screen opened by a host is signed for: it gets a stream whoever else looks.
_SCREEN = "room_screen"
_SCREEN_AGE = timedelta(days=4)


def _voter(*, make: bool = False) -> str:
    kept = session.get(_VOTER, "")
    if not kept and make:
        kept = session[_VOTER] = new_token(128)
    return str(kept)


def _address(code: str, endpoint: str) -> str:
    return lab().settings.base_url + url_for(endpoint, code=code)


def bars(poll: RoomPoll) -> list[dict[str, Any]]:
    """The answers of a poll with votes and per cent, for bars and the table beside them."""
    total = sum(option.votes for option in poll.options)
    return [
        {"id": option.id, "label": option.label, "votes": option.votes,
         "percent": round(100 * option.votes / total) if total else 0}
        for option in poll.options
    ]  # fmt: skip


@blueprint.get("/sala/<code>")
@public
def show(code: str) -> str:
    """The projector page; read from ten metres, it changes by itself."""
    ctx = context()
    event = room.event_of(ctx, code)
    key = request.args.get("chiave", "")
    if not _opened_by_host(key, event):
        key = screen_key(event) if ctx.may(Permission.EVENT_RUN, event) else ""
    return render_template("pages/room/screen.html", key=key or None, **_screen(ctx, event))


def screen_key(event: Event) -> str:
    """What tells the screen of a host from everybody else's."""
    return lab().signer.sign(_SCREEN, event.id)


def _opened_by_host(key: str, event: Event) -> bool:
    return bool(key) and lab().signer.open(_SCREEN, key, _SCREEN_AGE) == event.id


@blueprint.get("/sala/<code>/schermo")
@public
def fragment(code: str) -> str:
    """What the screen shows now, to be put into it."""
    event = room.event_of(context(), code)
    return render_template("pages/room/_screen.html", **_screen(context(), event))


def _screen(ctx: Context, event: Event) -> dict[str, Any]:
    found = room.screen(ctx, event)
    join = _address(event.code, "room.phone")
    return {
        "event": event,
        "now": ctx.now,
        "zone": ctx.timezone,
        "screen": found,
        "room": found.room,
        "view": found.room.view,
        "is_open": room.is_open(found.room),
        "views": RoomView,
        "place_name": programme_cards.local_name(event.place),
        "qr": qr_svg(join, "room-qr"),
        "short_address": urlsplit(lab().settings.base_url).netloc + url_for("room.show", code=event.code),
        "pins": [_pin(one) for one in found.pins],
        "bars": bars(found.poll) if found.poll else [],
        "votes": sum(option.votes for option in found.poll.options) if found.poll else 0,
        "photo": next((p for p in found.photos if p.id == found.room.photo_id), None)
        or next(iter(found.photos), None),
    }


def _pin(one: Any) -> dict[str, int]:
    x, y = (one.x, one.y) if one.x is not None else (one.place.x, one.place.y)
    return {"x": x, "y": y}


@blueprint.get("/sala/<code>/battito")
@public
def pulse(code: str) -> Response:
    """A word that changes when there is something new to draw; the fallback of the stream."""
    ctx = context()
    answer: Response = jsonify(beat=room.beat(ctx, room.event_of(ctx, code).id))
    return answer


@blueprint.get("/sala/<code>/flusso")
@public
def stream(code: str) -> Response:
    """The same word, sent as soon as it changes (server-sent events)."""
    event = room.event_of(context(), code)
    event_id, is_hosted = event.id, _opened_by_host(request.args.get("chiave", ""), event)
    parts = lab()
    # The request's own session goes back before the long answer begins.
    context().session.close()

    def beat() -> str:
        with parts.database.session() as reading:
            return room.beat(Context(reading, ANONYMOUS, parts.clock.now()), event_id)

    return room_live.stream(beat, is_hosted=is_hosted)


@blueprint.get("/sala/<code>/partecipa")
@public
def phone(code: str) -> str:
    """The hand in the hall: the poll that is open, the questions, a question of one's own."""
    event = room.event_of(context(), code)
    return _phone(event, AskForm(), asked=session.pop(_ASKED, ""))


@blueprint.get("/sala/<code>/partecipa/adesso")
@public
def phone_fragment(code: str) -> str:
    """The part of the phone's page that changes; what somebody is typing is not in it."""
    event = room.event_of(context(), code)
    return render_template("pages/room/_phone.html", **_hand(event))


def _phone(event: Event, ask_form: AskForm, said: str = "", asked: str = "") -> str:
    exit_url = url_for("events.show", code=event.code)
    return render_template(
        "pages/room/phone.html", ask_form=ask_form, said=said, asked=asked, exit_url=exit_url, **_hand(event)
    )


def _hand(event: Event) -> dict[str, Any]:
    ctx = context()
    current: Room = room.of(ctx, event)
    questions = room_questions.for_phones(ctx, event)
    poll = room_polls.open_poll(ctx, event)
    voter = _voter()
    mine = room_questions.raised(ctx, questions, voter) if voter and questions else set()
    choice = room_polls.voted(ctx, poll, voter) if voter and poll else None
    shown = {option.id: option.label for option in poll.options} if poll else {}
    return {
        "event": event,
        "room": current,
        "beat": room.beat(ctx, event.id),
        "is_open": room.is_open(current),
        "is_today": local_date(ctx.now, ctx.timezone) == local_date(event.starts_at, ctx.timezone),
        "questions": questions,
        "raised": mine,
        "poll": poll,
        "choice": choice,
        "choice_label": shown.get(choice) if choice else None,
        "bars": bars(poll) if poll else [],
        "hand_form": AskForm(formdata=None),
        "hands_words": lambda n: ngettext("%(num)d mano", "%(num)d mani", n),
    }


def _count_hand() -> None:
    # A phone without its cookie is a new phone: only the address tells a script from a hall.
    with transaction() as ctx:
        limits.spend(ctx, limits.HAND_PER_ADDRESS, entrance.address())


def _back(code: str, anchor: str) -> Response:
    return redirect(url_for("room.phone", code=code, _anchor=anchor), 303)


@blueprint.post("/sala/<code>/partecipa")
@public
def ask(code: str) -> Response | tuple[str, int]:
    """Put a question to the room."""
    event = room.event_of(context(), code)
    form = AskForm()
    if not form.validate_on_submit():
        return _phone(event, form), 422
    with transaction() as ctx:
        limits.spend(ctx, limits.SAY_PER_ADDRESS, entrance.address())
    command = room_questions.Ask(
        event.id, form.text.data, form.author_name.data or "", form.idempotency_key.data,
        voter=_voter(make=True),
    )  # fmt: skip
    try:
        with transaction() as ctx:
            asked = room_questions.ask(ctx, command)
    except Invalid as error:
        refuse(form, error)
        return _phone(event, form), 422
    except Conflict as error:
        return _phone(event, form, str(error_words(error.code))), 409
    session[_ASKED] = str(asked.state)
    return _back(code, "fatta")


@blueprint.post("/sala/<code>/partecipa/mano/<int:number>")
@public
def hand(code: str, number: int) -> Response | tuple[str, int]:
    """Raise a hand for a question of somebody else."""
    event = room.event_of(context(), code)
    _count_hand()
    try:
        with transaction() as ctx:
            room_questions.raise_hand(ctx, number, _voter(make=True))
    except Conflict as error:
        return _phone(event, AskForm(formdata=None), str(error_words(error.code))), 409
    return _back(code, f"domanda-{number}")


@blueprint.post("/sala/<code>/partecipa/voto")
@public
def vote(code: str) -> Response | tuple[str, int]:
    """Answer the poll that is open; the first answer of a phone stands."""
    event = room.event_of(context(), code)
    chosen = request.form.get("risposta", "")
    if not chosen.isdecimal() or len(chosen) > 12:
        return _phone(event, AskForm(formdata=None), _("Scegli una risposta, poi manda.")), 422
    _count_hand()
    try:
        with transaction() as ctx:
            room_polls.vote(ctx, int(chosen), _voter(make=True))
    except Conflict as error:
        return _phone(event, AskForm(formdata=None), str(error_words(error.code))), 409
    return _back(code, "sondaggio")
