"""Tables. Relationships point one way, from child to parent, and never load by themselves."""

from lab.models import (
    accounts,
    actions,
    answers,
    capture,
    contributions,
    conversation,
    events,
    kiosk,
    moderation,
    notifications,
    operations,
    pictures,
    programme,
    projects,
    registrations,
    rooms,
)

__all__ = [
    "accounts",
    "actions",
    "answers",
    "capture",
    "contributions",
    "conversation",
    "events",
    "kiosk",
    "moderation",
    "notifications",
    "operations",
    "pictures",
    "programme",
    "projects",
    "registrations",
    "rooms",
]
