"""Comments: adding, answering, correcting, taking away, and one branch by itself."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.text import excerpt
from lab.models.contributions import Contribution
from lab.models.conversation import Comment
from lab.policy.permissions import Permission
from lab.services import conversation, follows, limits, threads
from lab.web.access import allow, cached
from lab.web.app_state import context, transaction
from lab.web.forms.base import LabForm, refuse
from lab.web.forms.conversation import CommentForm, EditCommentForm
from lab.web.item_parts import asked_key, comments_closed, mark, talks
from lab.web.numbers import whole

blueprint = Blueprint("comments", __name__)


@blueprint.get("/proposte/<code>/commenti")
@allow(Permission.COMMENT_WRITE)
def new(code: str) -> str:
    """A page of its own for one's words."""
    return _write_page(CommentForm(), threads.open_to(context(), code), None)


@blueprint.get("/commenti/<int:comment_id>/rispondi")
@allow(Permission.COMMENT_WRITE)
def reply(comment_id: int) -> str:
    """Answer somebody, with their words above."""
    item, comment = threads.to_answer(context(), comment_id)
    return _write_page(CommentForm(parent=str(comment.id)), item, comment)


@blueprint.post("/proposte/<code>/commenti")
@allow(Permission.COMMENT_WRITE)
def create(code: str) -> tuple[str, int] | Response:
    """Add a comment or a reply."""
    form = CommentForm()
    parent_id = _number(form.parent.data)
    if not form.validate_on_submit() or form.needs_a_word():
        return _refused_page(form, code, parent_id), 422
    with transaction() as ctx:
        limits.spend(ctx, limits.COMMENT_PER_PERSON, str(ctx.actor.person_id))
    try:
        with transaction() as ctx:
            written = conversation.write(ctx, _command(ctx_id(code), form, parent_id))
    except Invalid as error:
        refuse(form, error)
        return _refused_page(form, code, parent_id), 422
    except Conflict as error:
        status = refuse(form, error)
        form.parent.data = ""
        return _write_page(form, threads.open_to(context(), code), None), status
    flash(_("Il tuo commento è qui sotto."), "success")
    return redirect(_place_of(written), 303)


def ctx_id(code: str) -> int:
    """The id behind a public code, in the transaction under way."""
    return follows.subject_id(context(), follows.Followed.CONTRIBUTION, code)


def _command(contribution_id: int, form: CommentForm, parent_id: int | None) -> conversation.WriteComment:
    return conversation.WriteComment(
        contribution_id, form.text.data or "", parent_id, form.idempotency_key.data or None
    )


@blueprint.get("/commenti/<int:comment_id>/modifica")
@allow(Permission.COMMENT_EDIT)
def edit(comment_id: int) -> str:
    """One's own words, to correct or to take away."""
    comment = threads.own(context(), comment_id)
    return _edit_page(EditCommentForm(text=comment.text), comment)


@blueprint.post("/commenti/<int:comment_id>/modifica")
@allow(Permission.COMMENT_EDIT)
def save(comment_id: int) -> tuple[str, int] | Response:
    """Keep the corrected words."""
    form = EditCommentForm()
    if not form.validate_on_submit() or form.needs_a_word():
        return _edit_page(form, threads.own(context(), comment_id)), 422
    try:
        with transaction() as ctx:
            comment = conversation.edit(ctx, conversation.EditComment(comment_id, form.text.data or ""))
    except Invalid as error:
        refuse(form, error)
        return _edit_page(form, threads.own(context(), comment_id)), 422
    flash(_("Corretto."), "success")
    return redirect(_place_of(comment), 303)


@blueprint.post("/commenti/<int:comment_id>/elimina")
@allow(Permission.COMMENT_EDIT)
def remove(comment_id: int) -> Response:
    """Take one's own words away; the answers to them stay."""
    with transaction() as ctx:
        comment = conversation.delete(ctx, comment_id)
    flash(_("Il tuo commento non c'è più. Le risposte restano."), "success")
    return redirect(_item(comment.contribution_id, "commenti"), 303)


@blueprint.get("/commenti/<int:comment_id>")
@cached
def branch(comment_id: int) -> str:
    """A whole branch of the conversation, by pages."""
    ctx = context()
    found = threads.branch(ctx, comment_id, asked_key())
    if found is None:
        raise NotFound("comment")
    contribution, thread = found
    next_url = None
    if thread.next_key:
        next_url = url_for("comments.branch", comment_id=comment_id, dopo=mark(thread.next_key))
    return render_template(
        "pages/comments/branch.html",
        item=contribution,
        talk=talks(thread.branches, may_write=not comments_closed(contribution))[0],
        next_url=next_url,
        rate=False,
        breadcrumb=_trail(contribution),
    )


@blueprint.post("/proposte/<code>/commenti/chiusi")
@allow(Permission.CONTRIBUTION_SORT)
def close(code: str) -> Response:
    """Stop or reopen the conversation under an input (`chiusi` = 1 or 0)."""
    closed = request.form.get("chiusi") == "1"
    with transaction() as ctx:
        conversation.close(ctx, ctx_id(code), closed=closed)
    flash(_("I commenti sono chiusi.") if closed else _("I commenti sono aperti."), "success")
    return redirect(url_for("proposals.show", code=code, _anchor="commenti"), 303)


def _write_page(form: CommentForm, item: Contribution, parent: Comment | None) -> str:
    return render_template(
        "pages/comments/write.html",
        form=form,
        item=item,
        parent=parent,
        found=form.found() if form.is_submitted() else [],
        exit_url=url_for("proposals.show", code=item.code, _anchor="commenti"),
    )


def _edit_page(form: EditCommentForm, comment: Comment) -> str:
    return render_template(
        "pages/comments/edit.html",
        form=form,
        comment=comment,
        act_form=LabForm(formdata=None),
        found=form.found() if form.is_submitted() else [],
        exit_url=_item(comment.contribution_id, f"commento-{comment.id}"),
    )


def _trail(item: Contribution) -> list[tuple[str, str | None]]:
    return [
        (_("Proposte"), url_for("proposals.index")),
        (item.title or excerpt(item.excerpt, 50), url_for("proposals.show", code=item.code)),
        (_("Commenti"), None),
    ]


def _refused_page(form: CommentForm, code: str, parent_id: int | None) -> str:
    ctx = context()
    item = threads.open_to(ctx, code)
    return _write_page(form, item, threads.answered(ctx, item, parent_id))


def _number(written: str | None) -> int | None:
    found = whole(written)
    if written and found is None:
        abort(404)
    return found


def _item(contribution_id: int, anchor: str) -> str:
    return url_for("proposals.show", code=threads.item(context(), contribution_id).code, _anchor=anchor)


def _place_of(comment: Comment) -> str:
    """Where one sees a comment just written: on the item, or in its branch when the item has many."""
    item = threads.item(context(), comment.contribution_id)
    anchor = f"commento-{comment.id}"
    if item.comments_count <= threads.ROOTS:
        return url_for("proposals.show", code=item.code, _anchor=anchor)
    if comment.root_id is None:
        return url_for("proposals.show", code=item.code, commenti="nuovi", _anchor=anchor)
    return url_for("comments.branch", comment_id=comment.root_id, _anchor=anchor)
