"""One module a feature: load and authorise, bind the form, one service in one transaction, redirect."""

from flask import Blueprint

from lab.web.views import (
    accounts,
    actions,
    comments,
    csp,
    drafts,
    events,
    feeds,
    flags,
    health,
    home,
    intake,
    letters,
    me,
    media,
    notifications,
    outcomes,
    own_proposal,
    pages,
    plan,
    programme,
    projects,
    proposals,
    receipts,
    say,
    search,
    supports,
)

#: These add their routes to the blueprint of proposals.
_PARTS = (say, own_proposal)

#: Every blueprint of the site, registered by the composition root.
BLUEPRINTS: tuple[Blueprint, ...] = (
    health.blueprint,
    home.blueprint,
    accounts.blueprint,
    me.blueprint,
    pages.blueprint,
    csp.blueprint,
    events.blueprint,
    plan.blueprint,
    programme.blueprint,
    projects.blueprint,
    actions.blueprint,
    outcomes.blueprint,
    proposals.blueprint,
    drafts.blueprint,
    media.blueprint,
    search.blueprint,
    supports.blueprint,
    comments.blueprint,
    flags.blueprint,
    receipts.blueprint,
    intake.blueprint,
    feeds.blueprint,
    letters.blueprint,
    notifications.blueprint,
)
