"""What an office fills in about its project. Every change asks why: people read it."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    DateField,
    Field,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from lab.kernel.money import parse_euro
from lab.models.projects import ProjectState
from lab.services import project_editing as editing
from lab.web.forms.base import LabForm
from lab.web.labels import label
from lab.web.numbers import version_of


def _needed() -> InputRequired:
    return InputRequired(_l("Manca questa parte."))


def _at_most(limit: int) -> Length:
    return Length(max=limit, message=_l("È troppo lungo: al massimo %(max)d caratteri."))


class DayField(DateField):
    """A day; what cannot be read is said in plain words and stays in the field."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the day. Raises ValueError with the words to show."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_l("Questa data non si legge. Scrivila così: 2026-11-30.")) from None


class WholeField(IntegerField):
    """A whole number, told plainly when it is none."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the number. Raises ValueError with the words to show."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_l("Scrivi un numero intero.")) from None


class EditForm(LabForm):
    """Carries the version its page was drawn with, and the reason."""

    version = HiddenField()
    why = TextAreaField(
        _l("Perché cambia?"),
        description=_l("Lo leggono tutti, sulla pagina del progetto. Chi lo segue riceve un avviso."),
        validators=[_needed(), _at_most(editing.WHY_LIMIT)],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The reason is asked last; what is missing is told in the order of the page.
        self._fields["why"] = self._fields.pop("why")

    def edit(self, project_id: int) -> editing.Edit:
        """What every command carries."""
        return editing.Edit(project_id, version_of(self.version.data), self.why.data or "")


class StateForm(EditForm):
    """Where it stands and since when."""

    state = SelectField(_l("A che punto è"), validators=[_needed()])
    since = DayField(_l("Da quando"), validators=[_needed()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state.choices = [(str(state), label(state)) for state in ProjectState]


class WordsForm(EditForm):
    """How the project is told."""

    title = StringField(_l("Titolo"), validators=[_needed(), _at_most(editing.TITLE_LIMIT)])
    axis = StringField(_l("Ambito"), validators=[_at_most(80)])
    place = SelectField(_l("Posto sulla pianta"), validators=[Optional()])
    description = TextAreaField(
        _l("Che cosa si fa, in parole semplici"), validators=[_at_most(editing.TEXT_LIMIT)]
    )
    continuity = TextAreaField(
        _l("Che cosa succede dopo il programma"), validators=[_at_most(editing.TEXT_LIMIT)]
    )


class MilestoneForm(EditForm):
    """A stretch of the timeline."""

    title = StringField(_l("Tappa"), validators=[_needed(), _at_most(editing.TITLE_LIMIT)])
    starts_on = DayField(_l("Comincia"), validators=[_needed()])
    ends_on = DayField(_l("Finisce"), validators=[_needed()])
    progress = WholeField(
        _l("Quanto è fatto, da 0 a 100"),
        default=0,
        validators=[_needed(), NumberRange(0, 100, _l("Scrivi un numero da 0 a 100."))],
    )


class FundingForm(EditForm):
    """A share of the money, typed as people write it."""

    source = StringField(_l("Da chi arrivano i soldi"), validators=[_needed(), _at_most(editing.LINE_LIMIT)])
    amount = StringField(
        _l("Quanti euro"),
        description=_l("Per esempio 1.250.000 oppure 980,50. Lascia vuoto se non si sa ancora."),
        validators=[Length(max=40)],
    )

    def validate_amount(self, field: Field) -> None:
        """Raises ValidationError when it is no amount."""
        try:
            self.cents()
        except ValueError:
            raise ValidationError(
                _l("Questa somma non si legge. Scrivila così: 1.250.000 oppure 980,50.")
            ) from None

    def cents(self) -> int | None:
        """The amount in cents; None when left empty. Raises ValueError."""
        typed = (self.amount.data or "").strip()
        return parse_euro(typed) if typed else None


class IndicatorForm(EditForm):
    """A number that shows whether the project works."""

    name = StringField(_l("Che cosa si conta"), validators=[_needed(), _at_most(editing.LINE_LIMIT)])
    value = WholeField(
        _l("Quanti oggi"), validators=[_needed(), NumberRange(0, message=_l("Non può essere sotto zero."))]
    )
    goal = WholeField(
        _l("Quanti alla fine"),
        validators=[Optional(), NumberRange(0, message=_l("Non può essere sotto zero."))],
    )


class BodiesForm(EditForm):
    """Who is involved."""

    bodies = SelectMultipleField(
        _l("Chi è coinvolto"),
        coerce=int,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )


class RemoveForm(EditForm):
    """Only the reason: what goes is shown above."""
