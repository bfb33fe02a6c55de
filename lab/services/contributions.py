"""The root use cases: placing an input, and changing it under lock with everything that must stay true.

Nothing else writes `state`, `visibility`, `is_open`, `is_listed`, `version`, the tally or the search entry
of a contribution. Features call `changing` and set what they decide; the books are kept here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, delete, exists, select, update
from sqlalchemy.exc import IntegrityError

from lab.db import search, sums
from lab.db.constraints import is_violation
from lab.db.locking import expect_version, locked
from lab.kernel.clock import local_date
from lab.kernel.errors import Invalid
from lab.kernel.ids import new_receipt_code
from lab.kernel.text import clean_line, clean_text, excerpt
from lab.models.contributions import (
    ASIDE_STATES,
    OPEN_STATES,
    Channel,
    Contribution,
    ContributionAuthor,
    ContributionProject,
    ContributionVersion,
    Kind,
    Outcome,
    Proposal,
    State,
    Step,
    StepKind,
    Tally,
    Visibility,
)
from lab.models.projects import Project
from lab.policy import transitions
from lab.policy.actor import Grant
from lab.services import codes, site, tally
from lab.services.context import Context

#: Longest text of an input and longest title, in characters.
TEXT_LIMIT = 5000
TITLE_LIMIT = 120
NAME_LIMIT = 60
EXCERPT = 200


@dataclass(frozen=True)
class Placement:
    """What is known of an input at the door. Only `text` is needed."""

    text: str
    kind: Kind = Kind.PROPOSAL
    title: str = ""
    channel: Channel = Channel.SITE
    author_name: str = ""
    person_id: int | None = None
    typed_by_id: int | None = None
    lang: str = "it"
    theme_id: int | None = None
    place_id: int | None = None
    pin: tuple[int, int] | None = None
    project_ids: tuple[int, ...] = ()
    event_id: int | None = None
    visibility: Visibility = Visibility.PUBLIC
    said_at: datetime | None = None
    supports_base: int = 0
    #: As `once.own_key` gives it.
    idempotency_key: str | None = None
    code: str | None = None
    source: str | None = None
    source_ref: str | None = None
    #: State and outcome when it comes with a past (demo, imports).
    state: State = State.RECEIVED
    outcome: Outcome | None = None
    decided_at: datetime | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def with_key(ctx: Context, idempotency_key: str | None) -> Contribution | None:
    """What an earlier try with the same key (`once.own_key`) has already placed; None the first time."""
    if not idempotency_key:
        return None
    query = select(Contribution).where(Contribution.idempotency_key == idempotency_key)
    return ctx.session.execute(query).scalar_one_or_none()


def place(ctx: Context, what: Placement) -> Contribution:
    """Take an input in: codes, promise, first step, tally and search entry, all in this transaction.

    Placing the same idempotency key again gives back what it placed the first time.
    Raises `Invalid("text", "required")` when nothing was said.
    """
    again = with_key(ctx, what.idempotency_key)
    if again is not None:
        return again
    contribution = _fresh(ctx, what)
    _insert_with_receipt(ctx, contribution)
    rules = site.rules(ctx)
    ctx.session.add(
        Proposal(
            contribution_id=contribution.id,
            edit_until=ctx.now + timedelta(minutes=rules.edit_minutes),
        )
    )
    if what.project_ids:
        link_projects(ctx, contribution, what.project_ids)
        _count_voices(ctx, set(), _spoken_of(ctx, contribution))
    add_step(ctx, contribution, StepKind.SAID, at=contribution.created_at)
    count(ctx, tally_key(ctx, contribution), +1)
    index(ctx, contribution)
    return contribution


def _fresh(ctx: Context, what: Placement) -> Contribution:
    text = clean_text(what.text, TEXT_LIMIT)
    if not text:
        raise Invalid("text", "required")
    said_at = what.said_at or ctx.now
    # Only what comes with a past keeps the promise of its day; paper typed today is promised from today.
    promised_from = said_at if what.source else ctx.now
    contribution = Contribution(
        kind=what.kind,
        code=what.code or codes.next_code(ctx, "PR"),
        channel=what.channel,
        created_at=said_at,
        typed_at=ctx.now,
        person_id=what.person_id,
        author_name=clean_line(what.author_name, NAME_LIMIT),
        typed_by_id=what.typed_by_id,
        title=clean_line(what.title, TITLE_LIMIT),
        text=text,
        excerpt=excerpt(text, EXCERPT),
        lang=what.lang,
        theme_id=what.theme_id,
        place_id=what.place_id,
        x=what.pin[0] if what.pin else None,
        y=what.pin[1] if what.pin else None,
        event_id=what.event_id,
        state=what.state,
        outcome=what.outcome,
        decided_at=what.decided_at,
        visibility=what.visibility,
        promise_due_at=promised_from + timedelta(days=site.rules(ctx).promise_days),
        supports_base=what.supports_base,
        supports_count=what.supports_base,
        idempotency_key=what.idempotency_key,
        source=what.source,
        source_ref=what.source_ref,
        **what.extra,
    )
    derive(contribution)
    return contribution


def _insert_with_receipt(ctx: Context, contribution: Contribution) -> None:
    # Receipt codes are drawn at random: the database says when one is taken, and another is drawn.
    for _ in range(5):
        contribution.receipt_code = new_receipt_code()
        try:
            with ctx.session.begin_nested():
                ctx.session.add(contribution)
                ctx.session.flush()
            return
        except IntegrityError as error:
            if not is_violation(error, "uq_contribution_receipt_code"):
                raise
    raise RuntimeError("no free receipt code in five draws")


@contextmanager
def changing(
    ctx: Context, contribution_id: int, expected_version: int | None = None, *options: Any
) -> Iterator[Contribution]:
    """Lock an input, let the caller change it, then settle version, flags, tally and search entry.

    `expected_version` is the number the person's page was drawn with: acting on something that moved on
    raises `Conflict("changed_meanwhile")`. Raises `NotFound` when there is no such input.
    """
    contribution = locked(ctx.session, Contribution, contribution_id, *options)
    expect_version(contribution, expected_version)
    before = tally_key(ctx, contribution)
    words = _words(contribution)
    voices = _spoken_of(ctx, contribution)
    yield contribution
    contribution.version += 1
    derive(contribution)
    ctx.session.flush()
    after = tally_key(ctx, contribution)
    if before != after:
        count(ctx, before, -1)
        count(ctx, after, +1)
    _count_voices(ctx, voices, _spoken_of(ctx, contribution))
    if words != _words(contribution):
        index(ctx, contribution)


def move(ctx: Context, contribution: Contribution, state: State, outcome: Outcome | None = None) -> None:
    """Bring an input (held by `changing`) to another state; a deciding state dates the outcome.

    Raises `Conflict("state_<before>")` where the transition does not exist.
    """
    if contribution.state is not state:
        transitions.require_contribution(contribution.state, state)
    contribution.state = state
    contribution.outcome = outcome
    if state in OPEN_STATES:
        contribution.decided_at = None
    elif contribution.decided_at is None:
        contribution.decided_at = ctx.now


def is_co_author(ctx: Context, contribution_id: int) -> bool:
    """Whether the actor's own words were merged into this input."""
    mine = (
        ContributionAuthor.contribution_id == contribution_id,
        ContributionAuthor.person_id == ctx.actor.person_id,
    )
    return bool(ctx.session.execute(select(exists().where(*mine))).scalar_one())


