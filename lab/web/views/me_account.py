"""A new password, another address, leaving for good: all ask first who one is."""

from __future__ import annotations

from flask import flash, redirect, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import logout_user

from lab.kernel.errors import Conflict, Denied, Invalid, RateLimited
from lab.policy.permissions import Permission
from lab.services import accounts, privacy, sign_in
from lab.services.sign_in import Purpose, Verdict
from lab.web import entrance
from lab.web.access import allow
from lab.web.app_state import context, transaction
from lab.web.entrance import Waiting
from lab.web.forms.accounts import CodeForm, NewEmailForm, NewPasswordForm
from lab.web.forms.base import refuse, say_limited
from lab.web.forms.me import EraseForm
from lab.web.i18n import language
from lab.web.labels import error_words
from lab.web.own_pages import draw, me
from lab.web.views.me import blueprint
from lab.web.views.me_proof import ask_proof, judge, proved

#: What the session calls a code to a new address that waits to be typed in.
EMAIL = "email"


@blueprint.get("/password")
@allow(Permission.ACCOUNT_SELF)
def password() -> ResponseReturnValue:
    """A new password."""
    if not proved():
        return ask_proof()
    return draw("password", form=NewPasswordForm(formdata=None))


@blueprint.post("/password")
@allow(Permission.ACCOUNT_SELF)
def save_password() -> ResponseReturnValue:
    """Keep it; the other browsers are signed out."""
    form = NewPasswordForm()
    person = privacy.by_id(context(), me().person_id)
    try:
        if not person.email_verified_at:
            raise Invalid("new_password", "email_first")
        if not form.validate_on_submit():
            return draw("password", form=form), 422
        sealed = accounts.seal_password(form.new_password.data or "", person.name, person.email or "")
        with transaction() as ctx:
            accounts.change_password(ctx, me().session_id, sealed)
    except Invalid as error:
        form.new_password.errors = [error_words(error.code)]
        return draw("password", form=form), 422
    except Denied:
        return ask_proof()
    flash(_("La nuova password vale da adesso. Gli altri accessi sono chiusi."), "success")
    return redirect(url_for("me.data"), 303)


@blueprint.get("/email")
@allow(Permission.ACCOUNT_SELF)
def email() -> ResponseReturnValue:
    """Another address."""
    if not proved():
        return ask_proof()
    return draw("email", form=NewEmailForm(formdata=None))


@blueprint.post("/email")
@allow(Permission.ACCOUNT_SELF)
def send_email_code() -> ResponseReturnValue:
    """A code to the new one; the answer is the same when it belongs to somebody else."""
    form = NewEmailForm()
    try:
        if not form.validate_on_submit():
            return draw("email", form=form), 422
        address = sign_in.clean_email(form.email.data or "")
        if address == privacy.by_id(context(), me().person_id).email:
            raise Invalid("email", "same_email")
        pending = entrance.pending_for(form.idempotency_key.data or "", Purpose.EMAIL, address)
        with transaction() as ctx:
            # Counted for the person: another session is no way to more mails to somebody else's address.
            sign_in.spend_code_ask(ctx, address, entrance.address(), trusted=f"person {me().person_id}")
        with transaction() as ctx:
            accounts.ask_new_email(ctx, me().session_id, address, pending)
    except Invalid as error:
        refuse(form, error)
        return draw("email", form=form), 422
    except RateLimited as error:
        headers = say_limited(form.email, error)
        return draw("email", form=form), 429, headers
    except Denied:
        return ask_proof()
    entrance.wait(EMAIL, Waiting(pending))
    return redirect(url_for("me.email_code"), 303)


@blueprint.get("/email/codice")
@allow(Permission.ACCOUNT_SELF)
def email_code() -> ResponseReturnValue:
    """Where the code from the new address is typed in."""
    if entrance.waiting(EMAIL) is None:
        return redirect(url_for("me.email"), 303)
    return draw("code", form=CodeForm(formdata=None), back=url_for("me.email"))


@blueprint.post("/email/codice")
@allow(Permission.ACCOUNT_SELF)
def save_email() -> ResponseReturnValue:
    """The address is proved: it counts from now."""
    after = entrance.waiting(EMAIL)
    if after is None:
        return redirect(url_for("me.email"), 303)
    form, verdict = judge(after, Purpose.EMAIL)
    if verdict is Verdict.RIGHT:
        try:
            with transaction() as ctx:
                accounts.finish_new_email(ctx, me().session_id, after.pending)
        except (Conflict, Denied) as error:
            form.code.errors = [error_words(error.code if isinstance(error, Conflict) else error.reason)]
    if form.code.errors:
        return draw("code", form=form, back=url_for("me.email")), 422
    session.pop(EMAIL, None)
    flash(_("Da adesso ti scriviamo al nuovo indirizzo."), "success")
    return redirect(url_for("me.data"), 303)


@blueprint.get("/cancella")
@allow(Permission.ACCOUNT_SELF)
def leave() -> ResponseReturnValue:
    """What happens when somebody leaves for good."""
    if not proved():
        return ask_proof()
    return draw("leave", form=EraseForm(formdata=None))


@blueprint.post("/cancella")
@allow(Permission.ACCOUNT_SELF)
def erase() -> ResponseReturnValue:
    """Name and contact vanish; words stay."""
    form = EraseForm()
    if not form.validate_on_submit():
        return draw("leave", form=form), 422
    try:
        with transaction() as ctx:
            privacy.erase_own(ctx, me().session_id)
    except Denied as error:
        if error.reason == "prove_first":
            return ask_proof()
        refuse(form, error)
        return draw("leave", form=form), 409
    logout_user()
    session.clear()
    # The browser forgets the language too: the last page says it once more.
    bye = url_for("accounts.leave", cancellato=1, lang=language())
    return entrance.forget(redirect(bye, 303), cookies=True)
