"""What an office answers: drafted for itself, then published for good; a correction is a new answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from lab.db.locking import expect_version, locked
from lab.kernel.errors import Conflict, Invalid
from lab.kernel.text import clean_text
from lab.models.answers import Answer, Verdict
from lab.models.contributions import Contribution, Outcome, State, StepKind
from lab.models.programme import Body
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import audit, contributions, outbox, references
from lab.services.context import Context

REASON_LIMIT = 5000
#: Fewer characters than this explain nothing to anybody.
REASON_LEAST = 30


@dataclass(frozen=True)
class Reply:
    """An answer as its office writes it.

    `version` is that of the input, `draft_version` that of the draft the page was drawn with (None: none).
    """

    contribution_id: int
    version: int | None
    verdict: Verdict
    reason: str
    body_id: int | None = None
    draft_version: int | None = None


def published(ctx: Context, contribution_id: int) -> Sequence[Answer]:
    """What everybody may read, the newest first; only that one counts, the others were corrected by it."""
    query = (
        select(Answer)
        .where(Answer.contribution_id == contribution_id, Answer.published_at.is_not(None))
        .options(joinedload(Answer.office), joinedload(Answer.body))
        .order_by(Answer.published_at.desc(), Answer.id.desc())
    )
    return ctx.session.execute(query).scalars().all()


def draft(ctx: Context, contribution_id: int, office_id: int) -> Answer | None:
    """What this office has begun to write; nobody else reads it."""
    query = select(Answer).where(
        Answer.contribution_id == contribution_id,
        Answer.office_id == office_id,
        Answer.published_at.is_(None),
    )
    return ctx.session.execute(query).scalar_one_or_none()


def save(ctx: Context, reply: Reply) -> Answer:
    """Keep a draft: one for each office and input.

    Raises `NotFound` for other offices, `Invalid`, and `Conflict("draft_changed")` when a colleague of the
    same office saved in between.
    """
    contribution = locked(ctx.session, Contribution, reply.contribution_id)
    grant = ctx.require(Permission.ANSWER_DRAFT, contribution)
    _answerable(contribution)
    return _write(ctx, contribution, reply, _office_of(grant))


def publish(ctx: Context, reply: Reply) -> Answer:
    """Publish an answer; the input moves on and everybody concerned hears. The same answer twice is one.

    Raises `NotFound` for other offices, `Invalid("reason", "too_short")`, `Invalid("body", "choose_body")`,
    `Conflict("changed_meanwhile")`, `Conflict("draft_changed")`, `Conflict("state_…")`.
    """
    contribution = locked(ctx.session, Contribution, reply.contribution_id)
    grant = ctx.require(Permission.ANSWER_PUBLISH, contribution)
    office_id = _office_of(grant)
    if len(clean_text(reply.reason, REASON_LIMIT)) < REASON_LEAST:
        raise Invalid("reason", "too_short")
    latest = next((a for a in published(ctx, contribution.id) if a.office_id == office_id), None)
    if latest is not None and _same(latest, reply) and draft(ctx, contribution.id, office_id) is None:
        return latest
    _answerable(contribution)
    with contributions.changing(ctx, contribution.id, reply.version) as contribution:
        answer = _write(ctx, contribution, reply, office_id)
        answer.published_at = ctx.now
        answer.published_by_id = ctx.actor.person_id
        _settle(ctx, contribution, answer.verdict)
        contributions.add_step(ctx, contribution, StepKind.ANSWERED, grant, office_id=office_id)
        audit.record(ctx, "answer.publish", contribution, grant, answer_id=answer.id, verdict=answer.verdict)
        outbox.announce(ctx, "contribution.answered", contribution_id=contribution.id, answer_id=answer.id)
    return answer


def _answerable(contribution: Contribution) -> None:
    if contribution.state in (State.MERGED, State.WITHDRAWN):
        raise Conflict(f"state_{contribution.state}")


def _office_of(grant: Grant) -> int:
    assert grant.office_id is not None  # the rule grants answering through an office only
    return grant.office_id


def _same(answer: Answer, reply: Reply) -> bool:
    words = clean_text(reply.reason, REASON_LIMIT)
    return (answer.verdict, answer.reason, answer.body_id) == (reply.verdict, words, reply.body_id)


def _write(ctx: Context, contribution: Contribution, reply: Reply, office_id: int) -> Answer:
    # The input's row is locked by now: two colleagues cannot both begin the one draft.
    reason = clean_text(reply.reason, REASON_LIMIT)
    if not reason:
        raise Invalid("reason", "required")
    body_id = _body_of(ctx, reply)
    answer = draft(ctx, contribution.id, office_id)
    if answer is None:
        answer = Answer(
            contribution_id=contribution.id,
            office_id=office_id,
            created_at=ctx.now,
            created_by_id=ctx.actor.person_id,
            version=0,
        )
        ctx.session.add(answer)
    else:
        if reply.draft_version != answer.version and _same(answer, reply):
            return answer  # the second of two clicks
        _expect_draft(answer, reply.draft_version)
    answer.verdict, answer.reason, answer.body_id = reply.verdict, reason, body_id
    answer.version += 1
    ctx.session.flush()
    return answer


def _expect_draft(answer: Answer, version: int | None) -> None:
    try:
        expect_version(answer, version if version is not None else 0)
    except Conflict:
        raise Conflict("draft_changed") from None


def _body_of(ctx: Context, reply: Reply) -> int | None:
    if reply.verdict is not Verdict.PASSED_ON:
        return None
    if reply.body_id is None:
        raise Invalid("body", "choose_body")
    references.known(ctx, "body", Body, reply.body_id)
    return reply.body_id


def _settle(ctx: Context, contribution: Contribution, verdict: Verdict) -> None:
    contribution.read_at = contribution.read_at or ctx.now
    if contribution.state in (State.TAKEN_UP, State.DONE):
        return  # it lives on in an action: the answer explains, the outcome stays
    state = State.DECLINED if verdict is Verdict.DECLINED else State.ANSWERED
    contributions.move(ctx, contribution, state, Outcome(verdict.value))
