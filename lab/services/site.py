"""What the staff change by themselves, kept in the database: rules, texts, hours, footer links."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy import select

from lab.db.locking import expect_version
from lab.models.operations import SiteSetting
from lab.policy.permissions import Permission
from lab.services import audit
from lab.services.context import Context


@dataclass(frozen=True)
class Rules:
    """How the lab works here; numbers the sources leave open."""

    #: Days within which every input gets an answer.
    promise_days: int = 30
    #: Minutes in which an author may still change their words.
    edit_minutes: int = 60
    #: Whether what is said without an account is public before a facilitator has read it.
    publish_unread: bool = False
    #: Different people who flag a text before it steps aside by itself until a moderator looks.
    flags_to_hide: int = 3
    #: Whether staff confirm every password with a code by mail.
    staff_second_factor: bool = False


@dataclass(frozen=True)
class OpeningTime:
    """One line of the opening hours: day as 0 (Monday) to 6, times as HH:MM."""

    day: int
    opens: str
    closes: str


@dataclass(frozen=True)
class Profile:
    """What the site says about itself."""

    name: str = "Laboratorio di quartiere"
    neighbourhood: str = "Crocione"
    town: str = "Seregno"
    owner: str = "Comune di Seregno"
    owner_url: str = ""
    tagline: str = ""
    address: str = ""
    phone: str = ""
    email: str = ""
    opening_times: tuple[OpeningTime, ...] = ()
    accessibility_url: str = ""
    report_inefficiency_url: str = ""
    footer_links: tuple[tuple[str, str], ...] = field(default=())


RULES_KEY = "rules"
PROFILE_KEY = "profile"
DEMO_KEY = "demo"
_KEPT = "lab.site_settings"


def rules(ctx: Context) -> Rules:
    """The rules in force, defaults where nothing was changed."""
    stored = _stored(ctx, RULES_KEY)
    known = {item.name for item in fields(Rules)}
    return Rules(**{key: value for key, value in stored.items() if key in known})


def profile(ctx: Context) -> Profile:
    """What the site says about itself, defaults where nothing was changed."""
    return profile_from(_stored(ctx, PROFILE_KEY))


def demo_accounts(ctx: Context) -> list[dict[str, str]]:
    """The sign-ins that the sign-in page shows while the demonstration is loaded."""
    return list(_stored(ctx, DEMO_KEY).get("accounts", []))


def profile_from(stored: dict[str, Any]) -> Profile:
    """Read a stored profile; unknown keys are left out."""
    known = {item.name for item in fields(Profile)}
    values = {key: value for key, value in stored.items() if key in known}
    values["opening_times"] = tuple(OpeningTime(**line) for line in values.get("opening_times", ()))
    values["footer_links"] = tuple((str(a), str(b)) for a, b in values.get("footer_links", ()))
    return Profile(**values)


def _stored(ctx: Context, key: str) -> dict[str, Any]:
    # All settings come in one statement and are kept for the rest of the transaction, missing ones too.
    info = ctx.session.info
    transaction, values = info.get(_KEPT, (None, {}))
    if transaction is None or transaction is not ctx.session.get_transaction():
        rows = ctx.session.execute(select(SiteSetting.key, SiteSetting.value)).all()
        values = {row.key: dict(row.value) for row in rows}
        info[_KEPT] = (ctx.session.get_transaction(), values)
    return dict(values.get(key, {}))


def versions(ctx: Context) -> dict[str, int]:
    """The version of each stored setting, for the page that edits them."""
    rows = ctx.session.execute(select(SiteSetting.key, SiteSetting.version))
    return {row.key: row.version for row in rows}


def change(ctx: Context, value: Rules | Profile, expected_version: int | None = None) -> SiteSetting:
    """Store new rules or a new profile.

    Raises `Conflict("changed_meanwhile")` when somebody else stored in between.
    """
    grant = ctx.require(Permission.SETTINGS_EDIT)
    if isinstance(value, Rules) and value.staff_second_factor != rules(ctx).staff_second_factor:
        # How staff prove who they are is not for moderators to loosen.
        ctx.require(Permission.ROLE_GRANT)
    row = store(ctx, value, expected_version)
    audit.record(ctx, "settings.change", row, grant, key=row.key)
    return row


def store(ctx: Context, value: Rules | Profile, expected_version: int | None = None) -> SiteSetting:
    """Write rules or profile without asking who acts (set-up, demo)."""
    key = RULES_KEY if isinstance(value, Rules) else PROFILE_KEY
    row = ctx.session.get(SiteSetting, key, with_for_update=True, populate_existing=True)
    if row is None:
        row = SiteSetting(key=key, value={}, version=0, changed_at=ctx.now)
        ctx.session.add(row)
    expect_version(row, expected_version)
    row.value = asdict(value)
    row.version += 1
    row.changed_at = ctx.now
    row.changed_by_id = ctx.actor.person_id
    ctx.session.flush()
    ctx.session.info.pop(_KEPT, None)
    return row
