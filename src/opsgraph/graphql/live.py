"""The connections of a process that stay open, and what they share."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from opsgraph.graphql.outbox import Outbox, Patience
from opsgraph.graphql.protocol import CloseCode
from opsgraph.graphql.streams import Streams


class TooMany(Exception):  # noqa: N818 - named for what it says
    """As many connections are open as are allowed, or the server is going away."""

    def __init__(self, code: CloseCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Live:
    """Every open connection of a process.

    Args:
        most: how many there may be.
        patience: how long clients are waited for.

    Attributes:
        streams: what they follow.
    """

    def __init__(self, most: int, patience: Patience | None = None) -> None:
        self.streams = Streams()
        self.patience = patience or Patience()
        self._most = most
        self._open: set[Outbox] = set()
        self._closed = False

    @contextmanager
    def opened(self, outbox: Outbox) -> Iterator[None]:
        """Count a connection while the block lasts.

        Raises:
            TooMany: it has to be refused.
        """
        if self._closed:
            raise TooMany(CloseCode.GOING_AWAY, "the server is going away")
        if len(self._open) >= self._most:
            message = f"the server has as many open connections as it allows: {self._most:,}"
            raise TooMany(CloseCode.TRY_AGAIN_LATER, message)
        self._open.add(outbox)
        try:
            yield
        finally:
            self._open.discard(outbox)

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._open)

    async def close(self) -> None:
        """Close every connection, and take no more; each client is told that the server is going away."""
        self._closed = True
        leaving = tuple(self._open)
        for outbox in leaving:
            outbox.close(CloseCode.GOING_AWAY, "the server is going away")
        await asyncio.gather(*(outbox.settled() for outbox in leaving))
        await self.streams.close()
