"""Column types and constraints that mean the same on both databases."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Dialect, Integer, Numeric, String, Table, Text, types
from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

KeyText = String().with_variant(String(collation="C"), "postgresql")
"""Text that is compared and ordered by code point on both databases: natural keys, sort keys."""

Position = BigInteger().with_variant(Integer(), "sqlite")
"""A place in an append-only table: 64 bits, counted up by the database."""


class Instant(types.TypeDecorator[datetime]):
    """A UTC instant to the microsecond: `timestamptz` on PostgreSQL, ISO text (which sorts) on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """What a value is in Python: cursors of lists are read back by it."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive datetimes, which would silently be read in some other zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant needs a zone: {value.isoformat()}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - hook
        """Give an aware UTC datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Amount(types.TypeDecorator[Decimal]):
    """An exact decimal: `numeric(38,18)` on PostgreSQL, text on SQLite, whose numbers are binary floats."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        """Choose the exact type of the database at hand."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric(38, 18))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | str | None:
        """Write plain digits, never an exponent or minus zero, which sorts below zero as text."""
        if value is None or dialect.name == "postgresql":
            return value
        return "0" if value.is_zero() else format(value, "f")

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - hook
        """Give the shortest equal decimal without an exponent, whatever the column pads it to."""
        return None if value is None else _shortest(Decimal(value))


def one_of(column: str, choices: Iterable[StrEnum]) -> CheckConstraint:
    """A CHECK that a text column holds one of an enum's values."""
    listed = ", ".join(f"'{choice.value}'" for choice in choices)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def between(column: str, low: float, high: float) -> CheckConstraint:
    """A CHECK that a number lies between two bounds, both included."""
    return CheckConstraint(f"{column} >= {low} AND {column} <= {high}", name=column)


def table_of(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of an SQLModel class, for statements that select columns rather than entities."""
    table: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
    return table


def _shortest(value: Decimal) -> Decimal:
    with localcontext(prec=60):
        reduced = value.normalize()
        return reduced.quantize(Decimal(1)) if reduced == reduced.to_integral_value() else reduced
