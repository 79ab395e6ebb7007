"""Reading much without seeing others write in between."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.storage.database import Database


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection whose reads all see the database as it was at the first of them, on both databases."""
    async with database.reading() as connection:
        # On SQLite a transaction that reads is such a snapshot anyway.
        level = {} if database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        yield await connection.execution_options(**level)
