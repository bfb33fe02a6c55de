"""Forms with which the staff change how the site works and what it says about itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    FieldList,
    Form,
    FormField,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TelField,
    ValidationError,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from lab.kernel.locales import SUPPORTED
from lab.kernel.text import clean_line, valid_email
from lab.services.site import OpeningTime
from lab.web.forms.base import LabForm, SeenForm
from lab.web.labels import error_words

#: How the names of fields for other languages begin.
_IN = "name_"
Named = TypeVar("Named", bound="NamedForm")

LINKS = 6
_RANGE = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d) ?- ?([01]?\d|2[0-3])[:.]([0-5]\d)")
_WHOLE = _l("Scrivi un numero intero.")


def _between(low: int, high: int) -> list[Any]:
    return [
        InputRequired(_WHOLE),
        NumberRange(low, high, _l("Va da %(low)d a %(high)d.", low=low, high=high)),
    ]


class RulesForm(LabForm):
    """Numbers by which the lab works."""

    version = HiddenField(validators=[Length(max=12)])
    promise_days = IntegerField(_l("Giorni per rispondere"), validators=_between(1, 365))
    edit_minutes = IntegerField(
        _l("Minuti per correggere ciò che si è scritto"), validators=_between(0, 10080)
    )
    flags_to_hide = IntegerField(
        _l("Persone che segnalano un testo prima che si metta da parte"), validators=_between(1, 1000)
    )
    publish_unread = BooleanField(_l("Chi scrive senza accesso si vede subito, prima che lo leggiamo"))
    staff_second_factor = BooleanField(_l("Chi lavora alla regia entra con la password e con un codice"))


def check_link(form: Form, field: StringField) -> None:
    """An address people may follow: http, https, mailto, or a path of ours."""
    value = (field.data or "").strip()
    if not value:
        return
    clean = value.isprintable() and not any(c.isspace() for c in value) and "\\" not in value
    own = value.startswith("/") and not value.startswith("//")
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise ValidationError(error_words("bad_link")) from error
    foreign = parts.scheme in ("http", "https") and bool(parts.hostname)
    if not clean or not (own or foreign or (parts.scheme == "mailto" and valid_email(parts.path))):
        raise ValidationError(error_words("bad_link"))


def check_hours(form: Form, field: StringField) -> None:
    """ "15:00-18:00", several parted by commas, each opening before it closes."""
    read_hours(field.data or "")


def read_hours(text: str) -> list[tuple[str, str]]:
    """The times of one day as HH:MM pairs. Raises ValidationError."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _RANGE.fullmatch(part)
        if not match:
            raise ValidationError(error_words("bad_hours"))
        a, b, c, d = match.groups()
        opens, closes = f"{int(a):02d}:{b}", f"{int(c):02d}:{d}"
        if opens >= closes:
            raise ValidationError(error_words("bad_hours"))
        found.append((opens, closes))
    return sorted(found)


class LinkForm(Form):
    """One link of the footer."""

    words = StringField(_l("Parole"), validators=[Length(max=60)])
    url = StringField(_l("Indirizzo"), validators=[Length(max=300), check_link])


class ProfileForm(LabForm):
    """What the site says about itself."""

    version = HiddenField(validators=[Length(max=12)])
    name = StringField(_l("Nome del sito"), validators=[InputRequired(), Length(max=80)])
    neighbourhood = StringField(_l("Quartiere"), validators=[InputRequired(), Length(max=80)])
    town = StringField(_l("Città"), validators=[InputRequired(), Length(max=80)])
    owner = StringField(_l("Ente responsabile"), validators=[InputRequired(), Length(max=120)])
    owner_url = StringField(_l("Sito dell'ente"), validators=[Length(max=300), check_link])
    tagline = StringField(_l("Una frase che lo racconta"), validators=[Length(max=160)])
    address = StringField(_l("Indirizzo"), validators=[Length(max=160)])
    phone = TelField(_l("Telefono"), validators=[Length(max=40)])
    email = EmailField(_l("E-mail"), validators=[Length(max=254)])
    hours = FieldList(StringField(validators=[Length(max=60), check_hours]), min_entries=7, max_entries=7)
    accessibility_url = StringField(
        _l("Dichiarazione di accessibilità"), validators=[Length(max=300), check_link]
    )
    report_inefficiency_url = StringField(
        _l("Pagina per segnalare un disservizio"), validators=[Length(max=300), check_link]
    )
    links = FieldList(FormField(LinkForm), min_entries=LINKS, max_entries=LINKS)

    def validate_email(self, field: EmailField) -> None:
        """Called by WTForms."""
        if field.data and not valid_email(field.data.strip()):
            raise ValidationError(error_words("bad_email"))

    def opening_times(self) -> tuple[OpeningTime, ...]:
        """The lines of the table, day by day."""
        return tuple(
            OpeningTime(day, opens, closes)
            for day, field in enumerate(self.hours)
            for opens, closes in read_hours(field.data or "")
        )

    def footer_links(self) -> tuple[tuple[str, str], ...]:
        """Pairs that have both words and address."""
        pairs = [
            (clean_line(e.form.words.data or "", 60), (e.form.url.data or "").strip()) for e in self.links
        ]
        return tuple((words, url) for words, url in pairs if words and url)


class NamedForm(SeenForm):
    """Something with a name of its own, and one in each other language of the site (`in_languages`)."""

    name = StringField(_l("Nome"), validators=[InputRequired(_l("Scrivi il nome.")), Length(max=400)])

    def elsewhere(self) -> dict[str, Field]:
        """The fields of the other languages, by locale."""
        return {one.name.removeprefix(_IN): one for one in self if one.name.startswith(_IN)}

    def names(self) -> dict[str, str]:
        """What was written in them."""
        return {code: one.data or "" for code, one in self.elsewhere().items()}


def in_languages(form: type[Named], locales: tuple[str, ...]) -> type[Named]:
    """The form with a name in each of these languages, but for the first: that one is the site's own."""
    others = {
        f"{_IN}{code}": StringField(
            _l("Nome: %(language)s", language=SUPPORTED[code].native_name), validators=[Length(max=80)]
        )
        for code in locales[1:]
    }
    return type(form.__name__, (form,), others)


class ThemeForm(NamedForm):
    """A theme."""

    office_id = SelectField(_l("L'ufficio che di solito risponde"), coerce=str, validators=[Optional()])
    retired = BooleanField(_l("Non si sceglie più"))

    def offer(self, offices: Iterable[tuple[int, str]]) -> ThemeForm:
        """Fill in the offices."""
        self.office_id.choices = [("", "-"), *((str(key), name) for key, name in offices)]
        return self


class PlaceForm(NamedForm):
    """A place on the plan."""

    x = IntegerField(_l("Da sinistra, da 0 a 1000"), validators=_between(0, 1000))
    y = IntegerField(_l("Dall'alto, da 0 a 1000"), validators=_between(0, 1000))
    retired = BooleanField(_l("Non si sceglie più"))
