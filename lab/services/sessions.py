"""Signed-in browsers: begun at sign-in, listed to the person, ended on the server at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update

from lab.kernel.errors import Denied, NotFound
from lab.kernel.ids import new_token, token_digest
from lab.models.accounts import Person, WebSession
from lab.policy.permissions import Permission
from lab.services.context import Context
from lab.services.terms import is_staff

#: The longest a sign-in lasts however much it is used: residents, staff, a device shared with others.
LONGEST = timedelta(days=90)
LONGEST_STAFF = timedelta(days=7)
LONGEST_SHARED = timedelta(hours=2)
#: How long a proof of who one is serves for changing address or password.
PROOF = timedelta(minutes=15)


@dataclass(frozen=True)
class Browser:
    """What is known of the browser that signs in; `device` is a family in plain words."""

    device: str = ""
    shared: bool = False


def open_session(ctx: Context, person_id: int, method: str, browser: Browser) -> str:
    """Sign a person in: a new row, and the token for the cookie. `method` is password, code or card.

    Raises `NotFound`, `Denied("blocked")` for somebody the lab has shut out.
    """
    person = ctx.session.get(Person, person_id)
    if person is None or person.anonymised_at is not None:
        raise NotFound("person")
    if person.blocked_at is not None:
        raise Denied("blocked")
    token = new_token()
    ctx.session.add(
        WebSession(
            token_digest=token_digest(token),
            person_id=person_id,
            method=method,
            device=browser.device[:80],
            shared_device=browser.shared,
            created_at=ctx.now,
            seen_at=ctx.now,
            proved_at=ctx.now,
            expires_at=ctx.now + _longest(ctx, person_id, browser),
        )
    )
    ctx.session.flush()
    return token


def _longest(ctx: Context, person_id: int, browser: Browser) -> timedelta:
    if browser.shared:
        return LONGEST_SHARED
    return LONGEST_STAFF if is_staff(ctx, person_id) else LONGEST


def mine(ctx: Context) -> Sequence[WebSession]:
    """The living sessions of the person who asks, last used first."""
    ctx.require(Permission.ACCOUNT_SELF)
    query = (
        select(WebSession)
        .where(
            WebSession.person_id == ctx.actor.person_id,
            WebSession.ended_at.is_(None),
            WebSession.expires_at > ctx.now,
        )
        .order_by(WebSession.seen_at.desc(), WebSession.id.desc())
        .limit(100)
    )
    return ctx.session.execute(query).scalars().all()


def end(ctx: Context, session_id: int) -> None:
    """End one session of the person who asks. Raises `NotFound` for anybody else's."""
    ctx.require(Permission.ACCOUNT_SELF)
    found = ctx.session.get(WebSession, session_id)
    if found is None or found.person_id != ctx.actor.person_id:
        raise NotFound("session")
    if found.ended_at is None:
        found.ended_at = ctx.now


def end_token(ctx: Context, token: str) -> None:
    """End the session behind a cookie's token, whoever's it is."""
    one = update(WebSession).where(
        WebSession.token_digest == token_digest(token), WebSession.ended_at.is_(None)
    )
    ctx.session.execute(one.values(ended_at=ctx.now))


def end_all(ctx: Context, person_id: int, *, but: int | None = None) -> None:
    """End every session of a person, except the one with the id `but`."""
    living = update(WebSession).where(WebSession.person_id == person_id, WebSession.ended_at.is_(None))
    if but is not None:
        living = living.where(WebSession.id != but)
    ctx.session.execute(living.values(ended_at=ctx.now))


def prove(ctx: Context, session_id: int) -> None:
    """Note that the person has just shown again who they are in this session. Raises `NotFound`."""
    found = ctx.session.get(WebSession, session_id)
    if found is None or found.person_id != ctx.actor.person_id:
        raise NotFound("session")
    found.proved_at = ctx.now


def is_proved(ctx: Context, session_id: int) -> bool:
    """Whether that was a short while ago."""
    proved_at = ctx.session.execute(
        select(WebSession.proved_at).where(
            WebSession.id == session_id, WebSession.person_id == ctx.actor.person_id
        )
    ).scalar_one_or_none()
    return proved_at is not None and ctx.now - proved_at <= PROOF


def require_proof(ctx: Context, session_id: int) -> None:
    """Raises `Denied("prove_first")` when the last proof of who this is lies too far back."""
    if not is_proved(ctx, session_id):
        raise Denied("prove_first")
