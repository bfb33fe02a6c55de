"""What grew out of the words: the public list of actions, and each with its story."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _

from lab.models.actions import ActionKind, ActionState
from lab.services import action_pages, listing
from lab.services.action_pages import Order, Wish
from lab.services.action_plan import today
from lab.services.actions import is_late
from lab.services.listing import Choice
from lab.web import action_words, item_parts
from lab.web.access import cached
from lab.web.app_state import context
from lab.web.fragments import same_for_readers
from lab.web.labels import label
from lab.web.pagination import decode_key, edges, encode_key

blueprint = Blueprint("actions", __name__)

#: Words of the address for codes.
STATES = {
    "da-avviare": ActionState.TO_START,
    "in-corso": ActionState.UNDER_WAY,
    "sospese": ActionState.SUSPENDED,
    "concluse": ActionState.DONE,
}
KINDS = {
    "lavori": ActionKind.WORK,
    "servizi": ActionKind.SERVICE,
    "sociali": ActionKind.SOCIAL,
    "cura": ActionKind.CARE,
    "informazione": ActionKind.INFORMATION,
}
ORDERS = {"scadenza": Order.DUE, "voci": Order.VOICES}
_LATE = "in-ritardo"


@dataclass(frozen=True)
class Asked:
    """What the address asks for: the wish, and the same as pairs for links."""

    wish: Wish
    args: tuple[tuple[str, str], ...]

    def url(self, **changes: str | None) -> str:
        """The list's address with some values changed; None takes one out."""
        values: dict[str, Any] = {**dict(self.args), **changes}
        return url_for("actions.index", **{key: value for key, value in values.items() if value})


def _asked(choices: list[Choice]) -> Asked:
    args: dict[str, str] = {}
    values: dict[str, Any] = {}
    for name, what in (("progetto", "project"), ("ufficio", "office")):
        code = request.args.get(name)
        found = next((one for one in choices if one.what == what and one.code == code), None)
        if found:
            args[name], values[f"{what}_id"] = found.code, found.id
    codes: tuple[tuple[str, dict[str, Any], str], ...] = (
        ("stato", STATES, "state"),
        ("tipo", KINDS, "kind"),
        ("ordine", ORDERS, "order"),
    )
    for name, known, target in codes:
        wanted = request.args.get(name, "")
        if wanted in known:
            args[name], values[target] = wanted, known[wanted]
    if request.args.get("stato") == _LATE:
        args["stato"], values["late"] = _LATE, True
    return Asked(Wish(**values), tuple(args.items()))


@blueprint.get("/azioni")
@same_for_readers
@cached
def index() -> str:
    """All that is being done because somebody spoke."""
    ctx = context()
    choices = listing.choices(ctx)
    asked = _asked(choices)
    after = decode_key(request.args.get("dopo"), 2)
    before = None if after else decode_key(request.args.get("prima"), 2)
    found = action_pages.listing(ctx, asked.wish, after or before, backwards=before is not None)
    order, items = asked.wish.order, found.items
    first, last = edges(items, found.more, after=after, before=before)
    return render_template(
        "pages/actions/index.html",
        asked=asked,
        cards=[action_words.card(one, found.projects.get(one.id, [])) for one in items],
        selects=_selects(choices),
        chips=_chips(choices, asked),
        next_url=asked.url(dopo=encode_key(*action_pages.key_of(last, order))) if last else None,
        prev_url=asked.url(prima=encode_key(*action_pages.key_of(first, order))) if first else None,
        start_url=asked.url() if after or before else None,
        breadcrumb=[(_("Azioni"), None)],
    )


def _selects(choices: list[Choice]) -> dict[str, list[tuple[str, str]]]:
    def named(what: str) -> list[tuple[str, str]]:
        return [(one.code, one.name) for one in choices if one.what == what]

    return {
        "stato": [
            ("", _("Tutte")),
            *((word, str(label(code))) for word, code in STATES.items()),
            (_LATE, _("In ritardo")),
        ],
        "progetto": [("", _("Tutti")), *named("project")],
        "ufficio": [("", _("Tutti")), *named("office")],
        "tipo": [("", _("Tutte")), *((word, str(label(code))) for word, code in KINDS.items())],
        "ordine": [
            ("", _("Prima le più recenti")),
            ("scadenza", _("Prima quelle che scadono")),
            ("voci", _("Prima quelle con più voci")),
        ],
    }


def _chips(choices: list[Choice], asked: Asked) -> list[tuple[str, str]]:
    words = {name: dict(options) for name, options in _selects(choices).items()}
    return [(words[name][value], asked.url(**{name: None})) for name, value in asked.args]


@blueprint.get("/azioni/<code>")
@cached
def show(code: str) -> str:
    """One action: what for, where it stands, the words that started it, who does it, what comes next."""
    ctx = context()
    page = action_pages.page(ctx, code)
    action = page.action
    words = page.walk.of("word")
    said = min((node.at for node in words if node.at), default=None)
    return render_template(
        "pages/actions/show.html",
        page=page,
        action=action,
        words=words,
        stops=action_words.stops(action, said),
        here=action_words.stop_of(action),
        standing=action_words.standing(action),
        coming=action_words.coming(page),
        deadline=action_words.deadline(action),
        late=is_late(action, today(ctx)),
        walk=action_words.walk(page.walk),
        milestone_state=action_words.milestone_state,
        follow=_follow(action),
        breadcrumb=[(_("Azioni"), url_for("actions.index")), (action.code, None)],
    )


def _follow(action: Any) -> Any:
    return item_parts.follow_button("azioni", action.code, action.id) if action.is_public else None
