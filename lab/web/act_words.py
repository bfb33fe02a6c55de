"""Words for the log (verbs, as the end of a sentence that begins with a person) and for waiting work."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

ACTS: dict[str, Any] = {
    "account.email": _l("ha cambiato la sua e-mail"),
    "account.join": _l("si è registrata"),
    "account.password": _l("ha cambiato la sua password"),
    "account.password_away": _l("ha tolto la password a una persona"),
    "action.adopt": _l("ha adottato un'azione"),
    "action.amend": _l("ha corretto un'azione"),
    "action.draft": _l("ha scritto un'azione"),
    "action.propose": _l("ha proposto un'azione all'ufficio"),
    "action.report": _l("ha raccontato come va un'azione"),
    "action.send_back": _l("ha rimandato un'azione"),
    "action.unweave": _l("ha tolto una proposta da un'azione"),
    "action.weave": _l("ha messo una proposta in un'azione"),
    "answer.draft": _l("ha preparato una risposta"),
    "answer.publish": _l("ha pubblicato una risposta"),
    "appeal.make": _l("ha chiesto di ripensarci"),
    "appeal.settle": _l("ha deciso su una richiesta di ripensarci"),
    "body.save": _l("ha cambiato un ente"),
    "card.issue": _l("ha fatto una carta"),
    "card.replace": _l("ha rifatto una carta"),
    "card.revoke": _l("ha fermato una carta"),
    "comment.delete": _l("ha tolto il suo commento"),
    "comment.hide": _l("ha nascosto un commento"),
    "comment.restore": _l("ha rimesso un commento"),
    "comments.close": _l("ha chiuso i commenti"),
    "comments.open": _l("ha riaperto i commenti"),
    "commitment.dropped": _l("ha detto che un impegno non si farà"),
    "commitment.kept": _l("ha detto che un impegno è mantenuto"),
    "commitment.open": _l("ha riaperto un impegno"),
    "contribution.co_design": _l("ha aperto il lavoro insieme"),
    "contribution.edit": _l("ha corretto le sue parole"),
    "contribution.gave_back": _l("ha restituito una proposta"),
    "contribution.hide": _l("ha nascosto una proposta"),
    "contribution.keep_private": _l("ha tenuto riservata una proposta"),
    "contribution.let_go": _l("ha lasciato una proposta"),
    "contribution.merge": _l("ha unito due proposte"),
    "contribution.open_up": _l("ha reso pubblica una proposta"),
    "contribution.pass_on": _l("ha passato una proposta a chi se ne occupa"),
    "contribution.place": _l("ha detto una cosa"),
    "contribution.read": _l("ha letto una proposta"),
    "contribution.reopen": _l("ha riaperto una proposta"),
    "contribution.restore": _l("ha rimesso una proposta"),
    "contribution.route": _l("ha passato una proposta a un ufficio"),
    "contribution.sort": _l("ha messo in ordine una proposta"),
    "contribution.split": _l("ha diviso una proposta"),
    "contribution.split_off": _l("ha ricavato una proposta da un'altra"),
    "contribution.take": _l("ha preso in mano una proposta"),
    "contribution.take_back": _l("ha ripreso una proposta da un ufficio"),
    "contribution.took_in": _l("ha accolto una proposta in un'altra"),
    "contribution.type": _l("ha scritto per un'altra persona"),
    "contribution.unmerge": _l("ha separato due proposte"),
    "contribution.withdraw": _l("ha ritirato la sua proposta"),
    "event.cancel": _l("ha annullato un incontro"),
    "event.change": _l("ha cambiato un incontro"),
    "event.create": _l("ha preparato un incontro"),
    "event.document": _l("ha aggiunto un documento a un incontro"),
    "event.document_away": _l("ha tolto un documento da un incontro"),
    "event.hosts": _l("ha cambiato chi conduce un incontro"),
    "event.list_forgotten": _l("ha cancellato i nomi di un incontro, come promesso"),
    "event.people_seen": _l("ha guardato i nomi di un incontro"),
    "event.sign_up_changed": _l("ha cambiato come ci si iscrive a un incontro"),
    "registration.called": _l("ha chiamato una persona iscritta"),
    "registration.cancelled": _l("ha annullato un'iscrizione per qualcuno"),
    "registration.moved": _l("ha spostato una persona nella lista d'attesa"),
    "registration.override": _l("ha fatto entrare qualcuno oltre i posti"),
    "registration.set_apart": _l("ha separato due iscrizioni"),
    "registration.typed": _l("ha scritto un'iscrizione per qualcuno"),
    "event.part": _l("ha cambiato una tappa, un tavolo o un gruppo"),
    "event.publish": _l("ha pubblicato un incontro"),
    "event.sheet": _l("ha messo la foto di un foglio"),
    "event.sheet_removed": _l("ha tolto la foto di un foglio"),
    "flag.leave": _l("ha lasciato com'era un testo segnalato"),
    "letter.hand_over": _l("ha consegnato una lettera"),
    "letter.print": _l("ha stampato una lettera"),
    "minutes.correct": _l("ha corretto un verbale"),
    "minutes.publish": _l("ha pubblicato un verbale"),
    "minutes.save": _l("ha scritto la bozza di un verbale"),
    "office.save": _l("ha cambiato un ufficio"),
    "outbox.retry": _l("ha fatto riprovare un lavoro fermo"),
    "person.block": _l("ha chiuso l'accesso a una persona"),
    "person.change": _l("ha corretto i dati di una persona"),
    "person.erase": _l("ha cancellato nome e contatti di una persona"),
    "person.join": _l("ha ritrovato quello che aveva detto prima"),
    "person.register": _l("ha messo una persona nell'elenco"),
    "person.unblock": _l("ha riaperto l'accesso a una persona"),
    "phase.save": _l("ha cambiato una fase"),
    "place.save": _l("ha cambiato un luogo"),
    "programme.change": _l("ha cambiato il Contratto"),
    "project.add": _l("ha aggiunto un progetto"),
    "project.change": _l("ha cambiato un progetto"),
    "project.hand_over": _l("ha passato un progetto a un altro ufficio"),
    "question.answer": _l("ha risposto per scritto a una domanda"),
    "question.promise": _l("ha dato un giorno alla risposta di una domanda"),
    "role.end": _l("ha fatto finire un incarico"),
    "role.give": _l("ha dato un incarico"),
    "settings.change": _l("ha cambiato il sito"),
    "theme.save": _l("ha cambiato un tema"),
}


#: What the site does by itself, by topic of the outbox; mails show their subject.
WORK: dict[str, Any] = {
    "announce": _l("Avvisare chi è interessato"),
    "digest": _l("Preparare le novità del giorno"),
    "mail": _l("Una mail"),
    "news": _l("Preparare le novità di una persona"),
    "reminders": _l("Ricordare le scadenze"),
    "retention": _l("Togliere quello che non serve più"),
}


def work_words(topic: str) -> Any:
    """The words for a piece of work; the topic itself for one of an older version of the site."""
    return WORK.get(topic, topic)


def act_words(verb: str) -> Any:
    """The words for a verb; the verb itself for one of an older version of the site."""
    return ACTS.get(verb, verb)
