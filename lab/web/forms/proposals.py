"""Forms of the one door: saying something, correcting it, taking it back."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import Field, HiddenField, MultipleFileField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, ValidationError

from lab.services.contributions import NAME_LIMIT, TEXT_LIMIT, TITLE_LIMIT
from lab.services.listing import Choice
from lab.services.proposals import REASON_LIMIT
from lab.web.forms.base import CreatingForm, LabForm

#: Name of the field that people do not see and machines fill in.
TRAP = "sito"
#: Words, not files: what a draft keeps of the form.
KEPT = ("text", "title", "author_name", "theme", "place", "project")


class AtMost:
    """Refuses a longer text without cutting it. Line ends count once, as on the page."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.field_flags = {"maxlength": most}

    def __call__(self, form: Any, field: Field) -> None:
        length = len((field.data or "").replace("\r\n", "\n"))
        if length > self.most:
            raise ValidationError(
                str(_l("Sono %(length)d caratteri: al massimo %(most)d.", length=length, most=self.most))
            )


class Said:
    """Something must be there, not only blanks."""

    def __init__(self, words: Any) -> None:
        self.words = words
        self.field_flags = {"required": True}

    def __call__(self, form: Any, field: Field) -> None:
        if not (field.data or "").strip():
            raise ValidationError(str(self.words))


class OneOf:
    """One of the offered answers, or none."""

    def __call__(self, form: Any, field: Field) -> None:
        known = {value for value, *_rest in field.choices}
        if field.data and field.data not in known:
            raise ValidationError(str(_l("Questa scelta non c'è più. Scegline un'altra.")))


class SayForm(CreatingForm):
    """A few words; everything else is optional."""

    text = TextAreaField(
        _l("Che cosa vuoi dire?"), [Said(_l("Scrivi almeno due parole.")), AtMost(TEXT_LIMIT)]
    )
    title = StringField(_l("Un titolo"), [AtMost(TITLE_LIMIT)])
    author_name = StringField(_l("Il tuo nome o soprannome"), [AtMost(NAME_LIMIT)])
    theme = SelectField(_l("Di che cosa parla?"), [OneOf()], validate_choice=False)
    place = RadioField(_l("Dove?"), [OneOf()], validate_choice=False)
    project = SelectField(_l("Riguarda uno di questi progetti?"), [OneOf()], validate_choice=False)
    photos = MultipleFileField(_l("Foto"))
    #: Set when the page was drawn for somebody signed in: a session that ends meanwhile changes no names.
    signed = HiddenField()

    def offer(self, choices: list[Choice], locale: str) -> None:
        """Fill in the answers one can choose from."""
        none = ("", str(_l("Non so")))
        self.theme.choices = [none, *_pairs(choices, "theme", locale)]
        self.place.choices = [
            ("", str(_l("Non so, o in tutto il quartiere"))),
            *_pairs(choices, "place", locale),
        ]
        self.project.choices = [("", str(_l("Nessuno, o non so"))), *_pairs(choices, "project", locale)]

    def words(self) -> dict[str, str]:
        """What was typed, for the draft."""
        return {name: self[name].data or "" for name in KEPT}


def _pairs(choices: list[Choice], what: str, locale: str) -> list[tuple[str, str]]:
    return [(one.code, one.word(locale)) for one in choices if one.what == what and not one.retired]


class EditForm(LabForm):
    """Correct one's own words."""

    text = TextAreaField(_l("Le tue parole"), [Said(_l("Scrivi almeno due parole.")), AtMost(TEXT_LIMIT)])
    title = StringField(_l("Un titolo"), [AtMost(TITLE_LIMIT)])
    photos = MultipleFileField(_l("Altre foto"))
    version = HiddenField(validators=[InputRequired()])


class WithdrawForm(LabForm):
    """Take one's own words back."""

    reason = TextAreaField(
        _l("Perché la ritiri?"),
        [Said(_l("Scrivi il motivo: lo leggono tutti quelli che la sostengono.")), AtMost(REASON_LIMIT)],
    )
