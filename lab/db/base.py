"""Declarative base: one metadata, predictable constraint names, typed columns."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Date, Integer, MetaData, String
from sqlalchemy.orm import DeclarativeBase

from lab.db.types import UtcDateTime

#: Names are part of the contract: `lab.db.constraints` turns them into error codes.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

#: 64-bit on PostgreSQL; plain INTEGER on SQLite, where only that spelling is the rowid.
Id = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Root of every table.

    A model that readers without an account can see the effects of sets `__public__ = True`:
    a committed change of it moves the content version on, and with it every page cache.
    """

    __public__: ClassVar[bool] = False
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: Id,
        str: String,
        datetime: UtcDateTime,
        date: Date,
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }
