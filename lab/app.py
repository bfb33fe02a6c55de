"""The composition root: from settings to a running application, one named step after the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, g, request
from flask_compress import Compress
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

from lab.db.engine import Database
from lab.kernel.clock import Clock, SystemClock
from lab.kernel.tokens import Signer
from lab.settings import Settings, resource_dir
from lab.web import (
    access,
    app_state,
    encoded,
    errors,
    foreign,
    formats,
    headers,
    i18n,
    incoming,
    numbers,
    reader,
    request_log,
    template_globals,
)
from lab.web.assets import Assets
from lab.web.page_cache import PageCache
from lab.web.views import BLUEPRINTS

#: Photographs travel together: five at the limit each, and some room for words.
_PHOTOS = 5


def create_app(settings: Settings, clock: Clock | None = None, database: Database | None = None) -> Flask:
    """Build the application. `clock` and `database` are given by tests."""
    app = Flask("lab", template_folder=str(resource_dir("templates")), static_folder=None)
    furnish(
        app,
        settings,
        clock or SystemClock(),
        database or Database(settings.database_url, slow_ms=settings.slow_statement_ms),
    )
    app.teardown_appcontext(app_state.close_session)
    _web(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def furnish(app: Flask, settings: Settings, clock: Clock, database: Database) -> None:
    """Give the application what it works with, and the layers around it, which keep pages of that database.

    It can be done again: tests have one application and many databases.
    """
    _configure(app, settings)
    app.extensions[app_state.EXTENSION] = app_state.Lab(
        settings=settings,
        database=database,
        clock=clock,
        signer=Signer(settings.secret_key, clock),
        assets=Assets(settings.static),
    )
    _serve(app)


def session_cookie(settings: Settings) -> str:
    """The name of the session cookie; the prefix ties it to this host wherever TLS is on."""
    return "__Host-lab" if settings.is_secure else "lab"


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME=session_cookie(settings),
        SESSION_COOKIE_SECURE=settings.is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=60 * 60 * 24 * 180,
        MAX_CONTENT_LENGTH=settings.max_upload_bytes * _PHOTOS + 1_000_000,
        MAX_FORM_MEMORY_SIZE=1_000_000,
        MAX_FORM_PARTS=300,
        # The token lives as long as the session it is tied to; an old page can still be sent.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=settings.is_secure,
        TRUSTED_HOSTS=[urlsplit(settings.base_url).hostname or "localhost", "localhost", "127.0.0.1"],
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=4,
        COMPRESS_MIMETYPES=["text/html", "application/json", "application/atom+xml"],
        PREFERRED_URL_SCHEME=urlsplit(settings.base_url).scheme,
    )


def _web(app: Flask) -> None:
    app.before_request(_name_request)
    numbers.init_app(app)
    i18n.init_app(app)
    incoming.init_app(app)
    foreign.init_app(app)
    reader.init_app(app)
    CSRFProtect(app)
    encoded.init_app(app)
    Compress(app)
    access.init_app(app)
    headers.init_app(app)
    errors.init_app(app)
    formats.init_app(app)
    template_globals.init_app(app)


def _name_request() -> None:
    # The log around the application has named the request; without it (a shell, a test) it is named here.
    g.request_id = request.environ.setdefault(request_log.REQUEST_ID, app_state.request_id())
    request.environ[request_log.ROUTE] = str(request.url_rule) if request.url_rule else "-"
    g.setdefault("page_cached", False)


def _serve(app: Flask) -> None:
    """The layers around Flask, from the inside out: page cache, static files, proxy, log."""
    lab: app_state.Lab = app.extensions[app_state.EXTENSION]
    settings = lab.settings
    wsgi: Callable[..., Any] = PageCache(
        partial(Flask.wsgi_app, app),
        glance=lab.database.glance,
        clock=lab.clock,
        locales=settings.locales,
        session_cookie=session_cookie(settings),
        hosts=app.config["TRUSTED_HOSTS"],
        limit=settings.page_cache_bytes,
    )
    wsgi = request_log.RequestLog(wsgi)
    wsgi = WhiteNoise(
        wsgi,
        root=_folder(lab.assets.folder),
        prefix="static/",
        max_age=3600,
        allow_all_origins=False,
        add_headers_function=partial(headers.finish_file, settings.is_secure),
        immutable_file_test=r"^.+\.[0-9a-f]{12}\..+$",
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        wsgi = ProxyFix(wsgi, x_for=hops, x_proto=hops, x_host=hops)
    app.wsgi_app = wsgi  # type: ignore[method-assign]


def _folder(path: Path) -> str | None:
    return str(path) if path.is_dir() else None
