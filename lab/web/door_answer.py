"""What the door says after a search or a mark: one large answer with colour, icon and word."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from lab.kernel.errors import NotFound
from lab.models.events import Event
from lab.models.registrations import Arrival, Registration, RegistrationState
from lab.services import door_list, tickets
from lab.services.arrivals import Arrive
from lab.services.context import Context
from lab.services.door_list import Entry
from lab.web.app_state import lab
from lab.web.formats import time_words


class Say(StrEnum):
    """The kinds of answers."""

    IN = "in"
    AGAIN = "again"
    UNDONE = "undone"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    FULL = "full"
    UNKNOWN = "unknown"
    OTHER_EVENT = "other_event"
    FOUND = "found"
    REFUSED = "refused"


#: What stops an arrival without a reason, as the door says it.
STOPS = {"waiting_list": Say.WAITING, "cancelled_before": Say.CANCELLED, "no_place_left": Say.FULL}


@dataclass(frozen=True)
class Answer:
    """One answer. `entries` are parties to choose from, `words` what was typed or read."""

    say: Say
    entries: list[Entry] = field(default_factory=list)
    words: str = ""
    #: Parties with nearly that name, where nobody has it.
    alike: list[Entry] = field(default_factory=list)
    people: int | None = None
    arrival: Arrival | None = None
    registration: Registration | None = None
    #: Why it was refused, in words.
    trouble: str = ""
    #: It concerns somebody who is on no list.

    @property
    def name(self) -> str:
        """What was typed, where it can be somebody's name: no address out of a code."""
        return "" if "://" in self.words else self.words

    @property
    def since(self) -> str:
        """The hour at which they came in."""
        return time_words(self.arrival.said_at or self.arrival.at) if self.arrival else ""


def after_mark(ctx: Context, event: Event, arrival_id: int, *, again: bool) -> Answer:
    """The answer to a mark, drawn from the mark itself. Raises `NotFound`."""
    arrival, row = door_list.marked(ctx, event, arrival_id)
    if arrival.undone_at is not None:
        return Answer(Say.UNDONE, arrival=arrival, registration=row)
    return Answer(Say.AGAIN if again else Say.IN, arrival=arrival, registration=row)


def found(ctx: Context, event: Event, words: str) -> Answer:
    """Who this may be; nobody is an answer too."""
    if is_ticket(words):
        try:
            entries = [door_list.one(ctx, event, _of_ticket(ctx, words).id)]
        except NotFound:
            entries = []
    else:
        entries = door_list.find(ctx, event, words)
    if entries or is_ticket(words):
        return Answer(Say.FOUND if entries else Say.UNKNOWN, entries, words)
    return Answer(Say.UNKNOWN, [], words, door_list.alike(ctx, event, words))


def is_ticket(words: str) -> bool:
    """Whether this is the address in a ticket's QR, not something a person typed."""
    return "/biglietto/" in words


def whom(ctx: Context, event: Event, words: str, registration_id: int | None) -> Arrive:
    """The command for a party by its id, its ticket or its code. Raises `NotFound`; for the ticket of
    another meeting `NotFound("other_event")`."""
    if registration_id is not None:
        return Arrive(event.id, registration_id)
    if is_ticket(words):
        row = _of_ticket(ctx, words)
        if row.event_id != event.id:
            raise NotFound(Say.OTHER_EVENT)
        return Arrive(event.id, row.id)
    return Arrive(event.id, code=words)


def refused(ctx: Context, event: Event, say: Say, command: Arrive) -> Answer:
    """Why this party does not come in just so, with the party."""
    entries = [door_list.one(ctx, event, command.registration_id)] if command.registration_id else []
    if not entries and command.code:
        entries = door_list.find(ctx, event, command.code)[:1]
    if say is Say.FULL and entries and entries[0].registration.state is RegistrationState.WAITING:
        say = Say.WAITING
    return Answer(say, entries, command.code or "", people=command.people)


def _of_ticket(ctx: Context, words: str) -> Registration:
    key = words.rpartition("/biglietto/")[2].partition("?")[0].partition("/")[0].strip()
    return tickets.open_key(ctx, lab().signer, key[:400])
