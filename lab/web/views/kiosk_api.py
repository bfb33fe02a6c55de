"""What paired tablets say to the site and hear from it (docs/kiosk.md): JSON, a token, no cookie."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState

from lab.kernel.errors import Denied, Invalid
from lab.models.kiosk import DeviceMode
from lab.models.registrations import Registration
from lab.services import devices, kiosk, kiosk_bundle, kiosk_payload, leases, limits
from lab.web import api_json, entrance, kiosk_records, kiosk_schema, tablets
from lab.web import kiosk_bundle as bundles
from lab.web.access import device, public, this_device
from lab.web.app_state import context, lab, transaction

blueprint = Blueprint("kiosk_api", __name__, url_prefix="/totem/api")

#: Records in one sending.
_MOST = 20


@blueprint.record_once
def _without_token(state: BlueprintSetupState) -> None:
    # No cookie counts here, so no page of another site can make a browser do anything.
    for view in (pair, records, lend, give_back):
        state.app.extensions["csrf"].exempt(view)


@blueprint.get("/ping")
@public
def ping() -> Response:
    """That this is really us: whatever else answers, there is no network."""
    return api_json.answer({"totem": "lab", "now": _now()})


@blueprint.get("/openapi.json")
@public
def description() -> Response:
    """These addresses, for programs."""
    return api_json.answer(kiosk_schema.document(lab().settings.base_url))


@blueprint.post("/pair")
@public
def pair() -> tuple[Response, int]:
    """A code becomes a token. Guesses are counted, right ones are not."""
    code = tablets.body().get("code")
    with transaction() as ctx:
        limits.spend(ctx, limits.PAIR_PER_ADDRESS, entrance.address())
    with transaction() as ctx:
        made = devices.pair(
            kiosk_records.by_program(ctx),
            code if isinstance(code, str) else "",
            standing_too=not lab().settings.is_production,
        )
        limits.give_back(ctx, limits.PAIR_PER_ADDRESS, entrance.address())
    paired = {
        "id": made.device.id,
        "name": made.device.name,
        "mode": made.device.mode.value,
        "prefix": made.device.prefix,
        "pin": asdict(made.pin),
    }
    answer = {"token": made.token, "device": paired, "expires_at": made.device.expires_at.isoformat()}
    return api_json.answer(answer), 201


@blueprint.get("/bundle")
@device
def bundle() -> Response:
    """All that the tablet needs offline; 304 while nothing changed."""
    made = bundles.bundle(kiosk_bundle.facts(context(), this_device().event_id))
    tag = bundles.etag(made)
    if any(known.partition(":")[0] == tag for known in request.if_none_match.as_set()):
        response = Response(status=304)
    else:
        response = api_json.answer(made)
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@blueprint.post("/records")
@device
def records() -> Response:
    """Take records in, in order, and say what became of each."""
    sent = tablets.body()
    envelopes = sent.get("records", [])
    if not isinstance(envelopes, list) or len(envelopes) > _MOST:
        raise Invalid("records", "out_of_range")
    speaking = this_device()
    with transaction() as ctx:
        limits.spend(ctx, limits.RECORDS_PER_DEVICE, str(speaking.id))
        devices.heard(ctx, speaking.id, _report(sent.get("report")))
    results = kiosk_records.take(kiosk.sender_of(speaking), envelopes)
    ctx = context()
    news = kiosk_bundle.news(ctx, speaking)
    return api_json.answer(
        {
            "results": [result.as_json() for result in results],
            "now": _now(),
            "paused": news.paused,
            "lease": bundles.lease(news.lease),
            "bundle_version": bundles.bundle(kiosk_bundle.facts(ctx, speaking.event_id))["version"],
            "head_count": news.head_count,
        }
    )


def _report(sent: Any) -> dict[str, Any]:
    """What a tablet says of itself, as far as it can be kept."""
    try:
        report = kiosk_payload.plain(sent) if isinstance(sent, dict) else {}
    except ValueError:
        return {}
    return report if len(str(report)) <= devices.REPORT_LIMIT else {}


@blueprint.post("/lease")
@device
def lend() -> Response:
    """Places to promise without network."""
    wanted = kiosk_payload.number(tablets.body(), "seats", 0) or 0
    with transaction() as ctx:
        lease = leases.lend(kiosk_records.by_program(ctx), this_device(), wanted)
    return api_json.answer({"lease": bundles.lease(lease)})


@blueprint.delete("/lease")
@device
def give_back() -> Response:
    """Places not promised come back to everybody."""
    used = kiosk_payload.number(tablets.body(), "used", 0) or 0
    with transaction() as ctx:
        lease = leases.give_back(kiosk_records.by_program(ctx), this_device(), used)
    return api_json.answer({"lease": bundles.lease(lease)})


@blueprint.get("/people")
@device
def people() -> Response:
    """The list, for the tablet at the door alone."""
    speaking = this_device()
    if speaking.mode is not DeviceMode.DOOR:
        raise Denied("door_only")
    with transaction() as ctx:
        listed = kiosk_bundle.people(kiosk_records.by_program(ctx), speaking)
    found = [_person(one) for one in listed]
    version = hashlib.sha256(repr(found).encode()).hexdigest()[:16]
    return api_json.answer({"people": found, "version": version})


def _person(one: Registration) -> dict[str, Any]:
    return {
        "id": one.id,
        "code": one.code,
        "name": one.name,
        "party_size": one.party_size,
        "state": one.state.value,
        "arrived_at": one.arrived_at.isoformat() if one.arrived_at else None,
        "arrived_count": one.arrived_count,
        # By this the tablet finds, without network, whose ticket it reads.
        "claim_digest": one.claim_digest,
    }


def _now() -> str:
    return lab().clock.now().isoformat()
