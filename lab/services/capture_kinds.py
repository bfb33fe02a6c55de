"""What each kind of meeting writes down, and how: the one register of capture.

A *line* is one thing said. Every way of taking lines down is a class of its own; a kind of meeting has one
or more of them, the first being what opens. A new kind of meeting needs one entry in `WAYS`.
"""

from __future__ import annotations

from enum import StrEnum

from lab.models.capture import PartKind, RemarkForm
from lab.models.contributions import Channel, Kind
from lab.models.events import EventKind


class Ask(StrEnum):
    """What a way of taking down asks for beside the words."""

    PART = "part"
    ROUND = "round"
    PLACE = "place"
    COUNT = "count"
    PRIORITY = "priority"
    SELF_HELP = "self_help"
    OFFICE = "office"
    NAME = "name"
    THEME = "theme"
    PHOTO = "photo"
    PRIVATE = "private"
    DUE = "due"


class Way:
    """One way of taking lines down. Subclasses say what it is called in addresses and what it asks."""

    slug: str
    form: RemarkForm
    kind: Kind = Kind.REMARK
    #: Lines belong to a part of the meeting of this kind.
    part: PartKind | None = None
    asks: frozenset[Ask] = frozenset()

    @classmethod
    def wants(cls, what: Ask) -> bool:
        """Whether it asks for this."""
        return what in cls.asks


class Cards(Way):
    """Planning for real: cards laid on the model, counted, with when and by whom."""

    slug = "carte"
    form = RemarkForm.CARD
    asks = frozenset({Ask.PLACE, Ask.COUNT, Ask.PRIORITY, Ask.SELF_HELP})


class Stops(Way):
    """A walk: at each stop what one sees, with a photograph and the office that has to do with it."""

    slug = "tappe"
    form = RemarkForm.OBSERVATION
    part = PartKind.STOP
    asks = frozenset({Ask.PART, Ask.PLACE, Ask.OFFICE, Ask.PHOTO, Ask.NAME})


class Tables(Way):
    """Tables with their rounds: what was noted on the cloth."""

    slug = "tavoli"
    form = RemarkForm.TABLE_NOTE
    part = PartKind.TABLE
    asks = frozenset({Ask.PART, Ask.ROUND, Ask.COUNT, Ask.THEME})


class Groups(Way):
    """Groups with somebody who calls them together, and a report that people take home."""

    slug = "gruppi"
    form = RemarkForm.REPORT_POINT
    part = PartKind.GROUP
    asks = frozenset({Ask.PART, Ask.COUNT, Ask.THEME, Ask.PLACE})


class Remarks(Way):
    """What somebody says, with the hands that went up."""

    slug = "osservazioni"
    form = RemarkForm.REMARK
    asks = frozenset({Ask.NAME, Ask.PLACE, Ask.THEME, Ask.COUNT, Ask.PHOTO, Ask.PRIVATE})


class Questions(Way):
    """A question that gets a written answer by a day."""

    slug = "domande"
    form = RemarkForm.REMARK
    kind = Kind.QUESTION
    asks = frozenset({Ask.NAME, Ask.PLACE, Ask.THEME, Ask.DUE, Ask.PRIVATE})


_TALK: tuple[type[Way], ...] = (Remarks, Questions)

#: The ways of each kind of meeting, the one that opens first.
WAYS: dict[EventKind, tuple[type[Way], ...]] = {
    EventKind.ASSEMBLY: _TALK,
    EventKind.STAIR_ASSEMBLY: _TALK,
    EventKind.WALK: (Stops, *_TALK),
    EventKind.PLANNING_FOR_REAL: (Cards, *_TALK),
    EventKind.OPEN_SPACE: (Groups, *_TALK),
    EventKind.WORLD_CAFE: (Tables, *_TALK),
    EventKind.THEMATIC_TABLE: (Tables, *_TALK),
    EventKind.WORKING_GROUP: (Groups, *_TALK),
    EventKind.SITE_MEETING: (Questions, Remarks, Stops),
    EventKind.PARTY: _TALK,
    EventKind.OPENING: _TALK,
    EventKind.COURSE: _TALK,
    EventKind.WORKSHOP: (Tables, Groups, *_TALK),
    EventKind.FIELD_TRIAL: (Remarks, Questions, Stops),
    EventKind.MEETING: _TALK,
    EventKind.COMMITTEE_SESSION: _TALK,
}


def ways(kind: EventKind) -> tuple[type[Way], ...]:
    """The ways of a kind of meeting."""
    return WAYS[kind]


def way(kind: EventKind, slug: str) -> type[Way] | None:
    """The way of this name, where meetings of the kind have it."""
    return next((one for one in WAYS[kind] if one.slug == slug), None)


def channel(kind: EventKind) -> Channel:
    """The channel of what is said at a meeting of this kind."""
    return Channel(kind.value) if kind.value in set(Channel) else Channel.MEETING
