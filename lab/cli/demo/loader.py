"""Loads the demo neighbourhood: everything of the file that the present parts of the product can hold."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from lab.cli.demo import meetings, people, voices, words
from lab.cli.demo.reading import shifted
from lab.db import search
from lab.models.operations import SiteSetting
from lab.models.programme import Body, Office, Phase, Place, Programme, Theme
from lab.models.projects import (
    Milestone,
    Project,
    ProjectBody,
    ProjectFunding,
    ProjectIndicator,
)
from lab.services import site
from lab.services.context import Context


class Codes:
    """Ids by code of the demo file, filled as things are made."""

    def __init__(self) -> None:
        self.bodies: dict[str, int] = {}
        self.offices: dict[str, int] = {}
        self.office_names: dict[str, str] = {}
        self.places: dict[str, int] = {}
        self.themes: dict[str, int] = {}
        self.projects: dict[str, int] = {}
        self.project_offices: dict[str, str] = {}
        self.events: dict[str, int] = {}
        self.contributions: dict[str, int] = {}
        self.people: dict[str, int] = {}


def is_empty(ctx: Context) -> bool:
    """Whether nothing has been put into this database yet."""
    return ctx.session.execute(select(Programme.id).limit(1)).first() is None


def load(ctx: Context, reference: date) -> dict[str, int]:
    """Fill an empty database in the caller's transaction; how many of each were made."""
    demo = shifted(reference)
    codes = Codes()
    _house(ctx, demo)
    _bodies(ctx, demo, codes)
    _programme(ctx, demo, codes)
    _places_and_themes(ctx, demo, codes)
    _projects(ctx, demo, codes)
    people.load(ctx, demo, codes)
    meetings.load(ctx, demo, codes)
    voices.load_proposals(ctx, demo, codes)
    voices.load_actions(ctx, demo, codes)
    ctx.session.add(SiteSetting(key="demo", value={"accounts": people.shown_sign_ins()}, changed_at=ctx.now))
    ctx.session.flush()
    return {
        "projects": len(codes.projects),
        "meetings": len(codes.events),
        "proposals": len(codes.contributions),
        "actions": len(demo["azioni"]),
        "people": len(codes.people),
    }


def _house(ctx: Context, demo: dict[str, Any]) -> None:
    times = [_opening(line) for line in demo["laboratorio"]["sportello"]["orari"]]
    profile = site.Profile(
        address="Piazzetta dei negozi, Crocione",
        email="laboratorio@demo.example",
        opening_times=tuple(times),
    )
    site.store(ctx, profile)


def _opening(line: str) -> site.OpeningTime:
    day, hours = line.split(" ")
    opens, closes = hours.split("–")
    return site.OpeningTime(words.DAYS[day], opens, closes)


def _bodies(ctx: Context, demo: dict[str, Any], codes: Codes) -> None:
    for item in demo["enti"]:
        body = Body(
            code=item["codice"],
            name=item["nome"],
            kind=words.BODY_KINDS[item["tipo"]],
            is_signatory=item["firmatario_programma"],
            note=item["note"],
        )
        ctx.session.add(body)
        ctx.session.flush()
        codes.bodies[body.code] = body.id
    for item in demo["uffici"]:
        office = Office(
            code=item["codice"], body_id=codes.bodies[item["ente"]], name=item["nome"], task=item["compito"]
        )
        ctx.session.add(office)
        ctx.session.flush()
        codes.offices[office.code] = office.id
        codes.office_names[office.code] = office.name


def _programme(ctx: Context, demo: dict[str, Any], codes: Codes) -> None:
    stretches = [step for project in demo["progetti"] for step in project["cronoprogramma"]]
    starts = min(date.fromisoformat(step["inizio"]) for step in stretches)
    ends = max(date.fromisoformat(step["fine"]) for step in stretches)
    programme = Programme(
        title="Contratto di Quartiere del Crocione",
        summary=(
            "Case, parco, scuola, servizi e vita insieme: il quartiere si rinnova con molti enti, "
            "otto progetti e un Laboratorio dove chi ci abita propone, decide e prova."
        ),
        political_office_id=codes.offices["U01"],
        technical_office_id=codes.offices["U02"],
        starts_on=starts,
        ends_on=ends,
    )
    ctx.session.add(programme)
    ctx.session.flush()
    for position, (title, text, start, end) in enumerate(_phases(demo, starts, ends), start=1):
        ctx.session.add(
            Phase(
                programme_id=programme.id,
                position=position,
                title=title,
                text=text,
                starts_on=start,
                ends_on=end,
            )
        )


