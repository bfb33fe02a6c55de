"""The demo file with its dates moved: the day it was written for becomes the day it is loaded."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$")


def read() -> dict[str, Any]:
    """The file as it was shipped."""
    text = resources.files("lab.cli.demo").joinpath("demo_crocione.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def moved(content: Any, by: timedelta) -> Any:
    """The same content with every date moved; words that mention days stay as they were written."""
    if isinstance(content, dict):
        return {key: moved(value, by) for key, value in content.items()}
    if isinstance(content, list):
        return [moved(value, by) for value in content]
    if isinstance(content, str) and _DAY.match(content):
        return (date.fromisoformat(content) + by).isoformat()
    return content


def shifted(reference: date) -> dict[str, Any]:
    """The file as if it had been written on `reference`."""
    content = read()
    written_on = date.fromisoformat(content["meta"]["data_riferimento"])
    result: dict[str, Any] = moved(content, reference - written_on)
    return result


def instant(day: str, clock: str = "12:00", timezone: str = "Europe/Rome") -> datetime:
    """A day and a time of the neighbourhood as an instant."""
    local = datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), ZoneInfo(timezone))
    return local.astimezone(UTC)
