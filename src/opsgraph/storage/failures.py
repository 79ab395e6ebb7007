"""Whose fault a failure of the database is: the statement's, or nobody's who asked."""

from collections.abc import Iterator

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_PASSING_CLASSES = ("08", "25", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE (PostgreSQL, appendix A): connection, transaction state (a read-only standby), rollback by a
deadlock, resources, objects in use, operator's intervention, system errors."""


def is_passing(error: BaseException) -> bool:
    """Whether the same statements may succeed soon: the database is away, full or busy, or chose a victim."""
    if isinstance(error, PoolTimeoutError | OSError | OperationalError | InterfaceError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return any(state.startswith(_PASSING_CLASSES) for state in _sql_states(error))


def is_of_the_data(error: BaseException) -> bool:
    """Whether no database takes such a value, whenever it is tried: too long, out of range, no text at all."""
    if isinstance(error, DataError | UnicodeError | OverflowError):
        return True
    return any(state.startswith("22") for state in _sql_states(error))


def violates(error: BaseException, constraint: str, column: str) -> bool:
    """Whether a unique constraint was broken: PostgreSQL names it, SQLite names its column as `table.column`."""
    return isinstance(error, IntegrityError) and any(name in str(error.orig) for name in (constraint, column))


def _sql_states(error: BaseException) -> Iterator[str]:
    # The driver's own errors reach us as they are where a connection is made, else wrapped once or twice.
    seen: BaseException | None = error
    while seen is not None:
        state = getattr(seen, "sqlstate", None)
        if isinstance(state, str):
            yield state
        seen = getattr(seen, "orig", None) or seen.__cause__
