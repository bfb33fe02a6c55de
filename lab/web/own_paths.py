"""Where a reader may be sent after an act: our own paths and nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

from werkzeug.urls import iri_to_uri

_LONGEST = 500
#: Coming back here would only ask the same thing again, or end what has just begun.
_NEVER = ("/accedi", "/registrati", "/recupera", "/esci", "/carta/")


def own_path(wish: str | None, default: str) -> str:
    """`wish` when it is a plain path of this site, written in printable ASCII; else `default`.

    Browsers drop tabs and line breaks and read a backslash as a slash, so anything of the kind is refused
    before it is looked at.
    """
    if not wish or len(wish) > _LONGEST or not wish.startswith("/"):
        return default
    if wish.startswith("//") or "\\" in wish:
        return default
    if any(c.isspace() or not c.isprintable() for c in wish):
        return default
    path = iri_to_uri(wish)
    try:
        parts = urlsplit(path)
    except ValueError:
        return default
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or parts.path.startswith("//"):
        return default
    return default if parts.path.startswith(_NEVER) else path
