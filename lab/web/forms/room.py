"""Forms of the room: a question, a poll, what the screen shows."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, FieldList, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from lab.services import room, room_polls, room_questions
from lab.web.forms.base import CreatingForm, LabForm


class AskForm(CreatingForm):
    """A question from a phone."""

    text = TextAreaField(
        _l("La tua domanda"),
        validators=[
            DataRequired(_l("Scrivi la domanda.")),
            Length(max=room_questions.TEXT_LIMIT, message=_l("È troppo lunga: in sala si legge da lontano.")),
        ],
    )
    author_name = StringField(_l("Il tuo nome, se vuoi"), validators=[Length(max=60)])


class PollForm(LabForm):
    """A quick poll with up to six answers."""

    text = StringField(
        _l("La domanda"),
        validators=[DataRequired(_l("Scrivi la domanda.")), Length(max=room_polls.TEXT_LIMIT)],
    )
    answers = FieldList(
        StringField(_l("Risposta"), validators=[Length(max=room_polls.LABEL_LIMIT)]),
        label=_l("Le risposte"),
        min_entries=room_polls.MOST,
        max_entries=room_polls.MOST,
    )


class MessageForm(LabForm):
    """A line under everything the screen shows."""

    message = StringField(_l("Una riga sullo schermo"), validators=[Length(max=room.MESSAGE_LIMIT)])


class DoorsForm(LabForm):
    """Whether the phones may ask, and whether somebody reads first."""

    questions_open = BooleanField(_l("I telefoni possono fare domande"))
    is_moderated = BooleanField(_l("Le leggo prima di farle vedere"))
