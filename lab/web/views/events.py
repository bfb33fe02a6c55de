"""Meetings, read: the list and the page of each."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.services import events
from lab.web import programme_cards as cards
from lab.web.access import cached, public
from lab.web.app_state import context
from lab.web.fragments import same_for_readers
from lab.web.pagination import decode_key, encode_key, page_url

blueprint = Blueprint("events", __name__)

AFTER = "dopo"


def _after() -> events.Mark | None:
    return cards.mark_of(decode_key(request.args.get(AFTER), 2))


@blueprint.get("/eventi")
@same_for_readers
@cached
def index() -> str:
    """What comes and what has been."""
    after = _after()
    found = events.calendar(context(), after)
    last = found.past[-1] if found.has_more else None
    next_url = page_url(**{AFTER: encode_key(last.starts_at.isoformat(), last.id)}) if last else None
    return render_template(
        "pages/events/index.html",
        coming=[cards.event_card(event) for event in found.coming],
        past=[cards.event_card(event) for event in found.past],
        first_url=url_for("events.index") if after else None,
        next_url=next_url,
        breadcrumb=[(_("Incontri"), None)],
    )


@blueprint.get("/eventi/<code>")
@cached
def show(code: str) -> str:
    """What, when, where, how to get in, what came of it and what was said there."""
    ctx = context()
    after = _after()
    found = events.page(ctx, code, after)
    last = found.said[-1] if found.has_more else None
    next_url = page_url(**{AFTER: encode_key(last.created_at.isoformat(), last.id)}) if last else None
    return render_template(
        "pages/events/show.html",
        event=found.event,
        place_name=cards.local_name(found.event.place),
        duration=cards.duration_words(found.event.minutes),
        is_past=events.is_past(ctx, found.event),
        projects=found.projects,
        said=[cards.voice_card(contribution) for contribution in found.said],
        first_url=url_for("events.show", code=code) if after else None,
        next_url=next_url,
        breadcrumb=[(_("Incontri"), url_for("events.index")), (found.event.title, None)],
    )


@blueprint.get("/calendario")
@public
def calendar() -> Response:
    """The printed address of the calendar; the list of meetings stands for it."""
    return redirect(url_for("events.index"), 302)
