"""The weaving desk: the team ties words into an action, the office takes it on, all hear how it goes."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid, LabError, NotFound
from lab.models.actions import PUBLIC_ACTION_STATES, Action, ActionState
from lab.models.contributions import Contribution
from lab.policy.permissions import Permission
from lab.services import action_pages, actions, listing, photos, programme, weaving
from lab.services.action_pages import ActionPage
from lab.services.actions import Adopt, Amend, Draft, Propose, Report, SendBack
from lab.services.photos import StoredPhoto
from lab.services.weaving import Unweave, Weave
from lab.web import action_words, uploads
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.forms.actions import (
    ActionForm,
    DecideForm,
    NewsForm,
    SendBackForm,
    UnweaveForm,
    WeaveForm,
    action_data,
)
from lab.web.forms.base import LabForm, refuse
from lab.web.labels import error_words
from lab.web.views.drafts import spend_upload

blueprint = Blueprint("weaving", __name__)

#: The tables of the desk in the order of what waits longest, with the states in each.
_TABLES = (
    ("office", (ActionState.PROPOSED,)),
    ("team", (ActionState.SENT_BACK, ActionState.DRAFT)),
    ("going", (ActionState.UNDER_WAY, ActionState.SUSPENDED, ActionState.TO_START)),
    ("done", (ActionState.DONE,)),
)


@blueprint.get("/regia/azioni")
@allow(Permission.DESK_SEE)
def index() -> str:
    """Every action this person works on, by who must move next."""
    ctx = context()
    rows = action_pages.desk(ctx)
    codes = request.args.get("da", "").split(",")
    return render_template(
        "pages/weaving/index.html",
        tables=[(name, [row for row in rows if row.state in states]) for name, states in _TABLES],
        waiting=action_pages.by_codes(ctx, codes) if ctx.may(Permission.ACTION_LINK) else [],
        form=LabForm(),
        late=action_words.is_late_now,
        breadcrumb=[(_("Azioni"), None)],
    )


@blueprint.get("/regia/azioni/nuova")
@allow(Permission.ACTION_DRAFT)
def new() -> str:
    """An empty draft; the words named in the address are in it already."""
    chosen = action_pages.by_codes(context(), request.args.get("da", "").split(","))
    data: dict[str, Any] = {"contributions": [one.code for one in chosen]}
    if len(chosen) == 1:
        data["title"] = chosen[0].title
    offices = [one.office_id for one in chosen if one.office_id]
    if offices:
        data["office"] = offices[0]
    return _form_page(ActionForm(data=data))


@blueprint.post("/regia/azioni/nuova")
@allow(Permission.ACTION_DRAFT)
def create() -> Response | str | tuple[str, int]:
    """Keep the draft, or look for more words with everything typed still there."""
    form = ActionForm()
    _offer(form)
    if "find" in request.form:
        return _form_page(form, looked_for=True)
    if not form.validate():
        return _form_page(form), 422
    chosen = action_pages.by_codes(context(), form.contributions.data or ())
    command = Draft(form.plan(), tuple(one.id for one in chosen), form.idempotency_key.data)
    try:
        with transaction() as ctx:
            action = actions.draft(ctx, command)
    except Invalid as error:
        refuse(form, error)
        return _form_page(form), 422
    flash(_("Bozza salvata. Quando è pronta, proponila all'ufficio."), "success")
    return redirect(url_for("weaving.show", code=action.code), 303)


def _offer(form: ActionForm, action: Action | None = None) -> None:
    ctx = context()
    others = action_pages.others(ctx, action.id if action else None)
    form.offer(listing.choices(ctx), programme.bodies(ctx), others)


def _form_page(form: ActionForm, action: Action | None = None, looked_for: bool = False) -> str:
    ctx = context()
    if not form.kind.choices:
        _offer(form, action)
    chosen = action_pages.by_codes(ctx, form.contributions.data or ())
    found: list[Contribution] = []
    if looked_for and form.look_for.data:
        known = {one.id for one in chosen}
        found = [one for one in action_pages.find(ctx, form.look_for.data) if one.id not in known]
    return render_template(
        "pages/weaving/form.html",
        form=form,
        action=action,
        chosen=chosen,
        found=found,
        looked_for=looked_for,
        decide=DecideForm(formdata=None, version="0") if _is_proposed(action) else None,
        breadcrumb=_crumbs(action, _("Cambia") if action else _("Nuova azione")),
    )


def _is_proposed(action: Action | None) -> bool:
    return action is not None and action.state is ActionState.PROPOSED


def _crumbs(action: Action | None, last: str | None) -> list[tuple[str, str | None]]:
    crumbs: list[tuple[str, str | None]] = [(_("Azioni"), url_for("weaving.index"))]
    if action is not None:
        crumbs.append((action.code, url_for("weaving.show", code=action.code)))
    if last:
        crumbs.append((last, None))
    return crumbs


@blueprint.get("/regia/azioni/<code>")
@allow(Permission.DESK_SEE)
def show(code: str) -> str:
    """One action at the desk: what is in it and what this person can do with it now."""
    return _desk_page(action_pages.page(context(), code))


def _desk_page(page: ActionPage, **forms: Any) -> str:
    ctx = context()
    action = page.action
    version = {"version": str(action.version)}
    public = action.state in PUBLIC_ACTION_STATES
    news: NewsForm = forms.get("news") or NewsForm(formdata=None, data=version)
    news.offer(action.state, page.milestones)
    return render_template(
        "pages/weaving/show.html",
        page=page,
        action=action,
        inputs=action_pages.woven(ctx, action.id),
        is_public=public,
        can={
            "link": ctx.may(Permission.ACTION_LINK),
            "propose": action.state in weaving.QUIET_STATES and ctx.may(Permission.ACTION_DRAFT),
            "decide": action.state is ActionState.PROPOSED and ctx.may(Permission.ACTION_DECIDE, action),
            "report": public and ctx.may(Permission.ACTION_UPDATE, action),
            "edit": _may_edit(action),
        },
        news=news,
        decide=DecideForm(formdata=None, data=version),
        send_back=forms.get("send_back") or SendBackForm(formdata=None, data=version),
        weave=forms.get("weave") or WeaveForm(formdata=None),
        unweave=forms.get("unweave") or UnweaveForm(formdata=None),
        refused=forms.get("refused"),
        standing=action_words.standing(action),
        deadline=action_words.deadline(action),
        late=action_words.is_late_now(action),
        breadcrumb=_crumbs(None, action.code),
    )


def _may_edit(action: Action) -> bool:
    ctx = context()
    if action.state in weaving.QUIET_STATES:
        return ctx.may(Permission.ACTION_DRAFT)
    return ctx.may(Permission.ACTION_DECIDE, action)


@blueprint.get("/regia/azioni/<code>/modifica")
@allow(Permission.DESK_SEE)
def edit(code: str) -> str:
    """The contents, to be changed by whose turn it is."""
    ctx = context()
    page = action_pages.page(ctx, code)
    if not _may_edit(page.action):
        raise NotFound("action")
    walk = {
        "projects": [node.id for node in page.walk.of("project")],
        "bodies": [body.id for body in page.bodies],
        "needs": action_pages.needs_of(ctx, page.action.id),
    }
    form = ActionForm(formdata=None, data=action_data(page.action, walk, page.milestones))
    return _form_page(form, page.action)


@blueprint.post("/regia/azioni/<code>/modifica")
@allow(Permission.DESK_SEE)
def save(code: str) -> Response | tuple[str, int]:
    """Keep the changes; for the office with a proposal on its table this adopts it changed."""
    action = action_pages.by_code(context(), code)
    if not _may_edit(action):
        raise NotFound("action")
    if "adopt" in request.form and action.state in PUBLIC_ACTION_STATES:
        return _refused(code, Conflict(f"action_{action.state}"))
    form = ActionForm()
    _offer(form, action)
    if not form.validate():
        return _form_page(form, action), 422
    version, adopted = _number(form.version.data), _is_proposed(action)
    try:
        with transaction() as ctx:
            if adopted:
                under_way = request.form.get("start") == "now"
                actions.adopt(ctx, Adopt(action.id, version, form.plan(), under_way))
            else:
                actions.amend(ctx, Amend(action.id, version, form.plan()))
    except Invalid as error:
        refuse(form, error)
        return _form_page(form, action_pages.by_code(context(), code)), 422
    except Conflict as error:
        form.form_errors.append(str(error_words(error.code)))
        return _form_page(form, action_pages.by_code(context(), code)), 409
    flash(_("Adottata con le modifiche.") if adopted else _("Salvato."), "success")
    return redirect(url_for("weaving.show", code=code), 303)


def _number(written: str | None) -> int:
    """A version as the page carried it; what is not one matches none."""
    return int(written) if written and written.isascii() and written.isdecimal() and len(written) < 10 else -1


@blueprint.post("/regia/azioni/<code>/proponi")
@allow(Permission.ACTION_DRAFT)
def propose(code: str) -> Response | tuple[str, int]:
    """Put the draft on the office's table."""
    action = action_pages.by_code(context(), code)
    form = DecideForm()
    try:
        with transaction() as ctx:
            actions.propose(ctx, Propose(action.id, _number(form.version.data)))
    except (Invalid, Conflict) as error:
        return _refused(code, error)
    flash(_("Proposta: ora tocca all'ufficio."), "success")
    return redirect(url_for("weaving.show", code=code), 303)


