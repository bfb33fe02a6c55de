"""The pages a public site owes, the page rating, and the small files that machines ask for."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Redirect

from lab.kernel.errors import Invalid
from lab.services import limits, ratings, site
from lab.web import entrance
from lab.web.access import cached, public
from lab.web.app_state import context, lab, transaction
from lab.web.forms.base import refuse
from lab.web.forms.pages import RatingForm
from lab.web.own_paths import own_path

blueprint = Blueprint("pages", __name__)


@blueprint.get("/privacy")
@cached
def privacy() -> str:
    """What is known of people, why, and how they delete it."""
    return _page("privacy", _("Informativa privacy"))


@blueprint.get("/accessibilita")
@cached
def accessibility() -> str:
    """What was taken care of, and whom to tell when something stops somebody."""
    return _page("accessibility", _("Accessibilità"))


@blueprint.get("/note-legali")
@cached
def legal() -> str:
    """Licence of the contents and whose site it is."""
    return _page("legal", _("Note legali"))


@blueprint.get("/aiuto", endpoint="help")
@cached
def help_page() -> str:
    """How to say something and how to learn what became of it."""
    return _page("help", _("Aiuto"))


@blueprint.get("/dati")
@cached
def data() -> str:
    """Which data can be taken away today."""
    return _page("data", _("Dati aperti"))


@blueprint.get("/mappa-sito")
@cached
def site_map() -> str:
    """Every section on one page."""
    return _page("site_map", _("Mappa del sito"))


def _page(name: str, label: str) -> str:
    return render_template(f"pages/site/{name}.html", breadcrumb=[(label, None)])


@blueprint.get("/valuta")
@public
def rate() -> str:
    """The second question of the rating; the stars came with the address."""
    form = RatingForm(
        page=own_path(request.args.get("pagina"), "/"),
        stars=_stars(request.args.get("voto", "")),
    )
    return _rating(form)


@blueprint.post("/valuta")
@public
def send_rating() -> Redirect | tuple[str, int]:
    """Keep the rating."""
    form = RatingForm()
    form.ask()
    if form.validate_on_submit():
        with transaction() as ctx:
            limits.spend(ctx, limits.RATING_PER_ADDRESS, entrance.address())
        command = ratings.RatePage(
            page=own_path(form.page.data, "/"),
            stars=form.stars.data or 0,
            aspect=form.reason.data or "",
            text=form.detail.data or "",
            idempotency_key=form.idempotency_key.data,
        )
        try:
            with transaction() as ctx:
                ratings.rate(ctx, command)
        except Invalid as error:
            refuse(form, error)
        else:
            return redirect(url_for("pages.rated", pagina=command.page), 303)
    return _rating(form), 422


@blueprint.get("/valuta/grazie")
@cached
def rated() -> str:
    """Thanks, and the way back to the page."""
    return render_template(
        "pages/site/rate.html", sent=True, back_url=own_path(request.args.get("pagina"), "/")
    )


def _rating(form: RatingForm) -> str:
    form.ask()
    return render_template(
        "pages/site/rate.html",
        rating_form=form,
        sent=False,
        good=(form.stars.data or 0) >= ratings.GOOD_FROM,
        exit_url=own_path(form.page.data, "/"),
    )


def _stars(text: str) -> int | None:
    return int(text) if text in {"1", "2", "3", "4", "5"} else None


@blueprint.get("/robots.txt")
@cached
def robots() -> Response:
    """Everything public may be indexed; the desk and personal pages have nothing to offer."""
    closed = ("/regia", "/io", "/accedi", "/registrati", "/ricevuta/", "/valuta", "/api/v1/inputs/")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    lines.append(f"Sitemap: {lab().settings.base_url}{url_for('pages.sitemap')}")
    return _text("\n".join(lines) + "\n")


@blueprint.get("/sitemap.xml")
@cached
def sitemap() -> Response:
    """The sections of the site for search engines; lists lead on to every item."""
    endpoints = (
        "home.index", "proposals.index", "actions.index", "projects.index", "events.index",
        "events.calendar", "outcomes.index", "programme.index", "programme.bodies", "plan.index",
        "pages.help", "pages.data", "pages.privacy", "pages.accessibility", "pages.legal",
    )  # fmt: skip
    urls = [lab().settings.base_url + url_for(endpoint) for endpoint in endpoints]
    return Response(render_template("feeds/sitemap.xml", urls=urls), content_type="application/xml")


@blueprint.get("/.well-known/security.txt")
@cached
def security() -> Response:
    """Whom to tell about a hole (RFC 9116); true for half a year from the day it is read."""
    ctx = context()
    email = site.profile(ctx).email
    base = lab().settings.base_url
    until = (ctx.now + timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z")
    lines = [
        f"Contact: {f'mailto:{email}' if email else base + url_for('pages.help')}",
        f"Expires: {until}",
        f"Preferred-Languages: {', '.join(lab().settings.locales)}",
        f"Canonical: {base}{request.path}",
    ]
    return _text("\n".join(lines) + "\n")


@blueprint.get("/favicon.ico")
@public
def favicon() -> Redirect:
    """Browsers ask here by themselves."""
    return redirect(lab().assets.url("images/favicon.svg"), 302)


def _text(words: str) -> Response:
    return Response(words, content_type="text/plain; charset=utf-8")
