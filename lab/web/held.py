"""Forms that could not be taken right now: what was typed is held, shown and sent again.

Two ways. `carried()` puts the fields back into the page itself as hidden inputs (works with the database
away); `hold_request()` keeps them in the database while the person signs in.
"""

from __future__ import annotations

from datetime import timedelta

from flask import request, session, url_for
from sqlalchemy import delete, select

from lab.kernel.ids import new_token, token_digest
from lab.models.operations import HeldForm
from lab.services import limits
from lab.web import entrance
from lab.web.app_state import lab, transaction

#: Fields that are the machinery of the form, not what the person typed.
_MACHINERY = {"csrf_token"}
#: Never written back into a page or the database.
_SECRET = {"password", "new_password", "current_password", "code"}
HOLD = timedelta(hours=2)


def carried() -> list[tuple[str, str]]:
    """What was typed into the form of this request, as pairs; files cannot be carried."""
    if request.method != "POST":
        return []
    try:
        typed = list(request.form.lists())
    except OSError:
        # No space was left to take in the pictures sent with it; the browser still shows what was typed.
        return []
    return [(name, value) for name, values in typed for value in values if name not in _MACHINERY | _SECRET]


def words() -> str:
    """The sentences among what was typed, to read and copy; codes, numbers and choices are left out."""
    return "\n\n".join(value.strip() for _name, value in carried() if len(value.split()) > 1)


def here() -> str:
    """The path of this page with its query, to come back to."""
    return request.full_path.rstrip("?") if request.query_string else request.path


def hold_request() -> str:
    """Keep the form of this request and give the path where it waits, bound to this browser.

    Raises `RateLimited`; the page that says so carries what was typed.
    """
    with transaction() as ctx:
        limits.spend(ctx, limits.HELD_PER_ADDRESS, entrance.address())
    token = new_token()
    now = lab().clock.now()
    with lab().database.writing() as writing:
        writing.execute(delete(HeldForm).where(HeldForm.created_at < now - HOLD))
        writing.add(
            HeldForm(
                token_digest=token_digest(token),
                path=here()[:500],
                fields=[list(pair) for pair in carried()],
                created_at=now,
            )
        )
    session["held"] = token
    return url_for("accounts.resume")


def take_held() -> tuple[str, list[tuple[str, str]]] | None:
    """The path and fields this browser left waiting; None when there are none. They can be taken again
    until they expire, so that a second broken try loses nothing either."""
    token = session.get("held")
    if not token:
        return None
    with lab().database.session() as reading:
        query = select(HeldForm).where(HeldForm.token_digest == token_digest(token))
        row = reading.execute(query).scalar_one_or_none()
    if row is None or row.created_at < lab().clock.now() - HOLD:
        return None
    return row.path, [(str(name), str(value)) for name, value in row.fields]
