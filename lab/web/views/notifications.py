"""What I have been told, and the link in every mail that changes how often mail comes."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf import CSRFProtect
from werkzeug.wrappers import Response as AnyResponse

from lab.mail import links
from lab.mail.post import STOP_MAIL, STOP_MAIL_AGE
from lab.models.accounts import MailRhythm, Person
from lab.policy.permissions import Permission
from lab.services import notifications
from lab.web.access import allow, public
from lab.web.app_state import context, lab, transaction
from lab.web.forms.base import LabForm
from lab.web.own_pages import own_tabs
from lab.web.pagination import decode_key, encode_key, page_url
from lab.web.said import said

blueprint = Blueprint("notifications", __name__)


@blueprint.get("/io/novita")
@allow(Permission.ACCOUNT_SELF)
def index() -> str:
    """My news by item, newest first."""
    page = notifications.mine(context(), _after())
    mark = (
        encode_key(int(page.next_key[0].timestamp() * 1_000_000), page.next_key[1]) if page.next_key else ""
    )
    return render_template(
        "pages/notifications/index.html",
        tabs=own_tabs(),
        groups=page.groups,
        unread=page.unread,
        next_url=page_url(dopo=mark) if mark else None,
        prev_url=url_for("notifications.index") if request.args.get("dopo") else None,
        form=LabForm(),
        said=said,
        item_path=links.item_path,
    )


def _after() -> tuple[datetime, int] | None:
    values = decode_key(request.args.get("dopo"), 2)
    if not values or not all(isinstance(value, int) for value in values):
        return None
    try:
        return datetime.fromtimestamp(values[0] / 1_000_000, UTC), values[1]
    except (OverflowError, ValueError, OSError):
        return None


@blueprint.post("/io/novita")
@allow(Permission.ACCOUNT_SELF)
def read() -> AnyResponse:
    """I have seen them."""
    with transaction() as ctx:
        notifications.mark_read(ctx)
    flash(_("Fatto: hai letto tutto."), "success")
    return redirect(url_for("notifications.index"), 303)


@blueprint.get("/io/novita/posta/<token>")
@public
def mail(token: str) -> Response:
    """The link at the foot of a mail: asks before anything changes."""
    person = _person(token)
    return _mail_page(person.mail_rhythm, done=False)


@blueprint.post("/io/novita/posta/<token>")
@public
def set_mail(token: str) -> Response:
    """What was chosen there; a mail program's own button means never."""
    person = _person(token)
    wish = request.form.get("ogni", MailRhythm.NEVER)
    if wish not in set(MailRhythm):
        abort(400)
    with transaction() as ctx:
        notifications.set_rhythm(ctx, person.id, MailRhythm(wish))
    return _mail_page(MailRhythm(wish), done=True)


def _person(token: str) -> Person:
    person_id = lab().signer.open(STOP_MAIL, token, STOP_MAIL_AGE)
    return notifications.reader(context(), person_id if isinstance(person_id, int) else None)


def _mail_page(rhythm: MailRhythm, *, done: bool) -> Response:
    page = render_template(
        "pages/notifications/mail.html", rhythm=rhythm, rhythms=list(MailRhythm), done=done
    )
    answer = Response(page)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@blueprint.record_once
def _signed_links_need_no_token(state: object) -> None:
    # The signed link is the proof, and mail programs post to it by themselves (RFC 8058).
    csrf: CSRFProtect = state.app.extensions["csrf"]  # type: ignore[attr-defined]
    csrf.exempt(set_mail)
