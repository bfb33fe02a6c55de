"""Where an action stands, in sentences and as the stops of the thread."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from lab.kernel.clock import local_date
from lab.models.actions import Action, ActionState
from lab.models.projects import Project
from lab.services.action_pages import ActionPage
from lab.services.action_plan import today
from lab.services.actions import is_late
from lab.services.projects import ActionLine
from lab.services.trace import Node, Trace
from lab.web import programme_cards
from lab.web.app_state import context
from lab.web.filo import Stop
from lab.web.formats import date_words

#: Words that a walk shows one by one.
_WORDS_IN_WALK = 5


def card(action: Action, projects: list[Project]) -> dict[str, Any]:
    """A public action of the list, with its office loaded."""
    begun = action.state is not ActionState.TO_START
    line = ActionLine(
        code=action.code,
        title=action.title,
        aim=action.aim,
        state=action.state,
        office=action.office.name,
        due_on=action.due_on,
        progress=action.progress,
    )
    return {
        **programme_cards.action_card(line),
        "project": " · ".join(project.title for project in projects),
        "progress": action.progress if begun else None,
        "stops": stops(action),
        "stop": stop_of(action),
    }


def stops(action: Action, said: Any = None) -> list[Stop]:
    """The thread of an action: said, woven, adopted, under way, done."""
    reached = _reached(action)
    dates = {"said": said, "woven": action.created_at, "adopted": action.adopted_at, "done": action.done_at}
    words = {
        "said": _("detta"),
        "woven": _("diventa azione"),
        "adopted": _("adottata"),
        "under_way": _("in corso"),
        "done": _("fatta"),
    }
    return [
        Stop(key, word, number <= reached, dates.get(key) if number <= reached else None)
        for number, (key, word) in enumerate(words.items())
    ]


def stop_of(action: Action) -> str:
    """The stop at which it stands."""
    return ("said", "woven", "adopted", "under_way", "done")[_reached(action)]


def _reached(action: Action) -> int:
    return {
        ActionState.TO_START: 2,
        ActionState.UNDER_WAY: 3,
        ActionState.SUSPENDED: 3,
        ActionState.DONE: 4,
    }.get(action.state, 1)


def standing(action: Action) -> Any:
    """One sentence: where it is now."""
    now = today(context())
    if action.state is ActionState.DONE:
        return _done(action)
    if action.state is ActionState.SUSPENDED:
        return _("È ferma: il motivo è nell'ultima novità.")
    if action.state is ActionState.UNDER_WAY:
        return _("Si lavora: siamo al %(part)d per cento.", part=action.progress)
    if action.state is not ActionState.TO_START:
        return ""
    if action.starts_on and action.starts_on < now:
        return _("L'ufficio l'ha adottata. Doveva partire %(day)s.", day=date_words(action.starts_on))
    if action.starts_on:
        return _("L'ufficio l'ha adottata. Parte %(day)s.", day=date_words(action.starts_on))
    return _("L'ufficio l'ha adottata. Deve ancora partire.")


def _done(action: Action) -> Any:
    if action.done_at is None:
        return _("È fatta.")
    day = date_words(action.done_at)
    if action.due_on is None:
        return _("È fatta: %(day)s.", day=day)
    if local_date(action.done_at, context().timezone) <= action.due_on:
        return _("È fatta: %(day)s, nei tempi promessi.", day=day)
    return _("È fatta: %(day)s. Era promessa per %(due)s.", day=day, due=date_words(action.due_on))


def coming(page: ActionPage) -> Any:
    """What comes next and when; a day gone by is said as such."""
    action, now = page.action, today(context())
    if action.state is ActionState.DONE:
        return ""
    step = page.next_milestone()
    if step is not None and step.due_on is not None:
        if step.due_on < now:
            return _(
                "La prossima tappa è in ritardo: «%(step)s» era per %(day)s.",
                step=step.title,
                day=date_words(step.due_on),
            )
        return _("Prossima tappa: «%(step)s», entro %(day)s.", step=step.title, day=date_words(step.due_on))
    return ""


def deadline(action: Action) -> Any:
    """By when it is promised, and by how much it is late."""
    if action.due_on is None or action.state is ActionState.DONE:
        return ""
    now = today(context())
    if not is_late(action, now):
        return _("Da finire entro %(day)s.", day=date_words(action.due_on))
    days = (now - action.due_on).days
    late = ngettext("un giorno", "%(num)d giorni", days)
    return _("È in ritardo di %(late)s: era per %(day)s.", late=late, day=date_words(action.due_on))


def walk(trace: Trace) -> list[dict[str, Any]]:
    """The stops of a walk as the macro `trace` draws them; of many words the first few."""
    words = [node for node in trace.of("word") if not node.into]
    rest = [node for node in trace.nodes if node.kind != "word"]
    drawn = [_node(node) for node in [*words[:_WORDS_IN_WALK], *rest]]
    left = len(words) - _WORDS_IN_WALK
    if left > 0:
        more = {
            "kind": "word",
            "label": ngettext("e un'altra voce", "e altre %(num)d voci", left),
            "url": "#le-parole",
        }
        drawn.insert(_WORDS_IN_WALK, more)
    return drawn


def _node(node: Node) -> dict[str, Any]:
    address: tuple[str, dict[str, Any]] = {
        "word": ("proposals.show", {"code": node.code}),
        "theme": ("proposals.index", {"tema": node.code}),
        "action": ("actions.show", {"code": node.code}),
        "project": ("projects.show", {"code": node.code}),
        "office": ("programme.office", {"code": node.code}),
    }[node.kind]
    return {
        "kind": node.kind,
        "label": node.title or node.words,
        "title": node.code if node.kind in ("word", "action", "project") else None,
        "url": url_for(address[0], **address[1]),
        "date": node.at,
    }


def is_late_now(action: Action) -> bool:
    """Whether its day has gone by and it is not done."""
    return is_late(action, today(context()))


def milestone_state(due_on: date | None, done_on: date | None) -> str:
    """done, late or ahead."""
    if done_on is not None:
        return "done"
    return "late" if due_on is not None and due_on < today(context()) else "ahead"
