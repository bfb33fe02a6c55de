"""What people have said: the list, one proposal whole, its wordings, and its author's tools."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from lab.kernel.errors import NotFound
from lab.kernel.text import excerpt
from lab.models.contributions import Kind, State
from lab.services import listing, proposal_pages, trace
from lab.services import search as search_service
from lab.services.listing import Choice, Order, Wish
from lab.services.search import Subject
from lab.services.supports import Standing
from lab.web import filo, listed
from lab.web.access import cached
from lab.web.app_state import context
from lab.web.fragments import fragment, same_for_readers
from lab.web.i18n import language
from lab.web.item_parts import item_actions, item_thread
from lab.web.labels import label
from lab.web.pagination import decode_key, edges, encode_key
from lab.web.searched import asked_words, look_for_what_was_meant, put_right

blueprint = Blueprint("proposals", __name__)

#: The words of the address for each code; whatever else stands there is ignored.
STATES = {
    "ricevute": State.RECEIVED,
    "in-esame": State.IN_REVIEW,
    "insieme": State.CO_DESIGN,
    "con-risposta": State.ANSWERED,
    "in-azione": State.TAKEN_UP,
    "fatte": State.DONE,
    "non-accolte": State.DECLINED,
    "unite": State.MERGED,
    "ritirate": State.WITHDRAWN,
}
KINDS = {
    "idee": Kind.PROPOSAL,
    "segnalazioni": Kind.REPORT,
    "incontri": Kind.REMARK,
    "domande": Kind.QUESTION,
}
ORDERS = {"recenti": Order.RECENT, "sostenute": Order.SUPPORTED, "discusse": Order.DISCUSSED}
_FILTERS = (("tema", "theme"), ("luogo", "place"), ("ufficio", "office"), ("progetto", "project"))


@dataclass(frozen=True)
class Asked:
    """The reader's wish as it stands in the address: only known values, in one spelling."""

    wish: Wish
    args: tuple[tuple[str, str], ...]
    after: tuple[Any, ...] | None = None
    before: tuple[Any, ...] | None = None
    too_short: bool = False

    def url(self, **changes: str | None) -> str:
        """The list's address with some values changed; None takes one out, and with it the page."""
        values = {**dict(self.args), **changes}
        kept: dict[str, Any] = {key: value for key, value in values.items() if value}
        return url_for("proposals.index", **kept)


def _asked(choices: list[Choice]) -> Asked:
    args: dict[str, str] = {}
    words = asked_words()
    searchable = search_service.is_searchable(words)
    if words:
        args["q"] = words
    ids: dict[str, Any] = {}
    for name, what in _FILTERS:
        code = request.args.get(name)
        found = next((one for one in choices if one.what == what and one.code == code), None)
        if found:
            args[name], ids[f"{what}_id"] = found.code, found.id
    codes: dict[str, Any] = {}
    for name, known, target in (
        ("stato", STATES, "state"),
        ("tipo", KINDS, "kind"),
        ("ordine", ORDERS, "order"),
    ):
        wanted = request.args.get(name, "")
        if wanted in known:
            args[name], codes[target] = wanted, known[wanted]
    if searchable or codes.get("order") is Order.RECENT:
        args.pop("ordine", None)
        codes.pop("order", None)
    on_plan = request.args.get("vista") == "pianta"
    if on_plan:
        args["vista"] = "pianta"
    wish = Wish(words=words if searchable else "", on_plan=on_plan, **ids, **codes)
    return _paged(Asked(wish, tuple(args.items()), too_short=bool(words) and not searchable))


def _paged(asked: Asked) -> Asked:
    parts = 1 if asked.wish.words else 2
    after = decode_key(request.args.get("dopo"), parts)
    before = None if after else decode_key(request.args.get("prima"), parts)
    return replace(asked, after=tuple(after) if after else None, before=tuple(before) if before else None)


@blueprint.get("/proposte")
@same_for_readers
@cached
def index() -> str:
    """The list, or its plan; what it shows depends on the address only, never on the reader."""
    # Two levels: the address as typed is the key, so that one drawing serves every reader of it.
    key = (request.query_string.decode("ascii", "replace"),)
    drawn, title = fragment("proposals", key, _draw)
    return render_template(
        "pages/proposals/index.html", drawn=drawn, heading=title, breadcrumb=[(_("Proposte"), None)]
    )


