"""The calendar of meetings: months, lists, places; files for the calendars people carry with them."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response, render_template, request, url_for
from flask_babel import gettext as _

from lab.kernel.clock import local_date
from lab.kernel.errors import NotFound
from lab.kernel.text import slugify
from lab.models.events import Event
from lab.services import event_calendar, events
from lab.services.event_calendar import Entry
from lab.web import event_filters, event_page, month
from lab.web import programme_cards as cards
from lab.web.access import cached
from lab.web.app_state import context, lab
from lab.web.fragments import same_for_readers
from lab.web.nav import NavItem
from lab.web.pagination import page_url
from lab.web.template_globals import site_view
from lab.web.views.events import blueprint

#: The ways to look at a month, by the word in the address.
VIEWS = ("mese", "elenco", "luoghi")


@blueprint.get("/calendario")
@same_for_readers
@cached
def calendar() -> str:
    """One month: as a grid, as a list, by place."""
    first = month.parse(request.args.get("mese"), cards.today())
    if first is None:
        raise NotFound("month")
    view = request.args.get("vista", VIEWS[0])
    view = view if view in VIEWS else VIEWS[0]
    filters = event_filters.read()
    found = events.between(context(), filters.wish, first, month.after(first))
    dated = [(_day(event), cards.event_card(event)) for event in found]
    return render_template(
        "pages/events/calendar.html",
        filters=filters,
        kinds=event_filters.kinds(),
        chips=filters.chips(),
        view=view,
        tabs=_tabs(view),
        first=first,
        months=_months(first),
        today=cards.today(),
        weekdays=month.weekdays(),
        weeks=month.weeks(first, dated),
        days=_days(dated),
        places=_places(found) if view == "luoghi" else [],
        feed_url=event_page.feed_url(filters),
        breadcrumb=[(_("Incontri"), url_for("events.index")), (_("Calendario"), None)],
    )


def _day(event: Event) -> date:
    return local_date(event.starts_at, lab().settings.timezone)


def _tabs(view: str) -> list[NavItem]:
    words = {"mese": _("Mese"), "elenco": _("Elenco"), "luoghi": _("Luoghi")}
    return [
        NavItem(words[one], page_url(vista=None if one == VIEWS[0] else one), one == view) for one in VIEWS
    ]


def _months(first: date) -> dict[str, tuple[date, str] | None]:
    """The months before and after with their addresses, and this one."""
    found: dict[str, tuple[date, str] | None] = {}
    for name, by in (("before", -1), ("after", 1)):
        other = month.beside(first, by)
        found[name] = (other, page_url(mese=month.code(other))) if other else None
    now = cards.today().replace(day=1)
    found["now"] = None if now == first else (now, page_url(mese=None))
    return found


def _days(dated: list[tuple[date, Any]]) -> list[tuple[date, list[Any]]]:
    days: dict[date, list[Any]] = {}
    for day, card in dated:
        days.setdefault(day, []).append(card)
    return list(days.items())


def _places(found: list[Event]) -> list[dict[str, Any]]:
    """The places of the month, those with a point on the plan first, each with its meetings."""
    places: dict[str, dict[str, Any]] = {}
    for event in sorted(found, key=lambda one: one.place is None):
        place = event.place
        code = place.code if place else event.place_note
        group = places.setdefault(
            code,
            {
                "code": place.code if place else None,
                "name": cards.local_name(place) or event.place_note or _("Posto da decidere"),
                "x": place.x if place else None,
                "y": place.y if place else None,
                "cards": [],
            },
        )
        group["cards"].append(cards.event_card(event))
    return list(places.values())


@blueprint.get("/eventi.ics")
@cached
def all_calendar() -> Response:
    """All meetings, or those of one kind, place, project or series, to subscribe to."""
    filters = event_filters.read(strict=True)
    found = events.subscribed(context(), filters.wish)
    chosen = [words for words in map(filters.word, filters.query) if words]
    return _file(found, "incontri", ": ".join([site_view().name, ", ".join(chosen) or _("Incontri")]))


@blueprint.get("/eventi/<code>.ics")
@blueprint.get("/eventi/<code>/calendario.ics")
@cached
def one_calendar(code: str) -> Response:
    """One meeting as a calendar file."""
    event = events.readable(context(), code)
    return _file([event], slugify(event.code, fallback="incontro"))


def _file(found: list[Event], file_name: str, name: str = "") -> Response:
    settings = lab().settings
    entries = [
        Entry(
            event,
            settings.base_url + url_for("events.show", code=event.code),
            cards.local_name(event.place),
        )
        for event in found
    ]
    body = event_calendar.calendar_file(
        entries, timezone=settings.timezone, base_url=settings.base_url, name=name
    )
    answer = Response(body, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name}.ics"'
    return answer
