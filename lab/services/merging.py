"""Two inputs that say the same become one, one that says two things becomes two; both can be undone.

What a merge adds to the input that lives on is written down in `Merge.before`, so that undoing takes away
exactly that. A voice that came through several merged inputs stays as long as one of them is merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, select

from lab.db.locking import locked
from lab.kernel.errors import Conflict, Invalid
from lab.kernel.text import clean_line, clean_text
from lab.models.actions import ActionContribution
from lab.models.contributions import (
    Contribution,
    ContributionAuthor,
    ContributionProject,
    Merge,
    Outcome,
    State,
    StepKind,
    Visibility,
)
from lab.models.conversation import Follow
from lab.policy import transitions
from lab.policy.actor import Grant
from lab.policy.permissions import Permission
from lab.services import audit, contributions, once, outbox, voices
from lab.services.context import Context
from lab.services.contributions import Placement

REASON_LIMIT = 2000


@dataclass(frozen=True)
class Unite:
    """Which input lives on and which become part of it. `versions`: the numbers the page was drawn with."""

    target_id: int
    source_ids: tuple[int, ...]
    reason: str
    versions: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Split:
    """The part of an input that becomes one of its own, in its author's words."""

    contribution_id: int
    version: int | None
    text: str
    title: str = ""
    idempotency_key: str | None = None


def unite(ctx: Context, command: Unite) -> Contribution:
    """Merge inputs into one: authors, voices, followers and projects come together, originals stay readable.

    Raises `Invalid("sources", "one_alone")` for one by itself, `Invalid("reason", "required")`, and
    `Conflict` for inputs that cannot be merged now or changed meanwhile.
    """
    grant = ctx.require(Permission.CONTRIBUTION_MERGE)
    sources = sorted(set(command.source_ids) - {command.target_id})
    if not sources:
        raise Invalid("sources", "one_alone")
    reason = clean_text(command.reason, REASON_LIMIT)
    if not reason:
        raise Invalid("reason", "required")
    if _united_already(ctx, command.target_id, sources):
        return locked(ctx.session, Contribution, command.target_id)
    with ExitStack() as stack:
        held = _hold(ctx, stack, [command.target_id, *sources], command.versions)
        target = held[command.target_id]
        _may_live_on(target)
        for source_id in sources:
            _may_merge(ctx, held[source_id], target)
            _unite_one(ctx, held[source_id], target, grant, reason)
    return target


def _united_already(ctx: Context, target_id: int, sources: list[int]) -> bool:
    # The second of two clicks finds the work done; it is not told that somebody else was quicker.
    query = select(Contribution.id).where(
        Contribution.id.in_(sources), Contribution.merged_into_id == target_id
    )
    return len(ctx.session.execute(query).all()) == len(sources)


def _hold(
    ctx: Context, stack: ExitStack, ids: Iterable[int], versions: Mapping[int, int]
) -> dict[int, Contribution]:
    # Always in the order of ids: two people who merge the same inputs the other way round never block.
    return {
        one: stack.enter_context(contributions.changing(ctx, one, versions.get(one)))
        for one in sorted(set(ids))
    }


def _may_live_on(target: Contribution) -> None:
    if target.state in (State.MERGED, State.WITHDRAWN):
        raise Conflict(f"state_{target.state}")
    if target.visibility is Visibility.HIDDEN:
        raise Conflict("hidden_first")
    if target.visibility is Visibility.WAITING:
        raise Conflict("read_first")


def _may_merge(ctx: Context, source: Contribution, target: Contribution) -> None:
    if source.state in (State.TAKEN_UP, State.DONE):
        raise Conflict("woven_lives_on")
    transitions.require_contribution(source.state, State.MERGED)
    if source.visibility is Visibility.HIDDEN:
        raise Conflict("hidden_first")
    if source.visibility is Visibility.WAITING:
        raise Conflict("read_first")
    if source.visibility is not target.visibility:
        raise Conflict("private_apart")
    woven = select(ActionContribution.action_id).where(ActionContribution.contribution_id == source.id)
    if ctx.session.execute(woven.limit(1)).first() is not None:
        raise Conflict("woven_lives_on")


def _unite_one(ctx: Context, source: Contribution, target: Contribution, grant: Grant, reason: str) -> None:
    before = {
        "state": source.state.value,
        "outcome": source.outcome.value if source.outcome else None,
        "decided_at": source.decided_at.isoformat() if source.decided_at else None,
        "holder_id": source.holder_id,
        "base": source.supports_base,
        "authors": _add_authors(ctx, source, target),
        "follows": _add_follows(ctx, source, target),
        "projects": _add_projects(ctx, source, target),
        "own": voices.set_own_aside(ctx, target),
    }
    target.supports_base += source.supports_base
    target.supports_count += source.supports_base + voices.bring(ctx, source, target)
    ctx.session.add(
        Merge(
            target_id=target.id, source_id=source.id, at=ctx.now,
            person_id=ctx.actor.person_id, reason=reason, before=before,
        )
    )  # fmt: skip
    source.merged_into_id = target.id
    source.holder_id = None
    source.read_at = source.read_at or ctx.now
    contributions.move(ctx, source, State.MERGED, Outcome.MERGED)
    contributions.add_step(ctx, source, StepKind.MERGED, grant, text=reason, other_id=target.id)
    contributions.add_step(ctx, target, StepKind.TOOK_IN, grant, text=reason, other_id=source.id)
    audit.record(ctx, "contribution.merge", source, grant, reason=reason, target_id=target.id)
    audit.record(ctx, "contribution.took_in", target, grant, reason=reason, source_id=source.id)
    outbox.announce(ctx, "contribution.merged", contribution_id=source.id, other_id=target.id)
    ctx.session.flush()


