"""Which language this reader gets: asked in the address, kept in a cookie, chosen in the account."""

from __future__ import annotations

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale
from werkzeug.wrappers import Response

from lab.kernel.locales import negotiate
from lab.settings import resource_dir
from lab.web import tablets
from lab.web.app_state import lab

COOKIE = "lang"
#: In the WSGI environment, where the page cache says which language it keeps the answer under.
DECIDED = "lab.language"


def select_locale() -> str:
    """`?lang=`, then the cookie, then the account's language, then what the browser asks for."""
    enabled = lab().settings.locales
    if not has_request_context():
        return enabled[0]
    # Two readings of one odd cookie must not put a page under another language's name.
    for wish in (request.environ.get(DECIDED), request.args.get("lang"), request.cookies.get(COOKIE)):
        if wish in enabled:
            return str(wish)
    preferred = g.get("reader_locale")
    if preferred in enabled:
        return str(preferred)
    return negotiate(request.headers.get("Accept-Language"), enabled)


def select_timezone() -> str:
    """All times are shown in the neighbourhood's zone."""
    return lab().settings.timezone


def language() -> str:
    """The code of the language in use ("it")."""
    locale = get_locale()
    return locale.language if locale else lab().settings.locales[0]


def init_app(app: Flask) -> None:
    """Hook Babel in; the words stand in the code in Italian, so Italian needs no catalogue."""
    Babel(
        app,
        default_locale="it",
        default_timezone=lab_timezone(app),
        default_translation_directories=str(resource_dir("translations")),
        locale_selector=select_locale,
        timezone_selector=select_timezone,
    )
    app.after_request(_remember)


def _remember(response: Response) -> Response:
    """A language asked for in the address holds for the next pages too; kept pages do it in the cache."""
    wish = request.args.get("lang")
    if tablets.is_theirs(request.path):
        return response
    if wish in lab().settings.locales and request.cookies.get(COOKIE) != wish:
        response.set_cookie(COOKIE, wish, max_age=31536000, path="/", samesite="Lax")
    return response


def lab_timezone(app: Flask) -> str:
    """The zone from the settings, before any request."""
    return str(app.extensions["lab"].settings.timezone)
