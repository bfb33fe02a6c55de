"""Typing for others: one page from the keyboard, then the slip, then the next."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from lab.kernel.clock import local_date
from lab.kernel.errors import Invalid, NotFound
from lab.kernel.ids import format_receipt_code
from lab.models.contributions import Channel, Contribution, Kind
from lab.policy.permissions import Permission
from lab.services import events, intake, listing, similar
from lab.services.intake import TypeIn
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.forms.base import refuse
from lab.web.forms.intake import IntakeForm, listed_name
from lab.web.i18n import language
from lab.web.qr import qr_svg

blueprint = Blueprint("intake", __name__)

#: What the next sheet begins with: the same hall, the same evening.
_REMEMBERED = ("channel", "event", "place", "pile")
_MEMORY = "intake"
_SHORTEST = 12


@blueprint.get("/regia/scrivi")
@allow(Permission.CONTRIBUTION_TYPE)
def new() -> str:
    """An empty page with the last channel, meeting and place."""
    remembered = {key: value for key, value in session.get(_MEMORY, {}).items() if key in _REMEMBERED}
    today = local_date(context().now, context().timezone)
    return _page(IntakeForm(formdata=None, said_on=today, **remembered))


@blueprint.post("/regia/scrivi")
@allow(Permission.CONTRIBUTION_TYPE)
def create() -> tuple[str, int] | Response:
    """Write it down; then the slip, or with a pile the next sheet at once."""
    form = IntakeForm()
    choices = _offer(form)
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        with transaction() as ctx:
            placed = intake.type_in(ctx, _command(form, choices))
    except Invalid as error:
        refuse(form, error)
        return _page(form), 422
    session[_MEMORY] = {name: form[name].data for name in _REMEMBERED}
    if form.pile.data:
        return redirect(url_for("intake.new", fatto=placed.code), 303)
    return redirect(url_for("intake.slip", code=placed.code), 303)


@blueprint.get("/regia/scrivi/<code>")
@allow(Permission.CONTRIBUTION_TYPE)
def slip(code: str) -> str:
    """The receipt to print and hand over."""
    placed = intake.typed(context(), code)
    path = url_for("receipts.show", code=placed.receipt_code)
    return render_template(
        "pages/intake/slip.html",
        c=placed,
        written=format_receipt_code(placed.receipt_code),
        address=lab().settings.base_url + path,
        qr=qr_svg(lab().settings.base_url + path),
        alike=_alike(placed),
        sheet="slip",
    )


@blueprint.get("/regia/scrivi/simili")
@allow(Permission.CONTRIBUTION_TYPE)
def look_alikes() -> str:
    """A piece of page: what others have said in much the same words (`q`)."""
    words = request.args.get("q", "")[:400]
    found = similar.alike(context(), words, most=3) if len(words.strip()) >= _SHORTEST else []
    return render_template("pages/intake/_alike.html", alike=found)


def _alike(placed: Contribution) -> list[similar.Alike]:
    return similar.alike(context(), f"{placed.title} {placed.text}", exclude=placed.id, most=3)


def _offer(form: IntakeForm) -> list[listing.Choice]:
    ctx = context()
    choices = listing.choices(ctx)
    form.offer(choices, intake.recent_events(ctx), language())
    return choices


def _page(form: IntakeForm) -> str:
    if not form.is_submitted():
        _offer(form)
    done = request.args.get("fatto")
    last = _typed_before(done) if done else None
    return render_template(
        "pages/intake/new.html",
        form=form,
        known=[listed_name(person) for person in intake.known_people(context())],
        last=last,
        last_code=format_receipt_code(last.receipt_code) if last else "",
        last_alike=_alike(last) if last else [],
        more=any(form[name].errors for name in ("title", "shown_name", "postal", "hands", "said_on")),
    )


def _typed_before(code: str) -> Contribution | None:
    try:
        return intake.typed(context(), code[:24])
    except NotFound:
        return None


def _command(form: IntakeForm, choices: list[listing.Choice]) -> TypeIn:
    name, person_id = form.person()
    return TypeIn(
        text=form.text.data or "",
        channel=_channel(form.channel.data),
        kind=Kind(form.kind.data),
        title=form.title.data or "",
        author_name=form.shown_name.data or "",
        person_id=person_id,
        person_name=name,
        register=bool(form.register.data) and person_id is None,
        postal=form.postal.data or "",
        theme_id=_id(choices, "theme", form.theme.data),
        place_id=_id(choices, "place", form.place.data),
        event_id=events.public_id(context(), form.event.data),
        said_on=form.said_on.data,
        hands=form.hands.data or 0,
        private=bool(form.private.data),
        idempotency_key=form.idempotency_key.data or None,
    )


def _channel(written: str) -> Channel:
    return Channel(written) if written in set(Channel) else abort(400)


def _id(choices: list[listing.Choice], what: str, code: str | None) -> int | None:
    return next((one.id for one in choices if one.what == what and one.code == code), None)