def add_step(
    ctx: Context,
    contribution: Contribution,
    kind: StepKind,
    grant: Grant | None = None,
    *,
    at: datetime | None = None,
    text: str = "",
    is_public: bool = True,
    **links: int | None,
) -> Step:
    """Write one dated step of the trace. `links`: office_id, body_id, action_id, other_id."""
    step = Step(
        contribution_id=contribution.id,
        at=at or ctx.now,
        kind=kind,
        capacity=str(grant.role) if grant else "",
        text=text,
        is_public=is_public,
        **links,
    )
    ctx.session.add(step)
    return step


def keep_words(ctx: Context, contribution: Contribution) -> None:
    """Keep how it reads now, before it reads otherwise: everybody can look it up."""
    ctx.session.add(
        ContributionVersion(
            contribution_id=contribution.id,
            replaced_at=ctx.now,
            title=contribution.title,
            text=contribution.text,
            person_id=ctx.actor.person_id,
        )
    )


def link_projects(ctx: Context, contribution: Contribution, project_ids: Iterable[int]) -> None:
    """Make these the projects an input (held by `changing`, or just placed) speaks about."""
    mine = ContributionProject.contribution_id == contribution.id
    before = set(ctx.session.execute(select(ContributionProject.project_id).where(mine)).scalars())
    after = set(project_ids)
    for project_id in sorted(after - before):
        said_at = contribution.created_at
        ctx.session.add(
            ContributionProject(contribution_id=contribution.id, project_id=project_id, said_at=said_at)
        )
    if before - after:
        gone = ContributionProject.project_id.in_(before - after)
        ctx.session.execute(delete(ContributionProject).where(mine, gone))
    ctx.session.flush()


