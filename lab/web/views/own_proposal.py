"""Its author's tools: correct inside the window, take back; and, for everybody, how it read before."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid
from lab.models.contributions import Contribution, Proposal
from lab.policy.permissions import Permission
from lab.services import photos, proposal_pages, proposals
from lab.services.photos import StoredPhoto
from lab.web import uploads
from lab.web.access import allow, cached
from lab.web.app_state import context, lab, transaction
from lab.web.forms.base import refuse
from lab.web.forms.proposals import EditForm, WithdrawForm
from lab.web.numbers import version_of
from lab.web.views.drafts import spend_upload
from lab.web.views.proposals import blueprint


def _standing(contribution: Contribution) -> list[StoredPhoto]:
    return [photos.stored(photo) for photo in photos.of_contribution(context(), contribution.id)]


@blueprint.get("/proposte/<code>/modifica")
@allow(Permission.PROPOSAL_EDIT)
def edit(code: str) -> str:
    """The words as they stand, to be corrected."""
    proposal = proposals.own(context(), code)
    context().require(Permission.PROPOSAL_EDIT, proposal)
    one = proposal.contribution
    form = EditForm(data={"text": one.text, "title": one.title, "version": str(one.version)})
    return _edit_page(form, proposal)


def _edit_page(form: EditForm, proposal: Proposal) -> str:
    one = proposal.contribution
    return render_template(
        "pages/proposals/edit.html",
        form=form,
        c=one,
        until=proposal.edit_until,
        pending=_standing(one),
        most=photos.MOST,
        **_frame(one),
    )


def _frame(one: Contribution) -> dict[str, Any]:
    return {"exit_url": url_for("proposals.show", code=one.code), "exit_label": _("Torna alla proposta")}


@blueprint.post("/proposte/<code>/modifica")
@allow(Permission.PROPOSAL_EDIT)
def save_edit(code: str) -> Response | tuple[str, int]:
    """Keep the corrected words; what stood before stays readable."""
    proposal = proposals.own(context(), code)
    context().require(Permission.PROPOSAL_EDIT, proposal)
    form = EditForm()
    if not form.validate():
        return _edit_page(form, proposal), 422
    received: list[StoredPhoto] = []
    try:
        _receive(received, _room(proposal.contribution))
        with transaction() as ctx:
            proposals.edit(ctx, _command(form, proposal.contribution_id, received))
    except (Invalid, Conflict) as error:
        status = refuse(form, error)
    else:
        flash(_("Fatto. Le parole di prima restano leggibili."), "success")
        return redirect(url_for("proposals.show", code=code), 303)
    for photo in received:
        uploads.discard(lab().settings.uploads, photo)
    again = proposals.own(context(), code)
    return _edit_page(form, again), status


def _room(one: Contribution) -> int:
    dropped = sum(1 for name in request.form if name.startswith("drop_"))
    return photos.MOST - max(0, one.photos_count - dropped)


def _receive(received: list[StoredPhoto], room: int) -> None:
    files = uploads.given(request.files.getlist("photos"))
    if len(files) > room:
        raise Invalid("photos", "too_many_photos")
    for file in files:
        spend_upload()
        received.append(uploads.receive(lab().settings.uploads, file, lab().settings.max_upload_bytes))


def _command(form: EditForm, contribution_id: int, received: list[StoredPhoto]) -> proposals.Edit:
    return proposals.Edit(
        contribution_id,
        version_of(form.version.data),
        form.text.data or "",
        form.title.data or "",
        tuple(received),
        tuple(name.removeprefix("drop_") for name in request.form if name.startswith("drop_")),
        {
            name.removeprefix("alt_"): value[: photos.ALT_LIMIT]
            for name, value in request.form.items()
            if name.startswith("alt_")
        },
    )


@blueprint.get("/proposte/<code>/ritira")
@allow(Permission.PROPOSAL_WITHDRAW)
def withdraw(code: str) -> str:
    """Ask why."""
    one = proposals.own(context(), code).contribution
    context().require(Permission.PROPOSAL_WITHDRAW, one)
    return _withdraw_page(WithdrawForm(), one)


def _withdraw_page(form: WithdrawForm, one: Contribution) -> str:
    return render_template("pages/proposals/withdraw.html", form=form, c=one, **_frame(one))


@blueprint.post("/proposte/<code>/ritira")
@allow(Permission.PROPOSAL_WITHDRAW)
def save_withdrawal(code: str) -> Response | tuple[str, int]:
    """Take it back."""
    one = proposals.own(context(), code).contribution
    form = WithdrawForm()
    if not form.validate():
        return _withdraw_page(form, one), 422
    try:
        with transaction() as ctx:
            proposals.withdraw(ctx, proposals.Withdraw(one.id, form.reason.data or ""))
    except Invalid as error:
        refuse(form, error)
        return _withdraw_page(form, one), 422
    flash(_("Ritirata. Chi la sosteneva può ancora leggerla."), "success")
    return redirect(url_for("proposals.show", code=code), 303)


@blueprint.get("/proposte/<code>/versioni")
@cached
def wordings(code: str) -> str:
    """Every wording there was, today's first."""
    one, versions = proposal_pages.wordings(context(), code)
    return render_template(
        "pages/proposals/wordings.html",
        c=one,
        wordings=versions,
        breadcrumb=[
            (_("Proposte"), url_for("proposals.index")),
            (one.code, url_for("proposals.show", code=one.code)),
            (_("Com'era prima"), None),
        ],
    )