def _refused(code: str, error: LabError, **forms: Any) -> tuple[str, int] | Response:
    """The page again with the reason on top; a second click on what is done already just goes on."""
    page = action_pages.page(context(), code)
    if isinstance(error, Conflict) and error.code == f"action_{page.action.state}":
        flash(str(error_words(error.code)), "info")
        return redirect(url_for("weaving.show", code=code), 303)
    words = error_words(getattr(error, "code", ""))
    status = 409 if isinstance(error, Conflict) else 422
    if isinstance(error, Invalid) and error.field == "due_on":
        words = _("Prima scrivi entro quando va finita: usa «Cambia».")
    if isinstance(error, Invalid) and error.field == "contributions" and error.code == "at_least_one":
        words = _("Prima collega almeno una voce.")
    return _desk_page(page, refused=None if forms else words, **forms), status


@blueprint.post("/regia/azioni/<code>/adotta")
@allow(Permission.ACTION_DECIDE)
def adopt(code: str) -> Response | tuple[str, int]:
    """The office takes it on as it is."""
    action = action_pages.by_code(context(), code)
    form = DecideForm()
    try:
        with transaction() as ctx:
            under_way = form.start.data == "now"
            actions.adopt(ctx, Adopt(action.id, _number(form.version.data), under_way=under_way))
    except Conflict as error:
        return _refused(code, error)
    flash(_("Adottata. Da adesso la leggono tutti e chi ha parlato lo sa."), "success")
    return redirect(url_for("weaving.show", code=code), 303)


