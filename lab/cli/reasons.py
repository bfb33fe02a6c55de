"""Why something was refused, as sentences in the terminal's language: the domain says it in codes."""

from __future__ import annotations

from lab.cli.common import words
from lab.kernel.errors import Conflict, Denied, Invalid, LabError

#: In Italian and in English.
SENTENCES: dict[str, tuple[str, str]] = {
    # people
    "name_missing": ("il nome deve avere almeno una lettera", "the name needs a letter at least"),
    "name_too_long": ("il nome è troppo lungo", "the name is too long"),
    "password_too_short": (
        "la password è troppo corta: servono 8 caratteri",
        "the password needs 8 characters",
    ),
    "password_too_long": (
        "la password è troppo lunga: bastano 128 caratteri",
        "the password is over 128 characters",
    ),
    "password_too_common": ("la password è facile da indovinare", "the password is easily guessed"),
    "password_too_personal": (
        "la password somiglia al nome o all'indirizzo",
        "the password resembles the name or the address",
    ),
    "office_needed": (
        "serve un ufficio in attività: --office CODICE",
        "an office in being is needed: --office CODE",
    ),
    "body_needed": ("serve un ente: --body CODICE", "a body is needed: --body CODE"),
    "dates_out_of_order": ("la fine viene prima dell'inizio", "it ends before it begins"),
    "bad_date": ("questa data è troppo lontana", "this date is too far away"),
    "role_held": ("in quei giorni ha già questa funzione", "this role is held in those days already"),
    "has_account": (
        "entra già con la sua e-mail: la tessera non serve",
        "signs in by e-mail already and needs no card",
    ),
    "is_staff": ("chi lavora alla regia non entra con una tessera", "staff do not sign in with a card"),
    "person_closed": ("questo accesso è chiuso", "this account is shut"),
    "last_administrator": (
        "è l'ultimo amministratore: prima nominane un altro",
        "the last administrator: make another one first",
    ),
    # files
    "unknown_field": ("il campo {name} non esiste", "there is no field {name}"),
    "field_missing": ("manca il campo {name}", "the field {name} is missing"),
    "no_column": ("nel file manca la colonna {name}", "the file has no column {name}"),
    "not_csv": ("non è un CSV in UTF-8", "it is no CSV in UTF-8"),
    # rows
    "required": ("manca", "is missing"),
    "too_long": ("è troppo lungo", "is too long"),
    "not_a_date": ("non è una data", "is no date"),
    "not_a_number": ("non è un numero", "is no number"),
    "number": ("è un numero fuori misura", "is a number out of range"),
    "day": ("è una data troppo lontana", "is too far away"),
    "no_such_hour": ("quell'ora non c'è: l'orologio la salta", "does not exist: the clock jumps over it"),
    "event_length": ("dura troppo o troppo poco", "is too short or too long"),
    "twice_in_file": ("c'è già in un'altra riga", "stands in another row too"),
    "unknown": ("non lo conosco", "is not known"),
    "unknown_state": ("stato sconosciuto: usa --state", "is an unknown state: use --state"),
    "unknown_kind": ("tipo sconosciuto: scrivilo in [kinds]", "is an unknown kind: name it in [kinds]"),
    "closed_without_date": (
        "serve il giorno in cui si è chiusa",
        "the day on which it was closed is needed",
    ),
    "no_such_project": ("questo progetto non c'è", "is no project of ours"),
    "no_such_proposal": ("questa proposta non c'è", "is no proposal of this source"),
}


def sentence(code: str, **params: object) -> str:
    """The words for a code, the code itself where it has none; `params` are the names they mention."""
    return words(*SENTENCES.get(code, (code, code))).format(**params)


def told(error: LabError) -> str:
    """Why the domain refused."""
    if isinstance(error, Invalid):
        return sentence(error.code, **error.params)
    if isinstance(error, Conflict):
        return sentence(error.code)
    return sentence(error.reason) if isinstance(error, Denied) else str(error)
