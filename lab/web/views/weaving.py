"""The weaving desk: the actions everybody works on, and writing what one is to be."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.models.actions import PUBLIC_ACTION_STATES, Action, ActionState
from lab.models.contributions import Contribution
from lab.policy.permissions import Permission
from lab.services import action_pages, actions, listing, programme
from lab.services.actions import Adopt, Amend, Draft
from lab.web import action_words
from lab.web.access import allow
from lab.web.app_state import context, transaction
from lab.web.forms.actions import ActionForm, DecideForm, action_data
from lab.web.forms.base import LabForm, refuse
from lab.web.numbers import version_of
from lab.web.weaving_page import answer_to, crumbs, draw, may_edit, refused, since_drawn

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
    data: dict[str, Any] = {
        "contributions": [one.code for one in chosen],
        "projects": action_pages.spoken_of(context(), [one.id for one in chosen]),
    }
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


def _form_page(
    form: ActionForm, action: Action | None = None, looked_for: bool = False, meanwhile: Any = ()
) -> str:
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
        meanwhile=meanwhile,
        decide=DecideForm(data={"version": "0"}) if _is_proposed(action) else None,
        breadcrumb=crumbs(action, _("Cambia") if action else _("Nuova azione")),
    )


def _is_proposed(action: Action | None) -> bool:
    return action is not None and action.state is ActionState.PROPOSED


@blueprint.get("/regia/azioni/<code>")
@allow(Permission.DESK_SEE)
def show(code: str) -> str:
    """One action at the desk: what is in it and what this person can do with it now."""
    return draw(action_pages.page(context(), code))


@blueprint.get("/regia/azioni/<code>/modifica")
@allow(Permission.DESK_SEE)
def edit(code: str) -> str:
    """The contents, to be changed by whose turn it is."""
    ctx = context()
    page = action_pages.page(ctx, code)
    if not may_edit(page.action):
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
    # The proposal was sent on or decided while somebody was writing: their words come back.
    if not may_edit(action) or ("adopt" in request.form and action.state in PUBLIC_ACTION_STATES):
        return refused(code, Conflict(f"action_{action.state}"), "action.adopt")
    form = ActionForm()
    _offer(form, action)
    if not form.validate():
        return _form_page(form, action), 422
    version, adopted = version_of(form.version.data), _is_proposed(action)
    try:
        with transaction() as ctx:
            if adopted:
                under_way = request.form.get("start") == "now"
                actions.adopt(ctx, Adopt(action.id, version, form.plan(), under_way))
            else:
                actions.amend(ctx, Amend(action.id, version, form.plan()))
    except (Invalid, Conflict) as error:
        return _refused(code, form, error)
    flash(_("Adottata con le modifiche.") if adopted else _("Salvato."), "success")
    return redirect(url_for("weaving.show", code=code), 303)


def _refused(code: str, form: ActionForm, error: Invalid | Conflict) -> tuple[str, int]:
    status = refuse(form, error)
    action = action_pages.by_code(context(), code)
    meanwhile = since_drawn(action) if isinstance(error, Conflict) else []
    if meanwhile:
        answer_to(form, action)
    return _form_page(form, action, meanwhile=meanwhile), status
