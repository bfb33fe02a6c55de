"""How the site works: rules, what it says about itself, themes and places, post and work, the log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from babel.dates import get_day_names
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from jinja2 import TemplateNotFound, UndefinedError

from lab.kernel.errors import Conflict, Invalid
from lab.kernel.text import clean_line
from lab.mail import post
from lab.models.accounts import Role
from lab.models.operations import OutboxItem
from lab.models.programme import Place, Theme
from lab.policy import rules as policy
from lab.policy.permissions import Permission
from lab.services import audit_log, directory, outbox, places, seen, site
from lab.web.access import allow
from lab.web.act_words import act_words, work_words
from lab.web.app_state import context, lab, transaction
from lab.web.forms.base import LabForm, SeenForm, refuse
from lab.web.forms.house import LINKS, Named, PlaceForm, ProfileForm, RulesForm, ThemeForm, in_languages
from lab.web.i18n import language
from lab.web.nav import NavItem
from lab.web.numbers import whole
from lab.web.pagination import decode_key, encode_key, page_url

blueprint = Blueprint("house", __name__, url_prefix="/regia/sito")
_PLAIN = (
    "name", "neighbourhood", "town", "owner", "owner_url", "tagline", "address", "phone", "email",
    "accessibility_url", "report_inefficiency_url",
)  # fmt: skip


def draw(template: str, **values: Any) -> str:
    """A page about the site, with the tabs this person may open."""
    ctx = context()
    rows = [
        (_("Regole e orari"), "house.settings", Permission.SETTINGS_EDIT),
        (_("Temi e luoghi"), "house.themes", Permission.PROGRAMME_EDIT),
        (_("Posta e lavori"), "house.outbox", Permission.OUTBOX_SEE),
        (_("Registro"), "house.audit", Permission.AUDIT_SEE),
    ]
    tabs = [
        NavItem(words, url_for(name), request.endpoint == name)
        for words, name, right in rows
        if policy.decide_route(ctx.actor, right, ctx.now).allowed
    ]
    return render_template(f"pages/house/{template}.html", tabs=tabs, **values)


# --- rules and profile


@blueprint.get("", strict_slashes=False)
@allow(Permission.SETTINGS_EDIT)
def settings() -> ResponseReturnValue:
    """Rules, and what the site says about itself."""
    return _draw_settings()


def _draw_settings(rules_form: RulesForm | None = None, profile_form: ProfileForm | None = None) -> str:
    ctx = context()
    versions = site.versions(ctx)
    if rules_form is None:
        rules_form = RulesForm(formdata=None, obj=site.rules(ctx))
        rules_form.version.data = str(versions.get(site.RULES_KEY, 0))
    if profile_form is None:
        profile_form = _profile_form()
        profile_form.version.data = str(versions.get(site.PROFILE_KEY, 0))
    names = get_day_names(locale=language())
    for day, hours in enumerate(profile_form.hours):
        hours.label.text = names[day]
    return draw(
        "settings",
        rules_form=rules_form,
        profile_form=profile_form,
        days=[names[day] for day in range(7)],
        may_secure=policy.decide_route(ctx.actor, Permission.ROLE_GRANT, ctx.now).allowed,
    )


def _profile_form() -> ProfileForm:
    profile = site.profile(context())
    hours = [""] * 7
    for line in profile.opening_times:
        hours[line.day] = ", ".join(filter(None, [hours[line.day], f"{line.opens}-{line.closes}"]))
    links = [{"words": words, "url": url} for words, url in profile.footer_links[:LINKS]]
    links += [{"words": "", "url": ""}] * (LINKS - len(links))
    plain = {name: getattr(profile, name) for name in _PLAIN}
    return ProfileForm(formdata=None, data={**plain, "hours": hours, "links": links})


@blueprint.post("/regole")
@allow(Permission.SETTINGS_EDIT)
def save_rules() -> ResponseReturnValue:
    """Keep the rules."""
    form = RulesForm()
    if not form.validate_on_submit():
        return _draw_settings(rules_form=form), 422
    now = site.rules(context())
    secure = policy.decide_route(context().actor, Permission.ROLE_GRANT, context().now).allowed
    wanted = site.Rules(
        promise_days=form.promise_days.data or now.promise_days,
        edit_minutes=form.edit_minutes.data if form.edit_minutes.data is not None else now.edit_minutes,
        publish_unread=bool(form.publish_unread.data),
        flags_to_hide=form.flags_to_hide.data or now.flags_to_hide,
        staff_second_factor=bool(form.staff_second_factor.data) if secure else now.staff_second_factor,
    )
    return _store(wanted, form.version.data, rules_form=form)


@blueprint.post("/profilo")
@allow(Permission.SETTINGS_EDIT)
def save_profile() -> ResponseReturnValue:
    """Keep what the site says about itself."""
    form = ProfileForm()
    if not form.validate_on_submit():
        return _draw_settings(profile_form=form), 422
    plain = {name: clean_line(getattr(form, name).data or "", 300) for name in _PLAIN}
    wanted = replace(
        site.profile(context()), **plain, opening_times=form.opening_times(), footer_links=form.footer_links()
    )
    return _store(wanted, form.version.data, profile_form=form)


def _store(wanted: site.Rules | site.Profile, version: str | None, **forms: Any) -> ResponseReturnValue:
    try:
        with transaction() as ctx:
            site.change(ctx, wanted, whole(version) or 0)
    except Conflict as error:
        form = next(iter(forms.values()))
        status = refuse(form, error)
        # The next try is made knowing of the change.
        key = site.RULES_KEY if isinstance(wanted, site.Rules) else site.PROFILE_KEY
        form.version.data = str(site.versions(context()).get(key, 0))
        return _draw_settings(**forms), status
    flash(_("Salvato. Si vede da subito."), "success")
    return redirect(url_for("house.settings"), 303)


# --- themes and places


@blueprint.get("/temi")
@allow(Permission.PROGRAMME_EDIT)
def themes() -> ResponseReturnValue:
    """All themes and places."""
    ctx = context()
    names = dict(directory.offices(ctx))
    return draw("themes", themes=places.themes(ctx), places=places.places(ctx), offices=names)


@blueprint.get("/temi/nuovo", defaults={"theme_id": None})
@blueprint.get("/temi/<int:theme_id>")
@allow(Permission.PROGRAMME_EDIT)
def theme(theme_id: int | None) -> ResponseReturnValue:
    """One theme."""
    form = _named(ThemeForm)(formdata=None)
    if theme_id is not None:
        found = places.theme(context(), theme_id)
        form = _named(ThemeForm)(formdata=None, obj=found, **_beside(found))
        form.office_id.data = str(found.office_id or "")
    return draw("theme", form=form.offer(directory.offices(context())), is_new=theme_id is None)


@blueprint.post("/temi/nuovo", defaults={"theme_id": None})
@blueprint.post("/temi/<int:theme_id>")
@allow(Permission.PROGRAMME_EDIT)
def save_theme(theme_id: int | None) -> ResponseReturnValue:
    """Keep it."""
    form = _named(ThemeForm)().offer(directory.offices(context()))
    status = 422
    if form.validate_on_submit():
        office_id = int(form.office_id.data) if form.office_id.data else None
        words = (form.name.data or "", form.names(), office_id, bool(form.retired.data))
        try:
            with transaction() as ctx:
                places.save_theme(ctx, places.ThemeWords(theme_id, *words, form.seen.data or ""))
        except (Invalid, Conflict) as error:
            status = refuse(form, error)
            _told(form, places.theme(context(), theme_id) if theme_id else None, status)
        else:
            flash(_("Salvato. Si vede da subito."), "success")
            return redirect(url_for("house.themes"), 303)
    return draw("theme", form=form, is_new=theme_id is None), status


@blueprint.get("/luoghi/nuovo", defaults={"place_id": None})
@blueprint.get("/luoghi/<int:place_id>")
@allow(Permission.PROGRAMME_EDIT)
def place(place_id: int | None) -> ResponseReturnValue:
    """One place."""
    form = _named(PlaceForm)(formdata=None)
    if place_id is not None:
        found = places.place(context(), place_id)
        form = _named(PlaceForm)(formdata=None, obj=found, **_beside(found))
    return draw("place", form=form, is_new=place_id is None)


@blueprint.post("/luoghi/nuovo", defaults={"place_id": None})
@blueprint.post("/luoghi/<int:place_id>")
@allow(Permission.PROGRAMME_EDIT)
def save_place(place_id: int | None) -> ResponseReturnValue:
    """Keep it."""
    form = _named(PlaceForm)()
    status = 422
    if form.validate_on_submit():
        words = (form.name.data or "", form.names(), form.x.data or 0, form.y.data or 0)
        retired = bool(form.retired.data)
        try:
            with transaction() as ctx:
                places.save_place(ctx, places.PlaceWords(place_id, *words, retired, form.seen.data or ""))
        except (Invalid, Conflict) as error:
            status = refuse(form, error)
            _told(form, places.place(context(), place_id) if place_id else None, status)
        else:
            flash(_("Salvato. Si vede da subito."), "success")
            return redirect(url_for("house.themes"), 303)
    return draw("place", form=form, is_new=place_id is None), status


def _named(form: type[Named]) -> type[Named]:
    return in_languages(form, lab().settings.locales)


def _beside(row: Theme | Place) -> dict[str, str]:
    """What the form of a theme or place holds besides the row's own fields."""
    return {f"name_{code}": word for code, word in row.names.items()} | {"seen": seen.fingerprint(row)}


