"""Several lists of a page read with one statement: rows of one shape, each naming the list it is of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Date, Select, cast, literal, null, select
from sqlalchemy.types import TypeEngine

from lab.db.types import UtcDateTime

#: SQLite keeps these as text that a cast would cut to a number.
_AS_THEY_ARE = (UtcDateTime, Date)


class Shape:
    """The columns in which every part fits, each empty where a part has no use for it.

    The parts are put together by `union_all`. Both engines then see the same types in each of them.
    """

    def __init__(self, **columns: TypeEngine[Any]) -> None:
        self._columns = columns

    def part(self, name: str, /, **given: Any) -> Select[Any]:
        """The rows of one list; `part` is its name, the given columns are filled."""
        return select(literal(name).label("part"), *(self._column(one, given) for one in self._columns))

    def _column(self, name: str, given: dict[str, Any]) -> Any:
        kind = self._columns[name]
        if name in given and isinstance(kind, _AS_THEY_ARE):
            return given[name].label(name)
        return cast(given.get(name, null()), kind).label(name)
