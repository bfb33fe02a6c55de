"""What the desk fills in about a meeting."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    HiddenField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
    URLField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from lab.kernel.locales import SUPPORTED
from lab.models.events import EventKind, Influence, Offer
from lab.services import event_editing, event_plan, event_series
from lab.services.event_plan import Plan, Point
from lab.web.forms.base import CreatingForm, LabForm
from lab.web.forms.projects import DayField, WholeField
from lab.web.labels import label
from lab.web.numbers import version_of

#: A point of the agenda with its minutes at the end: "Benvenuto, 10" or "Benvenuto 10 minuti".
_POINT = re.compile(
    r"^(?P<title>.*\S)[\s,;:]+(?P<minutes>\d{1,3})(?:\s*(?:'|min\.?|minut[oi]))?$", re.IGNORECASE
)
_POINT_MINUTES = 10


def _needed() -> InputRequired:
    return InputRequired(_l("Manca questa parte."))


def _at_most(limit: int) -> Length:
    return Length(max=limit, message=_l("È troppo lungo: al massimo %(max)d caratteri."))


def _from_zero() -> NumberRange:
    return NumberRange(0, event_plan.MOST_SEATS, _l("Scrivi un numero da zero in su."))


class HourField(TimeField):
    """An hour and minutes; what cannot be read is said plainly and stays in the field."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the hour. Raises ValueError with the words to show."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_l("Questa ora non si legge. Scrivila così: 20:45.")) from None


class ChecksField(SelectMultipleField):
    """Several answers, ticked."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class WhenForm(LabForm):
    """A day and an hour of the neighbourhood's clock."""

    day = DayField(_l("Giorno"), validators=[_needed()])
    hour = HourField(_l("Ora"), validators=[_needed()])


class EventForm(CreatingForm, WhenForm):
    """Everything about a meeting; only kind, title, day and hour are needed."""

    version = HiddenField()
    kind = SelectField(_l("Che tipo di incontro è"), validators=[_needed()])
    title = StringField(_l("Titolo"), validators=[_needed(), _at_most(event_plan.TITLE_LIMIT)])
    minutes = WholeField(
        _l("Quanti minuti dura"),
        validators=[
            Optional(),
            NumberRange(
                event_plan.SHORTEST, event_plan.LONGEST, _l("Da 5 minuti a tre giorni (4320 minuti).")
            ),
        ],
    )
    place = SelectField(_l("Posto sulla pianta"), validators=[Optional()])
    place_note = StringField(
        _l("Dove di preciso"),
        description=_l("Per esempio: sala al primo piano."),
        validators=[_at_most(event_plan.LINE_LIMIT)],
    )
    text = TextAreaField(_l("Che cosa si fa"), validators=[_at_most(event_plan.TEXT_LIMIT)])
    purpose = StringField(_l("A che cosa serve, in una frase"), validators=[_at_most(event_plan.SHORT_LIMIT)])
    influence = SelectField(
        _l("Quanto conta quello che si dice"),
        description=_l("Se non scegli, vale quello di solito per questo tipo."),
        validators=[Optional()],
    )
    promise = TextAreaField(
        _l("Che cosa può ancora cambiare"),
        description=_l("È una promessa: scrivi solo quello che si può mantenere."),
        validators=[_at_most(event_plan.SHORT_LIMIT)],
    )
    projects = ChecksField(_l("Di quali progetti si parla"), coerce=int)
    bodies = ChecksField(_l("Chi invita"), coerce=int)
    organisers = StringField(
        _l("Chi altro invita"),
        description=_l("Per esempio: il gruppo orti, chi abita alla scala B."),
        validators=[_at_most(event_plan.ORGANISERS_LIMIT)],
    )
    languages = ChecksField(_l("Che lingue si parlano"), validators=[_needed()])
    offers = ChecksField(_l("Che cosa c'è per chi viene"))
    offers_note = StringField(
        _l("Due parole in più su questo"),
        description=_l("Per esempio: lo spazio per i bambini è da 3 a 10 anni."),
        validators=[_at_most(event_plan.SHORT_LIMIT)],
    )
    access_note = StringField(
        _l("Come si entra"),
        description=_l("Gradini, ascensore, bagno, fermata più vicina."),
        validators=[_at_most(event_plan.SHORT_LIMIT)],
    )
    seats = WholeField(_l("Posti in sala"), validators=[Optional(), _from_zero()])
    agenda = TextAreaField(
        _l("La scaletta"),
        description=_l("Un punto per riga, con i minuti alla fine. Per esempio: Benvenuto, 10"),
    )
    result = TextAreaField(_l("Che cosa ne è venuto"), validators=[_at_most(event_plan.TEXT_LIMIT)])
    attendance = WholeField(_l("Quante persone c'erano"), validators=[Optional(), _from_zero()])
    sign_up = BooleanField(
        _l("Ci si iscrive"),
        description=_l("I posti sono quelli scritti qui sopra. Senza un numero non c'è limite."),
    )

    def offer(self, places: Sequence[tuple[int, str]], projects: Sequence[tuple[int, str]],
              bodies: Sequence[tuple[int, str]]) -> None:  # fmt: skip
        """Fill in the answers one can choose from."""
        self.kind.choices = [(str(kind), label(kind)) for kind in EventKind]
        self.influence.choices = [
            ("", _l("Come di solito")),
            *((str(level), label(level)) for level in Influence),
        ]
        self.offers.choices = [(str(offer), label(offer)) for offer in Offer]
        self.languages.choices = [(code, locale.native_name) for code, locale in SUPPORTED.items()]
        self.place.choices = [("", _l("Nessuno di questi")), *((str(key), name) for key, name in places)]
        self.projects.choices = list(projects)
        self.bodies.choices = list(bodies)

    def plan(self) -> Plan:
        """What was filled in. Call it on a form that is valid."""
        assert self.day.data is not None and self.hour.data is not None
        return Plan(
            kind=EventKind(self.kind.data),
            title=self.title.data or "",
            day=self.day.data,
            hour=self.hour.data,
            minutes=self.minutes.data,
            influence=Influence(self.influence.data) if self.influence.data else None,
            place_id=int(self.place.data) if self.place.data else None,
            languages=tuple(self.languages.data or ()),
            offers=tuple(self.offers.data or ()),
            seats=self.seats.data,
            project_ids=frozenset(self.projects.data or ()),
            body_ids=frozenset(self.bodies.data or ()),
            agenda=read_agenda(self.agenda.data or ""),
            attendance=self.attendance.data,
            **{name: self[name].data or "" for name in _WORDS},
        )

    def drawn_version(self) -> int:
        """The version its page was drawn with; one that none has, when it makes no sense."""
        return version_of(self.version.data)


