"""The tablets of a meeting at the desk: pairing, how each is, places lent, files brought, what came of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from lab.models.events import Event, EventState
from lab.models.kiosk import DeviceMode, KioskFile
from lab.policy.permissions import Permission
from lab.services import devices, hosting, kiosk_files, kiosk_log, kiosk_tray, leases
from lab.services.devices import NewCode
from lab.web import kiosk_records, kiosk_shell, kiosk_words
from lab.web.access import allow
from lab.web.app_state import context, lab, transaction
from lab.web.event_tabs import event_tabs, event_trail
from lab.web.formats import datetime_words, time_words
from lab.web.forms.base import LabForm, refuse
from lab.web.forms.kiosk import CodeForm, FileForm
from lab.web.qr import qr_svg

blueprint = Blueprint("kiosk_desk", __name__, url_prefix="/regia/eventi")

Shown = str | tuple[str, int] | Response
#: Where the host's own browser keeps the codes it has just asked for, until they are over.
_CODES = "totem_codes"


@blueprint.get("/<code>/totem")
@allow(Permission.EVENT_RUN)
def index(code: str) -> str:
    """All tablets of the meeting, and what waits for a person."""
    event, _grant = hosting.by_code(context(), code)
    return _draw(event)


def _draw(event: Event, code_form: CodeForm | None = None, file_form: FileForm | None = None) -> str:
    ctx = context()
    held = leases.of_event(ctx, event.id)
    standing = {one.device_id: one for one in held if one.returned_at is None}
    lent: dict[int, int] = {}
    for one in held:
        lent[one.device_id] = lent.get(one.device_id, 0) + one.seats - one.used
    lines = [
        kiosk_words.tablet_line(
            one, standing.get(one.id), lent.get(one.id, 0), ctx.now, kiosk_shell.version(), datetime_words
        )
        for one in devices.of_event(ctx, event.id)
    ]
    return render_template(
        "pages/kiosk_desk/index.html",
        lines=lines,
        waiting=kiosk_tray.open_items(ctx, event.id),
        settled=kiosk_tray.settled_items(ctx, event.id),
        files=kiosk_files.of_event(ctx, event.id),
        code_form=code_form or CodeForm(formdata=None),
        file_form=file_form or FileForm(formdata=None),
        can_pair=_can_pair(event),
        **common(event),
    )


def common(event: Event, *crumbs: tuple[Any, str | None]) -> dict[str, Any]:
    """What every page of these tablets shows."""
    here = url_for("kiosk_desk.index", code=event.code)
    return {
        "event": event,
        "tabs": event_tabs(event),
        "plain_form": LabForm(formdata=None),
        "kinds": kiosk_words.KIND_WORDS,
        "results": kiosk_words.RESULT_WORDS,
        "reason_words": kiosk_words.reason_words,
        "settlement_words": kiosk_words.settlement_words,
        "breadcrumb": event_trail(event, (_("Totem"), here if crumbs else None), *crumbs),
    }


def _can_pair(event: Event) -> bool:
    is_held = event.state is not EventState.CANCELLED
    return is_held and context().now <= devices.ends_at(event) + devices.LIFE_AFTER


@blueprint.post("/<code>/totem")
@allow(Permission.EVENT_RUN)
def make_code(code: str) -> Shown:
    """A code for one more tablet."""
    event, _grant = hosting.by_code(context(), code)
    form, status = CodeForm(), 422
    if form.validate_on_submit():
        command = NewCode(event.id, form.name.data, form.pin.data, DeviceMode(form.mode.data))
        try:
            with transaction() as ctx:
                made, symbols = devices.make_code(ctx, command)
        except (Invalid, Conflict) as error:
            status = refuse(form, error)
        else:
            # Shown to nobody but this browser, which forgets the earlier ones.
            session[_CODES] = {str(made.id): symbols}
            return redirect(url_for("kiosk_desk.show_code", code=code, code_id=made.id), 303)
    event, _grant = hosting.by_code(context(), code)
    return _draw(event, code_form=form), status


@blueprint.get("/<code>/totem/codice/<int:code_id>")
@allow(Permission.EVENT_RUN)
def show_code(code: str, code_id: int) -> str:
    """The code in large letters, and as a QR that opens the totem with it."""
    ctx = context()
    event, _grant = hosting.by_code(ctx, code)
    row = devices.code_of(ctx, event.id, code_id)
    symbols = session.get(_CODES, {}).get(str(code_id), "")
    if not symbols:
        raise NotFound("pairing_code")
    address = f"{lab().settings.base_url}{url_for('kiosk.index')}#{symbols}"
    return render_template(
        "pages/kiosk_desk/code.html",
        row=row,
        symbols=f"{symbols[:4]}-{symbols[4:]}",
        until=time_words(row.expires_at),
        is_over=row.used_at is not None or row.expires_at <= ctx.now,
        qr=qr_svg(address, "totem-qr"),
        address=f"{lab().settings.base_url}{url_for('kiosk.index')}",
        **common(event, (_("Codice"), None)),
    )


@blueprint.post("/<code>/totem/tablet/<int:device_id>/<any(pausa,riprendi,scollega):act>")
@allow(Permission.EVENT_RUN)
def act(code: str, device_id: int, act: str) -> Response:
    """Pause a tablet, let it go on, or end its token."""
    devices.hosted(context(), code, device_id)
    with transaction() as ctx:
        if act == "scollega":
            devices.revoke(ctx, device_id)
        else:
            devices.pause(ctx, device_id, paused=act == "pausa")
    said = {
        "pausa": _("Il tablet va in pausa appena si fa sentire."),
        "riprendi": _("Il tablet riprende appena si fa sentire."),
        "scollega": _("Scollegato. Quello che ha ancora dentro resta lì: salva il file e portalo qui."),
    }
    flash(said[act], "success")
    return redirect(url_for("kiosk_desk.index", code=code), 303)


@blueprint.post("/<code>/totem/tablet/<int:device_id>/posti")
@allow(Permission.EVENT_RUN)
def take_back(code: str, device_id: int) -> Response:
    """Take back the places a tablet still holds."""
    event, device = devices.hosted(context(), code, device_id)
    event_id, held_by = event.id, device.id
    with transaction() as ctx:
        found = [one.id for one in leases.of_event(ctx, event_id) if one.device_id == held_by]
        for lease_id in found:
            leases.take_back(ctx, lease_id)
    flash(_("I posti sono di nuovo di tutti."), "success")
    return redirect(url_for("kiosk_desk.index", code=code), 303)


@blueprint.post("/<code>/totem/file")
@allow(Permission.EVENT_RUN)
def upload(code: str) -> Shown:
    """Take in a file saved on a tablet. The same file again changes nothing."""
    event, _grant = hosting.by_code(context(), code)
    form, status = FileForm(), 422
    if form.validate_on_submit():
        try:
            file = _bring(event, form)
        except Invalid as error:
            refuse(form, error)
        except Unavailable:
            form.form_errors.append(_("Il sito non riesce a salvare adesso. Riprova con lo stesso file."))
            status = 503
        else:
            return redirect(url_for("kiosk_desk.show_file", code=code, file_id=file.id), 303)
    event, _grant = hosting.by_code(context(), code)
    return _draw(event, file_form=form), status


def _bring(event: Event, form: FileForm) -> KioskFile:
    event_id = event.id
    exported = kiosk_files.parse(form.file.data.read(kiosk_files.LONGEST + 1))
    sender = kiosk_files.sender(context(), event, exported)
    before = kiosk_files.earlier(context(), event_id, exported.digest)
    if before is not None:
        flash(_("Questo file c'era già: non è cambiato nulla."), "info")
        return before
    results = kiosk_records.take(sender, exported.records)
    if any(result.status == 503 for result in results):
        raise Unavailable
    with transaction() as ctx:
        return kiosk_files.remember(ctx, event_id, exported, results)


@blueprint.get("/<code>/totem/file/<int:file_id>")
@allow(Permission.EVENT_RUN)
def show_file(code: str, file_id: int) -> str:
    """What became of a file."""
    ctx = context()
    event, _grant = hosting.by_code(ctx, code)
    file = next((one for one in kiosk_files.of_event(ctx, event.id) if one.id == file_id), None)
    if file is None:
        raise NotFound("kiosk_file")
    return render_template("pages/kiosk_desk/file.html", file=file, **common(event, (_("File"), None)))


@blueprint.get("/<code>/totem/arrivato")
@allow(Permission.EVENT_RUN)
def log(code: str) -> str:
    """What became of everything that came from tablets."""
    ctx = context()
    event, _grant = hosting.by_code(ctx, code)
    return render_template(
        "pages/kiosk_desk/log.html",
        lines=kiosk_log.read(ctx, event.id),
        **common(event, (_("Che cosa è arrivato"), None)),
    )