def _told(form: SeenForm, row: Theme | Place | None, status: int) -> None:
    """Whoever was told that it changed meanwhile may send it all the same."""
    if status == 409:
        form.seen.data = seen.fingerprint(row)


# --- post and work


@dataclass(frozen=True)
class Work:
    """One piece of work as the page shows it; mails with their words."""

    item: OutboxItem
    to: str = ""
    subject: str = ""
    text: str = ""


@blueprint.get("/posta", endpoint="outbox")
@allow(Permission.OUTBOX_SEE)
def outbox_page() -> ResponseReturnValue:
    """What waits to be done and what got stuck."""
    ctx = context()
    return draw(
        "outbox",
        work_words=work_words,
        parked=[_work(item) for item in outbox.parked(ctx)],
        waiting=[_work(item) for item in outbox.waiting(ctx)],
        smtp=lab().settings.smtp is not None,
        form=LabForm(),
    )


def _work(item: OutboxItem) -> Work:
    if item.topic != "mail":
        return Work(item)
    try:
        mail = post.write(context(), lab().settings, lab().signer, item)
    except (TemplateNotFound, UndefinedError, KeyError):
        # Mails of an older version of the site: the page must stand all the same.
        return Work(item)
    if mail is None:
        return Work(item)
    if lab().settings.smtp is not None:
        # Where mails go out nobody else reads them: some carry what opens an account.
        return Work(item, mail.to)
    return Work(item, mail.to, mail.words.subject, mail.words.text)


