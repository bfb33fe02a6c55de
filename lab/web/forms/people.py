"""Forms with which the staff write people down, give functions and cards."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import lazy_gettext as _l
from wtforms import DateField, EmailField, HiddenField, SelectField, StringField, TelField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from lab.kernel.locales import native_name
from lab.models.accounts import Role
from lab.web.forms.base import CreatingForm, LabForm
from lab.web.labels import label

_DATE = _l("Scrivi la data così: giorno, mese, anno.")


class PersonForm(CreatingForm):
    """Somebody met at the desk."""

    name = StringField(
        _l("Nome o soprannome"), validators=[DataRequired(_l("Scrivi un nome.")), Length(max=2000)]
    )
    locale = SelectField(_l("Che lingua parla?"), validators=[DataRequired()])
    postal = StringField(_l("Dove portiamo le lettere"), validators=[Length(max=1000)])
    phone = TelField(_l("Telefono"), validators=[Length(max=200)])
    email = EmailField(_l("E-mail, se ce l'ha"), validators=[Length(max=254)])

    def offer(self, locales: tuple[str, ...]) -> PersonForm:
        """Fill in the languages of this site."""
        self.locale.choices = [(code, native_name(code)) for code in locales]
        return self


class RoleForm(LabForm):
    """A function with its days; which of the three last fields counts depends on it."""

    role = SelectField(_l("Incarico"), validators=[DataRequired(_l("Scegli l'incarico."))])
    office_id = SelectField(_l("Ufficio (per chi lavora in un ufficio)"), coerce=str, validators=[Optional()])
    body_id = SelectField(_l("Ente (per il referente di un ente)"), coerce=str, validators=[Optional()])
    seat_code = StringField(_l("Seggio (per il Comitato)"), validators=[Length(max=16)])
    starts_on = DateField(_l("Dal giorno"), validators=[DataRequired(_DATE)])
    ends_on = DateField(_l("Fino al giorno, compreso"), validators=[Optional()])

    def offer(self, offices: Iterable[tuple[int, str]], bodies: Iterable[tuple[int, str]]) -> RoleForm:
        """Fill in what can be chosen."""
        self.role.choices = [("", "-"), *((r.value, label(r)) for r in Role if r is not Role.RESIDENT)]
        self.office_id.choices = [("", "-"), *((str(key), name) for key, name in offices)]
        self.body_id.choices = [("", "-"), *((str(key), name) for key, name in bodies)]
        return self


class EndRoleForm(LabForm):
    """The last day; nothing ends it at once."""

    last_day = DateField(_l("Ultimo giorno, compreso"), validators=[Optional()])


class BlockForm(LabForm):
    """Why somebody is shut out or let in."""

    reason = TextAreaField(
        _l("Perché"),
        validators=[DataRequired(_l("Scrivi il motivo: lo legge la persona.")), Length(max=500)],
    )


class IssueCardForm(LabForm):
    """Which card the page showed, so that two hands do not make two."""

    replaces = HiddenField(validators=[Length(max=20)])