def _add_authors(ctx: Context, source: Contribution, target: Contribution) -> list[int]:
    query = select(ContributionAuthor).where(ContributionAuthor.contribution_id == source.id)
    carried = [(row.person_id, row.name, row.via_id) for row in ctx.session.execute(query).scalars()]
    rows = [
        ContributionAuthor(contribution_id=target.id, person_id=person_id, name=name, via_id=via_id)
        for person_id, name, via_id in [(source.person_id, source.author_name, source.id), *carried]
    ]
    ctx.session.add_all(rows)
    ctx.session.flush()
    return [row.id for row in rows]


def _add_follows(ctx: Context, source: Contribution, target: Contribution) -> list[int]:
    rows = [
        Follow(person_id=person_id, contribution_id=target.id, at=ctx.now)
        for person_id in sorted(_followers(ctx, source.id) - _followers(ctx, target.id))
    ]
    ctx.session.add_all(rows)
    target.followers_count += len(rows)
    ctx.session.flush()
    return [row.id for row in rows]


def _followers(ctx: Context, contribution_id: int) -> set[int]:
    query = select(Follow.person_id).where(Follow.contribution_id == contribution_id)
    return set(ctx.session.execute(query).scalars())


def _add_projects(ctx: Context, source: Contribution, target: Contribution) -> list[int]:
    own, more = _projects(ctx, target.id), _projects(ctx, source.id)
    if more - own:
        contributions.link_projects(ctx, target, own | more)
    return sorted(more - own)


def _projects(ctx: Context, contribution_id: int) -> set[int]:
    mine = ContributionProject.contribution_id == contribution_id
    return set(ctx.session.execute(select(ContributionProject.project_id).where(mine)).scalars())


def live_merges(ctx: Context, contribution_id: int) -> list[Merge]:
    """The merges into this input that were not undone, the first one first."""
    query = (
        select(Merge)
        .where(Merge.target_id == contribution_id, Merge.undone_at.is_(None))
        .order_by(Merge.id)
        .execution_options(populate_existing=True)
    )
    return list(ctx.session.execute(query).scalars())


def separate(ctx: Context, source_id: int, reason: str, version: int | None = None) -> Contribution:
    """Undo a merge: the input stands by itself again, as it was, and takes its voices with it.

    Raises `Conflict("not_merged")`, `Conflict("undo_later_first")` while the other is itself merged,
    `Invalid("reason", "required")`.
    """
    grant = ctx.require(Permission.CONTRIBUTION_MERGE)
    words = clean_text(reason, REASON_LIMIT)
    if not words:
        raise Invalid("reason", "required")
    target_id = ctx.session.execute(
        select(Contribution.merged_into_id).where(Contribution.id == source_id)
    ).scalar_one_or_none()
    if target_id is None:
        raise Conflict("not_merged")
    versions = {source_id: version} if version is not None else {}
    with ExitStack() as stack:
        held = _hold(ctx, stack, [source_id, target_id], versions)
        source, target = held[source_id], held[target_id]
        if source.merged_into_id != target.id:
            raise Conflict("changed_meanwhile")
        if target.state is State.MERGED:
            raise Conflict("undo_later_first")
        others = live_merges(ctx, target.id)
        merge = next(one for one in others if one.source_id == source.id)
        others.remove(merge)
        _take_apart(ctx, source, target, merge, others)
        _put_back(ctx, source, merge)
        merge.undone_at, merge.undone_by_id = ctx.now, ctx.actor.person_id
        contributions.add_step(ctx, source, StepKind.UNMERGED, grant, text=words, other_id=target.id)
        contributions.add_step(ctx, target, StepKind.UNMERGED, grant, text=words, other_id=source.id)
        audit.record(ctx, "contribution.unmerge", source, grant, reason=words, target_id=target.id)
        audit.record(ctx, "contribution.gave_back", target, grant, reason=words, source_id=source.id)
        outbox.announce(ctx, "contribution.unmerged", contribution_id=source.id, other_id=target.id)
    return source


def _put_back(ctx: Context, source: Contribution, merge: Merge) -> None:
    before = merge.before
    outcome = Outcome(before["outcome"]) if before.get("outcome") else None
    contributions.move(ctx, source, State(before["state"]), outcome)
    decided_at = before.get("decided_at")
    source.decided_at = datetime.fromisoformat(decided_at) if decided_at else None
    source.holder_id = before.get("holder_id")
    source.merged_into_id = None


