"""Who is reading: from the session cookie to a person with the functions they hold today.

The cookie carries only a random token; the row behind it can be ended at any moment. Flask-Login keeps the
token in the signed session and calls back here; nothing about the person is in the cookie.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import Flask, g, session
from flask_babel import refresh
from flask_login import LoginManager, current_user
from sqlalchemy import and_, bindparam, or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lab.db.version import content_version
from lab.kernel.clock import local_date
from lab.kernel.errors import Unavailable
from lab.kernel.ids import token_digest
from lab.models.accounts import MailRhythm, Person, RoleGrant, WebSession
from lab.policy.actor import ANONYMOUS, Actor, Grant
from lab.web.app_state import context, lab
from lab.web.i18n import language

#: How long a browser stays signed in without being used, and on a device shared with others.
IDLE = timedelta(days=30)
IDLE_SHARED = timedelta(minutes=20)
#: How often the last use is written down.
_TOUCH = timedelta(minutes=15)


@dataclass(frozen=True)
class Reader:
    """The signed-in person as pages need them."""

    token: str
    session_id: int
    person_id: int
    name: str
    actor: Actor
    locale: str
    unread: int
    mail_rhythm: MailRhythm
    shared_device: bool

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What Flask-Login keeps in the session: the token of the session row."""
        return self.token

    @property
    def is_staff(self) -> bool:
        """Whether the desk is theirs."""
        return self.actor.is_staff


_IN_FORCE = and_(
    RoleGrant.person_id == Person.id,
    RoleGrant.starts_on <= bindparam("today"),
    or_(RoleGrant.ends_on.is_(None), RoleGrant.ends_on >= bindparam("today")),
)
#: Sent with every request of a signed-in reader: put together once, and plain columns rather than objects.
_READER = (
    select(
        WebSession.id,
        WebSession.ended_at,
        WebSession.expires_at,
        WebSession.seen_at,
        WebSession.shared_device,
        Person.id.label("person_id"),
        Person.name,
        Person.locale,
        Person.unread_count,
        Person.mail_rhythm,
        Person.blocked_at,
        RoleGrant.role,
        RoleGrant.office_id,
        RoleGrant.body_id,
        RoleGrant.seat_code,
        # What is read after this is as new as the version says, or newer: see lab/web/fragments.py.
        select(content_version.c.version).scalar_subquery().label("content_version"),
    )
    .join(Person, Person.id == WebSession.person_id)
    .outerjoin(RoleGrant, _IN_FORCE)
    .where(WebSession.token_digest == bindparam("digest"))
    .order_by(RoleGrant.id)
)


def load_reader(token: str) -> Reader | None:
    """The person behind a session token, while the session lives; one statement."""
    now = lab().clock.now()
    values = {"digest": token_digest(token), "today": local_date(now, lab().settings.timezone)}
    rows = lab().database.glance.rows(_READER, values)
    if rows is None:
        rows = context().session.execute(_READER, values).all()
    if not rows:
        return None
    found = rows[0]
    g.content_version = found.content_version
    idle = IDLE_SHARED if found.shared_device else IDLE
    if (
        found.ended_at is not None
        or found.expires_at <= now
        or found.seen_at + idle <= now
        or found.blocked_at is not None
    ):
        return None
    _touch(found.id, found.seen_at, found.shared_device, now)
    grants = tuple(Grant(row.role, row.office_id, row.body_id, row.seat_code) for row in rows if row.role)
    return Reader(
        token=token,
        session_id=found.id,
        person_id=found.person_id,
        name=found.name,
        actor=Actor(found.person_id, found.name, grants),
        locale=found.locale,
        unread=found.unread_count,
        mail_rhythm=found.mail_rhythm,
        shared_device=found.shared_device,
    )


def _touch(session_id: int, seen_at: datetime, shared_device: bool, now: datetime) -> None:
    step = timedelta(minutes=2) if shared_device else _TOUCH
    if now - seen_at < step:
        return
    # The only write a GET does: when this browser was last used, in a transaction of its own.
    try:
        with lab().database.writing() as writing:
            writing.execute(update(WebSession).where(WebSession.id == session_id).values(seen_at=now))
    except (Unavailable, OperationalError, PoolTimeout):
        # Nobody waits for it, and with a full disk reading goes on.
        return


def reader() -> Reader | None:
    """The signed-in person of this request; None for everybody else."""
    return current_user._get_current_object() if current_user.is_authenticated else None


def _find_actor() -> None:
    """Before anything else in a request: who acts. Requests without a session cookie cost nothing."""
    g.actor = ANONYMOUS
    if not session.get("_user_id"):
        return
    found = reader()
    if found is None:
        session.pop("_user_id", None)
        return
    g.actor = found.actor
    # Looking for the reader asked for a language already: their account may say another.
    g.reader_locale = found.locale
    refresh()
    ctx = g.pop("context", None)
    if ctx is not None:
        # The context made to find the reader goes on with the right actor and the same session.
        g.context = replace(ctx, actor=found.actor, locale=language())


def init_app(app: Flask) -> None:
    """Let Flask-Login find readers by their session rows."""
    manager = LoginManager(app)
    # Our session rows decide; Flask-Login's own mark hashes a header that anybody can send.
    manager.session_protection = None
    manager.user_loader(load_reader)
    app.before_request(_find_actor)
