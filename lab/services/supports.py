"""Supporting an input: one hand per person, whatever the race, and taken back whenever they like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, false, select, update

from lab.db.locking import locked
from lab.db.upsert import insert_once
from lab.kernel.errors import Denied
from lab.models.contributions import Contribution
from lab.models.conversation import Follow, Support
from lab.policy.permissions import Permission
from lab.services import contributions, follows
from lab.services.context import Context


@dataclass(frozen=True)
class AddSupport:
    """Support this input; with `follow` the person also hears what becomes of it."""

    contribution_id: int
    follow: bool = True


@dataclass(frozen=True)
class Standing:
    """How one reader stands to one input."""

    supports: bool = False
    follows: bool = False


def add(ctx: Context, command: AddSupport) -> bool:
    """Count the actor's support once; whether it is new.

    Raises `NotFound` for what the actor may not read, `Denied("sign_in" | "set_aside" | "own_support")`.
    """
    # The input is locked first, as every act on it does: merging and supporting never wait for each other.
    contribution = locked(ctx.session, Contribution, command.contribution_id)
    ctx.require(Permission.CONTRIBUTION_SUPPORT, contribution)
    if contribution.person_id == ctx.actor.person_id or contributions.is_co_author(ctx, contribution.id):
        raise Denied("own_support")
    values = {
        "contribution_id": contribution.id,
        "person_id": ctx.actor.person_id,
        "at": ctx.now,
    }
    new = insert_once(ctx.session, Support, values)
    if new:
        _count(ctx, contribution.id, +1)
    if command.follow:
        follows.add(ctx, follows.FollowThis(follows.Followed.CONTRIBUTION, contribution.id))
    return new


def remove(ctx: Context, contribution_id: int) -> bool:
    """Take the actor's support back; whether there was one. Following goes on until it is ended.

    Raises `Denied("sign_in")`, `NotFound`.
    """
    if ctx.actor.person_id is None:
        raise Denied("sign_in")
    contribution = locked(ctx.session, Contribution, contribution_id)
    gone = delete(Support).where(
        Support.contribution_id == contribution.id, Support.person_id == ctx.actor.person_id
    )
    was = bool(ctx.session.execute(gone).rowcount)  # type: ignore[attr-defined]
    if was:
        _count(ctx, contribution.id, -1)
    return was


def standing(ctx: Context, contribution_id: int) -> Standing:
    """Whether the actor supports and follows an input: one statement, none without an account."""
    if ctx.actor.person_id is None:
        return Standing()
    row = ctx.session.execute(select(*standing_columns(ctx.actor.person_id, contribution_id))).one()
    return Standing(bool(row.supports), bool(row.follows))


def standing_columns(person_id: Any, contribution_id: Any) -> tuple[ColumnElement[bool], ...]:
    """The same as columns `supports` and `follows`, for a query that reads the input anyway.

    `contribution_id` is a number or `Contribution.id`, `person_id` a number, a parameter or None.
    """
    if person_id is None:
        return (false().label("supports"), false().label("follows"))
    supported = exists().where(Support.contribution_id == contribution_id, Support.person_id == person_id)
    followed = exists().where(Follow.contribution_id == contribution_id, Follow.person_id == person_id)
    return (supported.label("supports"), followed.label("follows"))


def _count(ctx: Context, contribution_id: int, by: int) -> None:
    ctx.session.execute(
        update(Contribution)
        .where(Contribution.id == contribution_id)
        .values(supports_count=Contribution.supports_count + by)
    )