def _draw() -> tuple[Markup, str]:
    ctx = context()
    choices = listing.choices(ctx)
    asked = _asked(choices)
    backwards = asked.before is not None
    found = listing.page(
        ctx,
        asked.wish,
        asked.before or asked.after,
        backwards=backwards,
        limit=listing.PINS if asked.wish.on_plan else listing.PAGE,
    )
    if asked.wish.words and not found.items:
        look_for_what_was_meant(asked.wish.words, Subject.CONTRIBUTION, asked.url)
    first, last = edges(found.items, found.more, after=asked.after, before=asked.before)
    body = render_template(
        "pages/proposals/_list.html",
        asked=asked,
        put_right=put_right(asked.url),
        cards=[listed.card(one) for one in found.items] if not asked.wish.on_plan else [],
        spots=listed.spots(found.items) if asked.wish.on_plan else [],
        selects=_selects(choices, asked),
        chips=_chips(choices, asked),
        next_url=asked.url(dopo=encode_key(*last.key)) if last else None,
        prev_url=asked.url(prima=encode_key(*first.key)) if first else None,
        start_url=asked.url() if asked.after or backwards else None,
    )
    return Markup(body), _heading(asked)  # noqa: S704  # drawn by our own template


def _heading(asked: Asked) -> str:
    if asked.wish.state is State.MERGED:
        return str(_("Proposte unite ad altre"))
    if asked.wish.state is State.WITHDRAWN:
        return str(_("Proposte ritirate"))
    return str(_("Che cosa dice il quartiere"))


def _selects(choices: list[Choice], asked: Asked) -> dict[str, list[tuple[str, str]]]:
    locale = language()
    chosen = dict(asked.args)
    none = {"tema": _("Tutti"), "luogo": _("Tutti"), "ufficio": _("Tutti"), "progetto": _("Tutti")}
    selects = {
        name: [("", none[name])]
        + [
            (one.code, one.word(locale))
            for one in choices
            if one.what == what and (not one.retired or chosen.get(name) == one.code)
        ]
        for name, what in _FILTERS
    }
    selects["stato"] = [("", _("Tutti")), *((word, str(label(code))) for word, code in STATES.items())]
    selects["tipo"] = [("", _("Tutto")), ("idee", _("Idee")), ("segnalazioni", _("Segnalazioni"))]
    selects["ordine"] = [
        ("", _("Prima le più recenti")),
        ("sostenute", _("Prima le più sostenute")),
        ("discusse", _("Prima le più discusse")),
    ]
    return selects


def _chips(choices: list[Choice], asked: Asked) -> list[tuple[str, str]]:
    words = _selects(choices, asked)
    chips = []
    for name, value in asked.args:
        if name == "q":
            chips.append((f"«{value}»", asked.url(q=None)))
        elif name in words:
            chips.append((dict(words[name])[value], asked.url(**{name: None})))
    return chips


def _code(written: str) -> str:
    """A public code as far as it can be one. Raises `NotFound`."""
    if len(written) > 24 or "\x00" in written:
        raise NotFound("contribution")
    return written


@blueprint.get("/proposte/<code>")
@cached
def show(code: str) -> str:
    """One proposal: the words first, then what became of them, then the discussion."""
    ctx = context()
    item = proposal_pages.item(ctx, _code(code))
    one = item.contribution
    walk = trace.of_contribution(ctx, one.id)
    stops, here = filo.stops(one.state, filo.dates_of(walk.steps))
    return render_template(
        "pages/proposals/show.html",
        item=item,
        c=one,
        title=one.title or excerpt(one.text, 80),
        theme=listed.named(one.theme.name, one.theme.names) if one.theme else None,
        place=listed.named(one.place.name, one.place.names) if one.place else None,
        late=one.is_open and one.promise_due_at < ctx.now,
        stops=stops,
        here=here,
        trace=walk,
        answers=item.answers,
        actions=item_actions(one, Standing(item.supports, item.follows), co_author=item.is_co_author),
        thread=item_thread(one),
        mine=ctx.actor.is_signed_in and one.person_id == ctx.actor.person_id,
        breadcrumb=[(_("Proposte"), url_for("proposals.index")), (one.code, None)],
    )
