"""What one operation has at hand. Made for each operation, never kept for a connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from strawberry.dataloader import DataLoader

from opsgraph.domains.access.rules import held, require
from opsgraph.domains.alerts.model import AlertReport
from opsgraph.domains.readiness.model.verdicts import Verdict
from opsgraph.events.feed import Feed
from opsgraph.graphql.problems import message_of
from opsgraph.kernel.actor import Actor, Role
from opsgraph.kernel.clock import Clock
from opsgraph.kernel.refusals import Refusal
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from opsgraph.workflows.auditing import Act, record_done, record_refused
from opsgraph.workflows.correlating import Alerting
from opsgraph.workflows.intake import Answer, Intake
from opsgraph.workflows.readiness.evaluating import Readiness

_MOST_KEYS = 10_000
"""How many keys one batch has; a statement takes 32,766 parameters on SQLite and 32,767 on PostgreSQL."""

Load = Callable[..., Awaitable[Mapping[Any, Any]]]
"""``load(context, unique keys, **arguments) -> mapping``: one batch, a constant number of statements."""


class Context:
    """One operation's database, actor and instant.

    All its reads share one connection, opened at the first read and used by one batch at a time: two resolvers never
    use it at once. `close` gives it back. Fields that an error made superfluous may be loading still when the answer is
    ready; from then on they are cancelled.

    Attributes:
        database: where to.
        actor: who asks.
        now: the operation's single instant.
        settings: how opsgraph is configured.
        feed: the event log, for whoever follows it; None where nobody can, as in a command.
        intake: takes in alerts, together with those of other requests where it is the process's own.
        address: the network address that it came from, if it came from one.
        readiness: judges services, and compiles the expressions of checks.
        resume_after: the cursor of the last event that a client says it has, beside what it asks for.
    """

    def __init__(
        self,
        database: Database,
        actor: Actor,
        clock: Clock,
        settings: Settings,
        feed: Feed | None = None,
        intake: Intake | None = None,
        address: str | None = None,
        *,
        readiness: Readiness,
    ) -> None:
        self.database = database
        self.actor = actor
        self.settings = settings
        self.feed = feed
        self.intake = intake or Intake(database, clock, Alerting())
        self.address = address
        self.readiness = readiness
        self.resume_after: str | None = None
        self._act: Act | None = None
        self._reads = Role.VIEWER in held(actor)
        self._clock = clock
        self._loaders: dict[object, DataLoader[Any, Any]] = {}
        self._turn = asyncio.Lock()
        self._opened = AsyncExitStack()
        self._connection: AsyncConnection | None = None
        self._closed = False
        self.now: datetime = clock.now()

    def renewed(self, actor: Actor | None = None) -> "Context":
        """A context for the next operation, of the same actor unless another one is named."""
        edges = (self.feed, self.intake, self.address)
        actor = actor or self.actor
        return Context(self.database, actor, self._clock, self.settings, *edges, readiness=self.readiness)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """The operation's connection, for the length of one batch; after a batch that failed, another one.

        Raises:
            CancelledError: the operation is over.
        """
        async with self._turn:
            if self._closed:
                # Nobody waits for the result: another exception would only be logged as one that nobody retrieved.
                raise asyncio.CancelledError
            if self._connection is None:
                self._connection = await self._opened.enter_async_context(self.database.reading())
            try:
                yield self._connection
            except BaseException:
                # A failed statement ends a transaction on PostgreSQL, and a cancelled one breaks the connection.
                await self._give_back()
                raise

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Tx]:
        """One transaction for one mutation field. What was read before it is forgotten: it may be true no more.

        If the field is `on_record`, the audit log says so by the same transaction: of its first, if there are several.
        """
        await self._forget()
        self.now = self._clock.now()
        async with self.database.transaction(self.actor, self.now) as tx:
            yield tx
            if self._act is not None:
                await record_done(tx, self._act)
                self._act = None
        # Once more: a field of the mutation before may have been loading until now.
        await self._forget()

    @asynccontextmanager
    async def on_record(self, action: str, asked: Mapping[str, Any]) -> AsyncIterator[None]:
        """Have it in the audit log that what the block does was done, be there anything to change or not."""
        self._act = Act(action, asked, self.address)
        try:
            yield
            if self._act is not None:
                async with self.writing():
                    pass
        finally:
            self._act = None

    def record_also(self, **facts: Any) -> None:
        """Have it on record as well what was acted on, within the transaction of a field that is `on_record`."""
        if self._act is not None:
            self._act = replace(self._act, asked={**self._act.asked, **facts})

    async def refused(self, action: str, asked: Mapping[str, Any], refusal: Refusal) -> None:
        """Have it in the audit log that something was refused, whatever else becomes of it."""
        act = Act(action, asked, self.address)
        now, message = self._clock.now(), message_of(refusal)
        await record_refused(self.database, self.actor, now, act, refusal.code, message)

    async def take_in(self, report: AlertReport) -> Answer:
        """Take in one alert; what was read before it is forgotten: it may be true no more.

        Raises:
            Unavailable: the database is away or there is too much to do; nothing was stored.
        """
        await self._forget()
        (answer,) = await self.intake.submit([report])
        self.now = self._clock.now()
        await self._forget()
        return answer

    async def judge(self, service: str) -> Verdict:
        """Judge the readiness of a service; what was read before it is forgotten: it may be true no more.

        Raises:
            NotFound: there is no such service.
            Conflict: it is archived, or too few checks apply to it.
        """
        await self._forget()
        verdict = await self.readiness.evaluate(service, self.actor)
        self.now = self._clock.now()
        await self._forget()
        return verdict

    def load(self, load: Load, key: object, arguments: Mapping[str, Any]) -> Awaitable[Any]:
        """Load one key's value together with all others that are asked for on the same level.

        Raises:
            Forbidden: the actor may not read. Who only posts facts sees what was posted, and nothing that hangs on it.
        """
        if not self._reads:
            require(self.actor, {Role.VIEWER}, "reading")
        kept = (load, tuple(sorted(arguments.items())))
        loader = self._loaders.get(kept)
        if loader is None:
            loader = DataLoader(load_fn=partial(self._batch, load, arguments), max_batch_size=_MOST_KEYS)
            self._loaders[kept] = loader
        # Shielded, because a field that is cancelled when its sibling fails may share what it waits for with others.
        return asyncio.shield(loader.load(key))

    async def close(self) -> None:
        """Give the connection back for good."""
        self._closed = True
        await self._forget()

    async def _forget(self) -> None:
        """Give the connection back and forget what was loaded."""
        async with self._turn:
            self._loaders = {}
            await self._give_back()

    async def _give_back(self) -> None:
        self._connection = None
        await self._opened.aclose()

    async def _batch(self, load: Load, arguments: Mapping[str, Any], keys: list[Any]) -> list[Any]:
        found = await load(self, keys, **arguments)
        return [found.get(key) for key in keys]
