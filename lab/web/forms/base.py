"""What all forms share: a token, a key that makes sending twice one thing, errors beside their field."""

from __future__ import annotations

from functools import cache
from typing import Any

from babel import support
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField
from wtforms.i18n import messages_path
from wtforms.validators import Length

from lab.kernel.errors import Conflict, Denied, Invalid, RateLimited
from lab.kernel.ids import new_key
from lab.web.i18n import language
from lab.web.labels import error_words


@cache
def _library_words(code: str) -> Any:
    # The library reads its catalogue from disk anew for every request.
    return support.Translations.load(messages_path(), [code], domain="wtforms")


class LabForm(FlaskForm):
    """A form that changes something; alone it is enough for one-button forms."""

    class Meta(FlaskForm.Meta):
        """How these forms speak."""

        def get_translations(self, form: FlaskForm) -> Any:
            """The words of WTForms itself in the reader's language."""
            return _library_words(language())


class SeenForm(LabForm):
    """Carries the fingerprint of what its page showed."""

    seen = HiddenField(validators=[Length(max=64)])


class CreatingForm(LabForm):
    """A form that makes something new: its key tells a second sending from a second thing."""

    idempotency_key = HiddenField(validators=[Length(max=64)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.idempotency_key.data:
            self.idempotency_key.data = new_key()


def refuse(form: FlaskForm, error: Invalid | Conflict | Denied) -> int:
    """Say beside the field it speaks about, or on top, why a service refused.

    Gives the status under which the page comes back with everything typed: 422 for what can be put right,
    409 where somebody was quicker or the state does not admit it, 403 where the right is missing.
    """
    if isinstance(error, Denied):
        form.form_errors.append(str(error_words(error.reason)))
        return 403
    words = str(error_words(error.code))
    if isinstance(error, Conflict):
        form.form_errors.append(words)
        return 409
    if error.field in form:
        field = form[error.field]
        field.errors = [*field.errors, words]
    else:
        form.form_errors.append(words)
    return 422


def say_limited(field: Field, error: RateLimited) -> dict[str, str]:
    """Too many tries, said beside the field; gives the header that says when to come back."""
    minutes = max(1, round(error.retry_after / 60))
    field.errors = [_("Troppi tentativi. Riprova tra %(minutes)d minuti.", minutes=minutes)]
    return {"Retry-After": str(error.retry_after)}
