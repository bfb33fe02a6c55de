"""Once a day, one mail with all that is new, for those who chose so."""

from __future__ import annotations

from lab.services import notifications
from lab.services.context import Context

#: People in one transaction: nobody else writes while it lasts.
_PORTION = 50


def send_some(ctx: Context, after: int = 0) -> int | None:
    """Ask for the mail of the next people who have something in it; the last of them, None when all have it.

    People come in the order of their ids, `after` is the last one who had theirs.
    """
    people = notifications.waiting_for_digest(ctx, after, _PORTION)
    for person_id in people:
        notifications.collect(ctx, person_id, tag="daily_news")
    return people[-1] if len(people) == _PORTION else None
