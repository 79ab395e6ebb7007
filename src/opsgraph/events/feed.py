"""Feeds: the log from a place on, first as it was written down, then live; nothing is lost, nothing comes twice."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from opsgraph.events.cursors import EXPIRED, read_cursor, write_cursor
from opsgraph.events.hub import Hub
from opsgraph.events.log import LoggedEvent, LogState, read, state
from opsgraph.events.tail import Tail
from opsgraph.kernel.events import Topic
from opsgraph.kernel.refusals import CursorExpired
from opsgraph.storage.database import Database

_BATCH = 500
_POLL_SECONDS = 1.0
_IN_MEMORY = 5_000


@dataclass(frozen=True, slots=True)
class Step:
    """How far a follower has come.

    Attributes:
        events: what it came by, in order.
        position: the place it has come to: nothing that it wants is left up to there.
        caught_up: whether that was the end of the log a moment ago.
    """

    events: Sequence[LoggedEvent]
    position: int
    caught_up: bool


class Feed:
    """The event log of a database, for all who follow it in this process.

    Args:
        database: where the log is.
        hub: what wakes those who follow; one of its own if left out.
        poll_seconds: how often the log is looked at without a wake-up, while someone follows.
        in_memory: how many of the newest events are kept for those who follow live.
    """

    def __init__(
        self,
        database: Database,
        hub: Hub | None = None,
        poll_seconds: float = _POLL_SECONDS,
        in_memory: int = _IN_MEMORY,
    ) -> None:
        self._database = database
        self._hub = hub or Hub(database)
        self._tail = Tail(database, self._hub, poll_seconds, in_memory)
        self._log_id: UUID | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Feeds can be followed while the block lasts; at its end, they end."""
        async with self._hub.running(), self._tail.running():
            yield

    async def follow(
        self, topics: Collection[Topic], after: int | None = None
    ) -> AsyncGenerator[Sequence[LoggedEvent], None]:
        """Every event of these topics after a place, in order, as batches; then those to come, until feeds end.

        It holds no connection while it waits or while its consumer works.

        Args:
            topics: the topics.
            after: the place; None follows from now on.

        Raises:
            CursorExpired: what came after the place was pruned, at the start or while the consumer was too slow; or the
                log never reached it.
            RuntimeError: the feed was not begun to run.
        """
        async with aclosing(self.steps(topics, after)) as steps:
            async for step in steps:
                if step.events:
                    yield step.events

    async def steps(self, topics: Collection[Topic], after: int | None = None) -> AsyncGenerator[Step, None]:
        """The same as `follow`, with how far it has come at the start, after each batch, and where it has to wait."""
        if self._tail.ended is None:
            raise RuntimeError("a feed is followed while it is running")
        position, caught_up = await self._start(after), after is None
        yield Step((), position, caught_up)
        with self._tail.followed():
            while not self._tail.ended:
                news, window = self._tail.news, self._tail.window
                found = window.after(position, _BATCH) if window is not None else ()
                if found is None:
                    found, position = await self._page(topics, position)
                elif found:
                    position = found[-1].position
                    await asyncio.sleep(0)  # who never waits would leave no turn to others
                elif caught_up or window is None:
                    await news.wait()
                    continue
                caught_up = not found
                yield Step([event for event in found if event.topic in topics], position, caught_up)

    async def head_cursor(self, session: AsyncConnection) -> str:
        """The cursor of the last place of the log."""
        found = await self._state(session)
        return write_cursor(found.log_id, found.head)

    async def position_of(self, session: AsyncConnection, cursor: str, field: str = "after") -> int:
        """The place that a cursor stands for.

        Raises:
            Invalid: opsgraph made no such cursor.
            CursorExpired: what came after it is no longer known, or it is of another log.
        """
        return read_cursor(await self._state(session), cursor, field)

    def cursor_of(self, position: int) -> str:
        """The cursor of a place that this feed has given.

        Raises:
            RuntimeError: the log was not looked at yet.
        """
        if self._log_id is None:
            raise RuntimeError("a place has a cursor once the log was looked at")
        return write_cursor(self._log_id, position)

    async def _start(self, after: int | None) -> int:
        async with self._database.reading() as session:
            found = await self._state(session)
        if after is not None and not found.reaches(after):
            raise CursorExpired(EXPIRED, "after")
        return found.head if after is None else after

    async def _page(self, topics: Collection[Topic], position: int) -> tuple[Sequence[LoggedEvent], int]:
        """A page from the database, and the place up to which it holds everything."""
        async with self._database.reading() as session:
            head = (await self._state(session)).head
            found = await read(session, topics, position, _BATCH)
            reached = (await self._state(session)).reaches(position)
        if not reached:
            raise CursorExpired(EXPIRED, "after")
        last = found[-1].position if found else position
        return found, last if len(found) == _BATCH else max(last, head)

    async def _state(self, session: AsyncConnection) -> LogState:
        found = await state(session)
        self._log_id = found.log_id
        return found
