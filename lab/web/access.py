"""The first gate: every route says who may use it; a route that says nothing is refused.

`@public` opens a route to everybody, `@allow(Permission.X)` to whoever may hold X on some subject, `@device`
to the paired tablet of one meeting and to nobody else. The service behind it decides again on the real
subject.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar, cast

from flask import Flask, abort, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response

from lab.kernel.errors import NotFound
from lab.policy import rules
from lab.policy.permissions import Permission
from lab.services import devices
from lab.services.devices import Tablet
from lab.web import held
from lab.web.app_state import context

View = TypeVar("View", bound=Callable[..., Any])

_STAMP = "lab_access"
_BEARER = "Bearer "


class Key(Enum):
    """Ways in that are no permission of a person."""

    DEVICE = "device"


def public(view: View) -> View:
    """Everybody may use this route, account or not."""
    setattr(view, _STAMP, None)
    return view


def cached(view: View) -> View:
    """Everybody reads the same: answers to readers without a session are kept until content changes.

    Such a view must neither touch `flask.session` nor draw a form with a token for them.
    """
    setattr(view, _STAMP, None)
    setattr(view, "lab_cached", True)  # noqa: B010  # functions have no such attribute for mypy
    return view


def allow(permission: Permission) -> Callable[[View], View]:
    """Only people who may hold this permission come as far as the view."""

    def stamp(view: View) -> View:
        setattr(view, _STAMP, permission)
        return view

    return stamp


def device(view: View) -> View:
    """Only a paired tablet, by the token in its `Authorization` header; cookies count for nothing."""
    setattr(view, _STAMP, Key.DEVICE)
    return view


def this_device() -> Tablet:
    """The tablet that sent this request."""
    return cast(Tablet, g.device)


def is_stamped(view: Callable[..., Any]) -> bool:
    """Whether a view function says who may use it."""
    return hasattr(view, _STAMP)


def stamp_of(view: Callable[..., Any]) -> Permission | Key | None:
    """The permission or key a view asks for; None for public ones."""
    stamp: Permission | Key | None = getattr(view, _STAMP)
    return stamp


def guard() -> Response | None:
    """Before each request: refuse unstamped routes, send the signed-out to sign in, hide from outsiders."""
    endpoint = request.endpoint
    if endpoint is None or endpoint == "static":
        return None
    # No address of ours holds a NUL, and PostgreSQL takes none in text.
    if "\0" in request.path or b"%00" in request.query_string:
        abort(404)
    view = current_app.view_functions[endpoint]
    if not is_stamped(view):
        abort(404)
    g.page_cached = getattr(view, "lab_cached", False)
    permission = stamp_of(view)
    if permission is None:
        return None
    if isinstance(permission, Key):
        _find_device()
        return None
    ctx = context()
    decision = rules.decide_route(ctx.actor, permission, ctx.now)
    if decision.allowed:
        return None
    if not ctx.actor.is_signed_in:
        return ask_to_sign_in()
    raise NotFound(str(permission))


def _find_device() -> None:
    sent = request.headers.get("Authorization", "")
    found = devices.by_token(context(), sent.removeprefix(_BEARER)) if sent.startswith(_BEARER) else None
    if found is None:
        abort(401)
    g.device = found


def ask_to_sign_in() -> Response:
    """To the sign-in page and back; what was being sent is kept meanwhile."""
    if request.method == "POST":
        return redirect(url_for("accounts.sign_in", next=held.hold_request()), 303)
    return redirect(url_for("accounts.sign_in", next=held.here()), 303)


def init_app(app: Flask) -> None:
    """Put the gate in front of every route."""
    app.before_request(guard)
