"""Lines of paper as somebody types them: kept as typed until they are right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, SelectChoice, SelectField
from wtforms.validators import InputRequired, NumberRange

from lab.kernel.errors import Conflict, Invalid
from lab.services.paper import LINES, SHEETS_MOST, Line, TypeLine
from lab.web.forms.base import CreatingForm
from lab.web.labels import error_words
from lab.web.numbers import whole

_LONGEST = 254


class SheetsForm(CreatingForm):
    """How many sheets to print, with how many lines."""

    how_many = IntegerField(
        _l("Quanti fogli"),
        [InputRequired(_l("Scrivi quanti.")), NumberRange(1, SHEETS_MOST, _l("Da 1 a 20 per volta."))],
        default=2,
    )
    lines = SelectField(
        _l("Righe su ogni foglio"),
        choices=[SelectChoice(number, str(number)) for number in LINES],
        coerce=int,
    )


@dataclass(frozen=True)
class Typed:
    """One line of the page: as it is typed, as it stands (`line`), and what is wrong with it."""

    number: int
    name: str = ""
    contact: str = ""
    people: str = "1"
    needs: str = ""
    arrived: bool = True
    version: int | None = None
    line: Line | None = None
    trouble: str = ""
    #: The column that the trouble is about.
    field: str = ""
    #: Somebody else typed something else: both are shown.
    differs: bool = False

    @property
    def is_saved(self) -> bool:
        """Whether the line stands as it is shown."""
        return self.version is not None and not self.trouble and not self.differs

    @property
    def is_blank(self) -> bool:
        """Whether nobody wrote anything on it, and nothing stands there."""
        return self.version is None and not (self.name or self.contact or self.needs)

    def command(self, event_id: int, sheet_no: int) -> TypeLine:
        """What to save. Raises `Invalid("people", …)` when it is no number."""
        people = self.people.strip() or "1"
        if not (people.isascii() and people.isdecimal()):
            raise Invalid("people", "bad_number")
        if len(people) > 4:
            raise Invalid("people", "out_of_range")
        return TypeLine(
            event_id, sheet_no, self.number, self.name, self.contact, int(people), self.needs, self.arrived,
            self.version,
        )  # fmt: skip

    def after(self, line: Line) -> Typed:
        """The line once it is saved."""
        return as_typed(line)

    def refused(self, error: Invalid | Conflict, line: Line) -> Typed:
        """What was typed, with what is wrong; when others typed something else, beside theirs."""
        field = error.field if isinstance(error, Invalid) else "name"
        differs = isinstance(error, Conflict) and error.code == "typed_differently"
        version = line.row.version if line.row and differs else self.version
        return replace(
            self,
            trouble=str(error_words(error.code)),
            field=field,
            differs=differs,
            line=line,
            version=version,
        )


def as_typed(line: Line) -> Typed:
    """A line that stands, as the page shows it."""
    row = line.row
    if row is None:
        return Typed(line.number, line=line)
    return Typed(
        line.number, row.name, line.contact, str(line.people), row.needs_note, line.arrived, row.version, line
    )


def from_form(form: Mapping[str, str], number: int, suffix: str = "") -> Typed:
    """A line out of the fields of the page; `suffix` tells lines apart when all are sent."""

    def said(name: str) -> str:
        return form.get(f"{name}{suffix}", "").strip()[:_LONGEST]

    version = said("version")
    return Typed(
        number,
        said("name"),
        said("contact"),
        said("people") or "1",
        said("needs"),
        bool(said("arrived")),
        whole(version),
    )


def in_words(typed: Typed) -> str:
    """Everything on a line in one sentence, to be compared by eye."""
    parts = [typed.name, typed.contact, _("in %(number)s", number=typed.people), typed.needs]
    parts.append(_("è venuto") if typed.arrived else _("non è venuto"))
    return ", ".join(part for part in parts if part)
