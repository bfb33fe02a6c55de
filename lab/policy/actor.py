"""Who acts: a person with the functions they hold today."""

from __future__ import annotations

from dataclasses import dataclass

from lab.models.accounts import Role

#: Functions with a place at the staff desk.
STAFF = frozenset(
    {Role.FACILITATOR, Role.MODERATOR, Role.OFFICE, Role.COORDINATOR, Role.ADMINISTRATOR, Role.DELEGATE}
)
#: The research team that runs the lab.
TEAM = frozenset({Role.FACILITATOR, Role.MODERATOR})
#: The team and the coordinator, who see all that the lab works on; who holds several acts in the first.
OVERSEERS = (Role.MODERATOR, Role.FACILITATOR, Role.COORDINATOR)


@dataclass(frozen=True)
class Grant:
    """A function in force today, with the office or body it belongs to."""

    role: Role
    office_id: int | None = None
    body_id: int | None = None
    seat_code: str | None = None


@dataclass(frozen=True)
class Actor:
    """The person behind a request or a command. `person_id` is None for a reader without account."""

    person_id: int | None = None
    name: str = ""
    grants: tuple[Grant, ...] = ()
    #: The program itself: imports, jobs, the command line.
    is_system: bool = False

    @property
    def is_signed_in(self) -> bool:
        """Whether a person with an account or a card stands behind this."""
        return self.person_id is not None

    @property
    def is_staff(self) -> bool:
        """Whether the desk is theirs in any function."""
        return any(grant.role in STAFF for grant in self.grants)

    @property
    def is_team(self) -> bool:
        """Whether they belong to the research team."""
        return any(grant.role in TEAM for grant in self.grants)

    @property
    def office_ids(self) -> frozenset[int]:
        """The offices they answer for today."""
        return frozenset(
            grant.office_id
            for grant in self.grants
            if grant.role is Role.OFFICE and grant.office_id is not None
        )

    @property
    def body_ids(self) -> frozenset[int]:
        """The bodies they stand for today."""
        return frozenset(
            grant.body_id
            for grant in self.grants
            if grant.role is Role.DELEGATE and grant.body_id is not None
        )

    @property
    def overseer(self) -> Grant | None:
        """The function in which they see all that the lab works on."""
        return self.grant_of(*OVERSEERS)

    def grant_of(self, *roles: Role) -> Grant | None:
        """The first grant in one of these roles, in the order asked."""
        for role in roles:
            for grant in self.grants:
                if grant.role is role:
                    return grant
        return None


ANONYMOUS = Actor()
SYSTEM = Actor(is_system=True, name="system")
