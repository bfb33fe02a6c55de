"""What became of what was said: the promise in numbers, in drawings that are tables, in people's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from lab.db.engine import Database
from lab.kernel.clock import local_date
from lab.kernel.csvsafe import csv_lines
from lab.kernel.text import excerpt, fold
from lab.models.contributions import Kind
from lab.services import outcomes, tally
from lab.services.context import Context
from lab.services.outcomes import Told
from lab.services.tally import Choices, Filter, Kept
from lab.web.access import cached, public
from lab.web.app_state import context, lab
from lab.web.formats import month_words, number
from lab.web.fragments import same_for_readers
from lab.web.labels import label
from lab.web.listed import named
from lab.web.numbers import whole

blueprint = Blueprint("outcomes", __name__)

KINDS = {
    "idee": Kind.PROPOSAL,
    "segnalazioni": Kind.REPORT,
    "sportello": Kind.DESK_NOTE,
    "incontri": Kind.REMARK,
    "domande": Kind.QUESTION,
}
_LAST_YEAR = "ultimi-12-mesi"
#: Months drawn one by one; a longer time is drawn by years.
_MONTHS = 18
_NONE = "0"
_HEADER = (
    "codice", "detta", "tipo", "tema", "ufficio", "stato", "esito", "promessa_entro", "decisa",
    "risposta",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What the address asks for: the filter, and the same as pairs for links."""

    wish: Filter
    args: tuple[tuple[str, str], ...]

    def url(self, endpoint: str = "outcomes.index", **changes: str | None) -> str:
        """An address with this choice, some values changed; None takes one out."""
        values: dict[str, Any] = {**dict(self.args), **changes}
        return url_for(endpoint, **{key: value for key, value in values.items() if value})


def _asked(found: Choices) -> Asked:
    args: dict[str, str] = {}
    values: dict[str, Any] = {}
    period = request.args.get("periodo", "")
    if period == _LAST_YEAR:
        today = local_date(context().now, context().timezone)
        args["periodo"], values["since"] = period, date(today.year - 1, today.month, 1)
    elif period in {str(year) for year in found.years}:
        args["periodo"] = period
        values.update(since=date(int(period), 1, 1), until=date(int(period), 12, 1))
    for name, known, target in (("tema", found.themes, "theme_id"), ("ufficio", found.offices, "office_id")):
        wanted = request.args.get(name, "")
        if wanted == _NONE or whole(wanted) in known:
            args[name], values[target] = wanted, int(wanted)
    if request.args.get("tipo") in KINDS:
        args["tipo"] = request.args["tipo"]
        values["kind"] = KINDS[args["tipo"]]
    return Asked(Filter(**values), tuple(args.items()))


@blueprint.get("/esiti")
@same_for_readers
@cached
def index() -> str:
    """How the promise is kept, with everything that is late in plain sight."""
    ctx = context()
    found = tally.choices(ctx)
    asked = _asked(found)
    view = tally.overview(ctx, asked.wish)
    late = outcomes.late(ctx, asked.wish)
    return render_template(
        "pages/outcomes/index.html",
        asked=asked,
        view=view,
        late=late,
        sentences=_sentences(view, late),
        states=[(str(label(state)), count) for state, count in view.states.items()],
        kept_rows=_kept_rows(found, view),
        times=_times(view.months),
        latest=[told_card(one) for one in outcomes.latest(ctx, wish=asked.wish)],
        selects=_selects(found),
        chips=_chips(found, asked),
        csv_url=asked.url("outcomes.numbers_file"),
        rows_url=asked.url("outcomes.rows_file"),
        breadcrumb=[(_("Che cosa ne è stato"), None)],
    )


def _sentences(view: tally.Overview, late: outcomes.Late) -> list[Any]:
    """The numbers as one would say them."""
    if not view.total:
        return []
    said = [ngettext("Finora una cosa detta.", "Finora %(n)s cose dette.", view.total, n=number(view.total))]
    # Whose day has come: answered, in time or late, or still waiting beyond it.
    come = view.kept.in_time + view.kept.late + late.count
    if come >= 10:
        tenth = round(10 * view.kept.in_time / come)
        said.append(_shares(tenth))
    elif view.kept.in_time:
        said.append(
            ngettext(
                "Una ha avuto risposta in tempo.", "%(num)d hanno avuto risposta in tempo.", view.kept.in_time
            )
        )
    waiting = view.kept.open - late.count
    if late.is_more:
        said.append(_("Più di %(n)s aspettano oltre il giorno promesso.", n=number(outcomes.LATE_COUNTED)))
    elif late.count:
        said.append(
            ngettext(
                "Una aspetta oltre il giorno promesso.",
                "%(n)s aspettano oltre il giorno promesso.",
                late.count,
                n=number(late.count),
            )
        )
    elif waiting:
        said.append(_("Nessuna aspetta oltre il giorno promesso."))
    return said


