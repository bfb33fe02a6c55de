"""What the team writes down for somebody else."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import NumberRange, Optional

from lab.models.accounts import Person
from lab.models.contributions import Kind
from lab.models.events import Event
from lab.services.contributions import NAME_LIMIT, TEXT_LIMIT, TITLE_LIMIT
from lab.services.intake import CHANNELS, HANDS_LIMIT
from lab.services.listing import Choice
from lab.web.formats import day_short
from lab.web.forms.base import CreatingForm
from lab.web.forms.proposals import AtMost, OneOf, Said
from lab.web.labels import label

#: A person chosen from the list is written with their number: two neighbours may share a name.
_CHOSEN = re.compile(r"\s*\(n\. ?(\d{1,18})\)\s*$")


class IntakeForm(CreatingForm):
    """One page: the words first, everything else optional or remembered."""

    text = TextAreaField(
        _l("Che cosa ha detto?"), [Said(_l("Scrivi almeno due parole.")), AtMost(TEXT_LIMIT)]
    )
    kind = RadioField(
        _l("Che cos'è?"),
        choices=[
            SelectChoice(Kind.PROPOSAL.value, _l("Idea")),
            SelectChoice(Kind.REPORT.value, _l("Segnalazione")),
        ],
        default=Kind.PROPOSAL.value,
    )
    channel = SelectField(_l("Come è arrivata?"))
    event = SelectField(_l("In quale incontro?"), [OneOf()], validate_choice=False)
    theme = SelectField(_l("Tema"), [OneOf()], validate_choice=False)
    place = SelectField(_l("Luogo"), [OneOf()], validate_choice=False)
    title = StringField(_l("Titolo"), [AtMost(TITLE_LIMIT)])
    who = StringField(_l("Chi parla?"), [AtMost(NAME_LIMIT + 24)])
    shown_name = StringField(_l("Nome da mostrare, se diverso"), [AtMost(NAME_LIMIT)])
    register = BooleanField(_l("Tieni la persona in elenco, per scriverle una lettera"))
    postal = StringField(_l("Dove le portiamo la lettera?"), [AtMost(200)])
    said_on = DateField(_l("Quando l'ha detto?"), [Optional()])
    hands = IntegerField(
        _l("Quante altre persone la sostengono?"),
        [Optional(), NumberRange(0, HANDS_LIMIT, _l("Un numero da 0 a 2000."))],
    )
    private = BooleanField(_l("È una questione privata"))
    pile = BooleanField(_l("Ho un mucchio di fogli: dopo, subito un altro"))

    def offer(self, choices: Sequence[Choice], events: Sequence[Event], locale: str) -> None:
        """Fill in the answers one can choose from."""
        self.channel.choices = [SelectChoice(one.value, label(one)) for one in CHANNELS]
        self.event.choices = [
            SelectChoice("", _l("Nessuno")),
            *(SelectChoice(one.code, f"{day_short(one.starts_at)}: {one.title}") for one in events),
        ]
        for field, what in ((self.theme, "theme"), (self.place, "place")):
            field.choices = [
                SelectChoice("", _l("Non so")),
                *(
                    SelectChoice(one.code, one.word(locale))
                    for one in choices
                    if one.what == what and not one.retired
                ),
            ]

    def person(self) -> tuple[str, int | None]:
        """The name as typed and, where one was chosen from the list, the number of the person."""
        written = (self.who.data or "").strip()
        found = _CHOSEN.search(written)
        return (written[: found.start()].strip(), int(found[1])) if found else (written, None)


def listed_name(person: Person) -> str:
    """How a known person stands in the list: with their number, and where they live when we know it."""
    return f"{person.name} (n. {person.id})"
