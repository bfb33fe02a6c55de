"""The pages of one meeting at the desk, as tabs: only those the person may open."""

from __future__ import annotations

from flask import request, url_for
from flask_babel import gettext as _

from lab.models.events import Event
from lab.policy.permissions import Permission
from lab.web.app_state import context
from lab.web.nav import NavItem

_TABS = (
    ("event_desk.show", Permission.EVENT_EDIT),
    ("sign_up_desk.people", Permission.EVENT_RUN),
    ("sign_up_desk.looks", Permission.AUDIT_SEE),
    ("door.show", Permission.EVENT_RUN),
    ("kiosk_desk.index", Permission.EVENT_RUN),
    ("room_desk.steer", Permission.EVENT_RUN),
    ("capture.show", Permission.EVENT_CAPTURE),
    ("minutes.edit", Permission.EVENT_CAPTURE),
)


def event_trail(event: Event, *further: tuple[str, str | None]) -> list[tuple[str, str | None]]:
    """The way to a page of this meeting at the desk: the list of meetings, its own page, then `further`."""
    return [
        (_("Incontri"), url_for("event_desk.index")),
        (event.code, url_for("event_desk.show", code=event.code)),
        *further,
    ]


def event_tabs(event: Event) -> list[NavItem]:
    """The tabs above every page of this meeting. `event.hosts` must be loaded."""
    words = {
        "event_desk.show": _("Scheda"),
        "sign_up_desk.people": _("Iscritti"),
        "sign_up_desk.looks": _("Chi ha guardato"),
        "door.show": _("Ingresso"),
        "kiosk_desk.index": _("Totem"),
        "room_desk.steer": _("Sala"),
        "capture.show": _("Raccolta"),
        "minutes.edit": _("Verbale"),
    }
    here = request.blueprint
    ctx = context()
    return [
        NavItem(words[endpoint], url_for(endpoint, code=event.code), endpoint.partition(".")[0] == here)
        for endpoint, permission in _TABS
        if ctx.may(permission, event)
        # Hosts find the log of looks under their list; who reads the log finds it here.
        and not (endpoint == "sign_up_desk.looks" and ctx.may(Permission.EVENT_RUN, event))
    ]
