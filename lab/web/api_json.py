"""From the lab's things to the shapes of the read API, and from these to JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Response, url_for

from lab.kernel.ids import format_receipt_code
from lab.kernel.text import excerpt
from lab.models import actions, contributions, events, programme, projects
from lab.models.answers import Answer
from lab.models.contributions import StepKind, Visibility
from lab.services import open_data
from lab.services.action_pages import ActionPage, Other
from lab.services.open_data import Voice
from lab.services.photos import StoredPhoto
from lab.services.programme import BodyPage
from lab.services.projects import ProjectPage
from lab.services.proposal_pages import Item
from lab.services.receipts import Receipt
from lab.services.trace import Node, Passage, Trace
from lab.web import api_shapes as shapes
from lab.web.api_event_shape import Event as Meeting
from lab.web.app_state import lab

#: Words that stand in for a missing title.
_TITLE = 80


def plain(value: Any) -> Any:
    """Shapes as JSON knows them: RFC 3339 times in UTC, ISO dates, codes as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return value


def answer(value: Any, status: int = 200, media_type: str = "application/json") -> Response:
    """The answer itself."""
    body = json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
    return Response(body, status=status, content_type=f"{media_type}; charset=utf-8")


def address(endpoint: str, **values: Any) -> str:
    """The whole address of a page of this site."""
    return lab().settings.base_url + url_for(endpoint, **values)


def ref(endpoint: str, code: str, title: str) -> shapes.Ref:
    """Something with a page of its own."""
    return shapes.Ref(code=code, title=title, url=address(endpoint, code=code))


def _project_refs(found: Iterable[projects.Project]) -> list[shapes.Ref]:
    return [ref("projects.show", one.code, one.title) for one in found]


def _voice_ref(one: contributions.Contribution) -> shapes.Ref:
    return ref("proposals.show", one.code, one.title or excerpt(one.excerpt, _TITLE))


def office(one: programme.Office | None) -> shapes.OfficeRef | None:
    """The office behind something, where there is one."""
    return _lead(one) if one else None


def _lead(one: programme.Office) -> shapes.OfficeRef:
    return shapes.OfficeRef(code=one.code, name=one.name, url=address("programme.office", code=one.code))


def _theme(one: programme.Theme | None) -> shapes.ThemeRef | None:
    return shapes.ThemeRef(code=one.code, name=one.name) if one else None


def _place(one: programme.Place | None) -> shapes.PlaceRef | None:
    return shapes.PlaceRef(code=one.code, name=one.name, x=one.x, y=one.y) if one else None


def partner(code: str, name: str) -> shapes.Partner:
    """A body that takes part."""
    return shapes.Partner(code=code, name=name, url=address("programme.body", code=code))


def _proposal(voice: Voice, spoken_of: list[shapes.Ref]) -> dict[str, Any]:
    one, into, place = voice.contribution, voice.merged_into, voice.contribution.place
    return {
        "code": one.code,
        "url": address("proposals.show", code=one.code),
        "kind": one.kind,
        "channel": one.channel,
        "title": one.title,
        "text": one.text,
        "lang": one.lang,
        "author": one.author_name or None,
        "created_at": one.created_at,
        "state": one.state,
        "outcome": one.outcome,
        "is_open": one.is_open,
        "promise_due_at": one.promise_due_at,
        "decided_at": one.decided_at,
        "theme": _theme(one.theme),
        "place": _place(place),
        "x": one.x if one.x is not None else place.x if place else None,
        "y": one.y if one.y is not None else place.y if place else None,
        "office": office(one.office),
        "event": _meeting_ref(one.event),
        "projects": spoken_of,
        "merged_into": _voice_ref(into) if into else None,
        "supports_count": one.supports_count,
        "comments_count": one.comments_count,
    }


def _meeting_ref(one: events.Event | None) -> shapes.Ref | None:
    return ref("events.show", one.code, one.title) if one is not None and one.is_public else None


def proposal(voice: Voice, spoken_of: Iterable[projects.Project]) -> shapes.Proposal:
    """An input in a list."""
    return shapes.Proposal(**_proposal(voice, _project_refs(spoken_of)))


