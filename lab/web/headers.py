"""Headers on every answer, errors included: nothing inline, nothing foreign, nothing framed."""

from __future__ import annotations

from wsgiref.headers import Headers

from flask import Flask, Response, g, request, session

from lab.web.app_state import lab, request_id

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "report-uri /csp",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

#: On files of the bundle, which are no pages: opened by themselves they run nothing and load nothing.
FILE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"

#: Read and taken out again by the page cache in front of the application.
CACHE_MARK = "X-Lab-Cacheable"


def finish(response: Response) -> Response:
    """Add the headers; pages of a person are never stored, pages for everybody may be."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if lab().settings.is_secure:
        response.headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
    response.headers["X-Request-ID"] = request_id()
    if "Cache-Control" not in response.headers:
        if may_be_shared(response):
            response.headers["Cache-Control"] = "public, max-age=0, must-revalidate"
            response.headers[CACHE_MARK] = "1"
        else:
            response.headers["Cache-Control"] = "no-store"
    return response


def may_be_shared(response: Response) -> bool:
    """Whether this answer holds nothing of one reader: a cached view, read without a session."""
    return (
        request.method in ("GET", "HEAD")
        and response.status_code == 200
        and bool(g.get("page_cached"))
        and not session
    )


def finish_file(is_secure: bool, headers: Headers, _path: str, _url: str) -> None:
    """The headers of a file of the bundle, as the server of files asks for them at the start."""
    for name, value in FILE_HEADERS.items():
        headers[name] = value
    if is_secure:
        headers["Strict-Transport-Security"] = STRICT_TRANSPORT


def init_app(app: Flask) -> None:
    """Finish every answer."""
    app.after_request(finish)
