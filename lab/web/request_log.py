"""One line for each request: what was asked for, how it went, how long it took. Nothing personal.

The route's pattern is logged instead of the address, since addresses can hold receipt codes and words
people searched for.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from lab.kernel.ids import new_key

log = logging.getLogger("lab.request")

#: Set by the application in the WSGI environment.
ROUTE = "lab.route"
REQUEST_ID = "lab.request_id"


class JsonLines(logging.Formatter):
    """Each record as one JSON object; line breaks in values cannot start a new line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(_extras(record))
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class PlainLines(logging.Formatter):
    """For a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        extras = " ".join(f"{key}={value}" for key, value in _extras(record).items())
        text = f"{record.levelname.lower():7} {record.name} {record.getMessage()} {extras}".rstrip()
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return text


_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in record.__dict__.items() if key not in _STANDARD}


def configure(level: str, *, as_json: bool) -> None:
    """Send all logs to standard error, as JSON in production."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else PlainLines())
    root = logging.getLogger("lab")
    root.handlers[:] = [handler]
    root.setLevel(level)
    root.propagate = False


class RequestLog:
    """WSGI middleware around everything, so that answers from the page cache are told too."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        started = time.perf_counter()
        environ[REQUEST_ID] = new_key()
        seen: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            seen["status"] = int(status[:3])
            return start_response(status, headers, exc_info)

        answer = self.app(environ, start)
        if log.isEnabledFor(logging.INFO):
            log.info(
                "request",
                extra={
                    "method": environ.get("REQUEST_METHOD", ""),
                    "route": environ.get(ROUTE, "-"),
                    "status": seen.get("status", 0),
                    "ms": round((time.perf_counter() - started) * 1000, 1),
                    "id": environ[REQUEST_ID],
                },
            )
        return answer
