"""What was announced, as the fan-out reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lab.services.context import Context
from lab.services.notifications import Hearer


@dataclass(frozen=True)
class Happening:
    """Something announced: the event, when, by whom, and the ids of the rows concerned."""

    event: str
    at: datetime
    by: int | None
    ids: dict[str, Any]

    @property
    def details(self) -> dict[str, Any]:
        """The ids that the sentence needs beside its subject."""
        subjects = ("contribution_id", "action_id", "project_id", "event_id", "registration_id", "what")
        return {name: value for name, value in self.ids.items() if name not in subjects and value is not None}


def happening_from(payload: dict[str, Any]) -> Happening:
    """Read what `outbox.announce` wrote."""
    ids = {name: value for name, value in payload.items() if name not in ("event", "at", "by")}
    return Happening(payload["event"], datetime.fromisoformat(payload["at"]), payload["by"], ids)


#: Finds who hears of a happening, as the given kind of news.
Audience = Callable[[Context, Happening, str], Iterator[Hearer]]
