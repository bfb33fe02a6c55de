"""My pages: who reads them, and the tabs over all of them."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _

from lab.web.nav import NavItem
from lab.web.reader import Reader, reader


def me() -> Reader:
    """The reader of these pages, who is always signed in."""
    found = reader()
    assert found is not None
    return found


def own_tabs() -> list[NavItem]:
    """The tabs over all my pages."""
    here = request.endpoint or ""
    items = [
        (_("Le mie cose"), "me.index", ()),
        (_("Iscrizioni"), "tickets.mine", ()),
        (_("Novità"), "notifications.index", ()),
        (_("I miei dati"), "me.data", ("me.password", "me.email", "me.leave", "me.email_code")),
        (_("I miei accessi"), "me.accesses", ()),
    ]
    return [
        NavItem(
            words,
            url_for(name),
            here == name or here in more,
            me().unread if name == "notifications.index" else None,
        )
        for words, name, more in items
    ]


def draw(template: str, **values: Any) -> str:
    """A page of mine, with the tabs."""
    return render_template(f"pages/me/{template}.html", tabs=own_tabs(), rate=False, me=me(), **values)
