"""Wake-ups: hints that the log may have grown. One that is lost delays, and loses nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from opsgraph.events.line import Line
from opsgraph.kernel.events import Entry
from opsgraph.storage.database import Database


class Hub:
    """Wakes whoever reads the log of a database: right after a commit of this process, soon after one of another.

    Across processes it takes PostgreSQL's notifications, while it is running. SQLite has none: there, the reader's own
    regular looks find what other processes wrote.
    """

    def __init__(self, database: Database) -> None:
        self._woken = asyncio.Event()
        self._line = None if database.is_sqlite else Line(database, self.wake)
        database.on_commit(self._committed)

    def wake(self) -> None:
        """Have the reader look."""
        self._woken.set()

    async def woken(self, within: float) -> None:
        """Wait for the next wake-up, at most so many seconds; one that came since the last wait counts."""
        try:
            async with asyncio.timeout(within):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tell other processes, and hear from them, while the block lasts."""
        if self._line is None:
            yield
            return
        task = asyncio.create_task(self._line.hold(), name="event line")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _committed(self, _entries: Sequence[Entry]) -> None:
        self.wake()
        if self._line is not None:
            self._line.tell()
