"""Photographs, in the width the page needs; only those of what this reader may read."""

from __future__ import annotations

from flask import Blueprint, send_file
from werkzeug.wrappers import Response

from lab.kernel.errors import NotFound
from lab.services import drafts, photos, proposals
from lab.web import uploads
from lab.web.access import public
from lab.web.app_state import context, lab
from lab.web.views.drafts import draft_owner

blueprint = Blueprint("media", __name__)

_FOR_EVER = "public, max-age=31536000, immutable"


@blueprint.get("/media/<name>-<int(max=9999):width>.webp")
@public
def photo(name: str, width: int) -> Response:
    """One version of a photograph. Names are random and never used again, so it never changes."""
    if not uploads.is_name(name):
        raise NotFound("photo")
    for_all = _is_for_all(name)
    path = uploads.path_of(lab().settings.uploads, name, width)
    if not path.is_file():
        raise NotFound("photo")
    answer = send_file(path, mimetype="image/webp", conditional=True, etag=False)
    answer.headers["Cache-Control"] = _FOR_EVER if for_all else "no-store"
    return answer


def _is_for_all(name: str) -> bool:
    ctx = context()
    try:
        return photos.readable(ctx, name)
    except NotFound:
        # Not sent yet: only who is writing sees it.
        owner = draft_owner()
        kept = None if owner.nobody else drafts.load(ctx, owner, proposals.DRAFT)
        mine = {photo["name"] for photo in kept.data.get("photos", [])} if kept else set()
        if name not in mine:
            raise
        return False