def _by_word(choices: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """In the order of the words people read, the same on every engine."""
    return sorted(choices, key=lambda choice: fold(choice[1]))


def _shares(tenth: int) -> Any:
    if tenth == 0:
        return _("Quasi nessuna ha avuto risposta in tempo.")
    if tenth == 10:
        return _("Quasi tutte hanno avuto risposta in tempo.")
    return ngettext(
        "%(num)d su 10 ha avuto risposta in tempo.", "%(num)d su 10 hanno avuto risposta in tempo.", tenth
    )


def _values(kept: Kept) -> list[int]:
    return [kept.in_time, kept.late, kept.open]


def _kept_rows(found: Choices, view: tally.Overview) -> dict[str, list[tuple[Any, list[int]]]]:
    return {
        "themes": [(_theme(found, key), _values(kept)) for key, kept in view.themes],
        "offices": [
            (found.offices.get(key) or _("non ancora passate a un ufficio"), _values(kept))
            for key, kept in view.offices
        ],
    }


def _theme(found: Choices, theme_id: int) -> Any:
    if theme_id not in found.themes:
        return _("senza tema")
    return named(*found.themes[theme_id])


def _times(months: list[tuple[date, Kept]]) -> list[tuple[Any, list[int]]]:
    """Month by month; year by year when the time is long."""
    if len(months) <= _MONTHS:
        return [(month_words(month), _values(kept)) for month, kept in months]
    years: dict[int, list[int]] = {}
    for month, kept in months:
        sums = years.setdefault(month.year, [0, 0, 0])
        years[month.year] = [a + b for a, b in zip(sums, _values(kept), strict=True)]
    return [(str(year), values) for year, values in years.items()]


def told_card(one: Told) -> dict[str, Any]:
    """What the macro `outcome_card` reads; also for the first page."""
    if one.action_code:
        title, url = one.action_title, url_for("actions.show", code=one.action_code)
    else:
        url = url_for("proposals.show", code=one.code)
        title = one.title or (label(one.outcome) if one.outcome else label(one.state))
    return {
        "code": one.code,
        "words": excerpt(one.words, 160),
        "lang": one.lang,
        "by": one.by,
        "title": title,
        "url": url,
        "state": one.state,
        "office": one.office,
        "date": one.at,
    }


def _selects(found: Choices) -> dict[str, list[tuple[str, Any]]]:
    return {
        "periodo": [
            ("", _("Da sempre")),
            (_LAST_YEAR, _("Ultimi 12 mesi")),
            *((str(year), str(year)) for year in found.years),
        ],
        "tema": [
            ("", _("Tutti")),
            *_by_word((str(key), str(_theme(found, key))) for key in found.themes),
            (_NONE, _("Senza tema")),
        ],
        "ufficio": [
            ("", _("Tutti")),
            *_by_word((str(key), name) for key, name in found.offices.items()),
            (_NONE, _("Non ancora passate a un ufficio")),
        ],
        "tipo": [
            ("", _("Tutto")),
            ("idee", _("Idee")),
            ("segnalazioni", _("Segnalazioni")),
            ("sportello", _("Note dello sportello")),
            ("incontri", _("Dette a un incontro")),
            ("domande", _("Domande")),
        ],
    }


def _chips(found: Choices, asked: Asked) -> list[tuple[Any, str]]:
    words = {name: dict(options) for name, options in _selects(found).items()}
    without: dict[str, dict[str, Any]] = {name: {name: None} for name in words}
    return [(words[name][value], asked.url(**without[name])) for name, value in asked.args]


@blueprint.get("/esiti/numeri.csv")
@public
def numbers_file() -> Response:
    """The numbers behind the drawings, one row for each combination."""
    ctx = context()
    cells = tally.cells(ctx, _asked(tally.choices(ctx)).wish)
    rows = [
        (f"{cell.month:%Y-%m}", cell.kind, cell.theme, cell.office, cell.state, cell.timeliness, cell.count)
        for cell in cells
    ]
    header = ("mese", "tipo", "tema", "ufficio", "stato", "risposta", "quante")
    return _csv(csv_lines([header, *rows]), "esiti-numeri.csv")


@blueprint.get("/esiti/voci.csv")
@public
def rows_file() -> Response:
    """One row for each public input: when, where it stands, by when it was promised."""
    wish = _asked(tally.choices(context())).wish
    return _csv(csv_lines(_rows(wish, context(), lab().database)), "esiti-voci.csv")


def _rows(wish: Filter, asked: Context, database: Database) -> Iterator[tuple[Any, ...]]:
    yield _HEADER
    # The request's session is closed before the first line leaves: the file has one of its own.
    with database.session() as session:
        yield from outcomes.every_input(replace(asked, session=session), wish)


def _csv(lines: Iterator[bytes], name: str) -> Response:
    answer = Response(lines, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
