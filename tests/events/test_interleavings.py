"""Feeds under load: several processes write and follow at once, and each follower sees the log, whole and in order."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from random import Random

import pytest
from sqlalchemy import text

from opsgraph.events.feed import Feed
from opsgraph.events.hub import Hub
from opsgraph.events.log import EventLog, LoggedEvent, read
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.events import Entry, Topic
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from tests.support.clock import START
from tests.support.events import ALERTS, EVERYTHING, NEVER_SECONDS, Follower, MutedHub, Noted, Process, process
from tests.support.scale import scaled

OFTEN_SECONDS = 0.02
WRITERS = 3
NUMBERS = 30
TOPICS = (ALERTS, frozenset({Topic.ALERTS, Topic.INCIDENTS}), EVERYTHING)


class Slow(EventLog):
    """A log some of whose writers take their time between appending and committing."""

    def __init__(self, random: Random) -> None:
        self._random = random

    async def append(self, tx: Tx, entries: Sequence[Entry]) -> None:
        """Append, and dawdle."""
        await super().append(tx, entries)
        for _ in range(self._random.choice((0, 0, 1, 5))):
            await tx.connection.execute(text("SELECT 1"))


class Undone(Exception):  # noqa: N818 - what a writer changes its mind by
    """Nothing of it is kept."""


class Resuming(Follower):
    """A follower that hangs up after each batch, and goes on from the last event it saw."""

    async def _collect(self, feed: Feed, topics: Collection[Topic], after: int | None) -> None:
        while True:
            async with aclosing(feed.follow(topics, after)) as batches:
                batch = await anext(batches)
            self.events.extend(batch)
            after = batch[-1].position
            self._more.set()


async def write(own: Process, random: Random, numbers: Sequence[int]) -> list[int]:
    """Note numbers in transactions of a few, of which some are undone whole or in part; gives what was committed."""
    committed: list[int] = []
    for start in range(0, len(numbers), 3):
        fate = random.choices(("commits", "is a dry run", "raises"), (8, 1, 1))[0]
        kept: list[int] = []
        with suppress(Undone):
            async with own.database.transaction(SYSTEM, START, dry_run=fate == "is a dry run") as tx:
                for number in numbers[start : start + random.randint(0, 3)]:
                    kept += await note_apart(tx, random, number)
                if fate == "raises":
                    raise Undone
        committed += kept if fate == "commits" else []
    return committed


async def note_apart(tx: Tx, random: Random, number: int) -> list[int]:
    """Note a number in a part of the transaction; gives it unless that was undone."""
    with suppress(Undone):
        async with tx.savepoint():
            tx.record(Noted(number, random.choice(list(Topic))))
            if random.random() < 0.2:
                raise Undone
            return [number]
    return []


async def written(processes: Sequence[Process], random: Random) -> list[list[int]]:
    """Let several writers in each process write at once; gives what each committed, in its order."""
    writers = [own for own in processes for _ in range(WRITERS)]
    shares = [range(index * NUMBERS, (index + 1) * NUMBERS) for index in range(len(writers))]
    return await asyncio.gather(
        *(write(own, Random(random.random()), share) for own, share in zip(writers, shares, strict=True))  # noqa: S311 - a test's dice
    )


async def logged(database: Database) -> list[LoggedEvent]:
    """The whole log."""
    async with database.reading() as session:
        return await read(session, EVERYTHING, 0, 10_000)


@pytest.mark.parametrize("seed", range(scaled(150, least=3)))
@pytest.mark.parametrize("hub", [Hub, MutedHub])
async def test_every_follower_sees_the_log(database: Database, settings: Settings, hub: type[Hub], seed: int) -> None:
    """All of its topics, in order, once, and nothing else, with hints and where every hint is lost.

    On PostgreSQL hints alone have to do; SQLite has none between processes.
    """
    random = Random(seed)  # noqa: S311 - a test's dice
    poll = OFTEN_SECONDS if hub is MutedHub or database.is_sqlite else NEVER_SECONDS
    async with AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(process(settings, poll, hub=hub, in_memory=random.choice((1, 10, 5_000))))
            for _ in range(2)
        ]
        for own in processes:
            own.database._log = Slow(random)
        followers = [
            (kind(own.feed, topics), topics) for own in processes for topics in TOPICS for kind in (Follower, Resuming)
        ]
        committed = await written(processes, random)
        log = await logged(database)
        numbers = [event.facts["number"] for event in log]
        for share in committed:
            assert [number for number in numbers if number in set(share)] == share
        assert len(numbers) == sum(map(len, committed))
        for follower, topics in followers:
            expected = [event for event in log if event.topic in topics]
            await follower.has(len(expected))
            assert follower.events == expected
            await follower.leave()
