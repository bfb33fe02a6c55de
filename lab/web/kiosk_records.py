"""Records of tablets, from the network or a file: people in their order, words in theirs.

A few at a time share a transaction, since the disk takes longer than a record. Where one of them is refused,
or meets somebody else's, each goes into a transaction of its own: none stands in the way of the others.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lab.db.constraints import is_violation
from lab.kernel.errors import LabError, RateLimited, Unavailable
from lab.policy.actor import SYSTEM
from lab.services import kiosk, kiosk_payload, sealing
from lab.services.context import Context
from lab.services.kiosk import Result
from lab.services.kiosk_payload import Record, Sender
from lab.web.app_state import context, lab, transaction

log = logging.getLogger("lab.kiosk")

#: Records that share a transaction: others wait for the places of the meeting as long as it takes.
_TOGETHER = 20
#: Two sendings of one record may meet; the second then finds what the first did.
_TRIES = 3


def take(sender: Sender, envelopes: Iterable[Any]) -> list[Result]:
    """Take records in; the results stand in their order. When the database is away the rest are to be sent
    again.
    """
    keys = sealing.keys(context())
    now = lab().clock.now().astimezone(UTC)
    records = [kiosk_payload.read(keys, sender, envelope, now) for envelope in envelopes]
    results: dict[int, Result] = {}
    away = False
    for part in _parts(records):
        few = [records[number] for number in part]
        if away:
            told = [kiosk.try_later(record.client_uuid) for record in few]
        else:
            told = _take_together(sender, few) or _take_each(sender, few)
        away = told[-1].status == 503
        results.update(zip(part, told, strict=True))
    return [results[number] for number in range(len(records))]


def _parts(records: Sequence[Record]) -> Iterator[list[int]]:
    """Which records share a transaction, by their number.

    People and words do not: the one holds the books of the meeting, the other the counter of codes, and two
    tablets that took these in another order would wait for each other.
    """
    for first in range(0, len(records), _TOGETHER):
        numbers = range(first, min(first + _TOGETHER, len(records)))
        for is_person in (True, False):
            part = [n for n in numbers if (records[n].kind in kiosk_payload.OF_PEOPLE) is is_person]
            if part:
                yield part


def _take_together(sender: Sender, records: Sequence[Record]) -> list[Result]:
    """The results of all, or none when something is the matter with one: nothing of them stands then."""
    try:
        with transaction() as ctx:
            acting = by_program(ctx)
            return [kiosk.take(acting, sender, record, lab().signer) for record in records]
    except (Unavailable, PoolTimeout, OperationalError) as error:
        log.warning("unavailable", extra={"error": type(error).__name__})
        return [kiosk.try_later(record.client_uuid) for record in records]
    except Exception:
        # Which one it was, and what to do with it, shows when each stands alone.
        return []


def _take_each(sender: Sender, records: Sequence[Record]) -> list[Result]:
    results: list[Result] = []
    away = False
    for record in records:
        result = kiosk.try_later(record.client_uuid) if away else _take(sender, record)
        away = away or result.status == 503
        results.append(result)
    return results


def by_program(ctx: Context) -> Context:
    """The same moment, acting as the program: the token, or the host who brought the file, was checked."""
    return replace(ctx, actor=SYSTEM, now=lab().clock.now())


def _take(sender: Sender, record: Record) -> Result:
    try:
        return _take_or_refuse(sender, record)
    except (Unavailable, PoolTimeout, RateLimited):
        return kiosk.try_later(record.client_uuid)
    except DBAPIError as error:
        if not (isinstance(error, OperationalError) or error.connection_invalidated):
            raise
        log.warning("unavailable", extra={"error": type(error).__name__})
        return kiosk.try_later(record.client_uuid)


def _take_or_refuse(sender: Sender, record: Record) -> Result:
    reason = "fault"
    for _ in range(_TRIES):
        try:
            with transaction() as ctx:
                return kiosk.take(by_program(ctx), sender, record, lab().signer)
        except IntegrityError as error:
            # Somebody else has the short code that the tablet made: the books give another.
            if is_violation(error, "uq_registration_event_id_code"):
                record = replace(record, own_code=False)
            reason = kiosk.CONFLICT
        except (Unavailable, PoolTimeout, OperationalError):
            raise
        except LabError as error:
            reason = kiosk.reason_of(error)
            break
        except Exception as error:
            # One record that we cannot handle must not hold up those behind it, nor be lost.
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
            log.exception("record", extra={"kind": record.kind})
            reason = "fault"
            break
    with transaction() as ctx:
        return kiosk.set_aside(by_program(ctx), sender, record, reason)