def _take_apart(
    ctx: Context, source: Contribution, target: Contribution, merge: Merge, others: list[Merge]
) -> None:
    before = merge.before
    were = voices.authors(ctx, target)
    authors = before.get("authors", [])
    if authors:
        ctx.session.execute(delete(ContributionAuthor).where(ContributionAuthor.id.in_(authors)))
    free = were - voices.authors(ctx, target)
    target.supports_base -= int(before.get("base", 0))
    gone = voices.take_away(ctx, source, target)
    back = voices.give_back(ctx, target, merge, others, gone | free)
    target.supports_count += back - len(gone) - int(before.get("base", 0))
    _drop_follows(ctx, target, before.get("follows", []), others)
    _drop_projects(ctx, target, before.get("projects", []), others)


def _drop_follows(ctx: Context, target: Contribution, added: list[int], others: list[Merge]) -> None:
    if not added:
        return
    still = ctx.session.execute(select(Follow).where(Follow.id.in_(added))).scalars().all()
    for follow in still:
        keeper = next((one for one in others if follow.person_id in _followers(ctx, one.source_id)), None)
        if keeper is None:
            ctx.session.delete(follow)
            target.followers_count -= 1
        else:
            keeper.before = {**keeper.before, "follows": [*keeper.before.get("follows", []), follow.id]}
    ctx.session.flush()


def _drop_projects(ctx: Context, target: Contribution, added: list[int], others: list[Merge]) -> None:
    own = _projects(ctx, target.id)
    for project_id in set(added) & own:
        keeper = next((one for one in others if project_id in _projects(ctx, one.source_id)), None)
        if keeper is None:
            own.discard(project_id)
        else:
            brought = [*keeper.before.get("projects", []), project_id]
            keeper.before = {**keeper.before, "projects": brought}
    contributions.link_projects(ctx, target, own)


def split(ctx: Context, command: Split) -> Contribution:
    """Make a part of an input one of its own: same author, same promise, its own receipt.

    The original keeps all its words. Raises `Invalid("text", "required"|"whole"|"not_their_words")`,
    `Conflict("state_…")` when it is set aside.
    """
    grant = ctx.require(Permission.CONTRIBUTION_MERGE)
    key = once.own_key(ctx, command.idempotency_key)
    again = contributions.with_key(ctx, key)
    if again is not None:
        return again
    with contributions.changing(ctx, command.contribution_id, command.version) as origin:
        if origin.state in (State.MERGED, State.WITHDRAWN):
            raise Conflict(f"state_{origin.state}")
        if origin.visibility is Visibility.HIDDEN:
            raise Conflict("hidden_first")
        if origin.visibility is Visibility.WAITING:
            raise Conflict("read_first")
        part = _their_words(origin, command.text)
        made = contributions.place(ctx, _placement(ctx, origin, part, command, key))
        made.promise_due_at = origin.promise_due_at
        contributions.add_step(ctx, origin, StepKind.SPLIT, grant, other_id=made.id)
        contributions.add_step(ctx, made, StepKind.SPLIT, grant, other_id=origin.id)
        audit.record(ctx, "contribution.split", origin, grant, made_id=made.id)
        audit.record(ctx, "contribution.split_off", made, grant, origin_id=origin.id)
        outbox.announce(ctx, "contribution.split", contribution_id=origin.id, other_id=made.id)
    return made


def _their_words(origin: Contribution, text: str) -> str:
    part = clean_text(text, contributions.TEXT_LIMIT)
    if not part:
        raise Invalid("text", "required")
    whole = " ".join(origin.text.split())
    if " ".join(part.split()) == whole:
        raise Invalid("text", "whole")
    if any(" ".join(line.split()) not in whole for line in part.splitlines()):
        raise Invalid("text", "not_their_words")
    return part


def _placement(ctx: Context, origin: Contribution, part: str, command: Split, key: str | None) -> Placement:
    return Placement(
        text=part,
        title=clean_line(command.title, contributions.TITLE_LIMIT),
        kind=origin.kind,
        channel=origin.channel,
        author_name=origin.author_name,
        person_id=origin.person_id,
        typed_by_id=origin.typed_by_id,
        lang=origin.lang,
        theme_id=origin.theme_id,
        place_id=origin.place_id,
        pin=(origin.x, origin.y) if origin.x is not None and origin.y is not None else None,
        project_ids=tuple(sorted(_projects(ctx, origin.id))),
        event_id=origin.event_id,
        visibility=origin.visibility,
        said_at=origin.created_at,
        idempotency_key=key,
        state=State.IN_REVIEW,
        extra={"split_from_id": origin.id, "read_at": ctx.now},
    )


def merged_here(ctx: Context, contribution_id: int) -> list[tuple[Merge, Contribution]]:
    """The inputs that live on in this one, with their merge, in the order they came."""
    query = (
        select(Merge, Contribution)
        .join(Contribution, Contribution.id == Merge.source_id)
        .where(Merge.target_id == contribution_id, Merge.undone_at.is_(None))
        .order_by(Merge.id)
    )
    return [(merge, source) for merge, source in ctx.session.execute(query)]
