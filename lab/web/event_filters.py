"""The filters of meetings as they stand in addresses: kind, place, project, series."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import request
from flask_babel import gettext as _

from lab.kernel.errors import NotFound
from lab.models.events import EventKind
from lab.services import listing
from lab.services.events import Wish
from lab.services.listing import Choice
from lab.web.app_state import context
from lab.web.i18n import language
from lab.web.labels import label
from lab.web.numbers import whole
from lab.web.pagination import page_url

KIND, PLACE, PROJECT, SERIES = "tipo", "luogo", "progetto", "serie"


@dataclass(frozen=True)
class Filters:
    """What was chosen, as a wish for the service and as parts of the page."""

    wish: Wish
    #: Query values that stand for the choice, in a fixed order.
    query: dict[str, Any]
    choices: list[Choice] = field(default_factory=list)

    @property
    def any(self) -> bool:
        """Whether anything was chosen."""
        return bool(self.query)

    def options(self, what: str, everything: str) -> list[tuple[str, str]]:
        """The answers of one select, what is no longer in use left out."""
        locale = language()
        chosen = self.query.get(PLACE if what == "place" else PROJECT)
        return [
            ("", everything),
            *(
                (one.code, one.word(locale))
                for one in self.choices
                if one.what == what and (not one.retired or one.code == chosen)
            ),
        ]

    def word(self, name: str) -> str:
        """What was chosen, in words; "" for a series, whose name the meetings carry."""
        code = self.query.get(name, "")
        if name == KIND:
            return str(label(EventKind(code))) if code else ""
        what = "place" if name == PLACE else "project"
        return next((c.word(language()) for c in self.choices if c.what == what and c.code == code), "")

    def chips(self, series_title: str = "") -> list[tuple[str, str]]:
        """Each choice with the address without it."""
        words = {SERIES: series_title or str(_("Una serie di incontri"))}
        return [
            (words.get(name) or self.word(name), page_url(**{name: None, "dopo": None, "poi": None}))
            for name in self.query
        ]


def kinds() -> list[tuple[str, Any]]:
    """The answers of the select of kinds."""
    return [("", _("Tutti")), *((str(kind), label(kind)) for kind in EventKind)]


def read(*, strict: bool = False) -> Filters:
    """The filters of this request; one statement.

    What names nothing is left out, so that an old link shows a list; `strict` raises `NotFound` instead,
    so that a calendar never subscribes to everything by mistake.
    """
    asked = {name: request.args.get(name, "") for name in (KIND, PLACE, PROJECT, SERIES)}
    choices = listing.choices(context())
    kind = EventKind(asked[KIND]) if asked[KIND] in set(EventKind) else None
    ids = {one.what + one.code: one.id for one in choices}
    place, project = ids.get("place" + asked[PLACE]), ids.get("project" + asked[PROJECT])
    series = whole(asked[SERIES])
    known = {KIND: kind, PLACE: place, PROJECT: project, SERIES: series}
    if strict and any(asked[name] and known[name] is None for name in asked):
        raise NotFound("filter")
    query = {name: asked[name] for name in asked if known[name] is not None}
    return Filters(Wish(kind, place, project, series), query, choices)
