"""Meetings for tests: one with places, its hosts, and people who sign up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from lab.models.events import Event, EventHost, EventKind, EventProject
from lab.models.registrations import Registration, SignUp
from lab.policy.actor import ANONYMOUS, Actor
from lab.services import registrations
from lab.services.context import Context
from lab.services.registrations import Party
from tests.world import NOW, World


def make_event(session: Session, world: World, *, host: str = "facilitator", **changes: Any) -> Event:
    """A public working group in the park in a week, with 10 places, hosted by one of the personas.

    `changes` are fields of Event, or of SignUp when they are named `sign_up_<field>`.
    """
    books = {
        key.removeprefix("sign_up_"): changes.pop(key) for key in list(changes) if key.startswith("sign_up_")
    }
    fields: dict[str, Any] = {
        "code": "EV90",
        "kind": EventKind.WORKING_GROUP,
        "title": "Giochi nuovi al parco",
        "starts_at": NOW + timedelta(days=7),
        "place_id": world.park,
        **changes,
    }
    event = Event(**fields)
    session.add(event)
    session.flush()
    session.add(SignUp(event_id=event.id, **{"capacity": 10, **books}))
    session.add(EventHost(event_id=event.id, person_id=world.people[host]))
    session.add(EventProject(event_id=event.id, project_id=world.project))
    session.flush()
    return event


def signed_up(
    session: Session, event: Event, name: str = "Rosa", actor: Actor = ANONYMOUS, **party: Any
) -> Registration:
    """Somebody on the list, as the site would put them there."""
    return registrations.sign_up(Context(session, actor, NOW), Party(event.id, name, **party))
