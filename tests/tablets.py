"""A tablet for tests: paired with a meeting, it seals what it sends as the application does."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lab.db.engine import Database
from lab.kernel import pins
from lab.models.events import Event
from lab.models.kiosk import DeviceMode
from lab.policy.actor import SYSTEM
from lab.services import devices, sealing
from lab.services.context import Context
from lab.services.devices import NewCode
from tests.world import NOW

PIN = "2580"


@dataclass(kw_only=True)
class Pen:
    """Writes envelopes as a tablet stores them: sealed for the site's key, numbered."""

    event: str
    seal: dict[str, Any] = field(default_factory=dict)
    seq: int = 0

    def write(self, kind: str, *, at: datetime = NOW, offset: int = 0, **payload: Any) -> dict[str, Any]:
        """An envelope. `client_uuid`, `v` and `event` may be given."""
        self.seq += 1
        named = payload.pop("client_uuid", None) or str(uuid.uuid4())
        version, event = payload.pop("v", 3), payload.pop("event", self.event)
        sealed = sealing.seal(
            self.seal["key_id"], self.seal["public_key"], payload, sealing.associated(named, event, kind)
        )
        return {
            "v": version,
            "client_uuid": named,
            "event": event,
            "kind": kind,
            "seq": self.seq,
            "created_at": at.isoformat(),
            "clock_offset_ms": offset,
            "sealed": sealed,
        }

    def sign_up(self, name: str = "Rosa", **more: Any) -> dict[str, Any]:
        """A sign-up with its consent."""
        return self.write("sign_up", **{"name": name, "consent": True, "party_size": 1, **more})


@dataclass(kw_only=True)
class Tablet(Pen):
    """One paired browser with an outbox of its own numbers."""

    client: FlaskClient
    token: str
    device: dict[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(f"/totem/api/{path}", headers={**self.headers, **headers})

    def post(self, path: str, sent: Any) -> TestResponse:
        return self.client.post(f"/totem/api/{path}", json=sent, headers=self.headers)

    def bundle(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("bundle").get_json()
        self.seal = found["seal"]
        return found

    def write(self, kind: str, *, at: datetime = NOW, offset: int = 0, **payload: Any) -> dict[str, Any]:
        """An envelope; the key is asked for before the first."""
        if not self.seal:
            self.bundle()
        return super().write(kind, at=at, offset=offset, **payload)

    def send(self, *records: dict[str, Any], **report: Any) -> list[dict[str, Any]]:
        """What became of each record."""
        answer = self.post("records", {"records": list(records), "report": report})
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.get_json()["results"]
        return results


def paired(
    app: Flask, database: Database, event: Event, *, mode: DeviceMode = DeviceMode.KIOSK, now: datetime = NOW
) -> Tablet:
    """A tablet of this meeting."""
    quick = pytest.MonkeyPatch()
    quick.setattr(pins, "ROUNDS", 2)
    with database.writing() as session:
        _, code = devices.make_code(Context(session, SYSTEM, now), NewCode(event.id, "Ingresso", PIN, mode))
    quick.undo()
    client = app.test_client()
    answer = client.post("/totem/api/pair", json={"code": code})
    assert answer.status_code == 201, answer.text
    made = answer.get_json()
    return Tablet(client=client, token=made["token"], event=event.code, device=made["device"])


def later(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)
