"""What is append-only: the database refuses to change or remove it, whoever asks; pruning alone removes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.kernel.actor import SYSTEM
from opsgraph.metadata import metadata
from opsgraph.storage.database import Database
from opsgraph.storage.pruning import pruning
from tests.support.clock import START
from tests.support.rows import inserted

CHANGES: Mapping[str, Mapping[str, Any]] = {
    "audit": {"allowed": False},
    "event": {"subject_id": UUID(int=2)},
    "incident_timeline": {"actor": "someone else"},
    "readiness_manifest": {"declared": '{"metrics":true}'},
    "readiness_policy": {"document": "{}", "changed_by": "someone else"},
    "readiness_verdict": {"decision": "NO_GO"},
}
TABLES = [metadata.tables[name] for name in CHANGES]

by_name = pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])


async def count(session: AsyncConnection, table: Table) -> int:
    """How many rows it has."""
    found: int = (await session.execute(select(func.count()).select_from(table))).scalar_one()
    return found


@by_name
async def test_no_row_is_ever_changed(database: Database, table: Table) -> None:
    """Not by pruning either, and not to what it was."""
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        row = await inserted(tx.connection, table)
        same = {name: row[name] for name in CHANGES[table.name]}
        for values in (CHANGES[table.name], same):
            with pytest.raises(DBAPIError, match=f"{table.name} is append-only"):
                async with tx.savepoint():
                    await tx.connection.execute(update(table).values(values))
            with pytest.raises(DBAPIError, match=f"{table.name} is append-only"):
                async with tx.savepoint(), pruning(tx):
                    await tx.connection.execute(update(table).values(values))


@by_name
async def test_no_row_is_replaced(database: Database, table: Table) -> None:
    """SQLite's REPLACE would remove the row in its way without asking; PostgreSQL changes it where it conflicts."""
    columns = ", ".join(column.name for column in table.c)
    if database.is_sqlite:
        statement = f"INSERT OR REPLACE INTO {table.name} ({columns}) SELECT {columns} FROM {table.name}"  # noqa: S608 - our own tables
    else:
        statement = (
            f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {table.name} "  # noqa: S608 - our own tables
            "ON CONFLICT (id) DO UPDATE SET id = excluded.id"
        )
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        await inserted(tx.connection, table)
        with pytest.raises(DBAPIError, match=f"{table.name} is append-only"):
            async with tx.savepoint():
                await tx.connection.execute(text(statement))


@by_name
async def test_no_row_is_removed_but_by_pruning(database: Database, table: Table) -> None:
    """Before and after it within one transaction, removing is refused."""
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        for left in (2, 1):
            await inserted(tx.connection, table)
            await inserted(tx.connection, table)
            with pytest.raises(DBAPIError, match=f"{table.name} is append-only"):
                async with tx.savepoint():
                    await tx.connection.execute(delete(table))
            async with pruning(tx):
                await tx.connection.execute(delete(table))
            assert await count(tx.connection, table) == 0, left


@by_name
async def test_leave_to_prune_ends_with_its_transaction(database: Database, table: Table) -> None:
    """However it ends: committed, undone, or in a part that was undone; the next transaction has none."""
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        with pytest.raises(ZeroDivisionError):
            async with tx.savepoint(), pruning(tx):
                raise ZeroDivisionError
        await inserted(tx.connection, table)
        with pytest.raises(DBAPIError, match="append-only"):
            async with tx.savepoint():
                await tx.connection.execute(delete(table))
    for dry_run in (False, True):
        async with database.transaction(SYSTEM, START, dry_run=dry_run) as tx, pruning(tx):
            pass
        async with database.transaction(SYSTEM, START, dry_run=True) as tx:
            await inserted(tx.connection, table)
            with pytest.raises(DBAPIError, match="append-only"):
                async with tx.savepoint():
                    await tx.connection.execute(delete(table))


@by_name
async def test_nothing_is_truncated(database: Database, table: Table) -> None:
    """Not even where it prunes, for TRUNCATE removes what is too young as well."""
    if database.is_sqlite:
        pytest.skip("SQLite has no TRUNCATE")
    async with database.transaction(SYSTEM, START, dry_run=True) as tx:
        for statement in (f"TRUNCATE {table.name}", f"TRUNCATE {table.name} CASCADE"):
            with pytest.raises(DBAPIError, match=r"is append-only|referenced in a foreign key"):
                async with tx.savepoint(), pruning(tx):
                    await tx.connection.execute(text(statement))
