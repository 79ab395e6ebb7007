"""A PostgreSQL connection on which a process tells others that the log has grown, and hears it from them."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from opsgraph.storage.database import Database

CHANNEL = "opsgraph_events"
TOLD_EVERY_SECONDS = 0.02
_ANSWERS_WITHIN_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0
_log = structlog.get_logger("opsgraph.events")


class Line:
    """One connection for as long as it is held, and another one when it breaks.

    Notifications are sent from here and not by the transactions that write: one in each commit would cost a fifth of
    the writes. However many commits there are, one is sent every 20 ms, the last of them after the last commit.

    Args:
        database: a PostgreSQL one.
        heard: called when another process says that the log has grown.
    """

    def __init__(self, database: Database, heard: Callable[[], None]) -> None:
        self._database = database
        self._heard = heard
        self._untold = asyncio.Event()

    def tell(self) -> None:
        """Have other processes know that the log has grown."""
        self._untold.set()

    async def hold(self) -> None:
        """Tell and listen until cancelled; after a failure again, with growing pauses between attempts that fail."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                async with self._database.line() as connection:
                    await self._listen(connection)
                    pause = _FIRST_PAUSE_SECONDS
                    await self._tell_on(connection)
            except Exception as error:  # noqa: BLE001 - whatever broke the line, the next one may hold
                _log.warning("event_line_broken", error=str(error), again_in_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _listen(self, connection: Any) -> None:
        own = connection.get_server_pid()

        def hear(_connection: Any, sender: int, _channel: str, _payload: str) -> None:
            if sender != own:
                self._heard()

        await connection.add_listener(CHANNEL, hear)
        # A line that breaks is noticed by telling on it; whatever was said while there was none is caught up with.
        connection.add_termination_listener(lambda _connection: self.tell())
        self._heard()
        self.tell()

    async def _tell_on(self, connection: Any) -> None:
        while True:
            await self._untold.wait()
            self._untold.clear()
            await connection.execute(f"NOTIFY {CHANNEL}", timeout=_ANSWERS_WITHIN_SECONDS)
            await asyncio.sleep(TOLD_EVERY_SECONDS)
