"""Requests as the application reads them: no NUL in any field, since PostgreSQL keeps none in text."""

from __future__ import annotations

from flask import Flask, Request
from werkzeug.datastructures import ImmutableMultiDict


class Incoming(Request):
    """A request whose form holds no NUL: words, keys, codes and what is held for later alike."""

    def _load_form_data(self) -> None:
        super()._load_form_data()
        form: ImmutableMultiDict[str, str] = self.form
        if any("\0" in name or "\0" in value for name, value in form.items(multi=True)):
            pairs = form.items(multi=True)
            clean = [(name.replace("\0", ""), value.replace("\0", "")) for name, value in pairs]
            self.__dict__["form"] = ImmutableMultiDict(clean)


def init_app(app: Flask) -> None:
    """Read requests this way."""
    app.request_class = Incoming
