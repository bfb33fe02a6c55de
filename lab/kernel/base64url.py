"""Bytes as text that fits into addresses and JSON: base64url without padding (RFC 4648, section 5)."""

import base64
import binascii
import re

_TEXT = re.compile(r"[A-Za-z0-9_-]*")


def encode(data: bytes) -> str:
    """The text for some bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: object) -> bytes:
    """The bytes of a text. Raises ValueError for anything that is not base64url without padding."""
    if not isinstance(text, str) or not _TEXT.fullmatch(text):
        raise ValueError("not base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    # Spare bits at the end would let several texts stand for the same bytes.
    if encode(data) != text:
        raise ValueError("not base64url")
    return data
