"""Themes and places: named, given a usual office, retired; never deleted, since inputs point at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import func, select

from lab.db.locking import locked
from lab.kernel.errors import Invalid, NotFound
from lab.kernel.text import clean_line, fold, slugify
from lab.models.programme import Office, Place, Theme
from lab.policy.permissions import Permission
from lab.services import audit, codes, references, seen
from lab.services.context import Context

NAME_LIMIT = 80

Row = TypeVar("Row", Theme, Place)


@dataclass(frozen=True)
class ThemeWords:
    """A theme as the staff write it; `theme_id` is None for a new one."""

    theme_id: int | None
    name: str
    #: The name in other languages, by locale.
    names: Mapping[str, str] = field(default_factory=dict)
    office_id: int | None = None
    retired: bool = False
    #: The fingerprint its page was drawn with; "" for a new one.
    seen: str = ""


@dataclass(frozen=True)
class PlaceWords:
    """A place on the plan (0-1000 from the top left corner); `place_id` is None for a new one."""

    place_id: int | None
    name: str
    #: The name in other languages, by locale.
    names: Mapping[str, str] = field(default_factory=dict)
    x: int = 500
    y: int = 500
    retired: bool = False
    #: The fingerprint its page was drawn with; "" for a new one.
    seen: str = ""


def themes(ctx: Context) -> Sequence[Theme]:
    """All themes in their order, retired ones too."""
    return (
        ctx.session.execute(select(Theme).order_by(Theme.retired, Theme.position, Theme.id)).scalars().all()
    )


def places(ctx: Context) -> Sequence[Place]:
    """All places by code, retired ones too."""
    return ctx.session.execute(select(Place).order_by(Place.retired, Place.code)).scalars().all()


def theme(ctx: Context, theme_id: int | None) -> Theme:
    """One theme. Raises `NotFound`."""
    return _row(ctx, Theme, theme_id)


def place(ctx: Context, place_id: int | None) -> Place:
    """One place. Raises `NotFound`."""
    return _row(ctx, Place, place_id)


def _row(ctx: Context, model: type[Row], key: int | None) -> Row:
    found = ctx.session.get(model, key) if key is not None else None
    if found is None:
        raise NotFound(model.__tablename__)
    return found


def save_theme(ctx: Context, command: ThemeWords) -> Theme:
    """Make or change a theme. Raises `Invalid`, and `Conflict("changed_meanwhile")`."""
    grant = ctx.require(Permission.PROGRAMME_EDIT)
    name = _name(command.name)
    references.known(ctx, "office_id", Office, command.office_id)
    held = _held(ctx, Theme, command.theme_id, name)
    with seen.changing(held, command.seen):
        theme = held or _new_theme(ctx, command, name)
        theme.name = name
        theme.names = _names(theme.names, command.names)
        theme.office_id = command.office_id
        theme.retired = command.retired
    ctx.session.flush()
    audit.record(ctx, "theme.save", theme, grant, code=theme.code)
    return theme


def _held(ctx: Context, model: type[Row], key: int | None, name: str) -> Row | None:
    """The row to be changed, locked; None for a new one. Raises `Invalid("name", "name_taken")`."""
    if key is None:
        return None
    row = locked(ctx.session, model, key)
    if any(fold(other.name) == fold(name) and other.id != key for other in _in_use(ctx, model)):
        raise Invalid("name", "name_taken")
    return row


def _in_use(ctx: Context, model: type[Row]) -> Sequence[Row]:
    return ctx.session.execute(select(model).where(model.retired.is_(False))).scalars().all()


def _new_theme(ctx: Context, command: ThemeWords, name: str) -> Theme:
    codes.hold(ctx, "theme")
    values = {
        "name": name, "names": _names({}, command.names),
        "office_id": command.office_id, "retired": command.retired,
    }  # fmt: skip
    same = seen.made_already(_in_use(ctx, Theme), "name", values)
    if same is not None:
        return same
    last = ctx.session.execute(select(func.max(Theme.position))).scalar() or 0
    base = slugify(name, 28, "tema")
    taken = set(ctx.session.execute(select(Theme.code).where(Theme.code.startswith(base))).scalars())
    code = next(c for c in (base, *(f"{base}-{n}" for n in range(2, 1000))) if c not in taken)
    theme = Theme(code=code, name=name, names={}, position=last + 1)
    ctx.session.add(theme)
    return theme


def save_place(ctx: Context, command: PlaceWords) -> Place:
    """Make or change a place. Raises `Invalid`, and `Conflict("changed_meanwhile")`."""
    grant = ctx.require(Permission.PROGRAMME_EDIT)
    name = _name(command.name)
    for side, value in (("x", command.x), ("y", command.y)):
        if not 0 <= value <= 1000:
            raise Invalid(side, "off_the_plan")
    held = _held(ctx, Place, command.place_id, name)
    with seen.changing(held, command.seen):
        place = held or _new_place(ctx, command, name)
        place.name = name
        place.names = _names(place.names, command.names)
        place.x, place.y = command.x, command.y
        place.retired = command.retired
    ctx.session.flush()
    audit.record(ctx, "place.save", place, grant, code=place.code)
    return place


def _new_place(ctx: Context, command: PlaceWords, name: str) -> Place:
    codes.hold(ctx, "L")
    values = {
        "name": name, "names": _names({}, command.names),
        "x": command.x, "y": command.y, "retired": command.retired,
    }  # fmt: skip
    same = seen.made_already(_in_use(ctx, Place), "name", values)
    if same is not None:
        return same
    place = Place(code=_free_place_code(ctx), names={})
    ctx.session.add(place)
    return place


def _free_place_code(ctx: Context) -> str:
    taken = set(ctx.session.execute(select(Place.code)).scalars())
    while (code := codes.next_code(ctx, "L")) in taken:
        pass
    return code


def _name(name: str) -> str:
    cleaned = clean_line(name, NAME_LIMIT + 1)
    if not any(c.isalnum() for c in cleaned):
        raise Invalid("name", "required")
    if len(cleaned) > NAME_LIMIT:
        raise Invalid("name", "too_long")
    return cleaned


def _names(before: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """What stands in a language that the page did not ask for stays; an empty name goes."""
    words = {**before, **{code: clean_line(word, NAME_LIMIT) for code, word in given.items()}}
    return {code: word for code, word in words.items() if word}
