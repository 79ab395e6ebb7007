"""Connections to SQLite: one turn in their thread a statement, and none left in a transaction."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from opsgraph.kernel.actor import SYSTEM
from opsgraph.metadata import metadata
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.sqlite import Connection, connected
from tests.support.clock import START
from tests.support.rows import inserted
from tests.support.waiting import LONG_ENOUGH_SECONDS

TEAM = metadata.tables["team"]
LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM n"


@pytest.fixture
def sqlite(database: Database) -> Database:
    """A migrated file."""
    if not database.is_sqlite:
        pytest.skip("PostgreSQL has another driver")
    return database


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was run in the threads of connections, by name."""
    seen: list[str] = []
    turn = Connection.turn

    async def noted(self: Connection, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        seen.append(getattr(function, "__name__", ""))
        return await turn(self, function, *arguments, **named)

    monkeypatch.setattr(Connection, "turn", noted)
    return seen


async def test_a_statement_takes_one_turn(sqlite: Database, turns: list[str]) -> None:
    """With its rows and its end; so do beginning and rolling back."""
    async with sqlite.reading() as session:
        await session.execute(text("SELECT 1"))  # the connection is there from now on
        turns.clear()
        assert (await session.execute(text("SELECT 1 UNION SELECT 2"))).scalars().all() == [1, 2]
        assert turns == ["run"]
        turns.clear()
    assert turns == ["rollback"]


async def test_giving_back_a_connection_without_a_transaction_takes_none(sqlite: Database, turns: list[str]) -> None:
    """There is nothing to roll back after a commit."""
    async with sqlite.transaction(SYSTEM, START) as tx:
        await inserted(tx.connection, TEAM)
        turns.clear()
    assert turns == []


async def test_a_write_that_is_cut_off_while_it_runs_keeps_nobody_out(sqlite: Database, settings: Settings) -> None:
    """Nothing of it is kept, and others write at once: here and in another process."""
    running = asyncio.Event()

    async def cut_off() -> None:
        async with sqlite.transaction(SYSTEM, START) as tx:
            await inserted(tx.connection, TEAM)
            running.set()
            await tx.connection.execute(text(LONG))

    task = asyncio.create_task(cut_off())
    await running.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    other = Database(settings)
    for each in (sqlite, other):
        async with each.transaction(SYSTEM, START) as tx:
            assert (await tx.connection.execute(select(TEAM.c.id))).all() == []
    await other.close()


async def test_rows_that_a_write_gives_are_all_there(sqlite: Database) -> None:
    """RETURNING: rows and how many there were, from the one turn."""
    async with sqlite.transaction(SYSTEM, START) as tx:
        await inserted(tx.connection, TEAM)
        changed = await tx.connection.execute(text("UPDATE team SET title = 'x' RETURNING title"))
        assert changed.scalars().all() == ["x"]
        counted = await tx.connection.execute(text("UPDATE team SET title = 'y'"))
        assert counted.rowcount == 1


@pytest.mark.parametrize("steps", range(4))
async def test_closing_ends_whatever_happens_meanwhile(tmp_path: Path, steps: int) -> None:
    """Cancelled, and the connection terminated, however far it has come: nobody waits for a thread that is gone."""
    connection = await connected(str(tmp_path / "a.db"), 1)
    closing = asyncio.create_task(connection.close())
    for _ in range(steps):
        await asyncio.sleep(0)
    connection.stop()
    closing.cancel()
    async with asyncio.timeout(LONG_ENOUGH_SECONDS):
        ended = await asyncio.gather(closing, return_exceptions=True)
    assert len(ended) == 1
    await asyncio.to_thread(connection._thread.join, LONG_ENOUGH_SECONDS)
    assert not connection._thread.is_alive()
