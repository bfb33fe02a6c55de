"""Requests as the application reads them: no NUL in any field, since PostgreSQL keeps none in text; the words
of a form are read whole also where its pictures find no room; no form is larger than a page can show again.
"""

from __future__ import annotations

import errno
import os
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from flask import Flask, Request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

#: Bytes of a file that stay in memory; a larger one is laid on the disk until it is looked at.
_IN_MEMORY = 500_000
#: Fields of a form without files; the longest of ours, a sheet of paper with forty lines, has about 300.
_FIELDS = 2_000
_WITHOUT_FILES = "application/x-www-form-urlencoded"


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


class _Bounded(FormDataParser):
    """Forms without files are held to `MAX_FORM_MEMORY_SIZE` too, which Werkzeug asks of the others only.

    Two bytes make a field, and a page that shows a form again makes fifty of each.
    """

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> Any:
        """The fields of a form. Raises `RequestEntityTooLarge`."""
        if mimetype == _WITHOUT_FILES and self.max_form_memory_size is not None:
            stream = BytesIO(_read(stream, self.max_form_memory_size))
        return super().parse(stream, mimetype, content_length, options)


def _read(stream: IO[bytes], most: int) -> bytes:
    body = bytearray()
    # A stream may give less than is asked for before it ends.
    while len(body) <= most and (piece := stream.read(most + 1 - len(body))):
        body += piece
    if len(body) > most or body.count(b"&") >= _FIELDS:
        raise RequestEntityTooLarge
    return bytes(body)


class Incoming(Request):
    """A request whose form holds no NUL: words, keys, codes and what is held for later alike.

    Where a file found no room, the first look at the form raises `OSError` (no space left); whoever then
    says so finds the fields.
    """

    form_data_parser_class = _Bounded

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
