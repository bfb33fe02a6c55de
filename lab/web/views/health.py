"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

from flask import Blueprint, Response

from lab.db import migrations
from lab.web.access import public
from lab.web.app_state import lab

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@public
def alive() -> Response:
    """200 while the process answers at all."""
    return Response("ok\n", content_type="text/plain; charset=utf-8")


@blueprint.get("/readyz")
@public
def ready() -> Response:
    """200 only when the database answers and stands at this code's migration."""
    try:
        right = migrations.current_revision(lab().database.engine) == migrations.head_revision()
    except Exception:  # whatever is wrong with the database, the answer is "not ready"
        right = False
    words = "ready\n" if right else "not ready\n"
    return Response(words, status=200 if right else 503, content_type="text/plain; charset=utf-8")
