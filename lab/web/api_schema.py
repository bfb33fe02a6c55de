"""The OpenAPI description of the read API, made from the shapes that are served."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from lab.models.actions import ActionKind, ActionState
from lab.models.capture import CommitmentState
from lab.models.contributions import Kind, State
from lab.models.events import EventKind, EventState
from lab.models.programme import BodyKind
from lab.models.projects import ProjectState
from lab.web import api_query
from lab.web import api_shapes as shapes
from lab.web.api_commitment import Commitment
from lab.web.api_event_shape import Event as Meeting

Json = dict[str, Any]

_PLAIN: dict[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
}


@dataclass(frozen=True)
class Operation:
    """One address: what it gives, a list of it or one, and the filters it knows."""

    path: str
    about: str
    shape: type
    #: Filters with the codes they take; None for the code of a thing.
    filters: tuple[tuple[str, type[StrEnum] | None], ...] = ()
    is_list: bool = False
    searches: bool = False


OPERATIONS = (
    Operation(
        "/proposals", "What people said, newest first. Merged and withdrawn ones only by `state`.",
        shapes.Proposal,
        (("theme", None), ("place", None), ("office", None), ("project", None), ("event", None),
         ("state", State), ("kind", Kind)), is_list=True, searches=True,
    ),
    Operation("/proposals/{code}", "One of them with its answers and its trace.", shapes.ProposalWhole),
    Operation(
        "/actions", "Adopted actions, youngest first.", shapes.Action,
        (("office", None), ("project", None), ("body", None), ("state", ActionState), ("kind", ActionKind)),
        is_list=True,
    ),
    Operation("/actions/{code}", "One of them with all that hangs on it.", shapes.ActionWhole),
    Operation(
        "/projects", "Formal projects.", shapes.Project, (("office", None), ("state", ProjectState)),
        is_list=True,
    ),
    Operation("/projects/{code}", "One of them with timeline, money and partners.", shapes.ProjectWhole),
    Operation(
        "/events", "Meetings, those furthest ahead first.", Meeting,
        (("place", None), ("project", None), ("state", EventState), ("kind", EventKind)), is_list=True,
    ),
    Operation("/events/{code}", "One of them.", Meeting),
    Operation(
        "/commitments", "What was promised in meetings, youngest first.", Commitment,
        (("office", None), ("body", None), ("event", None), ("project", None), ("state", CommitmentState)),
        is_list=True,
    ),
    Operation("/commitments/{code}", "One of them.", Commitment),
    Operation("/bodies", "Partners of the programme.", shapes.Body, (("kind", BodyKind),), is_list=True),
    Operation("/bodies/{code}", "One of them with its projects.", shapes.BodyWhole),
    Operation(
        "/inputs/{code}", "All that became of one input; `code` is its receipt code. Never cached, counted.",
        shapes.InputTrace,
    ),
)  # fmt: skip


def document(base_url: str) -> Json:
    """The whole description. `base_url` is the address of the site."""
    components: dict[str, Json] = {}
    paths = {one.path: {"get": _operation(one, components)} for one in OPERATIONS}
    paths["/openapi.json"] = {"get": {"summary": "This description.", "responses": {"200": _any()}}}
    _schema(shapes.Problem, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Laboratorio di quartiere",
            "version": "1",
            "description": "Read-only. Times are UTC, money is in euro cents, plan coordinates run 0-1000.",
            "license": {"name": "CC-BY-4.0", "identifier": "CC-BY-4.0"},
        },
        "servers": [{"url": f"{base_url}/api/v1"}],
        "paths": paths,
        "components": {"schemas": components},
    }


def _any() -> Json:
    return {"description": "OK", "content": {"application/json": {"schema": {"type": "object"}}}}


def _operation(one: Operation, components: dict[str, Json]) -> Json:
    schema = _schema(one.shape, components)
    if one.is_list:
        name = f"{one.shape.__name__}Page"
        components[name] = _page(schema)
        schema = _named(name)
    content = {"application/json": {"schema": schema}}
    problems = ["400"] if one.is_list else ["404"]
    problems += ["429"] if one.shape is shapes.InputTrace else []
    return {
        "summary": one.about,
        "parameters": list(_parameters(one)),
        "responses": {
            "200": {"description": "OK", "content": content},
            **{status: _problem() for status in [*problems, "503"]},
        },
    }


def _problem() -> Json:
    return {
        "description": "What went wrong",
        "content": {"application/problem+json": {"schema": _named("Problem")}},
    }


def _page(item: Json) -> Json:
    return {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": item},
            "next": {
                "anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}],
                "description": "The next page, also in the Link header; null at the end.",
            },
        },
    }


def _parameters(one: Operation) -> Iterable[Json]:
    if not one.is_list:
        yield {"name": "code", "in": "path", "required": True, "schema": {"type": "string"}}
        return
    for name, codes in one.filters:
        yield _asked(name, _codes(codes) if codes else {"type": "string"})
    if one.searches:
        yield _asked("q", {"type": "string", "maxLength": api_query.WORDS})
    yield _asked(
        "limit", {"type": "integer", "minimum": 1, "maximum": api_query.MOST, "default": api_query.PAGE}
    )
    yield _asked("after", {"type": "string", "description": "Taken from `next`."})


def _asked(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _codes(codes: type[StrEnum]) -> Json:
    return {"type": "string", "enum": [code.value for code in codes]}


def _named(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _schema(hint: Any, components: dict[str, Json]) -> Json:
    """The schema of a type; classes are described once, under their name."""
    origin = get_origin(hint)
    if origin is Annotated:
        base, *more = get_args(hint)
        return {**_schema(base, components), **dict(more)}
    if origin is list:
        return {"type": "array", "items": _schema(get_args(hint)[0], components)}
    if origin in (Union, UnionType):
        return {"anyOf": [_schema(one, components) for one in get_args(hint)]}
    if is_dataclass(hint):
        return _class(hint, components)
    if issubclass(hint, StrEnum):
        return _codes(hint)
    return dict(_PLAIN[hint])


def _class(hint: Any, components: dict[str, Json]) -> Json:
    name = hint.__name__
    if name not in components:
        components[name] = {}
        hints = get_type_hints(hint, include_extras=True)
        components[name] = {
            "type": "object",
            "description": " ".join((hint.__doc__ or "").split()),
            "required": [one.name for one in fields(hint)],
            "properties": {one.name: _schema(hints[one.name], components) for one in fields(hint)},
        }
    return _named(name)
