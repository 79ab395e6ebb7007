"""The demonstration, loaded for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Column, Table, func, select

from opsgraph.app import Core, build_core
from opsgraph.kernel.actor import SYSTEM
from opsgraph.metadata import metadata
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.workflows import demonstration
from tests.support import databases
from tests.support.clock import TestClock

SERVICES = {
    "HEALTHY": {"api-gateway", "inventory", "ledger", "recommendations", "search", "storefront"},
    "DEGRADED": {"checkout", "notifications", "orders"},
    "CRITICAL": {"fraud-detection", "payments", "shipping"},
    "UNKNOWN": {"gift-cards"},
}
"""What a demonstration that was just loaded shows, whatever its seed and the day."""


VERDICTS = {
    "checkout": "CONDITIONAL_GO",
    "ledger": "GO",
    "notifications": "CONDITIONAL_GO",
    "orders": "CONDITIONAL_GO",
    "shipping": "NO_GO",
}
"""The verdicts on the services that declared anything."""


async def load(core: Core, seed: int = demonstration.SEED) -> None:
    """Load the demonstration as of the core's clock."""
    async with core.database.transaction(SYSTEM, core.clock.now()) as tx:
        await demonstration.load(tx, seed)
    await demonstration.judge(core.database, core.readiness, core.clock.now())


@asynccontextmanager
async def loaded(template: Path, folder: Path, now: datetime, seed: int, ids: int) -> AsyncIterator[Core]:
    """A demonstration in a copy of an empty SQLite file, with ids from the chance of a seed of their own."""
    settings = Settings(database_url=databases.copied(template, folder))
    core = build_core(settings, TestClock(now), Random(ids).getrandbits)  # noqa: S311 - ids, not secrets
    try:
        await load(core, seed)
        yield core
    finally:
        await core.close()


async def contents(database: Database) -> dict[str, list[Any]]:
    """Every row of every table, sorted; but for stamps that the database makes of what is written twice at once."""
    async with database.reading() as session:
        return {
            table.name: sorted(map(repr, (await session.execute(select(*_columns(table)))).all()))
            for table in metadata.sorted_tables
        }


async def sizes(database: Database) -> dict[str, int]:
    """How many rows each table has."""
    async with database.reading() as session:
        tables = metadata.sorted_tables
        return {t.name: (await session.execute(select(func.count()).select_from(t))).scalar_one() for t in tables}


def _columns(table: Table) -> list[Column[Any]]:
    itself = table.name in {"service_health", "readiness_override"}
    return [column for column in table.c if not (itself and column.name == "updated_at")]
