"""The event log for tests: events that say a number, processes that record them, and followers that collect them."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from opsgraph.events.feed import Feed
from opsgraph.events.hub import Hub
from opsgraph.events.log import EventLog, LoggedEvent
from opsgraph.kernel.actor import SYSTEM
from opsgraph.kernel.events import Entry, Event, Topic
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from tests.support.clock import START
from tests.support.waiting import LONG_ENOUGH_SECONDS, until

NEVER_SECONDS = 3_600.0
"""A poll that does not come within a test: what is seen without it was seen by a wake-up."""

ALERTS = frozenset({Topic.ALERTS})
EVERYTHING = frozenset(Topic)


@dataclass(frozen=True, slots=True)
class Noted(Event):
    """A number was noted."""

    number: int
    topic: Topic = Topic.ALERTS

    def entry(self) -> Entry:
        """The number, as a fact."""
        return Entry(self.topic, "NOTED", UUID(int=self.number), {"number": self.number})


class MutedHub(Hub):
    """A hub all of whose hints are lost."""

    def wake(self) -> None:
        """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Process:
    """What one process has: a database with the log, and a feed."""

    database: Database
    feed: Feed

    async def note(self, *numbers: int, topic: Topic = Topic.ALERTS, at: datetime = START) -> None:
        """Note numbers in one transaction."""
        async with self.database.transaction(SYSTEM, at) as tx:
            for number in numbers:
                tx.record(Noted(number, topic))


@asynccontextmanager
async def process(
    settings: Settings, poll_seconds: float = NEVER_SECONDS, *, hub: type[Hub] = Hub, in_memory: int = 5_000
) -> AsyncIterator[Process]:
    """A process whose feed is running; whoever waits in the block for what never comes is told so in the end."""
    database = Database(settings, log=EventLog())
    feed = Feed(database, hub(database), poll_seconds, in_memory)
    try:
        async with asyncio.timeout(2 * LONG_ENOUGH_SECONDS), feed.running():
            yield Process(database, feed)
    finally:
        await database.close()


class Follower:
    """Collects what a feed gives, for as long as it is kept.

    Attributes:
        events: what came so far.
    """

    def __init__(self, feed: Feed, topics: Collection[Topic] = ALERTS, after: int | None = 0) -> None:
        self.events: list[LoggedEvent] = []
        self._more = asyncio.Event()
        self._task = asyncio.create_task(self._collect(feed, topics, after))

    @property
    def numbers(self) -> list[int]:
        """The numbers that came so far."""
        return [event.facts["number"] for event in self.events]

    async def has(self, count: int) -> list[int]:
        """Wait until so many came; gives their numbers."""
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            while len(self.events) < count and not self._task.done():
                await self._more.wait()
                self._more.clear()
        if self._task.done():
            self._task.result()
        return self.numbers

    async def ended(self) -> None:
        """Wait until it ends by itself; raises what it was ended by."""
        async with asyncio.timeout(LONG_ENOUGH_SECONDS):
            await self._task

    async def leave(self) -> None:
        """Stop to follow."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _collect(self, feed: Feed, topics: Collection[Topic], after: int | None) -> None:
        try:
            async with aclosing(feed.follow(topics, after)) as batches:
                async for batch in batches:
                    self.events.extend(batch)
                    self._more.set()
        finally:
            self._more.set()


@asynccontextmanager
async def following(feed: Feed, topics: Collection[Topic] = ALERTS, after: int | None = 0) -> AsyncIterator[Follower]:
    """A follower while the block lasts."""
    follower = Follower(feed, topics, after)
    try:
        yield follower
    finally:
        await follower.leave()


async def followed(feed: Feed, by: int = 1) -> None:
    """Wait until so many follow it: what is recorded from then on is told to them."""
    await until(lambda: feed._tail._followers >= by)


def small(settings: Settings) -> Settings:
    """Settings with a pool of one connection, for which nobody waits long."""
    return replace(settings, pool_size=1, pool_overflow=0)


def as_logged(facts: Any) -> Any:
    """Facts as they come back from the event log."""
    return orjson.loads(orjson.dumps(facts, default=str, option=orjson.OPT_UTC_Z))
