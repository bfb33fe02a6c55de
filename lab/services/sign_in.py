"""Signing in: passwords, six-digit codes by mail, and the second factor of staff.

Answers never tell whether an address is known: the same rows are written and one mail goes out in every
case. Codes last ten minutes, bear five tries, work once, and only in the browser that asked for them.
Hashing and checking passwords takes long on purpose, so it is done before the transaction that writes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from lab.db.locking import locked
from lab.kernel.errors import Denied, Invalid
from lab.kernel.ids import new_token, same, token_digest
from lab.kernel.passwords import hash_password, needs_rehash, verify_password
from lab.kernel.text import fold_email, valid_email
from lab.models.accounts import Credential, Person, SignInCode
from lab.services import limits, outbox, sessions, site
from lab.services.context import Context
from lab.services.sessions import Browser
from lab.services.terms import is_staff

CODE_LIFE = timedelta(minutes=10)
CODE_TRIES = 5
_KEPT = timedelta(days=1)


class Purpose(StrEnum):
    """What a code was asked for."""

    SIGN_IN = "sign_in"
    JOIN = "join"
    RECOVER = "recover"
    SECOND = "second"
    EMAIL = "email"
    PROVE = "prove"


class Verdict(StrEnum):
    """What became of a code that was typed in."""

    RIGHT = "right"
    WRONG = "wrong"
    #: Too old, never asked for in this browser, or tried too often: a new one is needed.
    EXPIRED = "expired"
    #: It has served already.
    USED = "used"


class Need(StrEnum):
    """What is still missing before somebody is signed in."""

    NOTHING = "nothing"
    CODE = "code"
    PASSWORD = "password"  # noqa: S105  # a step, not a secret
    NEW_PASSWORD = "new_password"  # noqa: S105


@dataclass(frozen=True)
class Ask:
    """A code wanted for an address. `pending` is the secret this browser keeps until it types the code."""

    purpose: Purpose
    email: str
    pending: str
    name: str = ""
    password_hash: str | None = None
    person_id: int | None = None


@dataclass(frozen=True)
class Proof:
    """A password that was right for this person; `password_hash` is the one it was checked against."""

    person_id: int
    password_hash: str
    new_hash: str | None = None


@dataclass(frozen=True)
class Entry:
    """How far somebody has come: signed in (`token` for the cookie), or what they still have to give."""

    need: Need
    person_id: int | None = None
    token: str = ""


def clean_email(email: str) -> str:
    """The address as it will be written to. Raises `Invalid("email", "bad_email")`."""
    address = email.strip()
    if not valid_email(address):
        raise Invalid("email", "bad_email")
    return address


def spend_password_try(ctx: Context, email: str, address: str, *, trusted: str = "") -> None:
    """Count a try. `trusted` names a browser that was signed in to this account before: it has a count of
    its own, so that nobody can lock it out by trying from elsewhere. Raises `RateLimited`.
    """
    limits.spend(ctx, limits.SIGN_IN_PER_ADDRESS, address)
    limits.spend(ctx, limits.PASSWORD_PER_ACCOUNT, _account_key(email, trusted))


def give_back_password_try(ctx: Context, email: str, address: str, *, trusted: str = "") -> None:
    """The password was right: the try does not count."""
    limits.give_back(ctx, limits.SIGN_IN_PER_ADDRESS, address)
    limits.give_back(ctx, limits.PASSWORD_PER_ACCOUNT, _account_key(email, trusted))


def spend_second(ctx: Context, proof: Proof, *, trusted: str = "") -> None:
    """Count the code that staff get after their password; `trusted` as above. Raises `RateLimited`."""
    limits.spend(ctx, limits.SECOND_PER_PERSON, f"{proof.person_id}|{trusted}")


def spend_code_ask(ctx: Context, email: str, address: str, *, trusted: str = "") -> None:
    """Count a mail with a code. Raises `RateLimited`."""
    limits.spend(ctx, limits.CODE_PER_ADDRESS, address)
    limits.spend(ctx, limits.CODE_PER_EMAIL, _account_key(email, trusted))


def spend_code_try(ctx: Context, address: str) -> None:
    """Count a code typed in from one address of the network. Raises `RateLimited`."""
    limits.spend(ctx, limits.SIGN_IN_PER_ADDRESS, address)


def _account_key(email: str, trusted: str) -> str:
    return f"{fold_email(email[:254])}|{trusted}"


def check_password(ctx: Context, email: str, password: str) -> Proof | None:
    """Whose password this is; None for a wrong one, an unknown address and an account without password,
    all in the same time. Only reads.
    """
    query = select(Credential).where(Credential.email_key == fold_email(email[:254]))
    return _proof(ctx.session.execute(query).scalar_one_or_none(), password)


def check_own_password(ctx: Context, person_id: int, password: str) -> Proof | None:
    """The same for a person already known."""
    return _proof(ctx.session.get(Credential, person_id), password)


def _proof(credential: Credential | None, password: str) -> Proof | None:
    kept = credential.password_hash if credential else None
    if not verify_password(kept, password) or credential is None or kept is None:
        return None
    return Proof(credential.person_id, kept, hash_password(password) if needs_rehash(kept) else None)


def enter_with_password(ctx: Context, proof: Proof, pending: str, browser: Browser) -> Entry:
    """Sign in after the right password; staff first get a code by mail where the rules ask for it.

    Raises `Denied("blocked")`, and `Invalid("password", "wrong_password")` when it was changed meanwhile.
    """
    credential = locked(ctx.session, Credential, proof.person_id)
    if credential.password_hash != proof.password_hash:
        raise Invalid("password", "wrong_password")
    if proof.new_hash:
        credential.password_hash = proof.new_hash
    person = ctx.session.get_one(Person, proof.person_id)
    if person.blocked_at is None and person.email and needs_second(ctx, person.id):
        ask(ctx, Ask(Purpose.SECOND, person.email, pending, person_id=person.id))
        return Entry(Need.CODE, person.id)
    return Entry(Need.NOTHING, person.id, sessions.open_session(ctx, person.id, "password", browser))


def needs_second(ctx: Context, person_id: int) -> bool:
    """Whether this person is asked for a second factor today."""
    return site.rules(ctx).staff_second_factor and is_staff(ctx, person_id)


def ask(ctx: Context, what: Ask) -> None:
    """Send a code, or the mail that is right for an address we do not know. Asking again with the same
    `pending` (a double click) sends nothing more.
    """
    digest = token_digest(what.pending)
    if ctx.session.execute(select(SignInCode.id).where(SignInCode.browser_digest == digest)).first():
        return
    credential = _credential(ctx, what.email)
    code = f"{secrets.randbelow(1_000_000):06d}"
    tag, locale, works = _mail_for(ctx, what, credential)
    to = _known_address(ctx, what, credential) or what.email
    row = SignInCode(
        browser_digest=digest,
        purpose=what.purpose,
        email=what.email,
        email_key=fold_email(what.email),
        name=what.name or None,
        locale=ctx.locale,
        password_hash=what.password_hash,
        person_id=what.person_id or (credential.person_id if credential else None),
        code_digest=code_digest(what.pending, code if works else new_token()),
        created_at=ctx.now,
        expires_at=ctx.now + CODE_LIFE,
    )
    try:
        with ctx.session.begin_nested():
            ctx.session.add(row)
    except IntegrityError:
        # The other click was quicker by a moment: its mail is on the way.
        return
    ctx.session.execute(delete(SignInCode).where(SignInCode.created_at < ctx.now - _KEPT))
    minutes = int(CODE_LIFE.total_seconds() // 60)
    values = {"code": code, "minutes": minutes} if works else {}
    send(ctx, tag, to, locale, **values)


def _known_address(ctx: Context, what: Ask, credential: Credential | None) -> str | None:
    # Spellings that count as one mailbox here need not be one at every provider: a code that opens an
    # account goes to the address its owner has proved, however it was typed.
    if credential is None or what.purpose is Purpose.EMAIL:
        return None
    return ctx.session.get_one(Person, credential.person_id).email


def send(ctx: Context, tag: str, to: str, locale: str, **values: object) -> None:
    """One mail to one address, in this transaction."""
    outbox.put(ctx, "mail", {"tag": tag, "to": to, "locale": locale, "values": values})


def code_digest(pending: str, code: str) -> str:
    """What is stored of a code: salted with the browser's secret, so the row alone does not give it away."""
    return token_digest(f"{pending}:{code}")


