"""Forms with which people keep their own things in order."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from lab.kernel.locales import native_name
from lab.models.accounts import MailRhythm
from lab.web.forms.base import LabForm
from lab.web.labels import label


class PreferencesForm(LabForm):
    """Name, language, rhythm of mail."""

    name = StringField(
        _l("Nome o soprannome"),
        validators=[DataRequired(_l("Scrivi come vuoi farti chiamare.")), Length(max=2000)],
    )
    locale = SelectField(_l("In che lingua ti scriviamo?"), validators=[DataRequired()])
    mail_rhythm = RadioField(
        _l("Quando c'è una novità, ti scriviamo"), validators=[InputRequired(_l("Scegli una risposta."))]
    )

    def offer(self, locales: tuple[str, ...]) -> PreferencesForm:
        """Fill in the languages of this site and the rhythms."""
        self.locale.choices = [(code, native_name(code)) for code in locales]
        self.mail_rhythm.choices = [(rhythm.value, label(rhythm)) for rhythm in MailRhythm]
        return self


class EraseForm(LabForm):
    """Leaving for good needs a mark of its own."""

    sure = BooleanField(
        _l("Sì, cancella i miei dati"), validators=[InputRequired(_l("Metti il segno se sei sicuro."))]
    )
