"""The connections of a process that stay open, and what they share."""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

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
        self._open: dict[Outbox, UUID | None] = {}
        self._closed = False

    @contextmanager
    def opened(self, outbox: Outbox, key: UUID | None = None) -> Iterator[None]:
        """Count a connection while the block lasts.

        Args:
            outbox: what is sent by it.
            key: the API key that it was opened with, if that is known already.

        Raises:
            TooMany: it has to be refused.
        """
        if self._closed:
            raise TooMany(CloseCode.GOING_AWAY, "the server is going away")
        if len(self._open) >= self._most:
            message = f"the server has as many open connections as it allows: {self._most:,}"
            raise TooMany(CloseCode.TRY_AGAIN_LATER, message)
        self._open[outbox] = key
        try:
            yield
        finally:
            del self._open[outbox]

    def belongs_to(self, outbox: Outbox, key: UUID | None) -> None:
        """Say which API key a connection is opened with."""
        self._open[outbox] = key

    def keys(self) -> set[UUID]:
        """The API keys that connections are opened with."""
        return {key for key in self._open.values() if key is not None}

    def end(self, keys: Collection[UUID]) -> None:
        """Close the connections that are opened with these API keys, which are good no more."""
        for outbox, key in tuple(self._open.items()):
            if key in keys:
                outbox.close(CloseCode.FORBIDDEN, "the key was revoked or has expired")

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
