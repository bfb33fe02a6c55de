"""Forms of the desk about signing up: the rules of a meeting, and what hosts do for somebody."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    FieldList,
    Form,
    FormField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from lab.kernel.clock import local_instant
from lab.models.events import Offer
from lab.models.registrations import QuestionKind
from lab.services import sign_up_settings as rules
from lab.services.registrations import NAME_LIMIT, NOTE_LIMIT
from lab.services.sign_up_settings import Group, Question, Rules, Settings
from lab.web.forms.base import LabForm
from lab.web.forms.events import HourField
from lab.web.forms.projects import DayField, WholeField
from lab.web.forms.proposals import AtMost, OneOf, Said
from lab.web.forms.sign_up import PartyFields
from lab.web.labels import label
from lab.web.numbers import version_of, whole


def _within(least: int, most: int) -> list[Any]:
    words = _l("Scrivi un numero da %(least)d a %(most)d.", least=least, most=most)
    return [Optional(), NumberRange(least, most, words)]


class GroupFields(Form):
    """Places for some people. Without a name it is not there."""

    id = HiddenField()
    name = StringField(_l("Gruppo"), [AtMost(80)])
    reserved = WholeField(_l("Posti tenuti"), _within(0, rules.CAPACITY_MOST))
    most = WholeField(_l("Al massimo"), _within(0, rules.CAPACITY_MOST))


class QuestionFields(Form):
    """A question of the meeting's own. Without words it is not there."""

    id = HiddenField()
    label = StringField(_l("Domanda"), [AtMost(200)])
    kind = SelectField(_l("Come si risponde"), validate_choice=False)
    options = TextAreaField(_l("Le risposte tra cui scegliere, una per riga"), [AtMost(2500)])
    is_required = BooleanField(_l("Bisogna rispondere"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = [(kind.value, label(kind)) for kind in QuestionKind]


class RulesForm(LabForm):
    """How one signs up."""

    version = HiddenField()
    is_offered = BooleanField(_l("Ci si iscrive"))
    capacity = WholeField(_l("Posti"), _within(0, rules.CAPACITY_MOST))
    under_taken = BooleanField(_l("Anche se ci sono già più iscritti: loro restano, nessun altro entra"))
    party_most = WholeField(_l("Al massimo quante persone con una sola iscrizione"), _within(1, 50))
    opens_day = DayField(_l("Dal giorno"), [Optional()])
    opens_hour = HourField(_l("Dalle ore"), [Optional()])
    closes_day = DayField(_l("Fino al giorno"), [Optional()])
    closes_hour = HourField(_l("Fino alle ore"), [Optional()])
    asks = SelectMultipleField(
        _l("Chiedi se serve"),
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    consent_note = TextAreaField(_l("Altre parole sui dati"), [AtMost(1000)])
    keep_days = WholeField(_l("Dopo quanti giorni cancelliamo nomi e recapiti"), _within(1, rules.KEEP_MOST))
    remind_days = WholeField(_l("Quanti giorni prima mandiamo un promemoria"), _within(0, rules.REMIND_MOST))
    groups = FieldList(FormField(GroupFields), max_entries=rules.GROUPS_MOST + 2)
    questions = FieldList(FormField(QuestionFields), max_entries=rules.QUESTIONS_MOST + 2)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asks.choices = [(offer.value, label(offer)) for offer in Offer]

    def with_blanks(self) -> RulesForm:
        """An empty row at the end of each list, to add one."""
        if not self.groups.entries or self.groups.entries[-1].form.name.data:
            self.groups.append_entry()
        if not self.questions.entries or self.questions.entries[-1].form.label.data:
            self.questions.append_entry()
        return self

    def beside(self, now: dict[str, Any]) -> None:
        """Sending once more means having seen what holds `now`: what others added stays, unless cleared."""
        self.version.data = now["version"]
        for rows, key in ((self.groups, "groups"), (self.questions, "questions")):
            seen = {row.form.id.data for row in rows}
            for added in now[key]:
                if added["id"] not in seen and len(rows) < rows.max_entries:
                    rows.append_entry(added)

    def blame_row(self, place: str, words: str) -> None:
        """Say beside one field of one row why it was refused; `place` counts the rows that were filled in."""
        listing, row, part = place.split(".")
        rows = self[listing]
        field = self._filled(rows)[int(row)].form[part]
        field.errors = [*field.errors, words]
        rows.errors = [entry.errors for entry in rows]

    @staticmethod
    def _filled(rows: FieldList) -> list[FormField]:
        named = "name" if rows.short_name == "groups" else "label"
        return [row for row in rows if (row.form[named].data or "").strip()]

    def settings(self, event_id: int, timezone: str) -> Settings:
        """What was filled in. Raises ValueError for an hour that does not exist on that day."""
        return Settings(
            event_id,
            version_of(self.version.data),
            is_offered=bool(self.is_offered.data),
            capacity=self.capacity.data,
            opens_at=_instant(self.opens_day.data, self.opens_hour.data, time(0), timezone),
            closes_at=_instant(self.closes_day.data, self.closes_hour.data, time(23, 59), timezone),
            party_most=self.party_most.data or 4,
            asks=tuple(self.asks.data or ()),
            consent_note=self.consent_note.data or "",
            keep_days=self.keep_days.data or 30,
            remind_days=self.remind_days.data or 0,
            groups=tuple(_group(row.form) for row in self._filled(self.groups)),
            questions=tuple(_question(row.form) for row in self._filled(self.questions)),
            under_taken=bool(self.under_taken.data),
        )


def _group(row: Any) -> Group:
    return Group(row.name.data, row.reserved.data or 0, row.most.data, whole(row.id.data))


def _question(row: Any) -> Question:
    known = {kind.value: kind for kind in QuestionKind}
    options = tuple(line.strip() for line in (row.options.data or "").splitlines() if line.strip())
    kind = known.get(row.kind.data, QuestionKind.TEXT)
    return Question(row.label.data, kind, options, bool(row.is_required.data), whole(row.id.data))


def _instant(day: date | None, hour: time | None, default: time, timezone: str) -> datetime | None:
    return local_instant(day, hour or default, timezone) if day else None


def rules_data(found: Rules, timezone: str) -> dict[str, Any]:
    """The rules as the form shows them."""
    sign_up, zone = found.sign_up, ZoneInfo(timezone)
    opens = sign_up.opens_at.astimezone(zone) if sign_up.opens_at else None
    closes = sign_up.closes_at.astimezone(zone) if sign_up.closes_at else None
    return {
        "version": str(sign_up.version),
        "is_offered": sign_up.is_offered,
        "capacity": sign_up.capacity,
        "party_most": sign_up.party_most,
        "opens_day": opens.date() if opens else None,
        "opens_hour": opens.time() if opens else None,
        "closes_day": closes.date() if closes else None,
        "closes_hour": closes.time() if closes else None,
        "asks": list(sign_up.asks),
        "consent_note": sign_up.consent_note,
        "keep_days": sign_up.keep_days,
        "remind_days": sign_up.remind_days,
        "groups": [
            {"id": str(one.id), "name": one.name, "reserved": one.reserved, "most": one.most}
            for one in found.groups
        ],
        "questions": [
            {
                "id": str(one.id),
                "label": one.label,
                "kind": one.kind.value,
                "options": "\n".join(one.options),
                "is_required": one.is_required,
            }
            for one in found.questions
        ],
    }


class TypedForm(PartyFields):
    """Somebody who rings up; the questions are about them, not to them."""

    name = StringField(_l("Come si chiama"), [Said(_l("Scrivi un nome.")), AtMost(NAME_LIMIT)])
    party_size = SelectField(_l("Quanti sono"), [OneOf()], validate_choice=False)
    group = SelectField(_l("Con chi viene"), [OneOf()], validate_choice=False)
    needs = SelectMultipleField(
        _l("Che cosa serve"),
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    needs_note = TextAreaField(_l("Altro da sapere"), [AtMost(NOTE_LIMIT)])

    override_reason = StringField(_l("Perché entra anche se i posti sono finiti"), [AtMost(200)])
    told = BooleanField(_l("Ho detto alla persona come usiamo i suoi dati"))


class ChangedForm(TypedForm):
    """What a sign-up says, put right for them: whether they were told was asked when it was written."""

    override_reason = None
    told = None


class ReasonForm(LabForm):
    """An act that needs a reason."""

    reason = StringField(_l("Perché"), [Said(_l("Scrivi perché.")), AtMost(200)])


class MoveForm(ReasonForm):
    """Another number in the queue."""

    number = WholeField(_l("Nuovo numero"), [NumberRange(1, 100_000, _l("Scrivi un numero da 1 in su."))])


def told_check() -> str:
    """Said when nobody ticked that the person was told."""
    return str(_("Prima dillo alla persona, poi segna qui."))
