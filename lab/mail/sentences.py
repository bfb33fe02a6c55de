"""One plain sentence for each step people hear of: the same in the application, in a mail and on paper."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from lab.services.telling import Told


def N_(words: str) -> str:
    """Mark a sentence for the catalogue; it is translated where the reader's language is known."""
    return words


SENTENCES: dict[str, str] = {
    "routed": N_("Ora se ne occupa %(office)s. La risposta arriva entro %(due)s."),
    "passed_on": N_("L'abbiamo passata a chi se ne occupa: %(who)s."),
    "question_answered": N_("C'è la risposta scritta a questa domanda."),
    "co_design": N_("Ci lavoriamo insieme: ti diremo quando ci vediamo."),
    "answered_accepted": N_("%(office)s ha risposto: accolta."),
    "answered_accepted_in_part": N_("%(office)s ha risposto: accolta in parte."),
    "answered_already_so": N_("%(office)s ha risposto: c'è già."),
    "answered_declined": N_("%(office)s ha risposto: non accolta. Qui sotto c'è il perché."),
    "answered_passed_on": N_("%(office)s ha risposto: tocca a %(who)s."),
    "merged": N_("L'abbiamo unita a un'altra che chiede la stessa cosa. Le tue parole restano."),
    "took_in": N_("Un'altra persona chiede la stessa cosa: abbiamo unito le due proposte."),
    "unmerged": N_("L'abbiamo separata dall'altra: ora va avanti da sola."),
    "split": N_("Diceva due cose: l'abbiamo divisa, così ognuna ha la sua risposta."),
    "woven": N_("È entrata in un'azione: %(action)s."),
    "unwoven": N_("Non fa più parte di un'azione. Torna tra quelle che guardiamo."),
    "hidden": N_("L'abbiamo nascosta. Qui sotto c'è il perché. Puoi chiederci di ripensarci."),
    "restored": N_("È di nuovo visibile a tutti."),
    "withdrawn": N_("Chi l'ha scritta l'ha ritirata."),
    "comment": N_("%(name)s ha scritto un commento."),
    "reply": N_("%(name)s ti ha risposto."),
    "comment_hidden": N_("Abbiamo nascosto il tuo commento. Puoi chiederci di ripensarci."),
    "comment_restored": N_("Il tuo commento è di nuovo visibile."),
    "appeal_settled": N_("Abbiamo guardato di nuovo la decisione, come ci hai chiesto."),
    "adopted": N_("%(office)s ha adottato l'azione che nasce da qui: %(action)s."),
    "updated": N_("C'è una novità sull'azione: %(action)s."),
    "done": N_("L'azione è conclusa: %(action)s."),
    "action_adopted": N_("%(office)s ha adottato quest'azione."),
    "action_updated": N_("C'è una novità."),
    "action_done": N_("Quest'azione è conclusa."),
    "project_changed": N_("Il progetto è cambiato. Ecco perché."),
    "office_asked": N_("Chiede una risposta del tuo ufficio entro %(due)s."),
    "office_due": N_("La risposta del tuo ufficio è attesa entro %(due)s."),
    "office_late": N_("La risposta del tuo ufficio era attesa per %(due)s."),
    "office_withdrawn": N_("Chi l'ha scritta l'ha ritirata: non serve più rispondere."),
    "action_proposed": N_(
        "Il Laboratorio propone quest'azione al tuo ufficio. Puoi adottarla, cambiarla o rimandarla."
    ),
    "action_sent_back": N_("%(office)s rimanda l'azione al Laboratorio. Ecco perché."),
    "given_back": N_(
        "%(office)s la restituisce al Laboratorio: non tocca a quell'ufficio. "
        "Il motivo è nella storia della proposta."
    ),
    "team_adopted": N_("%(office)s ha adottato l'azione."),
    "promise_near": N_("Abbiamo promesso una risposta entro %(due)s."),
    "promise_late": N_("Avevamo promesso una risposta per %(due)s: siamo in ritardo."),
    "team_office_late": N_("%(office)s doveva rispondere per %(due)s."),
    "signed_up": N_("La tua iscrizione è confermata: ci vediamo %(due)s."),
    "sign_up_waiting": N_("Sei in lista d'attesa per %(due)s. Ti scriviamo se si libera un posto."),
    "sign_up_promoted": N_("Si è liberato un posto: ora sei tra gli iscritti. Ci vediamo %(due)s."),
    "sign_up_cancelled": N_("La tua iscrizione è annullata."),
    "event_moved": N_("L'incontro è cambiato: guarda quando e dove. Ora è %(due)s."),
    "event_off": N_("L'incontro è stato annullato."),
    "event_reminder": N_("Ti ricordiamo l'incontro: ci vediamo %(due)s."),
    "event_minutes": N_("C'è il verbale del tuo incontro."),
    "appeal_made": N_("Chi l'ha scritta chiede di ripensare alla decisione di nasconderla."),
}

#: The same where a piece of it is not known (an office not named, a day not given).
WITHOUT_OFFICE = {
    "routed": N_("Ora se ne occupa l'ufficio giusto. La risposta arriva entro %(due)s."),
    "passed_on": N_("L'abbiamo passata a chi se ne occupa."),
}


def sentence(told: Told, gettext: Callable[[str], str], day_words: Callable[[date], str]) -> str:
    """What happened, in one sentence, in the language of `gettext`."""
    table = SENTENCES
    if not told.values.get("who") and told.kind in WITHOUT_OFFICE:
        table = WITHOUT_OFFICE
    values = {
        name: day_words(value) if isinstance(value, date) else value for name, value in told.values.items()
    }
    return gettext(table[told.kind]) % {"due": "", **values}
