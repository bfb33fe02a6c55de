"""Signing up: who gets a place, who waits, who hears; on both engines."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lab.db.engine import Database
from lab.kernel.errors import Conflict, Denied, Invalid, NotFound
from lab.kernel.tokens import Signer
from lab.models.events import Event, EventState, Fullness
from lab.models.operations import AuditEntry, OutboxItem
from lab.models.registrations import (
    EventQuestion,
    QuestionKind,
    Registration,
    RegistrationState,
    SeatGroup,
    SignUp,
    Source,
)
from lab.policy.actor import ANONYMOUS, Actor
from lab.services import (
    privacy,
    registrations,
    seats,
    sign_up_changes,
    sign_up_desk,
    sign_up_pages,
    sign_up_settings,
    tickets,
)
from lab.services.context import Context
from lab.services.registrations import Party
from lab.services.sign_up_changes import Change
from lab.services.sign_up_settings import Group, Question, Settings
from tests.meetings import make_event, signed_up
from tests.world import NOW, World

CONFIRMED, WAITING = RegistrationState.CONFIRMED, RegistrationState.WAITING
MERGED, CANCELLED = RegistrationState.MERGED, RegistrationState.CANCELLED


def ctx_of(session: Session, actor: Actor = ANONYMOUS, **later: float) -> Context:
    return Context(session, actor, NOW + timedelta(**later))


def announced(session: Session) -> list[str]:
    query = select(OutboxItem.payload).where(OutboxItem.topic == "announce").order_by(OutboxItem.id)
    return [payload["event"] for payload in session.execute(query).scalars()]


def test_who_comes_first_gets_a_place_and_the_next_a_number(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=2)
        rows = [signed_up(session, event, name) for name in ("Ada", "Bea", "Ciro", "Dino")]
        assert [row.state for row in rows] == [CONFIRMED, CONFIRMED, WAITING, WAITING]
        assert [seats.place_of(ctx_of(session), row) for row in rows] == [1, 2, 1, 2]
        assert session.get_one(SignUp, event.id).taken == 2
        assert len({row.code for row in rows}) == 4
        assert event.fullness is Fullness.FULL


def test_a_place_given_back_goes_to_the_first_party_that_fits(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=2)
        ada = signed_up(session, event, "Ada")
        signed_up(session, event, "Bea")
        three = signed_up(session, event, "Tre", party_size=3)
        one = signed_up(session, event, "Uno", email="uno@example.org")
        registrations.cancel(ctx_of(session, hours=1), ada.id)
        assert (three.state, one.state) == (WAITING, CONFIRMED)
        assert "registration.promoted" in announced(session)
        assert session.get_one(SignUp, event.id).waiting == 1
        # Doing it again changes nothing.
        registrations.cancel(ctx_of(session, hours=2), ada.id)
        assert session.get_one(SignUp, event.id).taken == 2


def test_a_place_that_nobody_who_waits_can_use_is_not_called_taken(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=2)
        signed_up(session, event, "Ada")
        assert signed_up(session, event, "Tre", party_size=3).state is WAITING
        assert event.fullness is Fullness.FEW
        assert signed_up(session, event, "Uno").state is CONFIRMED
        assert event.fullness is Fullness.FULL


def test_kept_places_and_limits_of_groups(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=4, sign_up_has_groups=True)
        stair = SeatGroup(event_id=event.id, name="Scala B", reserved=2)
        children = SeatGroup(event_id=event.id, name="Bambini", most=1)
        session.add_all([stair, children])
        session.flush()
        assert signed_up(session, event, "A", party_size=2).state is CONFIRMED
        assert signed_up(session, event, "B").state is WAITING
        assert signed_up(session, event, "C", group_id=stair.id, party_size=2).state is CONFIRMED
        assert signed_up(session, event, "D", group_id=children.id).state is WAITING
        with pytest.raises(Invalid, match="group_id"):
            signed_up(session, event, "E", group_id=stair.id + 77)


def test_sent_twice_is_one_sign_up_and_other_content_is_refused(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world)
        first = signed_up(session, event, "Rosa", client_uuid="u-1")
        assert signed_up(session, event, "Rosa", client_uuid="u-1").id == first.id
        with pytest.raises(Conflict, match="same_id_other_content"):
            signed_up(session, event, "Samir", client_uuid="u-1")
        assert session.get_one(SignUp, event.id).taken == 1


def test_those_who_come_at_the_same_moment_are_each_themselves(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=3)
        before = signed_up(session, event, "Ada", client_uuid="u-1")
        ctx = ctx_of(session)
        wishes = [
            Party(event.id, "Bea", email="bea@example.org", client_uuid="u-2", locale="ar"),
            Party(event.id, "Ada", client_uuid="u-1"),
            Party(event.id, "Bea Rossi", email="BEA@example.org", client_uuid="u-3"),
            Party(event.id, "Tre", party_size=3),
            Party(event.id, "Uno"),
        ]
        placed = registrations.sign_up_all([(ctx, wish) for wish in wishes])
        assert placed[1].id == before.id
        states = [one.state for one in placed]
        assert states == [CONFIRMED, CONFIRMED, RegistrationState.MERGED, WAITING, CONFIRMED]
        assert placed[2].merged_into_id == placed[0].id
        books = session.get_one(SignUp, event.id)
        assert (books.taken, books.waiting) == (3, 1)
        assert len({one.code for one in placed}) == 5
        heard = announced(session)
        assert heard.count("registration.repeated") == 1


def test_one_refused_refuses_those_with_it(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world)
        wishes = [Party(event.id, "Ada"), Party(event.id, "Bea", needs=("a-limousine",))]
        with pytest.raises(Invalid, match="needs"):
            registrations.sign_up_all([(ctx_of(session), wish) for wish in wishes])


def test_out_of_time_says_why(database: Database, world: World) -> None:
    cases: list[tuple[dict[str, object], str]] = [
        ({"sign_up_opens_at": NOW + timedelta(hours=1)}, "not_open_yet"),
        ({"sign_up_closes_at": NOW}, "sign_up_closed"),
        ({"starts_at": NOW}, "sign_up_closed"),
        ({"state": EventState.CANCELLED}, "event_cancelled"),
        ({"sign_up_is_offered": False}, "no_sign_up"),
    ]
    with database.writing() as session:
        for number, (changes, code) in enumerate(cases):
            event = make_event(session, world, code=f"EV8{number}", **changes)
            with pytest.raises(Conflict, match=code):
                signed_up(session, event)


def test_what_is_asked_is_checked(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_asks=["childcare"])
        question = EventQuestion(
            event_id=event.id, kind=QuestionKind.ONE, label="Turno?", options=["A", "B"], is_required=True
        )
        session.add(question)
        session.flush()
        key = str(question.id)
        for party, field in (
            ({}, f"answers.{key}"),
            ({"answers": {key: "C"}}, f"answers.{key}"),
            ({"answers": {key: "A", "0": "x"}}, "answers"),
            ({"answers": {key: "A"}, "needs": ("food",)}, "needs"),
            ({"answers": {key: "A"}, "party_size": 5}, "party_size"),
            ({"answers": {key: "A"}, "party_size": 0}, "party_size"),
            ({"answers": {key: "A"}, "email": "chi lo sa"}, "email"),
            ({"answers": {key: "A"}, "phone": "12"}, "phone"),
            ({"answers": {key: "A"}, "consent": False}, "consent"),
        ):
            with pytest.raises(Invalid) as refused:
                signed_up(session, event, "Rosa", **party)
            assert refused.value.field == field
        row = signed_up(session, event, "Rosa", answers={key: "A"}, needs=("childcare",))
        assert (row.answers, row.needs) == ({key: "A"}, ["childcare"])


def test_one_person_once_and_a_stranger_reads_the_same(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=3)
        first = signed_up(session, event, "Rosa", email="Rosa@Example.org", phone="0362 123456")
        shadow = signed_up(session, event, "Altra", email="rosa@example.org")
        by_phone = signed_up(session, event, "Terza", phone="+39 0362 123456")
        books = session.get_one(SignUp, event.id)
        assert (shadow.state, by_phone.state, books.taken) == (MERGED, MERGED, 1)
        read = tickets.standing(ctx_of(session), shadow, books)
        assert (read.state, read.number, read.of) == (CONFIRMED, 2, 3)
        # It grows no more than a first one could, so that this tells nothing either.
        more = Change(shadow.id, shadow.version, "Altra", email="rosa@example.org", party_size=3)
        with pytest.raises(Invalid, match="party_does_not_fit"):
            sign_up_changes.change(ctx_of(session), more)
        # Its owner hears, and giving back the second one touches nothing.
        assert announced(session).count("registration.repeated") == 2
        registrations.cancel(ctx_of(session), shadow.id)
        assert tickets.standing(ctx_of(session), shadow, books).state is CANCELLED
        assert (books.taken, first.state) == (1, CONFIRMED)
        # Two who share a telephone: a host sets them apart.
        host = world.actor("facilitator")
        sign_up_desk.set_apart(ctx_of(session, host), event.id, by_phone.id)
        assert (by_phone.state, books.taken) == (CONFIRMED, 2)


def test_with_an_account_the_second_time_leads_to_the_first(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world)
        rosa = world.actor("rosa")
        signed_up(session, event, "Rosa", rosa, person_id=rosa.person_id)
        with pytest.raises(Conflict, match="already_signed_up"):
            signed_up(session, event, "Rosa", rosa, person_id=rosa.person_id)


def test_an_account_tells_nobody_who_else_is_on_the_list(database: Database, world: World) -> None:
    """Two people sign up with an address: one of a neighbour who is on the list, the other of nobody."""
    with database.writing() as session:
        event = make_event(session, world)
        signed_up(session, event, "Ada", email="ada@example.org")
        read = []
        for who, email in (("rosa", "ada@example.org"), ("samir", "nobody@example.org")):
            ctx = ctx_of(session, world.actor(who))
            signed_up(session, event, "X", ctx.actor, email=email, person_id=ctx.actor.person_id)
            door = sign_up_pages.door(ctx, event.code)
            own = privacy.copy_of(ctx)["sign_ups"]
            states = [tickets.state_shown(ctx, one) for one in tickets.mine(ctx)]
            with pytest.raises(Conflict, match="already_signed_up"):
                signed_up(session, event, "X", ctx.actor, person_id=ctx.actor.person_id)
            for other in (email, f"new-{who}@example.org"):
                nameless = signed_up(session, event, "Y", email=other)
                with pytest.raises(Conflict, match="already_signed_up"):
                    sign_up_changes.claim(ctx, nameless.id)
            told = {key: value for key, value in own[0].items() if key in _COMPARED or value is None}
            read.append((door.own is not None, told, len(own), states))
        assert read[0] == read[1]


_COMPARED = {"state", "version", "party_size", "source", "arrived_count"}


def test_changing_keeps_the_place_and_more_people_must_fit(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=3)
        ada = signed_up(session, event, "Ada", party_size=2)
        bea = signed_up(session, event, "Bea", email="bea@example.org")
        ciro = signed_up(session, event, "Ciro")
        later = ctx_of(session, hours=3)
        with pytest.raises(Invalid, match="party_does_not_fit"):
            sign_up_changes.change(later, Change(ada.id, ada.version, "Ada", party_size=3))
        sign_up_changes.change(later, Change(ada.id, ada.version, "Ada", party_size=1))
        assert (ciro.state, seats.place_of(later, ada), seats.place_of(later, bea)) == (CONFIRMED, 1, 2)
        with pytest.raises(Conflict, match="changed_meanwhile"):
            sign_up_changes.change(later, Change(ada.id, 1, "Ada C."))
        # Taking the address of somebody else says nothing, and its owner hears.
        before = announced(session).count("registration.repeated")
        changed = sign_up_changes.change(
            later, Change(ciro.id, ciro.version, "Ciro", email="bea@example.org")
        )
        assert (changed.email, changed.email_key) == ("bea@example.org", None)
        assert announced(session).count("registration.repeated") == before + 1


def test_hosts_alone_act_for_others_and_say_why(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=1)
        host = ctx_of(session, world.actor("facilitator"))
        sign_up_desk.add(host, Party(event.id, "Nonna Pina", phone="0362 987654"))
        ada, bea = signed_up(session, event, "Ada"), signed_up(session, event, "Bea")
        for who in ("coordinator", "moderator", "administrator"):
            with pytest.raises(NotFound):
                sign_up_desk.cancel(ctx_of(session, world.actor(who)), event.id, ada.id, "non viene")
        with pytest.raises(Invalid, match="reason"):
            sign_up_desk.move(host, event.id, bea.id, 1, " ")
        sign_up_desk.move(host, event.id, bea.id, 1, "viene da lontano")
        assert [seats.place_of(host, row) for row in (bea, ada)] == [1, 2]
        sign_up_desk.seat_over(host, event.id, ada.id, "porta la torta")
        books = session.get_one(SignUp, event.id)
        assert (ada.state, books.taken, books.waiting) == (CONFIRMED, 2, 1)
        verbs = set(session.execute(select(AuditEntry.verb)).scalars())
        assert {"registration.typed", "registration.moved", "registration.override"} <= verbs
        with pytest.raises(Conflict, match="not_waiting"):
            sign_up_desk.move(host, event.id, ada.id, 1, "ancora")


def test_who_has_only_a_telephone_is_on_the_list_to_call(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=1)
        first = signed_up(session, event, "Ada")
        pina = signed_up(session, event, "Pina", phone="0362 987654")
        host = ctx_of(session, world.actor("facilitator"), hours=2)
        registrations.cancel(ctx_of(session, hours=1), first.id)
        assert [one.id for one in sign_up_desk.to_call(host, event)] == [pina.id]
        sign_up_desk.called(host, event.id, pina.id)
        session.flush()
        assert sign_up_desk.to_call(host, event) == []


def settings_of(event: Event, **changes: object) -> Settings:
    fields: dict[str, object] = {"capacity": 3, **changes}
    return Settings(event.id, **fields)  # type: ignore[arg-type]


def test_more_places_go_to_who_waits_fewer_need_a_yes(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=1)
        rows = [signed_up(session, event, name) for name in ("Ada", "Bea", "Ciro", "Dino")]
        host = ctx_of(session, world.actor("facilitator"), hours=1)
        sign_up_settings.save(host, settings_of(event, capacity=3))
        assert [row.state for row in rows] == [CONFIRMED, CONFIRMED, CONFIRMED, WAITING]
        with pytest.raises(Invalid, match="under_taken"):
            sign_up_settings.save(host, settings_of(event, capacity=2))
        sign_up_settings.save(host, settings_of(event, capacity=2, under_taken=True))
        registrations.cancel(host, rows[0].id)
        assert rows[3].state is WAITING
        with pytest.raises(Invalid, match="promise_made"):
            sign_up_settings.save(host, settings_of(event, keep_days=60))
        with pytest.raises(NotFound):
            sign_up_settings.save(ctx_of(session, world.actor("coordinator")), settings_of(event))


def test_groups_and_questions_are_kept_by_their_id(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world)
        host = ctx_of(session, world.actor("facilitator"))
        asked = Question("Turno?", QuestionKind.ONE, ("Mattina", "Sera"))
        first = sign_up_settings.save(
            host, settings_of(event, groups=(Group("Scala B", 2),), questions=(asked,))
        )
        version = first.consent_version
        group = sign_up_settings.groups(host, event.id)[0]
        signed_up(session, event, "Ada", group_id=group.id)
        with pytest.raises(Invalid, match="group_in_use"):
            sign_up_settings.save(host, settings_of(event))
        sign_up_settings.save(host, settings_of(event, groups=(Group("Scala B e C", 1, 3, group.id),)))
        assert (group.name, group.taken, first.consent_version) == ("Scala B e C", 1, version + 1)
        for bad in (
            {"groups": (Group("A", 4),)},
            {"groups": (Group("A", 2, 1),)},
            {"questions": (Question("Turno?", QuestionKind.ONE, ("Solo",)),)},
            {"closes_at": NOW, "opens_at": NOW},
            {"keep_days": 0},
        ):
            with pytest.raises(Invalid):
                sign_up_settings.save(host, settings_of(event, **bad))


def test_a_key_opens_one_ticket_and_nothing_else_does(database: Database, world: World) -> None:
    signer = Signer("s" * 40)
    with database.writing() as session:
        event = make_event(session, world)
        row = signed_up(session, event)
        key = tickets.key_for(signer, row)
        ctx = ctx_of(session)
        assert tickets.open_key(ctx, signer, key).id == row.id
        for wrong in (key[:-1], key + "A", "", "1", str(row.id), tickets.key_for(Signer("o" * 40), row)):
            with pytest.raises(NotFound):
                tickets.open_key(ctx, signer, wrong)


def test_a_ticket_goes_into_one_account_once(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world)
        row, other = signed_up(session, event, "Rosa"), signed_up(session, event, "Ancora Rosa")
        rosa, samir = world.actor("rosa"), world.actor("samir")
        sign_up_changes.claim(ctx_of(session, rosa), row.id)
        sign_up_changes.claim(ctx_of(session, rosa), row.id)
        with pytest.raises(Conflict, match="someone_elses"):
            sign_up_changes.claim(ctx_of(session, samir), row.id)
        with pytest.raises(Conflict, match="already_signed_up"):
            sign_up_changes.claim(ctx_of(session, rosa), other.id)
        assert [one.id for one in tickets.mine(ctx_of(session, rosa))] == [row.id]
        with pytest.raises(Denied):
            tickets.mine(ctx_of(session))


def test_staff_write_down_what_they_are_told(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_party_most=2, sign_up_closes_at=NOW)
        host = world.actor("facilitator")
        row = signed_up(session, event, "Classe 3B", host, party_size=9, source=Source.DESK)
        assert (row.state, row.typed_by_id) == (CONFIRMED, host.person_id)
        with pytest.raises(NotFound):
            signed_up(session, event, "Di nascosto", source=Source.DESK)


def test_sums_of_needs_count_those_who_come(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=3, sign_up_asks=["childcare", "food"])
        signed_up(session, event, "Ada", party_size=2, needs=("childcare", "food"))
        signed_up(session, event, "Bea", needs=("childcare",))
        signed_up(session, event, "Ciro", needs=("childcare",))
        found = {
            need.code: (need.parties, need.people) for need in sign_up_desk.needs(ctx_of(session), event.id)
        }
        assert found == {"childcare": (2, 3), "food": (1, 2)}
        assert session.execute(select(func.count()).select_from(Registration)).scalar_one() == 3


def test_a_family_with_one_telephone_keeps_the_place_that_the_first_gives_back(
    database: Database, world: World
) -> None:
    phone = "0362 123456"
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=2)
        ada = signed_up(session, event, "Ada", email="ada@example.org", phone=phone)
        bruno = signed_up(session, event, "Bruno", email="bruno@example.org", phone=phone)
        again = signed_up(session, event, "Ada ancora", email="ada@example.org")
        carla, dora = signed_up(session, event, "Carla"), signed_up(session, event, "Dora")
        assert [row.state for row in (bruno, again, dora)] == [MERGED, MERGED, WAITING]
        registrations.cancel(ctx_of(session, hours=1), ada.id)
        # Bruno was told of a place and has it; Ada's own second one went with her first.
        rows = (ada, bruno, again, carla, dora)
        assert [row.state for row in rows] == [CANCELLED, CONFIRMED, MERGED, CONFIRMED, WAITING]
        assert session.get_one(SignUp, event.id).taken == 2
        registrations.cancel(ctx_of(session, hours=2), bruno.id)
        assert [row.state for row in rows] == [CANCELLED, CANCELLED, MERGED, CONFIRMED, CONFIRMED]