def _phases(demo: dict[str, Any], starts: date, ends: date) -> list[tuple[str, str, date, date | None]]:
    """The file has no phases: they follow from its own dates."""
    events = {item["codice"]: date.fromisoformat(item["data"]) for item in demo["eventi"]}
    listening_over, sites_open = (
        events["EV10"],
        date.fromisoformat(demo["progetti"][0]["cronoprogramma"][2]["inizio"]),
    )
    day = timedelta(days=1)
    return [
        (
            "Ascolto",
            "Passeggiate, assemblee, carte sul plastico: che cosa serve e dove.",
            starts,
            listening_over,
        ),
        (
            "Progetti condivisi",
            "Le idee diventano disegni e azioni, insieme agli uffici.",
            listening_over + day,
            sites_open - day,
        ),
        ("Cantieri e servizi", "Si costruisce, si provano i servizi, si corregge.", sites_open, ends),
        ("Dopo il programma", "Ogni progetto resta al suo ufficio e va avanti.", ends + day, None),
    ]


def _places_and_themes(ctx: Context, demo: dict[str, Any], codes: Codes) -> None:
    for item in demo["luoghi"]:
        names = words.PLACES.get(item["codice"], {})
        place = Place(code=item["codice"], name=item["nome"], x=item["x"], y=item["y"], names=names)
        ctx.session.add(place)
        ctx.session.flush()
        codes.places[place.code] = place.id
    for position, (code, (name, names, office)) in enumerate(words.THEMES.items(), start=1):
        theme = Theme(
            code=code,
            name=name,
            names=names,
            office_id=codes.offices[office],
            position=position,
        )
        ctx.session.add(theme)
        ctx.session.flush()
        codes.themes[code] = theme.id


def _projects(ctx: Context, demo: dict[str, Any], codes: Codes) -> None:
    programme_id = ctx.session.execute(select(Programme.id)).scalar_one()
    for position, item in enumerate(demo["progetti"], start=1):
        project = Project(
            code=item["codice"],
            programme_id=programme_id,
            title=item["titolo"],
            axis=item["asse"],
            description=item["descrizione"],
            continuity=item["continuita"],
            office_id=codes.offices[item["ufficio_responsabile"]],
            place_id=codes.places[item["luogo"]],
            state=words.PROJECT_STATES[item["stato"]],
            state_since=_since(item["cronoprogramma"], ctx.now.date()),
            position=position,
        )
        ctx.session.add(project)
        ctx.session.flush()
        codes.projects[project.code] = project.id
        codes.project_offices[project.code] = item["ufficio_responsabile"]
        _project_parts(ctx, item, project, codes)
        words_of_it = f"{project.title} {project.description} {project.axis} {project.code}"
        search.put_document(ctx.session, "project", project.id, words_of_it, is_public=True)


def _since(steps: list[dict[str, Any]], today: date) -> date:
    """The state has lasted since the running stretch of the timeline began."""
    begun = [date.fromisoformat(step["inizio"]) for step in steps]
    return max((day for day in begun if day <= today), default=min(begun))


def _project_parts(ctx: Context, item: dict[str, Any], project: Project, codes: Codes) -> None:
    for body in item["enti"]:
        ctx.session.add(ProjectBody(project_id=project.id, body_id=codes.bodies[body]))
    # The file knows the sum and who pays, not how much each: one row says both and invents nothing.
    ctx.session.add(
        ProjectFunding(
            project_id=project.id, source=", ".join(item["fonti"]), cents=item["importo_demo"] * 100
        )
    )
    for position, step in enumerate(item["cronoprogramma"], start=1):
        ctx.session.add(
            Milestone(
                project_id=project.id,
                position=position,
                title=step["fase"],
                starts_on=date.fromisoformat(step["inizio"]),
                ends_on=date.fromisoformat(step["fine"]),
                progress=step["avanzamento"],
            )
        )
    for number in item["indicatori"]:
        ctx.session.add(
            ProjectIndicator(
                project_id=project.id, name=number["nome"], value=number["valore"], goal=number["obiettivo"]
            )
        )
