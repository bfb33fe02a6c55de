"""Forms of capture: one line at a time, quick, from the keyboard."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf.file import MultipleFileField
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import HiddenInput, TextInput

from lab.models.capture import Priority
from lab.services.capture import COUNT_LIMIT, PART_LIMIT, ROUND_LIMIT
from lab.services.capture_kinds import Ask, Way
from lab.services.capture_parts import CONVENOR_LIMIT, REPORT_LIMIT
from lab.services.capture_questions import ANSWER_LIMIT, SIGNED_LIMIT
from lab.services.contributions import NAME_LIMIT
from lab.services.desk import Choices
from lab.web.forms.base import CreatingForm, LabForm
from lab.web.forms.desk import number_or_none
from lab.web.forms.proposals import AtMost
from lab.web.labels import label
from lab.web.listed import named

#: What a field of the form asks for.
_ASKS = {
    "part": Ask.PART,
    "round": Ask.ROUND,
    "place": Ask.PLACE,
    "count": Ask.COUNT,
    "priority": Ask.PRIORITY,
    "self_help": Ask.SELF_HELP,
    "office": Ask.OFFICE,
    "author_name": Ask.NAME,
    "theme": Ask.THEME,
    "photos": Ask.PHOTO,
    "private": Ask.PRIVATE,
    "due": Ask.DUE,
}


class _Words(LabForm):
    def offer(self, choices: Choices) -> None:
        """Fill in what can be chosen today; names in the reader's language."""
        rows: dict[str, list[tuple[int, str | None]]] = {
            "place": [(one.id, named(one.name, one.names)) for one in choices.places],
            "theme": [(one.id, named(one.name, one.names)) for one in choices.themes],
            "office": [(one.id, one.name) for one in choices.offices],
        }
        for name, options in rows.items():
            if name in self:
                none = SelectChoice("", _l("Nessuno, per ora") if name == "office" else _l("Da dire"))
                self[name].choices = [none, *(SelectChoice(key, words) for key, words in options)]


class LineForm(_Words, CreatingForm):
    """One line: the words, and what its way asks for."""

    way = HiddenField(validators=[Length(max=20)])
    #: When it was written, as the script of the page knows; empty without script.
    said_at = HiddenField(validators=[Length(max=40)])
    text = TextAreaField(_l("Che cosa si dice"), [InputRequired(_l("Scrivi almeno una parola."))])
    part = StringField(_l("Parte"), [AtMost(PART_LIMIT)])
    round = IntegerField(_l("Giro"), [Optional(), NumberRange(1, ROUND_LIMIT, _l("Un numero da 1 a 20."))])
    place = SelectField(_l("Luogo"), coerce=number_or_none, choices=[], validators=[Optional()])
    count = IntegerField(
        _l("Quante"), [Optional(), NumberRange(1, COUNT_LIMIT, _l("Un numero da 1 a 2000."))]
    )
    priority = RadioField(
        _l("Quando"),
        [Optional()],
        choices=[SelectChoice(one.value, label(one)) for one in Priority],
        validate_choice=False,
    )
    self_help = BooleanField(_l("Lo possiamo fare noi"))
    author_name = StringField(_l("Chi parla"), [AtMost(NAME_LIMIT)])
    theme = SelectField(_l("Tema"), coerce=number_or_none, choices=[], validators=[Optional()])
    office = SelectField(_l("Passa subito a"), coerce=number_or_none, choices=[], validators=[Optional()])
    due = DateField(_l("Risposta scritta entro"), [Optional()])
    photos = MultipleFileField(_l("Foto"))
    private = BooleanField(_l("È una questione privata"))

    def suit(self, way: type[Way], *, may_route: bool) -> None:
        """Keep only what this way asks for, in its words."""
        for name, ask in _ASKS.items():
            if name in self and (not way.wants(ask) or (ask is Ask.OFFICE and not may_route)):
                del self[name]
        self.text.label.text = TEXT_WORDS[way.slug]
        if way.slug == "carte":
            # What is on a card is short: one line, and Enter saves it without a script too.
            self.text.widget = TextInput()
        if "part" in self:
            self.part.label.text = PART_WORDS[way.slug]
        if "count" in self:
            self.count.label.text = _l("Quante carte") if way.slug == "carte" else _l("Quante mani")


#: What is asked for, by the name of the way.
TEXT_WORDS = {
    "carte": _l("Che cosa dice la carta"),
    "tappe": _l("Che cosa si vede qui"),
    "tavoli": _l("Che cosa c'è scritto sulla tovaglia"),
    "gruppi": _l("Il punto del gruppo"),
    "osservazioni": _l("Che cosa ha detto"),
    "domande": _l("Che cosa ha chiesto"),
}
PART_WORDS = {"tappe": _l("Tappa"), "tavoli": _l("Tavolo"), "gruppi": _l("Gruppo")}
#: Tabs of the page.
WAY_WORDS = {
    "carte": _l("Carte"),
    "tappe": _l("Tappe"),
    "tavoli": _l("Tavoli"),
    "gruppi": _l("Gruppi"),
    "osservazioni": _l("Osservazioni"),
    "domande": _l("Domande"),
}


class CorrectForm(LineForm):
    """A line put right."""

    version = IntegerField(widget=HiddenInput(), validators=[Optional()])


class PartForm(_Words):
    """A stop, a table, a group; a group has a convenor and a report."""

    part_id = IntegerField(widget=HiddenInput(), validators=[Optional(), NumberRange(1, 2**53)])
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])
    title = StringField(_l("Titolo"), [InputRequired(_l("Scrivi un titolo.")), AtMost(PART_LIMIT)])
    place = SelectField(_l("Luogo"), coerce=number_or_none, choices=[], validators=[Optional()])
    convenor = StringField(_l("Chi lo tiene insieme"), [AtMost(CONVENOR_LIMIT)])
    report = TextAreaField(_l("Che cosa riporta"), [AtMost(REPORT_LIMIT)])


class SheetForm(CreatingForm):
    """The photograph of a sheet."""

    photo = MultipleFileField(_l("Foto del foglio"))
    alt = StringField(_l("Che cosa si vede"), [AtMost(160)])


class ReplyForm(LabForm):
    """The written answer to a question."""

    version = IntegerField(widget=HiddenInput(), validators=[Optional()])
    text = TextAreaField(_l("Risposta"), [AtMost(ANSWER_LIMIT)])
    signed = StringField(_l("Chi risponde"), [AtMost(SIGNED_LIMIT)])


class DueForm(LabForm):
    """The day by which a question is answered in writing."""

    due = DateField(_l("Risposta scritta entro"), [InputRequired(_l("Scegli un giorno."))])
