"""The people of the demo and their sign-ins."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lab.cli.demo.accounts import PASSWORD, ROLES, SIGN_INS, DemoAccount
from lab.kernel.clock import local_date
from lab.kernel.passwords import hash_password
from lab.models.accounts import RoleGrant
from lab.services import accounts
from lab.services.context import Context

if TYPE_CHECKING:
    from lab.cli.demo.loader import Codes


def shown_sign_ins() -> list[dict[str, str]]:
    """What the sign-in page shows while the demo is loaded."""
    return [{"email": account.email, "what": account.what} for account in SIGN_INS] + [{"password": PASSWORD}]


def load(ctx: Context, demo: dict[str, Any], codes: Codes) -> None:
    """Make the demo sign-ins and the accounts of the file; `codes.people` knows them by visible name."""
    hashed = hash_password(PASSWORD)
    for account in [*SIGN_INS, *(_of_file(item) for item in demo["account_demo"])]:
        person = accounts.vouch_for(ctx, account.name, account.email, hashed)
        codes.people.setdefault(account.name, person.id)
        if account.role is None:
            continue
        ctx.session.add(
            RoleGrant(
                person_id=person.id,
                role=account.role,
                office_id=codes.offices[account.office] if account.office else None,
                body_id=codes.bodies[account.body] if account.body else None,
                seat_code=account.seat,
                starts_on=local_date(ctx.now, ctx.timezone) - timedelta(days=300),
                granted_at=ctx.now,
            )
        )


def _of_file(item: dict[str, Any]) -> DemoAccount:
    role = ROLES[item["ruolo"]]
    return DemoAccount(
        email=f"{item['utente']}@demo.example",
        name=item["nome_visibile"],
        what=item["ruolo"],
        role=role,
        office=item.get("ufficio") if role and role.value == "office" else None,
        body=item.get("ente") if role and role.value == "delegate" else None,
        seat=item.get("seggio"),
    )
