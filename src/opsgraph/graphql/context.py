"""What one operation has at hand. Made for each operation, never kept for a connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from strawberry.dataloader import DataLoader

from opsgraph.kernel.actor import Actor
from opsgraph.kernel.clock import Clock
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx

Load = Callable[..., Awaitable[Mapping[Any, Any]]]
"""``load(context, unique keys, **arguments) -> mapping``: one batch, a constant number of statements."""


class Context:
    """One operation's database, actor and instant.

    All its reads share one connection, opened at the first read and used by one batch at a time: two resolvers never
    use it at once. `close` gives it back.

    Attributes:
        database: where to.
        actor: who asks.
        now: the operation's single instant.
        settings: how opsgraph is configured.
    """

    def __init__(self, database: Database, actor: Actor, clock: Clock, settings: Settings) -> None:
        self.database = database
        self.actor = actor
        self.settings = settings
        self._clock = clock
        self._loaders: dict[object, DataLoader[Any, Any]] = {}
        self._turn = asyncio.Lock()
        self._opened = AsyncExitStack()
        self._connection: AsyncConnection | None = None
        self.now: datetime = clock.now()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """The operation's connection, for the length of one batch."""
        async with self._turn:
            if self._connection is None:
                self._connection = await self._opened.enter_async_context(self.database.reading())
            yield self._connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Tx]:
        """One transaction for one mutation field. What was read before it is forgotten: it may be true no more."""
        await self.close()
        self.now = self._clock.now()
        async with self.database.transaction(self.actor, self.now) as tx:
            yield tx

    def load(self, load: Load, key: object, arguments: Mapping[str, Any]) -> Awaitable[Any]:
        """Load one key's value together with all others that are asked for on the same level."""
        kept = (load, tuple(sorted(arguments.items())))
        loader = self._loaders.get(kept)
        if loader is None:
            loader = DataLoader(load_fn=partial(self._batch, load, arguments))
            self._loaders[kept] = loader
        return loader.load(key)

    async def close(self) -> None:
        """Give the connection back and forget what was loaded."""
        async with self._turn:
            self._loaders = {}
            self._connection = None
            await self._opened.aclose()

    async def _batch(self, load: Load, arguments: Mapping[str, Any], keys: list[Any]) -> list[Any]:
        found = await load(self, keys, **arguments)
        return [found.get(key) for key in keys]
