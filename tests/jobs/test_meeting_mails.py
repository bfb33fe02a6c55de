"""Who signed up hears of it, is reminded, and is forgotten on the promised day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from lab.db.engine import Database
from lab.jobs import meetings
from lab.jobs.runner import Runner
from lab.kernel.clock import FrozenClock
from lab.kernel.tokens import Signer
from lab.mail import post
from lab.models.events import Event, EventState
from lab.models.notifications import Notification
from lab.models.operations import OutboxItem
from lab.models.registrations import Registration, RegistrationState, SignUp
from lab.policy.actor import ANONYMOUS, SYSTEM
from lab.services import outbox, privacy, registrations
from lab.services.context import Context
from lab.services.registrations import Party
from lab.settings import Settings
from tests.meetings import make_event, signed_up
from tests.world import NOW, World


def mails(database: Database, settings: Settings, clock: FrozenClock) -> list[tuple[str, post.Mail | None]]:
    """Carry out what was announced; the mails that wait, as they would leave now, and off they are."""
    Runner(settings, database, clock, None).drain()
    signer = Signer(settings.secret_key, clock)
    with database.writing() as session:
        ctx = Context(session, SYSTEM, clock.now())
        query = select(OutboxItem).where(OutboxItem.topic == "mail", OutboxItem.done_at.is_(None))
        found = []
        for item in session.execute(query.order_by(OutboxItem.id)).scalars():
            mail = post.write(ctx, settings, signer, item)
            if mail is not None:
                message = post.message(ctx, settings, item, mail)
                assert message["To"] == mail.to
                inside = [
                    part["Content-ID"] for part in message.walk() if part.get_content_maintype() == "image"
                ]
                assert inside == ([f"<{mail.picture.cid}>"] if mail.picture else [])
            found.append((item.payload["tag"], mail))
            item.done_at = ctx.now
    return found


def told(found: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(tag, mail.to) for tag, mail in found if mail is not None]


def test_each_step_is_told_once(
    database: Database, world: World, settings: Settings, clock: FrozenClock
) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=1)
        ada = signed_up(session, event, "Ada", email="ada@example.org").id
        bea = signed_up(session, event, "Bea", email="bea@example.org", locale="en").id
        signed_up(session, event, "Curiosa", email="ada@example.org")
        signed_up(session, event, "Senza recapiti")
        event_id = event.id
    found = mails(database, settings, clock)
    assert sorted(told(found)) == [
        ("sign_up_confirmed", "ada@example.org"),
        ("sign_up_repeated", "ada@example.org"),
        ("sign_up_waiting", "bea@example.org"),
    ]
    confirmed = next(mail for tag, mail in found if tag == "sign_up_confirmed" and mail)
    assert confirmed.calendar is not None and "Il codice per l'ingresso è".encode() in confirmed.calendar
    assert "/biglietto/" in confirmed.words.text and "waiting list" not in confirmed.words.text
    waiting = next(mail for tag, mail in found if tag == "sign_up_waiting" and mail)
    assert "come only if we tell you there is a place" in waiting.words.text
    assert "come only if we tell you there is a place" in waiting.words.html
    # The code for the door is drawn in the mail, and said in words to who reads no pictures.
    assert confirmed.picture is not None and confirmed.picture.png.startswith(b"\x89PNG")
    assert len(confirmed.picture.png) < 2000
    assert f'src="cid:{confirmed.picture.cid}"' in confirmed.words.html
    clock.advance(timedelta(hours=1))
    with database.writing() as session:
        registrations.cancel(Context(session, ANONYMOUS, clock.now()), ada)
    assert sorted(told(mails(database, settings, clock))) == [
        ("sign_up_cancelled", "ada@example.org"),
        ("sign_up_promoted", "bea@example.org"),
    ]
    with database.writing() as session:
        outbox.announce(Context(session, SYSTEM, clock.now()), "event.changed", event_id=event_id, what=[])
        outbox.announce(Context(session, SYSTEM, clock.now()), "registration.changed", registration_id=bea)
    assert sorted(told(mails(database, settings, clock))) == [
        ("event_moved", "bea@example.org"),
        ("sign_up_changed", "bea@example.org"),
    ]
    with database.writing() as session:
        session.get_one(Event, event_id).state = EventState.CANCELLED
        outbox.announce(Context(session, SYSTEM, clock.now()), "event.cancelled", event_id=event_id)
    assert told(mails(database, settings, clock)) == [("event_off", "bea@example.org")]


def test_no_mail_carries_an_address_that_a_stranger_typed_for_a_name(
    database: Database, world: World, settings: Settings, clock: FrozenClock
) -> None:
    with database.writing() as session:
        event = make_event(session, world)
        signed_up(session, event, "https://evil.example/premio www.evil.example", email="ada@example.org")
        signed_up(session, event, "Sig.ra D'Angelo-Bianchi G.", email="bea@example.org")
    ada, bea = (mail.words for _tag, mail in mails(database, settings, clock) if mail)
    for words in (ada.text, ada.html, ada.subject):
        assert "evil.example" not in words and "//evil" not in words
    assert "Ciao Sig. ra D'Angelo-Bianchi G.!" in bea.text


def test_who_types_the_telephone_of_a_neighbour_gets_the_mail_that_anybody_gets(
    database: Database, world: World, settings: Settings, clock: FrozenClock
) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=2, sign_up_remind_days=1)
        signed_up(session, event, "Ada", email="ada@example.org", phone="0362 123456")
        second = signed_up(session, event, "Curiosa", email="curiosa@example.org", phone="0362 123456").id
        same = signed_up(session, event, "Curiosa", email="ada@example.org").id
    assert sorted(told(mails(database, settings, clock))) == [
        ("sign_up_confirmed", "ada@example.org"),
        ("sign_up_confirmed", "curiosa@example.org"),
        ("sign_up_repeated", "ada@example.org"),
    ]
    clock.advance(timedelta(days=6))
    with database.writing() as session:
        ctx = Context(session, SYSTEM, clock.now())
        assert [meetings.remind(ctx), meetings.remind(ctx)] == [2, 0]
        outbox.announce(ctx, "event.changed", event_id=event.id, what=["time"])
    both = ("ada@example.org", "curiosa@example.org")
    assert sorted(told(mails(database, settings, clock))) == [
        *(("event_moved", to) for to in both), *(("event_reminder", to) for to in both)
    ]  # fmt: skip
    with database.writing() as session:
        for one in (second, same):
            registrations.cancel(Context(session, ANONYMOUS, clock.now()), one)
    assert told(mails(database, settings, clock)) == [("sign_up_cancelled", "curiosa@example.org")]


def test_who_types_the_address_of_a_neighbour_reads_on_the_site_what_anybody_reads(
    database: Database, world: World, settings: Settings, clock: FrozenClock
) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_remind_days=1)
        signed_up(session, event, "Ada", email="ada@example.org")
        curious = {"rosa": "ada@example.org", "samir": "nobody@example.org"}
        for who, email in curious.items():
            actor = world.actor(who)
            signed_up(session, event, "Curiosa", actor, email=email, person_id=actor.person_id)
    sent = mails(database, settings, clock)
    clock.advance(timedelta(days=6))
    with database.writing() as session:
        ctx = Context(session, SYSTEM, clock.now())
        meetings.remind(ctx)
        outbox.announce(ctx, "event.changed", event_id=event.id, what=["time"])
    sent += mails(database, settings, clock)
    # Nothing of it goes to the neighbour, who has the news of the own sign-up.
    assert sorted(told(sent)).count(("event_moved", "ada@example.org")) == 1
    assert sorted(told(sent)).count(("event_reminder", "ada@example.org")) == 1
    with database.session() as session:
        rows = session.execute(select(Notification.person_id, Notification.kind)).all()
    read = [sorted(kind for person, kind in rows if person == world.people[who]) for who in curious]
    assert read[0] == read[1]
    assert read[0] == ["event_moved", "event_reminder"]


def test_with_an_account_the_news_is_on_the_site_too_and_in_one_mail(
    database: Database, world: World, settings: Settings, clock: FrozenClock
) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=1)
        first = signed_up(session, event, "Ada").id
        rosa = world.actor("rosa")
        row = registrations.sign_up(
            Context(session, rosa, NOW), Party(event.id, "Rosa", person_id=rosa.person_id)
        )
        row_id, event_id = row.id, event.id
    assert told(mails(database, settings, clock)) == [("sign_up_waiting", "rosa@example.org")]
    clock.advance(timedelta(hours=1))
    with database.writing() as session:
        registrations.cancel(Context(session, ANONYMOUS, clock.now()), first)
    assert told(mails(database, settings, clock)) == [("sign_up_promoted", "rosa@example.org")]
    with database.writing() as session:
        session.get_one(Registration, row_id).arrived_at = clock.now()
        outbox.announce(Context(session, SYSTEM, clock.now()), "minutes.published", event_id=event_id)
    assert told(mails(database, settings, clock)) == [("event_minutes", "rosa@example.org")]
    with database.session() as session:
        kinds = session.execute(select(Notification.kind).order_by(Notification.id)).scalars().all()
    assert kinds == ["sign_up_promoted", "event_minutes"]


def test_who_has_a_place_is_reminded_once(
    database: Database, world: World, settings: Settings, clock: FrozenClock
) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=1)
        signed_up(session, event, "Ada", email="ada@example.org")
        signed_up(session, event, "Bea", email="bea@example.org")
    mails(database, settings, clock)
    for days, expected in ((5, 0), (6, 1), (6, 0)):
        with database.writing() as session:
            assert meetings.remind(Context(session, SYSTEM, NOW + timedelta(days=days))) == expected
    clock.advance(timedelta(days=6))
    assert ("event_reminder", "ada@example.org") in told(mails(database, settings, clock))


def test_on_the_promised_day_names_go_and_numbers_stay(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_asks=["childcare"])
        row = signed_up(
            session, event, "Ada", email="ada@example.org", needs=("childcare",), client_uuid="u-1"
        )
        row_id, event_id = row.id, event.id
    for days, expected in ((36, 0), (38, 1), (39, 0)):
        with database.writing() as session:
            assert meetings.forget(Context(session, SYSTEM, NOW + timedelta(days=days))) == expected
    with database.session() as session:
        row = session.get_one(Registration, row_id)
        assert (row.name, row.name_key, row.email, row.email_key, row.needs) == ("", "", None, None, [])
        assert (row.state, row.payload_hash) == (RegistrationState.CONFIRMED, None)
        assert session.get_one(SignUp, event_id).taken == 1


def test_who_leaves_gives_the_place_back(database: Database, world: World) -> None:
    with database.writing() as session:
        event = make_event(session, world, sign_up_capacity=1)
        rosa = world.actor("rosa")
        party = Party(event.id, "Rosa", email="rosa@example.org", person_id=rosa.person_id)
        mine = registrations.sign_up(Context(session, rosa, NOW), party).id
        next_one = signed_up(session, event, "Ada").id
    with database.writing() as session:
        ctx = Context(session, rosa, NOW)
        assert privacy.copy_of(ctx)["sign_ups"][0]["name"] == "Rosa"
        privacy.erase(ctx, world.people["rosa"])
    with database.session() as session:
        gone = session.get_one(Registration, mine)
        assert (gone.name, gone.email, gone.person_id, gone.state) == (
            "",
            None,
            None,
            RegistrationState.CANCELLED,
        )
        assert session.get_one(Registration, next_one).state is RegistrationState.CONFIRMED
