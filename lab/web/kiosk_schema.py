"""The OpenAPI description of the addresses of tablets; docs/kiosk.md tells the same to people."""

from __future__ import annotations

from typing import Any

from lab.models.kiosk import DeviceMode
from lab.models.registrations import QuestionKind, RegistrationState
from lab.services import kiosk_payload

Json = dict[str, Any]

_TEXT: Json = {"type": "string"}
_NUMBER: Json = {"type": "integer"}
_YES_NO: Json = {"type": "boolean"}
_MOMENT: Json = {"type": "string", "format": "date-time"}


def _list(item: Json) -> Json:
    return {"type": "array", "items": item}


def _or_none(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _map(value: Json) -> Json:
    return {"type": "object", "additionalProperties": value}


def _object(optional: tuple[str, ...] = (), /, **properties: Json) -> Json:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _codes(*codes: str) -> Json:
    return {"type": "string", "enum": list(codes)}


_SCHEMAS: dict[str, Json] = {
    "Ping": _object(totem=_codes("lab"), now=_MOMENT),
    "Code": _object(code=_TEXT),
    "Pin": _object(salt=_TEXT, rounds=_NUMBER, check=_TEXT),
    "Device": _object(
        id=_NUMBER, name=_TEXT, mode=_codes(*(mode.value for mode in DeviceMode)), prefix=_TEXT,
        pin=_ref("Pin"),
    ),
    "Paired": _object(token=_TEXT, device=_ref("Device"), expires_at=_MOMENT),
    "Event": _object(
        code=_TEXT, title=_TEXT, kind=_TEXT, starts_at=_MOMENT, ends_at=_MOMENT, place=_TEXT, timezone=_TEXT,
        cancelled=_YES_NO,
    ),
    "Group": _object(id=_NUMBER, name=_TEXT),
    "Question": _object(
        id=_NUMBER, kind=_codes(*(kind.value for kind in QuestionKind)), label=_TEXT, options=_list(_TEXT),
        is_required=_YES_NO,
    ),
    "SignUp": _object(
        is_offered=_YES_NO, capacity=_or_none(_NUMBER), taken=_NUMBER, lent=_NUMBER, waiting=_NUMBER,
        party_most=_NUMBER, opens_at=_or_none(_MOMENT), closes_at=_MOMENT, asks=_list(_TEXT),
        groups=_list(_ref("Group")), questions=_list(_ref("Question")), consent_version=_NUMBER,
    ),
    "Locale": _object(code=_TEXT, name=_TEXT, dir=_codes("ltr", "rtl")),
    "SealKey": _object(key_id=_NUMBER, public_key=_TEXT),
    "Bundle": _object(
        version=_TEXT, made_at=_MOMENT, application=_TEXT, event=_ref("Event"), sign_up=_ref("SignUp"),
        locales=_list(_ref("Locale")), texts=_map(_map(_TEXT)), consent=_map(_TEXT), seal=_ref("SealKey"),
        payload_version=_NUMBER, ticket_base=_TEXT, room=_object(takes_questions=_YES_NO),
    ),
    "Sealed": _object(key_id=_NUMBER, epk=_TEXT, iv=_TEXT, ct=_TEXT),
    "Envelope": _object(
        v=_NUMBER, client_uuid={"type": "string", "format": "uuid"}, event=_TEXT,
        kind=_codes(*kiosk_payload.KINDS), seq=_NUMBER, created_at=_MOMENT, clock_offset_ms=_NUMBER,
        sealed=_ref("Sealed"),
    ),
    "Sending": _object(
        ("report",), records={**_list(_ref("Envelope")), "maxItems": 20}, report={"type": "object"}
    ),
    "Result": _object(
        ("result", "place", "of", "number", "code", "at", "people", "name", "receipt", "reason"),
        client_uuid=_TEXT,
        status={"type": "integer", "enum": [200, 201, 409, 422, 503]},
        result=_codes("confirmed", "waiting", "arrived", "already_in", "received", "needs_review"),
        place=_NUMBER, of=_or_none(_NUMBER), number=_NUMBER, code=_TEXT, at=_MOMENT, people=_NUMBER,
        name=_TEXT, receipt=_TEXT, reason=_TEXT,
    ),
    "Lease": _object(id=_NUMBER, seats=_NUMBER, used=_NUMBER, expires_at=_MOMENT),
    "Heard": _object(
        results=_list(_ref("Result")), now=_MOMENT, paused=_YES_NO, lease=_or_none(_ref("Lease")),
        bundle_version=_TEXT, head_count=_NUMBER,
    ),
    "Wanted": _object(seats={"type": "integer", "minimum": 1, "maximum": 50}),
    "Used": _object(used={"type": "integer", "minimum": 0}),
    "Lent": _object(lease=_or_none(_ref("Lease"))),
    "Person": _object(
        id=_NUMBER, code=_TEXT, name=_TEXT, party_size=_NUMBER,
        state=_codes(RegistrationState.CONFIRMED.value, RegistrationState.WAITING.value),
        arrived_at=_or_none(_MOMENT), arrived_count=_NUMBER, claim_digest=_or_none(_TEXT),
    ),
    "People": _object(people=_list(_ref("Person")), version=_TEXT),
    "Problem": _object(
        type=_TEXT, title=_TEXT, status=_NUMBER, detail=_or_none(_TEXT), parameter=_or_none(_TEXT), code=_TEXT
    ),
}  # fmt: skip


def document(base_url: str) -> Json:
    """The whole description. `base_url` is the address of the site."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tablets of the Laboratorio di quartiere",
            "version": "1",
            "description": "Times are UTC. Binary parts are base64url without padding. See docs/kiosk.md.",
        },
        "servers": [{"url": f"{base_url}/totem/api"}],
        "security": [{"token": []}],
        "paths": {
            "/ping": {"get": _operation("Whether this is the site.", "Ping", opens=True)},
            "/openapi.json": {"get": _operation("This description.", None, opens=True)},
            "/pair": {"post": _operation("A code becomes a token.", "Paired", "Code", 201, (404, 429), True)},
            "/bundle": {"get": _operation("What the tablet needs offline; 304 with its ETag.", "Bundle")},
            "/records": {
                "post": _operation("Up to twenty records, in order.", "Heard", "Sending", problems=(429,))
            },
            "/lease": {
                "post": _operation("Places to promise offline.", "Lent", "Wanted", problems=(409,)),
                "delete": _operation("Places not promised come back.", "Lent", "Used"),
            },
            "/people": {"get": _operation("The list, at the door only.", "People", problems=(403,))},
        },
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(
    about: str,
    answer: str | None,
    body: str | None = None,
    status: int = 200,
    problems: tuple[int, ...] = (),
    opens: bool = False,
) -> Json:
    wrong = [*([400, 413] if body else []), *([] if opens else [401]), *problems, 503]
    shape = _ref(answer) if answer else {"type": "object"}
    made: Json = {
        "summary": about,
        "responses": {
            str(status): {"description": "OK", "content": {"application/json": {"schema": shape}}},
            **{str(one): _problem() for one in sorted(wrong)},
        },
    }
    if opens:
        made["security"] = []
    if body:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(body)}}}
    return made


def _problem() -> Json:
    return {
        "description": "What went wrong",
        "content": {"application/problem+json": {"schema": _ref("Problem")}},
    }
