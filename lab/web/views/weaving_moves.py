"""What is done with an action in one step: proposed, adopted, sent back; words tied to it and let go."""

from __future__ import annotations

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.policy.permissions import Permission
from lab.services import action_pages, actions, weaving
from lab.services.actions import Adopt, Propose, SendBack
from lab.services.weaving import Unweave, Weave
from lab.web.access import allow
from lab.web.app_state import context, transaction
from lab.web.forms.actions import DecideForm, SendBackForm, UnweaveForm, WeaveForm
from lab.web.forms.base import refuse
from lab.web.numbers import version_of
from lab.web.views.weaving import blueprint
from lab.web.weaving_page import draw, refused


@blueprint.post("/regia/azioni/<code>/proponi")
@allow(Permission.ACTION_DRAFT)
def propose(code: str) -> Response | tuple[str, int]:
    """Put the draft on the office's table."""
    action = action_pages.by_code(context(), code)
    form = DecideForm()
    try:
        with transaction() as ctx:
            actions.propose(ctx, Propose(action.id, version_of(form.version.data)))
    except (Invalid, Conflict) as error:
        return refused(code, error)
    flash(_("Proposta: ora tocca all'ufficio."), "success")
    return redirect(url_for("weaving.show", code=code), 303)


@blueprint.post("/regia/azioni/<code>/adotta")
@allow(Permission.ACTION_DECIDE)
def adopt(code: str) -> Response | tuple[str, int]:
    """The office takes it on as it is."""
    action = action_pages.by_code(context(), code)
    form = DecideForm()
    try:
        with transaction() as ctx:
            under_way = form.start.data == "now"
            actions.adopt(ctx, Adopt(action.id, version_of(form.version.data), under_way=under_way))
    except Conflict as error:
        return refused(code, error)
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
            actions.send_back(ctx, SendBack(action.id, version_of(form.version.data), form.reason.data or ""))
    except (Invalid, Conflict) as error:
        if isinstance(error, Invalid) and form.validate():
            refuse(form, error)
        return refused(code, error, "action.send_back", send_back=form)
    flash(_("Rimandata al Laboratorio con il tuo motivo."), "success")
    return redirect(url_for("weaving.show", code=code), 303)


@blueprint.post("/regia/azioni/<code>/voci")
@allow(Permission.ACTION_LINK)
def link(code: str) -> Response | tuple[str, int]:
    """Tie more words to it, by their codes."""
    action = action_pages.by_code(context(), code)
    form = WeaveForm()
    if not form.validate():
        return draw(action_pages.page(context(), code), weave=form), 422
    wanted = (form.codes.data or "").replace(";", ",").replace(" ", ",").split(",")
    chosen = action_pages.by_codes(context(), wanted)
    try:
        if len(chosen) < len({one.upper() for one in wanted if one}):
            raise Invalid("codes", "unknown_code")
        with transaction() as ctx:
            weaving.weave(ctx, Weave(action.id, tuple(one.id for one in chosen)))
    except Invalid as error:
        refuse(form, Invalid("codes", error.code))
        return draw(action_pages.page(context(), code), weave=form), 422
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
        return draw(action_pages.page(context(), code), unweave=form), 422
    try:
        with transaction() as ctx:
            weaving.unweave(ctx, Unweave(action.id, chosen[0].id, form.reason.data or ""))
    except NotFound:
        flash(_("Era già stata tolta."), "info")
        return redirect(url_for("weaving.show", code=code), 303)
    flash(_("Tolta. Chi l'ha scritta saprà perché."), "success")
    return redirect(url_for("weaving.show", code=code), 303)
