"""The parts under an input that any page may draw: support, follow, conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from lab.models.accounts import Role
from lab.models.contributions import ASIDE_STATES, Contribution, Visibility
from lab.policy.permissions import Permission
from lab.services import follows, supports, threads
from lab.services.supports import Standing
from lab.services.threads import Branch, Key, Voice
from lab.web.app_state import context
from lab.web.formats import people_text
from lab.web.forms.base import LabForm
from lab.web.forms.conversation import CommentForm, SupportForm
from lab.web.labels import label
from lab.web.pagination import decode_key, encode_key, page_url

#: What can be followed, by the word in its address.
FOLLOWED = {
    "proposte": follows.Followed.CONTRIBUTION,
    "azioni": follows.Followed.ACTION,
    "progetti": follows.Followed.PROJECT,
}
_PAGES = {"proposte": "proposals.show", "azioni": "actions.show", "progetti": "projects.show"}


@dataclass(frozen=True)
class FollowButton:
    """Follow or stop following; `form` is there only for signed-in readers."""

    url: str
    stop_url: str
    sign_in_url: str
    following: bool
    form: LabForm | None


@dataclass(frozen=True)
class ItemActions:
    """What a reader can do with an input."""

    code: str
    supports: int
    #: Whether supporting is open: public, neither merged nor withdrawn.
    is_open: bool
    is_author: bool
    #: Whether the reader's words were merged into it.
    is_co_author: bool
    standing: Standing
    follow: FollowButton
    form: SupportForm | None


@dataclass(frozen=True)
class Message:
    """A comment as the macro `message` reads it, with the addresses of what one can do."""

    id: str
    level: int
    author: str
    on: datetime
    html: Markup
    lang: str
    staff: str
    answers: str
    edited: bool
    removed: str
    reply_url: str | None
    edit_url: str | None
    flag_url: str | None


@dataclass(frozen=True)
class Talk:
    """A branch with its replies and the address of those not shown."""

    root: Message
    replies: list[Message]
    more: int
    more_url: str


@dataclass(frozen=True)
class ThreadView:
    """The conversation as the page draws it."""

    code: str
    count: int
    talks: list[Talk] = field(default_factory=list)
    next_url: str | None = None
    start_url: str | None = None
    newest: bool = False
    oldest_url: str = ""
    newest_url: str = ""
    closed: bool = False
    may_close: bool = False
    form: CommentForm | None = None
    write_url: str = ""


def item_actions(
    contribution: Contribution, standing: Standing | None = None, *, co_author: bool = False
) -> ItemActions:
    """Support and follow for an input. `standing` spares a statement where the page has asked already."""
    ctx = context()
    if standing is None:
        standing = supports.standing(ctx, contribution.id)
    signed_in = ctx.actor.is_signed_in
    return ItemActions(
        code=contribution.code,
        supports=contribution.supports_count,
        is_open=contribution.visibility is Visibility.PUBLIC and contribution.state not in ASIDE_STATES,
        is_author=signed_in and contribution.person_id == ctx.actor.person_id,
        is_co_author=co_author,
        standing=standing,
        follow=_follow("proposte", contribution.code, standing.follows),
        form=SupportForm(formdata=None, follow=True) if signed_in else None,
    )


def follow_button(what: str, code: str, subject_id: int, *, following: bool | None = None) -> FollowButton:
    """Follow for an action or a project; `what` is azioni or progetti.

    One statement when signed in, unless the page has asked already and says so with `following`.
    """
    if following is None:
        following = follows.is_following(context(), follows.FollowThis(FOLLOWED[what], subject_id))
    return _follow(what, code, following)


def page_of(what: str, code: str, anchor: str | None = None) -> str:
    """The page of something that can be followed."""
    return url_for(_PAGES[what], code=code, _anchor=anchor)


def _follow(what: str, code: str, following: bool) -> FollowButton:
    return FollowButton(
        url=url_for("supports.follow", what=what, code=code),
        stop_url=url_for("supports.unfollow", what=what, code=code),
        sign_in_url=url_for("accounts.sign_in", next=page_of(what, code)),
        following=following,
        form=LabForm(formdata=None) if context().actor.is_signed_in else None,
    )


def item_thread(contribution: Contribution) -> ThreadView:
    """The page of the conversation that the address asks for: one statement, none where nobody spoke."""
    ctx = context()
    newest = request.args.get("commenti") == "nuovi"
    after = _key(request.args.get("commenti-dopo"))
    found = threads.Thread([], None)
    if contribution.comments_count or after:
        found = threads.thread(ctx, contribution.id, after, newest=newest)
    may_write = ctx.may(Permission.COMMENT_WRITE, contribution)
    closed = comments_closed(contribution)
    next_key = found.next_key
    return ThreadView(
        code=contribution.code,
        count=contribution.comments_count,
        talks=talks(found.branches, may_write=not closed or may_write),
        next_url=_page(newest, mark(next_key)) if next_key else None,
        start_url=_page(newest, None) if after else None,
        newest=newest,
        oldest_url=_page(False, None),
        newest_url=_page(True, None),
        closed=closed,
        may_close=contribution.state not in ASIDE_STATES
        and ctx.may(Permission.CONTRIBUTION_SORT, contribution),
        form=CommentForm(formdata=None) if may_write else None,
        write_url=url_for("comments.create", code=contribution.code),
    )


def comments_closed(contribution: Contribution) -> bool:
    """Whether nobody is invited to comment: closed by the lab, or merged or withdrawn."""
    return contribution.comments_closed or contribution.state in ASIDE_STATES


def _page(newest: bool, after: str | None) -> str:
    url = page_url(**{"commenti": "nuovi" if newest else None, "commenti-dopo": after})
    return f"{url}#commenti"


def mark(key: Key) -> str:
    """A place in the conversation, for an address."""
    return encode_key(key[0].isoformat(), key[1])


def _key(written: str | None) -> Key | None:
    values = decode_key(written, 2)
    if values is None or not isinstance(values[0], str) or not isinstance(values[1], int):
        return None
    try:
        at = datetime.fromisoformat(values[0])
    except ValueError:
        return None
    return (at, values[1]) if at.tzinfo else None


def asked_key() -> Key | None:
    """Where the page of a single branch begins."""
    return _key(request.args.get("dopo"))


def talks(branches: Sequence[Branch], *, may_write: bool) -> list[Talk]:
    """Branches as the page draws them."""
    return [
        Talk(
            message(branch.root, may_write=may_write),
            [message(reply, may_write=may_write) for reply in branch.replies],
            branch.more,
            url_for("comments.branch", comment_id=branch.root.comment.id),
        )
        for branch in branches
    ]


def message(voice: Voice, *, may_write: bool) -> Message:
    """One comment as the page draws it."""
    comment = voice.comment
    person_id = context().actor.person_id
    mine = person_id is not None and comment.person_id == person_id
    removed = ""
    if comment.deleted_at:
        removed = _("Chi l'ha scritto ha tolto questo commento.")
    elif comment.hidden_at:
        removed = _("Il Laboratorio ha messo da parte questo commento.")
    stands = not removed
    return Message(
        id=f"commento-{comment.id}",
        level=voice.level,
        author=comment.author_name or _("Senza nome"),
        on=comment.created_at,
        html=people_text(comment.text) if stands else Markup(""),
        lang=comment.lang,
        staff=_badge(staff_words(comment.capacity, voice.office), comment.author_name) if stands else "",
        answers=voice.answers,
        edited=comment.edited_at is not None,
        removed=removed,
        reply_url=url_for("comments.reply", comment_id=comment.id) if stands and may_write else None,
        edit_url=url_for("comments.edit", comment_id=comment.id) if stands and mine else None,
        flag_url=url_for("flags.new", commento=comment.id) if stands and not mine else None,
    )


def _badge(words: Any, author: str) -> Any:
    """The function beside the name, not said twice where the name is the function."""
    return "" if words == author else words


def staff_words(capacity: str, office: str) -> Any:
    """In which function somebody speaks: the office's name, or the role in words; "" for residents."""
    if not capacity or capacity == Role.RESIDENT:
        return ""
    if office:
        return office
    if capacity in (Role.FACILITATOR, Role.MODERATOR):
        return _("Laboratorio di quartiere")
    return label(Role(capacity)) if capacity in set(Role) else capacity
