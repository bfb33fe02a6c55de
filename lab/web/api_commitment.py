"""What the read API says of a promise made in a meeting. Fields are added, never dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from lab.models import capture, events
from lab.models.capture import CommitmentState
from lab.services import commitments
from lab.web import api_json
from lab.web.api_shapes import OfficeRef, Partner, Ref, Url


@dataclass(frozen=True, kw_only=True)
class Commitment:
    """Who does what by when. `owner` is their name; `office` or `body` say more where it is one.

    `note` tells how it ended; an open one whose `due_on` is over is late. `url` is where it was taken on.
    """

    code: str
    url: Url | None
    text: str
    owner: str
    office: OfficeRef | None
    body: Partner | None
    due_on: date | None
    state: CommitmentState
    note: str
    created_at: datetime
    closed_at: datetime | None
    event: Ref | None


def shape(one: capture.Commitment, meeting: events.Event | None) -> Commitment:
    """A published promise with its public meeting."""
    same = ("code", "text", "due_on", "state", "note", "created_at", "closed_at")
    origin = api_json.ref("events.show", meeting.code, meeting.title) if meeting is not None else None
    return Commitment(
        **{name: getattr(one, name) for name in same},
        url=f"{origin.url}#{one.code}" if origin else None,
        owner=commitments.owner(one),
        office=api_json.office(one.office),
        body=api_json.partner(one.body.code, one.body.name) if one.body else None,
        event=origin,
    )
