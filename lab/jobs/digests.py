"""Once a day, one mail with all that is new, for those who chose so."""

from __future__ import annotations

from lab.services import notifications
from lab.services.context import Context


def send_digests(ctx: Context) -> int:
    """Ask for the mail of every person who has something in it; how many mails."""
    return sum(
        notifications.collect(ctx, person_id, tag="daily_news")
        for person_id in notifications.waiting_for_digest(ctx)
    )
