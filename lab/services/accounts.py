"""Accounts: joining, the password, the address. A person exists before and without one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lab.db.locking import locked
from lab.kernel.errors import Conflict, Denied, Invalid
from lab.kernel.passwords import check_password, hash_password
from lab.kernel.text import clean_line, fold_email, is_same_mailbox
from lab.models.accounts import Credential, MailRhythm, Person, SignInCode
from lab.policy.permissions import Permission
from lab.services import audit, people, sessions, sign_in
from lab.services.context import Context
from lab.services.sessions import Browser
from lab.services.sign_in import Ask, Entry, Need, Purpose

NAME_LIMIT = 60


@dataclass(frozen=True)
class Join:
    """Somebody wants to join. `password_hash` comes from `seal_password`; None for codes by mail only."""

    name: str
    email: str
    pending: str
    password_hash: str | None = None


@dataclass(frozen=True)
class Preferences:
    """How a person wants to be named, spoken to and written to."""

    name: str
    locale: str
    mail_rhythm: MailRhythm


def clean_name(name: str) -> str:
    """The name others will read. Raises `Invalid("name", …)` for an empty or too long one."""
    if len(name) > 10 * NAME_LIMIT or len(clean_line(name, 1000)) > NAME_LIMIT:
        raise Invalid("name", "name_too_long")
    cleaned = clean_line(name, NAME_LIMIT)
    if not any(c.isalnum() for c in cleaned):
        raise Invalid("name", "name_missing")
    return cleaned


def judge_password(password: str, *personal: str) -> None:
    """Raises `Invalid("password", …)` with the reason why a new password will not do."""
    reason = check_password(password, *personal)
    if reason:
        raise Invalid("password", f"password_{reason}")


def seal_password(password: str, *personal: str) -> str:
    """Judge a new password and give the hash to keep. Slow on purpose: call it before the transaction.

    Raises `Invalid("password", …)` with the judge's reason.
    """
    judge_password(password, *personal)
    return hash_password(password)


def ask_to_join(ctx: Context, command: Join) -> None:
    """Send the code that opens the account; who has one already is told so in the mail and may enter.

    Nobody learns from the answer whether the address is known. Raises `Invalid` for name or address.
    """
    sign_in.ask(
        ctx,
        Ask(
            Purpose.JOIN,
            sign_in.clean_email(command.email),
            command.pending,
            name=clean_name(command.name),
            password_hash=command.password_hash,
        ),
    )


def finish_code(ctx: Context, pending: str, browser: Browser) -> Entry:
    """Go on after the right code: make the account if it was for joining, then sign in.

    Raises `Denied("code_expired")` or `Denied("blocked")`.
    """
    row = sign_in.proved_row(ctx, pending)
    if row.purpose == Purpose.JOIN and row.person_id is None:
        _make_account(ctx, row)
    elif row.purpose in (Purpose.EMAIL, Purpose.PROVE):
        raise Denied("code_expired")
    return sign_in.enter_with_code(ctx, row, browser)


def _make_account(ctx: Context, row: SignInCode) -> None:
    try:
        with ctx.session.begin_nested():
            person = _new_holder(ctx, row)
    except IntegrityError:
        # Asked for twice, from two browsers: the first code made the account, this one enters it.
        row.person_id = _holder_of(ctx, row)
        return
    row.person_id = person.id
    audit.record(ctx, "account.join", person)


def _holder_of(ctx: Context, row: SignInCode) -> int:
    """Whose account it is, if this code came to their mailbox. Raises `Denied("code_expired")` where it came
    to another one, whose address only counts as theirs.
    """
    query = select(Person).join(Credential, Credential.person_id == Person.id)
    holder = ctx.session.execute(query.where(Credential.email_key == row.email_key)).scalar_one()
    if not is_same_mailbox(holder.email or "", row.email):
        raise Denied("code_expired")
    return holder.id


def _new_holder(ctx: Context, row: SignInCode) -> Person:
    person = people.claim(ctx, row.email)
    if person is None:
        person = Person(name="", created_at=ctx.now)
        ctx.session.add(person)
    person.name = row.name or person.name
    person.email = row.email
    person.email_key = row.email_key
    person.email_verified_at = ctx.now
    person.locale = row.locale
    ctx.session.flush()
    _add_credential(ctx, person.id, row.email_key, row.password_hash)
    return person


def _add_credential(ctx: Context, person_id: int, email_key: str, password_hash: str | None) -> None:
    changed_at = ctx.now if password_hash else None
    ctx.session.add(
        Credential(
            person_id=person_id,
            email_key=email_key,
            password_hash=password_hash,
            password_changed_at=changed_at,
            created_at=ctx.now,
        )
    )
    ctx.session.flush()


def vouch_for(ctx: Context, name: str, email: str, password_hash: str | None) -> Person:
    """Make a person with an account whose address needs no proof: whoever has the server answers for it.

    `password_hash` comes from `seal_password`; None for codes by mail only.
    """
    key = fold_email(email)
    person = Person(name=name, email=email, email_key=key, email_verified_at=ctx.now, created_at=ctx.now)
    ctx.session.add(person)
    ctx.session.flush()
    _add_credential(ctx, person.id, key, password_hash)
    return person


def names_of(ctx: Context, row: SignInCode) -> list[str]:
    """The words others know about the person of a code, which must not make their password."""
    person = ctx.session.get(Person, row.person_id) if row.person_id else None
    return [person.name] if person else []


def set_password_after_code(ctx: Context, pending: str, password_hash: str, browser: Browser) -> Entry:
    """Recovery: the new password after the right code. Every session ends, one new one begins.

    Raises `Denied("code_expired")`, and `Denied("blocked")` for people shut out.
    """
    row = sign_in.proved_row(ctx, pending)
    if row.person_id is None or sign_in.need_after_code(ctx, row) is not Need.NEW_PASSWORD:
        raise Denied("code_expired")
    _store_password(ctx, row.person_id, password_hash)
    sessions.end_all(ctx, row.person_id)
    token = sessions.open_session(ctx, row.person_id, "code", browser)
    return Entry(Need.NOTHING, row.person_id, token)


def change_password(ctx: Context, session_id: int, password_hash: str) -> None:
    """A new password; every other session ends. Raises `Denied("prove_first")`."""
    ctx.require(Permission.ACCOUNT_SELF)
    sessions.require_proof(ctx, session_id)
    person_id = ctx.actor.person_id
    assert person_id is not None
    _store_password(ctx, person_id, password_hash)
    sessions.end_all(ctx, person_id, but=session_id)


def _store_password(ctx: Context, person_id: int, password_hash: str) -> None:
    credential = locked(ctx.session, Credential, person_id)
    credential.password_hash = password_hash
    credential.password_changed_at = ctx.now
    sign_in.close_all(ctx, person_id)
    person = ctx.session.get_one(Person, person_id)
    if person.email:
        sign_in.send(ctx, "password_changed", person.email, person.locale, name=person.name)
    audit.record(ctx, "account.password", person)


def take_password_away(ctx: Context, person_id: int) -> None:
    """An administrator makes somebody choose a new password by mail; their sessions end."""
    grant = ctx.require(Permission.ROLE_GRANT)
    credential = locked(ctx.session, Credential, person_id)
    credential.password_hash = None
    sign_in.close_all(ctx, person_id)
    sessions.end_all(ctx, person_id)
    audit.record(ctx, "account.password_away", ctx.session.get_one(Person, person_id), grant)


def save_preferences(ctx: Context, command: Preferences) -> Person:
    """Change name, language and rhythm of mail. What was said before keeps the name of its day."""
    ctx.require(Permission.ACCOUNT_SELF)
    person = locked(ctx.session, Person, ctx.actor.person_id)
    person.name = clean_name(command.name)
    person.locale = command.locale
    person.mail_rhythm = command.mail_rhythm
    ctx.session.flush()
    return person


def ask_new_email(ctx: Context, session_id: int, email: str, pending: str) -> None:
    """Send a code to the address that shall be the new one. Raises `Denied("prove_first")`, `Invalid`."""
    ctx.require(Permission.ACCOUNT_SELF)
    sessions.require_proof(ctx, session_id)
    address = sign_in.clean_email(email)
    sign_in.ask(ctx, Ask(Purpose.EMAIL, address, pending, person_id=ctx.actor.person_id))


def finish_new_email(ctx: Context, session_id: int, pending: str) -> Person:
    """The code was right: this is the address now. The old one is told, the other sessions end.

    Raises `Denied("code_expired")`, and `Conflict("email_taken")` when an account took it meanwhile.
    """
    ctx.require(Permission.ACCOUNT_SELF)
    row = sign_in.proved_row(ctx, pending)
    if row.purpose != Purpose.EMAIL or row.person_id != ctx.actor.person_id:
        raise Denied("code_expired")
    person = locked(ctx.session, Person, row.person_id)
    sign_in.close_all(ctx, person.id)
    if person.email and person.email != row.email:
        sign_in.send(ctx, "email_changed", person.email, person.locale, name=person.name)
    _store_email(ctx, person, row)
    people.claim(ctx, row.email, into=person)
    sessions.end_all(ctx, person.id, but=session_id)
    audit.record(ctx, "account.email", person)
    return person


def _store_email(ctx: Context, person: Person, row: SignInCode) -> None:
    credential = ctx.session.get(Credential, person.id)
    if credential is None:
        credential = Credential(person_id=person.id, created_at=ctx.now)
        ctx.session.add(credential)
    credential.email_key = row.email_key
    person.email = row.email
    person.email_key = row.email_key
    person.email_verified_at = ctx.now
    try:
        with ctx.session.begin_nested():
            ctx.session.flush()
    except IntegrityError as error:
        raise Conflict("email_taken") from error


def of(ctx: Context, person_id: int) -> Credential | None:
    """The account of a person, if they have one."""
    return ctx.session.get(Credential, person_id)


def has_password(ctx: Context, person_id: int) -> bool:
    """Whether the person can sign in with a password."""
    credential = ctx.session.get(Credential, person_id)
    return credential is not None and credential.password_hash is not None
