"""Tables. Relationships point one way, from child to parent, and never load by themselves."""

from lab.models import (
    accounts,
    actions,
    answers,
    contributions,
    conversation,
    events,
    moderation,
    notifications,
    operations,
    pictures,
    programme,
    projects,
)

__all__ = [
    "accounts",
    "actions",
    "answers",
    "contributions",
    "conversation",
    "events",
    "moderation",
    "notifications",
    "operations",
    "pictures",
    "programme",
    "projects",
]
