"""The thread: from a state and the dates of the steps to the stops that the macro `filo` draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from lab.models.contributions import State, StepKind


@dataclass(frozen=True)
class Stop:
    """One stop of the thread."""

    key: str
    label: str
    done: bool
    date: datetime | None = None
    url: str | None = None


#: The way every input hopes to go, and the short ways on which some end.
_WHOLE = ("said", "read", "woven", "adopted", "under_way", "done")
_ENDS = {State.ANSWERED: "answered", State.DECLINED: "answered", State.MERGED: "merged"}
_KINDS: dict[str, tuple[StepKind, ...]] = {
    "said": (StepKind.SAID,),
    "read": (StepKind.READ, StepKind.SORTED, StepKind.ROUTED, StepKind.CO_DESIGN),
    "answered": (StepKind.ANSWERED, StepKind.PASSED_ON),
    "merged": (StepKind.MERGED,),
    "withdrawn": (StepKind.WITHDRAWN,),
    "woven": (StepKind.WOVEN,),
    "adopted": (StepKind.ADOPTED,),
    "under_way": (StepKind.UNDER_WAY,),
    "done": (StepKind.DONE,),
}
_AT: dict[State, str] = {
    State.RECEIVED: "said",
    State.IN_REVIEW: "read",
    State.CO_DESIGN: "read",
    State.ANSWERED: "answered",
    State.DECLINED: "answered",
    State.MERGED: "merged",
    State.WITHDRAWN: "withdrawn",
    State.TAKEN_UP: "woven",
    State.DONE: "done",
}


def _words() -> dict[str, str]:
    return {
        "said": _("detta"),
        "read": _("letta"),
        "answered": _("risposta"),
        "merged": _("unita"),
        "withdrawn": _("ritirata"),
        "woven": _("diventa azione"),
        "adopted": _("adottata"),
        "under_way": _("in corso"),
        "done": _("fatta"),
    }


def stops(
    state: State, dates: Mapping[StepKind, datetime] | None = None, urls: Mapping[str, str] | None = None
) -> tuple[list[Stop], str]:
    """The stops for an input and the key of the one where it stands.

    `dates` holds the day of each kind of step that has happened (none for cards), `urls` addresses by stop.
    """
    dates, urls = dates or {}, urls or {}
    way = _way(state)
    here = _here(state, dates, way)
    reached = way.index(here)
    words = _words()
    shown = [
        Stop(
            key,
            words[key],
            number <= reached,
            _date(key, dates) if number <= reached else None,
            urls.get(key),
        )
        for number, key in enumerate(way)
    ]
    return shown, here


def dates_of(steps: Any) -> dict[StepKind, datetime]:
    """The day on which each kind of step last happened; `steps` have `.kind` and `.at`, oldest first."""
    return {step.kind: step.at for step in steps}


def _way(state: State) -> tuple[str, ...]:
    if state is State.WITHDRAWN:
        return ("said", "withdrawn")
    if state in _ENDS:
        return ("said", "read", _ENDS[state])
    return _WHOLE


def _here(state: State, dates: Mapping[StepKind, datetime], way: tuple[str, ...]) -> str:
    # An action goes on by itself: its steps tell more than the state of the input.
    here = way.index(_AT[state])
    if state is State.TAKEN_UP:
        later = [
            way.index(key) for key in ("adopted", "under_way") if any(kind in dates for kind in _KINDS[key])
        ]
        here = max([here, *later])
    elif state is State.RECEIVED and StepKind.READ in dates:
        here = way.index("read")
    return way[here]


def _date(key: str, dates: Mapping[StepKind, datetime]) -> datetime | None:
    found = [dates[kind] for kind in _KINDS[key] if kind in dates]
    return (min(found) if key == "read" else max(found)) if found else None
