"""The page of capture: its forms as the meeting asks, its answers for people and for its own script."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from flask import jsonify, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from lab.kernel.errors import Conflict, Invalid
from lab.kernel.ids import new_key
from lab.models.capture import PartKind, Priority
from lab.models.events import Event
from lab.models.rooms import RoomQuestion
from lab.policy.permissions import Permission
from lab.services import capture_kinds, capture_pages, capture_parts, desk, photos
from lab.services.capture import Line
from lab.services.capture_kinds import Way
from lab.services.photos import StoredPhoto
from lab.web import uploads
from lab.web.app_state import context, lab, transaction
from lab.web.event_tabs import event_tabs, event_trail
from lab.web.forms.base import refuse
from lab.web.forms.capture import WAY_WORDS, DueForm, LineForm, PartForm, ReplyForm, SheetForm
from lab.web.labels import error_words
from lab.web.nav import NavItem
from lab.web.numbers import whole
from lab.web.uploads import Upload
from lab.web.views.drafts import spend_upload

#: What the next line begins with: the same table, the same place, the same heap of cards.
STICKY = ("part", "round", "place", "theme", "office", "priority")


@dataclass
class Sent:
    """Photographs of one sending: as they are stored, and as they were sent."""

    stored: list[StoredPhoto] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    def discard(self) -> None:
        """Delete the files: nothing refers to them."""
        for photo in self.stored:
            uploads.discard(lab().settings.uploads, photo)


def way_of(event: Event, slug: str | None) -> type[Way]:
    """The way asked for, else the first of the meeting."""
    return capture_kinds.way(event.kind, slug or "") or capture_kinds.ways(event.kind)[0]


def line_form(event: Event, way: type[Way], form: LineForm | None = None, **data: Any) -> LineForm:
    """The form of one line, with what the meeting and the line before say already."""
    ctx = context()
    if form is None:
        form = LineForm(formdata=None, data={**_begin(event, way), **data, "way": way.slug})
    form.offer(desk.choices(ctx))
    form.suit(way, may_route=ctx.may(Permission.CONTRIBUTION_ROUTE))
    return form


def _begin(event: Event, way: type[Way]) -> dict[str, Any]:
    begin: dict[str, Any] = {
        "place": event.place_id,
        "theme": capture_pages.theme_ahead(context(), event),
        "count": 1 if way.slug == "carte" else None,
    }
    for name in STICKY:
        value = request.args.get(name)
        if value is not None:
            begin[name] = value if name in ("part", "priority") else whole(value)
    return begin


def command(event: Event, form: LineForm, sent: Sent) -> Line:
    """What the form says, as the service takes it."""

    def given(name: str, none: Any = None) -> Any:
        return (form[name].data or none) if name in form else none

    return Line(
        event_id=event.id,
        way=form.way.data or "",
        text=form.text.data or "",
        author_name=given("author_name", ""),
        theme_id=given("theme"),
        place_id=given("place"),
        office_id=given("office"),
        part=given("part", ""),
        round=given("round"),
        count=given("count"),
        priority=priority_of(given("priority")),
        self_help=given("self_help", False),
        private=given("private", False),
        answer_due_on=given("due"),
        said_at=_moment(form.said_at.data),
        photos=tuple(sent.stored),
        photo_digests=tuple(sent.digests),
        idempotency_key=form.idempotency_key.data or None,
    )


def priority_of(value: str | None) -> Priority | None:
    """The priority of this code; None for anything else."""
    return next((one for one in Priority if one.value == value), None)


def _moment(value: str | None) -> datetime | None:
    with suppress(ValueError):
        moment = datetime.fromisoformat(value or "")
        return moment if moment.tzinfo else None
    return None


def take_photos(files: Iterable[Upload], name: str = "") -> Sent:
    """Re-make what was sent. Raises `Invalid("photos", …)`, with nothing left behind."""
    sent, found = Sent(), uploads.given(files)
    if len(found) > photos.MOST:
        raise Invalid("photos", "too_many_photos")
    try:
        for file in found:
            spend_upload()
            digest = hashlib.sha256(file.stream.read()).hexdigest()
            file.stream.seek(0)
            sent.stored.append(
                uploads.receive(lab().settings.uploads, file, lab().settings.max_upload_bytes, name)
            )
            sent.digests.append(digest)
    except Invalid:
        sent.discard()
        raise
    return sent


def wants_json() -> bool:
    """Whether the script of the page asks, not a person."""
    return request.accept_mimetypes.best == "application/json"


def refused(form: FlaskForm, error: Invalid | Conflict | None, **known: Any) -> tuple[Response, int] | int:
    """What the script hears, with what is `known` besides; for a person the status of the page."""
    if isinstance(error, Invalid):
        refuse(form, error)
    status = 422 if error is None or isinstance(error, Invalid) else 409
    words = str(error_words(error.code)) if isinstance(error, Conflict) else ""
    if isinstance(error, Conflict):
        form.form_errors.append(words)
        if "idempotency_key" in form:
            # Sending again is deciding knowingly: what stands here now is another line.
            form["idempotency_key"].data = new_key()
    if not wants_json():
        return status
    errors = [str(word) for one in form.errors.values() for word in one]
    if "csrf_token" in form.errors:
        return jsonify(again=True), 400
    return jsonify(error=words or " ".join(errors), code=getattr(error, "code", ""), **known), status


def draw(event: Event, form: LineForm, part: PartForm | None = None, sheet: SheetForm | None = None) -> str:
    """The whole page."""
    ctx = context()
    way = way_of(event, form.way.data)
    lines = capture_pages.lines(ctx, event)
    copy = "copia" in request.args
    return render_template(
        "pages/capture/show.html",
        event=event,
        tabs=event_tabs(event),
        ways=_ways(event, way),
        way=way,
        form=form,
        lines=[] if copy else lines,
        parts=capture_parts.of_event(ctx, event),
        part_forms=part_forms(event, way, part),
        sheet_form=sheet or SheetForm(formdata=None),
        sheets=capture_parts.sheets(ctx, event.id),
        cards=sorted({one.contribution.text for one in lines if one.form == "card"}),
        offline_copy=copy,
        **({"reader": None} if copy else {}),
        breadcrumb=event_trail(event, (_("Raccolta"), None)),
    )


def _ways(event: Event, here: type[Way]) -> list[NavItem]:
    return [
        NavItem(
            str(WAY_WORDS[way.slug]), url_for("capture.show", code=event.code, modo=way.slug), way is here
        )
        for way in capture_kinds.ways(event.kind)
    ]


def part_forms(event: Event, way: type[Way], again: PartForm | None) -> list[PartForm]:
    """A form for each part of this way and one for a new one; `again` is the one that was refused."""
    if way.part is None:
        return []
    ctx = context()
    choices = desk.choices(ctx)
    forms = [
        PartForm(
            formdata=None,
            data={
                "part_id": part.id, "version": part.version, "title": part.title, "place": part.place_id,
                "convenor": part.convenor, "report": part.report,
            },
        )
        for part in capture_parts.of_event(ctx, event)
        if part.kind is way.part
    ]  # fmt: skip
    forms.append(PartForm(formdata=None, data={}))
    if again is not None:
        forms = [again if one.part_id.data == again.part_id.data else one for one in forms]
    for number, form in enumerate(forms):
        suit_part(form, way.part)
        form.offer(choices)
        for one in form:
            one.id = f"part{number}-{one.short_name}"
            one.label.field_id = one.id
    return forms


def suit_part(form: PartForm, kind: PartKind) -> None:
    """Keep what this kind of part has: a convenor and a report are a group's, a place a stop's."""
    gone: tuple[str, ...] = ("place",) if kind is not PartKind.STOP else ()
    gone += ("convenor", "report") if kind is not PartKind.GROUP else ()
    for name in gone:
        if name in form:
            del form[name]


def keep_sheet(event: Event, file: Upload, name: str, alt: str) -> None:
    """Store the photograph of a sheet under its name. The same once more is one; another under the same
    name is refused with `Conflict("same_id_other_content")`. Raises `Invalid("photos", …)`."""
    known = capture_parts.sheet(context(), event, name)
    sent = take_photos([file], "" if known else name)
    if known is not None:
        same = uploads.is_same(lab().settings.uploads, sent.stored[0], photos.stored(known))
        sent.discard()
        if not same:
            raise Conflict("same_id_other_content")
        return
    with transaction() as ctx:
        capture_parts.add_sheet(ctx, event.id, replace(sent.stored[0], alt=alt))


def reply_forms(
    one: RoomQuestion, number: int, again: ReplyForm | DueForm | None
) -> tuple[ReplyForm, DueForm]:
    """The two forms of one question; `again` is the one that was refused, of question `number`."""
    mine = again if number == one.contribution_id else None
    reply: ReplyForm = (
        mine
        if isinstance(mine, ReplyForm)
        else ReplyForm(formdata=None, data={"text": one.answer, "signed": one.signed_as})
    )
    due = mine if isinstance(mine, DueForm) else DueForm(formdata=None, data={"due": one.answer_due_on})
    if mine is not reply or reply.form_errors:
        # What was refused because somebody was quicker is sent again knowingly.
        reply.version.data, reply.version.raw_data = one.contribution.version, None
    for form, mark in ((reply, "risposta"), (due, "giorno")):
        for field_ in form:
            field_.id = f"{mark}-{one.contribution_id}-{field_.short_name}"
            field_.label.field_id = field_.id
    return reply, due