def proposal_whole(item: Item, walk: Trace) -> shapes.ProposalWhole:
    """One input with its answers and its trace."""
    spoken_of = [ref("projects.show", one.code, one.title) for one in item.projects]
    edited = item.proposal
    return shapes.ProposalWhole(
        **_proposal(Voice(item.contribution, item.merged_into), spoken_of),
        co_authors=[name for name in item.authors if name],
        edited_at=edited.edited_at if edited else None,
        withdrawn_reason=(edited.withdrawn_reason or None) if edited else None,
        photos=[_photo(one) for one in item.photos],
        took_in=[
            ref("proposals.show", one.code, one.title or excerpt(one.detail, _TITLE))
            for one in item.originals
        ],
        answers=[_given(one) for one in item.answers if one.published_at],
        actions=[ref("actions.show", node.code, node.title) for node in walk.of("action")],
        steps=[_step(one) for one in walk.steps],
    )


def _photo(one: StoredPhoto) -> shapes.Photo:
    url = address("media.photo", name=one.name, width=max(one.widths))
    return shapes.Photo(url=url, alt=one.alt, width=one.width, height=one.height)


def _given(one: Answer) -> shapes.AnswerGiven:
    assert one.published_at is not None
    return shapes.AnswerGiven(
        verdict=one.verdict,
        reason=one.reason,
        office=one.office.name,
        body=one.body.name if one.body else None,
        published_at=one.published_at,
    )


def _step(one: Passage) -> shapes.Step:
    return shapes.Step(
        kind=one.kind,
        at=one.at,
        text=one.text,
        office=one.office or None,
        body=one.body or None,
        action=one.action_code or None,
        other=one.other_code or None,
    )


def _action(one: actions.Action, served: list[shapes.Ref]) -> dict[str, Any]:
    same = (
        "code", "title", "kind", "aim", "state", "starts_on", "due_on", "progress", "adopted_at", "done_at",
        "updated_at", "contributions_count",
    )  # fmt: skip
    return {
        **{name: getattr(one, name) for name in same},
        "url": address("actions.show", code=one.code),
        "office": _lead(one.office),
        "projects": served,
    }


def action(one: actions.Action, served: Iterable[projects.Project]) -> shapes.Action:
    """An action in a list."""
    return shapes.Action(**_action(one, _project_refs(served)))


def action_whole(page: ActionPage) -> shapes.ActionWhole:
    """One action with all that hangs on it."""
    code = page.action.code
    served = [ref("projects.show", node.code, node.title) for node in page.walk.of("project")]
    return shapes.ActionWhole(
        **_action(page.action, served),
        credits=page.action.credits,
        milestones=[
            shapes.ActionMilestone(title=one.title, due_on=one.due_on, done_on=one.done_on)
            for one in page.milestones
        ],
        bodies=[partner(one.code, one.title) for one in page.bodies],
        events=[ref("events.show", one.code, one.title) for one in page.events],
        needs=_tied(page.needs),
        needed_by=_tied(page.needed_by),
        updates=[
            shapes.Update(
                action=code, at=one.at, text=one.text, progress=one.progress, state=one.state,
                signed_as=one.signed_as,
            )
            for one in page.updates
        ],
        proposals=[_words(node) for node in page.walk.of("word")],
    )  # fmt: skip


def _tied(found: Iterable[Other]) -> list[shapes.Ref]:
    return [ref("actions.show", one.code, one.title) for one in found]


def _words(node: Node) -> shapes.Words:
    return shapes.Words(
        code=node.code,
        title=node.title or excerpt(node.words, _TITLE),
        url=address("proposals.show", code=node.code),
        said_at=node.at,
        merged_into=node.into or None,
    )


def _project(one: projects.Project) -> dict[str, Any]:
    same = ("code", "title", "axis", "description", "continuity", "state", "state_since",
            "contributions_count")  # fmt: skip
    return {
        **{name: getattr(one, name) for name in same},
        "url": address("projects.show", code=one.code),
        "office": _lead(one.office),
        "place": _place(one.place),
    }


def project(one: projects.Project) -> shapes.Project:
    """A project in a list."""
    return shapes.Project(**_project(one))


def project_whole(page: ProjectPage) -> shapes.ProjectWhole:
    """One project with its timeline, money and partners."""
    code = page.project.code
    return shapes.ProjectWhole(
        **_project(page.project),
        milestones=[
            shapes.ProjectMilestone(title=s.label, starts_on=s.start, ends_on=s.end, progress=s.progress)
            for s in page.stages
        ],
        funding=[shapes.Share(source=one.source, cents=one.cents) for one in page.funding],
        bodies=[partner(one.code, one.name) for one in page.partners],
        indicators=[shapes.Indicator(name=i.name, value=i.value, goal=i.goal) for i in page.indicators],
        changes=[
            shapes.Change(at=c.at, what=c.what, before=c.before, after=c.after, why=c.why,
                          office=c.office or None)
            for c in page.changes
        ],
        proposals_url=address("api.proposals", project=code),
        actions_url=address("api.actions", project=code),
        events_url=address("api.events", project=code),
    )  # fmt: skip


