"""Requests as the application reads them: no NUL in any field, since PostgreSQL keeps none in text; and the
words of a form are read whole also where its pictures find no room.
"""

from __future__ import annotations

import errno
import os
from tempfile import SpooledTemporaryFile
from typing import Any

from flask import Flask, Request
from werkzeug.datastructures import ImmutableMultiDict

#: Bytes of a file that stay in memory; a larger one is laid on the disk until it is looked at.
_IN_MEMORY = 500_000


class _Laid(SpooledTemporaryFile[bytes]):
    """A file on its way in. What the disk does not take is left out: the fields beside it are read on."""

    is_whole = True

    def write(self, data: Any) -> int:
        if self.is_whole:
            try:
                return super().write(data)
            except OSError:
                self.is_whole = False
        return len(data)


class Incoming(Request):
    """A request whose form holds no NUL: words, keys, codes and what is held for later alike.

    Where a file found no room, the first look at the form raises `OSError` (no space left); whoever then
    says so finds the fields.
    """

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> Any:
        laid = _Laid(max_size=_IN_MEMORY)
        self.__dict__.setdefault("laid", []).append(laid)
        return laid

    def _load_form_data(self) -> None:
        if "form" in self.__dict__:
            return
        self._read_form()
        if not all(file.is_whole for file in self.__dict__.get("laid", ())):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _read_form(self) -> None:
        super()._load_form_data()
        form: ImmutableMultiDict[str, str] = self.form
        if any("\0" in name or "\0" in value for name, value in form.items(multi=True)):
            pairs = form.items(multi=True)
            clean = [(name.replace("\0", ""), value.replace("\0", "")) for name, value in pairs]
            self.__dict__["form"] = ImmutableMultiDict(clean)


def init_app(app: Flask) -> None:
    """Read requests this way."""
    app.request_class = Incoming
