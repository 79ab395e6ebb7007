"""The end of the log, read once for all who follow it live, and only while someone does."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog

from opsgraph.events.hub import Hub
from opsgraph.events.log import read, state
from opsgraph.events.window import Window
from opsgraph.kernel.events import Topic
from opsgraph.storage.database import Database

_PAGE = 1_000
_PAUSE_SECONDS = 0.005  # what is committed meanwhile is read in one go
_log = structlog.get_logger("opsgraph.events")


class Tail:
    """Reads what is new after each wake-up and at least once every so often, and keeps the newest of it.

    Attributes:
        window: the newest events; None until the log was read, and while nobody follows.
        news: set when the window has moved on or come to be, or the tail has ended; the next news is another one.
        ended: whether nothing will be read any more; None before it has begun to run.
    """

    def __init__(self, database: Database, hub: Hub, poll_seconds: float, size: int) -> None:
        self.window: Window | None = None
        self.news = asyncio.Event()
        self.ended: bool | None = None
        self._database = database
        self._hub = hub
        self._poll_seconds = poll_seconds
        self._size = size
        self._followers = 0
        self._followed = asyncio.Event()

    @contextmanager
    def followed(self) -> Iterator[None]:
        """While the block lasts, one more follows."""
        self._followers += 1
        self._followed.set()
        try:
            yield
        finally:
            self._followers -= 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read while the block lasts; a look at the log that was begun is finished before it ends."""
        self.ended = False
        task = asyncio.create_task(self._run(), name="event tail")
        try:
            yield
        finally:
            self.ended = True
            self._followed.set()
            self._hub.wake()
            await task
            self._announce()

    async def _run(self) -> None:
        while not self.ended:
            if self._followers:
                await self._look()
                await asyncio.sleep(_PAUSE_SECONDS)
                await self._hub.woken(self._poll_seconds)
            else:
                self.window = None
                self._followed.clear()
                await self._followed.wait()

    async def _look(self) -> None:
        try:
            if self.window is None:
                await self._begin()
            while self.window is not None and await self._move_on(self.window):
                pass
        except Exception as error:  # noqa: BLE001 - the database may be back at the next look
            _log.warning("event_log_not_read", error=str(error))

    async def _begin(self) -> None:
        async with self._database.reading() as session:
            self.window = Window((await state(session)).head, self._size)
        self._announce()

    async def _move_on(self, window: Window) -> bool:
        """Read a page; says whether there may be more."""
        async with self._database.reading() as session:
            found = await read(session, frozenset(Topic), window.position, _PAGE)
            reached = (await state(session)).reaches(window.position)
        if not reached:  # what is gone was never seen here: whoever stood at the end of the window finds out by itself
            self.window = None
            return False
        if found:
            window.add(found)
            self._announce()
        return len(found) == _PAGE and not self.ended

    def _announce(self) -> None:
        self.news.set()
        self.news = asyncio.Event()
