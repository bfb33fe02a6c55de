"""Who hears of what, and what a message says by the time it goes out."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from lab.jobs import handlers
from lab.kernel.ids import format_receipt_code
from lab.mail import sentences
from lab.models.accounts import MailRhythm, Person
from lab.models.actions import Action, ActionContribution, ActionKind, ActionProject, ActionState
from lab.models.answers import Answer, Verdict
from lab.models.contributions import Contribution, ContributionAuthor, State, Visibility
from lab.models.conversation import Comment, Follow
from lab.models.moderation import ModerationAct
from lab.models.notifications import Notification
from lab.services import contributions, routing
from tests.jobs.conftest import Mailbox, Scene, text_of
from tests.world import NOW


def answer(scene: Scene, contribution: Contribution, verdict: Verdict = Verdict.DECLINED) -> Answer:
    with scene.act() as ctx:
        made = Answer(
            contribution_id=contribution.id, office_id=scene.world.verde, verdict=verdict,
            reason="Le radici non reggono nuove panchine.", created_at=NOW, published_at=NOW,
        )  # fmt: skip
        ctx.session.add(made)
        ctx.session.flush()
    scene.announce("contribution.answered", by="office", contribution_id=contribution.id, answer_id=made.id)
    return made


def follow(scene: Scene, who: str, **subject: int) -> None:
    with scene.act() as ctx:
        ctx.session.add(Follow(person_id=scene.world.people[who], at=NOW, **subject))


def merge(scene: Scene, source: Contribution, target: Contribution) -> None:
    with scene.act() as ctx:
        with contributions.changing(ctx, source.id) as moving:
            contributions.move(ctx, moving, State.MERGED)
            moving.merged_into_id = target.id
        ctx.session.add(
            ContributionAuthor(
                contribution_id=target.id, person_id=source.person_id, name="", via_id=source.id
            )
        )


def action(scene: Scene, *woven: Contribution, state: ActionState = ActionState.TO_START) -> Action:
    with scene.act() as ctx:
        made = Action(
            code="A90", title="Ombra al parco", kind=ActionKind.WORK, office_id=scene.world.verde,
            state=state, is_public=state is ActionState.TO_START, created_at=NOW, updated_at=NOW,
        )  # fmt: skip
        ctx.session.add(made)
        ctx.session.flush()
        ctx.session.add(ActionProject(action_id=made.id, project_id=scene.world.project))
        for one in woven:
            ctx.session.add(ActionContribution(action_id=made.id, contribution_id=one.id, at=NOW))
    return made


def told(scene: Scene, who: str) -> list[Notification]:
    with scene.act() as ctx:
        query = select(Notification).where(Notification.person_id == scene.world.people[who])
        return list(ctx.session.execute(query.order_by(Notification.id)).scalars())


def test_the_author_reads_the_answer_and_its_reason(scene: Scene, mailbox: Mailbox) -> None:
    said = scene.say("rosa")
    answer(scene, said)
    scene.work()
    (mail,) = mailbox.to("rosa")
    text = text_of(mail)
    assert "Servizio Verde e Ambiente ha risposto: non accolta" in text
    assert "Le radici non reggono" in text
    assert f"/proposte/{said.code}" in text
    with scene.act() as ctx:
        assert ctx.session.get_one(Person, scene.world.people["rosa"]).unread_count == 1


def test_several_steps_come_in_one_message_in_the_order_in_which_they_happened(
    scene: Scene, mailbox: Mailbox
) -> None:
    said = scene.say("rosa", "Prima cosa")
    other = scene.say("rosa", "Seconda cosa")
    scene.announce("contribution.routed", contribution_id=said.id, office_id=scene.world.verde)
    scene.clock.advance(timedelta(seconds=20))
    scene.announce("contribution.co_design", contribution_id=other.id)
    scene.clock.advance(timedelta(seconds=20))
    answer(scene, said)
    scene.work()
    (mail,) = mailbox.to("rosa")
    text = text_of(mail)
    assert mail["Subject"] == "2 novità per te"
    assert text.index("Prima cosa") < text.index("Seconda cosa"), "the item with the newest step is on top"
    assert text.index("Ora se ne occupa") < text.index("ha risposto"), "oldest step first"


def test_a_step_on_merged_items_reaches_each_person_once(scene: Scene, mailbox: Mailbox) -> None:
    twin = scene.say("samir", "Ombra sulle panchine")
    said = scene.say("rosa", "Panchine all'ombra")
    merge(scene, twin, said)
    follow(scene, "samir", contribution_id=said.id)
    answer(scene, said)
    scene.work()
    assert len(mailbox.to("rosa")) == 1
    (mail,) = mailbox.to("samir")
    assert "Ombra sulle panchine" in text_of(mail), "told in their own words"
    assert text_of(mail).count("non accolta") == 1


def test_nobody_is_told_what_they_did_themselves(scene: Scene, mailbox: Mailbox) -> None:
    said = scene.say("rosa")
    follow(scene, "samir", contribution_id=said.id)
    scene.announce("contribution.withdrawn", by="rosa", contribution_id=said.id)
    scene.work()
    assert mailbox.to("rosa") == []
    assert len(mailbox.to("samir")) == 1


def test_a_private_matter_is_told_to_its_author_and_its_office_only(scene: Scene, mailbox: Mailbox) -> None:
    said = scene.say("rosa", visibility=Visibility.PRIVATE)
    with scene.act() as ctx, contributions.changing(ctx, said.id) as changing:
        changing.office_id = scene.world.verde
    follow(scene, "samir", contribution_id=said.id)
    scene.announce("contribution.routed", contribution_id=said.id, office_id=scene.world.verde)
    scene.work()
    assert len(mailbox.to("rosa")) == 1
    assert len(mailbox.to("office")) == 1
    assert mailbox.to("samir") == [] and mailbox.to("other_office") == []


def test_what_is_hidden_before_the_mail_leaves_is_not_in_it(scene: Scene, mailbox: Mailbox) -> None:
    said = scene.say("rosa", "Parole che non vanno")
    follow(scene, "samir", contribution_id=said.id)
    answer(scene, said)
    scene.runner.drain()
    assert len(told(scene, "samir")) == 1
    with scene.act() as ctx, contributions.changing(ctx, said.id) as changing:
        changing.visibility = Visibility.HIDDEN
    scene.clock.advance(timedelta(minutes=3))
    scene.runner.drain()
    assert mailbox.to("samir") == []
    assert len(mailbox.to("rosa")) == 1, "the author may still read their own"


def test_the_author_hears_why_something_was_hidden_and_others_do_not(scene: Scene, mailbox: Mailbox) -> None:
    said = scene.say("rosa")
    follow(scene, "samir", contribution_id=said.id)
    with scene.act("moderator") as ctx:
        with contributions.changing(ctx, said.id) as changing:
            changing.visibility = Visibility.HIDDEN
        act = ModerationAct(contribution_id=said.id, act="hide", reason="C'è un numero di telefono.", at=NOW,
                            person_id=scene.world.people["moderator"])  # fmt: skip
        ctx.session.add(act)
        ctx.session.flush()
    scene.announce("contribution.hidden", by="moderator", contribution_id=said.id, act_id=act.id)
    scene.announce("appeal.made", by="rosa", act_id=act.id)
    scene.work()
    assert "numero di telefono" in text_of(mailbox.to("rosa")[0])
    assert mailbox.to("samir") == []
    assert mailbox.to("moderator") == [], "who acted does not judge the appeal"
    assert len(mailbox.to("coordinator")) == 1


def test_a_comment_taken_back_is_not_told(scene: Scene, mailbox: Mailbox) -> None:
    said = scene.say("rosa")
    with scene.act() as ctx:
        comment = Comment(contribution_id=said.id, person_id=scene.world.people["samir"], author_name="Samir",
                          text="Anche da noi", created_at=NOW)  # fmt: skip
        ctx.session.add(comment)
        ctx.session.flush()
    scene.announce("comment.written", by="samir", contribution_id=said.id, comment_id=comment.id)
    scene.runner.drain()
    with scene.act() as ctx:
        ctx.session.execute(update(Comment).where(Comment.id == comment.id).values(deleted_at=NOW))
    scene.clock.advance(timedelta(minutes=3))
    scene.runner.drain()
    assert mailbox.to("rosa") == []


def test_an_adopted_action_reaches_authors_followers_and_the_team(scene: Scene, mailbox: Mailbox) -> None:
    said = scene.say("rosa")
    made = action(scene, said)
    follow(scene, "samir", project_id=scene.world.project)
    follow(scene, "committee", action_id=made.id)
    scene.announce("action.adopted", by="office", action_id=made.id)
    scene.work()
    assert "ha adottato l'azione che nasce da qui: Ombra al parco" in text_of(mailbox.to("rosa")[0])
    assert "Ombra al parco" in text_of(mailbox.to("samir")[0])
    assert len(mailbox.to("committee")) == len(mailbox.to("facilitator")) == 1
    assert mailbox.to("office") == []


def test_nobody_outside_hears_of_an_action_that_is_not_public_yet(scene: Scene, mailbox: Mailbox) -> None:
    said = scene.say("rosa")
    made = action(scene, said, state=ActionState.PROPOSED)
    scene.announce("contribution.woven", by="facilitator", contribution_id=said.id, action_id=made.id)
    scene.announce("action.proposed", by="facilitator", action_id=made.id)
    scene.work()
    assert mailbox.to("rosa") == []
    assert "Ombra al parco" in text_of(mailbox.to("office")[0])
    assert mailbox.to("other_office") == []


def test_mail_once_a_day_waits_and_never_means_never(scene: Scene, mailbox: Mailbox) -> None:
    said = scene.say("rosa")
    follow(scene, "samir", contribution_id=said.id)
    scene.person("rosa", mail_rhythm=MailRhythm.DAILY)
    scene.person("samir", mail_rhythm=MailRhythm.NEVER)
    answer(scene, said)
    scene.work()
    assert mailbox.mails == []
    assert len(told(scene, "rosa")) == len(told(scene, "samir")) == 1
    scene.clock.advance(timedelta(days=1))
    scene.work()
    (mail,) = mailbox.mails
    assert mail["To"] == "rosa@example.org" and mail["Subject"] == "Oggi c'è una novità"
    scene.clock.advance(timedelta(days=1))
    scene.work()
    assert len(mailbox.mails) == 1


def test_who_has_no_address_keeps_the_news_for_a_letter(scene: Scene, mailbox: Mailbox) -> None:
    scene.person("rosa", email=None, email_key=None)
    answer(scene, scene.say("rosa"))
    scene.work()
    assert mailbox.mails == []
    assert [note.mailed_at for note in told(scene, "rosa")] == [None]


def test_a_receipt_follows_what_a_signed_in_person_said(scene: Scene, mailbox: Mailbox) -> None:
    said = scene.say("rosa", "Vorrei più luce in via Tiziano")
    scene.announce("contribution.placed", by="rosa", contribution_id=said.id)
    scene.work()
    (mail,) = mailbox.to("rosa")
    assert format_receipt_code(said.receipt_code) in text_of(mail)
    assert "Vorrei più luce" in text_of(mail)
    assert "mercoledì 23 dicembre" in text_of(mail)


def test_a_promise_about_to_break_reaches_the_team_once(scene: Scene, mailbox: Mailbox) -> None:
    scene.say("rosa")
    scene.clock.advance(timedelta(days=26))
    scene.work()
    assert len(mailbox.to("facilitator")) == len(mailbox.to("moderator")) == 1
    scene.clock.advance(timedelta(days=1))
    scene.work()
    assert len(mailbox.to("facilitator")) == 1
    scene.clock.advance(timedelta(days=4))
    scene.work()
    assert "siamo in ritardo" in text_of(mailbox.to("facilitator")[-1])


def test_an_office_is_reminded_of_its_day(scene: Scene, mailbox: Mailbox) -> None:
    said = scene.say("rosa")
    with scene.act() as ctx, contributions.changing(ctx, said.id) as changing:
        changing.office_id, changing.office_due_on = scene.world.verde, date(2026, 12, 1)
    scene.clock.move_to(NOW.replace(day=29))
    scene.work()
    assert "martedì 1 dicembre" in text_of(mailbox.to("office")[0])
    scene.clock.move_to(NOW.replace(month=12, day=2))
    scene.work()
    assert "era attesa per" in text_of(mailbox.to("office")[-1])
    assert len(mailbox.to("facilitator")) == 1


def test_nobody_is_reminded_of_what_was_hidden(scene: Scene, mailbox: Mailbox) -> None:
    hidden = scene.say("rosa", visibility=Visibility.HIDDEN)
    with scene.act() as ctx, contributions.changing(ctx, hidden.id) as changing:
        changing.office_id, changing.office_due_on = scene.world.verde, date(2026, 12, 1)
    scene.clock.move_to(NOW.replace(month=12, day=2))
    scene.work()
    scene.clock.advance(timedelta(days=18))
    scene.work()
    assert not mailbox.to("office") and not mailbox.to("facilitator")


def test_who_has_it_in_hand_hears_that_an_office_gave_it_back(scene: Scene, mailbox: Mailbox) -> None:
    said = scene.say("rosa")
    with scene.act("facilitator") as ctx:
        routing.route(ctx, routing.Route(said.id, None, scene.world.verde))
    scene.work()
    with scene.act("office") as ctx:
        routing.give_back(ctx, said.id, None, "La strada è della Provincia.")
    scene.work()
    assert "Servizio Verde e Ambiente la restituisce" in text_of(mailbox.to("facilitator")[-1])
    assert not mailbox.to("moderator")


@pytest.mark.parametrize("kind", [kind for rows in handlers.FAN_OUT.values() for _, kind in rows])
def test_every_kind_of_news_has_its_sentence(kind: str) -> None:
    if kind == "answered":
        assert {f"answered_{verdict}" for verdict in Verdict} <= set(sentences.SENTENCES)
    else:
        assert kind in sentences.SENTENCES
