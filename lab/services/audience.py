"""Who is to hear of something: authors and co-authors, followers, the people of an office, the team.

These are questions only; what each of them may read is decided by the same rules as everywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import and_, or_, select

from lab.models.accounts import Person, Role, RoleGrant
from lab.models.actions import ActionContribution, ActionProject
from lab.models.contributions import Contribution, ContributionAuthor
from lab.models.conversation import Follow
from lab.policy.actor import TEAM, Actor, Grant
from lab.services import terms
from lab.services.context import Context

#: Merges of merges: how many generations of originals are followed back.
_GENERATIONS = 6
#: Values in one IN list, well under what either engine takes.
_CHUNK = 500


def chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    """The different ids in order, in portions that fit one statement."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]


def family(ctx: Context, contribution_ids: Iterable[int]) -> dict[int, int]:
    """Each input and everything merged into it, whatever the depth; each with the input it now stands in."""
    found = {one: one for one in contribution_ids}
    newest = list(found)
    for _ in range(_GENERATIONS):
        children: list[int] = []
        for some in chunks(newest):
            query = select(Contribution.id, Contribution.merged_into_id).where(
                Contribution.merged_into_id.in_(some)
            )
            for child, parent in ctx.session.execute(query):
                if parent is not None and child not in found:
                    found[child] = found[parent]
                    children.append(child)
        if not children:
            break
        newest = children
    return found


def authors(ctx: Context, contribution_ids: Iterable[int]) -> list[tuple[int, int, int]]:
    """The people whose words are in these inputs: (person, their own input, the input it stands in)."""
    stands_in = family(ctx, contribution_ids)
    found: list[tuple[int, int, int]] = []
    for some in chunks(stands_in):
        own = select(Contribution.person_id, Contribution.id).where(
            Contribution.id.in_(some), Contribution.person_id.is_not(None)
        )
        found += [(p, c, stands_in[c]) for p, c in ctx.session.execute(own) if p is not None]
        with_others = select(
            ContributionAuthor.person_id, ContributionAuthor.via_id, ContributionAuthor.contribution_id
        ).where(ContributionAuthor.contribution_id.in_(some), ContributionAuthor.person_id.is_not(None))
        found += [(p, via, stands_in[c]) for p, via, c in ctx.session.execute(with_others) if p is not None]
    # Their own input first: it is the one they know.
    return sorted(dict.fromkeys(found), key=lambda item: (item[0], item[1] != item[2], item[1]))


def followers_of_contributions(ctx: Context, contribution_ids: Iterable[int]) -> list[tuple[int, int]]:
    """Who follows these inputs, or one that was merged into them: (person, the input that goes on)."""
    stands_in = family(ctx, contribution_ids)
    found: list[tuple[int, int]] = []
    for some in chunks(stands_in):
        query = select(Follow.person_id, Follow.contribution_id).where(Follow.contribution_id.in_(some))
        found += [(p, stands_in[c]) for p, c in ctx.session.execute(query) if c is not None]
    return sorted(set(found))


def followers_of_action(ctx: Context, action_id: int) -> list[int]:
    """Who follows an action or one of the projects it serves."""
    projects = select(ActionProject.project_id).where(ActionProject.action_id == action_id)
    query = select(Follow.person_id).where(
        or_(Follow.action_id == action_id, Follow.project_id.in_(projects))
    )
    return sorted(set(ctx.session.execute(query).scalars()))


def followers_of_project(ctx: Context, project_id: int) -> list[int]:
    """Who follows a project."""
    query = select(Follow.person_id).where(Follow.project_id == project_id)
    return sorted(set(ctx.session.execute(query).scalars()))


def woven_into(ctx: Context, action_id: int) -> list[int]:
    """The inputs an action grew out of."""
    query = select(ActionContribution.contribution_id).where(ActionContribution.action_id == action_id)
    return sorted(ctx.session.execute(query).scalars())


def team(ctx: Context) -> list[int]:
    """The research team as of today."""
    return _holders(ctx, RoleGrant.role.in_(sorted(TEAM)))


def moderators(ctx: Context) -> list[int]:
    """Who settles appeals: moderators and the coordinator."""
    return _holders(ctx, RoleGrant.role.in_([Role.MODERATOR, Role.COORDINATOR]))


def office_people(ctx: Context, office_id: int) -> list[int]:
    """Who answers for an office today."""
    return _holders(ctx, and_(RoleGrant.role == Role.OFFICE, RoleGrant.office_id == office_id))


def actors(ctx: Context, person_ids: Iterable[int]) -> dict[int, Actor]:
    """These people as actors, with the functions they hold today."""
    ids = sorted(set(person_ids))
    grants: dict[int, list[Grant]] = {one: [] for one in ids}
    for some in chunks(ids):
        query = (
            select(RoleGrant)
            .where(RoleGrant.person_id.in_(some), terms.in_force(terms.today(ctx)))
            .order_by(RoleGrant.id)
        )
        for row in ctx.session.execute(query).scalars():
            grants[row.person_id].append(Grant(row.role, row.office_id, row.body_id, row.seat_code))
    return {one: Actor(one, grants=tuple(grants[one])) for one in ids}


def reachable(person: Person) -> bool:
    """Whether telling this person anything makes sense."""
    return person.blocked_at is None and person.anonymised_at is None


def _holders(ctx: Context, condition: Any) -> list[int]:
    query = select(RoleGrant.person_id).where(condition, terms.in_force(terms.today(ctx)))
    return sorted(set(ctx.session.execute(query).scalars()))
