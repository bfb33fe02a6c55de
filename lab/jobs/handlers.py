"""The one table from what happened to who is told, and the handler that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from lab.jobs import meetings
from lab.jobs.happenings import Audience, Happening, happening_from
from lab.models.accounts import MailRhythm, Person
from lab.models.actions import Action
from lab.models.contributions import Contribution
from lab.models.conversation import Comment
from lab.models.moderation import ModerationAct
from lab.services import audience, notifications, outbox
from lab.services.context import Context
from lab.services.notifications import Hearer


def _authors_of(ctx: Context, h: Happening, kind: str, contribution_id: int) -> Iterator[Hearer]:
    for person, own, standing in audience.authors(ctx, [contribution_id]):
        details = h.details if own == standing else {**h.details, "about": standing}
        yield Hearer(person, kind, contribution_id=own, details=details)


def authors(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Authors and co-authors, each about their own words."""
    yield from _authors_of(ctx, h, kind, h.ids["contribution_id"])


def authors_of_other(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Authors of the input into which another was merged, or of the other half after a split."""
    yield from _authors_of(ctx, h, kind, h.ids["other_id"])


def followers(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Who follows the input or one merged into it."""
    for person, standing in audience.followers_of_contributions(ctx, [h.ids["contribution_id"]]):
        yield Hearer(person, kind, contribution_id=standing, action_id=h.ids.get("action_id"),
                     details=h.details)  # fmt: skip


def authors_of_woven(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Authors and co-authors of the input that enters an action, which they must be able to read."""
    for hearer in authors(ctx, h, kind):
        yield Hearer(hearer.person_id, kind, hearer.contribution_id, h.ids["action_id"], None, hearer.details)


def authors_of_action(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Whose words an action grew out of."""
    action_id = h.ids["action_id"]
    for person, own, standing in audience.authors(ctx, audience.woven_into(ctx, action_id)):
        details = h.details if own == standing else {**h.details, "about": standing}
        yield Hearer(person, kind, contribution_id=own, action_id=action_id, details=details)


def followers_of_woven(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Who follows an input that the action grew out of."""
    action_id = h.ids["action_id"]
    woven = audience.woven_into(ctx, action_id)
    for person, standing in audience.followers_of_contributions(ctx, woven):
        yield Hearer(person, kind, contribution_id=standing, action_id=action_id, details=h.details)


def followers_of_action(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Who follows the action itself or a project it serves."""
    for person in audience.followers_of_action(ctx, h.ids["action_id"]):
        yield Hearer(person, kind, action_id=h.ids["action_id"], details=h.details)


def followers_of_project(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Who follows the project."""
    for person in audience.followers_of_project(ctx, h.ids["project_id"]):
        yield Hearer(person, kind, project_id=h.ids["project_id"], details=h.details)


def named_office(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """The people of the office named in the event (routed, passed on)."""
    if h.ids.get("office_id"):
        for person in audience.office_people(ctx, h.ids["office_id"]):
            yield Hearer(person, kind, contribution_id=h.ids["contribution_id"], details=h.details)


def its_office(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """The people of the office that was asked to answer."""
    contribution = ctx.session.get(Contribution, h.ids["contribution_id"])
    if contribution is not None and contribution.office_id is not None:
        for person in audience.office_people(ctx, contribution.office_id):
            yield Hearer(person, kind, contribution_id=contribution.id, details=h.details)


def whoever_has_it(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Who has the input in hand; where nobody has, the research team."""
    contribution = ctx.session.get(Contribution, h.ids["contribution_id"])
    if contribution is not None:
        for person in [contribution.holder_id] if contribution.holder_id else audience.team(ctx):
            yield Hearer(person, kind, contribution_id=contribution.id, details=h.details)


def office_of_action(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """The people of the action's leading office."""
    action = ctx.session.get(Action, h.ids["action_id"])
    if action is not None:
        for person in audience.office_people(ctx, action.office_id):
            yield Hearer(person, kind, action_id=action.id, details=h.details)


def team(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """The research team."""
    for person in audience.team(ctx):
        yield Hearer(person, kind, action_id=h.ids.get("action_id"), details=h.details)


def commented_author(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Who wrote the comment concerned."""
    comment = ctx.session.get(Comment, h.ids["comment_id"])
    if comment is not None and comment.person_id is not None:
        yield Hearer(comment.person_id, kind, contribution_id=comment.contribution_id, details=h.details)


def answered_commenter(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Who wrote the comment to which this one replies."""
    comment = ctx.session.get(Comment, h.ids["comment_id"])
    parent = ctx.session.get(Comment, comment.parent_id) if comment and comment.parent_id else None
    if parent is not None and parent.person_id is not None:
        yield Hearer(parent.person_id, kind, contribution_id=parent.contribution_id, details=h.details)


def _moderated(ctx: Context, h: Happening) -> tuple[ModerationAct, int, int | None] | None:
    """The act, the input it belongs to, and the author of what was moderated."""
    act = ctx.session.get(ModerationAct, h.ids["act_id"])
    if act is None:
        return None
    if act.comment_id is not None:
        comment = ctx.session.get(Comment, act.comment_id)
        return (act, comment.contribution_id, comment.person_id) if comment else None
    contribution = ctx.session.get(Contribution, act.contribution_id)
    return (act, contribution.id, contribution.person_id) if contribution else None


def moderated_author(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Who wrote what the act is about."""
    found = _moderated(ctx, h)
    if found and found[2] is not None:
        act, contribution_id, person_id = found
        details = {**h.details, "comment_id": act.comment_id} if act.comment_id else h.details
        yield Hearer(person_id or 0, kind, contribution_id=contribution_id, details=details)


def other_moderators(ctx: Context, h: Happening, kind: str) -> Iterator[Hearer]:
    """Who may settle an appeal: not the one who acted."""
    found = _moderated(ctx, h)
    if found:
        act, contribution_id, _author = found
        for person in audience.moderators(ctx):
            if person != act.person_id:
                yield Hearer(person, kind, contribution_id=contribution_id, details=h.details)


#: What happened -> who hears of it, and as which kind of news. The first entry that names a person counts.
FAN_OUT: dict[str, tuple[tuple[Audience, str], ...]] = {
    "contribution.placed": (),
    "contribution.routed": ((authors, "routed"), (followers, "routed"), (named_office, "office_asked")),
    "contribution.given_back": ((whoever_has_it, "given_back"),),
    "contribution.passed_on": (
        (authors, "passed_on"),
        (followers, "passed_on"),
        (named_office, "office_asked"),
    ),
    "contribution.answered": ((authors, "answered"), (followers, "answered")),
    "question.answered": ((authors, "question_answered"), (followers, "question_answered")),
    "contribution.co_design": ((authors, "co_design"), (followers, "co_design")),
    "contribution.merged": ((authors, "merged"), (authors_of_other, "took_in"), (followers, "merged")),
    "contribution.unmerged": ((authors, "unmerged"), (followers, "unmerged")),
    "contribution.split": ((authors, "split"), (followers, "split")),
    "contribution.hidden": ((authors, "hidden"),),
    "contribution.restored": ((authors, "restored"),),
    "contribution.woven": ((authors_of_woven, "woven"), (followers, "woven")),
    "contribution.unwoven": ((authors, "unwoven"), (followers, "unwoven")),
    "contribution.edited": (),
    "contribution.withdrawn": (
        (authors, "withdrawn"),
        (followers, "withdrawn"),
        (its_office, "office_withdrawn"),
    ),
    "comment.written": ((answered_commenter, "reply"), (authors, "comment"), (followers, "comment")),
    "comment.hidden": ((commented_author, "comment_hidden"),),
    "comment.restored": ((commented_author, "comment_restored"),),
    "appeal.made": ((other_moderators, "appeal_made"),),
    "appeal.settled": ((moderated_author, "appeal_settled"),),
    "action.proposed": ((office_of_action, "action_proposed"),),
    "action.sent_back": ((team, "action_sent_back"),),
    "action.adopted": (
        (authors_of_action, "adopted"),
        (followers_of_woven, "adopted"),
        (followers_of_action, "action_adopted"),
        (team, "team_adopted"),
    ),
    "action.updated": (
        (authors_of_action, "updated"),
        (followers_of_woven, "updated"),
        (followers_of_action, "action_updated"),
    ),
    "action.done": (
        (authors_of_action, "done"),
        (followers_of_woven, "done"),
        (followers_of_action, "action_done"),
    ),
    "project.changed": ((followers_of_project, "project_changed"),),
    "registration.placed": ((meetings.registrant, "signed_up"),),
    "registration.promoted": ((meetings.registrant, "sign_up_promoted"),),
    "registration.cancelled": ((meetings.leaver, "sign_up_cancelled"),),
    "registration.changed": (),
    "registration.repeated": (),
    "event.changed": ((meetings.signed_up, "event_moved"),),
    "event.cancelled": ((meetings.signed_up, "event_off"),),
    "minutes.published": ((meetings.who_came, "event_minutes"),),
}


def fan_out(ctx: Context, item_id: int, payload: dict[str, Any], group_wait: timedelta) -> None:
    """Tell everybody concerned by what was announced, except who did it.

    Raises `KeyError` for an event that the table does not know.
    """
    happening = happening_from(payload)
    hearers = [
        hearer
        for find, kind in FAN_OUT[happening.event]
        for hearer in find(ctx, _with_subject(ctx, happening), kind)
        if hearer.person_id != happening.by
    ]
    notifications.tell(ctx, hearers, f"{item_id}:{happening.event}", happening.at, group_wait)
    if happening.event == "contribution.placed":
        _ask_for_receipt(ctx, happening.ids["contribution_id"])
    meetings.ask_for_mails(ctx, happening)


def _with_subject(ctx: Context, h: Happening) -> Happening:
    """A comment's event may name only the comment: its input is looked up."""
    if "comment_id" in h.ids and "contribution_id" not in h.ids:
        query = select(Comment.contribution_id).where(Comment.id == h.ids["comment_id"])
        found = ctx.session.execute(query).scalar_one()
        return Happening(h.event, h.at, h.by, {**h.ids, "contribution_id": found})
    return h


def _ask_for_receipt(ctx: Context, contribution_id: int) -> None:
    contribution = ctx.session.get(Contribution, contribution_id)
    by = contribution.person_id if contribution else None
    person = ctx.session.get(Person, by) if by else None
    if person and person.email and person.mail_rhythm is not MailRhythm.NEVER:
        outbox.put(
            ctx,
            "mail",
            {"tag": "receipt", "person_id": person.id, "contribution_id": contribution_id},
            dedupe_key=f"receipt:{contribution_id}",
        )
