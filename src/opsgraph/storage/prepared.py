"""Statements that run many times a second: composed and compiled once, and led past the layers to the driver.

Composing a statement, looking up what was compiled of it and leading it through SQLAlchemy and its adapter takes some
hundred microseconds, of which the driver needs ten. It is the same connection in the same transaction.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect, TypeDecorator
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

_ERRORS: Mapping[str, type[DBAPIError]] = {"22": DataError, "23": IntegrityError, "42": ProgrammingError}
"""By the class of SQLSTATE."""


class Prepared:
    """A statement with named parameters, none of which changes its text.

    Its rows are read by name or place.

    Args:
        compose: makes the statement for a database, by the name of its dialect.
    """

    def __init__(self, compose: Callable[[str], Any]) -> None:
        self._compose = compose
        self._composed: dict[str, Any] = {}
        self._compiled: _Compiled | None = None

    async def run(self, connection: AsyncConnection, **values: Any) -> Sequence[Any]:
        """Run it in the transaction that the connection is in; gives its rows, if it is one that has any."""
        driver = _driver(connection)
        if driver is None:
            result = await connection.execute(self._statement(connection.dialect.name), values)
            return result.all() if result.returns_rows else ()
        if self._compiled is None:
            self._compiled = _Compiled(self._statement(connection.dialect.name), connection.dialect)
        try:
            return await self._compiled.run(driver, values)
        finally:
            if driver.is_closed():
                await connection.invalidate()

    def _statement(self, dialect: str) -> Any:
        if dialect not in self._composed:
            self._composed[dialect] = self._compose(dialect)
        return self._composed[dialect]


async def fetch(driver: Any, text: str, values: Sequence[Any]) -> Sequence[Any]:
    """Run a statement by the driver of PostgreSQL.

    Raises:
        DBAPIError: as SQLAlchemy would raise it, from the driver's own.
    """
    try:
        rows: Sequence[Any] = await driver.fetch(text, *values)
    except Exception as error:
        raise _wrapped(driver, text, error) from error
    return rows


def _wrapped(driver: Any, text: str, error: Exception) -> Exception:
    if driver.is_closed():
        return OperationalError(text, None, error)
    state = getattr(error, "sqlstate", None)
    return _ERRORS.get(state[:2], DBAPIError)(text, None, error) if state else error


class _Compiled:
    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._text = str(compiled)
        self._usual = {**compiled.params, **{column.key: column.default.arg for column in compiled.insert_prefetch}}
        self._binds = [(name, _binder(compiled.binds[name], dialect)) for name in compiled.positiontup or ()]
        columns = getattr(statement, "selected_columns", ())
        readers = ((place, _reader(column, dialect)) for place, column in enumerate(columns))
        self._readers = [(place, read) for place, read in readers if read is not None]
        self._row: Any = None

    async def run(self, driver: Any, values: Mapping[str, Any]) -> Sequence[Any]:
        given = {**self._usual, **values}
        bound = [bind(given[name]) if bind else given[name] for name, bind in self._binds]
        rows = await fetch(driver, self._text, bound)
        if not rows:
            return ()
        if self._row is None:
            self._row = _named(tuple(rows[0].keys()))
        return [self._row._make(self._read(row)) for row in rows] if self._readers else list(map(self._row._make, rows))

    def _read(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, read in self._readers:
            values[place] = read(values[place])
        return values


def _named(columns: tuple[str, ...]) -> Any:
    made: Any = namedtuple("Row", columns)  # type: ignore[misc]  # noqa: PYI024 - known at run time
    return made


def _binder(parameter: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    binder: Callable[[Any], Any] | None = parameter.type.dialect_impl(dialect).bind_processor(dialect)
    return binder


def _reader(column: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes of the driver's value what a column of ours holds; other columns hold what the driver gives."""
    if not isinstance(column.type, TypeDecorator):
        return None
    reader: Callable[[Any], Any] | None = column.type.dialect_impl(dialect).result_processor(dialect, None)
    return reader


def _driver(connection: AsyncConnection) -> Any:
    """The driver of PostgreSQL, once it has begun the transaction; SQLAlchemy begins one with its first statement."""
    pooled = connection.sync_connection
    if connection.dialect.name != "postgresql" or pooled is None:
        return None
    driver: Any = pooled.connection.driver_connection
    return driver if driver.is_in_transaction() else None
