"""Forms around an input: a comment, a flag, one-button acts."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, TextAreaField
from wtforms.validators import InputRequired

from lab.kernel.detectors import PrivateDetail, private_details
from lab.services.conversation import COMMENT_LIMIT
from lab.services.flags import NOTE_LIMIT
from lab.web.forms.base import CreatingForm, LabForm
from lab.web.forms.proposals import AtMost, Said

_DETAILS = {
    PrivateDetail.PHONE: _l("un numero di telefono"),
    PrivateDetail.EMAIL: _l("un indirizzo e-mail"),
    PrivateDetail.IBAN: _l("un conto in banca"),
    PrivateDetail.FISCAL_CODE: _l("un codice fiscale"),
}


class _Words(LabForm):
    """Words that everybody will read; private details in them are asked about once."""

    text = TextAreaField(
        _l("Che cosa vuoi dire?"), [Said(_l("Scrivi almeno due parole.")), AtMost(COMMENT_LIMIT)]
    )
    shared = BooleanField(_l("Va bene così: possono leggerlo tutti"))

    def found(self) -> list[str]:
        """The private details in the text, in words."""
        return [str(_DETAILS[kind]) for kind in private_details(self.text.data or "")]

    def needs_a_word(self) -> bool:
        """Whether the text shows private details and its author has not said that this is meant."""
        return bool(self.found()) and not self.shared.data


class CommentForm(_Words, CreatingForm):
    """Something to add, or with `parent` an answer to somebody."""

    parent = HiddenField()


class EditCommentForm(_Words):
    """Other words for a comment."""


class FlagForm(CreatingForm):
    """Why a text should not stand. The reason is the button one touches."""

    note = TextAreaField(_l("Vuoi aggiungere qualcosa?"), [AtMost(NOTE_LIMIT)])
    reason = HiddenField(validators=[InputRequired()])


class SupportForm(LabForm):
    """One's hand for an input, and whether to hear of it."""

    follow = BooleanField(_l("Avvisami quando succede qualcosa"))
