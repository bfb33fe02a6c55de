"""The second question after somebody has given stars to a page."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, IntegerField, RadioField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import HiddenInput

from lab.services import ratings
from lab.web.forms.base import CreatingForm

ASPECTS: dict[bool, dict[str, Any]] = {
    True: {
        "clear": _l("Le indicazioni erano chiare"),
        "complete": _l("Le indicazioni erano complete"),
        "sure": _l("Capivo sempre se stavo andando bene"),
        "smooth": _l("Non ho avuto problemi tecnici"),
        "other": _l("Altro"),
    },
    False: {
        "unclear": _l("A volte le indicazioni non erano chiare"),
        "incomplete": _l("A volte le indicazioni non erano complete"),
        "lost": _l("A volte non capivo se stavo andando bene"),
        "technical": _l("Ho avuto problemi tecnici"),
        "other": _l("Altro"),
    },
}


class RatingForm(CreatingForm):
    """Stars and page are carried along; the question depends on the stars."""

    page = HiddenField(validators=[Length(max=ratings.PAGE_LIMIT)])
    stars = IntegerField(
        widget=HiddenInput(),
        validators=[InputRequired(_l("Scegli da una a cinque stelle.")), NumberRange(1, 5)],
    )
    reason = RadioField(validators=[Optional()], validate_choice=True)
    detail = TextAreaField(
        _l("Vuoi aggiungere qualcosa?"),
        validators=[Length(max=ratings.TEXT_LIMIT, message=_l("È troppo lungo: bastano poche parole."))],
    )

    def ask(self) -> None:
        """Choose the question and its answers by the stars."""
        good = (self.stars.data or 0) >= ratings.GOOD_FROM
        self.reason.label.text = (
            _l("Che cosa ti è piaciuto di più?") if good else _l("Dove hai trovato difficoltà?")
        )
        self.reason.choices = list(ASPECTS[good].items())
