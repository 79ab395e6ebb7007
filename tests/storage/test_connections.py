"""The connections beneath: how they are set up, what becomes of them, and who waits when there are no more."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from opsgraph.kernel.actor import SYSTEM
from opsgraph.metadata import metadata
from opsgraph.settings import Settings
from opsgraph.storage import postgresql
from opsgraph.storage.database import Database
from tests.support.clock import START, TestClock
from tests.support.rows import inserted
from tests.support.statements import statements
from tests.support.waiting import LONG_ENOUGH_SECONDS

TEAM = metadata.tables["team"]


async def one(database: Database) -> int:
    """Read something."""
    async with database.reading() as session:
        found: int = (await session.execute(text("SELECT 1"))).scalar_one()
    return found


async def test_more_may_read_than_there_are_connections(database: Database) -> None:
    """They wait for one that is given back."""
    assert sum(await asyncio.gather(*(one(database) for _ in range(50)))) == 50


async def test_readers_that_go_away_give_their_connections_back(database: Database) -> None:
    """However many clients hang up in the middle, the next one is served."""

    async def hang(begun: asyncio.Event) -> None:
        async with database.reading() as session:
            await session.execute(text("SELECT 1"))
            begun.set()
            await asyncio.Event().wait()

    for _ in range(20):
        begun = asyncio.Event()
        reader = asyncio.create_task(hang(begun))
        await begun.wait()
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    async with asyncio.timeout(LONG_ENOUGH_SECONDS):
        assert await one(database) == 1


@pytest.mark.parametrize("rested_seconds", [postgresql.RESTED_SECONDS, -1.0])
async def test_connections_that_died_are_replaced(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, rested_seconds: float
) -> None:
    """After PostgreSQL was restarted, or a firewall forgot them, the next read meets no error, rested or not."""
    if database.is_sqlite:
        pytest.skip("nobody ends SQLite's connections but the process itself")
    monkeypatch.setattr(postgresql, "RESTED_SECONDS", rested_seconds)
    await asyncio.gather(*(one(database) for _ in range(3)))
    other = Database(settings)
    async with other.reading() as session:
        mine = "datname = current_database() AND pid <> pg_backend_pid()"
        end = f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {mine}"  # noqa: S608 - no input
        ended = await session.execute(text(end))
        assert len(ended.all()) >= 1
    await other.close()
    assert await one(database) == 1
    async with database.transaction(SYSTEM, START) as tx:
        assert (await tx.connection.execute(text("SELECT 1"))).scalar_one() == 1


async def test_a_write_whose_connection_dies_is_an_error_and_the_next_one_works(database: Database) -> None:
    """Nothing of it is kept: the commit that PostgreSQL never saw did not happen."""
    if database.is_sqlite:
        pytest.skip("nobody ends SQLite's connections but the process itself")

    async def write(name: str, *, dies: bool) -> None:
        async with database.transaction(SYSTEM, START) as tx:
            await inserted(tx.connection, TEAM, name_key=name, origin=name)
            pid = (await tx.connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            if dies:
                async with database.reading() as session:
                    await session.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})

    with pytest.raises(DBAPIError):
        await write("one", dies=True)
    await write("two", dies=False)
    async with database.reading() as session:
        assert (await session.execute(select(TEAM.c.name_key))).scalars().all() == ["two"]


async def test_a_write_that_cannot_have_its_turn_says_so(
    database: Database, settings: Settings, clock: TestClock
) -> None:
    """When another process keeps SQLite's only write lock for longer than the busy time-out, it is an error."""
    if not database.is_sqlite:
        pytest.skip("on PostgreSQL writers meet at rows, not at the whole database")
    impatient = Database(replace(settings, busy_timeout_seconds=1))
    async with database.transaction(SYSTEM, clock.now()):
        with pytest.raises(DBAPIError, match="locked"):
            async with impatient.transaction(SYSTEM, clock.now()):
                pytest.fail("the lock was held by someone else")
    async with impatient.transaction(SYSTEM, clock.now()) as tx:
        assert (await tx.connection.execute(text("SELECT 1"))).scalar_one() == 1
    await impatient.close()


async def test_a_write_takes_the_lock_of_sqlite_at_once_and_a_read_never(database: Database, clock: TestClock) -> None:
    """BEGIN IMMEDIATE: a write that began as a read could neither go on nor wait."""
    if not database.is_sqlite:
        pytest.skip("PostgreSQL has no lock of the whole database")
    with statements(database) as seen:
        async with database.transaction(SYSTEM, clock.now()):
            pass
        async with database.reading() as session:
            await session.execute(text("SELECT 1"))
    assert [statement for statement in seen if statement.startswith("BEGIN")] == ["BEGIN IMMEDIATE", "BEGIN"]


async def test_every_connection_to_sqlite_is_safe(database: Database) -> None:
    """Foreign keys are checked, commits reach the disk, readers go beside the writer, waiting is bounded."""
    if not database.is_sqlite:
        pytest.skip("PostgreSQL is so by itself")
    expected = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 30_000}
    async with database.reading() as one, database.reading() as other:
        for session in (one, other):
            found = {name: (await session.execute(text(f"PRAGMA {name}"))).scalar_one() for name in expected}
            assert found == expected
