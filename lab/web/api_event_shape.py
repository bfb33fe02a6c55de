"""What the read API says of a meeting. Fields are added, never dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lab.models.events import EventKind, EventState, Fullness, Influence, Offer
from lab.web.api_shapes import Partner, PlaceRef, Ref, Url


@dataclass(frozen=True, kw_only=True)
class Event:
    """A meeting; `proposals_url` leads to what was said there, `calendar_url` to its calendar file.

    `influence` says how much weighs what is said there, `promise` what can still change; `languages` begins
    with the language of the room. `sequence` rises when day, hour, place or state change.
    """

    code: str
    url: Url
    kind: EventKind
    title: str
    text: str
    purpose: str
    influence: Influence | None
    promise: str
    starts_at: datetime
    ends_at: datetime
    minutes: int
    place: PlaceRef | None
    place_note: str
    state: EventState
    cancelled_reason: str
    access_note: str
    languages: list[str]
    offers: list[Offer]
    offers_note: str
    organisers: str
    bodies: list[Partner]
    series: str | None
    result: str
    seats: int | None
    attendance: int | None
    fullness: Fullness
    sequence: int
    changed_at: datetime | None
    projects: list[Ref]
    proposals_url: Url
    calendar_url: Url
