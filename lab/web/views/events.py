"""Meetings, read: the list, the page of each, its documents and its poster."""

from __future__ import annotations

from flask import Blueprint, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.text import slugify
from lab.models.events import Event
from lab.services import event_documents, events, tickets
from lab.web import event_filters, event_page, uploads
from lab.web import programme_cards as cards
from lab.web.access import cached, public
from lab.web.app_state import context, lab
from lab.web.fragments import same_for_readers
from lab.web.pagination import decode_key, encode_key, page_url
from lab.web.qr import qr_svg
from lab.web.views.sign_up import ticket_url

blueprint = Blueprint("events", __name__)

#: Marks of pages: further into the past, further ahead.
AFTER, AHEAD = "dopo", "poi"
#: Sheets a poster is printed on.
SHEETS = ("a4", "a3")


def _mark(name: str) -> events.Mark | None:
    return cards.mark_of(decode_key(request.args.get(name), 2))


def _next(name: str, other: str, found: list[Event], more: bool) -> str | None:
    if not more:
        return None
    return page_url(**{name: encode_key(found[-1].starts_at.isoformat(), found[-1].id), other: None})


@blueprint.get("/eventi")
@same_for_readers
@cached
def index() -> str:
    """What comes and what has been, all or those of one kind, place, project or series."""
    after, ahead = _mark(AFTER), _mark(AHEAD)
    filters = event_filters.read()
    found = events.calendar(context(), filters.wish, after, ahead)
    series = (
        next((one.series.title for one in found.coming + found.past if one.series), "")
        if (filters.wish.series_id)
        else ""
    )
    return render_template(
        "pages/events/index.html",
        filters=filters,
        kinds=event_filters.kinds(),
        chips=filters.chips(series),
        coming=[cards.event_card(event) for event in found.coming],
        past=[cards.event_card(event) for event in found.past],
        shows_coming=not after,
        shows_past=not ahead,
        first_url=page_url(dopo=None, poi=None) if after or ahead else None,
        coming_url=_next(AHEAD, AFTER, found.coming, found.more_coming),
        past_url=_next(AFTER, AHEAD, found.past, found.more_past),
        breadcrumb=[(_("Incontri"), None)],
    )


@blueprint.get("/eventi/<code>")
@cached
def show(code: str) -> str:
    """What, when, where, for what, how to come, what came of it and what was said there."""
    key = decode_key(request.args.get(AFTER), 1)
    after = key[0] if key and isinstance(key[0], int) else None
    found = events.page(context(), code, after)
    event, more = found.event, found.outcome.more_after
    facts = event_page.facts(context(), event)
    own = tickets.own(context(), event.id) if facts["signs_up"] else None
    return render_template(
        "pages/events/show.html",
        event=event,
        parts=found.parts,
        agenda=event_page.agenda(event, found.parts.agenda),
        outcome=found.outcome,
        first_url=url_for("events.show", code=code) if after else None,
        next_url=page_url(**{AFTER: encode_key(more)}) if more else None,
        breadcrumb=[(_("Incontri"), url_for("events.index")), (event.title, None)],
        own_state=tickets.state_shown(context(), own) if own else None,
        own_url=ticket_url(own) if own else None,
        **facts,
    )


@blueprint.get("/eventi/<code>/locandina")
@cached
def poster(code: str) -> str:
    """One sheet for the stairs and the shops, on A4 or A3, readable from two metres."""
    event = events.readable(context(), code)
    sheet = request.args.get("foglio", SHEETS[0])
    address = lab().settings.base_url + url_for("events.show", code=event.code)
    return render_template(
        "pages/events/poster.html",
        event=event,
        sheet=sheet if sheet in SHEETS else SHEETS[0],
        sheets=SHEETS,
        size=event_page.title_size(event.title),
        qr=qr_svg(address, "poster-qr"),
        address=address.partition("://")[2],
        **event_page.facts(context(), event),
    )


@blueprint.get("/eventi/<code>/documenti/<int:number>.pdf")
@public
def document(code: str, number: int) -> Response:
    """A PDF of a meeting, to keep: never opened inside the site."""
    row = event_documents.file_of(context(), code, number)
    answer = send_file(
        uploads.document_path(lab().settings.uploads, row.file_name),
        mimetype="application/pdf",
        as_attachment=True,
        download_name=f"{slugify(row.title, fallback='documento')}.pdf",
        conditional=True,
        etag=False,
    )
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "no-store"
    return answer
