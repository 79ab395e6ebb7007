"""Waiting for a condition rather than for a time."""

import asyncio
from collections.abc import Callable

from sqlalchemy import text

from opsgraph.storage.database import Database

LONG_ENOUGH_SECONDS = 30


async def until(met: Callable[[], bool]) -> None:
    """Return once a condition is met that tasks of this loop bring about."""
    async with asyncio.timeout(LONG_ENOUGH_SECONDS):
        while not met():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0)


async def someone_waits(database: Database, how_many: int = 1) -> None:
    """Return once transactions of this PostgreSQL database wait for a lock that another one holds."""
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(LONG_ENOUGH_SECONDS), database.reading() as session:
        while (await session.execute(query)).scalar_one() < how_many:
            await session.rollback()  # the next look is a new one: statistics stand still within a transaction
