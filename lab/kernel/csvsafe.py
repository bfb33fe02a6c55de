"""CSV that spreadsheets open well and cannot be tricked by."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime

_CHUNK = 32_768  # characters gathered before a piece is handed on
# Also the full-width forms, which some spreadsheets read as the plain ones.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
_PLAIN_NUMBER = re.compile(r"[+-]?\d{1,15}(?:[.,]\d{1,15})?", re.ASCII)


def safe_cell(value: object) -> str:
    """The text of a cell; what a spreadsheet would run as a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime | date):
        return value.isoformat()
    text = str(value).replace("\x00", "")
    dangerous = text.startswith(_FORMULA_STARTS) or text.lstrip().startswith(_FORMULA_STARTS)
    return f"'{text}" if dangerous and not _PLAIN_NUMBER.fullmatch(text) else text


def csv_lines(rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """The rows as pieces of a CSV file: UTF-8 with a byte order mark, `;` between cells, CRLF line ends.

    Rows are read as the pieces are taken, so that an export of any length stays small in memory.
    """
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        if buffer.tell() >= _CHUNK:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8", "replace")
