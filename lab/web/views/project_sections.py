"""The parts of a project that its office changes: what each form shows and which command it becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from lab.kernel.clock import local_date
from lab.kernel.money import write_euro
from lab.models.projects import Milestone, Project, ProjectFunding, ProjectIndicator, ProjectState
from lab.services import project_desk
from lab.services import project_editing as editing
from lab.services.context import Context
from lab.web import programme_cards as cards
from lab.web.forms import projects as forms


@dataclass(frozen=True)
class Section:
    """One form about a project. `part` is the id of the row it changes, None for a new one."""

    title: Any
    form: type[forms.EditForm]
    #: What the form shows at first.
    load: Callable[[Context, Project, int | None], dict[str, Any]]
    #: Sends what was typed to its service.
    send: Callable[[Context, Any, editing.Edit, int | None], Project]
    #: The table of parts; None where the section is about the project itself.
    model: Any = None
    #: Takes a part out.
    remove: Callable[[Context, editing.Remove], Project] | None = None
    #: Fills the choices of the form.
    offer: Callable[[Context, Any], None] = lambda _ctx, _form: None


def _state(ctx: Context, project: Project, part: int | None) -> dict[str, Any]:
    # A state is changed on its day, as a rule; the old day would stay by itself under the new one.
    return {"state": str(project.state), "since": local_date(ctx.now, ctx.timezone)}


def _send_state(ctx: Context, form: forms.StateForm, edit: editing.Edit, part: int | None) -> Project:
    command = editing.ChangeState(edit, ProjectState(form.state.data), form.since.data)
    return editing.change_state(ctx, command)


def _words(ctx: Context, project: Project, part: int | None) -> dict[str, Any]:
    names = ("title", "axis", "description", "continuity")
    return {name: getattr(project, name) for name in names} | {"place": str(project.place_id or "")}


def _send_words(ctx: Context, form: forms.WordsForm, edit: editing.Edit, part: int | None) -> Project:
    command = editing.ChangeWords(
        edit=edit,
        title=form.title.data or "",
        description=form.description.data or "",
        continuity=form.continuity.data or "",
        axis=form.axis.data or "",
        place_id=int(form.place.data) if form.place.data else None,
    )
    return editing.change_words(ctx, command)


def _offer_places(ctx: Context, form: forms.WordsForm) -> None:
    places = project_desk.all_places(ctx)
    form.place.choices = [("", _l("Nessun posto preciso"))] + [
        (str(place.id), cards.local_name(place)) for place in places
    ]


def _milestone(ctx: Context, project: Project, part: int | None) -> dict[str, Any]:
    return _row(ctx, Milestone, project, part, "title", "starts_on", "ends_on", "progress")


def _send_milestone(ctx: Context, form: forms.MilestoneForm, edit: editing.Edit, part: int | None) -> Project:
    command = editing.SaveMilestone(
        edit=edit,
        milestone_id=part,
        title=form.title.data or "",
        starts_on=form.starts_on.data,
        ends_on=form.ends_on.data,
        progress=form.progress.data or 0,
    )
    return editing.save_milestone(ctx, command)


def _funding(ctx: Context, project: Project, part: int | None) -> dict[str, Any]:
    data = _row(ctx, ProjectFunding, project, part, "source", "cents")
    cents = data.pop("cents", None)
    return data | {"amount": "" if cents is None else write_euro(cents)}


def _send_funding(ctx: Context, form: forms.FundingForm, edit: editing.Edit, part: int | None) -> Project:
    return editing.save_funding(ctx, editing.SaveFunding(edit, part, form.source.data or "", form.cents()))


def _indicator(ctx: Context, project: Project, part: int | None) -> dict[str, Any]:
    return _row(ctx, ProjectIndicator, project, part, "name", "value", "goal")


def _send_indicator(ctx: Context, form: forms.IndicatorForm, edit: editing.Edit, part: int | None) -> Project:
    command = editing.SaveIndicator(edit, part, form.name.data or "", form.value.data or 0, form.goal.data)
    return editing.save_indicator(ctx, command)


def _bodies(ctx: Context, project: Project, part: int | None) -> dict[str, Any]:
    return {"bodies": project_desk.body_ids(ctx, project)}


def _send_bodies(ctx: Context, form: forms.BodiesForm, edit: editing.Edit, part: int | None) -> Project:
    return editing.change_bodies(ctx, editing.ChangeBodies(edit, frozenset(form.bodies.data or ())))


def _offer_bodies(ctx: Context, form: forms.BodiesForm) -> None:
    form.bodies.choices = [(body.id, body.name) for body in project_desk.all_bodies(ctx)]


def _row(ctx: Context, model: Any, project: Project, part: int | None, *names: str) -> dict[str, Any]:
    if part is None:
        return {}
    row = project_desk.part(ctx, model, project, part)
    return {name: getattr(row, name) for name in names}


#: By the word in the address.
SECTIONS: dict[str, Section] = {
    "stato": Section(_l("A che punto è"), forms.StateForm, _state, _send_state),
    "parole": Section(_l("Le parole"), forms.WordsForm, _words, _send_words, offer=_offer_places),
    "tappa": Section(
        _l("Una tappa"), forms.MilestoneForm, _milestone, _send_milestone,
        Milestone, editing.remove_milestone,
    ),
    "fondi": Section(
        _l("Fondi"), forms.FundingForm, _funding, _send_funding,
        ProjectFunding, editing.remove_funding,
    ),
    "misura": Section(
        _l("Una misura"), forms.IndicatorForm, _indicator, _send_indicator,
        ProjectIndicator, editing.remove_indicator,
    ),
    "soggetti": Section(
        _l("Chi è coinvolto"), forms.BodiesForm, _bodies, _send_bodies, offer=_offer_bodies
    ),
}  # fmt: skip
