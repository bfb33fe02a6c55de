"""Forms of the totem's pages at the desk."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length, Regexp

from lab.models.kiosk import DeviceMode
from lab.services import devices, kiosk_tray
from lab.web.forms.base import LabForm
from lab.web.kiosk_words import FIELD_WORDS
from lab.web.labels import label


class CodeForm(LabForm):
    """A code for one more tablet."""

    name = StringField(
        _l("Come si chiama il tablet"),
        validators=[DataRequired(_l("Dagli un nome, per esempio Ingresso.")), Length(max=devices.NAME_LIMIT)],
    )
    mode = RadioField(
        _l("A che cosa serve"),
        choices=[SelectChoice(mode.value, label(mode)) for mode in DeviceMode],
        default=DeviceMode.KIOSK.value,
    )
    pin = StringField(
        _l("PIN del tablet"),
        validators=[
            DataRequired(_l("Scegli da 4 a 8 cifre.")),
            Regexp(r"^[0-9]{4,8}$", message=_l("Scegli da 4 a 8 cifre.")),
        ],
    )


class FileForm(LabForm):
    """A file saved on a tablet."""

    file = FileField(_l("Il file del tablet"), validators=[DataRequired(_l("Scegli il file."))])


class DropForm(LabForm):
    """Leave a record out."""

    reason = StringField(
        _l("Perché lo lasci fuori"),
        validators=[DataRequired(_l("Scrivi perché.")), Length(max=kiosk_tray.REASON_LIMIT)],
    )


class TakeForm(LabForm):
    """Take a record in, with its fields as a host corrects them."""

    name = StringField(FIELD_WORDS["name"])
    email = StringField(FIELD_WORDS["email"])
    phone = StringField(FIELD_WORDS["phone"])
    party_size = StringField(FIELD_WORDS["party_size"])
    needs_note = StringField(FIELD_WORDS["needs_note"])
    code = StringField(FIELD_WORDS["code"])
    people = StringField(FIELD_WORDS["people"])
    stars = StringField(FIELD_WORDS["stars"])
    text = TextAreaField(FIELD_WORDS["text"])
    override = StringField(
        _l("Perché entra oltre i posti o fuori tempo"), validators=[Length(max=kiosk_tray.REASON_LIMIT)]
    )

    def keep(self, names: tuple[str, ...]) -> None:
        """Leave only the fields of this kind of record."""
        for name in [one.name for one in self if one.name not in (*names, "csrf_token")]:
            del self[name]

    def said(self) -> dict[str, str]:
        """What stands in the fields that were kept, without the reason."""
        return {one.name: one.data or "" for one in self if one.name not in ("csrf_token", "override")}


def as_typed(payload: dict[str, Any]) -> dict[str, str]:
    """What was said, as fields show it."""
    return {name: str(value) for name, value in payload.items() if isinstance(value, str | int)}
