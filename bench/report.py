"""The one table: each figure beside what was aimed at."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

HEADS = ("Engine", "Proposals", "What", "Measured", "Ratio", "Aimed at", "")


@dataclass(frozen=True)
class Line:
    """One figure. `ratio` is what the target speaks of; `target` is empty where nothing is promised."""

    engine: str
    size: int
    what: str
    measured: str
    ratio: float | None = None
    target: str = ""
    ok: bool | None = None

    def cells(self) -> list[str]:
        """As the table shows it."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        verdict = "" if self.ok is None else "ok" if self.ok else "miss"
        size = f"{self.size:,}" if self.size else ""
        return [self.engine, size, self.what, self.measured, ratio, self.target, verdict]


def at_least(value: float, target: float) -> tuple[str, bool]:
    """A target that is a floor."""
    return f"{target:g} or more", value >= target


def at_most(value: float, target: float, unit: str = "") -> tuple[str, bool]:
    """A target that is a ceiling."""
    return f"{target:g}{unit} or less", value <= target


def line(
    engine: str, size: int, what: str, measured: str, ratio: float | None = None, *,
    floor: float | None = None, ceiling: float | None = None,
) -> Line:  # fmt: skip
    """A line whose ratio is compared with a floor, a ceiling or nothing."""
    if ratio is None or (floor is None and ceiling is None):
        return Line(engine, size, what, measured, ratio)
    target, ok = at_least(ratio, floor) if floor is not None else at_most(ratio, ceiling or 0.0)
    return Line(engine, size, what, measured, ratio, target, ok)


def as_text(lines: list[Line]) -> str:
    """Columns for a terminal."""
    return _table(lines, lambda cells, widths: "  ".join(_pad(cells, widths)).rstrip(), "  ", "-")


def as_markdown(lines: list[Line]) -> str:
    """The same for a page of documentation."""
    return _table(lines, lambda cells, widths: f"| {' | '.join(_pad(cells, widths))} |", "|", "-")


def _pad(cells: list[str], widths: list[int]) -> list[str]:
    return [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]


def _table(
    lines: list[Line], row: Callable[[list[str], list[int]], str], joint: str, rule: str
) -> str:  # fmt: skip
    rows = [one.cells() for one in lines]
    widths = [max(len(head), *(len(cells[n]) for cells in rows)) for n, head in enumerate(HEADS)]
    heading = row(list(HEADS), widths)
    ruler = (
        "|" + "|".join(rule * (width + 2) for width in widths) + "|"
        if joint == "|"
        else joint.join(rule * width for width in widths)
    )
    return "\n".join([heading, ruler, *(row(cells, widths) for cells in rows)])


def as_json(lines: list[Line], about: dict[str, str]) -> str:
    """For machines."""
    return json.dumps({"about": about, "lines": [asdict(one) for one in lines]}, ensure_ascii=False, indent=2)
