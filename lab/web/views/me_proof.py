"""Showing again who I am, by password or by a code to my address, before what is hard to undo."""

from __future__ import annotations

from flask import redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from lab.kernel.errors import Invalid, RateLimited
from lab.policy.permissions import Permission
from lab.services import accounts, privacy, sessions, sign_in
from lab.services.sign_in import Ask, Purpose, Verdict
from lab.web import entrance
from lab.web.access import allow
from lab.web.app_state import context, transaction
from lab.web.entrance import Waiting
from lab.web.forms.accounts import CodeForm, PasswordForm
from lab.web.forms.base import CreatingForm, refuse, say_limited
from lab.web.labels import error_words
from lab.web.own_pages import draw, me
from lab.web.own_paths import own_path
from lab.web.views.me import blueprint

#: What the session calls a code that waits to be typed in.
PROVE = "prove"


def proved() -> bool:
    """Whether the person has shown who they are a short while ago."""
    return sessions.is_proved(context(), me().session_id)


def ask_proof() -> Response:
    """To the page that asks, and back here."""
    return redirect(url_for("me.prove", next=request.path), 303)


@blueprint.get("/conferma")
@allow(Permission.ACCOUNT_SELF)
def prove() -> ResponseReturnValue:
    """Who are you, again?"""
    return _draw_proof(PasswordForm(formdata=None))


def _draw_proof(form: PasswordForm) -> str:
    ctx = context()
    person = privacy.by_id(ctx, me().person_id)
    can = {"password": accounts.has_password(ctx, person.id), "code": bool(person.email_verified_at)}
    wish = own_path(request.values.get("next"), "")
    return draw("prove", form=form, by_code=CreatingForm(), can=can, next=wish)


@blueprint.post("/conferma")
@allow(Permission.ACCOUNT_SELF)
def prove_by_password() -> ResponseReturnValue:
    """With the password."""
    form = PasswordForm()
    email = privacy.by_id(context(), me().person_id).email or str(me().person_id)
    try:
        if not form.validate_on_submit():
            return _draw_proof(form), 422
        with transaction() as ctx:
            sign_in.spend_password_try(ctx, email, entrance.place(me().token), trusted=me().token)
        proof = sign_in.check_own_password(context(), me().person_id, form.password.data or "")
        if proof is None:
            raise Invalid("password", "own_password_wrong")
    except Invalid as error:
        refuse(form, error)
        return _draw_proof(form), 422
    except RateLimited as error:
        headers = say_limited(form.password, error)
        return _draw_proof(form), 429, headers
    with transaction() as ctx:
        sessions.prove(ctx, me().session_id)
    return redirect(own_path(request.form.get("next"), url_for("me.data")), 303)


@blueprint.post("/conferma/manda")
@allow(Permission.ACCOUNT_SELF)
def send_proof() -> ResponseReturnValue:
    """With a code to the address we know."""
    person = privacy.by_id(context(), me().person_id)
    if not person.email or not person.email_verified_at:
        return redirect(url_for("me.prove"), 303)
    key = request.form.get("idempotency_key", "")[:64]
    pending = entrance.pending_for(key, Purpose.PROVE, person.email)
    what = Ask(Purpose.PROVE, person.email, pending, person_id=person.id)
    with transaction() as ctx:
        sign_in.spend_code_ask(ctx, what.email, entrance.place(me().token), trusted=me().token)
    with transaction() as ctx:
        sign_in.ask(ctx, what)
    entrance.wait(PROVE, Waiting(pending, own_path(request.form.get("next"), "")))
    return redirect(url_for("me.prove_code"), 303)


@blueprint.get("/conferma/codice")
@allow(Permission.ACCOUNT_SELF)
def prove_code() -> ResponseReturnValue:
    """Where that code is typed in."""
    if entrance.waiting(PROVE) is None:
        return redirect(url_for("me.prove"), 303)
    return draw("code", form=CodeForm(formdata=None), back=url_for("me.prove"))


@blueprint.post("/conferma/codice")
@allow(Permission.ACCOUNT_SELF)
def check_proof_code() -> ResponseReturnValue:
    """Judge it."""
    after = entrance.waiting(PROVE)
    if after is None:
        return redirect(url_for("me.prove"), 303)
    form, verdict = judge(after, Purpose.PROVE)
    if verdict is not Verdict.RIGHT:
        return draw("code", form=form, back=url_for("me.prove")), 422
    with transaction() as ctx:
        sign_in.close(ctx, sign_in.proved_row(ctx, after.pending))
        sessions.prove(ctx, me().session_id)
    session.pop(PROVE, None)
    return redirect(own_path(after.next, url_for("me.data")), 303)


def judge(after: Waiting, purpose: Purpose) -> tuple[CodeForm, Verdict]:
    """Judge a code typed in here; the form comes back with words when it was not right."""
    form = CodeForm()
    row = sign_in.pending_row(context(), after.pending)
    if not form.validate_on_submit() or row is None or row.purpose != purpose:
        if not form.code.errors:
            form.code.errors = [error_words("code_expired")]
        return form, Verdict.EXPIRED
    try:
        with transaction() as ctx:
            sign_in.spend_code_try(ctx, entrance.place(me().token))
        with transaction() as ctx:
            verdict = sign_in.try_code(ctx, after.pending, form.code.data or "")
    except RateLimited as error:
        say_limited(form.code, error)
        return form, Verdict.EXPIRED
    if verdict is not Verdict.RIGHT:
        form.code.errors = [error_words(f"code_{verdict}")]
    return form, verdict
