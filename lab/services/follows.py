"""Following: who wants to hear of an input, an action or a project."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, select, update

from lab.db.locking import locked
from lab.db.upsert import insert_once
from lab.kernel.errors import Denied, NotFound
from lab.models.actions import Action
from lab.models.contributions import Contribution
from lab.models.conversation import Follow
from lab.models.projects import Project
from lab.policy.permissions import Permission
from lab.services.context import Context


class Followed(StrEnum):
    """What can be followed; the code names its column in `follow`."""

    CONTRIBUTION = "contribution"
    ACTION = "action"
    PROJECT = "project"


@dataclass(frozen=True)
class FollowThis:
    """Which subject, by its kind and id."""

    what: Followed
    subject_id: int


_MODELS: dict[Followed, type[Contribution] | type[Action] | type[Project]] = {
    Followed.CONTRIBUTION: Contribution,
    Followed.ACTION: Action,
    Followed.PROJECT: Project,
}
_COLUMNS: dict[Followed, Any] = {
    Followed.CONTRIBUTION: Follow.contribution_id,
    Followed.ACTION: Follow.action_id,
    Followed.PROJECT: Follow.project_id,
}


def subject_id(ctx: Context, what: Followed, code: str) -> int:
    """The id behind a public code. Raises `NotFound`."""
    model = _MODELS[what]
    found = ctx.session.execute(select(model.id).where(model.code == code)).scalar_one_or_none()
    if found is None:
        raise NotFound(what)
    return found


def is_following(ctx: Context, this: FollowThis) -> bool:
    """Whether the actor follows it; nobody follows without an account."""
    if ctx.actor.person_id is None:
        return False
    mine = select(Follow.id).where(
        Follow.person_id == ctx.actor.person_id, _COLUMNS[this.what] == this.subject_id
    )
    return ctx.session.execute(mine).first() is not None


def follow(ctx: Context, this: FollowThis) -> bool:
    """Begin to follow; whether that is new. Raises `NotFound`, `Denied("sign_in" | "set_aside")`."""
    subject = locked(ctx.session, _MODELS[this.what], this.subject_id)
    if this.what is Followed.CONTRIBUTION:
        ctx.require(Permission.CONTRIBUTION_FOLLOW, subject)
    elif this.what is Followed.ACTION:
        ctx.require(Permission.ACTION_READ, subject)
    return add(ctx, this)


def add(ctx: Context, this: FollowThis) -> bool:
    """Write the actor down as a follower of a subject whose row is locked; whether that is new.

    Raises `Denied("sign_in")`.
    """
    if ctx.actor.person_id is None:
        raise Denied("sign_in")
    values = {
        "person_id": ctx.actor.person_id,
        f"{this.what}_id": this.subject_id,
        "at": ctx.now,
    }
    new = insert_once(ctx.session, Follow, values)
    if new:
        _count(ctx, this, +1)
    return new


def unfollow(ctx: Context, this: FollowThis) -> bool:
    """Stop following, whatever has become of the subject; whether the actor did follow.

    Raises `Denied("sign_in")`, `NotFound`.
    """
    if ctx.actor.person_id is None:
        raise Denied("sign_in")
    locked(ctx.session, _MODELS[this.what], this.subject_id)
    gone = delete(Follow).where(
        Follow.person_id == ctx.actor.person_id, _COLUMNS[this.what] == this.subject_id
    )
    was = bool(ctx.session.execute(gone).rowcount)  # type: ignore[attr-defined]
    if was:
        _count(ctx, this, -1)
    return was


def _count(ctx: Context, this: FollowThis, by: int) -> None:
    model = _MODELS[this.what]
    if not issubclass(model, Contribution | Action):
        return  # a project shows no number of followers
    ctx.session.execute(
        update(model).where(model.id == this.subject_id).values(followers_count=model.followers_count + by)
    )
