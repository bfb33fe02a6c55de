"""One module a feature: load and authorise, bind the form, one service in one transaction, redirect."""

from flask import Blueprint

from lab.web.views import health

#: Every blueprint of the site, registered by the composition root.
BLUEPRINTS: tuple[Blueprint, ...] = (health.blueprint,)
