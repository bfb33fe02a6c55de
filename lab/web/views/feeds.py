"""The Atom feed of what is new in public, of the whole lab or of one project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _

from lab.kernel.text import excerpt
from lab.mail import links
from lab.services import feed
from lab.services.feed import Entry
from lab.web.access import cached
from lab.web.app_state import context, lab
from lab.web.formats import datetime_words
from lab.web.labels import label

blueprint = Blueprint("feeds", __name__)

#: The day of a feed in which nothing has happened yet.
_NOTHING_YET = datetime(2026, 1, 1, tzinfo=UTC)
_TEXT = 1200


@dataclass(frozen=True)
class Shown:
    """An entry with its words."""

    id: str
    title: str
    text: str
    url: str
    author: str
    at: str


@blueprint.get("/novita.atom")
@cached
def news() -> Response:
    """The newest thirty; `?progetto=P4` for one project only."""
    ctx = context()
    code = request.args.get("progetto", "")
    project_id, title = feed.project_title(ctx, code) if code else (None, "")
    entries = feed.news(ctx, project_id)
    body = render_template(
        "feeds/news.xml",
        title=title,
        feed_id=_tag(f"feed-{code}" if code else "feed"),
        self_url=lab().settings.base_url + url_for("feeds.news", progetto=code or None),
        home_url=lab().settings.base_url + (url_for("projects.show", code=code) if code else "/"),
        updated=_rfc3339(max((entry.at for entry in entries), default=_NOTHING_YET)),
        entries=[_shown(entry) for entry in entries],
    )
    return Response(body, content_type="application/atom+xml; charset=utf-8")


def _shown(entry: Entry) -> Shown:
    return Shown(
        id=_tag(entry.key),
        title=_title(entry),
        text=excerpt(entry.text, _TEXT),
        url=lab().settings.base_url + links.path(entry.path_kind, entry.code),
        author=entry.office,
        at=_rfc3339(entry.at),
    )


def _title(entry: Entry) -> str:
    if entry.kind == "adopted":
        return str(_("Azione adottata: %(title)s", title=entry.title))
    if entry.kind == "done":
        return str(_("Azione conclusa: %(title)s", title=entry.title))
    if entry.kind == "update":
        return str(_("Novità sull'azione: %(title)s", title=entry.title))
    if entry.kind == "meeting":
        return str(_("Incontro: %(title)s, %(day)s", title=entry.title, day=datetime_words(entry.day)))
    if entry.kind == "called_off":
        return str(_("Annullato: %(title)s, %(day)s", title=entry.title, day=datetime_words(entry.day)))
    outcome = label(entry.outcome) if entry.outcome else _("Ha una risposta")
    return f"{outcome}: {entry.title}"


def _tag(key: str) -> str:
    # A tag URI (RFC 4151): ours for ever, whatever becomes of paths.
    host = urlsplit(lab().settings.base_url).hostname or "localhost"
    return f"tag:{host},{_NOTHING_YET:%Y}:{key}"


def _rfc3339(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
