"""Forms for joining, signing in, codes and new passwords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, EmailField, Form, PasswordField, StringField, ValidationError
from wtforms.validators import DataRequired, Length, Optional

from lab.kernel.errors import Invalid
from lab.kernel.text import valid_email
from lab.services import accounts
from lab.web.forms.base import CreatingForm, LabForm
from lab.web.labels import error_words

_EMAIL_MISSING = _l("Scrivi il tuo indirizzo e-mail.")
_EMAIL_LONG = _l("L'indirizzo è troppo lungo.")
_PASSWORD_LONG = _l("La password è troppo lunga: bastano 128 caratteri.")


def check_email(form: Form, field: EmailField) -> None:
    """The shape of an address; spaces around it do not matter."""
    if not valid_email((field.data or "").strip()):
        raise ValidationError(error_words("bad_email"))


class SignInForm(CreatingForm):
    """Address and password, or only the address to get a code."""

    email = EmailField(
        _l("E-mail"),
        validators=[DataRequired(_EMAIL_MISSING), Length(max=254, message=_EMAIL_LONG), check_email],
    )
    password = PasswordField(_l("Password"), validators=[Length(max=1000, message=_PASSWORD_LONG)])
    shared = BooleanField(_l("Questo telefono o computer non è mio"))


class CodeForm(LabForm):
    """Six digits; spaces and other scripts' digits are understood."""

    code = StringField(
        _l("Codice di sei cifre"),
        validators=[
            DataRequired(_l("Scrivi il codice.")),
            Length(max=40, message=_l("Il codice ha sei cifre.")),
        ],
    )


class JoinForm(CreatingForm):
    """A name, an address, and a password for those who want one."""

    name = StringField(
        _l("Nome o soprannome"),
        validators=[DataRequired(_l("Scrivi come vuoi farti chiamare."))],
    )
    email = EmailField(
        _l("E-mail"),
        validators=[DataRequired(_EMAIL_MISSING), Length(max=254, message=_EMAIL_LONG), check_email],
    )
    password = PasswordField(_l("Password"), validators=[Optional()])
    shared = BooleanField(_l("Questo telefono o computer non è mio"))

    # The service judges both again; here it is so that everything to put right is told at once.
    def validate_name(self, field: StringField) -> None:
        """As others will read it."""
        with _told():
            accounts.clean_name(field.data or "")

    def validate_password(self, field: PasswordField) -> None:
        """Long enough, and not to be guessed from the name or the address."""
        personal = (self.name.data or "")[: accounts.NAME_LIMIT], (self.email.data or "")[:254]
        with _told():
            accounts.judge_password(field.data or "", *personal)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except Invalid as error:
        raise ValidationError(str(error_words(error.code))) from error


class RecoverForm(CreatingForm):
    """Only the address."""

    email = EmailField(
        _l("E-mail"),
        validators=[DataRequired(_EMAIL_MISSING), Length(max=254, message=_EMAIL_LONG), check_email],
    )


class PasswordForm(LabForm):
    """The password one has."""

    password = PasswordField(
        _l("Password"),
        validators=[DataRequired(_l("Scrivi la password.")), Length(max=1000, message=_PASSWORD_LONG)],
    )


class NewPasswordForm(LabForm):
    """The password one will have; typed once, since it can be looked at while typing."""

    new_password = PasswordField(
        _l("Nuova password"),
        validators=[DataRequired(_l("Scrivi la nuova password.")), Length(max=1000, message=_PASSWORD_LONG)],
    )


class NewEmailForm(CreatingForm):
    """The new address."""

    email = EmailField(
        _l("Nuovo indirizzo e-mail"),
        validators=[DataRequired(_EMAIL_MISSING), Length(max=254, message=_EMAIL_LONG), check_email],
    )


class CardForm(LabForm):
    """Entering with a card."""

    shared = BooleanField(_l("Questo telefono o tablet non è mio"))
