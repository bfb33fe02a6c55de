"""Records of tablets, one after the other, each in a transaction of its own: from the network or a file."""

from __future__ import annotations

import logging
from collections.abc import Iterable
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

#: Two sendings of one record may meet; the second then finds what the first did.
_TRIES = 3


def take(sender: Sender, envelopes: Iterable[Any]) -> list[Result]:
    """Take records in, in their order. When the database is away the rest are to be sent again."""
    keys = sealing.keys(context())
    results: list[Result] = []
    away = False
    for envelope in envelopes:
        record = kiosk_payload.read(keys, sender, envelope, lab().clock.now().astimezone(UTC))
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
