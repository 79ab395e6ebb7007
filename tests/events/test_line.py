"""Between processes: hints over PostgreSQL arrive soon, few for many commits, and their loss loses nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text

from opsgraph.events import line, log, tail
from opsgraph.events.line import CHANNEL, TOLD_EVERY_SECONDS, Line
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support.events import MutedHub, Process, following, process
from tests.support.waiting import LONG_ENOUGH_SECONDS, until

OFTEN_SECONDS = 0.02
_LINES = "datname = current_database() AND pid <> pg_backend_pid() AND (query LIKE 'LISTEN%' OR query LIKE 'NOTIFY%')"


@pytest.fixture
def postgres(database: Database) -> Database:
    """The database under test where it has notifications."""
    if database.is_sqlite:
        pytest.skip("SQLite has no notifications; regular looks find what other processes wrote")
    return database


async def lines(database: Database) -> set[int]:
    """The connections on which processes listen."""
    async with database.reading() as session:
        found = await session.execute(text(f"SELECT pid FROM pg_stat_activity WHERE {_LINES}"))  # noqa: S608 - no input
        return set(found.scalars())


async def lines_are(database: Database, count: int, other_than: frozenset[int] = frozenset()) -> set[int]:
    """Wait until so many processes listen, none of them on connections that are known; gives the connections."""
    async with asyncio.timeout(LONG_ENOUGH_SECONDS):
        while len(found := await lines(database) - other_than) != count:
            pass  # each look is a wait
    return found


@asynccontextmanager
async def heard(database: Database) -> AsyncIterator[list[float]]:
    """The instants at which anybody says that the log has grown, by the loop's clock."""
    instants: list[float] = []
    async with database.line() as connection:
        await connection.add_listener(CHANNEL, lambda *_: instants.append(asyncio.get_running_loop().time()))
        yield instants


async def test_another_process_is_told(postgres: Database, settings: Settings) -> None:
    """Without a look at the log; each tells the other."""
    async with process(settings) as one, process(settings) as other:
        await lines_are(postgres, 2)
        async with following(one.feed) as first, following(other.feed) as second:
            for number in range(10):
                await (one, other)[number % 2].note(number)
                assert await first.has(number + 1) == await second.has(number + 1) == list(range(number + 1))


async def test_regular_looks_find_what_nobody_told(database: Database, settings: Settings) -> None:
    """What another process committed, where all hints are lost or there are none."""
    async with (
        process(settings) as other,
        process(settings, OFTEN_SECONDS, hub=MutedHub) as own,
        following(own.feed) as follower,
    ):
        for number in range(3):
            await (other, own)[number % 2].note(number)
            assert await follower.has(number + 1) == list(range(number + 1))


async def test_many_commits_are_told_in_few_words(postgres: Database, settings: Settings) -> None:
    """One every 20 ms at most, the last of them after the last commit, and none by the transactions that write."""
    loop = asyncio.get_running_loop()
    async with process(settings) as own, process(settings) as other, heard(postgres) as instants:
        await lines_are(postgres, 3)
        async with following(other.feed) as follower:
            begun = loop.time()
            for number in range(200):
                await own.note(number)
            await follower.has(200)
            took = loop.time() - begun
    assert 1 <= len(instants) <= took / TOLD_EVERY_SECONDS + 4


async def test_a_line_that_breaks_is_taken_up_again(postgres: Database, settings: Settings) -> None:
    """What was committed meanwhile is caught up with, and both hear each other again."""
    async with process(settings) as one, process(settings) as other:
        known = await lines_are(postgres, 2)
        async with following(one.feed) as first, following(other.feed) as second:
            await one.note(0)
            assert await second.has(1) == [0]
            for number in range(1, 4):
                known |= await broken(postgres, known)
                await other.note(number)
                assert await first.has(number + 1) == list(range(number + 1))
                await lines_are(postgres, 2, frozenset(known))
            await one.note(4)
            assert await second.has(5) == [0, 1, 2, 3, 4]


async def broken(database: Database, known: set[int]) -> set[int]:
    """End the connections on which processes listen; gives them."""
    async with database.reading() as session:
        found = await lines(database)
        ended = await session.execute(
            text(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {_LINES}")  # noqa: S608 - no input
        )
        assert len(ended.all()) == 2, known
    return found


async def test_a_line_that_cannot_be_had_is_asked_for_again(
    postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After growing pauses; once it holds, whatever was said before is caught up with."""
    monkeypatch.setattr(line, "_FIRST_PAUSE_SECONDS", 0.001)
    failures = iter(range(3))
    real = postgres.line

    @asynccontextmanager
    async def line_of() -> AsyncIterator[Any]:
        if next(failures, None) is not None:
            raise ConnectionRefusedError("not there yet")
        async with real() as connection:
            yield connection

    monkeypatch.setattr(postgres, "line", line_of)
    caught_up = asyncio.Event()
    held = asyncio.create_task(Line(postgres, caught_up.set).hold())
    async with asyncio.timeout(LONG_ENOUGH_SECONDS):
        await caught_up.wait()
    assert next(failures, None) is None
    held.cancel()
    await asyncio.gather(held, return_exceptions=True)


async def test_a_process_that_stops_hangs_up(postgres: Database, settings: Settings) -> None:
    """It holds one connection while it runs, whoever follows, and none afterwards."""
    async with process(settings):
        await lines_are(postgres, 1)
    await lines_are(postgres, 0)


async def test_a_database_that_fails_for_a_while_delays_and_loses_nothing(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Followers go on when the log can be read again."""
    failing = True

    async def read(*arguments: Any) -> Any:
        if failing:
            raise ConnectionResetError("gone for a while")
        return await real(*arguments)

    real = log.read
    async with process(settings, OFTEN_SECONDS) as own, following(own.feed) as follower:
        await own.note(0)
        await follower.has(1)
        monkeypatch.setattr(tail, "read", read)
        await own.note(1)
        await looked_at(own)
        failing = False
        assert await follower.has(2) == [0, 1]


async def looked_at(own: Process) -> None:
    """Wait until the tail has looked at the log again."""
    own.feed._hub.wake()
    await until(lambda: not own.feed._hub._woken.is_set())
