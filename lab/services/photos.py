"""Photographs of inputs: rows for files that were re-made and stored on arrival."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import selectinload

from lab.kernel.errors import Invalid, NotFound
from lab.kernel.text import clean_line
from lab.models.actions import Action, ActionUpdate
from lab.models.contributions import Contribution, Visibility
from lab.models.events import Event
from lab.models.operations import Draft
from lab.models.pictures import Photo
from lab.policy.permissions import Permission
from lab.services.context import Context
from lab.services.drafts import KEEP_PHOTOS

#: Photographs of one input.
MOST = 5
ALT_LIMIT = 160


@dataclass(frozen=True)
class StoredPhoto:
    """A photograph whose files lie in the uploads folder: <name>-<width>.webp for each of `widths`."""

    name: str
    width: int
    height: int
    widths: tuple[int, ...]
    alt: str = ""

    def as_data(self) -> dict[str, Any]:
        """For a draft."""
        return {**asdict(self), "widths": list(self.widths)}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> StoredPhoto:
        """From a draft."""
        return cls(
            str(data["name"]),
            int(data["width"]),
            int(data["height"]),
            tuple(int(width) for width in data["widths"]),
            str(data.get("alt", "")),
        )

    @property
    def files(self) -> list[str]:
        """The names of its files."""
        return [f"{self.name}-{width}.webp" for width in self.widths]


def stored(photo: Photo) -> StoredPhoto:
    """A row as the value it was made from."""
    widths = tuple(int(part) for part in photo.widths.split(","))
    return StoredPhoto(photo.name, photo.width, photo.height, widths, photo.alt)


def attach(
    ctx: Context,
    photos: Sequence[StoredPhoto],
    *,
    contribution_id: int | None = None,
    action_update_id: int | None = None,
    first: int = 0,
) -> list[Photo]:
    """Write the rows of photographs whose files are already stored, in order from position `first`.

    Raises `Invalid("photos", "too_many_photos")` above five.
    """
    if first + len(photos) > MOST:
        raise Invalid("photos", "too_many_photos")
    rows = [
        Photo(
            contribution_id=contribution_id,
            action_update_id=action_update_id,
            name=photo.name,
            width=photo.width,
            height=photo.height,
            widths=",".join(str(width) for width in photo.widths),
            alt=clean_line(photo.alt, ALT_LIMIT),
            position=first + position,
            created_at=ctx.now,
        )
        for position, photo in enumerate(photos)
    ]
    ctx.session.add_all(rows)
    ctx.session.flush()
    return rows


def attach_to_event(ctx: Context, event_id: int, photo: StoredPhoto, position: int) -> Photo:
    """Write the row of a sheet, a map or the room photographed at a meeting."""
    row = Photo(
        event_id=event_id,
        name=photo.name,
        width=photo.width,
        height=photo.height,
        widths=",".join(str(width) for width in photo.widths),
        alt=clean_line(photo.alt, ALT_LIMIT),
        position=position,
        created_at=ctx.now,
    )
    ctx.session.add(row)
    ctx.session.flush()
    return row


def of_contribution(ctx: Context, contribution_id: int) -> list[Photo]:
    """The photographs of one input, in order."""
    query = select(Photo).where(Photo.contribution_id == contribution_id).order_by(Photo.position, Photo.id)
    return list(ctx.session.execute(query).scalars())


def of_update(ctx: Context, action_update_id: int) -> list[Photo]:
    """The photographs of one update of an action, in order."""
    mine = Photo.action_update_id == action_update_id
    query = select(Photo).where(mine).order_by(Photo.position, Photo.id)
    return list(ctx.session.execute(query).scalars())


def remove(ctx: Context, contribution_id: int, names: Iterable[str]) -> None:
    """Take photographs off an input; their files go with the next sweep."""
    ctx.session.execute(
        delete(Photo).where(Photo.contribution_id == contribution_id, Photo.name.in_(list(names)))
    )


def readable(ctx: Context, name: str) -> bool:
    """Whether everybody may see this photograph; False when only this reader may.

    Raises `NotFound` when there is none by this name, or what it belongs to is not for this reader.
    """
    query = (
        select(Photo.id, Contribution, Action, Event)
        .outerjoin(Contribution, Contribution.id == Photo.contribution_id)
        .outerjoin(ActionUpdate, ActionUpdate.id == Photo.action_update_id)
        .outerjoin(Action, Action.id == ActionUpdate.action_id)
        .outerjoin(Event, Event.id == Photo.event_id)
        .where(Photo.name == name)
        .options(selectinload(Event.hosts))
    )
    row = ctx.session.execute(query).first()
    if row is None:
        raise NotFound("photo")
    contribution: Contribution | None = row[1]
    action: Action = row[2]
    if contribution is not None:
        ctx.require(Permission.CONTRIBUTION_READ, contribution)
        return bool(contribution.visibility is Visibility.PUBLIC)
    event: Event | None = row[3]
    if event is not None:
        ctx.require(Permission.EVENT_READ, event)
        return event.is_public
    ctx.require(Permission.ACTION_READ, action)
    return bool(action.is_public)


def strangers(ctx: Context, names: Sequence[str]) -> list[str]:
    """Those of the `names` that neither an input, nor an action, nor a live draft knows any more.

    Drafts nobody touched for a day lose their photographs here.
    """
    known = set(ctx.session.execute(select(Photo.name).where(Photo.name.in_(names))).scalars())
    for draft in ctx.session.execute(select(Draft)).scalars():
        kept = draft.data.get("photos")
        if not kept:
            continue
        if draft.updated_at < ctx.now - KEEP_PHOTOS:
            draft.data = {**draft.data, "photos": []}
        else:
            known.update(str(photo.get("name")) for photo in kept)
    return [name for name in names if name not in known]
