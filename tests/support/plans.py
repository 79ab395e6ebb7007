"""How much a read costs the database, counted rather than timed."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.storage.database import Database

Read = Callable[[AsyncConnection], Awaitable[object]]


async def effort(database: Database, read: Read) -> int:
    """What a read costs: rows visited on PostgreSQL, steps of its virtual machine on SQLite."""
    async with database.reading() as session:
        return await (_steps(session, read) if database.is_sqlite else _rows_visited(database, session, read))


async def _steps(session: AsyncConnection, read: Read) -> int:
    driver = (await session.get_raw_connection()).driver_connection
    assert driver is not None
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    await driver.set_progress_handler(count, 1)
    try:
        await read(session)
    finally:
        await driver.set_progress_handler(None, 0)
    return steps


async def _rows_visited(database: Database, session: AsyncConnection, read: Read) -> int:
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        seen.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        await read(session)
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)
    driver = (await session.get_raw_connection()).driver_connection
    assert driver is not None
    plans = [await driver.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", *values) for text, values in seen]
    return sum(rows_visited(plan[0]["Plan"]) for plan in plans)


def rows_visited(node: dict[str, Any]) -> int:
    """How many rows of tables a plan's node, and those below it, went through."""
    below = sum(rows_visited(child) for child in node.get("Plans", ()))
    if "Scan" not in node["Node Type"]:
        return below
    seen = sum(count for name, count in node.items() if name == "Actual Rows" or name.startswith("Rows Removed by"))
    return below + round(float(seen * node["Actual Loops"]))
