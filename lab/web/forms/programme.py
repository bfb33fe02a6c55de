"""What the coordinator fills in about the programme."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from lab.models.programme import BodyKind
from lab.services import programme_editing as editing
from lab.web.forms.base import LabForm, SeenForm
from lab.web.forms.projects import DayField
from lab.web.labels import label


def _needed() -> InputRequired:
    return InputRequired(_l("Manca questa parte."))


def _at_most(limit: int) -> Length:
    return Length(max=limit, message=_l("È troppo lungo: al massimo %(max)d caratteri."))


class ProgrammeForm(SeenForm):
    """The programme itself."""

    title = StringField(_l("Nome del programma"), validators=[_needed(), _at_most(editing.TITLE_LIMIT)])
    summary = TextAreaField(_l("Che cos'è, in parole semplici"), validators=[_at_most(editing.TEXT_LIMIT)])
    political_office = SelectField(_l("Chi decide la direzione"), validators=[Optional()])
    technical_office = SelectField(_l("Riferimento tecnico"), validators=[Optional()])
    starts_on = DayField(_l("Comincia"), validators=[Optional()])
    ends_on = DayField(_l("Finisce"), validators=[Optional()])


class PhaseForm(SeenForm):
    """A stretch of the programme."""

    title = StringField(_l("Nome della fase"), validators=[_needed(), _at_most(editing.NAME_LIMIT)])
    text = TextAreaField(
        _l("Che cosa è aperto e che cosa si è promesso"), validators=[_at_most(editing.TEXT_LIMIT)]
    )
    starts_on = DayField(_l("Comincia"), validators=[_needed()])
    ends_on = DayField(_l("Finisce"), validators=[Optional()])


class BodyForm(SeenForm):
    """A body."""

    name = StringField(_l("Nome"), validators=[_needed(), _at_most(editing.NAME_LIMIT)])
    kind = SelectField(_l("Che cos'è"), validators=[_needed()])
    is_signatory = BooleanField(
        _l("Ha firmato il programma"),
        description=_l("Essere coinvolti in un progetto è un'altra cosa: quella la scrive l'ufficio."),
    )
    note = TextAreaField(_l("Che cosa fa qui"), validators=[_at_most(editing.TEXT_LIMIT)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = [(str(kind), label(kind)) for kind in BodyKind]


class OfficeForm(SeenForm):
    """A municipal office."""

    name = StringField(_l("Nome"), validators=[_needed(), _at_most(editing.NAME_LIMIT)])
    body = SelectField(_l("Di quale ente"), coerce=int, validators=[_needed()])
    task = TextAreaField(_l("Di che cosa si occupa"), validators=[_at_most(editing.TEXT_LIMIT)])
    email = StringField(
        _l("E-mail dell'ufficio"),
        description=_l("Non si pubblica: serve per gli avvisi."),
        validators=[Length(max=254)],
    )
    is_closed = BooleanField(_l("Questo ufficio non c'è più"))


class ProjectForm(LabForm):
    """A formal project, as it enters the programme."""

    title = StringField(_l("Titolo"), validators=[_needed(), _at_most(editing.TITLE_LIMIT)])
    axis = StringField(_l("Ambito"), validators=[_at_most(80)])
    office = SelectField(_l("Quale ufficio lo porta avanti"), coerce=int, validators=[_needed()])


class HandOverForm(LabForm):
    """Another office takes a project on."""

    version = HiddenField()
    office = SelectField(_l("Quale ufficio lo porta avanti"), coerce=int, validators=[_needed()])
    why = TextAreaField(
        _l("Perché cambia?"),
        description=_l("Lo leggono tutti, sulla pagina del progetto."),
        validators=[_needed(), _at_most(1000)],
    )
