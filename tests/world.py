"""A small neighbourhood and its people, for tests that need somebody to act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from lab.kernel.ids import new_token, token_digest
from lab.models.accounts import Credential, Person, Role, RoleGrant, WebSession
from lab.models.programme import Body, BodyKind, Office, Place, Programme, Theme
from lab.models.projects import Project, ProjectState
from lab.policy.actor import Actor, Grant

#: The moment in which tests stand unless they move the clock.
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """Ids of what `build` made."""

    comune: int
    aler: int
    verde: int
    lavori: int
    park: int
    towers: int
    project: int
    other_project: int
    green: int
    repairs: int
    people: dict[str, int]

    def actor(self, who: str) -> Actor:
        """The actor for one of the personas, with their functions."""
        return Actor(self.people[who], who, GRANTS(self)[who])


def GRANTS(world: World) -> dict[str, tuple[Grant, ...]]:  # reads as the table it is
    """Which functions each persona holds."""
    return {
        "rosa": (),
        "samir": (),
        "facilitator": (Grant(Role.FACILITATOR),),
        "moderator": (Grant(Role.MODERATOR),),
        "office": (Grant(Role.OFFICE, office_id=world.verde),),
        "other_office": (Grant(Role.OFFICE, office_id=world.lavori),),
        "coordinator": (Grant(Role.COORDINATOR),),
        "committee": (Grant(Role.COMMITTEE, seat_code="S14"),),
        "delegate": (Grant(Role.DELEGATE, body_id=world.aler),),
        "administrator": (Grant(Role.ADMINISTRATOR),),
    }


PERSONAS = (
    "rosa",
    "samir",
    "facilitator",
    "moderator",
    "office",
    "other_office",
    "coordinator",
    "committee",
    "delegate",
    "administrator",
)


def build(session: Session) -> World:
    """Fill an empty database: two bodies, two offices, two projects, themes, places, ten people."""
    comune = Body(code="E01", name="Comune di Seregno", kind=BodyKind.INSTITUTION, is_signatory=True)
    aler = Body(code="E03", name="ALER", kind=BodyKind.INSTITUTION, is_signatory=True)
    session.add_all([comune, aler])
    session.flush()
    verde = Office(code="U06", body_id=comune.id, name="Servizio Verde e Ambiente")
    lavori = Office(code="U03", body_id=comune.id, name="Settore Lavori Pubblici")
    session.add_all([verde, lavori])
    session.flush()
    programme = Programme(title="Contratto di Quartiere del Crocione", technical_office_id=lavori.id)
    park = Place(code="L04", name="Parco del Crocione", x=690, y=470)
    towers = Place(code="L02", name="Corte delle torri nord", x=430, y=300)
    green = Theme(code="verde", name="Verde", names={"en": "Green"}, office_id=verde.id, position=1)
    repairs = Theme(code="casa", name="Casa", names={"en": "Housing"}, office_id=lavori.id, position=2)
    session.add_all([programme, park, towers, green, repairs])
    session.flush()
    project = Project(
        code="P4", programme_id=programme.id, title="Parco del Crocione", office_id=verde.id,
        place_id=park.id, state=ProjectState.IN_DESIGN, state_since=date(2026, 3, 1), position=4,
    )  # fmt: skip
    other = Project(
        code="P1", programme_id=programme.id, title="Torri che respirano", office_id=lavori.id,
        place_id=towers.id, state=ProjectState.ON_SITE, state_since=date(2026, 9, 14), position=1,
    )  # fmt: skip
    session.add_all([project, other])
    session.flush()
    people = {who: _person(session, who) for who in PERSONAS}
    world = World(
        comune.id, aler.id, verde.id, lavori.id, park.id, towers.id, project.id, other.id, green.id,
        repairs.id, people,
    )  # fmt: skip
    for who, grants in GRANTS(world).items():
        for grant in grants:
            session.add(
                RoleGrant(
                    person_id=people[who],
                    role=grant.role,
                    office_id=grant.office_id,
                    body_id=grant.body_id,
                    seat_code=grant.seat_code,
                    starts_on=date(2026, 1, 1),
                    granted_at=NOW,
                )
            )
    session.flush()
    return world


def _person(session: Session, who: str) -> int:
    address = f"{who}@example.org"
    person = Person(
        name=who.capitalize(), email=address, email_key=address, email_verified_at=NOW, created_at=NOW
    )
    session.add(person)
    session.flush()
    session.add(Credential(person_id=person.id, email_key=address, created_at=NOW))
    return person.id


def open_session(session: Session, person_id: int, now: datetime = NOW) -> str:
    """Sign a person in: writes the session row and gives the token for the cookie."""
    token = new_token()
    session.add(
        WebSession(
            token_digest=token_digest(token),
            person_id=person_id,
            method="password",
            created_at=now,
            seen_at=now,
            proved_at=now,
            expires_at=now + timedelta(days=30),
        )
    )
    session.flush()
    return token
