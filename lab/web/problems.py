"""Errors as programs read them: problem+json (RFC 9457) on everything below /api."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Response, request
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from lab.kernel.errors import Conflict, Denied, Invalid, NotFound, RateLimited, Unavailable
from lab.web import api_json
from lab.web.api_shapes import Problem

log = logging.getLogger("lab.web")

#: Seconds after which it makes sense to ask again when the database did not answer.
_AGAIN = 10


def wanted() -> bool:
    """Whether a program asked, by its address."""
    return request.path.startswith("/api/")


def answer(error: Exception) -> Response | AnyResponse:
    """The error in its own format; redirects stay what they are."""
    if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
        return error.get_response()
    status, detail, parameter = _told(error)
    problem = Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        parameter=parameter,
    )
    response = api_json.answer(problem, status, "application/problem+json")
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(error.retry_after)
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(_AGAIN)
    elif isinstance(error, HTTPException) and status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = "GET, HEAD, OPTIONS"
    return response


def _told(error: Exception) -> tuple[int, str | None, str | None]:
    if isinstance(error, Invalid):
        return 400, f"The value of {error.field!r} cannot be used: {error.code}.", error.field
    if isinstance(error, NotFound):
        return 404, None, None
    if isinstance(error, Denied):
        return 403, None, None
    if isinstance(error, Conflict):
        return 409, None, None
    if isinstance(error, RateLimited):
        return 429, f"Ask again in {error.retry_after} seconds.", None
    if _is_passing(error):
        log.warning("unavailable", extra={"error": type(error).__name__})
        return 503, "The database does not answer. Ask again soon.", None
    if isinstance(error, HTTPException) and error.code in {status.value for status in HTTPStatus}:
        return error.code or 500, None, None
    log.exception("fault", exc_info=error)
    return 500, None, None


def _is_passing(error: Exception) -> bool:
    if isinstance(error, DBAPIError):
        return isinstance(error, OperationalError) or error.connection_invalidated
    return isinstance(error, Unavailable | PoolTimeout)