def _spoken_of(ctx: Context, contribution: Contribution) -> set[int]:
    """The projects in whose count of public inputs this one stands."""
    if contribution.visibility is not Visibility.PUBLIC:
        return set()
    query = select(ContributionProject.project_id).where(
        ContributionProject.contribution_id == contribution.id
    )
    return set(ctx.session.execute(query).scalars())


def _count_voices(ctx: Context, before: set[int], after: set[int]) -> None:
    for by, project_ids in ((-1, before - after), (+1, after - before)):
        for project_id in sorted(project_ids):
            ctx.session.execute(
                update(Project)
                .where(Project.id == project_id)
                .values(contributions_count=Project.contributions_count + by)
                .execution_options(synchronize_session=False)
            )


def derive(contribution: Contribution) -> None:
    """Set what follows from state and visibility."""
    contribution.is_open = contribution.state in OPEN_STATES
    contribution.is_listed = (
        contribution.visibility is Visibility.PUBLIC and contribution.state not in ASIDE_STATES
    )


def tally_key(ctx: Context, contribution: Contribution) -> dict[str, Any]:
    """The row of the tally in which this input counts, apart from those of all themes and all offices."""
    said_on = local_date(contribution.created_at, ctx.timezone)
    return {
        "month": said_on.replace(day=1),
        "kind": contribution.kind,
        "theme_id": contribution.theme_id or 0,
        "office_id": contribution.office_id or 0,
        "state": contribution.state,
        "timeliness": timeliness(contribution),
    }


def timeliness(contribution: Contribution) -> str:
    """open, in_time or late: how the promise of an answer was kept."""
    if contribution.state in OPEN_STATES or contribution.decided_at is None:
        return "open"
    return "in_time" if contribution.decided_at <= contribution.promise_due_at else "late"


def count(ctx: Context, key: dict[str, Any], by: int) -> None:
    """Add to the outcome tally; no reader ever counts the inputs themselves."""
    table = Tally.__table__
    assert isinstance(table, Table)
    for row in tally.rows_of(key):
        sums.add(ctx.session, table, row, by)


def _words(contribution: Contribution) -> tuple[str, bool]:
    public = contribution.visibility is Visibility.PUBLIC
    words = f"{contribution.title} {contribution.text} {contribution.author_name} {contribution.code}"
    return words, public


def index(ctx: Context, contribution: Contribution) -> None:
    """Put its words into the search index (again)."""
    words, public = _words(contribution)
    search.put_document(ctx.session, "contribution", contribution.id, words, is_public=public)
