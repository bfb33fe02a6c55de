"""What waits for one person beyond the inbox, counted for the menu of the desk in one statement."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from lab.models.accounts import Role
from lab.models.actions import Action, ActionState
from lab.models.contributions import IS_OPEN, Contribution
from lab.models.moderation import Flag, ModerationAct
from lab.policy.permissions import Permission
from lab.services import letters
from lab.services.context import Context
from lab.services.desk import COUNTED, NOT_HIDDEN


def counts(ctx: Context) -> dict[Permission, int]:
    """How many things wait for this person, by the right they need; a right not held is left out.

    `INBOX_SEE`: inputs that one's offices have to answer; for the team and the coordinator what they hold.
    `ACTION_DECIDE`: actions to adopt or send back (of one's offices), or sent back to the team.
    `APPEAL_SETTLE`: texts that were reported and appeals that this person may settle.
    `LETTER_PRINT`: people who should get a letter.
    """
    asked: dict[Permission, ColumnElement[Any]] = {}
    if ctx.may(Permission.INBOX_SEE):
        mine = (
            Contribution.holder_id == ctx.actor.person_id
            if ctx.actor.overseer
            else Contribution.office_id.in_(ctx.actor.office_ids)
        )
        asked[Permission.INBOX_SEE] = _number_of(select(Contribution.id).where(IS_OPEN, NOT_HIDDEN, mine))
    if ctx.actor.office_ids or ctx.actor.is_team:
        asked[Permission.ACTION_DECIDE] = _actions(ctx)
    if ctx.may(Permission.FLAG_SETTLE):
        asked[Permission.APPEAL_SETTLE] = _flagged() + _appeals(ctx)
    elif ctx.actor.grant_of(Role.COORDINATOR):
        asked[Permission.APPEAL_SETTLE] = _appeals(ctx)
    if ctx.may(Permission.LETTER_PRINT):
        asked[Permission.LETTER_PRINT] = _number_of(letters.who_waits())
    if not asked:
        return {}
    row = ctx.session.execute(select(*asked.values())).one()
    return {right: int(number) for right, number in zip(asked, row, strict=True)}


def _number_of(rows: Select[*tuple[Any, ...]]) -> ColumnElement[int]:
    return select(func.count()).select_from(rows.limit(COUNTED).subquery()).scalar_subquery()


def _actions(ctx: Context) -> ColumnElement[int]:
    """An office decides what was proposed to it, the team looks again at what came back."""
    proposed = Action.office_id.in_(ctx.actor.office_ids) & (Action.state == ActionState.PROPOSED)
    conditions = [proposed, Action.state == ActionState.SENT_BACK] if ctx.actor.is_team else [proposed]
    return _number_of(select(Action.id).where(or_(*conditions)))


def _flagged() -> ColumnElement[int]:
    """Texts, not flags: ten people who report one comment are one thing to look at."""
    return _number_of(
        select(Flag.contribution_id, Flag.comment_id).where(Flag.settled_at.is_(None)).distinct()
    )


def _appeals(ctx: Context) -> ColumnElement[int]:
    """Who hid a text does not decide on it again."""
    return _number_of(
        select(ModerationAct.id).where(
            ModerationAct.appealed_at.is_not(None),
            ModerationAct.appeal_settled_at.is_(None),
            ModerationAct.person_id.is_distinct_from(ctx.actor.person_id),
        )
    )
