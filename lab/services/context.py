"""What every use case is handed: the transaction, who acts, and the moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lab.policy import rules
from lab.policy.actor import Actor, Grant
from lab.policy.permissions import Permission


@dataclass(frozen=True)
class Context:
    """One act: its session (the caller owns the transaction), its actor, now (UTC), the reader's language."""

    session: Session
    actor: Actor
    now: datetime
    locale: str = "it"
    request_id: str = ""
    #: The neighbourhood's zone, for days that begin and end at midnight there.
    timezone: str = "Europe/Rome"

    def require(self, permission: Permission, subject: Any = None) -> Grant:
        """The grant that allows this act. Raises `NotFound` or `Denied`."""
        return rules.require(self.actor, permission, subject, self.now)

    def may(self, permission: Permission, subject: Any = None) -> bool:
        """Whether the act would be allowed."""
        return rules.decide(self.actor, permission, subject, self.now).allowed
