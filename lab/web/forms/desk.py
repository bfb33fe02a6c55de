"""Forms of the desk: one small form for each act, several of them on one page."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    DateField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from lab.models.answers import Verdict
from lab.models.contributions import Kind
from lab.services.answers import REASON_LIMIT
from lab.services.contributions import NAME_LIMIT, TEXT_LIMIT, TITLE_LIMIT
from lab.services.desk import Choices
from lab.services.triage import NOTE_LIMIT
from lab.web.forms.base import CreatingForm, LabForm
from lab.web.forms.proposals import AtMost
from lab.web.labels import label
from lab.web.numbers import whole

#: Beyond this a number is no id of ours, on either database.
_LARGEST = 2**53


def number_or_none(value: Any) -> int | None:
    """An id from a select box; "" means none. Raises ValueError for anything else."""
    if value in (None, "", "None"):
        return None
    number = int(value)
    if not 0 < number < _LARGEST:
        raise ValueError(value)
    return number


def _version() -> IntegerField:
    return IntegerField(widget=HiddenInput(), validators=[Optional(), NumberRange(0, _LARGEST)])


def _select(words: Any) -> SelectField:
    return SelectField(words, coerce=number_or_none, choices=[], validators=[Optional()])


class DeskForm(LabForm):
    """One act on one input. `slug` keeps the ids of several forms on a page apart."""

    slug = "act"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self:
            field.id = f"{self.slug}-{field.short_name}"
            field.label.field_id = field.id

    def offer(self, choices: Choices) -> None:
        """Fill in what can be chosen today."""
        options: dict[str, tuple[Any, list[tuple[Any, str]]]] = {
            "theme": (_l("Nessun tema"), [(one.id, one.name) for one in choices.themes]),
            "place": (_l("Nessun luogo"), [(one.id, one.name) for one in choices.places]),
            "office": (_l("Scegli un ufficio"), [(one.id, one.name) for one in choices.offices]),
            "body": (_l("Nessun ente"), [(one.id, one.name) for one in choices.bodies]),
        }
        for name, (none, rows) in options.items():
            if name in self:
                self[name].choices = [SelectChoice("", none), *(SelectChoice(*row) for row in rows)]
        if "projects" in self:
            self["projects"].choices = [
                SelectChoice(one.id, f"{one.code} · {one.title}") for one in choices.projects
            ]


class PlainForm(DeskForm):
    """An act that asks nothing but which state of the input it was meant for."""

    slug = "plain"
    version = _version()


class SortForm(DeskForm):
    """What it is, what it is about, where."""

    slug = "sort"
    kind = RadioField(
        _l("Che cos'è"),
        choices=[
            SelectChoice(one.value, label(one))
            for one in (Kind.PROPOSAL, Kind.REPORT, Kind.REMARK, Kind.QUESTION)
        ],
        validators=[InputRequired(_l("Scegli: idea o segnalazione."))],
    )
    theme = _select(_l("Tema"))
    place = _select(_l("Luogo"))
    projects = SelectMultipleField(
        _l("Progetti di cui parla"),
        coerce=int,
        choices=[],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    version = _version()


class RouteForm(DeskForm):
    """Which office, by which day."""

    slug = "route"
    office = SelectField(
        _l("Ufficio"),
        coerce=number_or_none,
        choices=[],
        validators=[InputRequired(_l("Scegli l'ufficio che deve rispondere."))],
    )
    due_on = DateField(_l("Risponde entro"), validators=[Optional()])
    version = _version()


class ReasonForm(DeskForm):
    """An act with a reason that others read."""

    slug = "reason"
    reason = TextAreaField(_l("Perché"), [InputRequired(_l("Scrivi il motivo.")), AtMost(NOTE_LIMIT)])
    version = _version()


class TakeBackForm(ReasonForm):
    """Take it back from the office."""

    slug = "back"


class GiveBackForm(ReasonForm):
    """The office gives it back to the lab."""

    slug = "give"


class RetypeForm(DeskForm):
    """Put right what was written down for somebody else."""

    slug = "retype"
    text = TextAreaField(
        _l("Che cosa ha detto"), [InputRequired(_l("Scrivi almeno due parole.")), AtMost(TEXT_LIMIT)]
    )
    title = StringField(_l("Titolo"), [AtMost(TITLE_LIMIT)])
    author_name = StringField(_l("Nome da mostrare"), [AtMost(NAME_LIMIT)])
    version = _version()


class WithdrawForForm(ReasonForm):
    """Take it back for whoever said it."""

    slug = "withdraw"


class HideForm(ReasonForm):
    """Hide it from everybody."""

    slug = "hide"


class RestoreForm(ReasonForm):
    """Show it again."""

    slug = "restore"


class ReopenForm(ReasonForm):
    """Take a settled one up again."""

    slug = "reopen"


class SeparateForm(ReasonForm):
    """Undo a merge."""

    slug = "separate"


class PrivateForm(DeskForm):
    """Keep it out of public, and who takes care of it."""

    slug = "private"
    body = _select(_l("Passala a un ente"))
    office = _select(_l("Oppure a un ufficio"))
    note = TextAreaField(_l("Che cosa deve sapere chi la prende"), [AtMost(NOTE_LIMIT)])
    words = TextAreaField(_l("Che cosa dici a chi l'ha scritta"), [AtMost(NOTE_LIMIT)])
    version = _version()


class NoteForm(DeskForm):
    """A word for colleagues."""

    slug = "note"
    text = TextAreaField(
        _l("Una nota per i colleghi"), [InputRequired(_l("Scrivi la nota.")), AtMost(NOTE_LIMIT)]
    )


class MergeForm(DeskForm):
    """Which others say the same, and which one lives on."""

    slug = "merge"
    twins = SelectMultipleField(
        _l("Quali dicono la stessa cosa"),
        choices=[],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validate_choice=False,
    )
    others = StringField(_l("Altre, con il loro codice"), [Length(max=200)])
    lives_on = StringField(_l("Quale resta"), [Length(max=24)])
    reason = TextAreaField(_l("Perché"), [InputRequired(_l("Scrivi il motivo.")), AtMost(NOTE_LIMIT)])
    version = _version()

    def seen(self) -> dict[str, int | None]:
        """The chosen inputs: code -> version of the page, None for those written by hand."""
        found: dict[str, int | None] = {}
        for one in (self.others.data or "").replace(",", " ").split()[:20]:
            found[one.upper()[:24]] = None
        for mark in (self.twins.data or [])[:20]:
            code, _, version = mark.partition(":")
            found[code.upper()[:24]] = whole(version)
        return found


class SplitForm(CreatingForm, DeskForm):
    """The part that becomes one of its own."""

    slug = "split"
    text = TextAreaField(
        _l("Le parole che vanno da sole"),
        [InputRequired(_l("Lascia qui le parole che vanno da sole.")), AtMost(TEXT_LIMIT)],
    )
    title = StringField(_l("Un titolo"), [AtMost(TITLE_LIMIT)])
    version = _version()


class AnswerForm(DeskForm):
    """What the office answers, and why."""

    slug = "answer"
    verdict = RadioField(
        _l("La risposta in una parola"),
        choices=[SelectChoice(one.value, label(one)) for one in Verdict],
        validators=[InputRequired(_l("Scegli la risposta."))],
    )
    body = _select(_l("A chi la passi"))
    reason = TextAreaField(
        _l("Perché"),
        [InputRequired(_l("Scrivi perché: lo leggono tutti.")), AtMost(REASON_LIMIT)],
    )
    version = _version()
    draft_version = _version()


class BulkForm(DeskForm):
    """One act on several inputs at once."""

    slug = "bulk"
    chosen = SelectMultipleField(choices=[], validate_choice=False)
    act = HiddenField(validators=[Length(max=16)])
    theme = _select(_l("Tema"))
    office = _select(_l("Ufficio"))
    due_on = DateField(_l("Risponde entro"), validators=[Optional()])
    reason = TextAreaField(_l("Perché le nascondi o le mostri"), [AtMost(NOTE_LIMIT)])

    def versions(self) -> dict[str, int]:
        """The chosen inputs: code -> version of the row that was ticked."""
        found: dict[str, int] = {}
        for mark in (self.chosen.data or [])[:100]:
            code, _, written = mark.partition(":")
            version = whole(written)
            if code and version is not None:
                found[code[:24]] = version
        return found

    def offer(self, choices: Choices) -> None:
        """As everywhere, but no theme means that none was chosen."""
        super().offer(choices)
        none = SelectChoice("", _l("Scegli un tema"))
        self.theme.choices = [none, *list(self.theme.choices or [])[1:]]


class FlagForm(DeskForm):
    """What becomes of a flagged text."""

    slug = "flag"
    reason = TextAreaField(_l("Perché"), [AtMost(NOTE_LIMIT)])
    act = HiddenField(validators=[Length(max=16)])


class AppealForm(DeskForm):
    """The author asks somebody else to look again."""

    slug = "appeal"
    words = TextAreaField(
        _l("Perché va ripensata"),
        [InputRequired(_l("Scrivi perché secondo te va mostrata.")), AtMost(NOTE_LIMIT)],
    )


class AppealAnswerForm(DeskForm):
    """The answer to an appeal."""

    slug = "appeal-answer"
    upheld = RadioField(
        _l("Che cosa decidi"),
        choices=[SelectChoice("yes", _l("Torna visibile")), SelectChoice("no", _l("Resta nascosta"))],
        validators=[InputRequired(_l("Scegli."))],
    )
    answer = TextAreaField(
        _l("Perché"), [InputRequired(_l("Scrivi il motivo: lo legge chi l'ha scritta.")), AtMost(NOTE_LIMIT)]
    )
