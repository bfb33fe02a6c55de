"""What every template may name without being handed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from babel.dates import get_day_names
from flask import Flask, g, request
from flask_babel import gettext as _
from markupsafe import Markup

from lab.kernel.locales import SUPPORTED, direction, native_name
from lab.policy import rules
from lab.policy.permissions import Permission
from lab.services import site as site_service
from lab.web import nav
from lab.web.app_state import context, lab
from lab.web.desk_words import verb_words
from lab.web.i18n import language
from lab.web.labels import capacity_words, error_words, label, state_icon, state_tone
from lab.web.pagination import page_url
from lab.web.reader import reader


@dataclass(frozen=True)
class LocaleLink:
    """A language one can switch to, and this page's address in it."""

    code: str
    name: str
    url: str
    dir: str


@dataclass(frozen=True)
class FooterLink:
    """A link the staff added to the footer."""

    label: str
    url: str


class SiteView:
    """The site's profile as templates read it, with the opening hours in words."""

    def __init__(self, profile: site_service.Profile, rules_: site_service.Rules) -> None:
        self._profile = profile
        self.rules = rules_
        self.promise_days = rules_.promise_days
        self.footer_links = [FooterLink(words, url) for words, url in profile.footer_links]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._profile, name)

    @property
    def opening_hours(self) -> list[str]:
        """One sentence a day: "martedì, 15:00-18:00"."""
        names = get_day_names(locale=language())
        return [
            _("%(day)s, dalle %(opens)s alle %(closes)s", day=names[t.day], opens=t.opens, closes=t.closes)
            for t in self._profile.opening_times
        ]


def site_view() -> SiteView:
    """The site's profile, read once a request."""
    if "site_view" not in g:
        ctx = context()
        g.site_view = SiteView(site_service.profile(ctx), site_service.rules(ctx))
    view: SiteView = g.site_view
    return view


def locale_links() -> list[LocaleLink]:
    """This page in the other languages."""
    return [
        LocaleLink(code, native_name(code), _in_language(code), SUPPORTED[code].direction)
        for code in lab().settings.locales
    ]


def _in_language(code: str) -> str:
    if request.endpoint is None:
        return f"/?lang={code}"
    return page_url(lang=code)


def may(permission: str, subject: Any = None) -> bool:
    """Template courtesy: whether to show a button. The service decides for itself."""
    ctx = context()
    wanted = Permission(permission)
    if subject is None:
        return rules.decide_route(ctx.actor, wanted, ctx.now).allowed
    return rules.decide(ctx.actor, wanted, subject, ctx.now).allowed


def canonical_url() -> str:
    """This page's one address, without language and page marks."""
    return lab().settings.base_url + request.path


def _per_request() -> dict[str, Any]:
    code = language()
    return {
        "lang": code,
        "dir": direction(code),
        "locales": locale_links(),
        "site": site_view(),
        "reader": reader(),
        "nav": nav.public_nav(),
        "canonical_url": canonical_url(),
    }


def init_app(app: Flask) -> None:
    """Give the names to the templates."""
    # As the catalogues are collected: line breaks inside a sentence do not count.
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=lab_asset,
        state_label=label,
        state_tone=state_tone,
        state_icon=state_icon,
        label=label,
        capacity_words=capacity_words,
        error_words=error_words,
        page_url=page_url,
        desk_nav=nav.desk_nav,
        may=may,
        verb_words=verb_words,
        house_lang=house_lang,
    )
    app.context_processor(_per_request)


def house_lang() -> Markup:
    """The attribute for what the lab and the offices write, on a page in another language than theirs."""
    own = lab().settings.default_locale
    return Markup(' lang="{}"').format(own) if language() != own else Markup()


def lab_asset(name: str) -> str:
    """Hashed address of a file of the bundle."""
    return lab().assets.url(name)
