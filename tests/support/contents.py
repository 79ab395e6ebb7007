"""What a database holds, to compare before and after."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import select

from opsgraph.metadata import metadata
from opsgraph.storage.database import Database

Contents = dict[str, list[tuple[Any, ...]]]


async def contents(database: Database) -> Contents:
    """Every row of every table, in an order of its own."""
    async with database.reading() as session:
        return {
            table.name: sorted((tuple(row) for row in await session.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


@asynccontextmanager
async def unchanged(database: Database) -> AsyncIterator[None]:
    """Nothing that is done in the block writes anything, but for the audit log, which tells what was refused."""
    before = await contents(database)
    yield
    after = await contents(database)
    assert {**after, "audit": None} == {**before, "audit": None}
