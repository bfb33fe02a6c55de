"""The demo sign-ins: who they are and which functions they hold. They exist only after `lab demo load`."""

from __future__ import annotations

from dataclasses import dataclass

from lab.models.accounts import Role

PASSWORD = "crocione-demo"  # noqa: S105  # shown on the sign-in page; the demo never loads in production
#: Pairs tablets with the next meeting of the demonstration, and opens their corner.
KIOSK_CODE = "CRCNTTEM"
KIOSK_PIN = "2468"


@dataclass(frozen=True)
class DemoAccount:
    """One sign-in. `office`, `body` and `seat` are codes of the demo file."""

    email: str
    name: str
    what: str
    role: Role | None = None
    office: str | None = None
    body: str | None = None
    seat: str | None = None


SIGN_INS = (
    DemoAccount("residente@demo.example", "Mamma di via della scuola", "abitante"),
    DemoAccount("residente2@demo.example", "Quinta A in pensione", "abitante"),
    DemoAccount("facilitatore@demo.example", "Laboratorio, sportello", "facilita", Role.FACILITATOR),
    DemoAccount("moderatore@demo.example", "Laboratorio di quartiere", "modera", Role.MODERATOR),
    DemoAccount(
        "ufficio@demo.example", "Servizio Verde", "ufficio che conduce P4", Role.OFFICE, office="U06"
    ),
    DemoAccount("responsabile@demo.example", "Responsabile del Contratto", "Responsabile", Role.COORDINATOR),
    DemoAccount(
        "comitato@demo.example", "Abitanti, seggio 1", "seggio degli abitanti", Role.COMMITTEE, seat="S14"
    ),
    DemoAccount("soggetto@demo.example", "Orti in Comune", "ente partner", Role.DELEGATE, body="E09"),
    DemoAccount(
        "amministratore@demo.example", "Amministratore del sito", "amministra il sito", Role.ADMINISTRATOR
    ),
)

#: Functions of the demo file's own accounts.
ROLES = {
    "moderatore_laboratorio": Role.MODERATOR,
    "responsabile_contratto": Role.COORDINATOR,
    "referente_ufficio": Role.OFFICE,
    "referente_ente": Role.DELEGATE,
    "membro_comitato": Role.COMMITTEE,
    "rappresentante_abitanti": Role.COMMITTEE,
    "abitante": None,
}
