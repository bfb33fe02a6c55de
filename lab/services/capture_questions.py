"""Questions asked at a meeting and their written answers: dated, signed, published.

A question is routed and answered by its office like any input; what the people who ran the meeting answer
in writing is kept here, signed with the name of whoever answers for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lab.db.locking import locked
from lab.kernel.clock import local_date
from lab.kernel.errors import Conflict, Invalid
from lab.kernel.text import clean_line, clean_text
from lab.models.contributions import OPEN_STATES, Contribution, State, StepKind, Visibility
from lab.models.events import Event
from lab.models.rooms import QuestionState, RoomQuestion
from lab.policy.permissions import Permission
from lab.services import audit, contributions, outbox, room, triage
from lab.services.context import Context
from lab.services.hosting import run

ANSWER_LIMIT = 5000
#: Fewer characters than this explain nothing to anybody.
ANSWER_LEAST = 20
SIGNED_LIMIT = 120
#: Questions of one meeting.
_SHOWN = 200


@dataclass(frozen=True)
class Reply:
    """A written answer. `version` is that of the input; `signed_as` is who answers for it."""

    contribution_id: int
    version: int | None
    text: str
    signed_as: str


def of_event(ctx: Context, event: Event) -> Sequence[RoomQuestion]:
    """The questions of a meeting, those without an answer first, then by the day promised."""
    ctx.require(Permission.EVENT_CAPTURE, event)
    query = (
        select(RoomQuestion)
        .join(RoomQuestion.contribution)
        .where(RoomQuestion.event_id == event.id, Contribution.visibility != Visibility.HIDDEN)
        .options(joinedload(RoomQuestion.contribution).joinedload(Contribution.office))
        .order_by(
            RoomQuestion.answered_at.is_not(None),
            RoomQuestion.answer_due_on.is_(None),
            RoomQuestion.answer_due_on,
            RoomQuestion.contribution_id,
        )
        .limit(_SHOWN)
    )
    return ctx.session.execute(query).scalars().all()


def promise(ctx: Context, contribution_id: int, due_on: date) -> RoomQuestion:
    """Say by which day a question is answered in writing.

    Raises `NotFound` for outsiders, `Invalid("due", "past")`, `Conflict("already_answered")`.
    """
    question = locked(ctx.session, RoomQuestion, contribution_id)
    event, grant = run(ctx, question.event_id)
    if question.answered_at is not None:
        raise Conflict("already_answered")
    if due_on < local_date(ctx.now, ctx.timezone):
        raise Invalid("due", "past")
    question.answer_due_on = due_on
    audit.record(ctx, "question.promise", event, grant, code=event.code, due=due_on.isoformat())
    ctx.session.flush()
    return question


def answer(ctx: Context, reply: Reply) -> RoomQuestion:
    """Publish the written answer; the input is settled, and whoever asked hears. The same again is one.

    A second answer corrects the first, which stays in the trace. Raises `NotFound` for everybody but the
    hosts, `Invalid` for text or signed, `Conflict("not_visible")` for what not everybody may read,
    `Conflict("changed_meanwhile")`, `Conflict("state_…")` for what was merged, woven or answered elsewhere.
    """
    question = locked(ctx.session, RoomQuestion, reply.contribution_id)
    event, grant = run(ctx, question.event_id)
    text = clean_text(reply.text, ANSWER_LIMIT + 1)
    signed = clean_line(reply.signed_as, SIGNED_LIMIT + 1)
    _check(text, signed)
    if (question.answer, question.signed_as) == (text, signed):
        return question
    with contributions.changing(ctx, reply.contribution_id, reply.version) as one:
        if one.visibility is not Visibility.PUBLIC:
            raise Conflict("not_visible")
        if one.state not in OPEN_STATES and question.answered_at is None:
            raise Conflict(f"state_{one.state}")
        triage.acknowledge(ctx, one, grant)
        if one.state in OPEN_STATES:
            contributions.move(ctx, one, State.ANSWERED)
        contributions.add_step(ctx, one, StepKind.ANSWERED, grant, text=f"{text}\n\n{signed}")
        audit.record(ctx, "question.answer", one, grant)
    question.answer, question.signed_as = text, signed
    question.answered_at, question.answered_by_id = ctx.now, ctx.actor.person_id
    question.state = QuestionState.ANSWERED
    ctx.session.flush()
    outbox.announce(ctx, "question.answered", contribution_id=one.id, question_id=one.id)
    room.touch(ctx, event.id)
    return question


def _check(text: str, signed: str) -> None:
    if len(text) < ANSWER_LEAST:
        raise Invalid("text", "too_short" if text else "required")
    if len(text) > ANSWER_LIMIT:
        raise Invalid("text", "too_long")
    if not signed:
        raise Invalid("signed", "required")
    if len(signed) > SIGNED_LIMIT:
        raise Invalid("signed", "too_long")
