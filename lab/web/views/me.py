"""My things: what I said and follow, where I am signed in, my data, and leaving."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import refresh
from flask_login import logout_user
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Denied, Invalid, RateLimited
from lab.kernel.text import excerpt
from lab.models.accounts import MailRhythm
from lab.models.contributions import Contribution
from lab.policy.permissions import Permission
from lab.services import accounts, overview, privacy, sessions, sign_in
from lab.services.sign_in import Ask, Purpose, Verdict
from lab.web import entrance, filo
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.entrance import Waiting
from lab.web.forms.accounts import CodeForm, NewEmailForm, NewPasswordForm, PasswordForm
from lab.web.forms.base import CreatingForm, LabForm, refuse
from lab.web.forms.me import EraseForm, PreferencesForm
from lab.web.i18n import COOKIE
from lab.web.labels import error_words
from lab.web.nav import NavItem
from lab.web.own_paths import own_path
from lab.web.pagination import decode_key, encode_key, page_url
from lab.web.reader import Reader, reader
from lab.web.views.accounts import Answer, say_limited

blueprint = Blueprint("me", __name__, url_prefix="/io")
_TITLE = 90
PROVE, EMAIL = "prove", "email"


def me() -> Reader:
    """The reader of these pages, who is always signed in."""
    found = reader()
    assert found is not None
    return found


def own_tabs() -> list[NavItem]:
    """The tabs over all my pages."""
    here = request.endpoint or ""
    items = [
        (_("Le mie cose"), "me.index", ()),
        (_("Iscrizioni"), "tickets.mine", ()),
        (_("Novità"), "notifications.index", ()),
        (_("I miei dati"), "me.data", ("me.password", "me.email", "me.leave", "me.email_code")),
        (_("Dove sono entrato"), "me.accesses", ()),
    ]
    return [
        NavItem(
            words,
            url_for(name),
            here == name or here in more,
            me().unread if name == "notifications.index" else None,
        )
        for words, name, more in items
    ]


def draw(template: str, **values: Any) -> str:
    """A page of mine, with the tabs."""
    return render_template(f"pages/me/{template}.html", tabs=own_tabs(), rate=False, me=me(), **values)


# --- what I said and follow


@dataclass(frozen=True)
class Followed:
    """One line of what I follow."""

    title: str
    url: str
    state: Any
    kind: str


@blueprint.get("", strict_slashes=False)
@allow(Permission.ACCOUNT_SELF)
def index() -> Answer:
    """Everything of mine at a glance."""
    ctx = context()
    mark = decode_key(request.args.get("after"), 2)
    found = overview.said_by_me(ctx, _before(mark))
    more = len(found) > overview.PAGE
    last = found[overview.PAGE - 1] if more else None
    return draw(
        "index",
        said=[_card(item) for item in found[: overview.PAGE]],
        next_url=page_url(after=encode_key(last.created_at.isoformat(), last.id)) if last else None,
        prev_url=url_for("me.index") if mark else None,
        follows=[] if mark else [_followed(row) for row in overview.followed(ctx)],
        leave=LabForm(),
    )


def _before(mark: list[Any] | None) -> tuple[datetime, int] | None:
    try:
        if mark and isinstance(mark[1], int):
            at = datetime.fromisoformat(str(mark[0]))
            return (at, mark[1]) if at.tzinfo else None
    except ValueError:
        pass
    return None


def _card(one: Contribution) -> dict[str, Any]:
    ctx = context()
    stops, here = filo.stops(one.state)
    return {
        "url": url_for("proposals.show", code=one.code),
        "title": one.title or excerpt(one.text, _TITLE),
        "excerpt": one.excerpt if one.title else None,
        "lang": one.lang,
        "state": one.state,
        "visibility": one.visibility,
        "place": one.place.name if one.place else None,
        "theme": one.theme.name if one.theme else None,
        "supports": one.supports_count,
        "comments": one.comments_count,
        "office": one.office.name if one.office and one.is_open else None,
        "due": one.promise_due_at if one.is_open else None,
        "late": one.is_open and one.promise_due_at < ctx.now,
        "date": one.created_at,
        "filo": stops,
        "filo_at": here,
        "receipt": one.receipt_code,
    }


def _followed(row: Any) -> Followed:
    _follow, said, action, project = row
    if said is not None:
        words = said.title or excerpt(said.text, _TITLE)
        return Followed(words, url_for("proposals.show", code=said.code), said.state, _("Proposta"))
    if action is not None:
        return Followed(action.title, url_for("actions.show", code=action.code), action.state, _("Azione"))
    return Followed(project.title, url_for("projects.show", code=project.code), project.state, _("Progetto"))


# --- where I am signed in


@blueprint.get("/accessi")
@allow(Permission.ACCOUNT_SELF)
def accesses() -> Answer:
    """The browsers in which I am signed in."""
    return draw("accesses", sessions=sessions.mine(context()), form=LabForm())


@blueprint.post("/accessi/<int:session_id>/chiudi")
@allow(Permission.ACCOUNT_SELF)
def end_access(session_id: int) -> Answer:
    """Close one of them; the one in use goes out through the door."""
    if session_id == me().session_id:
        return redirect(url_for("accounts.leave"), 303)
    with transaction() as ctx:
        sessions.end(ctx, session_id)
    flash(_("Accesso chiuso."), "success")
    return redirect(url_for("me.accesses"), 303)


@blueprint.post("/accessi/chiudi")
@allow(Permission.ACCOUNT_SELF)
def end_others() -> Answer:
    """Close all but this one."""
    with transaction() as ctx:
        sessions.end_all(ctx, me().person_id, but=me().session_id)
    flash(_("Gli altri accessi sono chiusi. Resti dentro solo qui."), "success")
    return redirect(url_for("me.accesses"), 303)


# --- my data


@blueprint.get("/dati")
@allow(Permission.ACCOUNT_SELF)
def data() -> Answer:
    """Name, language, mail; and the ways to everything else."""
    person = privacy.by_id(context(), me().person_id)
    form = PreferencesForm(formdata=None, obj=person).offer(lab().settings.locales)
    form.mail_rhythm.data = person.mail_rhythm.value
    return _draw_data(form)


def _draw_data(form: PreferencesForm) -> str:
    ctx = context()
    person = privacy.by_id(ctx, me().person_id)
    return draw("data", form=form, person=person, has_password=accounts.has_password(ctx, person.id))


@blueprint.post("/dati")
@allow(Permission.ACCOUNT_SELF)
def save_data() -> Answer:
    """Keep name, language and rhythm."""
    form = PreferencesForm().offer(lab().settings.locales)
    try:
        if not form.validate_on_submit():
            return _draw_data(form), 422
        rhythm = MailRhythm(form.mail_rhythm.data)
        wanted = accounts.Preferences(form.name.data or "", form.locale.data, rhythm)
        with transaction() as ctx:
            accounts.save_preferences(ctx, wanted)
    except Invalid as error:
        refuse(form, error)
        return _draw_data(form), 422
    refresh()
    flash(_("Salvato."), "success")
    answer = redirect(url_for("me.data"), 303)
    answer.set_cookie(COOKIE, wanted.locale, max_age=31536000, path="/", samesite="Lax")
    return answer


@blueprint.get("/scarica")
@allow(Permission.ACCOUNT_SELF)
def download() -> Answer:
    """A copy of everything kept about me."""
    body = json.dumps(privacy.copy_of(context()), ensure_ascii=False, indent=1)
    answer = Response(body, content_type="application/json; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="i-miei-dati.json"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


# --- showing again who I am


def proved() -> bool:
    """Whether the person has shown who they are a short while ago."""
    return sessions.is_proved(context(), me().session_id)


def ask_proof() -> Response:
    """To the page that asks, and back here."""
    return redirect(url_for("me.prove", next=request.path), 303)


@blueprint.get("/conferma")
@allow(Permission.ACCOUNT_SELF)
def prove() -> Answer:
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
def prove_by_password() -> Answer:
    """With the password."""
    form = PasswordForm()
    email = privacy.by_id(context(), me().person_id).email or str(me().person_id)
    try:
        if not form.validate_on_submit():
            return _draw_proof(form), 422
        with transaction() as ctx:
            sign_in.spend_password_try(ctx, email, entrance.address(), trusted=me().token)
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
def send_proof() -> Answer:
    """With a code to the address we know."""
    person = privacy.by_id(context(), me().person_id)
    if not person.email or not person.email_verified_at:
        return redirect(url_for("me.prove"), 303)
    key = request.form.get("idempotency_key", "")[:64]
    pending = entrance.pending_for(key, Purpose.PROVE, person.email)
    what = Ask(Purpose.PROVE, person.email, pending, person_id=person.id)
    with transaction() as ctx:
        sign_in.spend_code_ask(ctx, what.email, entrance.address(), trusted=me().token)
    with transaction() as ctx:
        sign_in.ask(ctx, what)
    entrance.wait(PROVE, Waiting(pending, own_path(request.form.get("next"), "")))
    return redirect(url_for("me.prove_code"), 303)


@blueprint.get("/conferma/codice")
@allow(Permission.ACCOUNT_SELF)
def prove_code() -> Answer:
    """Where that code is typed in."""
    if entrance.waiting(PROVE) is None:
        return redirect(url_for("me.prove"), 303)
    return draw("code", form=CodeForm(formdata=None), back=url_for("me.prove"))


@blueprint.post("/conferma/codice")
@allow(Permission.ACCOUNT_SELF)
def check_proof_code() -> Answer:
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
            sign_in.spend_code_try(ctx, entrance.address())
        with transaction() as ctx:
            verdict = sign_in.try_code(ctx, after.pending, form.code.data or "")
    except RateLimited as error:
        say_limited(form.code, error)
        return form, Verdict.EXPIRED
    if verdict is not Verdict.RIGHT:
        form.code.errors = [error_words(f"code_{verdict}")]
    return form, verdict


# --- password, address, leaving: all ask first who one is


@blueprint.get("/password")
@allow(Permission.ACCOUNT_SELF)
def password() -> Answer:
    """A new password."""
    if not proved():
        return ask_proof()
    return draw("password", form=NewPasswordForm(formdata=None))


@blueprint.post("/password")
@allow(Permission.ACCOUNT_SELF)
def save_password() -> Answer:
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
def email() -> Answer:
    """Another address."""
    if not proved():
        return ask_proof()
    return draw("email", form=NewEmailForm(formdata=None))


@blueprint.post("/email")
@allow(Permission.ACCOUNT_SELF)
def send_email_code() -> Answer:
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
            sign_in.spend_code_ask(ctx, address, entrance.address(), trusted=me().token)
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
def email_code() -> Answer:
    """Where the code from the new address is typed in."""
    if entrance.waiting(EMAIL) is None:
        return redirect(url_for("me.email"), 303)
    return draw("code", form=CodeForm(formdata=None), back=url_for("me.email"))


@blueprint.post("/email/codice")
@allow(Permission.ACCOUNT_SELF)
def save_email() -> Answer:
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
def leave() -> Answer:
    """What happens when somebody leaves for good."""
    if not proved():
        return ask_proof()
    return draw("leave", form=EraseForm(formdata=None))


@blueprint.post("/cancella")
@allow(Permission.ACCOUNT_SELF)
def erase() -> Answer:
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
        form.form_errors.append(error_words(error.reason))
        return draw("leave", form=form), 409
    logout_user()
    session.clear()
    return entrance.forget(redirect(url_for("accounts.leave"), 303), cookies=True)
