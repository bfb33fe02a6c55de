"""Taking in what was said on tablets: each record once, whatever is repeated.

Same id and same content: the answer of the first time, told anew. Same id with other content, what is
refused for good, and what cannot be read go to the tray with all that came, until a person has looked.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import bindparam, literal, select, union_all, update

from lab.db.upsert import insert_once
from lab.kernel.errors import Conflict, Denied, Invalid, LabError, NotFound
from lab.kernel.tokens import Signer
from lab.models.contributions import Contribution
from lab.models.kiosk import DeviceMode, HowItWas, TrayItem
from lab.models.registrations import Arrival, Registration, SignUp
from lab.services import kiosk_payload as said
from lab.services import kiosk_people, kiosk_words
from lab.services.context import Context
from lab.services.devices import Tablet
from lab.services.kiosk_payload import Record, Sender

#: Which tables a record of each kind may stand in; elsewhere its id is somebody else's.
_HOMES = {
    "sign_up": {"registration"},
    "walk_in": {"registration", "arrival"},
    "check_in": {"arrival"},
    "idea": {"contribution"},
    "question": {"contribution"},
    "how_it_was": {"how_it_was"},
}
CONFLICT = "conflict"
# Asked for every record, and put together once.
_STANDS_IN = union_all(
    *(
        select(literal(name).label("home")).where(column == bindparam("uuid"))
        for name, column in (
            ("registration", Registration.client_uuid),
            ("arrival", Arrival.client_uuid),
            ("contribution", Contribution.idempotency_key),
            ("how_it_was", HowItWas.client_uuid),
        )
    )
)
# A broken promise lies there beside the sign-up, which has its own answer.
_LIES_THERE = select(TrayItem.reason).where(
    TrayItem.client_uuid == bindparam("uuid"),
    TrayItem.payload_hash == bindparam("digest"),
    TrayItem.reason != kiosk_people.PROMISED,
)


@dataclass(frozen=True)
class Result:
    """What became of one record: an HTTP number, a word, and what goes with it (docs/kiosk.md)."""

    client_uuid: str
    status: int
    result: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As the tablet reads it."""
        word = {"result": self.result} if self.result else {}
        return {"client_uuid": self.client_uuid, "status": self.status, **word, **self.more}


def sender_of(tablet: Tablet) -> Sender:
    """The tablet that speaks."""
    return Sender(
        event_id=tablet.event_id,
        event_code=tablet.event_code,
        device_id=tablet.id,
        since=tablet.since,
        is_door=tablet.mode is DeviceMode.DOOR,
        until=tablet.until,
    )


def try_later(client_uuid: str) -> Result:
    """The database is away: the only answer after which a tablet sends a record again."""
    return Result(client_uuid, 503)


def take(ctx: Context, sender: Sender, record: Record, signer: Signer) -> Result:
    """Take one record in. The caller owns the transaction and acts as the program.

    Raises `LabError` when it is refused for good: the transaction is rolled back then, and `set_aside`
    keeps the record with `reason_of` the error. `IntegrityError` means that the same record, or one with
    the same code, came in at the same moment: try again.
    """
    before = _in_tray(ctx, record)
    if before is not None:
        return _for_a_person(record, before)
    if record.trouble:
        return set_aside(ctx, sender, record, record.trouble)
    return act(ctx, sender, record, signer)


def act(ctx: Context, sender: Sender, record: Record, signer: Signer) -> Result:
    """Do what a readable record asks for, whether or not it lay in the tray. Raises as `take`."""
    record = replace(record, again=_came_before(ctx, record))
    acting = replace(ctx, locale=said.language(record.payload, ctx.locale))
    told = _BY_KIND[record.kind](acting, sender, record, signer)
    _let_forget(ctx, sender)
    if told.aside:
        set_aside(ctx, sender, record, told.aside)
    return Result(record.client_uuid, told.status, told.word, told.more)


def set_aside(ctx: Context, sender: Sender, record: Record, reason: str) -> Result:
    """Keep a record that cannot be taken, with all that is known of it, until a person looks."""
    kept = {"said": record.payload, "said_at": record.said_at.isoformat(), "envelope": record.envelope}
    row = {
        "event_id": sender.event_id,
        "device_id": sender.device_id,
        "client_uuid": record.client_uuid,
        "kind": record.kind,
        "reason": reason,
        "payload": kept,
        "payload_hash": record.digest,
        "received_at": ctx.now,
    }  # fmt: skip
    insert_once(ctx.session, TrayItem, row)
    _let_forget(ctx, sender)
    return _for_a_person(record, _in_tray(ctx, record) or reason)


def _let_forget(ctx: Context, sender: Sender) -> None:
    """Names that come after those of the meeting were deleted are deleted in the next night."""
    if ctx.now > sender.until:
        again = update(SignUp).where(SignUp.event_id == sender.event_id, SignUp.forgotten_at.is_not(None))
        ctx.session.execute(again.values(forgotten_at=None))


def reason_of(error: LabError) -> str:
    """The code under which a refused record lies in the tray."""
    if isinstance(error, Conflict):
        return CONFLICT if error.code == "same_id_other_content" else error.code
    if isinstance(error, Invalid):
        return f"{error.field.partition('.')[0]}:{error.code}"[:48]
    if isinstance(error, NotFound):
        return f"no_{error.thing}"[:48]
    return error.reason if isinstance(error, Denied) else "refused"


def _in_tray(ctx: Context, record: Record) -> str | None:
    said_before = {"uuid": record.client_uuid, "digest": record.digest}
    return ctx.session.execute(_LIES_THERE, said_before).scalar_one_or_none()


def _for_a_person(record: Record, reason: str) -> Result:
    status = 409 if reason == CONFLICT else 422
    return Result(record.client_uuid, status, "needs_review", {"reason": reason})


def _came_before(ctx: Context, record: Record) -> bool:
    found = set(ctx.session.execute(_STANDS_IN, {"uuid": record.client_uuid}).scalars())
    if found - _HOMES[record.kind]:
        raise Conflict("same_id_other_content")
    return bool(found)


_BY_KIND = {
    "sign_up": kiosk_people.sign_up,
    "walk_in": kiosk_people.walk_in,
    "check_in": kiosk_people.check_in,
    "idea": kiosk_words.idea,
    "question": kiosk_words.question,
    "how_it_was": kiosk_words.how_it_was,
}