def _credential(ctx: Context, email: str) -> Credential | None:
    query = select(Credential).where(Credential.email_key == fold_email(email))
    return ctx.session.execute(query).scalar_one_or_none()


def _mail_for(ctx: Context, what: Ask, credential: Credential | None) -> tuple[str, str, bool]:
    """Tag and language of the mail, and whether its code opens anything."""
    person = ctx.session.get(Person, credential.person_id) if credential else None
    locale = person.locale if person else ctx.locale
    if what.purpose in (Purpose.SECOND, Purpose.PROVE):
        return f"{what.purpose}_code", locale, True
    if what.purpose is Purpose.EMAIL:
        foreign = person is not None and person.id != what.person_id
        return ("email_taken", locale, False) if foreign else ("email_code", ctx.locale, True)
    if person is None:
        return (
            ("join_code", locale, True)
            if what.purpose is Purpose.JOIN
            else ("address_unknown", locale, False)
        )
    if what.purpose is Purpose.RECOVER and credential is not None and _is_guarded(ctx, credential):
        return "recover_staff", locale, False
    return ("join_known" if what.purpose is Purpose.JOIN else f"{what.purpose}_code"), locale, True


def _is_guarded(ctx: Context, credential: Credential) -> bool:
    # A mailbox alone must not open the desk where two proofs are asked for: an administrator takes the old
    # password away first.
    return credential.password_hash is not None and needs_second(ctx, credential.person_id)


