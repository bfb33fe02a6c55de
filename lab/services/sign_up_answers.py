"""What a sign-up may say: how many people, and the answers to a meeting's own questions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from lab.kernel.errors import Invalid
from lab.models.registrations import EventQuestion, QuestionKind, SignUp
from lab.services.context import Context

ANSWER_LIMIT = 500
#: Largest party that staff can write down on one line.
PARTY_MOST = 50


def check_size(sign_up: SignUp, party_size: int, *, free_hand: bool = False) -> None:
    """A party has at least one person and, unless staff write it down, no more than the form allows."""
    if party_size < 1:
        raise Invalid("party_size", "out_of_range")
    if party_size > (PARTY_MOST if free_hand else sign_up.party_most):
        raise Invalid("party_size", "party_too_big")


def check_answers(ctx: Context, event_id: int, answers: dict[str, Any], *, asks_all: bool = True) -> None:
    """The event's own questions: only known ones, choices among the offered; with `asks_all` the required
    ones answered (whoever writes down others from paper or at the door asks nothing more).
    """
    query = select(EventQuestion).where(EventQuestion.event_id == event_id)
    known = {str(question.id): question for question in ctx.session.execute(query).scalars()}
    if set(answers) - set(known):
        raise Invalid("answers", "unknown")
    for key, question in known.items():
        value = answers.get(key)
        if value in (None, "", []):
            if asks_all and question.is_required:
                raise Invalid(f"answers.{key}", "required")
        elif not _is_answer(question, value):
            raise Invalid(f"answers.{key}", "unknown")


def _is_answer(question: EventQuestion, value: Any) -> bool:
    if question.kind is QuestionKind.MANY:
        return isinstance(value, list) and all(item in question.options for item in value)
    if not isinstance(value, str) or len(value) > ANSWER_LIMIT:
        return False
    if question.kind is QuestionKind.ONE:
        return value in question.options
    if question.kind is QuestionKind.YES_NO:
        return value in ("yes", "no")
    return question.kind is QuestionKind.TEXT or (value.isdecimal() and len(value) <= 6)
