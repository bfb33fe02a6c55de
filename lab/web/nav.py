"""The menus: what the public and the staff find at the top of every page."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request, url_for
from flask_babel import gettext as _

from lab.policy import rules
from lab.policy.permissions import Permission
from lab.services import desk_waiting
from lab.web.app_state import context


@dataclass(frozen=True)
class NavItem:
    """One entry of a menu. `count` is shown beside it when given."""

    label: str
    url: str
    active: bool
    count: int | None = None
    #: There are more than `count`: nobody counts further.
    more: bool = False


def _item(label: str, endpoint: str, *prefixes: str, count: int | None = None) -> NavItem:
    here = request.endpoint or ""
    return NavItem(label, url_for(endpoint), here.startswith(prefixes or (endpoint,)), count)


def public_nav() -> list[NavItem]:
    """The public menu."""
    return [
        _item(_("Proposte"), "proposals.index", "proposals."),
        _item(_("Azioni"), "actions.index", "actions."),
        _item(_("Progetti"), "projects.index", "projects."),
        _item(_("Incontri"), "events.index", "events."),
        _item(_("Che cosa ne è stato"), "outcomes.index", "outcomes."),
        _item(_("Il Contratto"), "programme.index", "programme."),
    ]


#: Staff pages in order, each with the right that shows it; of pages with one prefix the first one may open.
_DESK = (
    ("desk.inbox", "desk.", Permission.INBOX_SEE),
    ("intake.new", "intake.", Permission.CONTRIBUTION_TYPE),
    ("event_desk.index", "event_desk.", Permission.EVENT_EDIT),
    ("weaving.index", "weaving.", Permission.DESK_SEE),
    ("project_desk.index", "project_desk.", Permission.DESK_SEE),
    ("commitments.index", "commitments.", Permission.COMMITMENT_UPDATE),
    ("moderation.index", "moderation.", Permission.APPEAL_SETTLE),
    ("people.index", "people.", Permission.PERSON_REGISTER),
    ("letters.index", "letters.", Permission.LETTER_PRINT),
    ("house.settings", "house.", Permission.SETTINGS_EDIT),
    ("house.themes", "house.", Permission.PROGRAMME_EDIT),
)


#: Pages that are part of what another entry of the menu leads to.
_WITHIN = {
    "project_desk.index": ("programme_desk.",),
    "event_desk.index": ("sign_up_desk.", "door.", "kiosk_desk.", "room_desk.", "capture.", "minutes."),
}


def _desk_words() -> dict[str, str]:
    return {
        "desk.inbox": _("Da fare"),
        "intake.new": _("Scrivi per qualcuno"),
        "event_desk.index": _("Incontri"),
        "weaving.index": _("Azioni"),
        "project_desk.index": _("Progetti"),
        "commitments.index": _("Impegni"),
        "moderation.index": _("Moderazione"),
        "people.index": _("Persone"),
        "letters.index": _("Lettere"),
        "house.settings": _("Il sito"),
        "house.themes": _("Il sito"),
    }


#: Where work begins, for each function by the first right it holds.
_STARTS = (
    ("desk.inbox", Permission.INBOX_SEE),
    ("house.settings", Permission.SETTINGS_EDIT),
    ("project_desk.index", Permission.DESK_SEE),
)


def desk_start() -> str:
    """The address at the desk where this person's work begins."""
    ctx = context()
    return next(
        url_for(endpoint)
        for endpoint, permission in _STARTS
        if rules.decide_route(ctx.actor, permission, ctx.now).allowed
    )


#: What waits behind an entry, by the right under which it is counted.
_WAITS = {
    "desk.inbox": Permission.INBOX_SEE,
    "weaving.index": Permission.ACTION_DECIDE,
    "moderation.index": Permission.APPEAL_SETTLE,
    "letters.index": Permission.LETTER_PRINT,
}


def desk_nav() -> list[NavItem]:
    """The staff menu, only what this person may open, with how much waits for them there."""
    ctx = context()
    waiting = desk_waiting.counts(ctx)
    words = _desk_words()
    first = {
        prefix: endpoint
        for endpoint, prefix, permission in reversed(_DESK)
        if rules.decide_route(ctx.actor, permission, ctx.now).allowed
    }
    return [
        _item(
            words[endpoint],
            endpoint,
            prefix,
            *_WITHIN.get(endpoint, ()),
            count=waiting.get(_WAITS[endpoint]) if endpoint in _WAITS else None,
        )
        for endpoint, prefix, _permission in _DESK
        if first.get(prefix) == endpoint
    ]
