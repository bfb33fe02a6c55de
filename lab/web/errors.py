"""What people see when something goes wrong: what happened, what to do, and that nothing was lost."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, current_app, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge, SecurityError

from lab.kernel.errors import Conflict, Denied, Invalid, NotFound, RateLimited
from lab.web import held, problems
from lab.web.app_state import lab
from lab.web.foreign import from_elsewhere, parts_of
from lab.web.labels import error_words
from lab.web.own_paths import own_path

log = logging.getLogger("lab.web")

Answer = tuple[str, int] | tuple[str, int, dict[str, str]]


def page(status: int, template: str | None = None, **values: Any) -> str:
    """One error page; `held` carries what was typed so that sending again is one touch."""
    name = template or f"errors/{status}.html"
    try:
        return render_template(name, held=held.carried(), held_action=held.here(), **values)
    except Exception:
        # With the database away even the footer cannot be drawn: a page that needs nothing.
        if status < 500:
            log.exception("error page failed")
        return current_app.jinja_env.get_template("errors/bare.html").render(
            status=status, held=held.carried(), held_action=held.here(), _=_
        )


def not_found(error: Exception) -> Answer:
    """Also for what the person may not know exists; who holds an old card or ticket reads what to do."""
    return page(404, thing=getattr(error, "thing", "")), 404


def denied(error: Denied) -> Answer:
    """The person may see the thing but not do this."""
    return page(403, reason=error_words(error.reason), words=held.words(), **_back()), 403


def conflict(error: Conflict) -> Answer:
    """Somebody else was quicker, or the state does not admit it."""
    return page(409, reason=error_words(error.code), code=error.code, words=held.words(), **_back()), 409


def _back() -> dict[str, str]:
    """The page one comes from, when it is one of ours and not the one that just answered."""
    came = parts_of(request.referrer or "")
    if came is None:
        return {}
    path = own_path(f"{came.path}?{came.query}" if came.query else came.path, "")
    ours = came.netloc == request.host and path and (request.method == "POST" or path != held.here())
    return {"back_url": path} if ours else {}


def invalid(error: Invalid) -> Answer:
    """A value that no form caught."""
    return page(400, reason=error_words(error.code)), 400


def limited(error: RateLimited) -> Answer:
    """Too many tries."""
    retry = {"Retry-After": str(error.retry_after)}
    return page(429, minutes=max(1, round(error.retry_after / 60))), 429, retry


def stale_token(_error: CSRFError) -> Answer:
    """The page was open for too long or belongs to an ended session: show what was typed, send again."""
    if from_elsewhere():
        return page(403, reason=_("Questa richiesta arriva da un altro sito.")), 403
    return page(400, "errors/resume.html"), 400


def too_large(_error: RequestEntityTooLarge) -> Answer:
    """Photographs too heavy for one go."""
    return render_template("errors/413.html", held=[], held_action=request.path, back_url=held.here()), 413


def foreign_host(_error: SecurityError) -> Answer:
    """Asked under a name that is not ours: no address can be made here, so no page can be drawn."""
    words = _("Questo sito risponde solo a %(address)s", address=lab().settings.base_url)
    return words, 400, {"Content-Type": "text/plain; charset=utf-8"}


def http_error(error: HTTPException) -> Any:
    """Whatever else Werkzeug raises."""
    code = error.code or 500
    if isinstance(error, MethodNotAllowed) or code < 400:
        return error
    known = {400, 403, 404, 409, 413, 429, 500, 503}
    return page(code if code in known else 400), code


def fault(error: Exception) -> Answer:
    """What passes (no database, no space, too many at once) says to come again. Anything else is a fault of
    ours: told to the log, not to the person.
    """
    if problems.is_passing(error):
        problems.tell(error)
        return page(503), 503, {"Retry-After": "10"}
    log.exception("fault", exc_info=error)
    return page(500), 500


def _log_route(exc_info: Any) -> None:
    """An error of an error page. Flask would log the address, which can hold the key of a ticket."""
    log.error("fault", extra={"route": str(request.url_rule or "-")}, exc_info=exc_info)


def _in_their_format(handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """People get a page; programs that read the API the same news as problem+json."""

    @wraps(handler)
    def told(error: Any) -> Any:
        return problems.answer(error) if problems.wanted() else handler(error)

    return told


def init_app(app: Flask) -> None:
    """Register every handler."""
    handlers: tuple[tuple[type[Exception], Callable[[Any], Any]], ...] = (
        (NotFound, not_found),
        (Denied, denied),
        (Conflict, conflict),
        (Invalid, invalid),
        (RateLimited, limited),
        (CSRFError, stale_token),
        (RequestEntityTooLarge, too_large),
        (SecurityError, foreign_host),
        (HTTPException, http_error),
        (Exception, fault),
    )
    for kind, handler in handlers:
        app.register_error_handler(kind, _in_their_format(handler))
    app.log_exception = _log_route  # type: ignore[method-assign]
