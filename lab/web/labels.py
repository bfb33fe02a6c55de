"""Words for codes. The only place where a code becomes a sentence; a test looks for what is missing."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from lab.kernel.detectors import PrivateDetail
from lab.models.accounts import MailRhythm, Role
from lab.models.actions import ActionKind, ActionState
from lab.models.answers import Verdict
from lab.models.capture import CommitmentState
from lab.models.contributions import Channel, Kind, Outcome, State, StepKind, Visibility
from lab.models.events import EventState, Fullness
from lab.models.moderation import FlagReason
from lab.models.programme import BodyKind
from lab.models.projects import ProjectState
from lab.models.registrations import RegistrationState
from lab.web.event_words import EVENT_ERRORS, EVENT_WORDS

WORDS: dict[type[StrEnum], dict[Any, Any]] = {
    **EVENT_WORDS,
    State: {
        State.RECEIVED: _l("Ricevuta"),
        State.IN_REVIEW: _l("La stiamo guardando"),
        State.CO_DESIGN: _l("Ci lavoriamo insieme"),
        State.ANSWERED: _l("Ha una risposta"),
        State.TAKEN_UP: _l("È diventata azione"),
        State.DONE: _l("Fatta"),
        State.DECLINED: _l("Non accolta"),
        State.MERGED: _l("Unita a un'altra"),
        State.WITHDRAWN: _l("Ritirata"),
    },
    ActionState: {
        ActionState.DRAFT: _l("Bozza"),
        ActionState.PROPOSED: _l("Proposta all'ufficio"),
        ActionState.SENT_BACK: _l("Rimandata al Laboratorio"),
        ActionState.TO_START: _l("Da avviare"),
        ActionState.UNDER_WAY: _l("In corso"),
        ActionState.SUSPENDED: _l("Sospesa"),
        ActionState.DONE: _l("Conclusa"),
    },
    ProjectState: {
        ProjectState.IN_DESIGN: _l("In progettazione"),
        ProjectState.IN_TENDER: _l("In gara"),
        ProjectState.ON_SITE: _l("In cantiere"),
        ProjectState.IN_SERVICE: _l("In funzione"),
        ProjectState.COMPLETED: _l("Concluso"),
    },
    Kind: {
        Kind.PROPOSAL: _l("Idea"),
        Kind.REPORT: _l("Segnalazione"),
        Kind.DESK_NOTE: _l("Nota dello sportello"),
        Kind.REMARK: _l("Detto a un incontro"),
        Kind.QUESTION: _l("Domanda"),
    },
    Channel: {
        Channel.SITE: _l("dal sito"),
        Channel.KIOSK: _l("dal totem"),
        Channel.PAPER: _l("su carta"),
        Channel.DESK: _l("allo sportello"),
        Channel.PHONE: _l("per telefono"),
        Channel.BOX: _l("nella cassetta"),
        Channel.ASSEMBLY: _l("in assemblea"),
        Channel.STAIR_ASSEMBLY: _l("in assemblea di scala"),
        Channel.WALK: _l("durante una passeggiata"),
        Channel.PLANNING_FOR_REAL: _l("con le carte sul plastico"),
        Channel.OPEN_SPACE: _l("in un open space"),
        Channel.WORLD_CAFE: _l("a un world café"),
        Channel.WORKING_GROUP: _l("in un gruppo di lavoro"),
        Channel.WORKSHOP: _l("in un laboratorio"),
        Channel.PARTY: _l("a una festa"),
        Channel.THEMATIC_TABLE: _l("a un tavolo su un tema"),
        Channel.SITE_MEETING: _l("a un incontro di cantiere"),
        Channel.OPENING: _l("a porte aperte"),
        Channel.COURSE: _l("a un corso"),
        Channel.FIELD_TRIAL: _l("in una prova sul campo"),
        Channel.MEETING: _l("a un incontro"),
        Channel.SURVEY: _l("in un questionario"),
        Channel.MAIL: _l("per e-mail"),
        Channel.IMPORT: _l("da un altro archivio"),
    },
    Outcome: {
        Outcome.ACTION: _l("È entrata in un'azione"),
        Outcome.ACCEPTED: _l("Accolta"),
        Outcome.ACCEPTED_IN_PART: _l("Accolta in parte"),
        Outcome.ALREADY_SO: _l("C'è già"),
        Outcome.DECLINED: _l("Non accolta"),
        Outcome.PASSED_ON: _l("Passata a chi se ne occupa"),
        Outcome.MERGED: _l("Unita a un'altra"),
        Outcome.WITHDRAWN: _l("Ritirata da chi l'ha scritta"),
    },
    Visibility: {
        Visibility.PUBLIC: _l("La leggono tutti"),
        Visibility.WAITING: _l("Aspetta di essere letta"),
        Visibility.PRIVATE: _l("Riservata"),
        Visibility.HIDDEN: _l("Nascosta"),
    },
    StepKind: {
        StepKind.SAID: _l("Detta"),
        StepKind.READ: _l("Letta dal Laboratorio"),
        StepKind.SORTED: _l("Messa al suo posto"),
        StepKind.ROUTED: _l("Passata all'ufficio"),
        StepKind.TAKEN_BACK: _l("Tornata al Laboratorio"),
        StepKind.PASSED_ON: _l("Passata a chi se ne occupa"),
        StepKind.EDITED: _l("Corretta da chi l'ha scritta"),
        StepKind.MERGED: _l("Unita a un'altra"),
        StepKind.TOOK_IN: _l("Ne ha accolta un'altra"),
        StepKind.UNMERGED: _l("Di nuovo da sola"),
        StepKind.SPLIT: _l("Divisa in due"),
        StepKind.CO_DESIGN: _l("Ci lavoriamo insieme"),
        StepKind.WOVEN: _l("Entrata in un'azione"),
        StepKind.UNWOVEN: _l("Tolta da un'azione"),
        StepKind.ADOPTED: _l("L'ufficio ha adottato l'azione"),
        StepKind.UNDER_WAY: _l("L'azione è partita"),
        StepKind.UPDATED: _l("Novità sull'azione"),
        StepKind.DONE: _l("L'azione è conclusa"),
        StepKind.ANSWERED: _l("Ha avuto una risposta"),
        StepKind.HIDDEN: _l("Nascosta"),
        StepKind.RESTORED: _l("Di nuovo visibile"),
        StepKind.WITHDRAWN: _l("Ritirata"),
        StepKind.REOPENED: _l("Riaperta"),
    },
    Verdict: {
        Verdict.ACCEPTED: _l("Accolta"),
        Verdict.ACCEPTED_IN_PART: _l("Accolta in parte"),
        Verdict.ALREADY_SO: _l("C'è già"),
        Verdict.DECLINED: _l("Non accolta"),
        Verdict.PASSED_ON: _l("Passata a un altro ente"),
    },
    ActionKind: {
        ActionKind.WORK: _l("Lavori"),
        ActionKind.SERVICE: _l("Servizio"),
        ActionKind.SOCIAL: _l("Azione sociale"),
        ActionKind.CARE: _l("Cura dei luoghi"),
        ActionKind.INFORMATION: _l("Informazione"),
    },
    Role: {
        Role.RESIDENT: _l("Abitante"),
        Role.FACILITATOR: _l("Facilitatore o facilitatrice"),
        Role.MODERATOR: _l("Moderatore o moderatrice"),
        Role.OFFICE: _l("Ufficio"),
        Role.COORDINATOR: _l("Responsabile del Contratto"),
        Role.COMMITTEE: _l("Comitato di Attuazione"),
        Role.DELEGATE: _l("Referente di un ente"),
        Role.ADMINISTRATOR: _l("Amministratore del sito"),
    },
    MailRhythm: {
        MailRhythm.AT_ONCE: _l("Appena succede"),
        MailRhythm.DAILY: _l("Una volta al giorno"),
        MailRhythm.NEVER: _l("Mai, guardo qui"),
    },
    FlagReason: {
        FlagReason.HARASSMENT: _l("Offende o perseguita qualcuno"),
        FlagReason.PRIVATE_DATA: _l("Mostra dati privati di qualcuno"),
        FlagReason.THREAT: _l("Minaccia qualcuno"),
        FlagReason.DISCRIMINATION: _l("Discrimina"),
        FlagReason.SPAM: _l("È pubblicità"),
        FlagReason.OTHER: _l("Altro"),
    },
    PrivateDetail: {
        PrivateDetail.PHONE: _l("un numero di telefono"),
        PrivateDetail.EMAIL: _l("un indirizzo e-mail"),
        PrivateDetail.IBAN: _l("un conto in banca"),
        PrivateDetail.FISCAL_CODE: _l("un codice fiscale"),
    },
    BodyKind: {
        BodyKind.INSTITUTION: _l("Istituzione"),
        BodyKind.RESEARCH: _l("Ricerca"),
        BodyKind.THIRD_SECTOR: _l("Terzo settore"),
        BodyKind.ASSOCIATION: _l("Associazione"),
        BodyKind.SCHOOL: _l("Scuola"),
        BodyKind.BUSINESS: _l("Impresa"),
        BodyKind.TRAINING: _l("Formazione"),
    },
}

#: Tone and icon of a state: never colour alone.
LOOKS: dict[StrEnum, tuple[str, str]] = {
    State.RECEIVED: ("slate", "inbox"),
    State.IN_REVIEW: ("amber", "search"),
    State.CO_DESIGN: ("amber", "exchange-circle"),
    State.ANSWERED: ("blue", "comment"),
    State.TAKEN_UP: ("teal", "link"),
    State.DONE: ("green", "check-circle"),
    State.DECLINED: ("brick", "close-circle"),
    State.MERGED: ("violet", "merge"),
    State.WITHDRAWN: ("outline", "arrow-left"),
    ActionState.DRAFT: ("outline", "pencil"),
    ActionState.PROPOSED: ("slate", "inbox"),
    ActionState.SENT_BACK: ("brick", "arrow-left"),
    ActionState.TO_START: ("slate", "clock"),
    ActionState.UNDER_WAY: ("teal", "settings"),
    ActionState.SUSPENDED: ("amber", "warning-circle"),
    ActionState.DONE: ("green", "check-circle"),
    ProjectState.IN_DESIGN: ("slate", "pencil"),
    ProjectState.IN_TENDER: ("amber", "clock"),
    ProjectState.ON_SITE: ("teal", "settings"),
    ProjectState.IN_SERVICE: ("green", "check-circle"),
    ProjectState.COMPLETED: ("green", "check-circle"),
    EventState.PLANNED: ("teal", "calendar"),
    EventState.HELD: ("slate", "check-circle"),
    EventState.CANCELLED: ("brick", "close-circle"),
    CommitmentState.OPEN: ("amber", "clock"),
    CommitmentState.KEPT: ("green", "check-circle"),
    CommitmentState.DROPPED: ("slate", "close-circle"),
    RegistrationState.CONFIRMED: ("green", "check-circle"),
    RegistrationState.WAITING: ("amber", "clock"),
    RegistrationState.CANCELLED: ("slate", "close-circle"),
    RegistrationState.MERGED: ("violet", "merge"),
    Fullness.FREE: ("teal", "check-circle"),
    Fullness.FEW: ("amber", "clock"),
    Fullness.FULL: ("amber", "list"),
    Verdict.ACCEPTED: ("green", "check-circle"),
    Verdict.ACCEPTED_IN_PART: ("teal", "check-circle"),
    Verdict.ALREADY_SO: ("blue", "comment"),
    Verdict.DECLINED: ("brick", "close-circle"),
    Verdict.PASSED_ON: ("slate", "arrow-right"),
}

#: Refusals and faults of the domain, in words; `field_error` and `error_words` read here.
ERRORS: dict[str, Any] = {
    **EVENT_ERRORS,
    "choose_first": _l("Scegli prima da qui."),
    "one_alone": _l("Scegline almeno un'altra: una da sola non si unisce."),
    "too_short": _l("Scrivi qualche parola in più: chi legge deve capire perché."),
    "past": _l("Questo giorno è già passato. Scegline uno da oggi in poi."),
    "one_of_two": _l("Scegli un ente oppure un ufficio, non tutti e due."),
    "no_such_code": _l("Non c'è nessuna proposta con questo codice. Ricontrolla."),
    "not_visible": _l("È riservata o nascosta: usa il comando apposta."),
    "held_by_other": _l("Intanto l'ha presa in mano un'altra persona."),
    "not_routed": _l("Non è da nessun ufficio."),
    "not_private": _l("Non è riservata."),
    "draft_changed": _l(
        "Intanto una persona del tuo ufficio ha salvato la bozza. Quello che hai scritto è ancora qui."
    ),
    "hidden_first": _l("Una delle proposte è nascosta: prima va mostrata di nuovo."),
    "read_first": _l("Una delle proposte non è ancora pubblica: prima segnala come letta."),
    "private_apart": _l("Una è riservata e l'altra no: non si possono unire."),
    "woven_lives_on": _l("Una è già in un'azione: tieni quella e unisci le altre a lei."),
    "not_merged": _l("Non è unita a nessuna."),
    "undo_later_first": _l("Quella a cui è unita è stata unita a sua volta. Prima separa quella."),
    "whole": _l("È ancora tutto il testo: lascia solo la parte che va da sola."),
    "not_their_words": _l("Qui ci sono parole che non erano nel testo. Togli e basta, senza riscrivere."),
    "choose_body": _l("Scegli l'ente a cui la passi."),
    "no_longer_yours": _l("Intanto questa proposta è passata ad altri: da qui non ci lavori più."),
    "already_hidden": _l("È già nascosta."),
    "not_hidden": _l("Non è nascosta."),
    "already_appealed": _l("L'hai già chiesto. Ti rispondiamo presto."),
    "settled": _l("Intanto ha già risposto un'altra persona."),
    "state_received": _l("Nello stato in cui è ora non si può."),
    "state_merged": _l("È stata unita a un'altra: lavora su quella."),
    "state_withdrawn": _l("Chi l'ha scritta l'ha ritirata."),
    "state_taken_up": _l("È già in un'azione."),
    "state_done": _l("È già fatta."),
    "state_answered": _l("Ha già una risposta. Se serve, riaprila."),
    "state_declined": _l("Ha già una risposta. Se serve, riaprila."),
    "unknown_code": _l("Uno di questi codici non esiste. Controlla e riprova."),
    "at_least_one": _l("Scegli almeno una voce dell'elenco."),
    "before_start": _l("È prima dell'inizio."),
    "unlikely_date": _l("Controlla l'anno: questa data non può essere."),
    "too_many": _l("Sono troppe: tieni le più importanti."),
    "withdrawn": _l("Chi l'ha scritta l'ha ritirata: non si può usare."),
    "ring": _l("Così le azioni si aspettano a vicenda e non parte nessuna."),
    "reason_needed": _l("Scrivi perché si ferma."),
    "action_draft": _l("È ancora una bozza."),
    "action_proposed": _l("È già sul tavolo dell'ufficio."),
    "action_sent_back": _l("L'ufficio l'ha già rimandata."),
    "action_to_start": _l("L'ufficio l'ha già adottata."),
    "action_under_way": _l("È già in corso."),
    "action_suspended": _l("È già sospesa."),
    "action_done": _l("È già conclusa."),
    "too_many_photos": _l("Sono troppe foto: al massimo cinque."),
    "broken": _l("La foto è rovinata e non si apre. Provane un'altra."),
    "too_many_pixels": _l("La foto è troppo grande. Mandane una più piccola."),
    "not_a_picture": _l("Non è una foto che sappiamo aprire. Va bene JPEG, PNG o WebP."),
    "heic": _l("Questo formato del telefono non si apre ovunque. Manda la foto come JPEG."),
    "too_heavy": _l("La foto pesa troppo. Scegline una più leggera."),
    "empty": _l("Il file è vuoto. Sceglilo di nuovo."),
    "bad_email": _l("Questo indirizzo non sembra giusto. Controlla che ci siano la chiocciola e il punto."),
    "same_email": _l("È già il tuo indirizzo."),
    "email_taken": _l("Questo indirizzo non si può usare. Prova con un altro."),
    "name_missing": _l("Scrivi un nome con almeno una lettera."),
    "name_too_long": _l("Il nome è troppo lungo: bastano 60 caratteri."),
    "bad_phone": _l("Questo numero non sembra giusto."),
    "bad_date": _l("Questa data non va bene."),
    "dates_out_of_order": _l("La fine viene prima dell'inizio. Controlla le due date."),
    "office_needed": _l("Scegli l'ufficio."),
    "body_needed": _l("Scegli l'ente."),
    "own_password_wrong": _l("La password non è giusta. Riprova."),
    "email_first": _l("Prima aggiungi la tua e-mail, poi scegli la password."),
    "password_missing": _l("Scrivi la password."),
    "wrong_password": _l("E-mail o password non vanno bene. Riprova, o fatti mandare un codice."),
    "password_too_short": _l("È troppo corta: servono almeno 8 caratteri."),
    "password_too_long": _l("È troppo lunga: bastano 128 caratteri."),
    "password_too_common": _l("È facile da indovinare. Prova con tre o quattro parole messe in fila."),
    "password_too_personal": _l("Somiglia al tuo nome o alla tua e-mail. Scegline un'altra."),
    "code_wrong": _l("Il codice non è giusto. Guarda bene l'ultima e-mail e riprova."),
    "code_expired": _l("Questo codice non vale più. Fattene mandare uno nuovo."),
    "code_used": _l("Questo codice è già servito."),
    "blocked": _l("Questo accesso è chiuso. Passa dal Laboratorio: ne parliamo."),
    "prove_first": _l("È passato un po' di tempo: mostraci ancora che sei tu."),
    "last_administrator": _l("È l'ultimo amministratore. Prima danne l'incarico a un'altra persona."),
    "role_held": _l("In quei giorni ha già questo incarico."),
    "role_ended": _l("Questo incarico è già finito."),
    "no_account": _l("Serve un accesso con e-mail. Chiedi alla persona di registrarsi, poi torna qui."),
    "has_account": _l("Ha già un accesso con e-mail e fa da sé."),
    "is_staff": _l("Chi lavora alla regia entra con e-mail e password, non con la carta."),
    "card_not_for_staff": _l("Chi lavora alla regia entra con e-mail e password, non con la carta."),
    "person_closed": _l("Questa persona non può avere una carta adesso."),
    "own_account": _l("Non puoi farlo su di te. Chiedi a un'altra persona."),
    "staff_by_administrator": _l("Su chi lavora alla regia decide l'amministratore."),
    "bad_hours": _l("Scrivi gli orari così: 15:00-18:00. Se sono due, separali con una virgola."),
    "bad_link": _l("L'indirizzo deve cominciare con https:// oppure con una barra."),
    "name_taken": _l("Questo nome c'è già."),
    "off_the_plan": _l("Il punto cade fuori dalla pianta."),
    "bad_number": _l("Questo numero non va bene."),
    "required": _l("Manca questa parte."),
    "too_long": _l("È troppo lungo."),
    "unknown": _l("Questa scelta non c'è più. Scegline un'altra."),
    "changed_meanwhile": _l(
        "Intanto qualcun altro ha cambiato qualcosa. Quello che hai scritto è ancora qui: guarda e riprova."
    ),
    "sign_in": _l("Prima accedi."),
    "set_aside": _l("Questa proposta è stata unita o ritirata."),
    "already_decided": _l("È già stata decisa: non si può più cambiare."),
    "edit_window_over": _l("Il tempo per correggere è finito. Puoi aggiungere un commento."),
    "comments_closed": _l("Qui i commenti sono chiusi."),
    "already_gone": _l("Questo testo non c'è più."),
    "own_words": _l("Non puoi decidere sulle tue parole. Chiedi a un collega."),
    "own_act": _l("Hai deciso tu la prima volta: tocca a un'altra persona."),
    "own_support": _l("È la tua proposta: il tuo sostegno c'è già."),
    "flagged_now": _l(
        "Qualcuno ha segnalato questo commento. Prima lo rilegge il Laboratorio, poi puoi cambiarlo."
    ),
    "flagged_already": _l("L'hai già segnalata. Una persona del Laboratorio la guarda."),
    "out_of_range": _l("Questo numero è troppo grande o troppo piccolo."),
    "in_the_future": _l("Questo giorno deve ancora venire."),
    "too_old": _l("È passato troppo tempo. Controlla l'anno."),
    "in_future": _l("Questo giorno deve ancora venire. Scegli oggi o prima."),
    "dates_order": _l("La fine viene prima dell'inizio. Controlla le due date."),
    "percent": _l("Scrivi un numero da 0 a 100."),
    "day": _l("Questa data è troppo lontana. Controlla l'anno."),
    "amount": _l("Questa somma non va bene. Scrivila così: 1.250.000 oppure 980,50."),
    "number": _l("Questo numero non va bene. Scrivi un numero da zero in su."),
    "no_programme": _l("Prima scrivi il programma: il nome e due righe."),
    "office_leads": _l("Questo ufficio porta ancora avanti dei progetti. Prima affidali a un altro."),
    "email": _l("Questo indirizzo e-mail non va bene. Controllalo."),
}


def label(code: StrEnum | None) -> Any:
    """The word for a code; "" for none."""
    if code is None:
        return ""
    return WORDS[type(code)][code]


def capacity_words(capacity: str) -> Any:
    """The function in which somebody acted; "" for residents and where none is known."""
    return label(Role(capacity)) if capacity in set(Role) - {Role.RESIDENT} else ""


def error_words(code: str) -> Any:
    """The sentence for an error code of the domain; a general one when the code has none."""
    return ERRORS.get(code, _l("Non si può fare adesso. Riprova."))


def state_tone(code: StrEnum) -> str:
    """Suffix of the colour classes for a state."""
    return LOOKS.get(code, ("slate", ""))[0]


def state_icon(code: StrEnum) -> str:
    """Name of the icon for a state."""
    return LOOKS.get(code, ("", "info-circle"))[1]
