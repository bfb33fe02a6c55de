"""Requests that pages of other sites send: they are refused, and must not touch what the reader has here."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from lab.web import tablets
from lab.web.app_state import lab


def from_elsewhere() -> bool:
    """Whether a page of another site sent this request, as far as the browser says.

    Browsers of today send `Sec-Fetch-Site`, older ones `Origin`; where both are missing nobody knows.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site == "cross-site"
    origin = request.headers.get("Origin")
    own = {urlsplit(lab().settings.base_url).netloc, request.host}
    return origin is not None and _host(origin) not in own


def _host(origin: str) -> str:
    parts = parts_of(origin)
    return parts.netloc if parts else ""


def parts_of(address: str) -> SplitResult | None:
    """The parts of an address that came in a header; None for what is no address."""
    try:
        return urlsplit(address)
    except ValueError:
        return None


class OwnSessions(SecureCookieSessionInterface):
    """Sessions in a signed cookie, which a form on another site cannot replace.

    Such a request comes without our cookie, so that the answer would set a fresh one: the reader would be
    signed out by whoever made them open a page.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Tablets have no session: what they send counts by its token alone, whoever is signed in there."""
        if tablets.is_theirs(request.path):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nor do they get one."""
        if not tablets.is_theirs(request.path):
            super().save_session(app, session, response)

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Flask asks this after each request."""
        if request.method == "POST" and from_elsewhere():
            return False
        return super().should_set_cookie(app, session)


def init_app(app: Flask) -> None:
    """Keep sessions this way."""
    app.session_interface = OwnSessions()
