"""From a piece of work in the outbox to a finished message; its texts are looked up only now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select

from lab.kernel.text import clean_line, valid_email
from lab.kernel.tokens import Signer
from lab.mail import links, ticket_mails
from lab.mail.render import Words, render
from lab.mail.ticket_mails import Picture
from lab.models.accounts import Person
from lab.models.contributions import Contribution
from lab.models.notifications import Notification
from lab.models.operations import OutboxItem
from lab.policy.actor import Actor
from lab.services import audience, site, telling
from lab.services.context import Context
from lab.settings import Settings

#: What the link for changing or stopping mail is signed for, and how long it works.
STOP_MAIL = "stop_mail"
STOP_MAIL_AGE = timedelta(days=730)


@dataclass(frozen=True)
class Mail:
    """A mail as it would leave now."""

    to: str
    locale: str
    words: Words
    stop_url: str = ""
    #: A day for the reader's calendar (RFC 5545).
    calendar: bytes | None = None
    #: Drawn inside the HTML.
    picture: Picture | None = None


def write(ctx: Context, settings: Settings, signer: Signer, item: OutboxItem) -> Mail | None:
    """The mail that a piece of work asks for; None when there is nothing left to say or nobody to say it to.

    A code that has run out is not sent, nor what was hidden meanwhile.
    """
    payload = item.payload
    if "to" in payload:
        return _to_address(ctx, settings, item)
    if "registration_id" in payload:
        return _to_registrant(ctx, settings, signer, payload)
    person = ctx.session.get(Person, payload["person_id"])
    if person is None or not person.email or not audience.reachable(person):
        return None
    values = _receipt(ctx, person, payload) if payload["tag"] == "receipt" else _news(ctx, person, payload)
    if values is None:
        return None
    stop_url = settings.base_url + links.path("stop", signer.sign(STOP_MAIL, person.id))
    values = {"name": person.name, "stop_url": stop_url, **values}
    words = render(settings, site.profile(ctx), payload["tag"], person.locale, ctx.now, values)
    return Mail(person.email, person.locale, words, stop_url)


def message(ctx: Context, settings: Settings, item: OutboxItem, mail: Mail) -> EmailMessage:
    """The mail with its headers. The Message-ID belongs to the piece of work: a mail that goes out again
    after a crash bears the same, and mail programs show it once.
    """
    made = EmailMessage(policy=SMTP)
    name, address = parseaddr(settings.mail_from)
    profile = site.profile(ctx)
    made["From"] = Address(clean_line(name or profile.name, 100), addr_spec=_ascii_address(address))
    made["To"] = Address(addr_spec=_ascii_address(mail.to))
    if profile.email and valid_email(profile.email):
        made["Reply-To"] = Address(clean_line(profile.name, 100), addr_spec=_ascii_address(profile.email))
    made["Subject"] = mail.words.subject
    made["Date"] = format_datetime(ctx.now)
    made["Message-ID"] = message_id(settings, item)
    made["Auto-Submitted"] = "auto-generated"
    if mail.stop_url:
        made["List-Unsubscribe"] = f"<{mail.stop_url}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(mail.words.text, cte="quoted-printable")
    made.add_alternative(mail.words.html, subtype="html", cte="quoted-printable")
    if mail.picture is not None:
        _draw_in(made, mail.picture)
    if mail.calendar is not None:
        made.add_attachment(
            mail.calendar,
            "text",
            "calendar",
            filename="incontro.ics",
            params={"method": "PUBLISH", "charset": "utf-8"},
        )
    # Last, because setting content takes such headers away.
    made["Content-Language"] = mail.locale
    return made


def _draw_in(made: EmailMessage, picture: Picture) -> None:
    html = made.get_body(("html",))
    assert isinstance(html, EmailMessage)
    html.add_related(
        picture.png, "image", "png", cid=f"<{picture.cid}>", filename="biglietto.png", disposition="inline"
    )


def message_id(settings: Settings, item: OutboxItem) -> str:
    """The same for every try at this piece of work, and no other's."""
    host = urlsplit(settings.base_url).hostname or "localhost"
    return f"<lab.{item.id}.{int(item.created_at.timestamp() * 1_000_000)}@{host}>"


def _to_address(ctx: Context, settings: Settings, item: OutboxItem) -> Mail | None:
    payload = item.payload
    minutes = payload.get("values", {}).get("minutes")
    if isinstance(minutes, int) and ctx.now >= item.created_at + timedelta(minutes=minutes):
        return None
    words = render(settings, site.profile(ctx), payload["tag"], payload["locale"], ctx.now, payload["values"])
    return Mail(payload["to"], payload["locale"], words)


def _to_registrant(ctx: Context, settings: Settings, signer: Signer, payload: dict[str, Any]) -> Mail | None:
    found = ticket_mails.compose(ctx, settings, signer, payload)
    if found is None:
        return None
    words = render(settings, site.profile(ctx), payload["tag"], found.locale, ctx.now, found.values)
    return Mail(found.to, found.locale, words, calendar=found.calendar, picture=found.picture)


def _news(ctx: Context, person: Person, payload: dict[str, Any]) -> dict[str, Any] | None:
    notes: list[Notification] = []
    for some in audience.chunks(payload["notification_ids"]):
        query = select(Notification).where(Notification.id.in_(some), Notification.person_id == person.id)
        notes += ctx.session.execute(query).scalars()
    actor = audience.actors(ctx, [person.id]).get(person.id, Actor(person.id))
    groups = telling.group(telling.tell(ctx, actor, notes))
    return {"groups": groups} if groups else None


def _receipt(ctx: Context, person: Person, payload: dict[str, Any]) -> dict[str, Any] | None:
    contribution = ctx.session.get(Contribution, payload["contribution_id"])
    if contribution is None or contribution.person_id != person.id:
        return None
    return {
        "words": contribution.text,
        "words_lang": contribution.lang,
        "receipt_code": contribution.receipt_code,
        "due": contribution.promise_due_at,
    }


def _ascii_address(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.encode('idna').decode('ascii')}"
