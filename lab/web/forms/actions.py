"""Forms of the weaving desk: what an action is to be, the office's word on it, its news."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    DateField,
    Field,
    HiddenField,
    IntegerField,
    MultipleFileField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from lab.models.actions import Action, ActionKind, ActionState
from lab.services.action_pages import Reached
from lab.services.action_plan import AIM_LIMIT, CREDITS_LIMIT, MILESTONES, TITLE_LIMIT, MilestonePlan, Plan
from lab.services.actions import REPORTABLE, UPDATE_LIMIT
from lab.services.listing import Choice
from lab.services.weaving import REASON_LIMIT
from lab.web.forms.base import CreatingForm, LabForm
from lab.web.forms.proposals import AtMost, Said
from lab.web.labels import label
from lab.web.numbers import whole

#: Empty rows for milestones that are shown beside the filled ones.
_SPARE = 3


def row_id(value: Any) -> int:
    """A key as the page carried it. Raises ValueError for what no row of ours can have."""
    number = int(value)
    if not 0 <= number < 2**53:
        raise ValueError(number)
    return number


def chosen(value: Any) -> int:
    """The same for a choice that must be made: 0 while it is not."""
    return row_id(value) if value != "" else 0


class TickField(SelectMultipleField):
    """Several answers, each with its own box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class ActionForm(CreatingForm):
    """What an action is to be."""

    title = StringField(_l("Il titolo"), [Said(_l("Scrivi un titolo.")), AtMost(TITLE_LIMIT)])
    kind = SelectField(_l("Che cosa è"), validate_choice=True)
    aim = TextAreaField(
        _l("A che cosa serve"), [Said(_l("Scrivi in una frase a che cosa serve.")), AtMost(AIM_LIMIT)]
    )
    projects = TickField(_l("I progetti"), coerce=row_id, validate_choice=False)
    office = SelectField(
        _l("L'ufficio che la fa"),
        [InputRequired(_l("Scegli l'ufficio."))],
        coerce=chosen,
        validate_choice=False,
    )
    bodies = TickField(_l("Con chi"), [Optional()], coerce=row_id, validate_choice=False)
    starts_on = DateField(_l("Comincia"), [Optional()])
    due_on = DateField(_l("Da finire entro"), [Optional()])
    milestones = HiddenField(_l("Le tappe"))
    needs = TickField(_l("Aspetta che sia fatta"), [Optional()], coerce=row_id, validate_choice=False)
    credits = TextAreaField(_l("Grazie a"), [AtMost(CREDITS_LIMIT)])
    contributions = TickField(_l("Le parole da cui nasce"), [Optional()], coerce=str, validate_choice=False)
    look_for = StringField(_l("Cerca altre parole"), [AtMost(200)])
    version = HiddenField()

    def offer(self, choices: list[Choice], bodies: list[Any], others: list[Action]) -> None:
        """Fill in the answers one can choose from."""
        self.kind.choices = [(kind.value, label(kind)) for kind in ActionKind]
        self.projects.choices = [
            (one.id, f"{one.code} · {one.name}") for one in choices if one.what == "project"
        ]
        offices = [
            (one.id, one.name)
            for one in choices
            if one.what == "office" and (not one.retired or one.id == self.office.data)
        ]
        # Nobody's name stands there before somebody has thought of it.
        self.office.choices = [("", _l("Scegli l'ufficio.")), *offices]
        self.bodies.choices = [(body.id, body.name) for body in bodies]
        self.needs.choices = [(one.id, f"{one.code} · {one.title}") for one in others]

    def steps(self) -> list[tuple[Field, Field, Field]]:
        """The rows for milestones: those filled and a few empty ones."""
        filled = [
            n for n in range(MILESTONES) if self[f"step_{n}"].data or self[f"step_{n}_on"].raw_data_given
        ]
        shown = min(MILESTONES, (max(filled) + 1 if filled else 0) + _SPARE)
        return [(self[f"step_{n}"], self[f"step_{n}_on"], self[f"step_{n}_id"]) for n in range(shown)]

    def plan(self) -> Plan:
        """What was asked for."""
        return Plan(
            title=self.title.data or "",
            kind=ActionKind(self.kind.data),
            aim=self.aim.data or "",
            project_ids=tuple(self.projects.data or ()),
            office_id=self.office.data or 0,
            body_ids=tuple(self.bodies.data or ()),
            milestones=tuple(self._milestones()),
            starts_on=self.starts_on.data,
            due_on=self.due_on.data,
            credits=self.credits.data or "",
            needs_ids=tuple(self.needs.data or ()),
        )

    def _milestones(self) -> list[MilestonePlan]:
        rows = [(self[f"step_{n}"], self[f"step_{n}_on"], self[f"step_{n}_id"]) for n in range(MILESTONES)]
        return [
            MilestonePlan(title.data or "", day.data, id=whole(key.data))
            for title, day, key in rows
            if (title.data or "").strip() or day.data
        ]