def event(
    one: events.Event, served: Iterable[projects.Project], invites: Iterable[programme.Body] = ()
) -> Meeting:
    """A meeting."""
    same = ("code", "kind", "title", "text", "purpose", "influence", "promise", "starts_at", "minutes",
            "place_note", "state", "cancelled_reason", "access_note", "languages", "offers", "offers_note",
            "organisers", "result", "seats", "attendance", "fullness", "sequence", "changed_at")  # fmt: skip
    return Meeting(
        **{name: getattr(one, name) for name in same},
        url=address("events.show", code=one.code),
        place=_place(one.place),
        ends_at=one.starts_at + timedelta(minutes=one.minutes),
        series=one.series.title if one.series else None,
        bodies=[partner(body.code, body.name) for body in invites],
        projects=_project_refs(served),
        proposals_url=address("api.proposals", event=one.code),
        calendar_url=address("events.one_calendar", code=one.code),
    )


def _body(one: programme.Body) -> dict[str, Any]:
    same = ("code", "name", "kind", "is_signatory", "note")
    return {
        **{name: getattr(one, name) for name in same},
        "url": address("programme.body", code=one.code),
    }


def body(one: programme.Body) -> shapes.Body:
    """A body in a list."""
    return shapes.Body(**_body(one))


def body_whole(page: BodyPage) -> shapes.BodyWhole:
    """One body with its projects."""
    return shapes.BodyWhole(
        **_body(page.body),
        projects=_project_refs(page.projects),
        actions_url=address("api.actions", body=page.body.code),
    )


def input_trace(found: open_data.InputTrace) -> shapes.InputTrace:
    """All that became of one input. No name, and nobody else's words."""
    receipt = found.receipt
    into = found.fate if found.fate is not found.own else None
    return shapes.InputTrace(
        receipt=format_receipt_code(receipt.code),
        input=_input(found.own),
        merges=shapes.Merges(
            into=_voice_ref(into) if into else None, took_in=[_voice_ref(one) for one in found.took_in]
        ),
        theme=_theme(found.fate.theme or found.own.theme),
        office=office(found.fate.office),
        office_due_on=receipt.office_due_on,
        actions=[action(one, found.action_projects.get(one.id, ())) for one in found.actions],
        projects=_project_refs(found.projects),
        conventions=[],
        updates=[
            shapes.Update(
                action=code, at=one.at, text=one.text, progress=one.progress, state=one.state,
                signed_as=one.signed_as,
            )
            for code, one in found.updates
        ],
        steps=_lived(receipt),
        outcome=_ending(receipt, found.fate),
    )  # fmt: skip


def _input(one: contributions.Contribution) -> shapes.Input:
    same = ("code", "kind", "channel", "title", "excerpt", "lang", "visibility")
    is_public = one.visibility is Visibility.PUBLIC
    return shapes.Input(
        **{name: getattr(one, name) for name in same},
        url=address("proposals.show", code=one.code) if is_public else None,
        said_at=one.created_at,
        theme=_theme(one.theme),
        place=_place(one.place),
    )


def _lived(receipt: Receipt) -> list[shapes.Step]:
    """Its own steps, and those of the input it went into since the two became one."""
    merged = max((one.at for one in receipt.steps if one.kind is StepKind.MERGED), default=receipt.said_at)
    return [
        shapes.Step(
            kind=one.kind, at=one.at, text=one.text, office=one.office or None, body=one.body or None,
            action=None, other=None,
        )
        for one in receipt.steps
        if not one.borrowed or one.at >= merged
    ]  # fmt: skip


def _ending(receipt: Receipt, fate: contributions.Contribution) -> shapes.Ending:
    reply = receipt.reply
    given = None
    if reply is not None:
        given = shapes.AnswerGiven(
            verdict=reply.verdict, reason=reply.reason, office=reply.office, body=reply.body or None,
            published_at=reply.at,
        )  # fmt: skip
    return shapes.Ending(
        state=receipt.standing,
        outcome=fate.outcome,
        promise_due_at=receipt.promise_due_at,
        decided_at=receipt.decided_at,
        is_overdue=receipt.is_overdue,
        answer=given,
        withdrawn_reason=receipt.withdrawn_reason or None,
        hidden_reason=receipt.hidden_reason or None,
    )
