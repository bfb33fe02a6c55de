"""News in the application, letters on paper, the feed, and the link at the foot of a mail."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from lab.db.engine import Database
from lab.kernel.clock import FrozenClock
from lab.kernel.daywords import day_words
from lab.kernel.tokens import Signer
from lab.mail import links
from lab.mail.post import STOP_MAIL
from lab.models.accounts import MailRhythm, Person
from lab.models.answers import Answer, Verdict
from lab.models.contributions import Contribution, ContributionProject, Outcome, State, Visibility
from lab.models.notifications import Letter, Notification
from lab.models.operations import AuditEntry
from lab.policy.actor import SYSTEM
from lab.services import appeals, contributions, letters, moderation, notifications, routing, telling
from lab.services.context import Context
from lab.services.notifications import Hearer
from lab.settings import Settings
from tests.world import NOW, World

SignIn = Callable[[str], FlaskClient]
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def act(database: Database, world: World, clock: FrozenClock) -> Callable[..., object]:
    @contextmanager
    def acting(who: str = "system") -> Iterator[Context]:
        actor = SYSTEM if who == "system" else world.actor(who)
        with database.writing() as session:
            yield Context(session, actor, clock.now())

    return acting


def said(act, world: World, text: str = "Panchine all'ombra", **more) -> Contribution:  # type: ignore[no-untyped-def]
    with act() as ctx:
        what = contributions.Placement(text=text, person_id=world.people["rosa"], **more)
        return contributions.place(ctx, what)


def tell(act, world: World, about: Contribution, key: str, kind: str = "co_design") -> None:  # type: ignore[no-untyped-def]
    with act() as ctx:
        hearer = Hearer(world.people["rosa"], kind, contribution_id=about.id)
        notifications.tell(ctx, [hearer, hearer], key, ctx.now)


def without_mail(act, world: World) -> None:  # type: ignore[no-untyped-def]
    with act() as ctx:
        where = Person.id == world.people["rosa"]
        values = {"email": None, "email_key": None, "postal": "via Tiziano 8", "name": "Rosa <b>Bruni</b>"}
        ctx.session.execute(update(Person).where(where).values(**values))


def test_one_happening_is_told_once(act, world: World) -> None:  # type: ignore[no-untyped-def]
    about = said(act, world)
    tell(act, world, about, "1:x")
    tell(act, world, about, "1:x")
    with act() as ctx:
        assert len(ctx.session.execute(select(Notification)).all()) == 1
        assert ctx.session.get_one(Person, world.people["rosa"]).unread_count == 1


def test_my_news_page_groups_by_item_and_forgets_the_count_when_read(  # type: ignore[no-untyped-def]
    act, world: World, clock: FrozenClock, sign_in: SignIn
) -> None:
    about, other = said(act, world, "Prima cosa"), said(act, world, "Seconda cosa")
    for number, one in enumerate((about, other, about)):
        clock.advance(timedelta(minutes=1))
        tell(act, world, one, f"{number}:x")
    rosa = sign_in("rosa")
    page = rosa.get("/io/novita").get_data(as_text=True)
    assert page.count("Prima cosa") == page.count("Seconda cosa") == 1
    assert page.index("Prima cosa") < page.index("Seconda cosa")
    assert "3 novità da leggere" in page
    assert rosa.post("/io/novita").status_code == 303
    page = rosa.get("/io/novita").get_data(as_text=True)
    assert "Hai letto tutto." in page
    assert sign_in("samir").get("/io/novita").get_data(as_text=True).count("Prima cosa") == 0


def test_residents_hear_the_day_they_were_promised_and_the_office_its_own(  # type: ignore[no-untyped-def]
    act, world: World, sign_in: SignIn
) -> None:
    about = said(act, world)
    with act("facilitator") as ctx:
        routing.route(ctx, routing.Route(about.id, None, world.verde, NOW.date() + timedelta(7)))
        hearers = [
            Hearer(world.people["rosa"], "routed", contribution_id=about.id),
            Hearer(world.people["office"], "office_asked", contribution_id=about.id),
        ]
        notifications.tell(ctx, hearers, "1:x", ctx.now)
    days = (about.promise_due_at.date(), NOW.date() + timedelta(7))
    promised, own = (day_words(day, "it", with_year=False) for day in days)
    resident = sign_in("rosa").get("/io/novita").get_data(as_text=True)
    assert f"La risposta arriva entro {promised}" in resident and own not in resident
    assert own in sign_in("office").get("/io/novita").get_data(as_text=True)


def test_a_title_too_long_for_the_news_shows_that_it_goes_on(act, world: World, sign_in: SignIn) -> None:  # type: ignore[no-untyped-def]
    tell(act, world, said(act, world, title="Panchine" * 15), "1:x")
    assert "Panchin…</a>" in sign_in("rosa").get("/io/novita").get_data(as_text=True)


def test_long_news_go_on_by_key(act, world: World, clock: FrozenClock, sign_in: SignIn) -> None:  # type: ignore[no-untyped-def]
    for number in range(notifications.PAGE + 5):
        clock.advance(timedelta(minutes=1))
        tell(act, world, said(act, world, f"Cosa numero {number:02d}"), f"{number}:x")
    rosa = sign_in("rosa")
    first = rosa.get("/io/novita").get_data(as_text=True)
    assert "numero 34" in first and "numero 04" not in first
    mark = first.split("dopo=")[1].split('"')[0].split("&")[0]
    second = rosa.get(f"/io/novita?dopo={mark}").get_data(as_text=True)
    assert "numero 04" in second and "numero 05" not in second and "numero 00" in second
    assert rosa.get("/io/novita?dopo=rotto").status_code == 200


def test_what_is_hidden_leaves_the_news_of_others(act, world: World, sign_in: SignIn) -> None:  # type: ignore[no-untyped-def]
    about = said(act, world)
    with act() as ctx:
        hearer = Hearer(world.people["samir"], "co_design", contribution_id=about.id)
        notifications.tell(ctx, [hearer], "1:x", ctx.now)
    assert "Panchine" in sign_in("samir").get("/io/novita").get_data(as_text=True)
    with act() as ctx, contributions.changing(ctx, about.id) as changing:
        changing.visibility = Visibility.HIDDEN
    assert "Panchine" not in sign_in("samir").get("/io/novita").get_data(as_text=True)


def stop_path(app: Flask, settings: Settings, clock: FrozenClock, person_id: int) -> str:
    return links.path("stop", Signer(settings.secret_key, clock).sign(STOP_MAIL, person_id))


def rhythm(act, world: World) -> MailRhythm:  # type: ignore[no-untyped-def]
    with act() as ctx:
        return ctx.session.get_one(Person, world.people["rosa"]).mail_rhythm  # type: ignore[no-any-return]


def test_the_link_in_a_mail_asks_before_acting(  # type: ignore[no-untyped-def]
    act, app: Flask, settings: Settings, clock: FrozenClock, client: FlaskClient, world: World
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    path = stop_path(app, settings, clock, world.people["rosa"])
    page = client.get(path)
    assert page.status_code == 200 and "Ogni quanto" in page.get_data(as_text=True)
    assert page.headers["Cache-Control"] == "no-store"
    assert rhythm(act, world) is MailRhythm.AT_ONCE, "looking changes nothing"
    assert client.post(path, data={"ogni": "daily"}).status_code == 200
    assert rhythm(act, world) is MailRhythm.DAILY
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert rhythm(act, world) is MailRhythm.NEVER
    assert client.post(path, data={"ogni": "spesso"}).status_code == 400


def test_a_forged_link_is_not_found(  # type: ignore[no-untyped-def]
    act, app: Flask, settings: Settings, clock: FrozenClock, client: FlaskClient, world: World
) -> None:
    path = stop_path(app, settings, clock, world.people["rosa"])
    assert client.post(path[:-3] + "abc", data={"ogni": "never"}).status_code == 404
    other = links.path("stop", Signer(settings.secret_key, clock).sign("other", world.people["rosa"]))
    assert client.get(other).status_code == 404
    assert rhythm(act, world) is MailRhythm.AT_ONCE


def test_a_person_without_e_mail_gets_a_letter(act, world: World, sign_in: SignIn) -> None:  # type: ignore[no-untyped-def]
    without_mail(act, world)
    about = said(act, world, "L'ascensore è fermo")
    tell(act, world, about, "1:x")
    desk = sign_in("facilitator")
    assert "Rosa" in desk.get("/regia/lettere").get_data(as_text=True)
    made = desk.post("/regia/lettere", data={"persona": world.people["rosa"]})
    assert made.status_code == 303
    sheet = desk.get(made.location).get_data(as_text=True)
    code = f"{about.receipt_code[:4]}-{about.receipt_code[4:]}"
    assert "Rosa &lt;b&gt;Bruni" in sheet and "via Tiziano 8" in sheet
    assert "L&#39;ascensore è fermo" in sheet and code in sheet and "filo-print" in sheet
    again = desk.post("/regia/lettere", data={"persona": world.people["rosa"]})
    assert again.location == made.location, "a second press shows the same letter"
    assert desk.get(made.location).status_code == 200, "printing again is possible"
    with act() as ctx:
        (letter,) = ctx.session.execute(select(Letter)).scalars()
        (note,) = ctx.session.execute(select(Notification)).scalars()
        assert note.mailed_at == NOW and letter.handed_over_at is None
    assert desk.post(f"/regia/lettere/{letter.id}/consegnata").status_code == 303
    with act() as ctx:
        assert ctx.session.get_one(Letter, letter.id).handed_over_at == NOW
        verbs = list(ctx.session.execute(select(AuditEntry.verb).order_by(AuditEntry.id)).scalars())
        assert verbs == ["letter.print", "letter.hand_over"]


def test_a_letter_tells_what_happened_in_its_order(  # type: ignore[no-untyped-def]
    act, world: World, clock: FrozenClock, sign_in: SignIn
) -> None:
    without_mail(act, world)
    about = said(act, world)
    tell(act, world, about, "1:x", kind="routed")
    clock.advance(timedelta(days=1))
    tell(act, world, about, "2:x", kind="withdrawn")
    desk = sign_in("facilitator")
    sheet = desk.get(desk.post("/regia/lettere", data={"persona": world.people["rosa"]}).location).text
    assert sheet.index("La risposta arriva entro") < sheet.index("ritirata")


def test_who_decides_on_an_appeal_hears_what_the_author_asks(act, world: World, sign_in: SignIn) -> None:  # type: ignore[no-untyped-def]
    about = said(act, world)
    with act("moderator") as ctx:
        subject = moderation.Subject(contribution_id=about.id)
        act_id = moderation.hide(ctx, subject, "Fa un nome e cognome").id
    with act("rosa") as ctx:
        appeals.make(ctx, act_id, "Non ho fatto nessun nome")
        hearer = Hearer(
            world.people["coordinator"], "appeal_made", contribution_id=about.id, details={"act_id": act_id}
        )
        notifications.tell(ctx, [hearer], "1:x", ctx.now)
    page = sign_in("coordinator").get("/io/novita").text
    assert "Non ho fatto nessun nome" in page and "Fa un nome e cognome" not in page


def test_letters_are_the_team_s_business(sign_in: SignIn, client: FlaskClient) -> None:
    assert client.get("/regia/lettere").status_code == 303
    assert sign_in("rosa").get("/regia/lettere").status_code == 404
    assert sign_in("office").post("/regia/lettere").status_code == 404
    moderator = sign_in("moderator")
    assert moderator.get("/regia/lettere").status_code == 200
    assert moderator.post("/regia/lettere").location.endswith("/regia/lettere")
    assert moderator.get("/regia/lettere/fogli?n=99999999999999999999&n=x").status_code == 303
    assert moderator.post("/regia/lettere/99999999999999999999/consegnata").status_code == 404


def test_a_letter_leaves_out_what_was_hidden_since(act, world: World) -> None:  # type: ignore[no-untyped-def]
    without_mail(act, world)
    with act() as ctx:
        other = contributions.place(ctx, contributions.Placement(text="Parole di un'altra persona"))
        hearer = Hearer(world.people["rosa"], "co_design", contribution_id=other.id)
        notifications.tell(ctx, [hearer], "1:x", ctx.now)
    with act() as ctx, contributions.changing(ctx, other.id) as changing:
        changing.visibility = Visibility.HIDDEN
    with act("moderator") as ctx:
        assert letters.print_letters(ctx) == []
        assert letters.waiting(ctx) == []


def test_the_feed_tells_what_became_of_things(act, world: World, client: FlaskClient) -> None:  # type: ignore[no-untyped-def]
    about = said(act, world, "Più <luce> & panchine")
    other = said(act, world, "Una cosa riservata", visibility=Visibility.PRIVATE)
    with act() as ctx:
        for one in (about, other):
            with contributions.changing(ctx, one.id) as changing:
                contributions.move(ctx, changing, State.DECLINED, Outcome.DECLINED)
        ctx.session.add(
            Answer(contribution_id=about.id, office_id=world.verde, verdict=Verdict.DECLINED,
                   reason="Il palo è privato.", created_at=NOW, published_at=NOW)
        )  # fmt: skip
        link = ContributionProject(contribution_id=about.id, project_id=world.project, said_at=NOW)
        ctx.session.add(link)
    for path, count in (
        ("/novita.atom", 1),
        ("/novita.atom?progetto=P4", 1),
        ("/novita.atom?progetto=P1", 0),
    ):
        answer = client.get(path)
        assert answer.content_type == "application/atom+xml; charset=utf-8"
        feed = ET.fromstring(answer.get_data())
        for name in ("id", "title", "updated"):
            assert feed.findtext(ATOM + name)
        entries = feed.findall(ATOM + "entry")
        assert len(entries) == count
        if entries:
            assert entries[0].findtext(ATOM + "title") == "Non accolta: Più <luce> & panchine"
            assert entries[0].findtext(ATOM + "content") == "Il palo è privato."
            assert entries[0].findtext(ATOM + "id") == f"tag:127.0.0.1,2026:contribution-{about.id}"
    assert client.get("/novita.atom?progetto=ZZ").status_code == 404


def test_addresses_in_mails_are_addresses_of_the_site(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    wanted = {
        "contribution": "proposals.show", "action": "actions.show", "project": "projects.show",
        "desk": "desk.show", "weaving": "weaving.show", "receipt": "receipts.show",
        "stop": "notifications.mail", "event": "events.show", "minutes": "minutes.show",
        "ticket": "tickets.show", "moderation": "moderation.index",
    }  # fmt: skip
    assert set(wanted) == set(links.PATHS)
    for kind, endpoint in wanted.items():
        assert adapter.match(links.path(kind, "P4"), method="GET")[0] == endpoint
    for path, endpoint in (
        (links.NEWS, "notifications.index"), (links.SIGN_IN, "accounts.sign_in"),
        (links.DESK, "desk.inbox"),
        (links.appeal_path(7), "moderation.appeal"),
    ):  # fmt: skip
        assert adapter.match(path, method="GET")[0] == endpoint


def test_the_same_sentence_of_the_same_day_is_told_once() -> None:
    item = telling.Item("contribution", "PR01", "Panchine", True)

    def told(number: int, days: int = 0, quote: str = "") -> telling.Told:
        values: dict[str, str | date] = {"office": "Verde", "due": NOW.date()}
        return telling.Told(number, "took_in", NOW + timedelta(days=days), item, values, quote)

    (group,) = telling.group([told(1), told(2), told(3, days=1), told(4, quote="Con un perché")])
    assert [step.id for step in group.steps] == [3, 4, 2]
