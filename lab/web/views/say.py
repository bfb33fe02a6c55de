"""The one door: a few words, a look at what is alike and a summary, the receipt. No script needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from lab.db.constraints import is_violation
from lab.kernel.detectors import private_details
from lab.kernel.errors import Invalid, NotFound
from lab.kernel.ids import format_receipt_code, new_key
from lab.models.contributions import Contribution, State
from lab.services import drafts, limits, listing, photos, proposals, similar
from lab.services.photos import StoredPhoto
from lab.web import entrance, uploads
from lab.web.access import ask_to_sign_in, cached, public
from lab.web.app_state import context, lab, transaction
from lab.web.forms.base import refuse
from lab.web.forms.proposals import TRAP, SayForm
from lab.web.i18n import language
from lab.web.qr import qr_svg
from lab.web.reader import Reader
from lab.web.views.drafts import draft_owner, keep, shortened, spend_upload
from lab.web.views.proposals import blueprint

#: How long the receipt can be opened again from the browser that sent.
_RECEIPT = timedelta(hours=2)
#: For so long it goes to whoever signs in from there. Later, on a computer of many, that may be another.
_CLAIM = timedelta(minutes=20)
_SENT = "sent"
#: One more hand changes nothing there; words said anew may.
_SETTLED = frozenset({State.DONE, State.DECLINED, State.ANSWERED})


def _form(draft: dict[str, Any] | None = None) -> SayForm:
    """The form, filled with what was sent now or else with the draft."""
    kept = draft or {}
    form = SayForm(data={name: kept.get(name, "") for name in ("text", "title", "theme", "place", "project")})
    if request.method == "GET":
        name = context().actor.name
        form.author_name.data = kept.get("author_name", name)
        form.signed.data = "1" if context().actor.is_signed_in else ""
        if kept.get("key"):
            form.idempotency_key.data = kept["key"]
    form.offer(listing.choices(context()), language())
    return form


def _pending(draft: dict[str, Any] | None) -> list[StoredPhoto]:
    return [StoredPhoto.from_data(photo) for photo in (draft or {}).get("photos", [])]


def _draft() -> dict[str, Any] | None:
    kept = drafts.load(context(), draft_owner(), proposals.DRAFT)
    return kept.data if kept else None


@blueprint.get("/proposte/nuova")
@public
def new() -> str:
    """Step one: a few words; what was begun earlier is there again."""
    draft = _draft()
    form = _form(draft)
    for name, field in (("luogo", form.place), ("progetto", form.project)):
        # The page of a place or a project leads here to speak about it.
        if request.args.get(name) in dict(field.choices):
            field.data = request.args[name]
    return _write_page(form, _pending(draft), restored=bool(draft and draft.get("text")))


def _write_page(form: SayForm, pending: list[StoredPhoto], restored: bool = False) -> str:
    places = [one for one in listing.choices(context()) if one.what == "place" and not one.retired]
    return render_template(
        "pages/proposals/new.html",
        form=form,
        pending=pending,
        restored=restored,
        spots=[{"code": one.code, "name": one.word(language()), "x": one.x, "y": one.y} for one in places],
        step=1,
        most=photos.MOST,
        **_frame(),
    )


def _frame() -> dict[str, Any]:
    return {
        "steps": [_("Scrivi"), _("Controlla"), _("Fatto")],
        "exit_url": url_for("proposals.index"),
    }


@blueprint.post("/proposte/nuova")
@public
def write() -> Response | tuple[str, int]:
    """Keep the words and the photographs, then show them before they are sent."""
    draft = _draft()
    form = _form()
    if form.signed.data and not context().actor.is_signed_in:
        return ask_to_sign_in()
    pending = _take_photos(form, _pending(draft))
    good = _is_good(form)
    with transaction() as ctx:
        words = {name: shortened(value) for name, value in form.words().items()}
        data = {**words, "photos": [photo.as_data() for photo in pending]}
        keep(ctx, proposals.DRAFT, {**data, "key": form.idempotency_key.data})
    if not good:
        return _write_page(form, pending), 422
    return redirect(url_for("proposals.check"), 303)


def _is_good(form: SayForm) -> bool:
    refused = list(form.photos.errors)
    good = bool(form.validate()) and not refused
    form.photos.errors = refused
    if request.form.get(TRAP):
        # Said openly: a person whose browser filled the hidden field loses nothing and sends again.
        form.form_errors.append(_("Uno spazio nascosto era pieno. Ora è vuoto: manda di nuovo."))
        good = False
    return good


def _take_photos(form: SayForm, pending: list[StoredPhoto]) -> list[StoredPhoto]:
    """Re-make what was sent now, leave out what was taken away, keep the words for each picture."""
    kept = [
        replace(photo, alt=request.form.get(f"alt_{photo.name}", photo.alt)[: photos.ALT_LIMIT])
        for photo in pending
        if f"drop_{photo.name}" not in request.form
    ]
    folder = lab().settings.uploads
    files = uploads.given(request.files.getlist("photos"))
    errors = list(form.photos.errors)
    too_many = len(files) > photos.MOST
    for file in files[: photos.MOST]:
        spend_upload()
        try:
            photo = uploads.receive(folder, file, lab().settings.max_upload_bytes)
        except Invalid as error:
            refuse(form, error)
            errors = [*errors, *form.photos.errors]
            continue
        # Who goes back sends the chosen files once more: browsers keep them in their field.
        twin = any(uploads.is_same(folder, photo, other) for other in kept)
        if twin or len(kept) >= photos.MOST:
            uploads.discard(folder, photo)
            too_many = too_many or not twin
        else:
            kept.append(photo)
    if too_many:
        errors.append(_("Al massimo %(most)d foto. Ho tenuto le prime.", most=photos.MOST))
    form.photos.errors = list(dict.fromkeys(errors))
    return kept


@blueprint.get("/proposte/nuova/controlla")
@public
def check() -> str | Response:
    """Step two: what is alike, and everything as it will be sent."""
    draft = _draft()
    if not draft or not draft.get("text"):
        return redirect(url_for("proposals.new"), 303)
    return _check_page(_form(draft), _pending(draft))


def _check_page(form: SayForm, pending: list[StoredPhoto]) -> str:
    said = f"{form.title.data or ''} {form.text.data or ''}"
    named = {
        field.name: dict(field.choices).get(field.data, "")
        for field in (form.theme, form.place, form.project)
    }
    return render_template(
        "pages/proposals/check.html",
        form=form,
        pending=pending,
        named=named,
        alike=[_alike(one) for one in similar.alike(context(), said)],
        found=private_details(said),
        step=2,
        **_frame(),
    )


def _alike(one: similar.Alike) -> dict[str, Any]:
    return {
        "url": url_for("proposals.show", code=one.code),
        "title": one.title or one.excerpt,
        "lang": one.lang,
        "state": one.state,
        "settled": one.state in _SETTLED,
        "supports": one.supports_count,
        "place": one.place,
    }


@blueprint.post("/proposte/nuova/controlla")
@public
def send() -> Response | tuple[str, int]:
    """Place it. The page carries the words itself, so that a lost draft loses nothing."""
    form = _form()
    if form.signed.data and not context().actor.is_signed_in:
        return ask_to_sign_in()
    again = proposals.placed_by_key(context(), form.idempotency_key.data, draft_owner())
    if again is not None and proposals.has_words(again, form.text.data or ""):
        return _to_receipt(again)
    if again is not None:
        # From a page one went back to, or a second one of the same draft, with other words: nothing is lost.
        form.idempotency_key.data = new_key()
    pending = [photo for photo in _take_photos(form, _pending(_draft())) if photo.widths]
    if not _is_good(form):
        return _write_page(form, pending), 422
    with transaction() as ctx:
        person = ctx.actor.person_id
        limit = limits.SAY_PER_PERSON if person else limits.SAY_PER_ADDRESS
        limits.spend(ctx, limit, str(person or entrance.address()))
    try:
        standing = _just_said(form, pending)
        return _to_receipt(standing or _placed(form, pending), again=standing is not None)
    except Invalid as error:
        refuse(form, error)
        return _write_page(form, pending), 422


def _command(form: SayForm, pending: list[StoredPhoto]) -> proposals.Say:
    return proposals.Say(
        **form.words(), photos=tuple(pending), idempotency_key=form.idempotency_key.data or new_key()
    )


def _just_said(form: SayForm, pending: list[StoredPhoto]) -> Contribution | None:
    """What this sender has placed a moment ago with the same words and pictures; its draft goes."""
    folder = lab().settings.uploads
    sent_id = (session.get(_SENT) or (0,))[0]
    standing = proposals.just_said(context(), _command(form, pending), sent_id)
    if standing is None:
        return None
    shown = [photos.stored(photo) for photo in photos.of_contribution(context(), standing.id)]
    if not all(any(uploads.is_same(folder, photo, other) for other in shown) for photo in pending):
        return None
    with transaction() as ctx:
        drafts.drop(ctx, draft_owner(), proposals.DRAFT)
    for photo in pending:
        uploads.discard(folder, photo)
    return standing


def _placed(form: SayForm, pending: list[StoredPhoto]) -> Contribution:
    command = _command(form, pending)
    try:
        with transaction() as ctx:
            return proposals.say(ctx, command, draft_owner())
    except IntegrityError as error:
        if not is_violation(error, "uq_contribution_idempotency_key"):
            raise
        # Two clicks at the same moment: the other one was first.
        found = proposals.placed_by_key(context(), command.idempotency_key, draft_owner())
        assert found is not None
        return found


def _to_receipt(placed: Contribution, *, again: bool = False) -> Response:
    session[_SENT] = [placed.id, int(context().now.timestamp()), again]
    return redirect(url_for("proposals.done"), 303)


def _sent(within: timedelta) -> tuple[int, bool]:
    """What this browser has sent so long ago at most (0 for nothing), and whether it was sent before."""
    placed_id, at, *again = session.get(_SENT) or (0, 0)
    return (placed_id if at >= (context().now - within).timestamp() else 0), any(again)


def claim_sent(found: Reader) -> None:
    """Give what this browser has just sent to the person who signed in from its receipt."""
    placed_id, _again = _sent(_CLAIM)
    if placed_id:
        with transaction() as ctx:
            proposals.claim(replace(ctx, actor=found.actor), placed_id)


@blueprint.get("/proposte/nuova/fatto")
@public
def done() -> str:
    """Step three: the receipt, for the browser that sent and for a while only."""
    ctx = context()
    placed_id, again = _sent(_RECEIPT)
    if not placed_id:
        raise NotFound("receipt")
    placed = proposals.sent(ctx, placed_id)
    address = lab().settings.base_url + url_for("receipts.show", code=placed.receipt_code)
    return render_template(
        "pages/proposals/done.html",
        c=placed,
        again=again,
        code=format_receipt_code(placed.receipt_code),
        qr=qr_svg(address),
        step=3,
        **_frame(),
    )


@blueprint.get("/proposte/simili")
@cached
def alike() -> str:
    """A piece of page: up to five that say much the same as `?q=`."""
    words = request.args.get("q", "")[:400]
    found = similar.alike(context(), words) if len(words.strip()) >= 8 else []
    return render_template("pages/proposals/_alike.html", alike=[_alike(one) for one in found])