class StepDate(DateField):
    """A day that may be missing."""

    @property
    def raw_data_given(self) -> bool:
        """Whether something was typed or is there."""
        return bool(self.data or (self.raw_data and self.raw_data[0]))


for _number in range(MILESTONES):
    setattr(ActionForm, f"step_{_number}", StringField(_l("Tappa"), [AtMost(TITLE_LIMIT)]))
    setattr(ActionForm, f"step_{_number}_on", StepDate(_l("Entro"), [Optional()]))
    setattr(ActionForm, f"step_{_number}_id", HiddenField())


def action_data(action: Action, walk: dict[str, list[int]], milestones: list[Reached]) -> dict[str, Any]:
    """The form's values for an action as it stands; `walk` holds the ids of projects, bodies, needs."""
    data: dict[str, Any] = {
        "title": action.title,
        "kind": action.kind.value,
        "aim": action.aim,
        "office": action.office_id,
        "starts_on": action.starts_on,
        "due_on": action.due_on,
        "credits": action.credits,
        "version": str(action.version),
        **walk,
    }
    for number, one in enumerate(milestones):
        values: tuple[str, date | None, str] = (one.title, one.due_on, str(one.id))
        data[f"step_{number}"], data[f"step_{number}_on"], data[f"step_{number}_id"] = values
    return data


class DecideForm(LabForm):
    """The office takes a proposal on as it is."""

    version = HiddenField(validators=[InputRequired()])
    start = SelectField(
        _l("Quando parte"),
        choices=[SelectChoice("later", _l("Più avanti")), SelectChoice("now", _l("È già partita"))],
    )


class SendBackForm(LabForm):
    """The office returns a proposal to the lab."""

    version = HiddenField(validators=[InputRequired()])
    reason = TextAreaField(
        _l("Perché così non va"),
        [Said(_l("Scrivi perché: il Laboratorio riparte da qui.")), AtMost(REASON_LIMIT)],
    )


class NewsForm(CreatingForm):
    """News of an action."""

    text = TextAreaField(
        _l("Che cosa è successo"), [Said(_l("Scrivi che cosa è successo.")), AtMost(UPDATE_LIMIT)]
    )
    state = SelectField(_l("A che punto è"), validate_choice=False)
    progress = IntegerField(_l("Quanto è fatto, in percentuale"), [Optional()])
    milestones = TickField(_l("Tappe raggiunte"), [Optional()], coerce=row_id, validate_choice=False)
    photos = MultipleFileField(_l("Foto"))
    version = HiddenField(validators=[InputRequired()])

    def offer(self, now: ActionState, milestones: list[Any]) -> None:
        """Fill in the answers one can choose from."""
        self.state.choices = [
            ("", _l("Resta com'è: %(state)s", state=label(now))),
            *((state.value, label(state)) for state in REPORTABLE if state is not now),
        ]
        self.milestones.choices = [(one.id, one.title) for one in milestones if one.done_on is None]


class WeaveForm(LabForm):
    """Tie more words to an action."""

    codes = StringField(
        _l("I codici delle parole"), [Said(_l("Scrivi almeno un codice, per esempio PR01.")), AtMost(400)]
    )


class UnweaveForm(LabForm):
    """Let one input go."""

    contribution = HiddenField(validators=[InputRequired()])
    reason = StringField(_l("Perché non c'entra"), [Said(_l("Scrivi perché.")), AtMost(REASON_LIMIT)])
