"""Passwords on the way in: staff give theirs after the code, who forgot it chooses a new one."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lab.kernel.errors import Denied, Invalid, RateLimited
from lab.services import accounts, sign_in
from lab.services.sign_in import Purpose
from lab.web import entrance
from lab.web.access import public
from lab.web.app_state import context, transaction
from lab.web.entrance import Waiting
from lab.web.forms.accounts import NewPasswordForm, PasswordForm, RecoverForm
from lab.web.forms.base import refuse, say_limited
from lab.web.labels import error_words
from lab.web.views.accounts import ENTRY, blueprint, go_on, send_code


@blueprint.get("/accedi/password")
@public
def password() -> ResponseReturnValue:
    """Staff give the password too."""
    if entrance.waiting(ENTRY) is None:
        return redirect(url_for("accounts.sign_in"), 303)
    return render_template("pages/accounts/password.html", form=PasswordForm(formdata=None))


@blueprint.post("/accedi/password")
@public
def check_password() -> ResponseReturnValue:
    """The password after the code."""
    form = PasswordForm()
    after = entrance.waiting(ENTRY)
    row = sign_in.pending_row(context(), after.pending) if after else None
    if after is None or row is None or row.used_at is None:
        return redirect(url_for("accounts.sign_in"), 303)
    try:
        if not form.validate_on_submit():
            raise Invalid("password", "password_missing")
        with transaction() as ctx:
            place = entrance.place(entrance.trusted(row.email))
            sign_in.spend_password_try(ctx, row.email, place, trusted=after.pending)
        proof = sign_in.check_password(context(), row.email, form.password.data or "")
        if proof is None:
            raise Invalid("password", "wrong_password")
        with transaction() as ctx:
            entry = sign_in.enter_after_code(ctx, after.pending, proof, entrance.this_browser(after.shared))
        return go_on(entry, after, row.email)
    except (Invalid, Denied) as error:
        words = error_words(error.code if isinstance(error, Invalid) else error.reason)
        form.password.errors = [words]
        return render_template("pages/accounts/password.html", form=form), 422
    except RateLimited as error:
        headers = say_limited(form.password, error)
        return render_template("pages/accounts/password.html", form=form), 429, headers


@blueprint.get("/recupera")
@public
def recover() -> ResponseReturnValue:
    """Somebody forgot the password."""
    entrance.prepare()
    return render_template("pages/accounts/recover.html", form=RecoverForm(formdata=None))


@blueprint.post("/recupera")
@public
def send_recovery() -> ResponseReturnValue:
    """A code for whoever owns the address."""
    form = RecoverForm()
    try:
        if form.validate_on_submit():
            email = sign_in.clean_email(form.email.data or "")
            return send_code(form, Purpose.RECOVER, email, Waiting(""))
    except Invalid as error:
        refuse(form, error)
    except RateLimited as error:
        headers = say_limited(form.email, error)
        return render_template("pages/accounts/recover.html", form=form), 429, headers
    return render_template("pages/accounts/recover.html", form=form), 422


@blueprint.get("/recupera/password")
@public
def new_password() -> ResponseReturnValue:
    """After the code: the new password."""
    if entrance.waiting(ENTRY) is None:
        return redirect(url_for("accounts.recover"), 303)
    return render_template("pages/accounts/new_password.html", form=NewPasswordForm(formdata=None))


@blueprint.post("/recupera/password")
@public
def store_password() -> ResponseReturnValue:
    """Keep it, end every session, begin one."""
    form = NewPasswordForm()
    after = entrance.waiting(ENTRY)
    row = sign_in.pending_row(context(), after.pending) if after else None
    if after is None or row is None:
        return redirect(url_for("accounts.recover"), 303)
    try:
        if not form.validate_on_submit():
            raise Invalid("new_password", "password_missing")
        sealed = accounts.seal_password(
            form.new_password.data or "", row.email, *accounts.names_of(context(), row)
        )
        with transaction() as ctx:
            browser = entrance.this_browser(after.shared)
            entry = accounts.set_password_after_code(ctx, after.pending, sealed, browser)
    except (Invalid, Denied) as error:
        form.new_password.errors = [error_words(error.code if isinstance(error, Invalid) else error.reason)]
        return render_template("pages/accounts/new_password.html", form=form), 422
    answer = go_on(entry, after, row.email)
    flash(_("La nuova password vale da adesso. Gli altri accessi sono chiusi."), "success")
    return answer
