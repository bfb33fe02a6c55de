"""The tablet's page, its worker and its manifest: files that are the same for everybody (docs/kiosk.md)."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, abort, make_response, render_template
from flask_babel import gettext as _

from lab.settings import resource_dir
from lab.web.access import cached, public
from lab.web.app_state import lab
from lab.web.template_globals import site_view

blueprint = Blueprint("kiosk", __name__)

#: What the page needs besides itself, in the names of the bundle.
SHELL = (
    "kiosk.js",
    "kiosk.css",
    "kiosk-scan.js",
    "icons.svg",
    "images/plan.svg",
    "images/favicon.svg",
    "fonts/titillium-400.woff2",
    "fonts/titillium-600.woff2",
    "fonts/titillium-400-ext.woff2",
    "fonts/titillium-600-ext.woff2",
)
_TEMPLATES = ("layouts/kiosk.html", "pages/kiosk/index.html")


@blueprint.get("/totem")
@cached
def index() -> Response:
    """The application. Everything that belongs to a meeting comes later, to a paired tablet only."""
    response = make_response(render_template("pages/kiosk/index.html", version=_version()))
    # By this the worker knows the page from a hotel's, and from one that belongs to other files.
    response.headers["X-Totem"] = _version()
    return response


@blueprint.get("/totem-worker.js")
@public
def worker() -> Response:
    """The worker, preceded by what it keeps. Switched off, it takes itself off every tablet."""
    source = _worker_file()
    if not source.is_file():
        abort(404)
    is_on = lab().settings.kiosk_worker
    shell = {"version": _version(), "files": _files()} if is_on else None
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


def _files() -> list[str]:
    return [lab().assets.url(name) for name in SHELL]


def _worker_file() -> Path:
    assets = lab().assets
    return assets.folder / assets.url("kiosk-worker.js").removeprefix(assets.PREFIX)


def _version() -> str:
    return _digest((*_files(), lab().assets.url("kiosk-worker.js")))


@lru_cache(maxsize=8)
def _digest(files: tuple[str, ...]) -> str:
    """One name for the page and all its files; another when any of them is another."""
    whole = hashlib.sha256("\n".join(files).encode())
    for name in _TEMPLATES:
        whole.update((resource_dir("templates") / name).read_bytes())
    return whole.hexdigest()[:12]
