"""Words of the desk: its piles, in the address and on the page, and what colleagues did."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from lab.services.desk import Pile
from lab.web.act_words import ACTS

#: The word of each pile in the address.
SLUGS = {
    Pile.OPEN: "aperte",
    Pile.UNREAD: "da-leggere",
    Pile.HELD: "in-mano",
    Pile.LATE: "in-ritardo",
    Pile.ROUTED: "agli-uffici",
    Pile.CLOSED: "chiuse",
    Pile.TO_ANSWER: "da-rispondere",
    Pile.DRAFTS: "bozze",
    Pile.ANSWERED: "con-risposta",
}

PILES: dict[Pile, Any] = {
    Pile.OPEN: _l("Tutte aperte"),
    Pile.UNREAD: _l("Da leggere"),
    Pile.HELD: _l("In mano"),
    Pile.LATE: _l("In ritardo"),
    Pile.ROUTED: _l("Agli uffici"),
    Pile.CLOSED: _l("Chiuse"),
    Pile.TO_ANSWER: _l("Aspettano la tua risposta"),
    Pile.DRAFTS: _l("Bozze"),
    Pile.ANSWERED: _l("Hanno risposta"),
}

#: What an empty pile says: a title and what to do next.
EMPTY: dict[Pile, tuple[Any, Any]] = {
    Pile.OPEN: (_l("Niente in attesa"), _l("Tutto quello che è arrivato ha già una risposta.")),
    Pile.UNREAD: (_l("Le hai lette tutte"), _l("Quando ne arriva una nuova, la trovi qui.")),
    Pile.HELD: (_l("Nessuno ha niente in mano"), _l("Apri una proposta e premi «Prendi in mano».")),
    Pile.LATE: (_l("Nessun ritardo"), _l("Tutte le promesse sono ancora in tempo. Bene così.")),
    Pile.ROUTED: (
        _l("Gli uffici non hanno niente"),
        _l("Quando ne passi una a un ufficio, la segui da qui."),
    ),
    Pile.CLOSED: (_l("Ancora nessuna chiusa"), _l("Qui restano le proposte che hanno avuto un esito.")),
    Pile.TO_ANSWER: (_l("Hai risposto a tutte"), _l("Se ne arriva una nuova, ti avvisiamo.")),
    Pile.DRAFTS: (_l("Nessuna bozza"), _l("Le risposte che cominci e non pubblichi restano qui.")),
    Pile.ANSWERED: (_l("Ancora nessuna risposta"), _l("Qui restano le proposte a cui hai risposto.")),
}

#: Acts in the audit log, as a colleague reads them.
VERBS: dict[str, Any] = {
    "contribution.read": _l("l'ha segnata come letta"),
    "contribution.sort": _l("l'ha messa al suo posto"),
    "contribution.route": _l("l'ha passata a un ufficio"),
    "contribution.take_back": _l("l'ha ripresa dall'ufficio"),
    "contribution.give_back": _l("l'ha resa al Laboratorio"),
    "contribution.retype": _l("ha corretto le parole"),
    "contribution.withdraw_for": _l("l'ha ritirata per chi l'aveva detta"),
    "contribution.take": _l("l'ha presa in mano"),
    "contribution.let_go": _l("l'ha lasciata libera"),
    "contribution.keep_private": _l("l'ha resa riservata"),
    "contribution.open_up": _l("l'ha resa pubblica"),
    "contribution.co_design": _l("ha cambiato il lavoro insieme"),
    "contribution.merge": _l("l'ha unita a un'altra"),
    "contribution.took_in": _l("ne ha unita un'altra a questa"),
    "contribution.unmerge": _l("l'ha separata di nuovo"),
    "contribution.gave_back": _l("ha separato un'altra da questa"),
    "contribution.split": _l("l'ha divisa in due"),
    "contribution.split_off": _l("l'ha fatta nascere da un'altra"),
    "contribution.hide": _l("l'ha nascosta"),
    "contribution.restore": _l("l'ha mostrata di nuovo"),
    "contribution.reopen": _l("l'ha riaperta"),
    "answer.publish": _l("ha pubblicato una risposta"),
}


#: The entry of the log that each form of an input's page leaves.
VERB_OF = {
    "desk.read": "contribution.read",
    "desk.sort": "contribution.sort",
    "desk.route": "contribution.route",
    "desk.take_back": "contribution.take_back",
    "desk.give_back": "contribution.give_back",
    "desk.retype": "contribution.retype",
    "desk.withdraw": "contribution.withdraw_for",
    "desk.keep_private": "contribution.keep_private",
    "desk.open_up": "contribution.open_up",
    "desk.co_design": "contribution.co_design",
    "desk.reopen": "contribution.reopen",
    "desk.separate": "contribution.unmerge",
    "desk.hide": "contribution.hide",
    "desk.restore": "contribution.restore",
}


def verb_words(verb: str) -> Any:
    """What somebody did, in words; a general one for acts of other pages."""
    return VERBS.get(verb) or ACTS.get(verb) or _l("ha cambiato qualcosa")
