"""The inbox as the address asks for it, and its rows as pages read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from flask import request, url_for
from flask_babel import gettext as _

from lab.kernel.clock import local_date
from lab.kernel.text import clean_line, excerpt
from lab.models.contributions import Channel, Contribution, Kind, State
from lab.services import desk
from lab.services.context import Context
from lab.services.desk import Choices, Filters
from lab.web.desk_words import EMPTY, PILES, SLUGS
from lab.web.labels import label
from lab.web.listed import named
from lab.web.nav import NavItem
from lab.web.numbers import whole
from lab.web.pagination import decode_key, encode_key

_TITLE = 90
_KINDS = {
    "idee": Kind.PROPOSAL,
    "segnalazioni": Kind.REPORT,
    "incontri": Kind.REMARK,
    "domande": Kind.QUESTION,
}
_FIELDS = ("stato", "tipo", "tema", "luogo", "ufficio", "canale", "chi", "q")
_TICKS = ("riservate", "attesa", "nascoste")
_NAMES = (*_FIELDS, *_TICKS)

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Asked:
    """What the address asks for: the filters, and the same as words of the address."""

    filters: Filters
    args: dict[str, str]

    def url(self, endpoint: str = "desk.inbox", /, **values: Any) -> str:
        """An address that keeps the filters; `code` and the like are added, None takes a filter out."""
        wanted = {**self.args, **values}
        return url_for(endpoint, **{key: value for key, value in wanted.items() if value not in (None, "")})


def asked(ctx: Context, choices: Choices) -> Asked:
    """Read the filters from the address; what is unknown is left out."""
    args = {name: request.args.get(name, "")[:200] for name in _NAMES if request.args.get(name)}
    mine = desk.piles(ctx)
    pile = next((one for one in mine if SLUGS[one] == args.get("stato")), mine[0])
    theme, place = _by_code(choices.themes, args.get("tema")), _by_code(choices.places, args.get("luogo"))
    office = _by_code(choices.offices, args.get("ufficio"))
    holder = ctx.actor.person_id if args.get("chi") == "io" else whole(args.get("chi"))
    filters = Filters(
        pile=pile,
        kind=_KINDS.get(args.get("tipo", "")),
        theme_id=theme.id if theme else None,
        place_id=place.id if place else None,
        office_id=office.id if office else None,
        channel=_code(Channel, args.get("canale")),
        holder_id=holder,
        private="riservate" in args,
        waiting="attesa" in args,
        hidden="nascoste" in args,
        query=clean_line(args.get("q", ""), 200),
    )
    return Asked(filters, args)


def _by_code(rows: Sequence[Thing], code: str | None) -> Thing | None:
    return next((one for one in rows if getattr(one, "code", None) == code), None) if code else None


def _code(codes: type[Channel], value: str | None) -> Channel | None:
    return next((one for one in codes if one.value == value), None)


@dataclass(frozen=True)
class Row:
    """One line of the inbox."""

    code: str
    version: int
    url: str
    title: str
    lang: str
    state: StrEnum
    visibility: StrEnum
    kind: Kind
    theme: str
    place: str
    office: str
    holder: str
    is_mine: bool
    due: datetime | date | None
    late: bool
    supports: int
    unread: bool
    current: bool


@dataclass(frozen=True)
class Listing:
    """The page of the inbox with its neighbours."""

    rows: list[Row]
    prev_url: str | None
    next_url: str | None

    @property
    def onward(self) -> Row | None:
        """What comes after the open one; the first of all where the open one has left the pile."""
        here = next((number for number, row in enumerate(self.rows) if row.current), -1)
        return self.rows[here + 1] if here + 1 < len(self.rows) else None


def listing(ctx: Context, wish: Asked, choices: Choices, *, current: str = "") -> Listing:
    """The rows the address asks for; `current` is the code of the open one, whose page keeps the list."""
    after, before = _mark(ctx, wish, "dopo"), _mark(ctx, wish, "prima")
    found = desk.inbox(ctx, wish.filters, after=after, before=before)
    themes = {one.id: str(named(one.name, one.names)) for one in choices.themes}
    places = {one.id: str(named(one.name, one.names)) for one in choices.places}
    page = {name: request.args[name] for name in ("dopo", "prima") if name in request.args}
    rows = [_row(ctx, wish, one, themes, places, page, current) for one in found.items]
    ends = [_written(desk.key_of(ctx, wish.filters, one)) for one in (*found.items[:1], *found.items[-1:])]
    return Listing(
        rows,
        wish.url(prima=ends[0]) if found.has_before and ends else None,
        wish.url(dopo=ends[1]) if found.has_after and ends else None,
    )


def _written(key: desk.Key) -> str:
    return encode_key(key[0].isoformat(), key[1])


def _mark(ctx: Context, wish: Asked, name: str) -> desk.Key | None:
    values = decode_key(request.args.get(name), 2)
    if values is None or not isinstance(values[0], str) or not isinstance(values[1], int):
        return None
    by_day = not desk.sees_all(ctx) and not desk.order_of(ctx, wish.filters)[1]
    try:
        value: Any = date.fromisoformat(values[0]) if by_day else datetime.fromisoformat(values[0])
    except ValueError:
        return None
    # A moment without its zone is none of ours.
    return None if not by_day and value.tzinfo is None else (value, values[1])


def _row(
    ctx: Context,
    wish: Asked,
    one: Contribution,
    themes: dict[int, str],
    places: dict[int, str],
    page: dict[str, str],
    current: str,
) -> Row:
    due = one.promise_due_at if desk.sees_all(ctx) else one.office_due_on or one.promise_due_at
    today = local_date(ctx.now, ctx.timezone)
    day = local_date(due, ctx.timezone) if isinstance(due, datetime) else due
    return Row(
        code=one.code,
        version=one.version,
        url=wish.url("desk.show", code=one.code, **page),
        title=one.title or excerpt(one.excerpt, _TITLE),
        lang=one.lang,
        state=one.state,
        visibility=one.visibility,
        kind=one.kind,
        theme=themes.get(one.theme_id or 0, ""),
        place=places.get(one.place_id or 0, ""),
        office=one.office.name if one.office else "",
        holder=one.holder.name if one.holder else "",
        is_mine=one.holder_id is not None and one.holder_id == ctx.actor.person_id,
        due=due if one.is_open else None,
        late=one.is_open and day < today,
        supports=one.supports_count,
        unread=one.state is State.RECEIVED,
        current=one.code == current,
    )


def tabs(ctx: Context, wish: Asked) -> list[NavItem]:
    """The piles with their numbers; of those counted by row, "more" beyond a thousand."""
    counts = desk.counts(ctx)
    more = {pile for pile in desk.COUNTED_ROWS if counts.get(pile, 0) > desk.COUNTED}
    return [
        NavItem(
            str(PILES[pile]),
            wish.url(stato=SLUGS[pile]),
            pile is wish.filters.pile,
            desk.COUNTED if pile in more else counts.get(pile),
            pile in more,
        )
        for pile in desk.piles(ctx)
    ]


def empty(wish: Asked) -> tuple[str, str]:
    """What an empty list says: with filters, that they are too narrow."""
    narrow = {key for key in wish.args if key != "stato"}
    if narrow:
        return _("Nessuna proposta con queste scelte"), _("Togli una scelta, o cerca con altre parole.")
    title, words = EMPTY[wish.filters.pile]
    return str(title), str(words)


Option = tuple[str, str]


def selects(ctx: Context, wish: Asked, choices: Choices) -> list[tuple[str, str, list[Option], str]]:
    """The filters as select boxes: name, word, options, what is chosen."""

    def coded(rows: Sequence[Any], none: str) -> list[Option]:
        return [("", none), *((one.code, str(named(one.name, getattr(one, "names", None)))) for one in rows)]

    holders = [("", _("Chiunque")), ("io", _("Io"))]
    holders += [(str(one.id), one.name) for one in desk.holders(ctx) if one.id != ctx.actor.person_id]
    kinds = [("", _("Tutti i tipi")), *((slug, str(label(kind))) for slug, kind in _KINDS.items())]
    channels = [("", _("Da ovunque")), *((one.value, str(label(one))) for one in Channel)]
    boxes = [
        ("tema", _("Tema"), coded(choices.themes, _("Tutti i temi"))),
        ("tipo", _("Che cos'è"), kinds),
        ("luogo", _("Luogo"), coded(choices.places, _("Tutti i luoghi"))),
        ("ufficio", _("Ufficio"), coded(choices.offices, _("Tutti gli uffici"))),
        ("canale", _("Come è arrivata"), channels),
        ("chi", _("Chi l'ha in mano"), holders),
    ]
    if not desk.sees_all(ctx):
        boxes = boxes[:3]
    return [(name, word, options, wish.args.get(name, "")) for name, word, options in boxes]
