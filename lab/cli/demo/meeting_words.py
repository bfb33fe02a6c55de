"""Words for the meetings of the demo that its file does not have."""

from __future__ import annotations

from dataclasses import dataclass

from lab.models.events import Influence, Offer


@dataclass(frozen=True)
class Purpose:
    """What a kind of meeting is for, how much weighs what is said there, what can still change."""

    purpose: str
    influence: Influence
    promise: str


#: By the kind of the demo file.
PURPOSES = {
    "assemblea": Purpose(
        "Sapere a che punto siamo e dire che cosa non va.",
        Influence.CONSULT,
        "Le date dei lavori e le cose da fare prima. Ogni domanda ha una risposta scritta entro 30 giorni.",
    ),
    "inaugurazione": Purpose(
        "Conoscere il Laboratorio e chi ci lavora.",
        Influence.INFORM,
        "Gli orari dello sportello: li decidiamo con chi viene.",
    ),
    "passeggiata": Purpose(
        "Guardare insieme i posti e segnare che cosa serve.",
        Influence.INVOLVE,
        "Che cosa si sistema per primo. Quello che segniamo va agli uffici con una data.",
    ),
    "laboratorio": Purpose(
        "Fare insieme un pezzo del progetto.",
        Influence.CO_DESIGN,
        "I punti ancora aperti si decidono qui. Il testo finito va all'ufficio.",
    ),
    "planning_for_real": Purpose(
        "Dire con le carte che cosa vuoi e dove, senza parlare in pubblico.",
        Influence.CO_DESIGN,
        "Dove vanno le cose e quali vengono prima. Le carte più posate entrano nel disegno.",
    ),
    "world_cafe": Purpose(
        "Parlare a piccoli tavoli e mettere insieme le idee.",
        Influence.INVOLVE,
        "Usi, orari e regole. La bozza che esce si discute con l'ufficio.",
    ),
    "assemblea_di_scala": Purpose(
        "Sapere che cosa succede alla tua scala e quando.",
        Influence.CONSULT,
        "Gli orari dei lavori e come si fanno i traslochi. Le date dei cantieri sono già decise.",
    ),
    "open_space": Purpose(
        "Portare l'argomento che ti sta a cuore.",
        Influence.INVOLVE,
        "Tutto quello che non è già scritto nel progetto. Ogni gruppo lascia il suo resoconto.",
    ),
    "festa": Purpose(
        "Stare insieme e vedere che cosa è nato dalle vostre idee.",
        Influence.INFORM,
        "Puoi ancora commentare i disegni appesi: li leggiamo tutti.",
    ),
    "gruppo_di_lavoro": Purpose(
        "Lavorare su una cosa sola, fino in fondo.",
        Influence.CO_DESIGN,
        "Quello che il gruppo propone va all'ufficio, che risponde con un motivo.",
    ),
    "prova_sul_campo": Purpose(
        "Provare per davvero prima di decidere.",
        Influence.INVOLVE,
        "Se continuare, cambiare o smettere: dipende da come va la prova.",
    ),
    "incontro": Purpose(
        "Conoscersi e capire che cosa si può fare insieme.",
        Influence.INVOLVE,
        "Giorni e attività dei prossimi mesi.",
    ),
    "seduta_comitato": Purpose(
        "Il Comitato guarda come vanno i progetti. Si può assistere.",
        Influence.INFORM,
        "Le domande lasciate prima della seduta si leggono all'inizio.",
    ),
}
#: What the file offers in words.
OFFERS: dict[str, tuple[Offer, list[str]]] = {
    "spazio gioco per i bambini": (Offer.CHILDCARE, []),
    "interpretariato in arabo e in spagnolo": (Offer.INTERPRETER, ["ar", "es"]),
}
#: Meetings that belong together.
SERIES = {"Gruppo cantieri, ogni mese": ("EV12", "EV15")}
#: Bodies that invite beside the lab.
INVITE = {
    "EV01": ("E01",),
    "EV08": ("E03",),
    "EV12": ("E03",),
    "EV15": ("E03",),
    "EV16": ("E01",),
    "EV17": ("E01",),
    "EV18": ("E09",),
    "EV20": ("E12",),
}
AGENDAS = {
    "EV16": (
        ("Benvenuto e come funziona la serata", 10),
        ("Che cosa è stato fatto e che cosa no", 30),
        ("Domande dalla sala", 40),
        ("A tavoli: che cosa fare prima dell'estate", 30),
        ("Chi fa che cosa, entro quando", 10),
    ),
    "EV18": (
        ("I dodici punti della bozza", 20),
        ("Chi cura gli spazi comuni", 30),
        ("Quanto dura l'assegnazione", 30),
        ("Il testo da portare all'ufficio", 10),
    ),
}
#: Nicknames, all invented.
NEIGHBOURS = (
    "Nonna Pina", "Il signor Aldo", "Samira B.", "Scala C, quarto piano", "Teo e la bici", "Mamma di Giulia",
    "Don Rino", "La maestra Carla", "Omar del bar", "Ines", "Quelli degli orti", "Luca T.", "Fatima e Nadia",
    "Signora del terzo", "Il Gigi", "Papà di Marco", "Lucia R.", "Torre 2, portineria", "Ahmed K.",
    "Piera con il cane", "Elena e i gemelli", "Zio Franco", "Rosalba", "Youssef", "Marta del coro",
    "Chi gioca a bocce", "Dolores", "Il Tino", "Anna P.", "Bruno e Silvana", "Karim", "La Mariuccia",
    "Giorgio, torre 1", "Hanan", "Paolo del cortile", "Nives", "Carmen", "Ivo", "Signora Liliana", "Dario S.",
    "Mei", "Tonino", "Gloria", "Beppe elettricista", "Sara M.", "Oreste", "Vicina della Pina", "Rachid",
)  # fmt: skip
