"""Connections to SQLite that go to their thread once a statement.

The driver gives each connection a thread, and each call a turn there: four for a statement that gives rows. A turn
takes longer than most statements do. Here a statement is executed, its rows are fetched and its cursor is closed in
one.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ParamSpec, Self, TypeVar

import aiosqlite

ParamsT = ParamSpec("ParamsT")
ResultT = TypeVar("ResultT")
_ROWS_AT_ONCE = 64
_LONGEST_WAIT = 2**31 - 1
_PAUSE_SECONDS = 0.01


class Connection(aiosqlite.Connection):
    """The driver's connection with cursors that take one turn a statement.

    Args:
        path: the file.
        busy_seconds: how long it waits for other processes that write.
    """

    _told_to_stop = False

    def __init__(self, path: str, busy_seconds: int) -> None:
        super().__init__(partial(_opened, path, busy_seconds), _ROWS_AT_ONCE)
        self._thread.daemon = True  # a process that ends does not wait for connections that nobody closed
        self._left_alone = False

    def stop(self) -> asyncio.Future[Any] | None:
        """Have the thread end after all that was asked for before; None if it was told to already.

        The driver would ask it a second time, and wait for an answer that a thread that has ended never gives: whoever
        closes a connection that is terminated meanwhile, or is cancelled while closing it, waited for ever.
        """
        if self._told_to_stop:
            return None
        self._told_to_stop = True
        future: asyncio.Future[Any] | None = super().stop()
        return future

    def cursor(self) -> "Cursor":  # type: ignore[override]  # the driver's is for callers that fetch step by step
        """A cursor; it takes no turn until it is used."""
        return Cursor(self)

    async def rollback(self) -> None:
        """Roll back; where there is nothing to roll back, without a turn."""
        if self._left_alone or self.in_transaction:
            await self.turn(self._conn.rollback)
            self._left_alone = False

    async def turn(
        self, function: Callable[ParamsT, ResultT], *arguments: ParamsT.args, **named: ParamsT.kwargs
    ) -> ResultT:
        """Run a function in the connection's thread, after all that was asked for before."""
        try:
            result: ResultT = await self._execute(function, *arguments, **named)  # type: ignore[no-untyped-call]  # it is
        except asyncio.CancelledError:
            self._left_alone = True  # it may be running still, and begin a transaction
            raise
        return result

    def run(self, many: bool, sql: str, parameters: Sequence[Any]) -> "Outcome":
        """Execute a statement, once or once for each of the parameters; to be called in the connection's thread."""
        cursor = self._conn.cursor()
        try:
            (cursor.executemany if many else cursor.execute)(sql, parameters)
            return cursor.fetchall(), cursor.description, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()


async def connected(path: str, busy_seconds: int) -> Any:
    """A connection to a file, which is made if need be; see `Connection`."""
    return await Connection(path, busy_seconds)


Outcome = tuple[list[Any], Any, int, int | None]
"""Of a statement that was executed: its rows, what they consist of, how many it changed, and the last id it gave."""


class Cursor:
    """What SQLAlchemy asks of an asynchronous cursor; all but executing is at hand already.

    Attributes:
        description: the columns of the rows; None if the statement gives none.
        rowcount: how many rows it changed; -1 if that is not known.
        lastrowid: the id of the last row that was inserted.
        arraysize: how many rows are fetched together by those who do not say; SQLAlchemy has all of them.
    """

    def __init__(self, connection: Connection) -> None:
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1
        self._connection = connection
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        """Cursors are entered."""
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """Execute a statement."""
        return await self._run(False, sql, parameters)

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Self:
        """Execute a statement once for each of the parameters."""
        return await self._run(True, sql, parameters)

    async def fetchall(self) -> list[Any]:
        """The rows."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is open any more."""

    async def _run(self, many: bool, sql: str, parameters: Sequence[Any]) -> Self:
        outcome = await self._connection.turn(self._connection.run, many, sql, parameters)
        self._rows, self.description, self.rowcount, self.lastrowid = outcome
        return self


def _opened(path: str, busy_seconds: int) -> sqlite3.Connection:
    # The module's own transaction handling begins too late (at the first write) for a snapshot or a write lock.
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        # SQLite's own knows ASCII only: a search without case has to find "Ödeme" by "ödeme" here as on PostgreSQL.
        connection.create_function("lower", 1, _lower, deterministic=True)
        connection.execute(f"PRAGMA busy_timeout = {min(busy_seconds * 1000, _LONGEST_WAIT)}")
        _log_ahead(connection, busy_seconds)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _log_ahead(connection: sqlite3.Connection, busy_seconds: int) -> None:
    """Have a write-ahead log; whoever is first to open a file makes it one, and SQLite lets nobody wait for that."""
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value