_WORDS = ("text", "purpose", "promise", "place_note", "access_note", "offers_note", "organisers", "result")


def read_agenda(written: str) -> tuple[Point, ...]:
    """One point a line, its minutes at the end."""
    lines = filter(None, (one.strip() for one in written.splitlines()))
    return tuple(_point(line) for line in lines)


def _point(line: str) -> Point:
    found = _POINT.match(line)
    if found is None:
        return Point(line, _POINT_MINUTES)
    return Point(found["title"].rstrip(" ,;:"), int(found["minutes"]))


def write_agenda(points: Iterable[Any]) -> str:
    """The agenda as one types it."""
    return "\n".join(f"{point.title}, {point.minutes}" for point in points)


class CancelForm(LabForm):
    """Why it will not be."""

    version = HiddenField()
    reason = TextAreaField(
        _l("Perché non si fa?"),
        description=_l("Lo leggono tutti. Chi ha lasciato un contatto riceve un messaggio."),
        validators=[_needed(), _at_most(event_editing.REASON_LIMIT)],
    )


class CopyForm(CreatingForm, WhenForm):
    """The same meeting on another day."""


class SeriesForm(CreatingForm):
    """More dates at once."""

    version = HiddenField()
    rhythm = SelectField(
        _l("Ogni quanto"),
        choices=[
            SelectChoice(event_series.Rhythm.WEEKLY.value, _l("Ogni settimana")),
            SelectChoice(event_series.Rhythm.FORTNIGHTLY.value, _l("Ogni due settimane")),
            SelectChoice(
                event_series.Rhythm.MONTHLY.value, _l("Ogni mese, lo stesso giorno della settimana")
            ),
        ],
        validators=[_needed()],
    )
    times = WholeField(
        _l("Quante altre volte"),
        validators=[
            _needed(),
            NumberRange(event_series.LEAST, event_series.MOST, _l("Scrivi un numero da 1 a 30.")),
        ],
    )


class HostsForm(LabForm):
    """Who runs it."""

    version = HiddenField()
    hosts = ChecksField(_l("Chi conduce"), coerce=int)


class DocumentForm(CreatingForm):
    """A link or a PDF; the file itself is read by the view."""

    title = StringField(_l("Come si chiama"), validators=[_needed(), _at_most(event_plan.TITLE_LIMIT)])
    url = URLField(
        _l("Indirizzo, se è su un altro sito"),
        description=_l("Comincia con https://"),
        validators=[Length(max=500)],
    )
    file = FileField(_l("Oppure un PDF"))
