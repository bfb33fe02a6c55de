"""The form of signing up: a name; everything else is optional or asked by the meeting."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from lab.kernel.errors import Invalid
from lab.kernel.text import clean_line, valid_email
from lab.models.registrations import EventQuestion, QuestionKind, Registration
from lab.services.registrations import NAME_LIMIT, NOTE_LIMIT, phone_key_of
from lab.services.sign_up_answers import ANSWER_LIMIT
from lab.web.forms.base import CreatingForm
from lab.web.forms.proposals import AtMost, OneOf, Said
from lab.web.labels import error_words

PREFIX = "answer_"


class PartyFields(CreatingForm):
    """Who, how many, what they need."""

    name = StringField(
        _l("Come ti chiami?"), [Said(_l("Scrivi un nome: anche solo un soprannome.")), AtMost(NAME_LIMIT)]
    )
    party_size = SelectField(_l("Quanti siete?"), [OneOf()], validate_choice=False)
    group = SelectField(_l("Con chi vieni?"), [OneOf()], validate_choice=False)
    email = EmailField(_l("E-mail"), [AtMost(254)])
    phone = TelField(_l("Telefono"), [AtMost(32)])
    needs = SelectMultipleField(
        _l("Che cosa ti serve?"),
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    needs_note = TextAreaField(_l("Vuoi dirci di più?"), [AtMost(NOTE_LIMIT)])

    def validate_email(self, field: Field) -> None:
        """An address that cannot be one is told together with what else is wrong."""
        written = clean_line(field.data or "", 255)
        if written and not valid_email(written):
            raise ValidationError(str(error_words("bad_email")))

    def validate_phone(self, field: Field) -> None:
        """The same for a number."""
        try:
            phone_key_of(field.data or "")
        except Invalid as error:
            raise ValidationError(str(error_words(error.code))) from None

    def said(self) -> dict[str, Any]:
        """What a command takes of the party, by its names there."""
        return {
            "name": self.name.data or "",
            "email": self.email.data or "",
            "phone": self.phone.data or "",
            "party_size": self.number_of_people(),
            "group_id": self.group_id(),
            "needs": tuple(self.needs.data or ()),
            "needs_note": self.needs_note.data or "",
            "answers": self.answers(),
        }

    def answers(self) -> dict[str, Any]:
        """What was answered, by id of the question."""
        given = {}
        for field in self:
            if field.name.startswith(PREFIX) and field.data not in (None, "", []):
                data = field.data
                given[field.name.removeprefix(PREFIX)] = data if isinstance(data, list) else data.strip()
        return given

    def number_of_people(self) -> int:
        """The size of the party; 0 when it is no number."""
        written = self.party_size.data or ""
        return int(written) if written.isascii() and written.isdecimal() and len(written) < 6 else 0

    def group_id(self) -> int | None:
        """The chosen group."""
        written = self.group.data or ""
        return int(written) if written.isascii() and written.isdecimal() and len(written) < 18 else None


class SignUpForm(PartyFields):
    """The same with the yes to what happens to one's data."""

    consent = BooleanField(
        _l("Va bene, usate questi dati per questo incontro"),
        [DataRequired(_l("Per iscriverti serve il tuo sì."))],
    )
    #: The version of the words that the reader saw.
    agreed = HiddenField()
    #: Set when the page was drawn for somebody signed in: a session that ends meanwhile changes nothing.
    signed = HiddenField()


def with_questions(base: type[PartyFields], questions: Iterable[EventQuestion]) -> type[Any]:
    """The form with a field for each question of the meeting's own."""
    fields = {f"{PREFIX}{question.id}": _field(question) for question in questions}
    return type(base.__name__, (base,), fields) if fields else base


def _field(question: EventQuestion) -> Field:
    checks = [Said(_l("Manca questa risposta."))] if question.is_required else []
    kind = question.kind
    options = [SelectChoice(one, one) for one in question.options]
    if kind is QuestionKind.ONE:
        return RadioField(question.label, checks, choices=options, validate_choice=False)
    if kind is QuestionKind.MANY:
        return SelectMultipleField(
            question.label,
            [_Some()] if question.is_required else [],
            choices=options,
            validate_choice=False,
            widget=ListWidget(prefix_label=False),
            option_widget=CheckboxInput(),
        )
    if kind is QuestionKind.YES_NO:
        yes_no = [SelectChoice("yes", _l("Sì")), SelectChoice("no", _l("No"))]
        return RadioField(question.label, checks, choices=yes_no, validate_choice=False)
    if kind is QuestionKind.NUMBER:
        return StringField(question.label, [*checks, AtMost(6)], render_kw={"inputmode": "numeric"})
    return StringField(question.label, [*checks, AtMost(ANSWER_LIMIT)])


class _Some:
    """At least one of several."""

    field_flags = {"required": True}  # noqa: RUF012  # read by WTForms

    def __call__(self, form: Any, field: Field) -> None:
        if not field.data:
            field.errors.append(_("Manca questa risposta."))


def offer(
    form: PartyFields, *, most: int, groups: list[tuple[int, str]], asks: Iterable[str], least: int = 1
) -> None:
    """Fill the choices with what this meeting has."""
    form.party_size.choices = [(str(n), str(n)) for n in range(least, most + 1)]
    if form.party_size.data is None:
        form.party_size.data = "1"
    form.group.choices = [("", _("Nessun gruppo in particolare")), *((str(i), words) for i, words in groups)]
    form.needs.choices = [(str(code), need_words(code)) for code in asks]


def need_words(code: str) -> str:
    """A need as the person who has it would say it."""
    words = {
        "childcare": _("Spazio per i bambini"),
        "interpreter": _("Interprete"),
        "sign_language": _("Lingua dei segni"),
        "access": _("Aiuto per entrare e muovermi"),
        "food": _("Qualcosa da mangiare (allergie, abitudini)"),
        "transport": _("Un passaggio per arrivare"),
        "materials": _("Testi facili da leggere"),
    }
    return str(words.get(code, code))


def fill_from(form: PartyFields, registration: Registration) -> None:
    """Show what a sign-up says now."""
    form.name.data = registration.name
    form.party_size.data = str(registration.party_size)
    form.group.data = str(registration.group_id or "")
    form.email.data = registration.email or ""
    form.phone.data = registration.phone or ""
    form.needs.data = list(registration.needs)
    form.needs_note.data = registration.needs_note
    for key, value in registration.answers.items():
        if f"{PREFIX}{key}" in form:
            form[f"{PREFIX}{key}"].data = value


def place_error(field: str) -> str:
    """The form's field of a refusal: services name answers and groups by id."""
    if field.startswith("answers."):
        return PREFIX + field.removeprefix("answers.")
    return {"group_id": "group", "answers": "needs"}.get(field, field)