@blueprint.post("/posta/<int:item_id>/riprova")
@allow(Permission.OUTBOX_SEE)
def retry(item_id: int) -> ResponseReturnValue:
    """Try it again now."""
    with transaction() as ctx:
        outbox.retry(ctx, item_id)
    flash(_("Riproviamo adesso."), "success")
    return redirect(url_for("house.outbox"), 303)


# --- the log


@blueprint.get("/registro")
@allow(Permission.AUDIT_SEE)
def audit() -> ResponseReturnValue:
    """Who did what, in which function."""
    mark = decode_key(request.args.get("after"), 1)
    before = mark[0] if mark and isinstance(mark[0], int) else None
    kind, _dot, number = request.args.get("su", "").partition(".")
    subject_id, person_id = whole(number), whole(request.args.get("persona"))
    subject = (kind, subject_id) if subject_id is not None else None
    found = audit_log.read(context(), before, person_id, subject)
    shown = found[: audit_log.PAGE]
    more = len(found) > audit_log.PAGE
    return draw(
        "audit",
        lines=shown,
        narrowed=person_id is not None or subject is not None,
        act_words=act_words,
        Role=Role,
        next_url=page_url(after=encode_key(shown[-1][0].id)) if more else None,
        prev_url=page_url(after=None) if before else None,
    )