@blueprint.post("/regia/azioni/<code>/rimanda")
@allow(Permission.ACTION_DECIDE)
def send_back(code: str) -> Response | tuple[str, int]:
    """The office returns it with a reason."""
    action = action_pages.by_code(context(), code)
    form = SendBackForm()
    try:
        with transaction() as ctx:
            actions.send_back(ctx, SendBack(action.id, _number(form.version.data), form.reason.data or ""))
    except Invalid as error:
        form.validate()
        if not form.errors:
            refuse(form, error)
        return _refused(code, error, send_back=form)
    except Conflict as error:
        form.form_errors.append(str(error_words(error.code)))
        return _refused(code, error, send_back=form)
    flash(_("Rimandata al Laboratorio con il tuo motivo."), "success")
    return redirect(url_for("weaving.show", code=code), 303)


@blueprint.post("/regia/azioni/<code>/novita")
@allow(Permission.ACTION_UPDATE)
def report(code: str) -> Response | tuple[str, int]:
    """Tell how it goes, with photographs."""
    page = action_pages.page(context(), code)
    form = NewsForm()
    form.offer(page.action.state, page.milestones)
    if not form.validate():
        return _desk_page(page, news=form), 422
    received: list[StoredPhoto] = []
    try:
        _receive(received)
        with transaction() as ctx:
            update = actions.report(ctx, _report(form, page.action))
            again = bool(photos.of_update(ctx, update.id))
            if not again:
                photos.attach(ctx, received, action_update_id=update.id)
    except (Invalid, Conflict) as error:
        _discard(received)
        return _news_refused(code, form, error)
    if again:  # the second of two clicks: its pictures are there already
        _discard(received)
    flash(_("Pubblicata. Chi ha parlato e chi segue l'azione lo saprà."), "success")
    return redirect(url_for("weaving.show", code=code), 303)


