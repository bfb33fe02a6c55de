"""What the demo's people said, what was answered, and the actions that grew out of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lab.cli.demo import words
from lab.cli.demo.reading import instant
from lab.db import search
from lab.kernel.clock import local_date
from lab.kernel.text import clean_line
from lab.models.accounts import Role
from lab.models.actions import (
    PUBLIC_ACTION_STATES,
    Action,
    ActionContribution,
    ActionEvent,
    ActionProject,
    ActionState,
    ActionUpdate,
)
from lab.models.answers import Answer
from lab.models.contributions import (
    Contribution,
    ContributionAuthor,
    Merge,
    State,
    StepKind,
)
from lab.models.conversation import Comment
from lab.policy.actor import Grant
from lab.services import codes as code_service
from lab.services import contributions
from lab.services.context import Context

if TYPE_CHECKING:
    from lab.cli.demo.loader import Codes

#: The lab reads what comes in within two days.
READ_AFTER = timedelta(days=2)
_TEAM = Grant(Role.MODERATOR)
_OFFICE = Grant(Role.OFFICE)
_COMMENT_CAPACITY = {
    "moderatore_laboratorio": "moderator",
    "referente_ente": "delegate",
    "rappresentante_abitanti": "committee",
    "referente_ufficio": "office",
    "abitante": "",
}


def load_proposals(ctx: Context, demo: dict[str, Any], codes: Codes) -> None:
    """Proposals with their comments, answers and merges."""
    done = {item["codice"]: item for item in demo["azioni"] if item["stato"] == "conclusa"}
    for item in demo["proposte"]:
        contribution = _proposal(ctx, item, codes, finished=any(code in done for code in item["azioni"]))
        codes.contributions[contribution.code] = contribution.id
        _comments(ctx, item, contribution)
        _answer(ctx, item, contribution, codes)
    for item in demo["proposte"]:
        if item["unita_a"]:
            _merge(ctx, item, codes)
    code_service.at_least(ctx, "PR", len(demo["proposte"]))
    code_service.at_least(ctx, "A", len(demo["azioni"]))
    code_service.at_least(ctx, "EV", len(demo["eventi"]))


def _proposal(ctx: Context, item: dict[str, Any], codes: Codes, *, finished: bool) -> Contribution:
    state, outcome = words.STATES[item["stato"]]
    if finished:
        state = State.DONE
    said_at = instant(item["data"], "18:00", ctx.timezone)
    answered = item["risposta"]
    pin = item["segnaposto"]
    # The same way every input comes in: codes, tally, first step and search entry are made there.
    contribution = contributions.place(
        ctx,
        contributions.Placement(
            text=item["testo"],
            title=item["titolo"],
            code=item["codice"],
            channel=words.CHANNELS[item["canale"]],
            author_name=item["autore"],
            person_id=codes.people.get(item["autore"]),
            theme_id=codes.themes[item["tema"]],
            place_id=codes.places[item["luogo"]],
            pin=(pin["x"], pin["y"]),
            project_ids=tuple(codes.projects[code] for code in item["progetti"]),
            event_id=codes.events.get(item["evento_origine"] or ""),
            said_at=said_at,
            supports_base=item["sostegni"],
            source="demo",
            source_ref=item["codice"],
            state=state,
            outcome=outcome,
            decided_at=instant(answered["data"], "10:00", ctx.timezone) if answered and outcome else None,
            extra={
                "office_id": codes.offices[item["ufficio_competente"]],
                "read_at": said_at + READ_AFTER if item["stato"] != "ricevuta" else None,
            },
        ),
    )
    if contribution.is_open:
        # The office's list goes by its day: without one the oldest promise would come last.
        contribution.office_due_on = local_date(contribution.promise_due_at, ctx.timezone)
    _steps(ctx, item, contribution)
    return contribution


def _steps(ctx: Context, item: dict[str, Any], contribution: Contribution) -> None:
    if item["stato"] == "ricevuta":
        return
    read_at = contribution.created_at + READ_AFTER
    contributions.add_step(ctx, contribution, StepKind.READ, _TEAM, at=read_at)
    contributions.add_step(
        ctx, contribution, StepKind.ROUTED, _TEAM, at=read_at, office_id=contribution.office_id
    )
    if item["stato"] == "in_coprogettazione":
        contributions.add_step(ctx, contribution, StepKind.CO_DESIGN, _TEAM, at=read_at + READ_AFTER)


def _comments(ctx: Context, item: dict[str, Any], contribution: Contribution) -> None:
    for line in item["commenti_testo"]:
        capacity = _COMMENT_CAPACITY[line["ruolo"]]
        ctx.session.add(
            Comment(
                contribution_id=contribution.id,
                author_name="Laboratorio di quartiere" if capacity == "moderator" else "",
                capacity=capacity,
                text=line["testo"],
                created_at=instant(line["data"], "19:00", ctx.timezone),
            )
        )
    contribution.comments_count = len(item["commenti_testo"])


def _answer(ctx: Context, item: dict[str, Any], contribution: Contribution, codes: Codes) -> None:
    given = item["risposta"]
    if not given:
        return
    at = instant(given["data"], "10:00", ctx.timezone)
    ctx.session.add(
        Answer(
            contribution_id=contribution.id,
            office_id=codes.offices[given["ufficio"]],
            verdict=words.VERDICTS[item["stato"]],
            reason=given["testo"],
            created_at=at,
            published_at=at,
        )
    )
    contributions.add_step(
        ctx, contribution, StepKind.ANSWERED, _OFFICE, at=at, office_id=codes.offices[given["ufficio"]]
    )


def _merge(ctx: Context, item: dict[str, Any], codes: Codes) -> None:
    source = ctx.session.get_one(Contribution, codes.contributions[item["codice"]])
    target = ctx.session.get_one(Contribution, codes.contributions[item["unita_a"]])
    at = source.decided_at or source.created_at + READ_AFTER
    source.merged_into_id = target.id
    ctx.session.add(
        Merge(
            target_id=target.id,
            source_id=source.id,
            at=at,
            before={"state": State.IN_REVIEW, "outcome": None, "supports_base": source.supports_base},
        )
    )
    ctx.session.add(
        ContributionAuthor(
            contribution_id=target.id,
            person_id=source.person_id,
            name=source.author_name,
            via_id=source.id,
        )
    )
    target.supports_base += source.supports_base
    target.supports_count += source.supports_count
    contributions.add_step(ctx, source, StepKind.MERGED, _TEAM, at=at, other_id=target.id)
    contributions.add_step(ctx, target, StepKind.TOOK_IN, _TEAM, at=at, other_id=source.id)


def load_actions(ctx: Context, demo: dict[str, Any], codes: Codes) -> None:
    """Actions with their origins, projects, updates and steps."""
    pilots = {item["codice"]: item["progetto"] for item in demo["servizi_sperimentali"]}
    for item in demo["azioni"]:
        action = _action(ctx, item, codes, demo)
        for project in _projects_of(item, pilots, codes):
            ctx.session.add(ActionProject(action_id=action.id, project_id=codes.projects[project]))
        origins = [codes.contributions[code] for code in item["origine"] if code in codes.contributions]
        for origin in origins:
            _weave(ctx, action, ctx.session.get_one(Contribution, origin))
        action.contributions_count = len(origins)
        for code in item["origine"]:
            if code in codes.events:
                ctx.session.add(ActionEvent(action_id=action.id, event_id=codes.events[code]))
        for line in item["aggiornamenti"]:
            ctx.session.add(
                ActionUpdate(
                    action_id=action.id,
                    at=instant(line["data"], "11:00", ctx.timezone),
                    text=line["testo"],
                    signed_as=line["autore_ruolo"],
                )
            )
        search.put_document(
            ctx.session, "action", action.id, f"{action.title} {action.aim} {action.code}", is_public=True
        )
    ctx.session.flush()


def _projects_of(item: dict[str, Any], pilots: dict[str, str], codes: Codes) -> list[str]:
    """An action always serves a project: where the file names none, that of its pilot service, else the
    first one its office leads."""
    named: list[str] = list(item["progetti"])
    if named:
        return named
    pilot = pilots.get(item["servizio_sperimentale"] or "")
    if pilot:
        return [pilot]
    return [
        next(code for code, office in codes.project_offices.items() if office == item["ufficio_responsabile"])
    ]


def _action(ctx: Context, item: dict[str, Any], codes: Codes, demo: dict[str, Any]) -> Action:
    state = words.ACTION_STATES[item["stato"]]
    adopted_at = _adopted_at(ctx, item, demo)
    updates = [instant(line["data"], "11:00", ctx.timezone) for line in item["aggiornamenti"]]
    done_at = max(updates, default=adopted_at) if state is ActionState.DONE else None
    action = Action(
        code=item["codice"],
        title=clean_line(item["titolo"], 200),
        kind=words.ACTION_KINDS[item["codice"]],
        aim=item["descrizione"],
        state=state,
        is_public=state in PUBLIC_ACTION_STATES,
        office_id=codes.offices[item["ufficio_responsabile"]],
        starts_on=date.fromisoformat(item["inizio"]),
        due_on=date.fromisoformat(item["scadenza"]),
        progress=_progress(state, item, ctx.now.date()),
        created_at=adopted_at - READ_AFTER,
        adopted_at=adopted_at,
        done_at=done_at,
        updated_at=max([*updates, adopted_at]),
    )
    ctx.session.add(action)
    ctx.session.flush()
    return action


def _adopted_at(ctx: Context, item: dict[str, Any], demo: dict[str, Any]) -> datetime:
    """The day the office first answered one of the inputs, else the day the action began."""
    answers = [
        instant(proposal["risposta"]["data"], "10:00", ctx.timezone)
        for proposal in demo["proposte"]
        if proposal["codice"] in item["origine"] and proposal["risposta"]
    ]
    return min([*answers, instant(item["inizio"], "09:00", ctx.timezone)])


def _progress(state: ActionState, item: dict[str, Any], today: date) -> int:
    """The file gives no percentages: done is 100, not begun is 0, under way is the share of its time."""
    if state is ActionState.DONE:
        return 100
    start, due = date.fromisoformat(item["inizio"]), date.fromisoformat(item["scadenza"])
    if state is not ActionState.UNDER_WAY or today <= start:
        return 0
    return min(95, round(100 * (today - start).days / max(1, (due - start).days)))


def _weave(ctx: Context, action: Action, contribution: Contribution) -> None:
    at = max(action.adopted_at or contribution.created_at, contribution.created_at)
    ctx.session.add(ActionContribution(action_id=action.id, contribution_id=contribution.id, at=at))
    steps = [(StepKind.WOVEN, at), (StepKind.ADOPTED, at)]
    started = instant(action.starts_on.isoformat(), "09:00", ctx.timezone) if action.starts_on else at
    if action.state is not ActionState.TO_START:
        steps.append((StepKind.UNDER_WAY, max(at, started)))
    if action.state is ActionState.DONE and action.done_at is not None:
        steps.append((StepKind.DONE, action.done_at))
    for kind, moment in steps:
        contributions.add_step(
            ctx, contribution, kind, _TEAM, at=moment, action_id=action.id, office_id=action.office_id
        )
