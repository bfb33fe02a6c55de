"""The look-up by receipt code: what became of one input, for whoever holds the slip."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from lab.kernel.errors import NotFound
from lab.kernel.ids import format_receipt_code, parse_receipt_code
from lab.models.contributions import StepKind
from lab.services import limits, receipts
from lab.services.receipts import Happening, Receipt
from lab.web import entrance, filo
from lab.web.access import cached, public
from lab.web.app_state import context, transaction
from lab.web.qr import qr_svg
from lab.web.template_globals import canonical_url

blueprint = Blueprint("receipts", __name__)

#: Longest thing somebody can have typed for a code, shown again to be corrected.
_TYPED = 40
#: Steps of a twin that are stops of this thread too, whenever they came.
_SHARED = (StepKind.ANSWERED, StepKind.WOVEN, StepKind.ADOPTED, StepKind.UNDER_WAY, StepKind.DONE)


@dataclass(frozen=True)
class Line:
    """A happening with the words it needs."""

    kind: StepKind
    at: object
    whom: str
    text: str
    borrowed: bool


@blueprint.get("/ricevuta")
@cached
def search() -> str | tuple[str, int] | AnyResponse:
    """Type the code; however it is written, it leads to one address."""
    typed = request.args.get("codice")
    if typed is None:
        return render_template("pages/receipts/search.html", typed="", wrong="")
    code = parse_receipt_code(typed)
    if code is None:
        return _wrong(typed, "empty" if not typed.strip() else "typo"), 422
    return redirect(url_for("receipts.show", code=code), 303)


@blueprint.get("/ricevuta/<code>")
@public
def show(code: str) -> Response | tuple[str, int] | AnyResponse:
    """What became of it."""
    right = parse_receipt_code(code)
    if right is None:
        return _wrong(code, "typo"), 404
    if right != code:
        return redirect(url_for("receipts.show", code=right), 303)
    with transaction() as ctx:
        limits.spend(ctx, limits.RECEIPT_PER_ADDRESS, entrance.address())
    try:
        found = receipts.read(context(), right)
    except NotFound:
        return _wrong(right, "unknown"), 404
    answer = make_response(_page(found))
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(found: Receipt) -> str:
    dates = filo.dates_of([one for one in found.steps if not one.borrowed or one.kind in _SHARED])
    stops, here = filo.stops(found.standing, dates)
    return render_template(
        "pages/receipts/show.html",
        r=found,
        written=format_receipt_code(found.code),
        stops=stops,
        here=here,
        lines=[_line(one) for one in _told(found)],
        qr=qr_svg(canonical_url()),
        canonical_url=None,
        rate=False,
    )


def _told(found: Receipt) -> list[Happening]:
    """The steps in the list: of the twin only those after the two became one."""
    merged = max((one.at for one in found.steps if one.kind is StepKind.MERGED), default=found.said_at)
    return [one for one in found.steps if not one.borrowed or one.at >= merged]


def _line(one: Happening) -> Line:
    # Reasons are told in their own frame on the page; here they would be said twice.
    told_elsewhere = one.kind in (StepKind.ANSWERED, StepKind.HIDDEN, StepKind.WITHDRAWN)
    return Line(one.kind, one.at, one.body or one.office, "" if told_elsewhere else one.text, one.borrowed)


def _wrong(typed: str, why: str) -> str:
    return render_template("pages/receipts/search.html", typed=typed[:_TYPED], wrong=why)
