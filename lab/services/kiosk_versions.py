"""Payloads of older applications, brought to today's shape: a tablet that slept for a release still delivers.

Version 3 is what docs/kiosk.md describes.
Version 2 had answers as a list of `{"question", "value"}`, and no lease: nothing was promised offline.
Version 1 had besides one `contact` for address and telephone, `people` for the size of the party, `words`
for the text of ideas and questions, and neither language nor claim.
"""

from __future__ import annotations

from typing import Any

VERSION = 3
OLDEST = 1


class UnknownVersion(Exception):
    """Written by an application older than the two before this one, or newer than the site."""


def lift(version: Any, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The payload in today's shape. Raises `UnknownVersion`."""
    if not isinstance(version, int) or isinstance(version, bool) or not OLDEST <= version <= VERSION:
        raise UnknownVersion
    for step in _STEPS[version - OLDEST :]:
        payload = step(kind, payload)
    return payload


def _from_1(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    lifted = dict(payload)
    if kind in ("idea", "question"):
        lifted["text"] = lifted.pop("words", "")
    if kind in ("sign_up", "walk_in"):
        lifted["party_size"] = lifted.pop("people", 1)
    if kind == "sign_up":
        contact = lifted.pop("contact", "")
        is_address = isinstance(contact, str) and "@" in contact
        lifted["email" if is_address else "phone"] = contact
    return {"locale": "it", **lifted}


def _from_2(kind: str, payload: dict[str, Any]) -> dict[str, Any]:
    lifted = dict(payload)
    answers = lifted.get("answers")
    if kind == "sign_up" and isinstance(answers, list):
        lifted["answers"] = {
            str(one["question"]): one.get("value")
            for one in answers
            if isinstance(one, dict) and "question" in one
        }
    return {**lifted, "lease_id": None} if kind == "sign_up" else lifted


_STEPS = (_from_1, _from_2)
