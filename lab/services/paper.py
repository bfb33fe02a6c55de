"""Sheets of paper at the door: printed with a number, typed in afterwards line by line.

Sheet and line are the key of what is typed: two volunteers who type the same sheet make no doubles. A line
that the second one reads differently is refused until a person has seen both and chosen.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from lab.kernel.errors import Conflict, Invalid, NotFound
from lab.kernel.text import clean_line, fold_email, valid_email
from lab.models.events import Event
from lab.models.registrations import PaperSheet, Registration, RegistrationState, Source
from lab.policy.actor import Grant
from lab.services import arrivals, audit, doubles, hosting, registrations, seats, twins
from lab.services.arrivals import PEOPLE_MOST, Arrive, WalkIn
from lab.services.context import Context
from lab.services.registrations import NAME_LIMIT, Party

SHEETS_MOST = 20
LINES = (20, 25, 30, 40)
NOTE_LIMIT = 200
#: Names of lines are made out of this, so that the same line has the same id wherever it is typed.
_LINES_OF_SHEETS = uuid.UUID("5f0c2a52-9d3c-5c59-8d7e-6a3b8a6f1d20")


@dataclass(frozen=True)
class TypeLine:
    """One line as somebody reads it. `expected_version`: the number of the row they had before them; None
    for a line that was empty."""

    event_id: int
    sheet_no: int
    line_no: int
    name: str
    contact: str = ""
    people: int = 1
    needs_note: str = ""
    arrived: bool = True
    expected_version: int | None = None


@dataclass(frozen=True)
class Line:
    """A line as it stands: its row (None: empty), and whether they came."""

    number: int
    row: Registration | None = None

    @property
    def contact(self) -> str:
        """The contact as it was written."""
        return (self.row.email or self.row.phone or "") if self.row else ""

    @property
    def arrived(self) -> bool:
        """Whether the line says that they came; so do empty ones, since most do."""
        return self.row is None or self.row.arrived_count > 0

    @property
    def people(self) -> int:
        """How many came, or would come."""
        return (self.row.arrived_count or self.row.party_size) if self.row else 1

    @property
    def is_merged(self) -> bool:
        """The party stands on another row."""
        return self.row is not None and self.row.state is RegistrationState.MERGED


@dataclass(frozen=True)
class Sheet:
    """A printed sheet, and how many of its lines are typed in."""

    sheet: PaperSheet
    typed: int


def print_sheets(ctx: Context, event_id: int, how_many: int, lines: int) -> list[PaperSheet]:
    """Give numbers to new sheets. Raises `Invalid` for how_many (1-20) and lines."""
    event, grant = hosting.run(ctx, event_id)
    if not 1 <= how_many <= SHEETS_MOST:
        raise Invalid("how_many", "out_of_range")
    if lines not in LINES:
        raise Invalid("lines", "out_of_range")
    registrations.ensure_books(ctx, event.id)
    with seats.books(ctx, event.id):
        # Under the books, so that two who print at once get different numbers.
        last = select(func.coalesce(func.max(PaperSheet.number), 0)).where(PaperSheet.event_id == event.id)
        first = int(ctx.session.execute(last).scalar_one()) + 1
        made = [
            PaperSheet(
                event_id=event.id, number=number, lines=lines, printed_at=ctx.now,
                printed_by_id=ctx.actor.person_id,
            )
            for number in range(first, first + how_many)
        ]  # fmt: skip
        ctx.session.add_all(made)
        audit.record(ctx, "paper.print", event, grant, sheets=how_many, lines=lines)
    return made


def sheets(ctx: Context, event: Event) -> list[Sheet]:
    """The sheets of a meeting in order, with what is typed. One statement."""
    typed = (
        select(Registration.sheet_no, func.count().label("typed"))
        .where(
            Registration.event_id == event.id,
            Registration.sheet_no.is_not(None),
            Registration.state != RegistrationState.CANCELLED,
        )
        .group_by(Registration.sheet_no)
        .subquery()
    )
    query = (
        select(PaperSheet, func.coalesce(typed.c.typed, 0))
        .outerjoin(typed, typed.c.sheet_no == PaperSheet.number)
        .where(PaperSheet.event_id == event.id)
        .order_by(PaperSheet.number)
    )
    return [Sheet(sheet, int(number)) for sheet, number in ctx.session.execute(query)]


def sheet_of(ctx: Context, event_id: int, number: int) -> PaperSheet:
    """One sheet by its number. Raises `NotFound`."""
    query = select(PaperSheet).where(PaperSheet.event_id == event_id, PaperSheet.number == number)
    found = ctx.session.execute(query).scalar_one_or_none()
    if found is None:
        raise NotFound("sheet")
    return found


def some_sheets(ctx: Context, event: Event, numbers: Sequence[int]) -> list[PaperSheet]:
    """The sheets of these numbers, in order; unknown ones are left out."""
    query = select(PaperSheet).where(PaperSheet.event_id == event.id, PaperSheet.number.in_(numbers))
    return list(ctx.session.execute(query.order_by(PaperSheet.number)).scalars())


def lines(ctx: Context, sheet: PaperSheet) -> list[Line]:
    """All lines of a sheet, typed or not. One statement."""
    query = select(Registration).where(
        Registration.event_id == sheet.event_id,
        Registration.sheet_no == sheet.number,
        Registration.state != RegistrationState.CANCELLED,
    )
    rows = {row.line_no: row for row in ctx.session.execute(query).scalars()}
    return [Line(number, rows.get(number)) for number in range(1, sheet.lines + 1)]


def type_line(ctx: Context, command: TypeLine) -> Line:
    """Write a line down, correct it, or empty it (no name). The same content again changes nothing.

    Raises `NotFound`, `Invalid` for name, contact, people, and `Conflict`: typed_differently (somebody
    typed something else there), merged_line (it is part of another row now), event_cancelled, list_closed.
    """
    event, grant = hosting.run(ctx, command.event_id)
    sheet = sheet_of(ctx, event.id, command.sheet_no)
    if not 1 <= command.line_no <= sheet.lines:
        raise NotFound("line")
    _check(command)
    registrations.ensure_books(ctx, event.id)
    with seats.books(ctx, event.id) as held:
        if held.sign_up.forgotten_at is not None:
            raise Conflict("list_closed")
        row = _row(ctx, command)
        if row is None:
            if not clean_line(command.name, NAME_LIMIT):
                return Line(command.line_no)
            row = _write(ctx, command)
            _give_contact(held, row, command.contact, grant)
        elif not _same(row, command):
            _correct(held, row, command, grant)
    gone = row.state is RegistrationState.CANCELLED
    return Line(command.line_no, None if gone else row)


def finish(ctx: Context, event_id: int, number: int, *, is_typed: bool) -> PaperSheet:
    """Say that all lines of a sheet are typed in, or that they are not."""
    event, grant = hosting.run(ctx, event_id)
    sheet = sheet_of(ctx, event.id, number)
    sheet.typed_at = ctx.now if is_typed else None
    audit.record(ctx, "paper.typed" if is_typed else "paper.open", event, grant, sheet=number)
    ctx.session.flush()
    return sheet


def read_contact(contact: str) -> tuple[str | None, str | None]:
    """What stands in the column of contacts: an e-mail address or a telephone number.

    Raises `Invalid("contact", …)` with bad_email or bad_phone.
    """
    written = clean_line(contact, 254)
    if not written:
        return None, None
    if "@" in written:
        if not valid_email(written):
            raise Invalid("contact", "bad_email")
        return written, None
    try:
        registrations.phone_key_of(written)
    except Invalid as error:
        raise Invalid("contact", error.code) from None
    return None, clean_line(written, 32)


def _check(command: TypeLine) -> None:
    if len(clean_line(command.name, NAME_LIMIT + 1)) > NAME_LIMIT:
        raise Invalid("name", "too_long")
    if not 1 <= command.people <= PEOPLE_MOST:
        raise Invalid("people", "out_of_range")
    read_contact(command.contact)
    rest = command.contact.strip() or command.needs_note.strip()
    if rest and not clean_line(command.name, NAME_LIMIT):
        raise Invalid("name", "name_missing")


def _row(ctx: Context, command: TypeLine) -> Registration | None:
    query = select(Registration.id).where(
        Registration.event_id == command.event_id,
        Registration.sheet_no == command.sheet_no,
        Registration.line_no == command.line_no,
    )
    found = ctx.session.execute(query).scalar_one_or_none()
    return registrations.locked_registration(ctx, found) if found is not None else None


def _write(ctx: Context, command: TypeLine) -> Registration:
    line_id = str(uuid.uuid5(_LINES_OF_SHEETS, f"{command.event_id}/{command.sheet_no}/{command.line_no}"))
    note = clean_line(command.needs_note, NOTE_LIMIT)
    if command.arrived:
        walk_in = WalkIn(
            command.event_id, command.name, command.people, source=Source.PAPER, needs_note=note,
            sheet_no=command.sheet_no, line_no=command.line_no, client_uuid=line_id,
        )  # fmt: skip
        return arrivals.walk_in(ctx, walk_in).registration
    party = Party(
        command.event_id, command.name, party_size=command.people, source=Source.PAPER, needs_note=note,
        sheet_no=command.sheet_no, line_no=command.line_no, client_uuid=line_id,
    )  # fmt: skip
    return registrations.sign_up(ctx, party)


def _give_contact(held: seats.Books, row: Registration, contact: str, grant: Grant) -> None:
    """Note the contact. The same name with it is the same party; another name may be of the same house."""
    row.email, row.phone = read_contact(contact)
    row.email_key = row.phone_key = None
    held.ctx.session.flush()
    keys = {
        "email_key": fold_email(row.email) if row.email else None,
        "phone_key": registrations.phone_key_of(row.phone or ""),
    }
    twin = twins.standing(held.ctx, Registration(event_id=row.event_id, **keys))
    if twin is None or twin.id == row.id:
        row.email_key, row.phone_key = keys["email_key"], keys["phone_key"]
    elif twin.name_key == row.name_key:
        doubles.unite_rows(held, twin, row, grant)


def _same(row: Registration, command: TypeLine) -> bool:
    if row.state is RegistrationState.CANCELLED:
        return not command.name.strip()
    line = Line(command.line_no, row)
    email, phone = read_contact(command.contact)
    return (
        row.name == clean_line(command.name, NAME_LIMIT)
        and (row.email, registrations.phone_key_of(row.phone or ""))
        == (email, registrations.phone_key_of(phone or ""))
        and line.people == command.people
        and row.needs_note == clean_line(command.needs_note, NOTE_LIMIT)
        and line.arrived == command.arrived
    )


def _correct(held: seats.Books, row: Registration, command: TypeLine, grant: Grant) -> None:
    was_empty = row.state is RegistrationState.CANCELLED
    if not was_empty and command.expected_version != row.version:
        raise Conflict("typed_differently")
    if row.state is RegistrationState.MERGED:
        raise Conflict("merged_line")
    name = clean_line(command.name, NAME_LIMIT)
    if not name:
        _empty(held, row)
        return
    row.name, row.name_key = name, registrations.name_key(name)
    row.needs_note = clean_line(command.needs_note, NOTE_LIMIT)
    _correct_presence(held, row, command)
    _give_contact(held, row, command.contact, grant)
    row.version += 1
    audit.record(held.ctx, "paper.correct", row, grant, sheet=command.sheet_no, line=command.line_no)


def _correct_presence(held: seats.Books, row: Registration, command: TypeLine) -> None:
    ctx, inside = held.ctx, arrivals.standing_arrival(held.ctx, row.id)
    if inside is not None and not command.arrived:
        arrivals.undo(ctx, row.event_id, inside.id)
    if row.state is RegistrationState.CANCELLED:
        held.bring_back(row, over=command.arrived)
    if row.party_size != command.people:
        held.resize(row, command.people, row.group_id)
    if not command.arrived:
        return
    if inside is None:
        arrivals.arrive(ctx, Arrive(row.event_id, row.id, people=command.people, source=Source.PAPER))
    elif inside.people != command.people:
        arrivals.recount(ctx, row.event_id, inside.id, command.people)


def _empty(held: seats.Books, row: Registration) -> None:
    inside = arrivals.standing_arrival(held.ctx, row.id)
    if inside is not None:
        arrivals.undo(held.ctx, row.event_id, inside.id)
    if row.state in registrations.STANDING:
        held.remove(row, RegistrationState.CANCELLED)
        row.cancelled_at = held.ctx.now
    row.email_key = row.phone_key = None
    row.version += 1
