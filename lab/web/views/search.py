"""One search over the whole site."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _

from lab.kernel.text import excerpt
from lab.models.actions import ActionState
from lab.models.contributions import State
from lab.models.events import EventState
from lab.models.projects import ProjectState
from lab.services import search
from lab.services.search import Hit, Subject
from lab.web.access import cached
from lab.web.app_state import context
from lab.web.pagination import decode_key, encode_key
from lab.web.searched import asked_words, look_for_what_was_meant, put_right

blueprint = Blueprint("search", __name__)

TABS = {
    "progetti": Subject.PROJECT,
    "azioni": Subject.ACTION,
    "incontri": Subject.EVENT,
    "proposte": Subject.CONTRIBUTION,
}
_ENDPOINTS = {
    Subject.CONTRIBUTION: "proposals.show",
    Subject.ACTION: "actions.show",
    Subject.PROJECT: "projects.show",
    Subject.EVENT: "events.show",
}
_STATES: dict[Subject, Any] = {
    Subject.CONTRIBUTION: State,
    Subject.ACTION: ActionState,
    Subject.PROJECT: ProjectState,
    Subject.EVENT: EventState,
}


@dataclass(frozen=True)
class Tab:
    """One tab, or one section of everything."""

    label: str
    url: str
    active: bool = False
    more: bool = False
    lines: tuple[dict[str, Any], ...] = ()


def _words() -> dict[Subject, str]:
    return {
        Subject.PROJECT: _("Progetti"),
        Subject.ACTION: _("Azioni"),
        Subject.EVENT: _("Incontri"),
        Subject.CONTRIBUTION: _("Proposte"),
    }


@blueprint.get("/cerca")
@cached
def index() -> str:
    """Everything in which the words occur: a few of each kind, or one kind page by page."""
    words = asked_words()
    tab = request.args.get("in", "")
    subject = TABS.get(tab)
    good = search.is_searchable(words)
    values: dict[str, Any] = {"sections": [], "lines": [], "next_url": None, "start_url": None}
    if good and subject:
        values.update(_one(subject, tab, words))
    elif good:
        values["sections"] = _all(words)
    here = partial(_url, **({"in": tab} if subject else {}))
    if good and not (values["lines"] or values["sections"]):
        look_for_what_was_meant(words, subject, here)
    return render_template(
        "pages/search/index.html",
        q=words,
        good=good,
        put_right=put_right(here),
        tabs=_tabs(words, subject) if good else [],
        breadcrumb=[(_("Cerca"), None)],
        **values,
    )


def _url(**query: Any) -> str:
    return url_for("search.index", **query)


def _tabs(words: str, subject: Subject | None) -> list[Tab]:
    labels = _words()
    first = Tab(_("Tutto"), _url(q=words), subject is None)
    return [first] + [
        Tab(labels[kind], _url(q=words, **{"in": name}), kind is subject) for name, kind in TABS.items()
    ]


def _one(subject: Subject, tab: str, words: str) -> dict[str, Any]:
    mark = decode_key(request.args.get("dopo"), 1)
    before = mark[0] if mark and isinstance(mark[0], int) else None
    hits = search.find(context(), subject, words, before)
    here = {"q": words, "in": tab}
    return {
        "lines": [_line(hit) for hit in hits.items],
        "next_url": _url(**here, dopo=encode_key(hits.items[-1].key)) if hits.more else None,
        "start_url": _url(**here) if before is not None else None,
    }


def _all(words: str) -> list[Tab]:
    labels = _words()
    names = {kind: name for name, kind in TABS.items()}
    return [
        Tab(
            labels[kind],
            _url(q=words, **{"in": names[kind]}),
            more=hits.more,
            lines=tuple(_line(hit) for hit in hits.items),
        )
        for kind, hits in search.overview(context(), words).items()
    ]


def _line(hit: Hit) -> dict[str, Any]:
    return {
        "url": url_for(_ENDPOINTS[hit.subject], code=hit.code),
        "title": hit.title or excerpt(hit.text, 90),
        "text": excerpt(hit.text, 200) if hit.title else "",
        "lang": hit.lang,
        "state": _STATES[hit.subject](hit.state),
        "date": hit.at,
    }
