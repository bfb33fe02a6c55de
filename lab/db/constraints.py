"""Constraint names become error codes: the database has the last word, services say what it means."""

from __future__ import annotations

import re

from sqlalchemy.exc import IntegrityError

_SQLITE = re.compile(r"UNIQUE constraint failed: ([a-z_]+)\.([a-z_., ]+)")


def violated(error: IntegrityError) -> str:
    """The name of the violated constraint, as `uq_table_column` on both engines; "" when unknown."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        return str(diagnosis.constraint_name or "")
    found = _SQLITE.search(str(error.orig))
    if not found:
        return ""
    table = found.group(1)
    columns = [part.split(".")[-1] for part in found.group(2).split(", ")]
    return "_".join(["uq", table, *columns])


def is_violation(error: IntegrityError, name: str) -> bool:
    """Whether this error is the violation of the named unique constraint or unique index."""
    found = violated(error)
    return found == name or found.replace("ix_", "uq_", 1) == name.replace("ix_", "uq_", 1)