def _report(form: NewsForm, action: Action) -> Report:
    return Report(
        action.id,
        form.text.data or "",
        version=_number(form.version.data),
        progress=form.progress.data,
        state=_state(form.state.data),
        milestone_ids=tuple(form.milestones.data or ()),
        idempotency_key=form.idempotency_key.data,
    )


def _state(written: str | None) -> ActionState | None:
    if not written:
        return None
    if written not in set(ActionState):
        raise Invalid("state", "unknown")
    return ActionState(written)


def _receive(received: list[StoredPhoto]) -> None:
    files = uploads.given(request.files.getlist("photos"))
    if len(files) > photos.MOST:
        raise Invalid("photos", "too_many_photos")
    settings = lab().settings
    for file in files:
        spend_upload()
        received.append(uploads.receive(settings.uploads, file, settings.max_upload_bytes))


def _discard(received: list[StoredPhoto]) -> None:
    for photo in received:
        uploads.discard(lab().settings.uploads, photo)


def _news_refused(code: str, form: NewsForm, error: Invalid | Conflict) -> tuple[str, int]:
    page = action_pages.page(context(), code)
    if isinstance(error, Invalid):
        refuse(form, error)
        return _desk_page(page, news=form), 422
    form.form_errors.append(str(error_words(error.code)))
    # What was typed stands; sending it again now answers to the page as it has become.
    form.version.data = str(page.action.version)
    return _desk_page(page, news=form), 409


@blueprint.post("/regia/azioni/<code>/voci")
@allow(Permission.ACTION_LINK)
def link(code: str) -> Response | tuple[str, int]:
    """Tie more words to it, by their codes."""
    action = action_pages.by_code(context(), code)
    form = WeaveForm()
    if not form.validate():
        return _desk_page(action_pages.page(context(), code), weave=form), 422
    wanted = (form.codes.data or "").replace(";", ",").replace(" ", ",").split(",")
    chosen = action_pages.by_codes(context(), wanted)
    try:
        if len(chosen) < len({one.upper() for one in wanted if one}):
            raise Invalid("codes", "unknown_code")
        with transaction() as ctx:
            weaving.weave(ctx, Weave(action.id, tuple(one.id for one in chosen)))
    except Invalid as error:
        refuse(form, Invalid("codes", error.code))
        return _desk_page(action_pages.page(context(), code), weave=form), 422
    flash(ngettext("Collegata una voce.", "Collegate %(num)d voci.", len(chosen)), "success")
    return redirect(url_for("weaving.show", code=code), 303)


@blueprint.post("/regia/azioni/<code>/voci/togli")
@allow(Permission.ACTION_LINK)
def unlink(code: str) -> Response | tuple[str, int]:
    """Let one input go, with a reason."""
    action = action_pages.by_code(context(), code)
    form = UnweaveForm()
    chosen = action_pages.by_codes(context(), [form.contribution.data or ""])
    if not chosen:
        raise NotFound("contribution")
    if not form.validate():
        return _desk_page(action_pages.page(context(), code), unweave=form), 422
    try:
        with transaction() as ctx:
            weaving.unweave(ctx, Unweave(action.id, chosen[0].id, form.reason.data or ""))
    except NotFound:
        flash(_("Era già stata tolta."), "info")
        return redirect(url_for("weaving.show", code=code), 303)
    flash(_("Tolta. Chi l'ha scritta saprà perché."), "success")
    return redirect(url_for("weaving.show", code=code), 303)
