"""Joining, signing in and out, codes, cards, and going on with a form that waited."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import logout_user
from werkzeug.wrappers import Response

from lab.kernel.errors import Denied, Invalid, RateLimited
from lab.services import accounts, cards, sessions, sign_in, site
from lab.services.sign_in import Ask, Entry, Need, Purpose, Verdict
from lab.web import entrance, held
from lab.web.access import public
from lab.web.app_state import context, lab, transaction
from lab.web.entrance import Waiting
from lab.web.forms.accounts import CardForm, CodeForm, JoinForm, RecoverForm, SignInForm
from lab.web.forms.base import LabForm, refuse, say_limited
from lab.web.labels import error_words
from lab.web.own_paths import own_path
from lab.web.reader import reader
from lab.web.views import say

blueprint = Blueprint("accounts", __name__)

ENTRY = "entry"


def wish() -> str:
    """The own path to go to afterwards, from the address or the form; "" for none."""
    return own_path(request.values.get("next"), "")


# --- signing in


@blueprint.get("/accedi", endpoint="sign_in")
@public
def sign_in_page() -> ResponseReturnValue:
    """The door; who is inside already goes on."""
    found = reader()
    if found is not None:
        return redirect(entrance.destination(found, wish()), 303)
    entrance.prepare()
    return _draw_sign_in(SignInForm(formdata=None))


def _draw_sign_in(form: SignInForm) -> str:
    return render_template(
        "pages/accounts/sign_in.html",
        form=form,
        next=wish(),
        demo=[] if lab().settings.is_production else site.demo_accounts(context()),
        waiting=wish().startswith(url_for("accounts.resume")),
    )


@blueprint.post("/accedi")
@public
def enter() -> ResponseReturnValue:
    """With a password, or with a code by mail."""
    form = SignInForm()
    by_code = request.form.get("by") == "code"
    if not form.validate_on_submit():
        return _draw_sign_in(form), 422
    try:
        email = sign_in.clean_email(form.email.data or "")
        return _send_sign_in_code(form, email) if by_code else _try_password(form, email)
    except RateLimited as error:
        headers = say_limited(form.email if by_code else form.password, error)
        return _draw_sign_in(form), 429, headers
    except (Invalid, Denied) as error:
        status = refuse(form, error)
        return _draw_sign_in(form), status


def _send_sign_in_code(form: SignInForm, email: str) -> Response:
    return send_code(form, Purpose.SIGN_IN, email, Waiting("", wish(), bool(form.shared.data)))


def send_code(
    form: SignInForm | JoinForm | RecoverForm, purpose: Purpose, email: str, after: Waiting
) -> Response:
    """Spend, ask, wait: the same steps for every address."""
    pending = entrance.pending_for(form.idempotency_key.data or "", purpose, email)
    trusted = entrance.trusted(email)
    with transaction() as ctx:
        sign_in.spend_code_ask(ctx, email, entrance.place(trusted), trusted=trusted)
    with transaction() as ctx:
        sign_in.ask(ctx, Ask(purpose, email, pending))
    entrance.wait(ENTRY, Waiting(pending, after.next, after.shared))
    return redirect(url_for("accounts.code"), 303)


def _try_password(form: SignInForm, email: str) -> Response:
    if not form.password.data:
        raise Invalid("password", "password_missing")
    trusted = entrance.trusted(email)
    with transaction() as ctx:
        sign_in.spend_password_try(ctx, email, entrance.place(trusted), trusted=trusted)
    proof = sign_in.check_password(context(), email, form.password.data)
    if proof is None:
        raise Invalid("password", "wrong_password")
    if sign_in.needs_second(context(), proof.person_id):
        with transaction() as ctx:
            sign_in.spend_second(ctx, proof, trusted=trusted)
    pending = entrance.pending_for(form.idempotency_key.data or "", Purpose.SECOND, email)
    shared = bool(form.shared.data)
    with transaction() as ctx:
        entry = sign_in.enter_with_password(ctx, proof, pending, entrance.this_browser(shared))
        sign_in.give_back_password_try(ctx, email, entrance.place(trusted), trusted=trusted)
    return go_on(entry, Waiting(pending, wish(), shared), email)


def go_on(entry: Entry, after: Waiting, email: str) -> Response:
    """Into the house, or to what is still missing."""
    if entry.need is Need.NOTHING:
        found = entrance.begin(entry, email, after.shared, after.next)
        if after.next == url_for("proposals.done"):
            say.claim_sent(found)
        return redirect(entrance.destination(found, after.next), 303)
    entrance.wait(ENTRY, after)
    step = {
        Need.CODE: "accounts.code",
        Need.PASSWORD: "accounts.password",
        Need.NEW_PASSWORD: "accounts.new_password",
    }
    return redirect(url_for(step[entry.need]), 303)


# --- the code


@blueprint.get("/accedi/codice")
@public
def code() -> ResponseReturnValue:
    """Where the six digits are typed in."""
    if entrance.waiting(ENTRY) is None:
        return redirect(url_for("accounts.sign_in"), 303)
    return _draw_code(CodeForm(formdata=None))


def _draw_code(form: CodeForm, verdict: Verdict | None = None) -> str:
    after = entrance.waiting(ENTRY)
    row = sign_in.pending_row(context(), after.pending) if after else None
    return render_template(
        "pages/accounts/code.html",
        form=form,
        again=LabForm(),
        email=row.email if row else "",
        purpose=row.purpose if row else Purpose.JOIN,
        verdict=verdict,
        sent_again="nuovo" in request.args and verdict is None,
        after=own_path(after.next if after else "", "/io"),
        mails_wait=lab().settings.smtp is None and not lab().settings.is_production,
    )


@blueprint.post("/accedi/codice")
@public
def check_code() -> ResponseReturnValue:
    """Judge the code; the count of tries is kept whatever comes of it."""
    after = entrance.waiting(ENTRY)
    form = CodeForm()
    if after is None:
        return redirect(url_for("accounts.sign_in"), 303)
    if not form.validate_on_submit():
        return _draw_code(form), 422
    try:
        row = sign_in.pending_row(context(), after.pending)
        with transaction() as ctx:
            sign_in.spend_code_try(ctx, entrance.place(entrance.trusted(row.email) if row else ""))
        verdict, entry, email = _judge(after, form.code.data or "")
    except RateLimited as error:
        headers = say_limited(form.code, error)
        return _draw_code(form), 429, headers
    except Denied as error:
        form.code.errors = [error_words(error.reason)]
        return _draw_code(form), 403
    if entry is not None:
        return go_on(entry, after, email)
    form.code.errors = [error_words(f"code_{verdict}")]
    return _draw_code(form, verdict), 422


def _judge(after: Waiting, typed: str) -> tuple[Verdict, Entry | None, str]:
    with transaction() as ctx:
        verdict = sign_in.try_code(ctx, after.pending, typed)
        if verdict is not Verdict.RIGHT:
            return verdict, None, ""
        row = sign_in.proved_row(ctx, after.pending)
        entry = accounts.finish_code(ctx, after.pending, entrance.this_browser(after.shared))
        return verdict, entry, row.email


@blueprint.post("/accedi/codice/nuovo")
@public
def new_code() -> ResponseReturnValue:
    """Another mail for the same journey."""
    after = entrance.waiting(ENTRY)
    row = sign_in.pending_row(context(), after.pending) if after else None
    if after is None or row is None:
        return redirect(url_for("accounts.sign_in"), 303)
    purpose = Purpose(row.purpose)
    pending = entrance.pending_for(after.pending, purpose, row.email)
    person_id = row.person_id if purpose is Purpose.SECOND else None
    what = Ask(purpose, row.email, pending, row.name or "", row.password_hash, person_id)
    trusted = entrance.trusted(what.email)
    with transaction() as ctx:
        sign_in.spend_code_ask(ctx, what.email, entrance.place(trusted), trusted=trusted)
    with transaction() as ctx:
        sign_in.ask(ctx, what)
    entrance.wait(ENTRY, Waiting(pending, after.next, after.shared))
    return redirect(url_for("accounts.code", nuovo=1), 303)


# --- joining


@blueprint.get("/registrati")
@public
def join() -> ResponseReturnValue:
    """A name and an address."""
    if reader() is not None:
        return redirect(url_for("me.index"), 303)
    entrance.prepare()
    return render_template("pages/accounts/join.html", form=JoinForm(formdata=None), next=wish())


@blueprint.post("/registrati")
@public
def ask_to_join() -> ResponseReturnValue:
    """Always the same answer, whether the address is known or not."""
    form = JoinForm()
    if not form.validate_on_submit():
        return render_template("pages/accounts/join.html", form=form, next=wish()), 422
    try:
        return _ask_to_join(form)
    except Invalid as error:
        refuse(form, error)
        return render_template("pages/accounts/join.html", form=form, next=wish()), 422
    except RateLimited as error:
        headers = say_limited(form.email, error)
        return render_template("pages/accounts/join.html", form=form, next=wish()), 429, headers


def _ask_to_join(form: JoinForm) -> Response:
    name = accounts.clean_name(form.name.data or "")
    email = sign_in.clean_email(form.email.data or "")
    typed = form.password.data or ""
    if typed:
        accounts.judge_password(typed, name, email)
    pending = entrance.pending_for(form.idempotency_key.data or "", Purpose.JOIN, email)
    if not request.form.get("sito"):
        trusted = entrance.trusted(email)
        with transaction() as ctx:
            sign_in.spend_code_ask(ctx, email, entrance.place(trusted), trusted=trusted)
        # Slow on purpose: only for whom the limits let through.
        sealed = accounts.seal_password(typed, name, email) if typed else None
        with transaction() as ctx:
            accounts.ask_to_join(ctx, accounts.Join(name, email, pending, sealed))
    entrance.wait(ENTRY, Waiting(pending, wish(), bool(form.shared.data)))
    return redirect(url_for("accounts.code"), 303)


# --- leaving


@blueprint.get("/esci")
@public
def leave() -> ResponseReturnValue:
    """Ask once; or, outside already, say so."""
    return render_template("pages/accounts/leave.html", form=LabForm(), erased="cancellato" in request.args)


@blueprint.post("/esci")
@public
def go_out() -> ResponseReturnValue:
    """End the session on the server and tell the browser to forget."""
    found = reader()
    shared = found.shared_device if found else False
    if found is not None:
        with transaction() as ctx:
            sessions.end(ctx, found.session_id)
    logout_user()
    session.clear()
    answer = redirect(url_for("accounts.leave"), 303)
    return entrance.forget(answer, cookies=shared)


# --- going on with a form that waited


@blueprint.get("/riprendi")
@public
def resume() -> ResponseReturnValue:
    """The form that was sent while signed out, ready to be sent again."""
    if reader() is None:
        return redirect(url_for("accounts.sign_in", next=url_for("accounts.resume")), 303)
    kept = held.take_held()
    path, fields = kept if kept else ("", [])
    return render_template("pages/accounts/resume.html", path=path, fields=fields)


# --- cards


@blueprint.get("/carta/<token>")
@public
def card(token: str) -> ResponseReturnValue:
    """Whose card it is, and a button: opening the address changes nothing."""
    person = cards.holder(context(), token[:100])
    form = CardForm(formdata=None)
    return render_template("pages/accounts/card.html", person=person, form=form, found=reader())


@blueprint.post("/carta/<token>")
@public
def enter_with_card(token: str) -> ResponseReturnValue:
    """Sign in with the card."""
    form = CardForm()
    shared = bool(form.shared.data)
    with transaction() as ctx:
        sign_in.spend_code_try(ctx, entrance.address())
    with transaction() as ctx:
        session_token = cards.enter(ctx, token[:100], entrance.this_browser(shared))
    found = entrance.begin(Entry(Need.NOTHING, token=session_token), "", shared)
    return redirect(entrance.destination(found, ""), 303)
