"""What the team wrote down for somebody else, put right or taken back at the desk."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from lab.policy.permissions import Permission
from lab.services import intake
from lab.services.context import Context
from lab.web.access import allow
from lab.web.desk_page import Shown, perform
from lab.web.forms import desk as forms
from lab.web.views.desk import blueprint


@blueprint.post("/<code>/correggi")
@allow(Permission.CONTRIBUTION_TYPE)
def retype(code: str) -> Shown:
    """Put right what was written down for somebody else."""
    form = forms.RetypeForm()

    def run(ctx: Context, one: int) -> Any:
        title, name = form.title.data or "", form.author_name.data or ""
        return intake.retype(ctx, intake.Retype(one, form.version.data, form.text.data or "", title, name))

    return perform(code, form, run, _("Corretta. Le parole di prima restano leggibili."))


@blueprint.post("/<code>/ritira")
@allow(Permission.CONTRIBUTION_TYPE)
def withdraw(code: str) -> Shown:
    """Take it back for whoever said it."""
    form = forms.WithdrawForForm()
    return perform(
        code,
        form,
        lambda ctx, one: intake.withdraw(ctx, one, form.version.data, form.reason.data or ""),
        _("Ritirata. Resta leggibile, con il motivo."),
    )
