"""A small schema with subscriptions over a log in memory, for tests of the ways that results travel."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from unittest.mock import AsyncMock
from uuid import uuid4

import strawberry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection
from starlette.routing import Route, WebSocketRoute

from opsgraph.graphql.context import Context
from opsgraph.graphql.endpoint import GraphQLEndpoint
from opsgraph.graphql.live import Live
from opsgraph.graphql.marks import Mark
from opsgraph.graphql.outbox import Patience
from opsgraph.graphql.rights import mutation, query, subscription
from opsgraph.graphql.schema import Schema
from opsgraph.graphql.socket import SocketEndpoint
from opsgraph.http.middleware import RequestLog
from opsgraph.kernel.actor import LOCAL, Actor, Role
from opsgraph.kernel.refusals import CursorExpired, Invalid
from opsgraph.settings import Settings
from opsgraph.storage.database import Database
from opsgraph.storage.transactions import Tx
from tests.support.clock import TestClock

After = Annotated[str | None, strawberry.argument(description="A cursor.")]


@dataclass
class Ticker:
    """A log in memory, and what tests want to know about who follows it.

    Attributes:
        texts: what was recorded; its place is counted from 1.
        executed: how often a tick was executed for whatever it is delivered to.
        begun: how often the log was followed.
        following: how many follow it now.
        loads: the texts that were loaded by the edge, a list a batch.
        broken: raised to whoever follows, at the next tick.
        starting: cleared to hold back who begins to follow.
        away: raised by whoever loads something.
    """

    texts: list[str] = field(default_factory=list)
    executed: int = 0
    begun: int = 0
    following: int = 0
    loads: list[list[int]] = field(default_factory=list)
    broken: Exception | None = None
    starting: asyncio.Event = field(default_factory=asyncio.Event)
    away: Exception | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.starting.set()

    def tick(self, *texts: str) -> None:
        """Record texts, in one batch."""
        self.texts.extend(texts)
        self._wake()

    def break_with(self, error: Exception) -> None:
        """Have everyone who follows fail."""
        self.broken = error
        self._wake()

    async def follow(self, after: str | None) -> AsyncIterator[tuple[int, str] | Mark]:
        """The log from a place on, with marks, as a shared field gives it."""
        self.begun += 1
        self.following += 1
        try:
            await self.starting.wait()
            place = self._place(after)
            yield Mark(place, caught_up=place == len(self.texts))
            while True:
                if self.broken:
                    raise self.broken
                news = self._news
                while place < (head := len(self.texts)):
                    for number in range(place + 1, head + 1):
                        yield number, self.texts[number - 1]
                    place = head
                    yield Mark(place, caught_up=place == len(self.texts))
                await news.wait()
        finally:
            self.following -= 1

    def _place(self, after: str | None) -> int:
        if after is None:
            return len(self.texts)
        if not after.isdigit():
            raise Invalid("after is not a cursor that opsgraph made", "after")
        if int(after) > len(self.texts):
            raise CursorExpired("what came after this cursor is no longer known", "after")
        return int(after)

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


def ticker_of(context: Context) -> Ticker:
    """The log that a context is about."""
    found: Any = context.feed
    assert isinstance(found, Ticker)
    return found


async def _load(context: Context, keys: list[int]) -> dict[int, str]:
    ticker = ticker_of(context)
    ticker.loads.append(sorted(keys))
    if ticker.away is not None:
        raise ticker.away
    return {key: f"{ticker_of(context).texts[key - 1]} at {len(ticker_of(context).loads)}" for key in keys}


@strawberry.type
class Tick:
    """An event."""

    position: strawberry.Private[int]
    cursor: str
    text: str

    @strawberry.field
    def number(self, info: strawberry.Info[Context, None]) -> int:
        """Its place; counts how often it is asked for."""
        ticker_of(info.context).executed += 1
        return self.position

    @strawberry.field
    async def loaded(self, info: strawberry.Info[Context, None]) -> str:
        """Loaded in a batch, with how many batches there were."""
        found: str = await info.context.load(_load, self.position, {})
        return found

    @strawberry.field
    def asked_by(self, info: strawberry.Info[Context, None]) -> str:
        """For whom it is executed."""
        return info.context.actor.name

    @strawberry.field
    def broken(self) -> str | None:
        """Fails by a bug."""
        raise ZeroDivisionError("no business of a client's")


@strawberry.type
class Query:
    """Queries."""

    @query(description="Adds.")
    async def sum(
        self,
        info: strawberry.Info[Context, None],  # noqa: ARG002 - every root field takes it
        left: int = 1,
        right: int = 1,
    ) -> int:
        """Adds."""
        return left + right

    @query(description="Never answers.")
    async def stuck(self, info: strawberry.Info[Context, None]) -> int:
        """Counts as following until it is cancelled."""
        ticker_of(info.context).following += 1
        try:
            await asyncio.Event().wait()
        finally:
            ticker_of(info.context).following -= 1
        return 0

    @query(description="Fails by a bug.")
    async def bug(self, info: strawberry.Info[Context, None]) -> int:  # noqa: ARG002 - every root field takes it
        """Fails by a bug."""
        raise ZeroDivisionError("no business of a client's")

    @query(description="Long.")
    async def long(self, info: strawberry.Info[Context, None], characters: int) -> str:  # noqa: ARG002 - as above
        """A long text."""
        return "x" * characters


@strawberry.type
class Mutation:
    """Mutations."""

    @mutation(Role.EDITOR, description="Records.")
    async def tick(self, info: strawberry.Info[Context, None], text: str) -> int:
        """Record a text."""
        ticker_of(info.context).tick(text)
        return len(ticker_of(info.context).texts)


@strawberry.type
class Subscription:
    """Subscriptions."""

    @subscription(Role.VIEWER, shared=True, description="Ticks.")
    async def ticks(
        self,
        info: strawberry.Info[Context, None],
        after: After = None,
        containing: str | None = None,
    ) -> AsyncGenerator[Tick, None]:
        """Ticks that contain a text, after a cursor or from now on."""
        async for event in ticker_of(info.context).follow(info.context.resume_after or after):
            if isinstance(event, Mark):
                yield event  # type: ignore[misc]  # for the streams, not for clients
            elif containing is None or containing in event[1]:
                yield Tick(position=event[0], cursor=str(event[0]), text=event[1])

    @subscription(Role.VIEWER, description="Counts as fast as it can.")
    async def count(self, info: strawberry.Info[Context, None], to: int) -> AsyncGenerator[int, None]:
        """Whole numbers, without ever waiting for anything."""
        ticker_of(info.context).following += 1
        try:
            for number in range(to):
                yield number
        finally:
            ticker_of(info.context).following -= 1

    @subscription(Role.ADMIN, description="For administrators.")
    async def secrets(self, info: strawberry.Info[Context, None]) -> AsyncGenerator[int, None]:  # noqa: ARG002 - as above
        """One number."""
        yield 42


class Who:
    """Says who is asking: whoever stands in `actor`, or nobody if it is an exception."""

    def __init__(self) -> None:
        self.actor: Actor | Exception = LOCAL
        self.asked: list[HTTPConnection] = []

    async def __call__(self, connection: HTTPConnection) -> Actor:
        """The actor."""
        self.asked.append(connection)
        if isinstance(self.actor, Exception):
            raise self.actor
        return self.actor


class Unopened(Database):
    """A database that nobody looks into: what is written there, which is what was denied, goes nowhere."""

    @asynccontextmanager
    async def transaction(self, actor: Actor, now: datetime, *, dry_run: bool = False) -> AsyncIterator[Tx]:  # noqa: ARG002 - the signature it stands in for
        """A transaction whose statements are not run."""
        yield Tx(AsyncMock(), actor, now, uuid4)


@dataclass
class Ticking:
    """An application with this schema.

    Attributes:
        app: the ASGI application.
        ticker: the log behind it.
        who: who is asking.
        live: its open connections.
    """

    app: Starlette
    ticker: Ticker
    who: Who
    live: Live


def ticking(patience: Patience | None = None, origins: frozenset[str] = frozenset(), **settings: int) -> Ticking:
    """An application over a log in memory; `settings` as in `Settings`. It needs no database."""
    return _ticking(Settings(database_url="sqlite:///never-opened.db", **settings), patience, origins)  # type: ignore[arg-type]  # the settings of limits are numbers


def _ticking(settings: Settings, patience: Patience | None, origins: frozenset[str]) -> Ticking:
    ticker, who, clock, database = Ticker(), Who(), TestClock(), Unopened(settings)
    live = Live(settings.max_connections, patience)
    schema = Schema(settings, query=Query, mutation=Mutation, subscription=Subscription)

    async def context_of(connection: HTTPConnection) -> Context:
        feed: Any = ticker
        judges: Any = None  # nothing is judged here
        return Context(database, await who(connection), clock, settings, feed, readiness=judges)

    routes = [
        Route("/graphql", GraphQLEndpoint(schema, context_of, live, origins)),
        WebSocketRoute("/graphql", SocketEndpoint(schema, context_of, live, origins)),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(RequestLog), Middleware(GZipMiddleware, minimum_size=100)])
    return Ticking(app, ticker, who, live)
