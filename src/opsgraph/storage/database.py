"""The database: how it is reached, and the two ways of using it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from opsgraph.kernel.actor import Actor
from opsgraph.kernel.events import Event
from opsgraph.kernel.ids import RandomBits, ids_in_order
from opsgraph.settings import Settings, SettingsError
from opsgraph.storage import postgresql, sqlite
from opsgraph.storage.transactions import CommitListener, EventLog, Reactions, Tx

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_PARAMETERS = {"host", "port", "prepared_statement_cache_size", "ssl", "sslmode"}
_REACTION_ROUNDS = 10


async def nothing_follows(tx: Tx, events: Sequence[Event]) -> None:
    """The reactions of a database that nobody reacts to."""


class Database:
    """An SQLite file or a PostgreSQL database.

    Args:
        settings: address, pool and time-outs.
        reactions: what recorded events ask of higher domains, run before each commit.
        random_bits: source of randomness for ids; None takes the system's.
        log: keeps what feeds show of recorded events; None where nothing follows them.

    Raises:
        SettingsError: the address is not one that opsgraph can use.
    """

    def __init__(
        self,
        settings: Settings,
        reactions: Reactions = nothing_follows,
        random_bits: RandomBits | None = None,
        log: EventLog | None = None,
    ) -> None:
        self.url = async_url(settings.database_url)
        self.engine = _engine(self.url, settings)
        self._at_once = self.engine if self.is_sqlite else _engine_at_once(self.url)
        self._reactions = reactions
        self._random_bits = random_bits
        self._log = log
        self._listeners: list[CommitListener] = []
        self._one_writer = asyncio.Lock() if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is an SQLite file."""
        return self.url.get_backend_name() == "sqlite"

    def on_commit(self, listener: CommitListener) -> None:
        """Have a listener called right after each commit that appended entries to the event log."""
        self._listeners.append(listener)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reads; what it sees is one snapshot on SQLite and each statement's own on PostgreSQL."""
        async with self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self, actor: Actor, now: datetime, *, dry_run: bool = False) -> AsyncIterator[Tx]:
        """One write transaction: committed when the block ends, rolled back when it raises.

        Args:
            actor: on whose behalf.
            now: the instant of everything in it.
            dry_run: do everything, reactions included, then roll back.
        """
        async with self._turn_to_write(), self.engine.connect() as plain:
            connection = await plain.execution_options(writing=True)
            transaction = await connection.begin()
            try:
                tx = Tx(connection, actor, now, self._id_source(now))
                yield tx
                await self._react(tx)
                await self._append(tx)
            except BaseException:
                await transaction.rollback()
                raise
            await (transaction.rollback() if dry_run else transaction.commit())
        if not dry_run:
            self._tell(tx)

    async def at_once(self, statement: str, *arguments: Any) -> list[Any]:
        """Run one statement that is a transaction of its own, in the database's own words; gives its rows.

        It goes to the driver as it is: for what runs so often, and is so short, that the way there would take longer.
        Nobody reacts to it, and it has no events.
        """
        async with self._turn_to_write(), self._at_once.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            if self.is_sqlite:
                rows, *_ = await driver.turn(driver.run, False, statement, arguments)
            else:
                rows = await driver.fetch(statement, *arguments)
            return list(rows)

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Any]:
        """The driver's own connection, beside the pool, for what lasts longer than a transaction: to listen."""
        engine = create_async_engine(self.url, poolclass=NullPool)
        async with engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                yield driver
            except Exception:
                driver.terminate()  # whoever does not answer would not answer a farewell either
                raise

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
        await self._at_once.dispose()

    @asynccontextmanager
    async def _turn_to_write(self) -> AsyncIterator[None]:
        # SQLite has one writer: queueing here is fair and cheap, queueing in its busy handler is neither.
        if self._one_writer is None:
            yield
            return
        async with self._one_writer:
            yield

    async def _react(self, tx: Tx) -> None:
        for _ in range(_REACTION_ROUNDS):
            if not tx.recorded:
                return
            events, tx.recorded = tx.recorded, []
            await self._reactions(tx, events)
        raise RuntimeError("reactions keep recording events that call for more reactions")

    async def _append(self, tx: Tx) -> None:
        if self._log is not None and tx.entries:
            await self._log.append(tx, tx.entries)

    def _tell(self, tx: Tx) -> None:
        if self._log is not None and tx.entries:
            for listener in self._listeners:
                listener(tx.entries)

    def _id_source(self, now: datetime) -> Callable[[], UUID]:
        return ids_in_order(now, self._random_bits) if self._random_bits else ids_in_order(now)


def async_url(address: str) -> URL:
    """Read ``sqlite:///path`` or ``postgresql://...`` and name the asynchronous driver.

    Raises:
        SettingsError: another kind of database, not an address, no file, or a parameter that is not known.
    """
    try:
        url = make_url(address)
    except Exception as error:
        raise SettingsError(f"OPSGRAPH_DATABASE_URL is not a database address: {error}") from error
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise SettingsError(
            f"OPSGRAPH_DATABASE_URL names {url.get_backend_name()}; use sqlite:///path or postgresql://user@host/name"
        )
    url = url.set(drivername=driver)
    return _sqlite_url(url) if url.get_backend_name() == "sqlite" else _postgres_url(url)


def _sqlite_url(url: URL) -> URL:
    if url.database in {None, "", ":memory:"}:
        raise SettingsError("OPSGRAPH_DATABASE_URL names no file; use sqlite:///path")
    if url.query:
        raise SettingsError("OPSGRAPH_DATABASE_URL has parameters, and SQLite takes none; use sqlite:///path")
    return url


def _postgres_url(url: URL) -> URL:
    if unknown := sorted(url.query.keys() - _PARAMETERS):
        raise SettingsError(
            f"OPSGRAPH_DATABASE_URL has the parameter {unknown[0]}; it takes {', '.join(sorted(_PARAMETERS))}"
        )
    if mode := url.query.get("sslmode"):
        # The name that every other client of PostgreSQL knows; the driver calls it ssl.
        return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return url


def _engine(url: URL, settings: Settings) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        return _postgres_engine(url, settings)
    engine = create_async_engine(
        url,
        async_creator=partial(sqlite.connected, url.database or "", settings.busy_timeout_seconds),
        pool_size=settings.pool_size,
        max_overflow=settings.pool_overflow,
    )
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _postgres_engine(url: URL, settings: Settings) -> AsyncEngine:
    try:
        engine = create_async_engine(
            url,
            pool_size=settings.pool_size,
            max_overflow=settings.pool_overflow,
            pool_recycle=settings.pool_recycle_seconds,
            connect_args=_driver_arguments(url),
        )
    except ModuleNotFoundError as error:
        raise SettingsError("PostgreSQL needs its driver: pip install 'opsgraph[postgres]'") from error
    postgresql.replace_dead_connections(engine.sync_engine)
    return engine


def _driver_arguments(url: URL) -> dict[str, Any]:
    """Where SQLAlchemy is told to keep no prepared statements, as behind a pooler, the driver keeps none either."""
    return {"statement_cache_size": 0} if url.query.get("prepared_statement_cache_size") == "0" else {}


def _engine_at_once(url: URL) -> AsyncEngine:
    """What single statements go through: a connection of their own, where each is planned for the tables as they are.

    Elsewhere a plan is kept until the database has counted the rows anew, which is too late when alerts come in floods.
    """
    engine = create_async_engine(url, pool_size=1, connect_args=_driver_arguments(url))
    postgresql.replace_dead_connections(engine.sync_engine)
    event.listen(engine.sync_engine, "connect", postgresql.plan_anew)
    return engine


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
