"""The two doors of the database: what a transaction keeps, what a read sees, and who waits for whom."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from opsgraph.kernel.actor import SYSTEM
from opsgraph.metadata import metadata
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from opsgraph.storage.writing import lock_sorted
from tests.support.clock import START, TestClock
from tests.support.rows import inserted
from tests.support.waiting import LONG_ENOUGH_SECONDS

TEAM = metadata.tables["team"]


async def add(tx: Tx, name: str) -> None:
    """Add a team."""
    await inserted(tx.connection, TEAM, name=name, name_key=name, origin=name)


async def names(database: Database) -> list[str]:
    """The names of all teams that a new read sees, in order."""
    async with database.reading() as session:
        return list((await session.execute(select(TEAM.c.name).order_by(TEAM.c.name))).scalars())


async def _add_apart(tx: Tx, *several: str) -> None:
    async with tx.savepoint():
        for name in several:
            await add(tx, name)


@asynccontextmanager
async def another(settings: Settings) -> AsyncIterator[Database]:
    """A second `Database` on the same data, as another process has."""
    opened = Database(settings)
    try:
        yield opened
    finally:
        await opened.close()


async def test_what_a_block_does_is_kept_when_it_ends(database: Database, clock: TestClock) -> None:
    """Committed at the end of the block, not before."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await add(tx, "one")
        assert await names(database) == []
    assert await names(database) == ["one"]


async def test_what_a_block_does_is_undone_when_it_raises(database: Database, clock: TestClock) -> None:
    """Nothing of it is left, the error arrives as it was raised, and the next transaction goes its way."""

    async def fail() -> None:
        async with database.transaction(SYSTEM, clock.now()) as tx:
            await add(tx, "one")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await fail()
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await add(tx, "two")
    assert await names(database) == ["two"]


async def test_what_a_cancelled_task_did_is_undone(database: Database, clock: TestClock) -> None:
    """A client that goes away in the middle leaves nothing behind and nobody waiting."""
    begun = asyncio.Event()

    async def write() -> None:
        async with database.transaction(SYSTEM, clock.now()) as tx:
            await add(tx, "one")
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await add(tx, "two")
    assert await names(database) == ["two"]


async def test_a_dry_run_does_everything_and_keeps_nothing(database: Database, clock: TestClock) -> None:
    """What it writes is seen within and gone afterwards."""
    async with database.transaction(SYSTEM, clock.now(), dry_run=True) as tx:
        await add(tx, "one")
        assert (await tx.connection.execute(select(func.count()).select_from(TEAM))).scalar_one() == 1
    assert await names(database) == []


async def test_a_part_can_fail_alone(database: Database, clock: TestClock) -> None:
    """A savepoint takes back what was done in it and nothing else, also after an error of the database."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await add(tx, "one")
        with pytest.raises(IntegrityError):
            await _add_apart(tx, "two", "one")
        await _add_apart(tx, "three")
    assert await names(database) == ["one", "three"]


async def test_a_transaction_has_one_instant_and_ids_that_sort_by_it(database: Database, clock: TestClock) -> None:
    """Ids of a later transaction come after; two of one transaction differ."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        assert (tx.now, tx.actor) == (START, SYSTEM)
        first = [tx.new_id() for _ in range(100)]
    async with database.transaction(SYSTEM, clock.move(milliseconds=1)) as tx:
        assert max(first) < tx.new_id()
    assert len(set(first)) == 100


async def test_ids_can_be_made_again(settings: Settings, clock: TestClock) -> None:
    """The same source of chance gives the same ids, which the demonstration data relies on."""
    made = []
    for _ in range(2):
        database = Database(settings, random_bits=Random(7).getrandbits)  # noqa: S311 - it has to be repeatable
        async with database.transaction(SYSTEM, clock.now(), dry_run=True) as tx:
            made.append([tx.new_id(), tx.new_id()])
        await database.close()
    assert made[0] == made[1]
    assert made[0][0] != made[0][1]


async def test_a_read_is_not_held_up_by_a_write(database: Database, clock: TestClock) -> None:
    """It sees what was committed before, however long the write takes."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await add(tx, "one")
    async with database.transaction(SYSTEM, clock.now()) as tx:
        await tx.connection.execute(update(TEAM).values(title="changed"))
        async with asyncio.timeout(LONG_ENOUGH_SECONDS), database.reading() as session:
            assert (await session.execute(select(TEAM.c.title))).scalar_one() is None


async def test_a_read_on_sqlite_is_one_snapshot(database: Database, clock: TestClock) -> None:
    """What is committed in its midst is not seen; on PostgreSQL the next statement sees it."""
    async with database.reading() as session:
        assert (await session.execute(select(func.count()).select_from(TEAM))).scalar_one() == 0
        async with database.transaction(SYSTEM, clock.now()) as tx:
            await add(tx, "one")
        seen = (await session.execute(select(func.count()).select_from(TEAM))).scalar_one()
    assert seen == (0 if database.is_sqlite else 1)


async def test_two_processes_may_write_at_once(database: Database, settings: Settings, clock: TestClock) -> None:
    """Each waits its turn at a row; of two that count up, no step is lost."""
    async with database.transaction(SYSTEM, clock.now()) as tx:
        counted = await inserted(tx.connection, TEAM, title="0")

    async def count(own: Database, times: int) -> None:
        for _ in range(times):
            async with own.transaction(SYSTEM, clock.now()) as tx:
                await lock_sorted(tx, TEAM.c.id, [counted["id"]])
                known = (await tx.connection.execute(select(TEAM.c.title))).scalar_one()
                await tx.connection.execute(update(TEAM).values(title=str(int(known) + 1)))

    async with another(settings) as other:
        await asyncio.gather(*(count(own, 10) for own in (database, other, database, other)))
    async with database.reading() as session:
        assert (await session.execute(select(TEAM.c.title))).scalar_one() == "40"
