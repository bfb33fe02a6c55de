"""What cards of projects, meetings, actions and voices read, from the rows of the programme's pages."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from lab.kernel.clock import local_date
from lab.kernel.text import excerpt
from lab.models.actions import ActionState
from lab.models.contributions import Contribution
from lab.models.events import Event, EventState, Fullness
from lab.models.programme import Place, Theme
from lab.models.projects import Project, ProjectState
from lab.services.projects import ActionLine, Stage, Standing
from lab.web import filo
from lab.web.app_state import lab
from lab.web.formats import date_words
from lab.web.labels import label
from lab.web.listed import named

#: Longest first words on a card, in characters.
_WORDS = 160


def local_name(thing: Theme | Place | None) -> str:
    """The name of a theme or place in the reader's language, else as it is called here."""
    return named(thing.name, thing.names) or "" if thing is not None else ""


def today() -> date:
    """The day it is in the neighbourhood."""
    return local_date(lab().clock.now(), lab().settings.timezone)


def standing_words(project: Project, now: Stage | None = None) -> str:
    """Where a project stands and since when, in one sentence."""
    since = _since(project)
    if now is None or project.state is ProjectState.COMPLETED:
        return f"{since}."
    return str(_("%(since)s: adesso si lavora a «%(stage)s».", since=since, stage=now.label))


def _since(project: Project) -> str:
    day = date_words(project.state_since)
    if project.state is ProjectState.COMPLETED:
        return str(_("Concluso %(day)s", day=day))
    return str(_("%(state)s da %(day)s", state=label(project.state), day=day))


def project_card(project: Project, now: Stage | None = None) -> dict[str, Any]:
    """A project with its office loaded."""
    return {
        "code": project.code,
        "url": url_for("projects.show", code=project.code),
        "title": project.title,
        "state": project.state,
        "axis": project.axis,
        "office": project.office.name,
        "sentence": standing_words(project, now),
    }


def standing_card(standing: Standing) -> dict[str, Any]:
    """A project of the list with what is worked on today."""
    return project_card(standing.project, standing.now)


def event_card(event: Event) -> dict[str, Any]:
    """A meeting with its place loaded. What came of it takes the place of the invitation."""
    return {
        "code": event.code,
        "url": url_for("events.show", code=event.code),
        "title": event.title,
        "excerpt": excerpt(event.result or event.text, _WORDS),
        "starts_at": event.starts_at,
        "place": local_name(event.place),
        "kind": label(event.kind),
        "state": event.state if event.state is EventState.CANCELLED else None,
        "fullness": event.fullness if _can_sign_up(event) else None,
    }


def _can_sign_up(event: Event) -> bool:
    return (
        event.fullness is not Fullness.NO_SIGN_UP
        and event.state is EventState.PLANNED
        and local_date(event.starts_at, lab().settings.timezone) >= today()
    )


def duration_words(minutes: int) -> str:
    """How long a meeting lasts: 2 ore, 1 ora e 30 minuti."""
    hours, rest = divmod(minutes, 60)
    whole = ngettext("%(num)d ora", "%(num)d ore", hours) if hours else ""
    part = ngettext("%(num)d minuto", "%(num)d minuti", rest) if rest or not hours else ""
    return str(_("dura %(long)s", long=_(" e ").join(str(words) for words in (whole, part) if words)))


def action_card(action: ActionLine) -> dict[str, Any]:
    """A public action."""
    done = action.state is ActionState.DONE
    return {
        "code": action.code,
        "url": url_for("actions.show", code=action.code),
        "title": action.title,
        "excerpt": excerpt(action.aim, _WORDS),
        "state": action.state,
        "office": action.office,
        "due": action.due_on,
        "late": bool(action.due_on and not done and action.due_on < today()),
        "closed": done,
        "progress": action.progress,
    }


def voice_card(contribution: Contribution) -> dict[str, Any]:
    """What somebody said, with theme and place loaded. Without a title the first words stand for it."""
    words = excerpt(contribution.excerpt, _WORDS)
    stops, here = filo.stops(contribution.state)
    return {
        "code": contribution.code,
        "url": url_for("proposals.show", code=contribution.code),
        "title": contribution.title or excerpt(words, 70),
        "excerpt": words if contribution.title else None,
        "lang": contribution.lang,
        "state": contribution.state,
        "place": local_name(contribution.place),
        "theme": local_name(contribution.theme),
        "supports": contribution.supports_count,
        "comments": contribution.comments_count,
        "date": contribution.created_at,
        "filo": stops,
        "filo_at": here,
    }


def waiting_card(contribution: Contribution, office: str) -> dict[str, Any]:
    """The same with the office and the day by which it is asked to answer."""
    due = contribution.office_due_on
    late = due is not None and due < today()
    return voice_card(contribution) | {"office": office, "due": due, "late": late}


def mark_of(values: list[Any] | None) -> tuple[datetime, int] | None:
    """The (moment, id) behind the mark of a page by key; None when it makes no sense."""
    if values is None:
        return None
    try:
        moment = datetime.fromisoformat(values[0])
        return (moment, int(values[1])) if moment.tzinfo else None
    except (TypeError, ValueError):
        return None
