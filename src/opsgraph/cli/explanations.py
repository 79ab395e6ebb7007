"""What libraries raise when the world is not as it should be, in words that tell a person what to look at."""

import sqlite3

from alembic.util import CommandError as AlembicError
from sqlalchemy.exc import DBAPIError, OperationalError

from opsgraph.kernel.refusals import Refusal
from opsgraph.settings import SettingsError


def explained(error: Exception) -> str | None:
    """What to tell a person of an error; None if it is a bug, which deserves its traceback."""
    match error:
        case SettingsError():
            return str(error)
        case Refusal():
            return error.message
        case AlembicError():
            return f"the database was made by another version of opsgraph: {_first_line(error)}"
        case DBAPIError():
            return _of_database(error)
        case OSError():
            return f"{error.filename}: {error.strerror}" if error.filename else _unreachable(error)
    return None


def _of_database(error: DBAPIError) -> str:
    if isinstance(error.orig, sqlite3.Error):
        return f"the database cannot be used: {_first_line(error)}"
    if isinstance(error, OperationalError):
        return _unreachable(error)
    return f"the database refused: {_first_line(error)}"


def _unreachable(error: Exception) -> str:
    return f"the database cannot be reached: {_first_line(error)}"


def _first_line(error: BaseException) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0]
