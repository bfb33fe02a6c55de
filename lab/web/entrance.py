"""The web side of signing in: what a browser keeps while it does, and the new session at the end."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Network, ip_address

from flask import after_this_request, request, session, url_for
from flask_login import login_user
from werkzeug.wrappers import Response

from lab.kernel.ids import new_token, token_digest
from lab.kernel.text import fold_email
from lab.policy import rules
from lab.policy.permissions import Permission
from lab.services import sessions
from lab.services.sessions import Browser
from lab.services.sign_in import Entry, Purpose
from lab.web.app_state import context, lab, transaction
from lab.web.own_paths import own_path
from lab.web.reader import Reader, load_reader

#: Seconds for which a browser is remembered as known to its accounts.
_KNOWN_LIFE = 60 * 60 * 24 * 180
_KNOWN_ACCOUNTS = 5
_PURPOSE = "known-browser"
#: Words in the agent string, the more particular first; some browsers name others to be let in.
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS", "Mac"), ("CrOS", "Chromebook"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True)
class Waiting:
    """A code this browser is waiting for, and what comes after it."""

    pending: str
    next: str = ""
    shared: bool = False


def address() -> str:
    """The network address of this request, for limits: of IPv6 the part that a household is given.

    Its other half is free to choose, so that counting whole addresses would count nothing.
    """
    written = request.remote_addr or "-"
    try:
        found = ip_address(written)
    except ValueError:
        return written
    if isinstance(found, IPv4Address):
        return written
    mapped = found.ipv4_mapped
    return str(mapped) if mapped else str(IPv6Network((int(found), 64), strict=False))


def place(known: str) -> str:
    """Under what tries from this request's address are counted. `known` names a browser that its person has
    used before (or their session): it has a count of its own, which nobody in the same hall can use up.
    """
    return f"{address()}|{known}" if known else address()


def this_browser(shared: bool) -> Browser:
    """The browser of this request: family and system, nothing more."""
    agent = request.headers.get("User-Agent", "")[:400]
    words = [_first(agent, _BROWSERS), _first(agent, _SYSTEMS)]
    return Browser(device=", ".join(word for word in words if word), shared=shared)


def _first(agent: str, table: tuple[tuple[str, str], ...]) -> str:
    return next((word for mark, word in table if mark in agent), "")


def prepare() -> None:
    """Give this browser the secret to which codes are bound. Called when a page with such a form is drawn."""
    if "browser" not in session:
        session["browser"] = new_token()


def pending_for(key: str, purpose: Purpose, email: str) -> str:
    """The secret for one sending of one form: a second click gives the same, another address another."""
    prepare()
    return token_digest(f"{session['browser']}:{key}:{purpose}:{fold_email(email[:254])}")


def wait(name: str, waiting: Waiting) -> None:
    """Remember in this browser what it waits for. `name` is "entry" or the name of another journey."""
    session[name] = [waiting.pending, waiting.next, waiting.shared]


def waiting(name: str) -> Waiting | None:
    """What this browser waits for."""
    kept = session.get(name)
    return Waiting(str(kept[0]), str(kept[1]), bool(kept[2])) if kept else None


def begin(entry: Entry, email: str, shared: bool, wish: str = "") -> Reader:
    """The new session of somebody who has just signed in: everything before is dropped from the cookie,
    except the form that waits to be sent again, and the words whose page led here (`wish`).
    """
    kept = {name: session[name] for name in ("held", *_goes_on(wish)) if name in session}
    before = session.get("_user_id")
    if before:
        # Somebody else, or the same person before: that session is over, not only out of sight.
        with transaction() as ctx:
            sessions.end_token(ctx, before)
    session.clear()
    session.update(kept)
    session.permanent = not shared
    found = load_reader(entry.token)
    assert found is not None
    login_user(found)
    if email and not shared:
        _remember(email)
    return found


def _goes_on(wish: str) -> tuple[str, ...]:
    """The marks of what this browser wrote or has just sent, for who came from there and goes back there.

    Nobody else: on a computer that many use the words would be somebody else's.
    """
    return ("browser", "sent") if wish in (url_for("proposals.new"), url_for("proposals.done")) else ()


def destination(found: Reader, wish: str) -> str:
    """Where to go after signing in: where one was going, else the desk for those who work there, else /io."""
    now = context().now
    works = (Permission.INBOX_SEE, Permission.SETTINGS_EDIT)
    at_desk = any(rules.decide_route(found.actor, right, now).allowed for right in works)
    return own_path(wish, "/regia" if at_desk else "/io")


def trusted(email: str) -> str:
    """The name of this browser if it was signed in to this account before, else ""."""
    name, accounts = _known()
    return name if name and _mark(email) in accounts else ""


def _known() -> tuple[str, list[str]]:
    kept = lab().signer.open(_PURPOSE, request.cookies.get(_cookie(), ""), _KNOWN_LIFE)
    if not isinstance(kept, list) or len(kept) != 2:
        return "", []
    return str(kept[0]), [str(mark) for mark in kept[1]]


def _mark(email: str) -> str:
    return token_digest(f"known:{fold_email(email[:254])}")[:32]


def _cookie() -> str:
    return "__Host-known" if lab().settings.is_secure else "known"


def _remember(email: str) -> None:
    name, accounts = _known()
    marks = [_mark(email), *(mark for mark in accounts if mark != _mark(email))][:_KNOWN_ACCOUNTS]
    value = lab().signer.sign(_PURPOSE, [name or new_token(128), marks])

    def set_cookie(response: Response) -> Response:
        response.set_cookie(
            _cookie(), value, max_age=_KNOWN_LIFE, path="/", httponly=True, samesite="Lax",
            secure=lab().settings.is_secure,
        )  # fmt: skip
        return response

    after_this_request(set_cookie)


def forget(response: Response, *, cookies: bool) -> Response:
    """Tell the browser to drop what it kept of this site; on a device shared with others cookies too."""
    kinds = ["cache", "storage", *(["cookies"] if cookies else [])]
    response.headers["Clear-Site-Data"] = ", ".join(f'"{kind}"' for kind in kinds)
    return response
