"""Words for the codes of meetings: kinds, sign-ups, kiosk, room, capture. Read through `lab.web.labels`."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from lab.models.capture import CommitmentState, MinutesState, PartKind, Priority, RemarkForm
from lab.models.events import EventKind, EventState, Fullness, Influence, Offer
from lab.models.kiosk import DeviceMode
from lab.models.registrations import QuestionKind, RegistrationState, Source
from lab.models.rooms import PollState, QuestionState, RoomView

EVENT_WORDS: dict[type[StrEnum], dict[Any, Any]] = {
    EventKind: {
        EventKind.ASSEMBLY: _l("Assemblea"),
        EventKind.STAIR_ASSEMBLY: _l("Assemblea di scala"),
        EventKind.WALK: _l("Passeggiata di quartiere"),
        EventKind.PLANNING_FOR_REAL: _l("Planning for real"),
        EventKind.OPEN_SPACE: _l("Open space"),
        EventKind.WORLD_CAFE: _l("World café"),
        EventKind.THEMATIC_TABLE: _l("Tavolo su un tema"),
        EventKind.WORKING_GROUP: _l("Gruppo di lavoro"),
        EventKind.SITE_MEETING: _l("Incontro di cantiere"),
        EventKind.PARTY: _l("Festa"),
        EventKind.OPENING: _l("Porte aperte"),
        EventKind.COURSE: _l("Corso"),
        EventKind.WORKSHOP: _l("Laboratorio"),
        EventKind.FIELD_TRIAL: _l("Prova sul campo"),
        EventKind.MEETING: _l("Incontro"),
        EventKind.COMMITTEE_SESSION: _l("Seduta del Comitato"),
    },
    EventState: {
        EventState.PLANNED: _l("In programma"),
        EventState.HELD: _l("Si è tenuto"),
        EventState.CANCELLED: _l("Annullato"),
    },
    Influence: {
        Influence.INFORM: _l("Ti raccontiamo che cosa succede"),
        Influence.CONSULT: _l("Ti ascoltiamo e ti rispondiamo"),
        Influence.INVOLVE: _l("Cerchiamo soluzioni insieme"),
        Influence.CO_DESIGN: _l("Progettiamo insieme"),
        Influence.DECIDE: _l("Decidete voi"),
    },
    Offer: {
        Offer.CHILDCARE: _l("Spazio per i bambini"),
        Offer.INTERPRETER: _l("Interprete"),
        Offer.SIGN_LANGUAGE: _l("Lingua dei segni"),
        Offer.ACCESS: _l("Aiuto per entrare e muoversi"),
        Offer.FOOD: _l("Qualcosa da mangiare"),
        Offer.TRANSPORT: _l("Passaggio per arrivare"),
        Offer.MATERIALS: _l("Materiali facili da leggere"),
    },
    Fullness: {
        Fullness.NO_SIGN_UP: _l("Non serve iscriversi"),
        Fullness.FREE: _l("Ci sono posti"),
        Fullness.FEW: _l("Ultimi posti"),
        Fullness.FULL: _l("Posti finiti: c'è la lista d'attesa"),
    },
    QuestionKind: {
        QuestionKind.TEXT: _l("Poche parole"),
        QuestionKind.ONE: _l("Una scelta"),
        QuestionKind.MANY: _l("Più scelte"),
        QuestionKind.YES_NO: _l("Sì o no"),
        QuestionKind.NUMBER: _l("Un numero"),
    },
    RegistrationState: {
        RegistrationState.CONFIRMED: _l("Confermata"),
        RegistrationState.WAITING: _l("In lista d'attesa"),
        RegistrationState.CANCELLED: _l("Annullata"),
        RegistrationState.MERGED: _l("Unita a un'altra iscrizione"),
    },
    Source: {
        Source.SITE: _l("dal sito"),
        Source.KIOSK: _l("dal totem"),
        Source.DOOR: _l("all'ingresso"),
        Source.PAPER: _l("su carta"),
        Source.DESK: _l("dal Laboratorio"),
    },
    DeviceMode: {
        DeviceMode.KIOSK: _l("Totem per chi arriva"),
        DeviceMode.DOOR: _l("Ingresso, con chi accoglie"),
    },
    RoomView: {
        RoomView.WELCOME: _l("Benvenuto"),
        RoomView.COUNT: _l("Quanti siamo"),
        RoomView.AGENDA: _l("Scaletta"),
        RoomView.QUESTIONS: _l("Domande"),
        RoomView.POLL: _l("Sondaggio"),
        RoomView.PLAN: _l("Pianta"),
        RoomView.PHOTOS: _l("Foto"),
        RoomView.PAUSE: _l("Pausa"),
    },
    QuestionState: {
        QuestionState.WAITING: _l("Da leggere"),
        QuestionState.SHOWN: _l("In sala"),
        QuestionState.ANSWERED: _l("Ha una risposta"),
        QuestionState.SET_ASIDE: _l("Messa da parte"),
    },
    PollState: {
        PollState.DRAFT: _l("Pronto"),
        PollState.OPEN: _l("Aperto"),
        PollState.CLOSED: _l("Chiuso"),
    },
    PartKind: {
        PartKind.STOP: _l("Tappa"),
        PartKind.TABLE: _l("Tavolo"),
        PartKind.GROUP: _l("Gruppo"),
    },
    RemarkForm: {
        RemarkForm.REMARK: _l("Osservazione"),
        RemarkForm.CARD: _l("Carta"),
        RemarkForm.OBSERVATION: _l("Osservazione della tappa"),
        RemarkForm.TABLE_NOTE: _l("Appunto del tavolo"),
        RemarkForm.REPORT_POINT: _l("Punto del gruppo"),
        RemarkForm.AGREED_POINT: _l("Punto condiviso"),
    },
    Priority: {
        Priority.NOW: _l("Subito"),
        Priority.SOON: _l("Presto"),
        Priority.LATER: _l("Più avanti"),
    },
    MinutesState: {
        MinutesState.DRAFT: _l("Bozza"),
        MinutesState.PUBLISHED: _l("Pubblicato"),
    },
    CommitmentState: {
        CommitmentState.OPEN: _l("Da fare"),
        CommitmentState.KEPT: _l("Fatto"),
        CommitmentState.DROPPED: _l("Non si farà"),
    },
}

#: Refusals of the services of meetings, in words.
EVENT_ERRORS: dict[str, Any] = {
    "room_closed": _l("La sala è chiusa in questo momento."),
    "questions_closed": _l("Le domande ora sono chiuse. Quello che hai scritto è ancora qui sotto."),
    "poll_closed": _l("Questo sondaggio è chiuso."),
    "poll_answers": _l("Servono da due a sei risposte."),
    "poll_twice": _l("Due risposte sono uguali: cambiane una."),
    "already_cancelled": _l("Questa iscrizione è già annullata."),
    "merged_by_host": _l("Questa iscrizione è unita a un'altra tua: cambia quella."),
    "someone_elses": _l("Questa iscrizione è già tra le cose di un'altra persona."),
    "not_waiting": _l("Intanto non è più in lista d'attesa. Guarda di nuovo l'elenco."),
    "reserved_above": _l("I posti tenuti per i gruppi sono più di tutti i posti."),
    "promise_made": _l("A chi si è iscritto abbiamo promesso un giorno: può venire prima, non dopo."),
    "group_in_use": _l("Qualcuno si è iscritto con questo gruppo: non si può togliere."),
    "most_under_reserved": _l("Il massimo di un gruppo non può stare sotto i posti tenuti per lui."),
    "two_options": _l("Servono almeno due risposte diverse tra cui scegliere, una per riga."),
    "not_open_yet": _l("Le iscrizioni non sono ancora aperte."),
    "sign_up_closed": _l("Le iscrizioni sono chiuse."),
    "event_cancelled": _l("Questo incontro è stato annullato."),
    "no_sign_up": _l("Per questo incontro non serve iscriversi: vieni e basta."),
    "party_too_big": _l("Siete troppi per una sola iscrizione. Chiama il Laboratorio."),
    "already_signed_up": _l("Ti sei già iscritto. Guarda la conferma che hai ricevuto."),
    "consent_needed": _l("Per iscriverti serve il tuo sì."),
    "under_taken": _l("Ci sono già più persone iscritte. Il numero non può essere più basso."),
    "no_place_left": _l("Non ci sono abbastanza posti liberi."),
    "override_reason": _l("Scrivi perché entra oltre i posti."),
    "no_such_hour": _l("In quel giorno questa ora non c'è: l'orologio va avanti. Scegline un'altra."),
    "event_length": _l("Un incontro dura da 5 minuti a tre giorni."),
    "point_length": _l("Un punto della scaletta dura almeno un minuto."),
    "bad_address": _l("Questo indirizzo non va bene. Comincia con https://"),
    "link_or_file": _l("Scrivi un indirizzo oppure scegli un PDF, uno dei due."),
    "not_a_pdf": _l("Questo file non è un PDF."),
    "too_large": _l("Questo file è troppo grande."),
    "series_times": _l("Scrivi un numero da 1 a 30."),
    "already_held": _l("Questo incontro si è già tenuto."),
    "event_over": _l("L'incontro è finito da più di un mese: non si collegano altri tablet."),
    "bad_pin": _l("Scegli da 4 a 8 cifre. Non tutte uguali, e non 1234."),
    "too_many_devices": _l("Ci sono già troppi tablet per questo incontro."),
    "already_settled": _l("Qualcuno l'ha già guardato."),
    "still_closed": _l("Non si può ancora leggere. Resta qui, non si perde."),
    "other_hosts": _l("È di un altro incontro. Lo prende chi lo organizza."),
    "no_totem_file": _l("Questo non è un file del totem."),
    "too_heavy": _l("Il file è troppo grande."),
    "nothing_readable": _l("Il file è rovinato: non si legge nulla. Salvalo di nuovo dal tablet."),
    "other_meeting": _l("Questo file è di un altro incontro. Portalo lì."),
    "door_only": _l("Questo lo fa solo il tablet dell'ingresso."),
    "waiting_list": _l("È in lista d'attesa. Per farlo entrare scrivi perché."),
    "cancelled_before": _l("Aveva disdetto, e i posti sono finiti. Per farlo entrare scrivi perché."),
    "undone": _l("Questo ingresso è stato annullato. Cerca di nuovo il nome."),
    "typed_differently": _l("Un'altra persona ha scritto questa riga in un altro modo. Scegli quale resta."),
    "merged_line": _l("Questa riga è unita a un'altra iscrizione. Prima separale, nella pagina dei doppi."),
    "not_standing": _l("Una delle due non è più in elenco. Guarda di nuovo."),
    "later_first": _l("Dopo hai unito anche un'altra riga: separa prima quella."),
    "forgotten": _l("I nomi sono già stati cancellati, come promesso: non si può più separare."),
    "list_closed": _l("I nomi di questo incontro sono già stati cancellati, come promesso."),
    "contact_elsewhere": _l("Il suo contatto è ora su un'altra iscrizione. Guarda prima quella."),
    "event_not_public": _l("L'incontro non è ancora sul sito: pubblicalo, poi pubblica il verbale."),
    "not_begun": _l("L'incontro deve ancora cominciare."),
    "already_published": _l("Intanto il verbale è stato pubblicato. Quello che hai scritto è qui sotto."),
    "not_published": _l("Il verbale non è ancora pubblicato."),
    "minutes_not_published": _l("Prima va pubblicato il verbale."),
    "already_answered": _l("Ha già una risposta scritta."),
    "what_is_missing": _l("Scrivi che cosa, oppure svuota la riga."),
    "one_owner": _l("Di' chi: scegline uno dall'elenco oppure scrivi un nome, non tutti e due."),
    "due_out_of_range": _l("Controlla il giorno: viene prima dell'incontro o è troppo lontano."),
    "same_id_other_content": _l(
        "Lo stesso numero è arrivato con un contenuto diverso: lo guarda una persona."
    ),
}
