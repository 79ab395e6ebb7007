"""SQLite files that are kept for one purpose: a mark in the file's header tells them from everybody else's.

The mark is SQLite's application id (https://www.sqlite.org/pragma.html#pragma_application_id). It can be read without
knowing the schema, and looking for it changes nothing in a file that turns out to belong to someone else.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


class NotOursError(Exception):
    """A file is kept for something else, or is not a database at all; the message says which."""


def claim(path: Path, mark: int) -> None:
    """Make sure that a file is kept for a purpose: a new or empty one is marked, a marked one stays as it is.

    Args:
        path: the file, there or not.
        mark: the purpose, 1 to 2^31 - 1.

    Raises:
        NotOursError: it holds something else, or cannot be opened.
    """
    try:
        if path.exists() and _is_marked(path, mark):
            return
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA application_id = {int(mark)}")
    except (sqlite3.Error, OSError) as error:
        raise NotOursError(f"{path} cannot be used as a database: {error}") from error


def empty(path: Path) -> None:
    """Remove every table of a claimed file in one transaction; the file and its mark stay.

    The file itself is not removed: SQLite does not survive that where another process has it open.

    Raises:
        NotOursError: it cannot be written to.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for table in _tables(connection):
                connection.execute(f'DROP TABLE "{table}"')
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise NotOursError(f"{path} cannot be emptied: {error}") from error


def _is_marked(path: Path, mark: int) -> bool:
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
        found = connection.execute("PRAGMA application_id").fetchone()[0]
        if found == mark:
            return True
        if found or _tables(connection):
            raise NotOursError(f"{path} holds other data")
    return False


def _tables(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    return [name for (name,) in connection.execute(query)]
