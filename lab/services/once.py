"""Sending twice does once: keys that belong to whoever sent them."""

from __future__ import annotations

from lab.kernel.ids import token_digest
from lab.services.context import Context


def own_key(ctx: Context, key: str | None, browser: str = "") -> str | None:
    """The key as it is stored, with its sender in it; None without a key.

    Keys stand in pages and are no secret: the same one sent by somebody else is another key, and finds
    nothing of the first sender's. `browser` tells people without account apart (a random token).
    """
    if not key:
        return None
    sender = f"person {ctx.actor.person_id}" if ctx.actor.is_signed_in else f"browser {browser}"
    return token_digest(f"{sender}\n{key}")
