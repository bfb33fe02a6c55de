"""Words of the totem's pages at the desk: why a record waits, what became of it, how a tablet is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from lab.models.kiosk import Device, SeatLease, TrayItem
from lab.web.labels import error_words

KIND_WORDS: dict[str, Any] = {
    "sign_up": _l("Iscrizione"),
    "walk_in": _l("Arrivo senza iscrizione"),
    "check_in": _l("Arrivo"),
    "idea": _l("Idea"),
    "question": _l("Domanda"),
    "how_it_was": _l("Com'è andata"),
}
#: The names of what was said, as the page of one record shows them.
FIELD_WORDS: dict[str, Any] = {
    "name": _l("Nome"),
    "email": _l("E-mail"),
    "phone": _l("Telefono"),
    "party_size": _l("Quante persone"),
    "people": _l("Quante persone"),
    "needs_note": _l("Che cosa serve"),
    "text": _l("Testo"),
    "code": _l("Codice"),
    "stars": _l("Voto da 1 a 5"),
    "answers": _l("Risposte alle domande"),
    "needs": _l("Che cosa serve"),
    "group_id": _l("Gruppo"),
    "place_code": _l("Luogo"),
    "consent": _l("Il suo sì"),
}
_REASONS: dict[str, Any] = {
    "conflict": _l("Lo stesso numero è arrivato con un contenuto diverso."),
    "unreadable": _l("Non si riesce ad aprire: è rovinato, o qualcuno l'ha cambiato."),
    "unknown_version": _l("Viene da una versione del totem che il sito non conosce."),
    "other_event": _l("È di un altro incontro."),
    "malformed": _l("Non ha la forma di una cosa del totem."),
    "promised_place": _l("Il tablet ha detto «confermato», ma il posto non c'era più. Ora aspetta in lista."),
    "fault": _l("Qui il sito ha sbagliato. Prova a prenderlo adesso."),
    "no_registration": _l("Questo codice non è nell'elenco."),
    "no_ticket": _l("Questo biglietto non è nell'elenco."),
    "no_event": _l("L'incontro non è ancora pubblico."),
    "sign_up_closed": _l("È arrivata molto dopo la fine dell'incontro."),
    "waiting_list": _l("È in lista d'attesa: per entrare serve un posto, o un perché."),
    "cancelled_before": _l("Aveva disdetto: per entrare serve un posto, o un perché."),
}  # fmt: skip
RESULT_WORDS: dict[str, Any] = {
    "confirmed": _l("Con il posto"),
    "waiting": _l("In lista d'attesa"),
    "received": _l("Ricevuti"),
    "arrived": _l("Arrivati"),
    "already_in": _l("Erano già dentro"),
    "needs_review": _l("Da guardare"),
    "again": _l("C'erano già"),
}
#: A tablet that has been silent for so long is looked at.
_SILENT = timedelta(minutes=10)
_OLD = timedelta(hours=24)
_SKEW_MS = 120_000
#: From so many minutes on a wrong clock is told in hours.
_IN_HOURS = 120
_SPACE = 50_000_000
#: Years that a tablet may believe to live in.
_YEARS = 1970, 2200


def reason_words(reason: str) -> str:
    """Why a record waits for a person, in a sentence."""
    if reason in _REASONS:
        return str(_REASONS[reason])
    name, colon, code = reason.partition(":")
    if not colon:
        return str(error_words(reason))
    return f"{FIELD_WORDS.get(name, _('Una parte'))}: {error_words(code)}"


def value_words(value: Any) -> str:
    """Something that was said on a tablet, as a line of text."""
    if isinstance(value, bool):
        return str(_("Sì") if value else _("No"))
    if isinstance(value, dict):
        return "; ".join(value_words(one) for one in value.values())
    return ", ".join(map(value_words, value)) if isinstance(value, list) else str(value)


def settlement_words(item: TrayItem) -> str:
    """What somebody did with it."""
    how, _colon, what = item.settlement.partition(":")
    if how == "taken":
        return str(_("Preso: %(result)s", result=str(RESULT_WORDS.get(what, what))))
    if how == "dropped":
        return str(_("Lasciato fuori: %(reason)s", reason=what))
    return str(_("Non c'è più: i nomi di questo incontro sono cancellati."))


@dataclass(frozen=True)
class TabletLine:
    """A tablet as the list shows it: one word with its colour, the facts, what to do."""

    device: Device
    tone: str
    icon: str
    word: str
    facts: list[tuple[str, str]]
    advice: list[str]
    lease: SeatLease | None
    #: Places lent and not used, promised or not.
    lent: int

    @property
    def is_revoked(self) -> bool:
        """Whether its token is at an end."""
        return self.device.revoked_at is not None


def tablet_line(
    device: Device, lease: SeatLease | None, lent: int, now: datetime, application: str, moment: Any
) -> TabletLine:
    """How a tablet is, by what it last said. `moment` writes an instant in words."""
    tone, icon, word = _state(device, now)
    report = device.report or {}
    facts = [(_("Visto"), moment(device.last_seen_at) if device.last_seen_at else _("mai"))]
    if report:
        facts += _facts(report, moment)
    advice = [] if device.revoked_at else _advice(device, now, application)
    return TabletLine(device, tone, icon, word, facts, advice, lease, lent)


def _state(device: Device, now: datetime) -> tuple[str, str, str]:
    if device.revoked_at is not None:
        return "slate", "close-circle", _("Scollegato")
    if device.expires_at <= now:
        return "slate", "clock", _("Scaduto")
    if device.paused_at is not None:
        return "amber", "warning-circle", _("In pausa")
    if not device.report:
        return "blue", "info-circle", _("Collegato, prova da fare")
    if device.last_seen_at is None or now - device.last_seen_at > _SILENT:
        return "amber", "warning-circle", _("Senza rete")
    return "green", "check-circle", _("In funzione")


def _facts(report: dict[str, Any], moment: Any) -> list[tuple[str, str]]:
    found = [(_("Da mandare"), str(_whole(report, "queue") + _whole(report, "refused")))]
    oldest = _instant(report.get("oldest"))
    if oldest:
        found.append((_("Il più vecchio"), moment(oldest)))
    free = _whole(report, "free_bytes")
    if free:
        size = f"{free // 1_000_000_000} GB" if free >= 10**9 else f"{free // 1_000_000} MB"
        found.append((_("Spazio libero"), size))
    return found


def _wrong_by(minutes: int) -> str:
    if minutes >= _IN_HOURS:
        hours = round(minutes / 60)
        words = ngettext(
            "L'ora del tablet è sbagliata di %(num)s ora.",
            "L'ora del tablet è sbagliata di %(num)s ore.",
            hours,
        )
    else:
        words = ngettext(
            "L'ora del tablet è sbagliata di %(num)s minuto.",
            "L'ora del tablet è sbagliata di %(num)s minuti.",
            minutes,
        )
    return str(words)


def _advice(device: Device, now: datetime, application: str) -> list[str]:
    """What somebody should do, the most pressing first; empty when all is well."""
    report = device.report or {}
    if not report:
        return [_("Apri il totem sul tablet e fai la prova: dice se è pronto anche senza rete.")]
    found = []
    oldest = _instant(report.get("oldest"))
    if oldest and now - oldest > _OLD:
        found.append(_("C'è roba da mandare da più di un giorno: porta il tablet dove c'è rete."))
    minutes = abs(_whole(report, "clock_offset_ms")) // 60_000
    if abs(_whole(report, "clock_offset_ms")) > _SKEW_MS:
        found.append(_wrong_by(minutes))
    if report.get("persisted") is False:
        found.append(_("La memoria del tablet non è protetta: manda tutto la sera stessa."))
    if 0 < _whole(report, "free_bytes") < _SPACE:
        found.append(_("C'è poco spazio sul tablet."))
    if application and report.get("application") not in (None, application):
        found.append(_("Il totem sul tablet è di prima: con la rete si aggiorna da solo."))
    return found


def _whole(report: dict[str, Any], name: str) -> int:
    value = report.get(name)
    return int(value) if isinstance(value, int | float) and abs(value) < 2**53 else 0


def _instant(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    # At the ends of the calendar no other zone can say the hour.
    if not _YEARS[0] <= found.year <= _YEARS[1]:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
