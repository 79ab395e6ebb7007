"""Instants as numbers in SQL, to the microsecond on both databases."""

from typing import Any

from sqlalchemy import ColumnElement, Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class unix_seconds(FunctionElement[float]):  # noqa: N801 - it is used as SQL functions are
    """Seconds since 1970 of an `Instant` column, as a float."""

    type = Float()
    inherit_cache = True


@compiles(unix_seconds, "postgresql")
def _on_postgresql(element: unix_seconds, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(EXTRACT(EPOCH FROM {_column(element, compiler, options)}) AS DOUBLE PRECISION)"


@compiles(unix_seconds, "sqlite")
def _on_sqlite(element: unix_seconds, compiler: SQLCompiler, **options: Any) -> str:
    # Its own functions for dates are exact to the second or the millisecond; the text has six digits behind the point.
    text = _column(element, compiler, options)
    return f"(CAST(strftime('%s', {text}) AS REAL) + CAST('0' || substr({text}, 20) AS REAL))"


def _column(element: unix_seconds, compiler: SQLCompiler, options: dict[str, Any]) -> str:
    column: ColumnElement[Any] = next(iter(element.clauses))
    return str(compiler.process(column, **options))
