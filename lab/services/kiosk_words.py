"""Ideas, questions for the room and how it was, as tablets send them: words that become inputs of the lab."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from lab.kernel.errors import Conflict, Invalid
from lab.kernel.ids import format_receipt_code
from lab.kernel.tokens import Signer
from lab.models.contributions import Channel, Contribution, Kind, Visibility
from lab.models.kiosk import HowItWas
from lab.models.programme import Place
from lab.services import audit, contributions, outbox, room_questions, site
from lab.services import kiosk_payload as said
from lab.services.context import Context
from lab.services.kiosk_payload import Record, Sender, Told


def idea(ctx: Context, sender: Sender, record: Record, signer: Signer) -> Told:
    """An idea: an input of the meeting, read by the lab first as all words without account.

    Raises `Invalid` for what was said, `Conflict("same_id_other_content")`.
    """
    digest = said.content_hash(record)
    known = contributions.with_key(ctx, record.client_uuid)
    if known is not None:
        return Told(200, *_receipt(known, digest))
    placed = contributions.place(
        ctx,
        contributions.Placement(
            text=said.text(record.payload, "text", contributions.TEXT_LIMIT),
            channel=Channel.KIOSK,
            author_name=said.text(record.payload, "name", contributions.NAME_LIMIT),
            lang=ctx.locale,
            place_id=_place(ctx, record),
            event_id=sender.event_id,
            visibility=_visibility(ctx),
            said_at=record.said_at,
            idempotency_key=record.client_uuid,
            extra={"payload_hash": digest},
        ),
    )
    outbox.announce(ctx, "contribution.placed", contribution_id=placed.id)
    audit.record(ctx, "contribution.place", placed, channel="kiosk", device_id=sender.device_id)
    return Told(201, *_receipt(placed, digest))


def question(ctx: Context, sender: Sender, record: Record, signer: Signer) -> Told:
    """A question for the room. Raises `Conflict("same_id_other_content")`, and as `room_questions.ask`."""
    digest = said.content_hash(record)
    known = contributions.with_key(ctx, record.client_uuid)
    if known is not None:
        return Told(200, *_receipt(known, digest))
    asked = room_questions.ask(
        ctx,
        room_questions.Ask(
            event_id=sender.event_id,
            text=said.text(record.payload, "text", room_questions.TEXT_LIMIT),
            name=said.text(record.payload, "name", contributions.NAME_LIMIT),
            key=record.client_uuid,
            channel=Channel.KIOSK,
            payload_hash=digest,
        ),
    )
    return Told(201, *_receipt(ctx.session.get_one(Contribution, asked.contribution_id), digest))


def _receipt(placed: Contribution, digest: str) -> tuple[str, dict[str, Any]]:
    if placed.payload_hash != digest:
        raise Conflict("same_id_other_content")
    return "received", {"receipt": format_receipt_code(placed.receipt_code)}


def _visibility(ctx: Context) -> Visibility:
    return Visibility.PUBLIC if site.rules(ctx).publish_unread else Visibility.WAITING


def _place(ctx: Context, record: Record) -> int | None:
    code = said.text(record.payload, "place_code", 16)
    if not code:
        return None
    found = ctx.session.execute(select(Place.id).where(Place.code == code)).scalar_one_or_none()
    if found is None:
        raise Invalid("place_code", "unknown")
    return found


def how_it_was(ctx: Context, sender: Sender, record: Record, signer: Signer) -> Told:
    """One to five, nameless; words beside it are an input.

    Raises `Invalid("stars", "out_of_range")`, `Conflict("same_id_other_content")`.
    """
    digest = said.content_hash(record)
    query = select(HowItWas).where(HowItWas.client_uuid == record.client_uuid)
    known = ctx.session.execute(query).scalar_one_or_none()
    if known is not None and known.payload_hash != digest:
        raise Conflict("same_id_other_content")
    if known is not None:
        written = known.contribution_id and ctx.session.get(Contribution, known.contribution_id)
        return Told(200, "received", _with_receipt(written or None))
    stars = said.number(record.payload, "stars")
    if stars is None or not 1 <= stars <= 5:
        raise Invalid("stars", "out_of_range")
    words = _their_words(ctx, sender, record)
    ctx.session.add(
        HowItWas(
            event_id=sender.event_id,
            stars=stars,
            contribution_id=words.id if words else None,
            device_id=sender.device_id,
            client_uuid=record.client_uuid,
            payload_hash=digest,
        )
    )
    return Told(201, "received", _with_receipt(words))


def _with_receipt(words: Contribution | None) -> dict[str, Any]:
    return {"receipt": format_receipt_code(words.receipt_code)} if words else {}


def _their_words(ctx: Context, sender: Sender, record: Record) -> Contribution | None:
    text = said.text(record.payload, "text", contributions.TEXT_LIMIT)
    if not text:
        return None
    placed = contributions.place(
        ctx,
        contributions.Placement(
            text=text,
            kind=Kind.REMARK,
            channel=Channel.KIOSK,
            lang=ctx.locale,
            event_id=sender.event_id,
            visibility=_visibility(ctx),
            said_at=record.said_at,
            idempotency_key=f"how:{record.client_uuid}",
        ),
    )
    outbox.announce(ctx, "contribution.placed", contribution_id=placed.id)
    return placed
