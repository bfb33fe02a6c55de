"""Browsers report here what the content security policy stopped."""

from __future__ import annotations

import json
import logging
import re
import threading
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState

from lab.web.access import public
from lab.web.app_state import lab

log = logging.getLogger("lab.csp")
blueprint = Blueprint("csp", __name__)

#: Longest report read, in bytes, and reports told by one process in a minute: browsers can send thousands.
_LONGEST = 16_384
_PER_MINUTE = 20
_DIRECTIVE = re.compile(r"[a-z][a-z-]{2,40}")


class _Minute:
    """Counts within the running minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._count = 0

    def has_room(self, seconds: float) -> bool:
        """Take one place; False when the minute is full."""
        minute = int(seconds // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._count = minute, 0
            self._count += 1
            return self._count <= _PER_MINUTE


_minute = _Minute()


@blueprint.record_once
def _without_token(state: BlueprintSetupState) -> None:
    # The browser itself sends these: there is no page that could carry a token, and nothing changes.
    state.app.extensions["csrf"].exempt(report)


@blueprint.post("/csp")
@public
def report() -> Response:
    """Log which directive stopped which host. Addresses and words of pages are personal: they stay out."""
    if (request.content_length or 0) > _LONGEST:
        return Response(status=413)
    if _minute.has_room(lab().clock.now().timestamp()):
        # Read from the stream: a report without a length could be of any.
        found = _read(request.stream.read(_LONGEST))
        if found:
            log.warning("csp", extra={"directive": found[0], "blocked": found[1]})
    return Response(status=204)


def _read(body: bytes) -> tuple[str, str] | None:
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(sent, list):
        sent = sent[0] if sent else {}
    inner = _inner(sent)
    directive = str(inner.get("effective-directive") or inner.get("effectiveDirective") or "")
    blocked = str(inner.get("blocked-uri") or inner.get("blockedURL") or "")
    return (directive, _host(blocked)) if _DIRECTIVE.fullmatch(directive) else None


def _inner(sent: Any) -> dict[str, Any]:
    if not isinstance(sent, dict):
        return {}
    inner = sent.get("csp-report") or sent.get("body")
    return inner if isinstance(inner, dict) else {}


def _host(address: str) -> str:
    if address in ("inline", "eval", "self", "data", "blob"):
        return address
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return "other"
    return host if re.fullmatch(r"[a-z0-9.-]{1,120}", host) else "other"
