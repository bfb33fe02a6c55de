"""The tablet's page, its worker and its manifest: files that are the same for everybody (docs/kiosk.md)."""

from __future__ import annotations

import json

from flask import Blueprint, Response, abort, make_response, render_template
from flask_babel import gettext as _

from lab.web import kiosk_shell
from lab.web.access import cached, public
from lab.web.app_state import lab
from lab.web.template_globals import site_view

blueprint = Blueprint("kiosk", __name__)


@blueprint.get("/totem")
@cached
def index() -> Response:
    """The application. Everything that belongs to a meeting comes later, to a paired tablet only."""
    response = make_response(render_template("pages/kiosk/index.html", version=kiosk_shell.version()))
    # By this the worker knows the page from a hotel's, and from one that belongs to other files.
    response.headers["X-Totem"] = kiosk_shell.version()
    return response


@blueprint.get("/totem-worker.js")
@public
def worker() -> Response:
    """The worker, preceded by what it keeps. Switched off, it takes itself off every tablet."""
    source = kiosk_shell.worker_file()
    if not source.is_file():
        abort(404)
    is_on = lab().settings.kiosk_worker
    shell = {"version": kiosk_shell.version(), "files": kiosk_shell.files()} if is_on else None
    body = f"self.SHELL={json.dumps(shell)};\n" + source.read_text(encoding="utf-8")
    response = Response(body, content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Service-Worker-Allowed"] = "/totem"
    response.add_etag()
    return response


@blueprint.get("/totem.webmanifest")
@public
def manifest() -> Response:
    """What a home screen wants to know: installed, a tablet keeps its memory for longer."""
    icon = {"src": lab().assets.url("images/favicon.svg"), "sizes": "any", "type": "image/svg+xml"}
    told = {
        "id": "/totem",
        "name": _("Totem del Laboratorio"),
        "short_name": _("Totem"),
        "description": site_view().name,
        "start_url": "/totem",
        "scope": "/totem",
        "display": "fullscreen",
        "background_color": "#fbf7f0",
        "theme_color": "#0b5d4e",
        "icons": [icon],
    }
    response = Response(
        json.dumps(told, ensure_ascii=False), content_type="application/manifest+json; charset=utf-8"
    )
    response.headers["Cache-Control"] = "no-cache"
    return response
