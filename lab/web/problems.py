"""Errors as programs and tablets read them: problem+json (RFC 9457) below /api and /totem/api."""

from __future__ import annotations

import errno
import logging
from http import HTTPStatus

from flask import Response, request
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as AnyResponse

from lab.kernel.errors import Conflict, Denied, Invalid, NotFound, RateLimited, Unavailable
from lab.web import api_json, tablets
from lab.web.api_shapes import Problem

log = logging.getLogger("lab.web")

#: Seconds after which it makes sense to ask again when the database did not answer.
_AGAIN = 10
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def wanted() -> bool:
    """Whether a program asked, by its address."""
    return request.path.startswith("/api/") or tablets.is_theirs(request.path)


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
        code=_code(error, status),
    )
    response = api_json.answer(problem, status, "application/problem+json")
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(error.retry_after)
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(_AGAIN)
    elif isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    elif status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _code(error: Exception, status: int) -> str:
    if isinstance(error, Invalid | Conflict):
        return error.code
    if isinstance(error, Denied):
        return error.reason
    if isinstance(error, NotFound) and error.thing == "pairing_code":
        return "unknown_code"
    if status == HTTPStatus.UNAUTHORIZED:
        return "unknown_device"
    return HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")


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
    if is_passing(error):
        tell(error)
        return 503, "The site cannot work right now. Ask again soon.", None
    if isinstance(error, HTTPException) and error.code in {status.value for status in HTTPStatus}:
        return error.code or 500, None, None
    log.exception("fault", exc_info=error)
    return 500, None, None


def is_passing(error: Exception) -> bool:
    """Whether the same may go well later: the database is away or has no time, or the disk is full."""
    if isinstance(error, DBAPIError):
        return isinstance(error, OperationalError) or error.connection_invalidated
    if isinstance(error, OSError):
        return error.errno in _NO_SPACE
    return isinstance(error, Unavailable | PoolTimeout)


def tell(error: Exception) -> None:
    """Write down what is away; in the words of the database, which name nothing that people typed."""
    why = str(getattr(error, "orig", error)).partition("\n")[0][:200]
    log.warning("unavailable", extra={"error": type(error).__name__, "why": why})
