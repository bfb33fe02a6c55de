"""Addresses in mails, feeds and letters: the promised paths, written without a request.

A test holds them against the routes.
"""

from __future__ import annotations

from urllib.parse import quote

from lab.services.telling import Item

PATHS = {
    "contribution": "/proposte/{}",
    "action": "/azioni/{}",
    "project": "/progetti/{}",
    "desk": "/regia/{}",
    "weaving": "/regia/azioni/{}",
    "moderation": "/regia/moderazione",
    "receipt": "/ricevuta/{}",
    "stop": "/io/novita/posta/{}",
    "event": "/eventi/{}",
    "minutes": "/eventi/{}/verbale",
    "ticket": "/biglietto/{}",
}
NEWS = "/io/novita"
SIGN_IN = "/accedi"
DESK = "/regia"


def path(kind: str, code: str) -> str:
    """The path of a thing of ours by its public code or token."""
    return PATHS[kind].format(quote(code, safe="-._~"))


def item_path(item: Item) -> str:
    """Where to read about the item of a piece of news."""
    return path(item.kind, item.code)


def appeal_path(act_id: int) -> str:
    """Where the author of hidden words asks to think again."""
    return f"/appello/{act_id}"
