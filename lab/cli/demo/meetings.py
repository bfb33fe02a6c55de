"""The meetings of the demo: what they are for, who invites, who signed up, what was promised there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lab.cli.demo import words
from lab.cli.demo.meeting_words import AGENDAS, INVITE, NEIGHBOURS, OFFERS, PURPOSES, SERIES, Purpose
from lab.cli.demo.reading import instant
from lab.models.capture import Commitment, CommitmentState
from lab.models.events import (
    AgendaItem,
    Event,
    EventBody,
    EventHost,
    EventProject,
    EventSeries,
    EventState,
    Offer,
)
from lab.models.registrations import Registration, RegistrationState, SignUp, Source
from lab.services import codes as code_numbers
from lab.services import event_plan, registrations, seats
from lab.services.context import Context

if TYPE_CHECKING:
    from lab.cli.demo.loader import Codes

#: Sign-ins of the demo that run every meeting, by the name people see.
HOSTS = ("Laboratorio, sportello", "Laboratorio di quartiere")
#: How many come on one sign-up, over and over.
_PARTIES = (1, 2, 1, 1, 3, 1, 2)
_COMMITMENTS = {"aperto": CommitmentState.OPEN, "mantenuto": CommitmentState.KEPT,
                "in_ritardo": CommitmentState.OPEN}  # fmt: skip


def load(ctx: Context, demo: dict[str, Any], codes: Codes) -> None:
    """Make every meeting of the file with its books, and the commitments taken on in meetings."""
    series = _series(ctx)
    for item in demo["eventi"]:
        event = _event(ctx, item, codes)
        event.series_id = series.get(event.code)
        _parts(ctx, item, event, codes)
        _books(ctx, item, event)
        event_plan.index(ctx, event)
    for item in demo["impegni"]:
        if item["origine"] in codes.events:
            _commitment(ctx, item, codes)
    code_numbers.at_least(ctx, "EV", max(_number(item["codice"]) for item in demo["eventi"]))
    code_numbers.at_least(ctx, "I", max(_number(item["codice"]) for item in demo["impegni"]))
    ctx.session.flush()


def _number(code: str) -> int:
    return int("".join(symbol for symbol in code if symbol.isdigit()))


def _series(ctx: Context) -> dict[str, int]:
    """Ids of series by the code of each of their meetings."""
    found = {}
    for title, members in SERIES.items():
        row = EventSeries(title=title)
        ctx.session.add(row)
        ctx.session.flush()
        found.update(dict.fromkeys(members, row.id))
    return found


def _event(ctx: Context, item: dict[str, Any], codes: Codes) -> Event:
    purpose: Purpose = PURPOSES[item["tipo"]]
    offers, languages = _offers(item)
    starts_at = instant(item["data"], item["ora"], ctx.timezone)
    event = Event(
        code=item["codice"],
        kind=words.EVENT_KINDS[item["tipo"]],
        title=item["titolo"],
        text=item["descrizione"],
        purpose=purpose.purpose,
        influence=purpose.influence,
        promise=purpose.promise,
        starts_at=starts_at,
        minutes=item["durata_minuti"],
        place_id=codes.places[item["luogo"]],
        state=words.EVENT_STATES[item["stato"]],
        access_note=item["accessibilita"],
        languages=languages,
        offers=[str(offer) for offer in Offer if offer in offers],
        result=item.get("esito") or "",
        seats=item["posti"],
        attendance=item.get("presenti"),
        # Meetings are announced three weeks ahead.
        changed_at=min(starts_at - timedelta(days=21), ctx.now),
    )
    ctx.session.add(event)
    ctx.session.flush()
    codes.events[event.code] = event.id
    return event


def _offers(item: dict[str, Any]) -> tuple[set[Offer], list[str]]:
    """What the file says in words, as ours: offers, and the languages of the room."""
    offers: set[Offer] = set()
    languages = ["it"]
    for service in item.get("servizi", ()):
        offer, spoken = OFFERS[service]
        offers.add(offer)
        languages += spoken
    return offers, languages


def _parts(ctx: Context, item: dict[str, Any], event: Event, codes: Codes) -> None:
    for project in item["progetti"]:
        ctx.session.add(EventProject(event_id=event.id, project_id=codes.projects[project]))
    for body in INVITE.get(event.code, ()):
        ctx.session.add(EventBody(event_id=event.id, body_id=codes.bodies[body]))
    for name in HOSTS:
        ctx.session.add(EventHost(event_id=event.id, person_id=codes.people[name]))
    for position, (title, minutes) in enumerate(AGENDAS.get(event.code, ()), start=1):
        ctx.session.add(AgendaItem(event_id=event.id, position=position, title=title, minutes=minutes))
    ctx.session.flush()


def _books(ctx: Context, item: dict[str, Any], event: Event) -> None:
    """Who is coming stands on the list; of what has been only the totals are left, as promised to people."""
    counted = item["posti"] is not None
    ctx.session.add(
        SignUp(
            event_id=event.id,
            is_offered=counted,
            capacity=item["posti"],
            party_most=4,
            asks=list(event.offers),
            keep_days=30,
        )
    )
    ctx.session.flush()
    with seats.books(ctx, event.id) as held:
        if event.state is EventState.HELD:
            held.sign_up.taken = item["iscritti"]
            held.sign_up.arrived = item["presenti"] or 0
            held.sign_up.forgotten_at = ctx.now
            return
        for registration in _registrations(ctx, event, item["iscritti"], held):
            held.add(registration)


def _registrations(ctx: Context, event: Event, people: int, held: seats.Books) -> list[Registration]:
    """Parties with invented nicknames that add up to so many people; no contacts."""
    found: list[Registration] = []
    left = people
    while left > 0:
        number = len(found)
        size = min(_PARTIES[number % len(_PARTIES)], left)
        # Another stretch of the list for each meeting, so that not everybody goes everywhere.
        name = NEIGHBOURS[(number + 7 * event.id) % len(NEIGHBOURS)]
        found.append(
            Registration(
                event_id=event.id,
                code=held.next_code(),
                name=name,
                name_key=registrations.name_key(name),
                party_size=size,
                state=RegistrationState.CONFIRMED,
                source=(Source.SITE, Source.SITE, Source.KIOSK, Source.DESK)[number % 4],
                created_at=ctx.now - timedelta(hours=5 * (len(NEIGHBOURS) - number % len(NEIGHBOURS))),
            )
        )
        left -= size
    return found


def _commitment(ctx: Context, item: dict[str, Any], codes: Codes) -> None:
    event = ctx.session.get_one(Event, codes.events[item["origine"]])
    state = _COMMITMENTS[item["stato"]]
    due = date.fromisoformat(item["entro"])
    ctx.session.add(
        Commitment(
            code=item["codice"],
            text=item["testo"],
            event_id=event.id,
            office_id=codes.offices[item["ufficio"]] if item["ufficio"] else None,
            body_id=codes.bodies[item["ente"]] if not item["ufficio"] else None,
            due_on=due,
            state=state,
            closed_at=_noon(due) if state is CommitmentState.KEPT else None,
            created_at=event.starts_at,
            is_public=True,
        )
    )


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
