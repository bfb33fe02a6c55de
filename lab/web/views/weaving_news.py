"""The news of an action, with photographs: how far it is, what stands in the way, when it is done."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid
from lab.models.actions import Action, ActionState
from lab.policy.permissions import Permission
from lab.services import action_pages, actions, photos
from lab.services.actions import Report
from lab.services.photos import StoredPhoto
from lab.web import uploads
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.forms.actions import NewsForm
from lab.web.forms.base import refuse
from lab.web.numbers import version_of
from lab.web.views.drafts import spend_upload
from lab.web.views.weaving import blueprint
from lab.web.weaving_page import draw


@blueprint.post("/regia/azioni/<code>/novita")
@allow(Permission.ACTION_UPDATE)
def report(code: str) -> Response | tuple[str, int]:
    """Tell how it goes, with photographs."""
    page = action_pages.page(context(), code)
    form = NewsForm()
    form.offer(page.action.state, page.milestones)
    if not form.validate():
        return draw(page, news=form), 422
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
        version=version_of(form.version.data),
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
    status = refuse(form, error)
    if isinstance(error, Conflict):
        # What was typed stands; sending it again now answers to the page as it has become.
        form.version.data = str(page.action.version)
    return draw(page, news=form), status
