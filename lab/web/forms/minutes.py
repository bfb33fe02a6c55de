"""Forms of the minutes: what was said, points agreed, who does what by when."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    DateField,
    FieldList,
    Form,
    FormField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import NumberRange, Optional
from wtforms.widgets import HiddenInput

from lab.kernel.errors import Invalid
from lab.models.capture import CommitmentState
from lab.services.commitments import NOTE_LIMIT as PROMISE_NOTE
from lab.services.desk import Choices
from lab.services.minutes import (
    ATTENDED_LIMIT,
    NOTE_LIMIT,
    OWNER_LIMIT,
    POINT_LIMIT,
    POINTS,
    PROMISES,
    SUMMARY_LIMIT,
    TEXT_LIMIT,
    WHAT_LIMIT,
    Point,
    Promise,
)
from lab.web.forms.base import LabForm
from lab.web.forms.desk import number_or_none
from lab.web.forms.proposals import AtMost
from lab.web.labels import error_words, label
from lab.web.numbers import whole

#: Empty lines below those already written.
SPARE = 3


class PointRow(Form):
    """One point agreed; without a project it speaks about those of the meeting."""

    text = TextAreaField(_l("Punto"), [AtMost(POINT_LIMIT)])
    project = SelectField(_l("Progetto"), coerce=number_or_none, choices=[], validators=[Optional()])

    def read(self) -> Point:
        """The row as the service takes it."""
        return Point(self.text.data or "", (self.project.data,) if self.project.data else ())


class PromiseRow(Form):
    """Who does what by when: somebody of the list, or a name."""

    text = StringField(_l("Che cosa"), [AtMost(WHAT_LIMIT)])
    who = SelectField(_l("Chi"), choices=[], validate_choice=False)
    name = StringField(_l("o un nome"), [AtMost(OWNER_LIMIT)])
    due_on = DateField(_l("Entro"), [Optional()])

    def read(self) -> Promise:
        """The row as the service takes it."""
        what, _, number = (self.who.data or "").partition("-")
        key = whole(number)
        return Promise(
            self.text.data or "",
            key if what == "office" else None,
            key if what == "body" else None,
            self.name.data or "",
            self.due_on.data,
        )


class MinutesForm(LabForm):
    """The minutes of a meeting."""

    version = IntegerField(widget=HiddenInput(), validators=[Optional()])
    attended = IntegerField(
        _l("Quante persone c'erano"),
        [Optional(), NumberRange(0, ATTENDED_LIMIT, _l("Un numero, senza altro."))],
    )
    summary = TextAreaField(_l("In due righe, che cosa ne è venuto"), [AtMost(SUMMARY_LIMIT)])
    text = TextAreaField(_l("Che cosa si è detto"), [AtMost(TEXT_LIMIT)])
    points = FieldList(FormField(PointRow), max_entries=POINTS)
    promises = FieldList(FormField(PromiseRow), max_entries=PROMISES)
    note = StringField(_l("Perché lo correggi"), [AtMost(NOTE_LIMIT)])

    def offer(self, choices: Choices) -> None:
        """Fill in what can be chosen, and add a few empty lines."""
        for rows, most in ((self.points, POINTS), (self.promises, PROMISES)):
            written = sum(1 for one in rows if one.form.text.data)
            while len(rows) < min(written + SPARE, most):
                rows.append_entry()
        projects = [SelectChoice(one.id, f"{one.code} · {one.title}") for one in choices.projects]
        offices = [SelectChoice(f"office-{one.id}", one.name) for one in choices.offices]
        bodies = [SelectChoice(f"body-{one.id}", one.name) for one in choices.bodies]
        for point in self.points:
            point.form.project.choices = [SelectChoice("", _l("Quelli dell'incontro")), *projects]
        for promise in self.promises:
            promise.form.who.choices = [SelectChoice("", _l("Scegli, o scrivi il nome")), *offices, *bodies]

    def refuse_row(self, error: Invalid) -> bool:
        """Put what was refused of a row beside it; False when it is about something else."""
        name, _, row = error.field.partition("-")
        if name not in ("points", "promises") or not row.isdecimal():
            return False
        entry = self[name][int(row)]
        entry.form.text.errors = [*entry.form.text.errors, str(error_words(error.code))]
        # The list on top of the page asks the rows as a whole.
        self[name].errors = [one.errors for one in self[name]]
        return True


def row_of(promise: Any) -> dict[str, Any]:
    """A promise of the draft as a row of the form."""
    who = f"office-{promise.office_id}" if promise.office_id else ""
    who = f"body-{promise.body_id}" if promise.body_id else who
    return {"text": promise.text, "who": who, "name": promise.owner_name, "due_on": promise.due_on}


class SettleForm(LabForm):
    """How a promise ended."""

    version = IntegerField(widget=HiddenInput(), validators=[Optional()])
    state = RadioField(
        _l("Com'è andata?"),
        choices=[SelectChoice(one.value, label(one)) for one in CommitmentState],
    )
    note = TextAreaField(_l("In due parole"), [AtMost(PROMISE_NOTE)])
