"""What changed in a project, said in a sentence. Services keep the change as codes, days and cents."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext

from lab.models.projects import Milestone, ProjectFunding, ProjectIndicator, ProjectState
from lab.services.project_editing import funding_side, indicator_side, milestone_side
from lab.services.projects import Change
from lab.web.formats import day_short, money, number
from lab.web.labels import label


def _(words: str, **values: object) -> str:
    return str(gettext(words, **values))


def change_words(change: Change) -> str:
    """One sentence for a change; what was written by other hands is shown as it is."""
    tell = _TELLERS.get(change.what, _plain)
    return tell(change.before, change.after)


def part_words(row: Milestone | ProjectFunding | ProjectIndicator) -> str:
    """One milestone, share of the money or indicator in words."""
    if isinstance(row, Milestone):
        return _stretch(milestone_side(row))
    return _share(funding_side(row)) if isinstance(row, ProjectFunding) else _measure(indicator_side(row))


def _plain(before: str, after: str) -> str:
    if before and after:
        return _("Prima: %(before)s. Adesso: %(after)s.", before=before, after=after)
    return after or before


def _state(before: str, after: str) -> str:
    try:
        old, new = label(ProjectState(before)), label(ProjectState(after))
    except ValueError:
        return _plain(before, after)
    if old == new:
        return _("%(state)s: è cambiata la data di inizio.", state=new)
    return _("Da «%(old)s» a «%(new)s».", old=old, new=new)


def _milestone(before: str, after: str) -> str:
    old, new = _stretch(before), _stretch(after)
    if old and new:
        return _("Tappa cambiata. Prima: %(old)s. Adesso: %(new)s.", old=old, new=new)
    if new:
        return _("Nuova tappa: %(new)s.", new=new)
    return _("Tappa tolta: %(old)s.", old=old) if old else ""


def _stretch(kept: str) -> str:
    parts = kept.split("/", 3)
    if len(parts) != 4:
        return kept
    try:
        starts, ends = date.fromisoformat(parts[0]), date.fromisoformat(parts[1])
    except ValueError:
        return kept
    return _(
        "%(title)s, dal %(starts)s al %(ends)s, fatto al %(done)s%%",
        title=parts[3],
        starts=day_short(starts),
        ends=day_short(ends),
        done=parts[2],
    )


def _funding(before: str, after: str) -> str:
    old, new = _share(before), _share(after)
    if old and new:
        return _("Fondi cambiati. Prima: %(old)s. Adesso: %(new)s.", old=old, new=new)
    if new:
        return _("Nuovi fondi: %(new)s.", new=new)
    return _("Fondi tolti: %(old)s.", old=old) if old else ""


def _share(kept: str) -> str:
    cents, separator, source = kept.partition("/")
    if not separator or not (cents.isdigit() or cents == ""):
        return kept
    return f"{source}, {money(int(cents))}" if cents else _("%(source)s, somma da definire", source=source)


def _indicator(before: str, after: str) -> str:
    old, new = _measure(before), _measure(after)
    if old and new:
        return _("Prima: %(old)s. Adesso: %(new)s.", old=old, new=new)
    if new:
        return _("Si misura anche: %(new)s.", new=new)
    return _("Non si misura più: %(old)s.", old=old) if old else ""


def _measure(kept: str) -> str:
    parts = kept.split("/", 2)
    if len(parts) != 3 or not parts[0].isdigit() or not (parts[1].isdigit() or not parts[1]):
        return kept
    value, goal, name = number(int(parts[0])), parts[1], parts[2]
    if not goal:
        return f"{name}: {value}"
    return _("%(name)s: %(value)s su %(goal)s", name=name, value=value, goal=number(int(goal)))


def _bodies(before: str, after: str) -> str:
    words = []
    if after:
        words.append(_("Ora ci sono anche: %(names)s.", names=after))
    if before:
        words.append(_("Non ci sono più: %(names)s.", names=before))
    return " ".join(words)


def _office(before: str, after: str) -> str:
    return _("Prima lo portava avanti %(before)s, adesso %(after)s.", before=before, after=after)


def _text(before: str, after: str) -> str:
    return _("Riscritte le parole del progetto.") if not (before or after) else _plain(before, after)


_TELLERS = {
    "state": _state,
    "milestone": _milestone,
    "funding": _funding,
    "bodies": _bodies,
    "indicator": _indicator,
    "text": _text,
    "office": _office,
}
