"""The staff's page on people: writing down, finding, cards, functions, shutting out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from lab.kernel.errors import Conflict, Denied, Invalid
from lab.kernel.text import clean_line
from lab.models.accounts import Role
from lab.policy.permissions import Permission
from lab.services import accounts, cards, directory, people, privacy, roles
from lab.services.terms import today
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.forms.base import LabForm, refuse
from lab.web.forms.people import BlockForm, EndRoleForm, IssueCardForm, PersonForm, RoleForm
from lab.web.labels import error_words
from lab.web.numbers import whole
from lab.web.pagination import decode_key, encode_key, page_url
from lab.web.qr import qr_svg

blueprint = Blueprint("people", __name__, url_prefix="/regia/persone")
#: In the staff member's own browser until the next card: person and token, to print the sheet again.
_CARD = "card"


@blueprint.get("", strict_slashes=False)
@allow(Permission.PERSON_REGISTER)
def index() -> ResponseReturnValue:
    """Find somebody."""
    ctx = context()
    words = clean_line(request.args.get("q", ""), 100)
    mark = decode_key(request.args.get("after"), 1)
    before = mark[0] if mark and isinstance(mark[0], int) else None
    only_staff = request.args.get("incarico") == "si"
    found = people.search(ctx, words, before, only_staff=only_staff)
    shown = found[: people.PAGE]
    more = len(found) > people.PAGE
    return render_template(
        "pages/people/index.html",
        people=shown,
        roles=roles.of_people(ctx, [person.id for person in shown]),
        today=today(ctx),
        q=words,
        only_staff=only_staff,
        next_url=page_url(after=encode_key(shown[-1].id)) if more else None,
        prev_url=page_url(after=None) if before else None,
    )


@blueprint.get("/nuova")
@allow(Permission.PERSON_REGISTER)
def new() -> ResponseReturnValue:
    """Write somebody down."""
    form = PersonForm(formdata=None).offer(lab().settings.locales)
    return render_template("pages/people/new.html", form=form, person=None)


@blueprint.post("/nuova")
@allow(Permission.PERSON_REGISTER)
def register() -> ResponseReturnValue:
    """Keep them; the card is one touch away."""
    form = PersonForm().offer(lab().settings.locales)
    try:
        if form.validate_on_submit():
            with transaction() as ctx:
                person = people.register(ctx, _typed(form))
            flash(_("%(name)s è nell'elenco. Ora puoi fare la carta.", name=person.name), "success")
            return redirect(url_for("people.show", person_id=person.id), 303)
    except Invalid as error:
        refuse(form, error)
    return render_template("pages/people/new.html", form=form, person=None), 422


def _typed(form: PersonForm) -> people.Register:
    return people.Register(
        name=form.name.data or "",
        locale=form.locale.data,
        postal=form.postal.data or "",
        phone=form.phone.data or "",
        email=form.email.data or "",
    )


@blueprint.get("/<int:person_id>")
@allow(Permission.PERSON_REGISTER)
def show(person_id: int) -> ResponseReturnValue:
    """Everything about one person that the desk needs."""
    return _draw(person_id)


def _draw(person_id: int, **forms: Any) -> str:
    ctx = context()
    person = people.one(ctx, person_id)
    values: dict[str, Any] = {
        "role_form": _role_form(RoleForm(formdata=None, starts_on=today(ctx))),
        "end_form": EndRoleForm(formdata=None),
        "block_form": BlockForm(formdata=None),
        "problem": None,
    }
    values.update(forms)
    return render_template(
        "pages/people/show.html",
        person=person,
        account=accounts.of(ctx, person_id),
        card=cards.living(ctx, person_id),
        card_form=IssueCardForm(formdata=None),
        said=people.said(ctx, person_id),
        grants=roles.of_people(ctx, [person_id])[person_id],
        today=today(ctx),
        **values,
    )


def _role_form(form: RoleForm) -> RoleForm:
    ctx = context()
    return form.offer(directory.offices(ctx), directory.bodies(ctx))


@blueprint.get("/<int:person_id>/cambia")
@allow(Permission.PERSON_REGISTER)
def edit(person_id: int) -> ResponseReturnValue:
    """Correct what the desk wrote down."""
    person = people.one(context(), person_id)
    form = PersonForm(formdata=None, obj=person).offer(lab().settings.locales)
    return render_template("pages/people/new.html", form=form, person=person)


@blueprint.post("/<int:person_id>/cambia")
@allow(Permission.PERSON_REGISTER)
def save(person_id: int) -> ResponseReturnValue:
    """Keep the correction."""
    person = people.one(context(), person_id)
    form = PersonForm().offer(lab().settings.locales)
    try:
        if form.validate_on_submit():
            with transaction() as ctx:
                people.change(ctx, person_id, _typed(form))
            flash(_("Salvato."), "success")
            return redirect(url_for("people.show", person_id=person_id), 303)
    except (Invalid, Denied) as error:
        refuse(form, error)
    return render_template("pages/people/new.html", form=form, person=person), 422


# --- cards


@blueprint.post("/<int:person_id>/carta")
@allow(Permission.CARD_ISSUE)
def issue_card(person_id: int) -> ResponseReturnValue:
    """Make a card, or replace the one there is."""
    form = IssueCardForm()
    replaces = whole(form.replaces.data)
    if not form.validate_on_submit():
        return _draw(person_id), 422
    try:
        with transaction() as ctx:
            made = cards.issue(ctx, cards.IssueCard(person_id, replaces))
    except Conflict as error:
        if error.code == "changed_meanwhile":
            # The second click of two: the first has made the card.
            return redirect(url_for("people.card", person_id=person_id), 303)
        return _draw(person_id, problem=error_words(error.code)), 409
    session[_CARD] = [person_id, made.token]
    return redirect(url_for("people.card", person_id=person_id), 303)


@blueprint.get("/<int:person_id>/carta")
@allow(Permission.CARD_ISSUE)
def card(person_id: int) -> ResponseReturnValue:
    """The sheet to print; only in the browser that made the card, since afterwards nobody knows its token."""
    person = people.one(context(), person_id)
    kept = session.get(_CARD) or [None, ""]
    if kept[0] != person_id or not cards.is_good(context(), person_id, str(kept[1])):
        return render_template("pages/people/card_gone.html", person=person)
    url = lab().settings.base_url + url_for("accounts.card", token=kept[1])
    return render_template("pages/people/card.html", person=person, qr=qr_svg(url))


@blueprint.post("/<int:person_id>/carta/ferma")
@allow(Permission.CARD_ISSUE)
def revoke_card(person_id: int) -> ResponseReturnValue:
    """The card is lost."""
    with transaction() as ctx:
        cards.revoke(ctx, person_id)
    session.pop(_CARD, None)
    flash(_("La carta è ferma: non fa più entrare nessuno."), "success")
    return redirect(url_for("people.show", person_id=person_id), 303)


# --- functions


@blueprint.post("/<int:person_id>/incarichi")
@allow(Permission.ROLE_GRANT)
def give_role(person_id: int) -> ResponseReturnValue:
    """Give a function."""
    form = _role_form(RoleForm())
    try:
        if not form.validate_on_submit() or form.starts_on.data is None:
            return _draw(person_id, role_form=form), 422
        command = roles.GiveRole(
            person_id, Role(form.role.data), form.starts_on.data, form.ends_on.data,
            int(form.office_id.data or 0) or None, int(form.body_id.data or 0) or None,
            form.seat_code.data or "",
        )  # fmt: skip
        with transaction() as ctx:
            roles.give(ctx, command)
    except (Invalid, Conflict) as error:
        status = refuse(form, error)
        return _draw(person_id, role_form=form), status
    flash(_("Incarico dato. La persona deve entrare di nuovo."), "success")
    return redirect(url_for("people.show", person_id=person_id), 303)


@blueprint.post("/<int:person_id>/incarichi/<int:grant_id>/fine")
@allow(Permission.ROLE_GRANT)
def end_role(person_id: int, grant_id: int) -> ResponseReturnValue:
    """End one."""
    form = EndRoleForm()
    try:
        if not form.validate_on_submit():
            raise Invalid("last_day", "bad_date")
        with transaction() as ctx:
            roles.end(ctx, roles.EndRole(grant_id, form.last_day.data))
    except (Invalid, Conflict, Denied) as error:
        code = error.reason if isinstance(error, Denied) else error.code
        return _draw(person_id, end_form=form, problem=error_words(code)), 409
    flash(_("L'incarico finisce. La persona deve entrare di nuovo."), "success")
    return redirect(url_for("people.show", person_id=person_id), 303)


@blueprint.post("/<int:person_id>/password")
@allow(Permission.ROLE_GRANT)
def take_password_away(person_id: int) -> ResponseReturnValue:
    """Make them choose a new one by mail."""
    with transaction() as ctx:
        accounts.take_password_away(ctx, person_id)
    flash(_("Fatto: ora la persona può scegliere una nuova password dalla pagina Accedi."), "success")
    return redirect(url_for("people.show", person_id=person_id), 303)


@blueprint.post("/<int:person_id>/cancella")
@allow(Permission.ROLE_GRANT)
def erase(person_id: int) -> ResponseReturnValue:
    """On the person's wish: name and contact vanish."""
    if not LabForm().validate_on_submit():
        return _draw(person_id), 422
    try:
        with transaction() as ctx:
            privacy.erase(ctx, person_id)
    except Denied as error:
        return _draw(person_id, problem=error_words(error.reason)), 409
    flash(_("Nome e contatti sono spariti. Le parole restano, senza nome."), "success")
    return redirect(url_for("people.index"), 303)


# --- shutting out


@blueprint.post("/<int:person_id>/chiudi")
@allow(Permission.PERSON_BLOCK)
def block(person_id: int) -> ResponseReturnValue:
    """Shut somebody out, with the reason they are told."""
    return _block(person_id, out=True)


@blueprint.post("/<int:person_id>/apri")
@allow(Permission.PERSON_BLOCK)
def unblock(person_id: int) -> ResponseReturnValue:
    """Let them in again."""
    return _block(person_id, out=False)


def _block(person_id: int, *, out: bool) -> ResponseReturnValue:
    form = BlockForm()
    try:
        if not form.validate_on_submit():
            return _draw(person_id, block_form=form), 422
        command = people.Block(person_id, form.reason.data or "")
        with transaction() as ctx:
            (people.block if out else people.unblock)(ctx, command)
    except (Invalid, Denied) as error:
        status = refuse(form, error)
        return _draw(person_id, block_form=form), status
    flash(_("Accesso chiuso. Abbiamo detto il perché.") if out else _("Accesso di nuovo aperto."), "success")
    return redirect(url_for("people.show", person_id=person_id), 303)
