"""Limits kept in the database: one counter for each bucket, key and window of time.

The numbers are for one neighbourhood with one hall: 200 people behind one address must never meet them,
a script that tries codes or passwords must. Keys are stored as digests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Table, delete, update

from lab.db.upsert import add_to
from lab.kernel.errors import RateLimited
from lab.kernel.ids import token_digest
from lab.models.operations import RateCounter
from lab.services.context import Context


@dataclass(frozen=True)
class Limit:
    """At most `most` in `seconds`."""

    bucket: str
    most: int
    seconds: int


#: Wrong passwords for one account; after them the code by mail still works, so nobody can be locked out.
PASSWORD_PER_ACCOUNT = Limit("password_account", 10, 900)
#: Codes sent to staff after the right password: who knows one must not try codes without end. Only the
#: password leads here, so that nobody else can use them up.
SECOND_PER_PERSON = Limit("second_person", 10, 3600)
#: Wrong passwords and codes from one address: a hall may mistype, a script is stopped.
SIGN_IN_PER_ADDRESS = Limit("sign_in_address", 600, 900)
#: Codes mailed to one address.
CODE_PER_EMAIL = Limit("code_email", 5, 3600)
CODE_PER_ADDRESS = Limit("code_address", 400, 3600)
#: Things said by one person, and without account from one browser or one address.
SAY_PER_PERSON = Limit("say_person", 30, 3600)
SAY_PER_ADDRESS = Limit("say_address", 400, 3600)
COMMENT_PER_PERSON = Limit("comment_person", 60, 3600)
FLAG_PER_PERSON = Limit("flag_person", 20, 3600)
FLAG_PER_ADDRESS = Limit("flag_address", 100, 3600)
#: Hands and votes of phones in a room: a hall of 200 with twenty of them each passes, a script is slowed.
HAND_PER_ADDRESS = Limit("hand_address", 4000, 3600)
#: Pictures to re-make: the heaviest thing anybody can ask for.
PHOTO_PER_ADDRESS = Limit("photo_address", 1000, 3600)
RECEIPT_PER_ADDRESS = Limit("receipt_address", 600, 900)
RATING_PER_ADDRESS = Limit("rating_address", 400, 3600)
#: Sign-ups from one address: a hall of 200, and a rush of a thousand behind one line, must pass.
SIGN_UP_PER_ADDRESS = Limit("sign_up_address", 4000, 3600)
#: Changes of one ticket, and places given back under one contact: each sends a mail to an address that nobody
#: has proved.
CHANGE_PER_TICKET = Limit("ticket_change", 20, 3600)
GIVE_BACK_PER_CONTACT = Limit("ticket_give_back", 10, 3600)
#: Forms kept for people who have to sign in first; one can be a megabyte.
HELD_PER_ADDRESS = Limit("held_address", 1200, 3600)
#: Pairing codes tried from one address: a code is eight symbols, good for a quarter of an hour.
PAIR_PER_ADDRESS = Limit("pair_address", 60, 900)
#: Sendings of one tablet, with up to twenty records each: 1,000 records in minutes pass.
RECORDS_PER_DEVICE = Limit("kiosk_records", 3000, 900)
DRAFT_PER_ADDRESS = Limit("draft_address", 12000, 3600)
#: Drafts begun without account; one can be a hundred kilobytes, and is kept for a month.
NEW_DRAFT_PER_ADDRESS = Limit("draft_new", 1200, 3600)


def spend(ctx: Context, limit: Limit, key: str, times: int = 1) -> None:
    """Count one use, or several of this moment. Raises `RateLimited` with the seconds left in the window when
    that is too many.
    """
    stamp = int(ctx.now.timestamp())
    start = datetime.fromtimestamp(stamp - stamp % limit.seconds, UTC)
    table = RateCounter.__table__
    assert isinstance(table, Table)
    row = {"bucket": limit.bucket, "key_digest": token_digest(f"{limit.bucket}:{key}"), "window_start": start}
    used = add_to(ctx.session, table, row, times)
    if used > limit.most:
        raise RateLimited(limit.seconds - stamp % limit.seconds)


def give_back(ctx: Context, limit: Limit, key: str) -> None:
    """Take one use back: the try was right and shall not count."""
    stamp = int(ctx.now.timestamp())
    start = datetime.fromtimestamp(stamp - stamp % limit.seconds, UTC)
    used = update(RateCounter).where(
        RateCounter.bucket == limit.bucket,
        RateCounter.key_digest == token_digest(f"{limit.bucket}:{key}"),
        RateCounter.window_start == start,
        RateCounter.count > 0,
    )
    ctx.session.execute(used.values(count=RateCounter.count - 1))


def forget_old(ctx: Context) -> int:
    """Drop counters whose window is over; how many."""
    old = delete(RateCounter).where(RateCounter.window_start < ctx.now - timedelta(days=1))
    return int(ctx.session.execute(old).rowcount)  # type: ignore[attr-defined]
