"""QR codes as drawings inside the page."""

from __future__ import annotations

import io

import segno
from markupsafe import Markup


def qr_svg(text: str, css: str = "paper-qr") -> Markup:
    """A QR code that opens `text` (an address of ours), as SVG without size: the class gives it."""
    drawing = io.BytesIO()
    segno.make(text, micro=False, error="m").save(
        drawing, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=3, svgclass=css, light="#fff"
    )
    markup = drawing.getvalue().decode().replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
    return Markup(markup)  # noqa: S704  # made by the library from modules, not from the text
