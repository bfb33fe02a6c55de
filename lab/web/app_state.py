"""What one running application holds, and what one request adds to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from flask import current_app, g
from flask_babel import get_locale

from lab.db.engine import Database
from lab.db.together import Together
from lab.kernel.clock import Clock
from lab.kernel.ids import new_key
from lab.kernel.tokens import Signer
from lab.policy.actor import ANONYMOUS, Actor
from lab.services.context import Context
from lab.settings import Settings
from lab.web.assets import Assets

EXTENSION = "lab"


@dataclass(frozen=True)
class Lab:
    """The parts shared by all requests of a process."""

    settings: Settings
    database: Database
    clock: Clock
    signer: Signer
    assets: Assets
    #: Acts of many at the same moment, done in one transaction.
    together: Together = field(default_factory=Together)


def lab() -> Lab:
    """The parts of the application that answers this request."""
    return cast(Lab, current_app.extensions[EXTENSION])


def request_id() -> str:
    """An id for this request: in the log line, in the answer's header, in the audit log."""
    if "request_id" not in g:
        g.request_id = new_key()
    return str(g.request_id)


def context() -> Context:
    """The context of this request, reading. Its session is closed at the end of the request."""
    if "context" not in g:
        g.context = Context(
            session=lab().database.session(),
            actor=cast(Actor, g.get("actor", ANONYMOUS)),
            now=lab().clock.now(),
            locale=str(get_locale() or "it"),
            request_id=request_id(),
            timezone=lab().settings.timezone,
        )
    return cast(Context, g.context)


@contextmanager
def transaction() -> Iterator[Context]:
    """Own the one transaction of a request that writes: commits at the end, rolls back on any error.

    What was read before has expired inside: services load anew, under lock, what they change.
    """
    ctx = context()
    with lab().database.writing(ctx.session):
        yield ctx


def close_session(_error: BaseException | None = None) -> None:
    """End of the request: give the connection back."""
    ctx = g.pop("context", None)
    if ctx is not None:
        ctx.session.close()
