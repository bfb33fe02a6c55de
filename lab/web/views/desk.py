"""The desk: the inbox, one input whole, and every act on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from lab.kernel.errors import Invalid
from lab.models.contributions import Contribution, Kind
from lab.policy.permissions import Permission
from lab.services import desk, merging, moderation, routing, triage
from lab.services.context import Context
from lab.services.desk import Done
from lab.web import desk_list, desk_page, nav
from lab.web.access import allow
from lab.web.app_state import context, transaction
from lab.web.desk_page import Shown, perform
from lab.web.forms import desk as forms
from lab.web.forms.base import refuse
from lab.web.labels import error_words

blueprint = Blueprint("desk", __name__, url_prefix="/regia")


@blueprint.get("")
@allow(Permission.DESK_SEE)
def inbox() -> Shown:
    """What waits, the oldest promise first; to their own page those who answer nothing here."""
    if not context().may(Permission.INBOX_SEE):
        return redirect(nav.desk_start(), 303)
    return _inbox()


def _inbox(form: forms.BulkForm | None = None) -> str:
    ctx = context()
    choices = desk.choices(ctx)
    wish = desk_list.asked(ctx, choices)
    form = form or forms.BulkForm(formdata=None)
    form.offer(choices)
    return render_template(
        "pages/desk/inbox.html",
        wish=wish,
        list=desk_list.listing(ctx, wish, choices),
        tabs=desk_list.tabs(ctx, wish),
        selects=desk_list.selects(ctx, wish, choices),
        empty=desk_list.empty(wish),
        form=form,
        all_chosen="scegli" in request.args,
        waiting=desk.waiting_count(ctx) if desk.sees_all(ctx) else 0,
        sees_all=desk.sees_all(ctx),
        breadcrumb=[(_("Da fare"), None)],
    )


@blueprint.post("/insieme")
@allow(Permission.CONTRIBUTION_ROUTE)
def bulk() -> Shown:
    """One act on all that is ticked; what could not be done is named with its reason."""
    form = forms.BulkForm()
    form.offer(desk.choices(context()))
    chosen = form.versions()
    if not form.validate_on_submit() or not chosen:
        if not chosen:
            form.form_errors.append(_("Scegli prima almeno una proposta dall'elenco."))
        return _inbox(form), 422
    try:
        with transaction() as ctx:
            result = desk.in_bulk(ctx, chosen, _bulk_act(ctx, form))
    except Invalid as error:
        refuse(form, error)
        return _inbox(form), 422
    _tell(result)
    ctx = context()
    return redirect(desk_list.asked(ctx, desk.choices(ctx)).url(), 303)


def _bulk_act(ctx: Context, form: forms.BulkForm) -> Callable[[Contribution, int], Any]:
    acts: dict[str, Callable[[Contribution, int], Any]] = {
        "read": lambda one, version: triage.read(ctx, one.id, version),
        "take": lambda one, version: triage.take(ctx, one.id),
        "theme": lambda one, version: triage.set_theme(ctx, one.id, form.theme.data, version),
        "route": lambda one, version: routing.route(
            ctx, routing.Route(one.id, version, form.office.data or 0, form.due_on.data)
        ),
        **(_bulk_moderation(ctx, form) if ctx.may(Permission.FLAG_SETTLE) else {}),
    }
    if form.act.data not in acts:
        raise Invalid("act", "unknown")
    needed = {"theme": form.theme, "route": form.office}.get(str(form.act.data))
    if needed is not None and needed.data is None:
        raise Invalid(needed.short_name, "choose_first")
    return acts[str(form.act.data)]


def _bulk_moderation(ctx: Context, form: forms.BulkForm) -> dict[str, Callable[[Contribution, int], Any]]:
    """Hiding and restoring: each author is told the one reason and may ask to think again."""
    reason = form.reason.data or ""
    if form.act.data in (moderation.HIDE, moderation.RESTORE):
        # Said once beside the field, not once for each that is ticked.
        moderation.reason_words(reason)

    def hide(one: Contribution, version: int) -> Any:
        return moderation.hide(ctx, moderation.Subject(one.id), reason, version)

    def restore(one: Contribution, version: int) -> Any:
        return moderation.restore(ctx, moderation.Subject(one.id), reason, version)

    return {moderation.HIDE: hide, moderation.RESTORE: restore}


def _tell(result: Done) -> None:
    if result.done:
        words = ngettext("Fatto per una proposta.", "Fatto per %(num)d proposte.", len(result.done))
        flash(words, "success")
    late = [code for code, reason in result.refused if reason == "changed_meanwhile"]
    if late:
        words = ngettext(
            "%(codes)s resta com'era: un collega l'ha appena cambiata. Guardala e scegli di nuovo.",
            "%(codes)s restano com'erano: un collega le ha appena cambiate. Guardale e scegli di nuovo.",
            len(late),
            codes=", ".join(late),
        )
        flash(words, "warning")
    others = [(code, reason) for code, reason in result.refused if code not in late]
    if others:
        why = "; ".join(f"{code}: {str(error_words(reason)).rstrip('.')}" for code, reason in others)
        words = ngettext(
            "Non fatto per una: %(why)s.", "Non fatto per %(num)d: %(why)s.", len(others), why=why
        )
        flash(words, "warning")


@blueprint.get("/<code>")
@allow(Permission.CONTRIBUTION_WORK)
def show(code: str) -> Shown:
    """One input with all that is known of it, beside the list."""
    return desk_page.show(desk_page.page(code))


@blueprint.post("/<code>/letta")
@allow(Permission.CONTRIBUTION_SORT)
def read(code: str) -> Shown:
    """Somebody of the lab has read it: everybody may."""
    form = forms.PlainForm()
    return perform(
        code, form, lambda ctx, one: triage.read(ctx, one, form.version.data), _("Segnata come letta.")
    )


@blueprint.post("/<code>/in-mano")
@allow(Permission.CONTRIBUTION_WORK)
def take(code: str) -> Shown:
    """Take it in hand."""
    over = bool(request.form.get("over"))
    return perform(
        code, forms.PlainForm(), lambda ctx, one: triage.take(ctx, one, over=over), _("Ora l'hai in mano tu.")
    )


@blueprint.post("/<code>/lascia")
@allow(Permission.CONTRIBUTION_WORK)
def let_go(code: str) -> Shown:
    """Give it back to everybody."""
    return perform(code, forms.PlainForm(), triage.let_go, _("L'hai lasciata libera."))


@blueprint.post("/<code>/al-suo-posto")
@allow(Permission.CONTRIBUTION_SORT)
def sort(code: str) -> Shown:
    """What it is, what it is about, where."""
    form = forms.SortForm()

    def run(ctx: Context, one: int) -> Any:
        projects = tuple(form.projects.data or ())
        kind, theme, place = Kind(form.kind.data), form.theme.data, form.place.data
        return triage.sort(ctx, triage.Sort(one, form.version.data, kind, theme, place, projects))

    return perform(code, form, run, _("Messa al suo posto."))


@blueprint.post("/<code>/all-ufficio")
@allow(Permission.CONTRIBUTION_ROUTE)
def route(code: str) -> Shown:
    """Pass it to an office with a day."""
    form = forms.RouteForm()

    def run(ctx: Context, one: int) -> Any:
        wanted = routing.Route(one, form.version.data, form.office.data or 0, form.due_on.data)
        return routing.route(ctx, wanted)

    return perform(code, form, run, _("Passata all'ufficio, che riceve un avviso."))


@blueprint.post("/<code>/riprendi")
@allow(Permission.CONTRIBUTION_ROUTE)
def take_back(code: str) -> Shown:
    """Take it back from the office."""
    form = forms.TakeBackForm()
    return perform(
        code,
        form,
        lambda ctx, one: routing.take_back(ctx, one, form.version.data, form.reason.data or ""),
        _("Ripresa: ora è di nuovo del Laboratorio."),
    )


@blueprint.post("/<code>/rendi")
@allow(Permission.ANSWER_DRAFT)
def give_back(code: str) -> Shown:
    """The office gives it back: it is not theirs, and they see it no more."""
    form, inbox_url = forms.GiveBackForm(), url_for("desk.inbox")
    if routing.gave_back(context(), code):
        return redirect(inbox_url, 303)  # the second of two clicks
    return perform(
        code,
        form,
        lambda ctx, one: routing.give_back(ctx, one, form.version.data, form.reason.data or ""),
        _("Resa al Laboratorio con il tuo motivo: la passa a chi tocca."),
        lambda _one: inbox_url,
    )


@blueprint.post("/<code>/riservata")
@allow(Permission.CONTRIBUTION_KEEP_PRIVATE)
def keep_private(code: str) -> Shown:
    """Keep it out of public, and hand it on."""
    form = forms.PrivateForm()

    def run(ctx: Context, one: int) -> Any:
        return triage.keep_private(
            ctx,
            triage.KeepPrivate(
                one,
                form.version.data,
                form.body.data,
                form.office.data,
                note=form.note.data or "",
                words=form.words.data or "",
            ),
        )

    return perform(code, form, run, _("Ora è riservata: chi l'ha scritta la segue con la sua ricevuta."))


@blueprint.post("/<code>/pubblica")
@allow(Permission.CONTRIBUTION_KEEP_PRIVATE)
def open_up(code: str) -> Shown:
    """Make a private one public after all."""
    form = forms.PlainForm()
    return perform(
        code, form, lambda ctx, one: triage.open_up(ctx, one, form.version.data), _("Ora la leggono tutti.")
    )


@blueprint.post("/<code>/lavoro-insieme")
@allow(Permission.CONTRIBUTION_SORT)
def co_design(code: str) -> Shown:
    """Into co-design, or back."""
    form, on = forms.PlainForm(), request.form.get("on") == "1"
    return perform(
        code,
        form,
        lambda ctx, one: triage.co_design(ctx, one, form.version.data, on=on),
        _("Ora ci lavoriamo insieme.") if on else _("Non è più nel lavoro insieme."),
    )


@blueprint.post("/<code>/riapri")
@allow(Permission.CONTRIBUTION_ROUTE)
def reopen(code: str) -> Shown:
    """Take a settled one up again."""
    form = forms.ReopenForm()
    return perform(
        code,
        form,
        lambda ctx, one: triage.reopen(ctx, one, form.version.data, form.reason.data or ""),
        _("Riaperta."),
    )


@blueprint.post("/<code>/nota")
@allow(Permission.CONTRIBUTION_WORK)
def note(code: str) -> Shown:
    """A word for colleagues."""
    form = forms.NoteForm()
    return perform(
        code, form, lambda ctx, one: triage.note(ctx, one, form.text.data or ""), _("Nota aggiunta.")
    )


@blueprint.post("/<code>/unisci")
@allow(Permission.CONTRIBUTION_MERGE)
def merge(code: str) -> Shown:
    """Merge this input with its twins; which one lives on is chosen in the form."""
    form = forms.MergeForm()

    def run(ctx: Context, one: int) -> Any:
        seen, lives_on = form.seen(), (form.lives_on.data or code).strip().upper()
        seen.setdefault(lives_on, None)
        found = {item.code: item.id for item in desk.by_codes(ctx, [*seen, code])}
        if set(seen) - set(found):
            raise Invalid("others", "no_such_code")
        sources = tuple(item_id for item_code, item_id in found.items() if item_code != lives_on)
        versions = {found[key]: version for key, version in seen.items() if version is not None}
        if form.version.data is not None:
            versions[one] = form.version.data
        return merging.unite(ctx, merging.Unite(found[lives_on], sources, form.reason.data or "", versions))

    return perform(
        code, form, run, _("Unite: chi le ha scritte riceve un avviso."), lambda kept: _page_of(kept.code)
    )


def _page_of(code: str) -> str:
    ctx = context()
    return desk_list.asked(ctx, desk.choices(ctx)).url("desk.show", code=code)


@blueprint.post("/<code>/separa")
@allow(Permission.CONTRIBUTION_MERGE)
def separate(code: str) -> Shown:
    """Undo a merge: this input stands by itself again."""
    form = forms.SeparateForm()
    return perform(
        code,
        form,
        lambda ctx, one: merging.separate(ctx, one, form.reason.data or "", form.version.data),
        _("Separata: è tornata com'era."),
    )


@blueprint.post("/<code>/dividi")
@allow(Permission.CONTRIBUTION_MERGE)
def split(code: str) -> Shown:
    """A part of it becomes one of its own."""
    form = forms.SplitForm()

    def run(ctx: Context, one: int) -> Any:
        words, title = form.text.data or "", form.title.data or ""
        key = form.idempotency_key.data
        return merging.split(ctx, merging.Split(one, form.version.data, words, title, key))

    return perform(
        code,
        form,
        run,
        _("Divisa: questa è la seconda, con la sua ricevuta."),
        lambda made: _page_of(made.code),
    )


@blueprint.post("/<code>/nascondi")
@allow(Permission.CONTRIBUTION_HIDE)
def hide(code: str) -> Shown:
    """Hide it, with the reason its author is told."""
    form = forms.HideForm()

    def run(ctx: Context, one: int) -> Any:
        subject = moderation.Subject(contribution_id=one)
        return moderation.hide(ctx, subject, form.reason.data or "", form.version.data)

    return perform(code, form, run, _("Nascosta: chi l'ha scritta sa perché e può chiedere di ripensarci."))


@blueprint.post("/<code>/mostra")
@allow(Permission.CONTRIBUTION_HIDE)
def restore(code: str) -> Shown:
    """Show it again."""
    form = forms.RestoreForm()

    def run(ctx: Context, one: int) -> Any:
        subject = moderation.Subject(contribution_id=one)
        return moderation.restore(ctx, subject, form.reason.data or "", form.version.data)

    return perform(code, form, run, _("Di nuovo visibile."))