def pending_row(ctx: Context, pending: str) -> SignInCode | None:
    """What this browser is waiting for."""
    if not pending:
        return None
    query = select(SignInCode).where(SignInCode.browser_digest == token_digest(pending))
    return ctx.session.execute(query).scalar_one_or_none()


def try_code(ctx: Context, pending: str, code: str) -> Verdict:
    """Judge a code and note the try. Never raises for a wrong one: the count of tries must be kept."""
    row = pending_row(ctx, pending)
    if row is None:
        return Verdict.EXPIRED
    row = locked(ctx.session, SignInCode, row.id)
    if row.used_at is not None:
        return Verdict.USED
    if row.expires_at <= ctx.now or row.attempts >= CODE_TRIES:
        return Verdict.EXPIRED
    row.attempts += 1
    digits = "".join(str(int(c)) for c in code[:40] if c.isdecimal())
    if not same(row.code_digest, code_digest(pending, digits)):
        return Verdict.EXPIRED if row.attempts >= CODE_TRIES else Verdict.WRONG
    row.used_at = ctx.now
    # What may still have to follow (a password) has its own ten minutes.
    row.expires_at = ctx.now + CODE_LIFE
    return Verdict.RIGHT


def proved_row(ctx: Context, pending: str) -> SignInCode:
    """The code this browser gave rightly a moment ago. Raises `Denied("code_expired")` when none is open."""
    row = pending_row(ctx, pending)
    if row is None or row.used_at is None or row.expires_at <= ctx.now:
        raise Denied("code_expired")
    return locked(ctx.session, SignInCode, row.id)


def close(ctx: Context, row: SignInCode) -> None:
    """Nothing more follows from this code."""
    row.expires_at = ctx.now


def close_all(ctx: Context, person_id: int) -> None:
    """Nothing more follows from any code of a person: also one that somebody else has asked for and waits
    with, in a mailbox that is no longer theirs.
    """
    open_ones = update(SignInCode).where(SignInCode.person_id == person_id, SignInCode.expires_at > ctx.now)
    ctx.session.execute(open_ones.values(expires_at=ctx.now))


def need_after_code(ctx: Context, row: SignInCode) -> Need:
    """What a person still has to give after the right code."""
    if row.purpose == Purpose.RECOVER:
        return Need.NEW_PASSWORD
    if row.purpose == Purpose.SECOND or row.person_id is None or not needs_second(ctx, row.person_id):
        return Need.NOTHING
    credential = ctx.session.get(Credential, row.person_id)
    has_password = credential is not None and credential.password_hash is not None
    return Need.PASSWORD if has_password else Need.NEW_PASSWORD


def enter_with_code(ctx: Context, row: SignInCode, browser: Browser) -> Entry:
    """Sign in the person of a right code, or say what is still needed. Raises `Denied("blocked")`."""
    need = need_after_code(ctx, row)
    if need is not Need.NOTHING:
        return Entry(need, row.person_id)
    close(ctx, row)
    if row.person_id is None:
        raise Denied("code_expired")
    return Entry(Need.NOTHING, row.person_id, sessions.open_session(ctx, row.person_id, "code", browser))


def enter_after_code(ctx: Context, pending: str, proof: Proof, browser: Browser) -> Entry:
    """The password that staff give after the code. Raises `Denied` or `Invalid("password", …)`."""
    row = proved_row(ctx, pending)
    credential = locked(ctx.session, Credential, proof.person_id)
    if row.person_id != proof.person_id or credential.password_hash != proof.password_hash:
        raise Invalid("password", "wrong_password")
    close(ctx, row)
    return Entry(
        Need.NOTHING, proof.person_id, sessions.open_session(ctx, proof.person_id, "password", browser)
    )
