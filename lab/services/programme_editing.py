"""The coordinator keeps the programme: words, phases, bodies, offices, and which office leads a project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import func, select

from lab.db import search
from lab.db.base import Base
from lab.db.locking import expect_version, locked
from lab.kernel.clock import local_date
from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.text import clean_line, clean_text, valid_email
from lab.models.programme import Body, BodyKind, Office, Phase, Programme
from lab.models.projects import Project, ProjectChange, ProjectState
from lab.policy.permissions import Permission
from lab.services import audit, codes, outbox, programme, references, seen, wording
from lab.services.context import Context

TITLE_LIMIT = 200
NAME_LIMIT = 160
TEXT_LIMIT = 8000
_EARLIEST, _LATEST = date(1990, 1, 1), date(2100, 12, 31)

Row = TypeVar("Row", bound=Base)


@dataclass(frozen=True)
class ChangeProgramme:
    """The programme itself. `seen` is the fingerprint its page was drawn with; "" before there is one."""

    title: str
    summary: str
    political_office_id: int | None
    technical_office_id: int | None
    starts_on: date | None
    ends_on: date | None
    seen: str = ""


@dataclass(frozen=True)
class SavePhase:
    """A phase; a new one when `phase_id` is None."""

    phase_id: int | None
    title: str
    text: str
    starts_on: date
    ends_on: date | None
    seen: str = ""


@dataclass(frozen=True)
class SaveBody:
    """A body; a new one when `body_id` is None. Signing the programme is not being involved in a project."""

    body_id: int | None
    name: str
    kind: BodyKind
    is_signatory: bool
    note: str
    seen: str = ""


@dataclass(frozen=True)
class SaveOffice:
    """A municipal office; a new one when `office_id` is None. A closed one keeps its past."""

    office_id: int | None
    body_id: int
    name: str
    task: str
    email: str
    is_closed: bool
    seen: str = ""


@dataclass(frozen=True)
class AddProject:
    """A formal project, handed to its one leading office."""

    title: str
    axis: str
    office_id: int


@dataclass(frozen=True)
class HandOver:
    """Another office leads the project from now on."""

    project_id: int
    version: int | None
    office_id: int
    why: str


def row(ctx: Context, model: type[Base], key: int | None) -> Base | None:
    """The row that is to be changed; None where a new one is to be made. Raises `NotFound`."""
    found = ctx.session.get(model, key) if key is not None else None
    if key is not None and found is None:
        raise NotFound(model.__tablename__)
    return found


def change_programme(ctx: Context, command: ChangeProgramme) -> Programme:
    """Write the programme down, or change it.

    Raises `Conflict("changed_meanwhile")` when somebody else wrote in between, `Invalid` for empty titles,
    unknown offices and days out of order.
    """
    grant = ctx.require(Permission.PROGRAMME_EDIT)
    row = programme.the_programme(ctx)
    if row is not None:
        row = locked(ctx.session, Programme, row.id)
    title = wording.line("title", command.title, TITLE_LIMIT, needed=True)
    for field in ("political_office", "technical_office"):
        references.known(ctx, field, Office, getattr(command, f"{field}_id"))
    _check_days(command.starts_on, command.ends_on)
    with seen.changing(row, command.seen):
        if row is None:
            row = Programme(title=title)
            ctx.session.add(row)
        row.title, row.summary = title, wording.text("summary", command.summary, TEXT_LIMIT)
        row.political_office_id = command.political_office_id
        row.technical_office_id = command.technical_office_id
        row.starts_on, row.ends_on = command.starts_on, command.ends_on
    ctx.session.flush()
    audit.record(ctx, "programme.change", row, grant)
    return row


def save_phase(ctx: Context, command: SavePhase) -> Phase:
    """Add a phase or change one. Raises `Invalid` and `Conflict` as above."""
    grant = ctx.require(Permission.PROGRAMME_EDIT)
    row = _held(ctx, Phase, command.phase_id)
    title = wording.line("title", command.title, NAME_LIMIT, needed=True)
    _check_days(command.starts_on, command.ends_on)
    values = {
        "title": title,
        "text": wording.text("text", command.text, TEXT_LIMIT),
        "starts_on": command.starts_on,
        "ends_on": command.ends_on,
    }
    with seen.changing(row, command.seen):
        row = _filled(row or _new_phase(ctx, values), values)
    ctx.session.flush()
    audit.record(ctx, "phase.save", row, grant)
    return row


def _new_phase(ctx: Context, values: dict[str, Any]) -> Phase:
    whole = programme.the_programme(ctx)
    if whole is None:
        raise Conflict("no_programme")
    locked(ctx.session, Programme, whole.id)
    same = seen.made_already(ctx.session.execute(select(Phase)).scalars(), "title", values)
    if same is not None:
        return same
    last = ctx.session.execute(select(func.max(Phase.position))).scalar() or 0
    return _added(ctx, Phase(programme_id=whole.id, position=int(last) + 1))


def save_body(ctx: Context, command: SaveBody) -> Body:
    """Add a body or change one. Raises `Invalid` and `Conflict` as above."""
    grant = ctx.require(Permission.PROGRAMME_EDIT)
    row = _held(ctx, Body, command.body_id)
    values = {
        "name": wording.line("name", command.name, NAME_LIMIT, needed=True),
        "kind": command.kind,
        "note": wording.text("note", command.note, TEXT_LIMIT),
        "is_signatory": command.is_signatory,
    }
    with seen.changing(row, command.seen):
        row = _filled(row or _new_body(ctx, values), values)
    ctx.session.flush()
    audit.record(ctx, "body.save", row, grant, is_signatory=row.is_signatory)
    return row


def _new_body(ctx: Context, values: dict[str, Any]) -> Body:
    codes.hold(ctx, "E")
    there = ctx.session.execute(select(Body)).scalars()
    return seen.made_already(there, "name", values) or _added(ctx, Body(code=_free_code(ctx, Body, "E")))


def save_office(ctx: Context, command: SaveOffice) -> Office:
    """Add an office or change one.

    Raises `Conflict("office_leads")` when an office that still leads projects would close, and `Invalid`
    and `Conflict` as above.
    """
    grant = ctx.require(Permission.PROGRAMME_EDIT)
    row = _held(ctx, Office, command.office_id)
    name = wording.line("name", command.name, NAME_LIMIT, needed=True)
    references.known(ctx, "body", Body, command.body_id)
    email = clean_line(command.email, 254)
    if email and not valid_email(email):
        raise Invalid("email", "email")
    if row is not None and command.is_closed and row.closed_on is None:
        _expect_no_projects(ctx, row)
    since = row.closed_on if row is not None else None
    values = {
        "body_id": command.body_id,
        "name": name,
        "email": email or None,
        "task": wording.text("task", command.task, TEXT_LIMIT),
        "closed_on": (since or local_date(ctx.now, ctx.timezone)) if command.is_closed else None,
    }
    with seen.changing(row, command.seen):
        row = _filled(row or _new_office(ctx, values), values)
    ctx.session.flush()
    audit.record(ctx, "office.save", row, grant, is_closed=command.is_closed)
    return row


def _new_office(ctx: Context, values: dict[str, Any]) -> Office:
    codes.hold(ctx, "U")
    # The name of an office that is no more may come back.
    standing = ctx.session.execute(select(Office).where(Office.closed_on.is_(None))).scalars()
    same = seen.made_already(standing, "name", values)
    return same or _added(ctx, Office(code=_free_code(ctx, Office, "U")))


def add_project(ctx: Context, command: AddProject) -> Project:
    """Put a formal project on the programme; its office tells the rest. Raises `Invalid`, `Conflict`.

    The same words sent twice are one project.
    """
    grant = ctx.require(Permission.PROGRAMME_EDIT)
    whole = programme.the_programme(ctx)
    if whole is None:
        raise Conflict("no_programme")
    references.office_in_being(ctx, command.office_id)
    values = {
        "title": wording.line("title", command.title, TITLE_LIMIT, needed=True),
        "axis": clean_line(command.axis, 80),
        "office_id": command.office_id,
    }
    codes.hold(ctx, "P")
    same = seen.made_already(ctx.session.execute(select(Project)).scalars(), "title", values)
    if same is not None:
        return same
    last = ctx.session.execute(select(func.max(Project.position))).scalar() or 0
    row = Project(
        **values,
        code=_free_code(ctx, Project, "P"),
        programme_id=whole.id,
        state=ProjectState.IN_DESIGN,
        state_since=local_date(ctx.now, ctx.timezone),
        position=int(last) + 1,
    )
    ctx.session.add(row)
    ctx.session.flush()
    search.put_document(ctx.session, "project", row.id, f"{row.title} {row.axis} {row.code}", is_public=True)
    audit.record(ctx, "project.add", row, grant, office_id=row.office_id)
    return row


def hand_over(ctx: Context, command: HandOver) -> Project:
    """Give a project to another office; the past keeps the office of its day.

    Raises `Invalid("why", "required")`, `Invalid("office", "unknown")`, `Conflict("changed_meanwhile")`.
    """
    grant = ctx.require(Permission.PROGRAMME_EDIT)
    row = locked(ctx.session, Project, command.project_id)
    expect_version(row, command.version)
    why = clean_text(command.why, 1000)
    if not why:
        raise Invalid("why", "required")
    office = references.office_in_being(ctx, command.office_id)
    if office.id == row.office_id:
        return row
    before = ctx.session.get(Office, row.office_id)
    change = ProjectChange(
        project_id=row.id, at=ctx.now, what="office", before=before.name if before else "",
        after=office.name, why=why, person_id=ctx.actor.person_id, office_id=office.id,
    )  # fmt: skip
    row.office_id, row.version = office.id, row.version + 1
    ctx.session.add(change)
    ctx.session.flush()
    audit.record(ctx, "project.hand_over", row, grant, reason=why, to_office=office.id)
    outbox.announce(ctx, "project.changed", project_id=row.id, change_id=change.id)
    return row


def _held(ctx: Context, model: type[Row], key: int | None) -> Row | None:
    return None if key is None else locked(ctx.session, model, key)


def _added(ctx: Context, row: Row) -> Row:
    ctx.session.add(row)
    return row


def _filled(row: Row, values: dict[str, Any]) -> Row:
    for key, value in values.items():
        setattr(row, key, value)
    return row


def _expect_no_projects(ctx: Context, office: Office) -> None:
    led = select(Project.id).where(Project.office_id == office.id, Project.state != ProjectState.COMPLETED)
    if ctx.session.execute(led.limit(1)).first():
        raise Conflict("office_leads")


def _free_code(ctx: Context, model: type[Body | Office | Project], prefix: str) -> str:
    # Codes that came with the programme may stand ahead of our counter.
    while True:
        number = codes.reserve(ctx, prefix, 1)
        code = f"{prefix}{number}" if model is Project else codes.format_code(prefix, number)
        taken = select(model.id).where(model.code == code)
        if ctx.session.execute(taken).first() is None:
            return code


def _check_days(starts_on: date | None, ends_on: date | None) -> None:
    for field, day in (("starts_on", starts_on), ("ends_on", ends_on)):
        if day is not None and not _EARLIEST <= day <= _LATEST:
            raise Invalid(field, "day")
    if starts_on and ends_on and ends_on < starts_on:
        raise Invalid("ends_on", "dates_order")
