"""Parts of the page of a meeting in words: when it ends, languages, offers, agenda with the hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import url_for

from lab.kernel.locales import SUPPORTED
from lab.models.events import Event, EventState, Fullness, Offer
from lab.services import events
from lab.services.context import Context
from lab.services.event_parts import Line
from lab.web import programme_cards as cards
from lab.web.app_state import lab
from lab.web.event_filters import Filters
from lab.web.labels import label

#: Sizes of a title on a poster, each with the longest title (in characters) that is set in it.
_SIZES = (("l", 32), ("m", 64), ("s", 110))


@dataclass(frozen=True)
class AgendaLine:
    """A point with the moment at which it is planned to begin."""

    at: datetime
    title: str
    minutes: int


def ends_at(event: Event) -> datetime:
    """When it is planned to end."""
    return event.starts_at + timedelta(minutes=event.minutes)


def agenda(event: Event, points: Sequence[Line]) -> list[AgendaLine]:
    """The points one after the other, from when the meeting begins."""
    lines, at = [], event.starts_at
    for point in points:
        lines.append(AgendaLine(at, point.title, point.number))
        at += timedelta(minutes=point.number)
    return lines


def language_names(event: Event) -> list[tuple[str, str]]:
    """Code and own name of each language spoken there."""
    return [(code, SUPPORTED[code].native_name) for code in event.languages if code in SUPPORTED]


def offer_words(event: Event) -> list[Any]:
    """What it provides, in words."""
    return [label(offer) for offer in Offer if offer in event.offers]


def is_going_on(ctx: Context, event: Event) -> bool:
    """Whether people are there now: nobody signs up any more, who is there takes part by telephone."""
    return (
        event.is_public and event.state is EventState.PLANNED and event.starts_at <= ctx.now < ends_at(event)
    )


def facts(ctx: Context, event: Event) -> dict[str, Any]:
    """What the page of a meeting and its poster both read."""
    # On the lists all of today still comes; here nobody is asked to a meeting that ended an hour ago.
    is_past = event.state is EventState.HELD or ends_at(event) <= ctx.now or events.is_past(ctx, event)
    goes_on = is_going_on(ctx, event)
    return {
        "place_name": cards.local_name(event.place),
        "ends_at": ends_at(event),
        "duration": cards.duration_words(event.minutes),
        "languages": language_names(event),
        "offers": offer_words(event),
        "is_past": is_past,
        "goes_on": goes_on,
        "signs_up": event.is_public
        and not is_past
        and not goes_on
        and event.state is EventState.PLANNED
        and event.fullness is not Fullness.NO_SIGN_UP,
    }


def title_size(title: str) -> str:
    """How large a title stands on a poster: l, m, s or xs."""
    return next((size for size, most in _SIZES if len(title) <= most), "xs")


def feed_url(filters: Filters) -> str:
    """The address a calendar subscribes to; calendars know the scheme webcal."""
    address: str = lab().settings.base_url + url_for("events.all_calendar", **filters.query)
    return "webcal://" + address.partition("://")[2]
