"""Reading much as it was at one moment, whatever others write meanwhile."""

import asyncio

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.kernel.actor import SYSTEM
from opsgraph.metadata import metadata
from opsgraph.storage.database import Database
from opsgraph.storage.snapshots import snapshot
from tests.support.clock import START
from tests.support.rows import inserted
from tests.support.waiting import LONG_ENOUGH_SECONDS

TEAM = metadata.tables["team"]


async def count(session: AsyncConnection) -> int:
    """How many teams a connection sees."""
    return (await session.execute(select(func.count()).select_from(TEAM))).scalar_one()


async def add(database: Database, name: str) -> None:
    """Add a team."""
    async with database.transaction(SYSTEM, START) as tx:
        await inserted(tx.connection, TEAM, name_key=name, origin=name)


async def test_a_snapshot_stays_as_it_was_at_its_first_read(database: Database) -> None:
    """On both databases; a later one sees what was written."""
    await add(database, "one")
    async with snapshot(database) as session:
        assert await count(session) == 1
        await add(database, "two")
        assert await count(session) == 1
    async with snapshot(database) as session:
        assert await count(session) == 2


async def test_the_connection_of_a_snapshot_is_an_ordinary_one_afterwards(database: Database) -> None:
    """Whoever gets it next sees what is committed meanwhile, as ever on PostgreSQL."""
    if database.is_sqlite:
        pytest.skip("on SQLite every read is a snapshot")
    async with snapshot(database) as session:
        await count(session)
    async with database.reading() as session:
        assert await count(session) == 0
        await add(database, "one")
        assert await count(session) == 1


async def test_writers_do_not_wait_for_a_snapshot(database: Database) -> None:
    """However long it is read."""
    async with snapshot(database) as session:
        await count(session)
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            await asyncio.gather(*(add(database, f"team-{number}") for number in range(5)))
        assert await count(session) == 0
