"""The read API: the public things of the site for programs. Nothing here changes anything."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response

from lab.kernel.errors import NotFound
from lab.kernel.ids import parse_receipt_code
from lab.models.actions import ActionKind, ActionState
from lab.models.capture import CommitmentState
from lab.models.contributions import Kind, State
from lab.models.events import Event, EventKind, EventState
from lab.models.programme import BodyKind
from lab.models.projects import ProjectState
from lab.services import action_pages, limits, open_data, programme, proposal_pages, trace
from lab.services import commitments as promises
from lab.services import projects as project_pages
from lab.services.context import Context
from lab.services.listing import Wish
from lab.services.open_data import ActionWish, EventWish, known_code
from lab.web import api_commitment, api_json, api_query, api_schema, entrance
from lab.web.access import cached, public
from lab.web.api_event_shape import Event as Meeting
from lab.web.app_state import context, lab, transaction

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


def _everybody() -> Context:
    # Whoever is signed in reads here what everybody reads.
    return open_data.anonymous(context())


@blueprint.get("/proposals")
@cached
def proposals() -> Response:
    """What people said, newest first."""
    ctx = _everybody()
    words = api_query.words()
    found = open_data.ids(ctx, api_query.codes("theme", "place", "office", "project", "event"))
    wish = Wish(
        words=words,
        theme_id=found.get("theme"),
        place_id=found.get("place"),
        office_id=found.get("office"),
        project_id=found.get("project"),
        event_id=found.get("event"),
        state=api_query.one_of("state", State),
        kind=api_query.one_of("kind", Kind),
    )
    after = api_query.after(int) if words else api_query.after(datetime, int)
    page = open_data.proposals(ctx, wish, after, api_query.limit())
    return api_query.listed(
        page, lambda voice: api_json.proposal(voice, page.projects.get(voice.contribution.id, ()))
    )


@blueprint.get("/proposals/<code>")
@cached
def proposal(code: str) -> Response:
    """One of them with its answers and its trace."""
    ctx = _everybody()
    item = proposal_pages.item(ctx, known_code(code, "contribution"))
    return api_json.answer(api_json.proposal_whole(item, trace.of_contribution(ctx, item.contribution.id)))


@blueprint.get("/actions")
@cached
def actions() -> Response:
    """Adopted actions, youngest first."""
    ctx = _everybody()
    found = open_data.ids(ctx, api_query.codes("office", "project", "body"))
    wish = ActionWish(
        state=api_query.one_of("state", ActionState),
        kind=api_query.one_of("kind", ActionKind),
        office_id=found.get("office"),
        project_id=found.get("project"),
        body_id=found.get("body"),
    )
    page = open_data.actions(ctx, wish, api_query.after(int), api_query.limit())
    return api_query.listed(page, lambda one: api_json.action(one, page.projects.get(one.id, ())))


@blueprint.get("/actions/<code>")
@cached
def action(code: str) -> Response:
    """One of them with all that hangs on it."""
    return api_json.answer(api_json.action_whole(action_pages.page(_everybody(), known_code(code, "action"))))


@blueprint.get("/projects")
@cached
def projects() -> Response:
    """Formal projects."""
    ctx = _everybody()
    office = open_data.ids(ctx, api_query.codes("office")).get("office")
    state = api_query.one_of("state", ProjectState)
    page = open_data.projects(ctx, state, office, api_query.after(int), api_query.limit())
    return api_query.listed(page, api_json.project)


@blueprint.get("/projects/<code>")
@cached
def project(code: str) -> Response:
    """One of them with its timeline, money and partners."""
    return api_json.answer(
        api_json.project_whole(project_pages.page(_everybody(), known_code(code, "project")))
    )


@blueprint.get("/events")
@cached
def events() -> Response:
    """Meetings, those furthest ahead first."""
    ctx = _everybody()
    found = open_data.ids(ctx, api_query.codes("place", "project"))
    wish = EventWish(
        state=api_query.one_of("state", EventState),
        kind=api_query.one_of("kind", EventKind),
        place_id=found.get("place"),
        project_id=found.get("project"),
    )
    page = open_data.meetings(ctx, wish, api_query.after(datetime, int), api_query.limit())
    return api_query.listed(page, lambda one: _meeting(one, page))


@blueprint.get("/events/<code>")
@cached
def event(code: str) -> Response:
    """One of them."""
    page = open_data.meeting(_everybody(), known_code(code, "event"))
    return api_json.answer(_meeting(page.items[0], page))


def _meeting(one: Event, page: open_data.Page[Event]) -> Meeting:
    return api_json.event(one, page.projects.get(one.id, ()), page.bodies.get(one.id, ()))


@blueprint.get("/commitments")
@cached
def commitments() -> Response:
    """What was promised in meetings, youngest first."""
    ctx = _everybody()
    found = open_data.ids(ctx, api_query.codes("office", "body", "event", "project"))
    wish = promises.Wish(
        state=api_query.one_of("state", CommitmentState),
        office_id=found.get("office"),
        body_id=found.get("body"),
        event_id=found.get("event"),
        project_id=found.get("project"),
    )
    after = api_query.after(int)
    listed = promises.public_page(ctx, wish, after[0] if after else None, api_query.limit())
    page = open_data.Page(listed.items, (listed.items[-1].id,) if listed.has_more else None)
    return api_query.listed(page, lambda one: api_commitment.shape(one, listed.events.get(one.event_id or 0)))


@blueprint.get("/commitments/<code>")
@cached
def commitment(code: str) -> Response:
    """One of them."""
    one, meeting = promises.public_one(_everybody(), known_code(code, "commitment"))
    return api_json.answer(api_commitment.shape(one, meeting))


@blueprint.get("/bodies")
@cached
def bodies() -> Response:
    """Partners of the programme."""
    kind = api_query.one_of("kind", BodyKind)
    page = open_data.bodies(_everybody(), kind, api_query.after(int), api_query.limit())
    return api_query.listed(page, api_json.body)


@blueprint.get("/bodies/<code>")
@cached
def body(code: str) -> Response:
    """One of them with its projects."""
    return api_json.answer(api_json.body_whole(programme.body_page(_everybody(), known_code(code, "body"))))


@blueprint.get("/inputs/<code>", endpoint="input")
@public
def input_trace(code: str) -> Response:
    """All that became of one input, for whoever holds its receipt code; counted like the receipt page."""
    right = parse_receipt_code(code)
    if right is None:
        raise NotFound("receipt")
    with transaction() as ctx:
        limits.spend(ctx, limits.RECEIPT_PER_ADDRESS, entrance.address())
    response = api_json.answer(api_json.input_trace(open_data.of_receipt(_everybody(), right)))
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/openapi.json")
@cached
def openapi() -> Response:
    """This API, described for programs."""
    return api_json.answer(api_schema.document(lab().settings.base_url))
